//! Counts of two devices on the same cases.

use std::collections::BTreeMap;

use super::found::{Asked, Comparison, Table};
use super::read::{PairedCounts, PairedRow};
use crate::statistics::comparative::deciding::{PAIRED, decide_paired, paired_limits};
use crate::statistics::comparative::{
    MOST_CASES_FOR_INTERVAL, MOST_CASES_FOR_TEST, PairedCalls, PredictiveValue, unconditional_p,
};
use crate::statistics::estimate::IntervalMethod as By;
use crate::statistics::metric::Fallback;
use crate::statistics::paired_shares::PairedShares;

const NO_CASES: &str = "there are no cases";

/// Everything of one row of counts.
pub fn paired(row: &PairedRow, asked: &Asked) -> Table {
    let comparisons = match &row.counts {
        PairedCounts::Shares(shares) => vec![share("share", shares, asked)],
        PairedCounts::Calls(calls) => of_calls(calls, asked),
    };
    Table { id: row.id.clone(), comparisons }
}

/// Sensitivity, specificity and predictive values.
pub(super) fn of_calls(calls: &PairedCalls, asked: &Asked) -> Vec<Comparison> {
    vec![
        share("sensitivity", &calls.sensitivities(), asked),
        share("specificity", &calls.specificities(), asked),
        predictive("ppv", calls, PredictiveValue::Positive, asked),
        predictive("npv", calls, PredictiveValue::Negative, asked),
    ]
}

/// Two shares of the same cases, each case a patient of its own.
fn share(what: &str, shares: &PairedShares, asked: &Asked) -> Comparison {
    let mut out = Comparison {
        what: what.to_owned(),
        counts: BTreeMap::from([
            ("both", shares.both),
            ("cases", shares.cases()),
            ("neither", shares.neither),
            ("only_first", shares.only_first),
            ("only_second", shares.only_second),
        ]),
        first: shares.shares().map(|s| s[0]),
        second: shares.shares().map(|s| s[1]),
        difference: shares.difference(),
        ratio: shares.ratio(),
        ..Comparison::default()
    };
    if shares.cases() == 0 {
        out.none("difference", NO_CASES);
    } else {
        intervals(&mut out, shares, asked);
        tests(&mut out, shares, asked);
    }
    out.decide(asked, By::Tango, &|delta| shares.tango_z(delta), &|level| {
        decide_paired(shares, By::Tango, level, Fallback::EffectiveNumber)
    });
    out
}

fn intervals(out: &mut Comparison, shares: &PairedShares, asked: &Asked) {
    let too_many = format!("it is computed for at most {MOST_CASES_FOR_INTERVAL} cases");
    for method in PAIRED {
        out.interval("difference", method, paired_limits(shares, method, asked.level), &too_many);
    }
    let zero = "one of the shares is 0";
    match shares.ratio() {
        None => out.none("ratio", "the second share is 0"),
        Some(_) => {
            out.interval("ratio", By::Log, shares.ratio_wald(asked.level), zero);
            let why = if shares.ratio_log_se().is_none() { zero } else { "no case is right for one alone" };
            out.interval("ratio", By::RatioScore, shares.ratio_score(asked.level), why);
        }
    }
}

fn tests(out: &mut Comparison, shares: &PairedShares, asked: &Asked) {
    let alike = "no case is right for one alone, so there is no test of equality";
    let test = shares.discordant();
    out.test("mcnemar", "McNemar (1947)", test.statistic(), test.p(), alike);
    out.test(
        "mcnemar-corrected",
        "with Edwards's correction",
        test.corrected_statistic(),
        test.corrected_p(),
        alike,
    );
    out.test("mcnemar-exact", "exact, conditional", None, test.exact_p(), alike);
    out.test("mcnemar-mid-p", "mid-p (Fagerland et al. 2013)", None, test.mid_p(), alike);
    let too_many = format!("it is computed for at most {MOST_CASES_FOR_TEST} cases");
    let why = if test.statistic().is_none() { alike } else { &too_many };
    let exact = unconditional_p(shares);
    out.test("mcnemar-unconditional", "exact, unconditional (Suissa and Shuster 1991)", None, exact, why);
    out.margin(By::Tango, asked.margin, |delta| shares.tango_z(delta), NO_CASES);
    let still = "the observed table has no spread";
    out.margin(By::Wald, asked.margin, |delta| shares.wald_z(delta), still);
}

/// Predictive values at the prevalence of the sample, each case a patient of its own.
fn predictive(what: &str, calls: &PairedCalls, of: PredictiveValue, asked: &Asked) -> Comparison {
    let values = calls.values(of);
    let mut out = Comparison {
        what: what.to_owned(),
        counts: BTreeMap::from([("cases", calls.cases())]),
        first: values.map(|v| v[0]),
        second: values.map(|v| v[1]),
        difference: values.map(|v| v[0] - v[1]),
        ..Comparison::default()
    };
    if values.is_none() {
        out.none("difference", "one of the two makes no such call");
        return out;
    }
    let alike = "the cases that count are called alike, or all rightly or wrongly: there is no variance";
    for (id, name, test) in [
        ("leisenring", "generalised score (Leisenring, Alonzo and Pepe 2000)", calls.generalised_score(of)),
        ("kosinski", "weighted generalised score (Kosinski 2013)", calls.weighted_score(of)),
    ] {
        out.test(id, name, test.map(|t| t.statistic), test.map(|t| t.p), alike);
    }
    match calls.relative(of) {
        None => out.none("ratio", "one of the values is 0"),
        Some(relative) => {
            out.ratio = Some(relative.value);
            out.interval("ratio", By::Log, Some(relative.limits(asked.level)), "");
            let name = "ratio on the log scale (Moskowitz and Pepe 2006)";
            out.test("moskowitz-pepe", name, None, relative.p(), alike);
        }
    }
    out
}
