//! The largest and the smallest AUC that cases of unknown class leave possible. Exact: no labelling of those
//! cases gives more, or less.

/// Which end is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extreme {
    /// The largest AUC.
    Largest,
    /// The smallest.
    Smallest,
}

/// Labels of the cases of unknown class that make the AUC of all cases as large, or as small, as it can be.
///
/// Of two such cases of which one is positive, the AUC is larger where it is the one with the higher score.
/// So for the largest AUC the positives are those from some score on, for the smallest those up to some
/// score, and every number of positives is tried: with pairs counted from sorted scores in one pass.
/// `positives` and `negatives` are the scores of the other cases, all finite. Where no labelling has both
/// classes all are negative.
pub fn extreme_labels(positives: &[f64], negatives: &[f64], unknown: &[f64], extreme: Extreme) -> Vec<bool> {
    // The smallest AUC is one less the largest of the scores turned around.
    let sign = if extreme == Extreme::Largest { 1.0 } else { -1.0 };
    let sorted = |scores: &[f64]| {
        let mut sorted: Vec<f64> = scores.iter().map(|score| sign * score).collect();
        sorted.sort_by(f64::total_cmp);
        sorted
    };
    let (positives, negatives, open) = (sorted(positives), sorted(negatives), sorted(unknown));
    // Doubled pairs won; the open cases are all negative at first, and become positive from the top.
    let mut won: i128 = positives.iter().map(|s| below(&negatives, *s) + below(&open, *s)).sum();
    let share = |won: i128, turned: usize| {
        let pairs = (positives.len() + turned) as f64 * (negatives.len() + open.len() - turned) as f64;
        (pairs > 0.0).then(|| won as f64 / pairs)
    };
    let mut best = share(won, 0).map(|value| (value, 0));
    for turned in 0..open.len() {
        let place = open.len() - 1 - turned;
        let score = open[place];
        won -= above(&positives, score) + above(&open[place + 1..], score);
        won += below(&negatives, score) + below(&open[..place], score);
        if let Some(value) = share(won, turned + 1)
            && best.is_none_or(|(most, _)| value > most)
        {
            best = Some((value, turned + 1));
        }
    }
    let mut order: Vec<usize> = (0..unknown.len()).collect();
    order.sort_by(|&a, &b| (sign * unknown[b]).total_cmp(&(sign * unknown[a])));
    let mut labels = vec![false; unknown.len()];
    for &case in &order[..best.map_or(0, |(_, turned)| turned)] {
        labels[case] = true;
    }
    labels
}

/// 2 × scores below + scores equal, of sorted ones. A zero is a zero, whatever its sign.
fn below(sorted: &[f64], score: f64) -> i128 {
    let less = sorted.partition_point(|s| *s < score);
    let most = sorted.partition_point(|s| *s <= score);
    (less + most) as i128
}

/// 2 × scores above + scores equal, of sorted ones.
fn above(sorted: &[f64], score: f64) -> i128 {
    2 * sorted.len() as i128 - below(sorted, score)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::auc::auc;

    fn of(positives: &[f64], negatives: &[f64], unknown: &[f64], labels: &[bool]) -> Option<f64> {
        let scores = [positives, negatives, unknown].concat();
        let known =
            std::iter::repeat_n(true, positives.len()).chain(std::iter::repeat_n(false, negatives.len()));
        auc(&known.chain(labels.iter().copied()).collect::<Vec<bool>>(), &scores)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_labelling_goes_beyond(
            positives in prop::collection::vec(-2_i32..6, 0..6),
            negatives in prop::collection::vec(-3_i32..5, 0..6),
            unknown in prop::collection::vec(-3_i32..6, 0..8),
        ) {
            let scores = |list: &[i32]| list.iter().map(|s| f64::from(*s) / 4.0).collect::<Vec<f64>>();
            let (p, n, u) = (scores(&positives), scores(&negatives), scores(&unknown));
            let all: Vec<f64> = (0..1_u32 << u.len())
                .filter_map(|bits| {
                    let labels: Vec<bool> = (0..u.len()).map(|i| bits >> i & 1 == 1).collect();
                    of(&p, &n, &u, &labels)
                })
                .collect();
            let found = |extreme| of(&p, &n, &u, &extreme_labels(&p, &n, &u, extreme));
            prop_assert_eq!(found(Extreme::Largest), all.iter().copied().reduce(f64::max));
            prop_assert_eq!(found(Extreme::Smallest), all.iter().copied().reduce(f64::min));
        }
    }
}
