//! `[triage]`: how long the device takes, and the worklist by which it is judged whether its priority saves
//! time. Nothing of it decides about the study.

use serde::Serialize;

use crate::declared::Section;
use crate::diagnostic::Code;
use crate::statistics::queue::{Discipline, ReadingTime, Worklist};

/// What is declared of a triage device.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Triage {
    /// Column of the score table with the seconds that the device took for the examination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processing_column: Option<String>,
    /// Examinations that come to be read, an hour.
    pub arrivals_per_hour: f64,
    /// Share of them with the finding.
    pub prevalence: f64,
    /// Mean minutes of reading one without the finding.
    pub reading_minutes: f64,
    /// Mean minutes of reading one with the finding.
    pub reading_minutes_positive: f64,
    /// Coefficient of variation of both.
    pub reading_cv: f64,
    /// Whether a flagged examination interrupts a reading.
    pub priority: Priority,
    /// Where these numbers come from.
    pub source: String,
}

/// How flagged examinations come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// After the reading that was begun.
    NonPreemptive,
    /// At once.
    Preemptive,
}

impl Priority {
    /// In protocols.
    pub const NAMES: [(&'static str, Self); 2] =
        [("non-preemptive", Self::NonPreemptive), ("preemptive", Self::Preemptive)];

    /// The name in protocols.
    pub fn id(self) -> &'static str {
        match self {
            Self::NonPreemptive => "non-preemptive",
            Self::Preemptive => "preemptive",
        }
    }
}

impl Triage {
    /// The worklist, in minutes.
    pub fn worklist(&self) -> Worklist {
        let law = |mean| ReadingTime { mean, cv: self.reading_cv };
        Worklist {
            arrivals: self.arrivals_per_hour / 60.0,
            prevalence: self.prevalence,
            positive: law(self.reading_minutes_positive),
            negative: law(self.reading_minutes),
            discipline: match self.priority {
                Priority::NonPreemptive => Discipline::NonPreemptive,
                Priority::Preemptive => Discipline::Preemptive,
            },
        }
    }
}

/// `[triage]`, where it is.
pub(super) fn triage(section: Section) -> Option<Triage> {
    if !section.is_present() {
        return None;
    }
    let positive = |key, most: f64, range| {
        section.required_number_in(key, range, move |value| value > 0.0 && value <= most)
    };
    let minutes = "above 0 and at most 1000 minutes";
    let arrivals = positive("arrivals_per_hour", 10_000.0, "above 0 and at most 10000");
    let inside = |share: f64| share > 0.0 && share < 1.0;
    let prevalence = section.required_number_in("prevalence", "between 0 and 1, both excluded", inside);
    let reading = positive("reading_minutes", 1000.0, minutes);
    let with_finding = section
        .number_in("reading_minutes_positive", minutes, |value| value > 0.0 && value <= 1000.0)
        .or(reading);
    let cv = section.number_in("reading_cv", "0 to 10", |cv| (0.0..=10.0).contains(&cv)).unwrap_or(1.0);
    let column = section.string("processing_column");
    if column.as_ref().is_some_and(|name| name.trim().is_empty()) {
        section.wrong("processing_column", Code::ValueEmpty, "`triage.processing_column` is empty");
    }
    let found = Triage {
        processing_column: column,
        arrivals_per_hour: arrivals.unwrap_or(1.0),
        prevalence: prevalence.unwrap_or(0.5),
        reading_minutes: reading.unwrap_or(1.0),
        reading_minutes_positive: with_finding.unwrap_or(1.0),
        reading_cv: cv,
        priority: section.choice("priority", &Priority::NAMES, Priority::NonPreemptive),
        source: section.required_string("source"),
    };
    let occupancy = found.worklist().occupancy();
    if arrivals.is_some() && prevalence.is_some() && reading.is_some() && occupancy >= 1.0 {
        let message = format!(
            "examinations come faster than they are read: {:.1} minutes of reading arrive in a minute, must \
             be below 1",
            occupancy
        );
        section.wrong("arrivals_per_hour", Code::ValueRange, message);
    }
    section.finish();
    Some(found)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::protocol::language::EXAMPLE;
    use crate::protocol::parse;

    const DECLARED: &str = "\n[triage]\narrivals_per_hour = 6\nprevalence = 0.1\nreading_minutes = 5\n\
                            source = \"worklists of a year\"\n";

    fn codes(text: &str) -> Vec<String> {
        match parse(Path::new("p"), text) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(|p| format!("{}: {}", p.code, p.message)).collect(),
        }
    }

    #[test]
    fn a_worklist_is_read_and_what_is_left_out_has_a_default() {
        let text = format!("{EXAMPLE}{DECLARED}");
        let triage = parse(Path::new("p"), &text).expect("valid").triage.expect("declared");
        assert_eq!((triage.reading_minutes_positive, triage.reading_cv), (5.0, 1.0));
        assert!((triage.worklist().occupancy() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_list_that_grows_and_what_is_missing_are_named() {
        let of = |from: &str, to: &str| codes(&format!("{EXAMPLE}{}", DECLARED.replace(from, to)));
        let grows = of("arrivals_per_hour = 6", "arrivals_per_hour = 12");
        assert!(matches!(&grows[..], [one] if one.contains("faster than they are read")), "{grows:?}");
        assert!(of("prevalence = 0.1\n", "")[0].starts_with("key-missing"));
        assert!(of("\"worklists of a year\"", "\" \"")[0].starts_with("value-empty"));
        assert!(of("prevalence = 0.1", "prevalence = 1")[0].starts_with("value-range"));
        assert!(of("reading_minutes = 5", "reading_minutes = -5")[0].starts_with("value-range"));
    }
}
