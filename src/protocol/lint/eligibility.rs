//! Criteria and the intended-use gate: whether they mean the same patients, and whether a criterion can be
//! carried out as it reads.

use super::Look;
use crate::dataset::gate::Gate;
use crate::diagnostic::Code;
use crate::protocol::{Criterion, Field, Missing, PriorSource, Rule};

/// Words of a reason that name something which none of the rules beside `prior-finding` measures.
const UNMEASURED: [&str; 28] = [
    "prior",
    "previous",
    "previously",
    "history",
    "earlier",
    "recent",
    "recently",
    "poor",
    "quality",
    "relevant",
    "significant",
    "severe",
    "suspected",
    "suspicion",
    "artifact",
    "artifacts",
    "artefact",
    "artefacts",
    "inadequate",
    "insufficient",
    "unclear",
    "equivocal",
    "nondiagnostic",
    "technically",
    "comorbid",
    "comorbidity",
    "known",
    "recurrent",
];

fn words(text: &str) -> impl Iterator<Item = String> {
    let lower = text.to_lowercase();
    lower.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect::<Vec<_>>().into_iter()
}

/// Whole numbers of a text, and the word that follows each.
pub(super) fn numbers(text: &str) -> Vec<(u64, String)> {
    let all: Vec<String> = words(text).filter(|word| !word.is_empty()).collect();
    let number =
        |place: usize| all[place].parse().ok().map(|n| (n, all.get(place + 1).cloned().unwrap_or_default()));
    (0..all.len()).filter_map(number).collect()
}

/// What the gate accepts in a field; `None`: everything.
fn accepted(gate: &Gate, field: Field) -> Option<&Vec<String>> {
    match field {
        Field::View => gate.view.as_ref(),
        Field::Modality => gate.modality.as_ref(),
        Field::BodyPart => gate.body_part.as_ref(),
        _ => None,
    }
}

/// What a rule looks at, in words.
fn looked_at(rule: &Rule) -> String {
    match rule {
        Rule::Age { .. } => "the age".to_owned(),
        Rule::OneOf { field, .. } => format!("the {}", field.name().replace('_', " ")),
        _ => "what it declares".to_owned(),
    }
}

/// Whether a word of a reason, in lower case, is of what the rule looks at. Reasons in other languages name
/// its numbers or values.
fn names_what_is_measured(rule: &Rule, word: &str) -> bool {
    let one_of = |known: &[&str]| known.iter().any(|known| word.starts_with(known));
    match rule {
        Rule::Age { min, max } => {
            let numbers = [*min, *max, max.saturating_add(1), min.saturating_sub(1)];
            word.parse::<u16>().is_ok_and(|n| numbers.contains(&n))
                || ["age", "ages", "aged"].contains(&word)
                || one_of(&[
                    "year",
                    "old",
                    "young",
                    "adult",
                    "child",
                    "minor",
                    "pediatric",
                    "paediatric",
                    "infant",
                ])
                || one_of(&["neonat", "adolescen", "geriatric", "elderly"])
        }
        Rule::OneOf { field, allowed } => {
            let value =
                allowed.iter().any(|value| value.to_lowercase().split_whitespace().any(|w| w == word));
            value
                || match field {
                    Field::Sex => {
                        one_of(&["sex", "gender", "male", "female", "men", "women", "man", "woman"])
                    }
                    Field::View => {
                        one_of(&["view", "projection", "position", "lateral", "frontal", "supine"])
                    }
                    Field::Site => one_of(&["site", "hospital", "centre", "center", "clinic", "institution"]),
                    Field::Country => one_of(&["countr", "nation", "region"]),
                    Field::Manufacturer => {
                        one_of(&["manufactur", "vendor", "make", "scanner", "device", "equipment", "system"])
                    }
                    Field::Modality => {
                        one_of(&["modalit", "radiograph", "image", "xray", "ray", "dx", "cr", "ct"])
                    }
                    Field::BodyPart => one_of(&["body", "part", "chest", "thora", "region", "anatom"]),
                }
        }
        _ => true,
    }
}

