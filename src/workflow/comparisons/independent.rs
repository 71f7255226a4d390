//! Counts of two devices on different cases.

use std::collections::BTreeMap;

use super::found::{Asked, Comparison, Table};
use super::read::IndependentRow;
use crate::statistics::estimate::{Interval, IntervalMethod as By};
use crate::statistics::metric::Decision;

/// Everything of one pair of shares.
pub fn independent(row: &IndependentRow, asked: &Asked) -> Table {
    let shares = &row.shares;
    let [first, second] = shares.shares();
    let mut out = Comparison {
        what: "share".to_owned(),
        counts: BTreeMap::from([
            ("first", row.counts[0][0]),
            ("first_of", row.counts[0][1]),
            ("second", row.counts[1][0]),
            ("second_of", row.counts[1][1]),
        ]),
        first: Some(first),
        second: Some(second),
        difference: Some(shares.difference()),
        ratio: (second > 0.0).then(|| first / second),
        ..Comparison::default()
    };
    if second == 0.0 {
        out.none("ratio", "the second share is 0");
    }
    for (method, limits) in [
        (By::MiettinenNurminen, shares.score(asked.level, true)),
        (By::Mee, shares.score(asked.level, false)),
        (By::Newcombe, shares.newcombe(asked.level)),
        (By::AgrestiCaffo, shares.agresti_caffo(asked.level)),
        (By::Wald, shares.wald(asked.level)),
    ] {
        out.interval("difference", method, Some(limits), "");
    }
    let alike = "both shares are 0, or both are 1: the score of equality has no variance";
    for (id, name, unbiased) in [
        ("miettinen-nurminen", "score with the factor N/(N - 1)", true),
        ("mee", "score (Farrington and Manning 1990)", false),
    ] {
        let z = shares.score_z(0.0, unbiased);
        let p = z.map(crate::statistics::special::normal_two_sided);
        out.test(id, name, z, p, alike);
    }
    for (method, unbiased) in [(By::MiettinenNurminen, true), (By::Mee, false)] {
        let z = |delta: f64| shares.score_z(delta, unbiased);
        out.margin(method, asked.margin, z, "the score has no variance at the margin");
    }
    out.decide(asked, By::MiettinenNurminen, &|delta| shares.score_z(delta, true), &|level| Decision {
        interval: Some(Interval::closed(By::MiettinenNurminen, level, shares.score(level, true))),
        fault: None,
    });
    Table { id: row.id.clone(), comparisons: vec![out] }
}
