//! Adjusted p values by the rules that need no graph.

use crate::multiplicity::graph::{Graph, weighted_p};

/// A rule on the p values of several hypotheses.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// p·m.
    Bonferroni,
    /// p/w, each with its share of α.
    WeightedBonferroni(Vec<f64>),
    /// Step down (Holm 1979): the k-th smallest of m times m − k + 1, and at least the one before it.
    Holm,
    /// The same with shares of α that add up to 1. Equal shares give Holm's numbers but for rounding.
    WeightedHolm(Vec<f64>),
    /// Step up (Hochberg 1988): for p values that are independent or positively dependent.
    Hochberg,
    /// By the closure of Simes's test (Hommel 1988); the same condition.
    Hommel,
    /// Each at the whole α in the order given (Maurer, Hothorn and Lehmacher 1995).
    FixedSequence,
    /// Shares of α in the order given, what is rejected handing its share to the next (Wiens 2003).
    Fallback(Vec<f64>),
    /// Bretz, Maurer, Brannath and Posch (2009).
    Graph(Graph),
}

/// Adjusted p values, in the order of `p`, each at most 1: a hypothesis is rejected where its own is at most
/// α. A p value that is not a number in 0..1 counts as 1. Rules with shares take as many shares as p values;
/// where there are others, every adjusted p value is 1.
pub fn adjusted(rule: &Rule, p: &[f64]) -> Vec<f64> {
    let m = p.len();
    let p: Vec<f64> = p.iter().map(|p| if (0.0..=1.0).contains(p) { *p } else { 1.0 }).collect();
    let none = || vec![1.0; m];
    match rule {
        Rule::Bonferroni => p.iter().map(|p| (m as f64 * p).min(1.0)).collect(),
        Rule::WeightedBonferroni(weights) if weights.len() == m => {
            p.iter().zip(weights).map(|(p, w)| weighted_p(*p, *w).min(1.0)).collect()
        }
        Rule::Holm => {
            let (mut out, mut most) = (none(), 0.0_f64);
            for (rank, i) in ascending(&p).into_iter().enumerate() {
                most = most.max((m - rank) as f64 * p[i]);
                out[i] = most.min(1.0);
            }
            out
        }
        Rule::WeightedHolm(weights) if weights.len() == m => weighted_holm(&p, weights),
        Rule::Hochberg => {
            let (mut out, mut least) = (none(), 1.0_f64);
            for (rank, i) in ascending(&p).into_iter().enumerate().rev() {
                least = least.min((m - rank) as f64 * p[i]);
                out[i] = least;
            }
            out
        }
        Rule::Hommel => hommel(&p),
        Rule::FixedSequence => {
            let running = |most: &mut f64, p: &f64| {
                *most = most.max(*p);
                Some(*most)
            };
            p.iter().scan(0.0, running).collect()
        }
        Rule::Fallback(weights) => Graph::in_order(weights).map_or_else(|_| none(), |g| g.adjusted(&p)),
        Rule::Graph(graph) => graph.adjusted(&p),
        Rule::WeightedBonferroni(_) | Rule::WeightedHolm(_) => none(),
    }
}

/// Places in the order of p, ties in the order given.
fn ascending(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|i, j| p[*i].total_cmp(&p[*j]).then(i.cmp(j)));
    order
}

/// Step down by p/w, the shares of those that are left together being the whole. What has no share comes
/// last: it is rejected only where the closure holds it no more, which is never before all that have one.
fn weighted_holm(p: &[f64], weights: &[f64]) -> Vec<f64> {
    let m = p.len();
    let (mut out, mut left) = (vec![1.0; m], (0..m).collect::<Vec<usize>>());
    let mut most = 0.0_f64;
    loop {
        let share: f64 = left.iter().map(|i| weights[*i].max(0.0)).sum();
        let of = |i: usize| weighted_p(p[i], weights[i]) * share;
        let next =
            left.iter().copied().filter(|i| weights[*i] > 0.0).min_by(|i, j| of(*i).total_cmp(&of(*j)));
        let Some(next) = next else { return out };
        most = most.max(of(next));
        out[next] = most.min(1.0);
        left.retain(|i| *i != next);
    }
}

/// Hommel (1988): the greatest p value of Simes's test (1986) of an intersection that holds the hypothesis.
/// Of a size, the one with the largest other p values has it.
fn hommel(p: &[f64]) -> Vec<f64> {
    let order = ascending(p);
    let of = |i: usize| {
        // The hypothesis with the largest others, ascending, grown one by one.
        let mut set = vec![p[i]];
        let mut most = p[i];
        for other in order.iter().rev().filter(|j| **j != i) {
            let place = set.partition_point(|q| *q < p[*other]);
            set.insert(place, p[*other]);
            let size = set.len() as f64;
            let simes = set.iter().enumerate().map(|(k, q)| size * q / (k + 1) as f64);
            most = most.max(simes.fold(1.0, f64::min));
        }
        most
    };
    (0..p.len()).map(of).collect()
}