impl Look<'_> {
    pub(super) fn eligibility(&mut self) {
        let criteria = &self.protocol.eligibility;
        for (index, criterion) in criteria.iter().enumerate() {
            let place = format!("eligibility[{}]", index + 1);
            self.operational(criterion, &place);
            self.reason(criterion, &place);
            if let Some(twin) = criteria[..index].iter().find(|other| other.rule == criterion.rule) {
                self.asks(
                    Code::CriterionRepeated,
                    &format!("{place}.kind"),
                    format!(
                        "the criteria `{}` and `{}` are one rule: the second excludes nobody",
                        twin.id, criterion.id
                    ),
                    "take one of them out, or write the rule that was meant",
                );
            }
            if let Rule::Declared(rule) = &criterion.rule {
                self.rule(criterion, rule, &place);
            }
            if let Rule::Age { min: 0, max: 120.. } = criterion.rule {
                self.asks(
                    Code::CriterionAdmitsAll,
                    &format!("{place}.min"),
                    format!("the criterion `{}` admits every age", criterion.id),
                    "give the ages of the intended use, or take it out",
                );
            }
        }
    }

    /// Whether somebody else could carry the criterion out.
    fn operational(&mut self, criterion: &Criterion, place: &str) {
        let id = &criterion.id;
        match &criterion.rule {
            Rule::NoPriorFinding { source: PriorSource::Days { lookback_days: 0 } } => self.asks(
                Code::LookbackEmpty,
                &format!("{place}.lookback_days"),
                format!("the look-back window of `{id}` is 0 days: an episode of yesterday excludes nobody"),
                "give the days within which an earlier episode may still be seen on the image",
            ),
            Rule::NoPriorFinding { source: PriorSource::EarlierImages { .. } } => self.asks(
                Code::LookbackMissing,
                &format!("{place}.source"),
                format!(
                    "`{id}` looks back without end: any earlier image with the finding excludes, \
                 however old"
                ),
                "say so in `reason`, or give the table a column `days_since_prior_finding` and a \
                 `lookback_days`",
            ),
            // What a boolean rule means is said in `definition`.
            Rule::NoPriorFinding { .. } | Rule::Declared(_) => {}
            _ => {
                let measured = |word: &String| names_what_is_measured(&criterion.rule, word);
                let doubtful = words(&criterion.reason).find(|word| UNMEASURED.contains(&word.as_str()));
                if let Some(word) = doubtful {
                    self.asks(
                        Code::ExclusionUndefined,
                        &format!("{place}.reason"),
                        format!(
                            "the reason of `{id}` says \"{word}\", and its rule measures no such thing: \
                             nobody else \
                             could exclude the same cases"
                        ),
                        "say it as a rule: `kind = \"prior-finding\"` with a source and a look-back \
                         window, or a column \
                         with declared values; or let the reason say what the rule does",
                    );
                } else if !words(&criterion.reason).any(|word| measured(&word)) {
                    self.asks(
                        Code::ExclusionUndefined,
                        &format!("{place}.reason"),
                        format!(
                            "the reason of `{id}` is \"{}\", and its rule looks at {}: nobody else could \
                             exclude the same cases by that reason",
                            criterion.reason,
                            looked_at(&criterion.rule)
                        ),
                        "let the reason say what the rule does, or write the rule that the reason means",
                    );
                }
            }
        }
    }

    /// Whether the reason that documents print is that of the rule.
    fn reason(&mut self, criterion: &Criterion, place: &str) {
        let (id, at) = (&criterion.id, format!("{place}.reason"));
        match &criterion.rule {
            Rule::Age { min, max } => {
                let (min, max) = (u64::from(*min), u64::from(*max));
                let fits = |n: u64| [min, max, max + 1].contains(&n) || n + 1 == min;
                let other =
                    numbers(&criterion.reason).into_iter().map(|(n, _)| n).find(|n| *n <= 150 && !fits(*n));
                if let Some(other) = other {
                    self.asks(
                        Code::ReasonDisagrees,
                        &at,
                        format!(
                            "the reason of `{id}` speaks of {other} years, and its rule admits {min}-{max}"
                        ),
                        "documents print the reason: let it say what the rule does",
                    );
                }
            }
            Rule::NoPriorFinding { source: PriorSource::Days { lookback_days } } => {
                let other = numbers(&criterion.reason)
                    .into_iter()
                    .find(|(n, unit)| unit.starts_with("day") && *n != u64::from(*lookback_days));
                if let Some((other, _)) = other {
                    self.asks(
                        Code::ReasonDisagrees,
                        &at,
                        format!(
                            "the reason of `{id}` speaks of {other} days, and its window is {lookback_days}"
                        ),
                        "documents print the reason: let it say what the rule does",
                    );
                }
            }
            _ => {}
        }
    }

    pub(super) fn gate(&mut self) {
        let gate = &self.protocol.gate;
        if *gate == Gate::default() {
            self.asks(
                Code::GateMissing,
                "gate",
                "there is no intended-use gate: the device is said to accept every image of everybody",
                "[gate] with modality, view and ages of the indications; it holds at scoring too",
            );
            return;
        }
        let criteria = &self.protocol.eligibility;
        let by_gate = criteria.iter().any(|c| c.rule == Rule::Gate);
        let asks = |rule: &Rule, name: &str| match rule {
            Rule::Declared(rule) => rule.columns().iter().any(|column| column.name == name),
            _ => false,
        };
        let by_age =
            criteria.iter().any(|c| matches!(c.rule, Rule::Age { .. }) || asks(&c.rule, "age_years"));
        let by_view = criteria
            .iter()
            .any(|c| matches!(c.rule, Rule::OneOf { field: Field::View, .. }) || asks(&c.rule, "view"));
        for (declared, key, known) in
            [(gate.age_years.is_some(), "age_years", by_age), (gate.view.is_some(), "view", by_view)]
        {
            if declared && !known && !by_gate {
                self.asks(
                    Code::GateNotInEligibility,
                    &format!("gate.{key}"),
                    format!(
                        "no criterion asks for what `gate.{key}` accepts: cases that the device \
                     refuses may be \
                             drawn, and have no score"
                    ),
                    "add an [[eligibility]] of `kind = \"gate\"`, or the criterion itself",
                );
            }
        }
        for (index, criterion) in criteria.iter().enumerate() {
            let place = format!("eligibility[{}]", index + 1);
            match &criterion.rule {
                Rule::Age { min, max } => self.ages(criterion, (*min, *max), &place),
                Rule::OneOf { field, allowed } => {
                    if let Some(accepted) = accepted(gate, *field) {
                        self.values(criterion, *field, allowed, accepted, &place);
                    }
                }
                _ => {}
            }
        }
    }

    fn ages(&mut self, criterion: &Criterion, (min, max): (u16, u16), place: &str) {
        let Some(gate) = self.protocol.gate.age_years else { return };
        let at = format!("{place}.min");
        let message = format!(
            "the criterion `{}` admits {min}-{max} years, the intended-use gate {}-{}",
            criterion.id, gate.min, gate.max
        );
        if max < gate.min || gate.max < min {
            self.refuses(
                Code::GateExcludesAll,
                &at,
                format!("{message}: nobody is both"),
                "study and device should mean the same patients",
            );
        } else if (min, max) != (gate.min, gate.max) {
            self.asks(Code::GateDisagrees, &at, message, "study and device should mean the same patients");
        }
        self.missing(criterion, "age_years", place);
    }

    fn values(
        &mut self,
        criterion: &Criterion,
        field: Field,
        allowed: &[String],
        accepted: &[String],
        place: &str,
    ) {
        let at = format!("{place}.allowed");
        let message = format!(
            "the criterion `{}` admits {}, the intended-use gate {}",
            criterion.id,
            allowed.join(", "),
            accepted.join(", ")
        );
        if !allowed.iter().any(|value| accepted.contains(value)) {
            self.refuses(
                Code::GateExcludesAll,
                &at,
                format!("{message}: no image is both"),
                "study and device should mean the same images",
            );
        } else if allowed.iter().any(|v| !accepted.contains(v))
            || accepted.iter().any(|v| !allowed.contains(v))
        {
            self.asks(Code::GateDisagrees, &at, message, "study and device should mean the same images");
        }
        self.missing(criterion, field.name(), place);
    }

    /// A case without the datum is kept by the criterion and refused by the device.
    fn missing(&mut self, criterion: &Criterion, key: &str, place: &str) {
        if criterion.missing == Missing::Include {
            self.asks(
                Code::MissingDisagrees,
                &format!("{place}.missing"),
                format!(
                    "the criterion `{}` keeps a case that does not say its {}, and the device refuses it: \
                     `gate.{key}`",
                    criterion.id,
                    key.replace('_', " ")
                ),
                "`missing = \"exclude\"`, so that no case is drawn that cannot have a score",
            );
        }
    }
}
