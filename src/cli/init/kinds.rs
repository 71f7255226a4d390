//! Kinds of studies to start from: what differs between their protocols.

use clap::ValueEnum;

const PROTOCOL: &str = include_str!("../../../protocols/init/protocol.toml");

/// What the device does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Prioritises examinations (CADt, 21 CFR 892.2080).
    Triage,
    /// Points a reader to findings (CADe, 21 CFR 892.2070); whether the image has one is judged, not where.
    Detection,
    /// Says how probable the finding is (CADx).
    Diagnosis,
    /// Any device that is judged by itself.
    Standalone,
    /// The device beside readers who read the same cases.
    BesideReaders,
}

/// Where the device scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scored {
    /// It is trained and locked in the study, on invented images.
    Here,
    /// Its scores are brought.
    Elsewhere,
}

/// An endpoint: id, metric, role, interval, goal.
type Declared = (&'static str, &'static str, &'static str, &'static str, &'static str);

const AUC: Declared = ("auc", "auc", "primary", "obuchowski", "lower > 0.80");
const SENSITIVITY: Declared = ("sensitivity", "sensitivity", "primary", "korn-graubard", "lower > 0.70");
const SPECIFICITY: Declared = ("specificity", "specificity", "primary", "korn-graubard", "lower > 0.70");

impl Kind {
    /// One line a person can choose by.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Triage => "triage: prioritises examinations (CADt)",
            Self::Detection => "detection: points a reader to findings (CADe)",
            Self::Diagnosis => "diagnosis: says how probable the finding is (CADx)",
            Self::Standalone => "standalone: any device, judged by itself",
            Self::BesideReaders => "beside readers: the device beside readers of the same cases",
        }
    }

    fn id(self) -> &'static str {
        match self {
            Self::Triage => "triage-study",
            Self::Detection => "detection-study",
            Self::Diagnosis => "diagnosis-study",
            Self::Standalone => "standalone-study",
            Self::BesideReaders => "beside-readers-study",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Triage => "Standalone performance of a triage device (CADt)",
            Self::Detection => "Standalone performance of a detection device (CADe)",
            Self::Diagnosis => "Standalone performance of a diagnostic device (CADx)",
            Self::Standalone => "Standalone performance of a device",
            Self::BesideReaders => "A device beside readers of the same cases",
        }
    }

    /// Why these endpoints, and which.
    fn endpoints(self) -> (&'static str, Vec<Declared>) {
        match self {
            Self::Triage => (
                "# Triage: what is missed waits, and what is flagged in vain delays others; both are \
                 judged at the \
                 operating point.\n# The goals are examples: the special controls of 21 CFR 892.2080 and \
                 your predicate \
                 set yours.",
                vec![AUC, SENSITIVITY, SPECIFICITY],
            ),
            Self::Detection => (
                "# Detection, image by image: whether it has the finding. Where it lies is not judged by \
                 this program.\n\
                 # The goals are examples: 21 CFR 892.2070 and the clinical need set yours.",
                vec![SENSITIVITY, SPECIFICITY, ("auc", "auc", "secondary", "obuchowski", "lower > 0.80")],
            ),
            Self::Diagnosis => (
                "# Diagnosis: how well the score separates, and what it does at the operating point. The \
                 goals are \
                 examples.",
                vec![AUC, SENSITIVITY, SPECIFICITY],
            ),
            Self::Standalone | Self::BesideReaders => (
                "# Every primary endpoint has to be met. The goals are examples: the clinical need and the \
                 predicate set \
                 yours.",
                vec![AUC, SENSITIVITY, SPECIFICITY],
            ),
        }
    }
}

fn endpoint((id, metric, role, interval, goal): &Declared) -> String {
    format!(
        "[[endpoint]]\nid = \"{id}\"\nmetric = \"{metric}\"\nrole = \"{role}\"\ninterval = \"{interval}\"\n\
         criterion = \"{goal}\"\n"
    )
}

fn readers(kind: Kind) -> String {
    let reader = |number: u8, role: &str| {
        format!(
            "[[reader]]\nid = \"reader-{number}\"\nrole = \"{role}\"\nqualification = \"invented reader\"\n\
             labelled_training_data = false\n\n"
        )
    };
    let mut text: String = (1..=3).map(|number| reader(number, "reference")).collect();
    if kind == Kind::BesideReaders {
        text += "# They read the same cases without a vote: the device stands beside them.\n";
        text += &(4..=5).map(|number| reader(number, "comparison")).collect::<String>();
    }
    text.trim_end().to_owned() + "\n"
}

/// The worklist by which a triage device is judged.
fn triage(kind: Kind, scored: Scored) -> String {
    if kind != Kind::Triage {
        return String::new();
    }
    let column = match scored {
        Scored::Elsewhere => {
            "processing_column = \"seconds\"    # of the score table: from the image to the answer\n"
        }
        Scored::Here => "",
    };
    format!(
        "\n# How long a flagged examination waits, by a queue: nothing of it decides about the \
         study.\n[triage]\n{column}arrivals_per_hour = 6\nprevalence = 0.05\nreading_minutes = 4          # \
         without the finding, mean\nreading_minutes_positive = 6\nreading_cv = 1.0             # 0: every \
         reading takes as long, 1: the exponential law\npriority = \"non-preemptive\"  # a reading that was \
         begun is ended first\nsource = \"invented; yours come from the worklists of the sites\"\n"
    )
}

/// The protocol of a kind, for a sample of so many cases of which half are positive.
pub(super) fn protocol(kind: Kind, scored: Scored, cases: usize) -> String {
    let (why, endpoints) = kind.endpoints();
    let endpoints: Vec<String> = endpoints.iter().map(endpoint).collect();
    let (data, device) = match scored {
        Scored::Elsewhere => (
            "",
            "# The device lives elsewhere: case_id, score; a row without score says why in a column \
             `refused`.\n\
             [scores]\nfile = \"scores.csv\"\n\n[operating_point]\nsource = \"declared\"\nthreshold = 0.5\n\
             rationale = \"invented with the scores; yours is chosen on patients outside this sample\"\n",
        ),
        Scored::Here => (
            "images = \"images\"\ndevelopment = \"development.csv\"  # other patients, for training and \
             tuning\n",
            "# The device is trained and locked here.\n[model]\nexperiment = \"experiment.toml\"\n\n\
             [operating_point]\nsource = \"lock\"                  # fixed on the tuning split at the lock\n",
        ),
    };
    PROTOCOL
        .replace("@ID@", kind.id())
        .replace("@TITLE@", kind.title())
        .replace("@DATA@", data)
        .replace("@CASES@", &(cases / 2 * 2).to_string())
        .replace("@POSITIVES@", &(cases / 2).to_string())
        .replace("@READERS@", &readers(kind))
        .replace("@TRIAGE@", &triage(kind, scored))
        .replace("@DEVICE@", device)
        .replace("@ENDPOINTS@", &format!("{why}\n{}", endpoints.join("\n")))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::protocol::{lint, parse};

    #[test]
    fn every_kind_is_a_valid_protocol_about_which_little_is_to_be_asked() {
        for kind in Kind::value_variants() {
            for scored in Scored::value_variants() {
                let text = protocol(*kind, *scored, 200);
                let path = Path::new("protocol.toml");
                let valid = parse(path, &text).unwrap_or_else(|e| {
                    panic!(
                        "{kind:?} {scored:?}: \
                 {e:#?}\n{text}"
                    )
                });
                assert_eq!(lint(path, &text, &valid), Vec::new(), "{kind:?} {scored:?}");
                assert!(!text.contains('@'), "{text}");
            }
        }
    }
}
