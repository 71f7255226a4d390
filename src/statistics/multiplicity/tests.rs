use proptest::prelude::*;

use super::*;
use crate::random::Stream;
use crate::special::{normal_cdf, normal_quantile};

/// A number in 0..1 from 53 uniform bits, never 0.
fn uniform(stream: &mut Stream) -> f64 {
    ((stream.bits() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// A graph of m hypotheses from whole numbers: weights and rows are scaled so that each adds up to at most 1.
fn graph(m: usize) -> impl Strategy<Value = Graph> {
    let shares = |n: usize| prop::collection::vec(0_u32..4, n + 1);
    (shares(m), prop::collection::vec(shares(m), m)).prop_map(move |(weights, rows)| {
        // The last entry is what is given to nobody.
        let scaled = |shares: &[u32], leave_out: Option<usize>| -> Vec<f64> {
            let kept = |i: usize| if Some(i) == leave_out { 0 } else { shares[i] };
            let sum: u32 = (0..=m).map(kept).sum();
            (0..m).map(|i| f64::from(kept(i)) / f64::from(sum.max(1))).collect()
        };
        let rows = rows.iter().enumerate().map(|(i, row)| scaled(row, Some(i))).collect();
        Graph::new(scaled(&weights, None), rows).expect("shares")
    })
}

fn graph_and_p() -> impl Strategy<Value = (Graph, Vec<f64>)> {
    let p = prop_oneof![0.0..1.0_f64, 0.0..0.05_f64, Just(0.0), Just(1.0)];
    (1_usize..=5).prop_flat_map(move |m| (graph(m), prop::collection::vec(p.clone(), m)))
}

/// Adjusted p values by the closed test of all intersections: 2^m of them. What the shortcut has to give.
fn adjusted_by_closure(graph: &Graph, p: &[f64]) -> Vec<f64> {
    let m = graph.hypotheses();
    let mut out = vec![0.0_f64; m];
    for set in 1..1_u64 << m {
        let holds = |i: usize| set >> i & 1 == 1;
        let rejected: Vec<bool> = (0..m).map(|i| !holds(i)).collect();
        let left = graph.after(&rejected);
        let of = |i: usize| if left.weights()[i] > 0.0 { p[i] / left.weights()[i] } else { f64::INFINITY };
        let least = (0..m).filter(|i| holds(*i)).map(of).fold(1.0, f64::min);
        for i in (0..m).filter(|i| holds(*i)) {
            out[i] = out[i].max(least);
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_shortcut_of_a_graph_is_its_full_closure((graph, p) in graph_and_p()) {
        let (short, full) = (graph.adjusted(&p), adjusted_by_closure(&graph, &p));
        for (s, f) in short.iter().zip(&full) {
            prop_assert!((s - f).abs() < 1e-9, "{graph:?} {p:?} {short:?} {full:?}");
        }
    }

    #[test]
    fn what_is_left_does_not_depend_on_the_order_of_rejections((graph, _) in graph_and_p()) {
        let m = graph.hypotheses();
        let all = graph.after(&vec![true; m]);
        prop_assert!(all.weights().iter().all(|w| *w == 0.0));
        for gone in 0..m {
            for next in (0..m).filter(|n| *n != gone) {
                let only = |i: usize| (0..m).map(|k| k == i).collect::<Vec<bool>>();
                let both: Vec<bool> = (0..m).map(|k| k == gone || k == next).collect();
                let (one_way, at_once) = (graph.after(&only(next)).after(&only(gone)), graph.after(&both));
                for i in (0..m).filter(|i| !both[*i]) {
                    prop_assert!((one_way.weights()[i] - at_once.weights()[i]).abs() < 1e-9);
                }
                let sum = |of: &Graph| of.weights().iter().sum::<f64>();
                let (sum, before) = (sum(&at_once), sum(&graph));
                prop_assert!(sum <= before + 1e-9, "{graph:?}");
            }
        }
    }

    #[test]
    fn every_rule_gives_p_values_that_are_not_below_the_raw_ones(
        p in prop::collection::vec(0.0..1.0_f64, 1..6),
    ) {
        let m = p.len();
        let equal = vec![1.0 / m as f64; m];
        let holm = adjusted(&Rule::Holm, &p);
        for rule in [
            Rule::Bonferroni, Rule::Holm, Rule::Hochberg, Rule::Hommel, Rule::FixedSequence,
            Rule::WeightedHolm(equal.clone()), Rule::WeightedBonferroni(equal.clone()),
            Rule::Fallback(equal.clone()),
        ] {
            let found = adjusted(&rule, &p);
            for (raw, a) in p.iter().zip(&found) {
                prop_assert!(*a >= raw - 1e-12 && *a <= 1.0, "{rule:?} {p:?} {found:?}");
            }
        }
        let by_graph = Graph::holm(m).expect("hypotheses").adjusted(&p);
        let hochberg = adjusted(&Rule::Hochberg, &p);
        let hommel = adjusted(&Rule::Hommel, &p);
        let weighted = adjusted(&Rule::WeightedHolm(equal), &p);
        for i in 0..m {
            prop_assert!((by_graph[i] - holm[i]).abs() < 1e-9 && (weighted[i] - holm[i]).abs() < 1e-9);
            prop_assert!(hommel[i] <= hochberg[i] + 1e-12 && hochberg[i] <= holm[i] + 1e-12);
        }
    }
}

#[test]
fn graphs_with_wrong_shares_are_refused() {
    let row = |a: f64, b: f64| vec![vec![0.0, a], vec![b, 0.0]];
    let refused = |weights: &[f64], rows| Graph::new(weights.to_vec(), rows).expect_err("a fault");
    assert_eq!(refused(&[], vec![]), GraphFault::Empty);
    assert_eq!(refused(&[0.5, 0.5], vec![vec![0.0, 1.0]]), GraphFault::Shape { hypotheses: 2 });
    assert_eq!(refused(&[0.5, 0.6], row(1.0, 1.0)), GraphFault::Weights { sum: 1.1 });
    assert_eq!(refused(&[-0.5, 0.6], row(1.0, 1.0)), GraphFault::Weight { of: 0, weight: -0.5 });
    assert!(matches!(refused(&[f64::NAN, 0.6], row(1.0, 1.0)), GraphFault::Weight { of: 0, .. }));
    assert_eq!(refused(&[0.5, 0.5], row(1.5, 0.0)), GraphFault::Transition { from: 0, to: 1, part: 1.5 });
    assert_eq!(refused(&[0.5], vec![vec![0.5]]), GraphFault::Loop { at: 0 });
    let three = vec![vec![0.0, 0.75, 0.75], vec![0.0; 3], vec![0.0; 3]];
    assert_eq!(refused(&[1.0, 0.0, 0.0], three), GraphFault::Transitions { from: 0, sum: 1.5 });
}

#[test]
fn what_has_no_share_is_not_rejected_before_it_receives_one() {
    let chain = Graph::in_order(&[1.0, 0.0, 0.0]).expect("a graph");
    assert_eq!(chain.adjusted(&[0.5, 0.0, 0.0]), [0.5, 0.5, 0.5]);
    let apart = Graph::new(vec![1.0, 0.0], vec![vec![0.0; 2]; 2]).expect("a graph");
    assert_eq!(apart.adjusted(&[0.001, 0.0]), [0.001, 1.0]);
    assert_eq!(adjusted(&Rule::WeightedHolm(vec![1.0]), &[0.1, 0.2]), [1.0, 1.0]);
    assert_eq!(adjusted(&Rule::Holm, &[f64::NAN, 0.01]), [1.0, 0.02]);
}

/// The share of simulated studies in which a rule claims anything that is not so, in five scenarios of four
/// hypotheses at α = .025: all true and independent; all true with correlation .5; all true with .9; the
/// first false at moderate power; the first and the third false at high power, correlated.
#[test]
fn no_rule_claims_what_is_not_so_more_often_than_alpha() {
    const STUDIES: u64 = 20_000;
    const ALPHA: f64 = 0.025;
    let scenarios: [(f64, [f64; 4]); 5] = [
        (0.0, [0.0; 4]),
        (0.5, [0.0; 4]),
        (0.9, [0.0; 4]),
        (0.3, [2.0, 0.0, 0.0, 0.0]),
        (0.5, [4.0, 0.0, 4.0, 0.0]),
    ];
    let gates = vec![
        vec![0.0, 0.0, 0.5, 0.5],
        vec![0.0, 0.0, 0.5, 0.5],
        vec![0.0, 0.0, 0.0, 1.0],
        vec![0.0, 0.0, 1.0, 0.0],
    ];
    let rules = [
        Rule::Bonferroni,
        Rule::Holm,
        Rule::Hochberg,
        Rule::Hommel,
        Rule::FixedSequence,
        Rule::Fallback(vec![0.4, 0.3, 0.2, 0.1]),
        Rule::WeightedHolm(vec![0.4, 0.3, 0.2, 0.1]),
        Rule::Graph(Graph::new(vec![0.5, 0.5, 0.0, 0.0], gates).expect("a graph")),
    ];
    let most = ALPHA + 3.0 * (ALPHA * (1.0 - ALPHA) / STUDIES as f64).sqrt();
    for (number, (correlation, means)) in scenarios.into_iter().enumerate() {
        let mut wrong = vec![0_u64; rules.len()];
        for study in 0..STUDIES {
            let mut stream = Stream::new(41 + number as u64, study);
            let mut normal = || normal_quantile(uniform(&mut stream));
            let shared = normal() * correlation.sqrt();
            let p = means.map(|mean| normal_cdf(-(mean + shared + normal() * (1.0 - correlation).sqrt())));
            for (rule, wrong) in rules.iter().zip(&mut wrong) {
                let found = adjusted(rule, &p);
                let claims = (0..4).any(|i| means[i] == 0.0 && found[i] <= ALPHA);
                *wrong += u64::from(claims);
            }
        }
        for (rule, wrong) in rules.iter().zip(&wrong) {
            let size = *wrong as f64 / STUDIES as f64;
            assert!(size <= most, "scenario {number}: {rule:?} claims wrongly in {size}");
        }
    }
}
