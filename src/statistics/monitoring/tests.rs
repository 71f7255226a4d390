use super::*;

/// Every order of a and b among the pooled values, which are equally likely: the share that lies as far
/// apart.
fn by_all_orders(first: &[f64], second: &[f64]) -> f64 {
    let pooled: Vec<f64> = first.iter().chain(second).copied().collect();
    let apart = |chosen: u32| {
        let side = |of_first: bool| {
            let of = pooled.iter().enumerate().filter(move |(i, _)| (chosen >> i & 1 == 1) == of_first);
            of.map(|(_, v)| *v).collect::<Vec<f64>>()
        };
        let (a, b) = (side(true), side(false));
        let below = |of: &[f64], x: f64| of.iter().filter(|v| **v <= x).count() as f64 / of.len() as f64;
        pooled.iter().map(|&x| (below(&a, x) - below(&b, x)).abs()).fold(0.0, f64::max)
    };
    let observed = apart((1 << first.len()) - 1);
    let orders: Vec<u32> =
        (0..1_u32 << pooled.len()).filter(|c| c.count_ones() as usize == first.len()).collect();
    let far = orders.iter().filter(|c| apart(**c) > observed - 1e-9).count();
    far as f64 / orders.len() as f64
}

#[test]
fn smirnovs_p_is_that_of_all_orders_with_and_without_ties() {
    let mut stream = crate::random::Stream::new(5, 1);
    for levels in [2, 3, 5, 1000] {
        for (m, n) in [(1, 1), (2, 5), (4, 4), (5, 7), (3, 8)] {
            let mut draw =
                |count: usize| -> Vec<f64> { (0..count).map(|_| stream.below(levels) as f64).collect() };
            let (a, b) = (draw(m), draw(n));
            let found = smirnov(&a, &b).expect("values");
            let truth = by_all_orders(&a, &b);
            assert!(found.exact && (found.p - truth).abs() < 1e-12, "{a:?} {b:?}: {found:?}, {truth}");
        }
    }
    assert_eq!(smirnov(&[], &[1.0]), None);
    assert_eq!(smirnov(&[f64::NAN], &[1.0]), None);
    let same = smirnov(&[1.0, 2.0], &[1.0, 2.0]).expect("values");
    assert_eq!((same.statistic, same.p), (0.0, 1.0));
}

/// R 4.2.2: `ks.test(1:2100, (1:2100) + 60, exact = FALSE)$p.value` is that of the limit below.
#[test]
fn large_samples_take_smirnovs_limit() {
    let first: Vec<f64> = (0..2100).map(f64::from).collect();
    let second: Vec<f64> = (0..2100).map(|i| f64::from(i) + 60.0).collect();
    let found = smirnov(&first, &second).expect("values");
    let lambda = found.statistic * 1050.0_f64.sqrt();
    let limit: f64 = (1..50)
        .map(f64::from)
        .map(|i| 2.0 * (-1.0_f64).powf(i - 1.0) * (-2.0 * (i * lambda).powi(2)).exp())
        .sum();
    assert!(!found.exact && (found.statistic - 60.0 / 2100.0).abs() < 1e-15);
    assert!((found.p - limit).abs() < 1e-12, "{found:?} {limit}");
}

/// Fisher's tea: 3 of 4 against 1 of 4 has p = 34/70.
#[test]
fn categories_are_tested_exactly_where_they_are_few() {
    let p = category_test(&[(3, 1), (1, 3)]).expect("both");
    assert!((p - 34.0 / 70.0).abs() < 1e-12, "{p}");
    assert_eq!(category_test(&[(3, 4)]), None);
    assert_eq!(category_test(&[(3, 0), (4, 0)]), None);
}

#[test]
fn sums_follow_their_definition_and_begin_again_behind_an_alarm() {
    let chart = Cusum { reference_value: 0.5, limit: 2.0, watched: [true, true] };
    let values = [0.0, 1.0, 2.0, 1.5, -3.0, -1.0, 0.2];
    let of = |points: &[ChartPoint]| -> Vec<[f64; 2]> { points.iter().map(|p| [p.up, p.down]).collect() };
    let going_on = chart.points(&values, false);
    let by_hand = [[0.0, 0.0], [0.5, 0.0], [2.0, 0.0], [3.0, 0.0], [0.0, 2.5], [0.0, 3.0], [0.0, 2.3]];
    for (found, expected) in of(&going_on).iter().flatten().zip(by_hand.iter().flatten()) {
        assert!((found - expected).abs() < 1e-12, "{going_on:?}");
    }
    let alarms: Vec<Option<Side>> = going_on.iter().map(|p| p.alarm).collect();
    let (up, down) = (Some(Side::Up), Some(Side::Down));
    assert_eq!(alarms, [None, None, None, up, down, down, down], "a sum at the limit is no alarm");
    let restarted = chart.points(&values, true);
    assert_eq!(restarted[4].alarm, down);
    assert!((restarted[5].down - 0.5).abs() < 1e-12 && restarted[5].alarm.is_none());
    let upwards = Cusum { watched: [true, false], ..chart };
    assert!(upwards.points(&values, false)[4].alarm.is_none() && upwards.sides() == Sides::One);
}

