//! What is said of a comparison: one form for text and JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::statistics::comparative::deciding::{PRECISION, p_by_inversion};
use crate::statistics::comparative::{Aim, MarginTests, NormalTest};
use crate::statistics::estimate::{Interval as OfStudy, IntervalMethod, Quantity};
use crate::statistics::metric::Decision;
use crate::statistics::proportion::Limits;

/// What is asked of every comparison.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Two-sided level of the intervals, in (0, 1).
    pub level: f64,
    /// What is to be shown.
    pub aim: Option<Aim>,
    /// In [0, 1); above 0 but for superiority.
    pub margin: Option<f64>,
}

impl Asked {
    /// The margin of the aim: 0 for superiority where none is given.
    pub fn aim_and_margin(&self) -> Option<(Aim, f64)> {
        Some((self.aim?, self.margin.unwrap_or(0.0)))
    }
}

/// Everything of a file.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Two-sided level of the intervals.
    pub level: f64,
    /// What was to be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aim: Option<&'static str>,
    /// The margin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
    /// One entry a table.
    pub tables: Vec<Table>,
}

/// One table of counts or of scores.
#[derive(Clone, Debug, Serialize)]
pub struct Table {
    /// Its name.
    pub id: String,
    /// What is compared in it.
    pub comparisons: Vec<Comparison>,
}

/// One difference with everything that is known of it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Comparison {
    /// `share`, `sensitivity`, `ppv`, `auc`, ...
    pub what: String,
    /// The counts it is made from.
    pub counts: BTreeMap<&'static str, u64>,
    /// Of the first.
    pub first: Option<f64>,
    /// Of the second.
    pub second: Option<f64>,
    /// First less second.
    pub difference: Option<f64>,
    /// First divided by second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// Intervals of the difference and of the ratio.
    pub intervals: Vec<Interval>,
    /// Tests of equality.
    pub tests: Vec<Test>,
    /// Tests against the margin.
    pub margin_tests: Vec<Margin>,
    /// What does not exist on these counts, and why.
    pub unavailable: Vec<Unavailable>,
    /// The answer to the aim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decided>,
}

/// An interval.
#[derive(Clone, Debug, Serialize)]
pub struct Interval {
    /// `difference` or `ratio`.
    pub of: &'static str,
    /// By which method.
    pub method: IntervalMethod,
    /// The method in words.
    pub name: &'static str,
    /// Lower limit, as the method gives it: not cut at the ends of what is possible.
    pub lower: f64,
    /// Upper limit.
    pub upper: f64,
}

/// A test of equality, two-sided.
#[derive(Clone, Debug, Serialize)]
pub struct Test {
    /// `mcnemar-exact`, `kosinski`, ...
    pub id: &'static str,
    /// In words.
    pub name: &'static str,
    /// Its statistic, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistic: Option<f64>,
    /// Two-sided p value.
    pub p: f64,
}

/// Tests against a margin by one method.
#[derive(Clone, Debug, Serialize)]
pub struct Margin {
    /// By which statistic.
    pub method: IntervalMethod,
    /// The margin.
    pub margin: f64,
    /// Against "the first is worse by the margin or more" (non-inferiority of the first).
    pub lower: NormalTest,
    /// Against "the first is better by the margin or more" (non-inferiority of the second).
    pub upper: NormalTest,
    /// The larger of both p values (equivalence).
    pub equivalence_p: f64,
}

/// What does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unavailable {
    /// A method, a test or a value.
    pub what: String,
    /// Why.
    pub reason: String,
}

/// Whether the aim is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// H0 is rejected.
    Shown,
    /// It is not.
    NotShown,
    /// No interval can decide.
    NotEvaluable,
}

/// The answer to an aim.
#[derive(Clone, Debug, Serialize)]
pub struct Decided {
    /// What was to be shown.
    pub aim: &'static str,
    /// The margin.
    pub margin: f64,
    /// H0 in symbols, Δ being the difference.
    pub h0: String,
    /// H1.
    pub h1: String,
    /// One-sided error.
    pub alpha: f64,
    /// The interval that decides; none where none can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Why it is another than the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// One-sided p value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// The answer.
    pub answer: Answer,
}

