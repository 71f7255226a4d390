//! Scores in order: integers that order as scores do, and how many positives and negatives share each. What
//! the area under the curve, the curve itself and the operating point are computed from.

/// An integer with the order of the score; `-0.0` and `0.0` are equal. The score must be finite.
pub(crate) fn key(score: f64) -> u64 {
    let bits = (score + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}

/// The score of a [`key`].
pub(crate) fn score_of(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

/// Scores of one value: how many positives and negatives share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub key: u64,
    pub positives: u64,
    pub negatives: u64,
}

/// Calls `visit` once for every distinct score, ascending.
pub(crate) fn each_group(positives: &[u64], negatives: &[u64], mut visit: impl FnMut(Group)) {
    let (mut i, mut j) = (0, 0);
    while i < positives.len() || j < negatives.len() {
        let key = match (positives.get(i), negatives.get(j)) {
            (Some(&p), Some(&q)) => p.min(q),
            (Some(&p), None) => p,
            (None, Some(&q)) => q,
            (None, None) => return,
        };
        let (i0, j0) = (i, j);
        while positives.get(i) == Some(&key) {
            i += 1;
        }
        while negatives.get(j) == Some(&key) {
            j += 1;
        }
        visit(Group { key, positives: (i - i0) as u64, negatives: (j - j0) as u64 });
    }
}

/// Distinct scores, ascending. `labels` and `scores` have one entry a case; scores are finite.
pub(crate) fn groups(labels: &[bool], scores: &[f64]) -> Vec<Group> {
    let (positives, negatives) = sorted_classes(labels, scores);
    let mut out = Vec::new();
    each_group(&positives, &negatives, |g| out.push(g));
    out
}

/// Keys of the positives and of the negatives, ascending.
pub(crate) fn sorted_classes(labels: &[bool], scores: &[f64]) -> (Vec<u64>, Vec<u64>) {
    let count = labels.iter().filter(|&&l| l).count();
    let mut positives = Vec::with_capacity(count);
    let mut negatives = Vec::with_capacity(labels.len() - count);
    for (&label, &score) in labels.iter().zip(scores) {
        if label { positives.push(key(score)) } else { negatives.push(key(score)) }
    }
    positives.sort_unstable();
    negatives.sort_unstable();
    (positives, negatives)
}

/// Ids as 0..count in order of size, and the count.
pub fn dense_ids(ids: &[u32]) -> (Vec<u32>, usize) {
    let mut distinct = ids.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.last().is_none_or(|&last| last as usize + 1 == distinct.len()) {
        return (ids.to_vec(), distinct.len());
    }
    let dense = ids.iter().map(|id| distinct.partition_point(|d| d < id) as u32).collect();
    (dense, distinct.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_the_order_and_come_back() {
        let scores = [f64::MIN, -1.5, -1e-300, 0.0, 1e-300, 0.5, 1.0, f64::MAX];
        for pair in scores.windows(2) {
            assert!(key(pair[0]) < key(pair[1]));
        }
        assert!(scores.iter().all(|&s| score_of(key(s)) == s));
        assert_eq!(key(0.0), key(-0.0));
    }
}