#[test]
fn run_lengths_are_none_outside_their_range_and_never_nonsense() {
    for (k, h, shift) in
        [(-0.1, 4.0, 0.0), (0.5, 0.0, 0.0), (0.5, 61.0, 0.0), (f64::NAN, 4.0, 0.0), (0.5, 4.0, 21.0)]
    {
        assert_eq!(average_run_length(k, h, shift, Sides::Two), None, "{k} {h} {shift}");
    }
    assert_eq!(average_run_length(1.0, 20.0, 0.0, Sides::One), None, "longer than can be given");
    assert_eq!(decision_limit(0.5, 1.1, Sides::One), None, "every limit has a longer one");
    assert_eq!(decision_limit(0.5, f64::INFINITY, Sides::One), None);
    // A limit near 0 is a chart of single values: 1/P(Z > k).
    let single = average_run_length(1.0, 1e-9, 0.0, Sides::One).expect("short");
    assert!((single - 1.0 / crate::special::normal_cdf(-1.0)).abs() < 1e-6);
    // Drawn at random: the limit of a run length has that run length.
    let mut stream = crate::random::Stream::new(11, 0);
    let mut uniform = || stream.below(1 << 20) as f64 / f64::from(1 << 20);
    for _ in 0..20 {
        let (k, wanted) = (0.1 + uniform(), 20.0 * 500.0_f64.powf(uniform()));
        let sides = if uniform() < 0.5 { Sides::One } else { Sides::Two };
        let Some(h) = decision_limit(k, wanted, sides) else { continue };
        let found = average_run_length(k, h, 0.0, sides).expect("in range");
        assert!((found / wanted - 1.0).abs() < 1e-9, "{k} {wanted} {sides:?}: {found}");
    }
}

/// Of few expected hits too, where the score itself varies much less than a normal value.
#[test]
fn a_share_in_control_is_standardised_under_its_binomial_law() {
    for (n, p) in [(50, 0.02_f64), (100, 0.005), (300, 0.2), (100, 0.9), (400, 0.5)] {
        // The law by its own recursion: P(k + 1) = P(k)·(n − k)/(k + 1)·p/(1 − p).
        let mut chance = (1.0 - p).powi(n);
        let (mut mean, mut square, mut before) = (0.0, 0.0, f64::NEG_INFINITY);
        for hits in 0..=n {
            let z = share_from_control(hits as u64, n as u64, p);
            assert!(z >= before, "more hits lie further up");
            before = z;
            mean += chance * z;
            square += chance * z * z;
            chance *= f64::from(n - hits) / f64::from(hits + 1) * p / (1.0 - p);
        }
        assert!(mean.abs() < 1e-9 && (square - 1.0).abs() < 1e-9, "{n} of {p}: {mean} {square}");
    }
}

#[test]
fn charts_of_shares_have_the_run_length_that_they_declare() {
    const CHARTS: usize = 2000;
    let limit = decision_limit(0.5, 100.0, Sides::Two).expect("in range");
    let chart = Cusum { reference_value: 0.5, limit, watched: [true, true] };
    let mut stream = crate::random::Stream::new(20_261_127, 1);
    for (n, p) in [(50, 0.02), (50, 0.2), (100, 0.9)] {
        let scores: Vec<f64> = (0..=n).map(|hits| share_from_control(hits, n, p)).collect();
        let lengths: Vec<f64> = (0..CHARTS)
            .map(|_| {
                let (mut sums, mut length) = ([0.0; 2], 0.0);
                loop {
                    let point = chart.step(sums, scores[stream.binomial(n, p) as usize]);
                    (sums, length) = ([point.up, point.down], length + 1.0);
                    if point.alarm.is_some() {
                        break length;
                    }
                }
            })
            .collect();
        let mean = lengths.iter().sum::<f64>() / CHARTS as f64;
        let variance = lengths.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / (CHARTS - 1) as f64;
        let error = (variance / CHARTS as f64).sqrt();
        assert!((mean - 100.0).abs() < 3.0 * error, "{p} of {n}: {mean} ± {error}");
    }
}