impl Comparison {
    /// Adds an interval, or why there is none.
    pub(super) fn interval(
        &mut self,
        of: &'static str,
        method: IntervalMethod,
        limits: Option<Limits>,
        why_none: &str,
    ) {
        let quantity = if self.what == "auc" { Quantity::Area } else { Quantity::Projected };
        let name = method.describe(quantity);
        match limits.filter(|(lower, upper)| lower.is_finite() && upper.is_finite()) {
            Some((lower, upper)) => self.intervals.push(Interval { of, method, name, lower, upper }),
            None => self.none(&format!("{of} by {}", method.id()), why_none),
        }
    }

    /// Adds a test, or why there is none.
    pub(super) fn test(
        &mut self,
        id: &'static str,
        name: &'static str,
        statistic: Option<f64>,
        p: Option<f64>,
        why_none: &str,
    ) {
        match p.filter(|p| p.is_finite()) {
            Some(p) => self.tests.push(Test { id, name, statistic, p }),
            None => self.none(id, why_none),
        }
    }

    /// Adds tests against the margin, or why there are none.
    pub(super) fn margin(
        &mut self,
        method: IntervalMethod,
        margin: Option<f64>,
        z: impl Fn(f64) -> Option<f64>,
        why_none: &str,
    ) {
        let Some(margin) = margin.filter(|m| *m > 0.0) else { return };
        let tests = MarginTests::of(margin, z).filter(|t| t.lower.z.is_finite() && t.upper.z.is_finite());
        match tests {
            Some(MarginTests { lower, upper, equivalence_p }) => {
                self.margin_tests.push(Margin { method, margin, lower, upper, equivalence_p });
            }
            None => self.none(&format!("margin by {}", method.id()), why_none),
        }
    }

    /// Notes that something is not there.
    pub(super) fn none(&mut self, what: &str, reason: &str) {
        let entry = Unavailable { what: what.to_owned(), reason: reason.to_owned() };
        if !self.unavailable.contains(&entry) {
            self.unavailable.push(entry);
        }
    }

    /// Answers the aim by the interval that decides at each level; `z` is the statistic of `method`, which
    /// gives the p value where that method decides.
    pub(super) fn decide(
        &mut self,
        asked: &Asked,
        method: IntervalMethod,
        z: &dyn Fn(f64) -> Option<f64>,
        at: &dyn Fn(f64) -> Decision,
    ) {
        let Some((aim, margin)) = asked.aim_and_margin() else { return };
        let Decision { interval, fault } = at(asked.level);
        let [h0, h1] = aim.hypotheses(margin);
        let quantity = if self.what == "auc" { Quantity::Area } else { Quantity::Projected };
        let shown = |i: OfStudy| Interval {
            of: "difference",
            method: i.method,
            name: i.method.describe(quantity),
            lower: i.lower,
            upper: i.upper,
        };
        let decides = interval.as_ref().map(|i| i.method);
        let p = match decides {
            Some(by) if by == method => aim.p(margin, z),
            _ => None,
        };
        let inverted = || {
            p_by_inversion(aim, margin, PRECISION[0], &|level| {
                let found = at(level).interval.filter(|found| Some(found.method) == decides);
                found.map(|found| (found.lower, found.upper))
            })
        };
        let p = interval.as_ref().map(|_| p.unwrap_or_else(inverted));
        let answer = match &interval {
            None => Answer::NotEvaluable,
            Some(i) if aim.holds(margin, (i.lower, i.upper)) => Answer::Shown,
            Some(_) => Answer::NotShown,
        };
        self.decision = Some(Decided {
            aim: aim.id(),
            margin,
            h0,
            h1,
            alpha: (1.0 - asked.level) / 2.0,
            p,
            interval: interval.map(shown),
            because: fault.map(|f| f.message),
            answer,
        });
    }
}

impl Report {
    /// Of tables.
    pub fn new(asked: &Asked, tables: Vec<Table>) -> Self {
        Self {
            level: asked.level,
            aim: asked.aim.map(Aim::id),
            margin: asked.aim_and_margin().map(|(_, m)| m).or(asked.margin),
            tables,
        }
    }

    /// Whether every aim is shown.
    pub fn all_shown(&self) -> bool {
        let comparisons = self.tables.iter().flat_map(|t| &t.comparisons);
        comparisons.filter_map(|c| c.decision.as_ref()).all(|d| d.answer == Answer::Shown)
    }
}
