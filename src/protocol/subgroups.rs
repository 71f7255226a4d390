//! `[[subgroup]]`: the variables by which performance is shown, and what is claimed of their levels.

use serde::Serialize;

use super::{AcceptanceCriterion, Endpoint, Field, endpoints};
use crate::dataset::case::Case;
use crate::dataset::other_columns::{CellKind, OtherColumn, day};
use crate::declared::{Section, TypedBands};
use crate::diagnostic::{Code, Diagnostic};

/// The level of a case whose number or day is in none of the bands.
pub const OUTSIDE: &str = "outside the bands";

/// A subgroup variable with what is said of its levels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Subgroup {
    /// The variable.
    #[serde(flatten)]
    pub by: Variable,
    /// The level that the others are compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// A claim that each level has to meet; `None`: the subgroup describes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub powered: Option<PoweredClaim>,
}

/// What parts the cases.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum Variable {
    /// Levels of a field.
    Field {
        /// Which.
        field: Field,
    },
    /// Bands of age, both ends included.
    Age {
        /// Bands in order, without overlap.
        bands: Vec<(u16, u16)>,
    },
    /// Any column of the case table: its texts, or bands of its numbers or days.
    Column {
        /// As in the header.
        column: String,
        /// `None`: each text is a level.
        #[serde(skip_serializing_if = "Option::is_none")]
        bands: Option<Bands>,
    },
    /// Levels of several variables together.
    Crossed {
        /// Variables that are declared as subgroups too, two or more.
        of: Vec<Variable>,
    },
}

/// Bands of a column, both ends included.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bands {
    /// Of numbers.
    Numbers(Vec<(f64, f64)>),
    /// Of days, as `2024-01-31`.
    Days(Vec<(String, String)>),
}

/// A claim that each level has to meet.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PoweredClaim {
    /// Id of the endpoint whose metric and interval are taken.
    pub endpoint: String,
    /// What its bound has to meet in each level.
    pub criterion: AcceptanceCriterion,
}

impl Bands {
    fn names(&self) -> Vec<String> {
        match self {
            Self::Numbers(bands) => bands.iter().map(|(from, to)| format!("{from} to {to}")).collect(),
            Self::Days(bands) => bands.iter().map(|(from, to)| format!("{from} to {to}")).collect(),
        }
    }

    /// The band of a cell, which is a number or a day where the table was read.
    fn of(&self, cell: &str) -> Option<String> {
        let place = match self {
            Self::Numbers(bands) => {
                let number: f64 = cell.parse().ok()?;
                bands.iter().position(|(from, to)| (*from..=*to).contains(&number))
            }
            // Days in this form sort as texts.
            Self::Days(bands) => {
                bands.iter().position(|(from, to)| from.as_str() <= cell && cell <= to.as_str())
            }
        };
        place.and_then(|place| self.names().into_iter().nth(place))
    }
}

impl Variable {
    /// The variable's name in results and documents.
    pub fn name(&self) -> String {
        match self {
            Self::Field { field } => field.name().to_owned(),
            Self::Age { .. } => "age".to_owned(),
            Self::Column { column, .. } => column.clone(),
            Self::Crossed { of } => of.iter().map(Self::name).collect::<Vec<_>>().join(" \u{d7} "),
        }
    }

    /// The level of a case; `None` where a datum is not recorded.
    pub fn level(&self, case: &Case) -> Option<String> {
        match self {
            Self::Field { field } => field.of(case),
            Self::Age { bands } => case.age_years.map(|age| {
                let band = bands.iter().find(|(from, to)| (*from..=*to).contains(&age));
                band.map_or_else(|| OUTSIDE.to_owned(), |(from, to)| format!("{from}-{to}"))
            }),
            Self::Column { column, bands } => {
                let cell = case.other.get(column)?;
                Some(match bands {
                    None => cell.clone(),
                    Some(bands) => bands.of(cell).unwrap_or_else(|| OUTSIDE.to_owned()),
                })
            }
            Self::Crossed { of } => {
                let levels: Option<Vec<String>> = of.iter().map(|variable| variable.level(case)).collect();
                Some(levels?.join(", "))
            }
        }
    }

    /// Levels that the protocol names itself, in its order.
    pub fn declared_levels(&self) -> Vec<String> {
        match self {
            Self::Field { .. } | Self::Column { bands: None, .. } | Self::Crossed { .. } => Vec::new(),
            Self::Age { bands } => bands.iter().map(|(from, to)| format!("{from}-{to}")).collect(),
            Self::Column { bands: Some(bands), .. } => bands.names(),
        }
    }

    /// The column that has to be read for it.
    pub fn other_column(&self) -> Option<OtherColumn> {
        let Self::Column { column, bands } = self else { return None };
        let kind = match bands {
            None => CellKind::Text,
            Some(Bands::Numbers(_)) => CellKind::Number,
            Some(Bands::Days(_)) => CellKind::Date,
        };
        Some(OtherColumn { name: column.clone(), kind })
    }
}

#[derive(Clone, Copy)]
enum By {
    Field(Field),
    Age,
    Column,
    Crossed,
}

/// `[[subgroup]]` as typed. `endpoints` are those of the protocol.
pub(super) fn subgroups(root: &Section, endpoints: &[Endpoint]) -> Vec<Subgroup> {
    let mut subgroups: Vec<Subgroup> = Vec::new();
    let mut all_known = true;
    for section in root.sections("subgroup") {
        section.required_string("by");
        let mut choices: Vec<(&str, By)> =
            Field::NAMES.iter().map(|(name, field)| (*name, By::Field(*field))).collect();
        choices.extend([("age", By::Age), ("column", By::Column), ("crossed", By::Crossed)]);
        let by = match section.choice("by", &choices, By::Field(Field::Sex)) {
            By::Field(field) => Variable::Field { field },
            By::Age => Variable::Age { bands: ages(&section) },
            By::Column => {
                let column = section.required_string("column");
                if column.contains('=') {
                    section.wrong(
                        "column",
                        Code::ValueRange,
                        "a name with `=` cannot name a level in documents",
                    );
                }
                let bands = section.has("bands").then(|| bands(&section)).flatten();
                Variable::Column { column, bands }
            }
            By::Crossed => crossed(&section, &subgroups, all_known),
        };
        let known = !section.faulty(&["by", "column"]);
        all_known &= known;
        if known && subgroups.iter().any(|other| other.by.name() == by.name()) {
            section.wrong("by", Code::DuplicateId, "this subgroup is declared twice");
        }
        let reference = section.string("reference");
        let declared = by.declared_levels();
        if let Some(level) =
            reference.as_ref().filter(|level| !declared.is_empty() && !declared.contains(level))
        {
            let message = format!("`reference` is \"{level}\", and the levels are {}", declared.join(", "));
            section.wrong("reference", Code::ValueRange, message);
        }
        let powered = powered(&section, endpoints);
        // Without `by` nobody knows which keys a subgroup has.
        if section.has("by") {
            section.finish();
        }
        if known {
            subgroups.push(Subgroup { by, reference, powered });
        }
    }
    subgroups
}

/// Bands of age.
fn ages(section: &Section) -> Vec<(u16, u16)> {
    let pairs = section.pairs("bands").unwrap_or_default();
    if pairs.is_empty() {
        section.wrong("bands", Code::ValueEmpty, "age needs `bands`, such as [[18, 44], [45, 80]]");
    }
    let mut previous: Option<u64> = None;
    let mut bands = Vec::new();
    for (from, to) in pairs {
        if from > to || to > 150 || previous.is_some_and(|p| from <= p) {
            section.wrong("bands", Code::ValueRange, "bands must ascend, not overlap and end by 150");
            break;
        }
        previous = Some(to);
        bands.push((from as u16, to as u16));
    }
    bands
}

/// Bands of numbers, or of days.
fn bands(section: &Section) -> Option<Bands> {
    let TypedBands { numbers, texts: days } = section.bands("bands")?;
    let wrong = |message: &str| section.wrong("bands", Code::ValueRange, message);
    if numbers.is_empty() && days.is_empty() {
        section.wrong("bands", Code::ValueEmpty, "`bands` names none: leave it out, or name two or more");
        return None;
    }
    if !numbers.is_empty() {
        let apart = numbers.windows(2).all(|pair| pair[0].1 < pair[1].0);
        if !apart || numbers.iter().any(|(from, to)| from > to) {
            wrong("bands must ascend and not overlap: both ends belong to a band");
        }
        return Some(Bands::Numbers(numbers));
    }
    let read: Option<Vec<(String, String)>> =
        days.iter().map(|(from, to)| Some((day(from)?, day(to)?))).collect();
    let Some(read) = read else {
        wrong("a band of days is written as [\"2023-01-01\", \"2023-12-31\"]");
        return None;
    };
    if read.windows(2).any(|pair| pair[0].1 >= pair[1].0) || read.iter().any(|(from, to)| from > to) {
        wrong("bands must ascend and not overlap: both ends belong to a band");
    }
    Some(Bands::Days(read))
}

/// Variables of subgroups that are declared before; `all_known`: each of those could be read.
fn crossed(section: &Section, before: &[Subgroup], all_known: bool) -> Variable {
    let names = section.strings("of").unwrap_or_default();
    let mut of: Vec<Variable> = Vec::new();
    for name in &names {
        let simple = |s: &&Subgroup| s.by.name() == *name && !matches!(s.by, Variable::Crossed { .. });
        match before.iter().find(simple) {
            Some(found) if of.contains(&found.by) => {
                section.wrong("of", Code::DuplicateId, format!("\"{name}\" stands twice"));
            }
            Some(found) => of.push(found.by.clone()),
            None if !all_known => {}
            None => {
                let known: Vec<String> = before.iter().map(|s| s.by.name()).collect();
                section.report(
                    Diagnostic::error(
                        Code::ValueUnknown,
                        format!("\"{name}\" is no subgroup declared before"),
                    )
                    .at(section.at("of"))
                    .hint(format!(
                        "variables are crossed that have a [[subgroup]] of their own: {}",
                        known.join(", ")
                    )),
                );
            }
        }
    }
    if names.len() < 2 && !section.faulty(&["of"]) {
        let message = "`of` names two variables or more that are crossed, such as [\"sex\", \"age\"]";
        section.wrong("of", Code::ValueEmpty, message);
    }
    Variable::Crossed { of }
}

/// The claim: `claim = "powered"` with endpoint and criterion.
fn powered(section: &Section, endpoints: &[Endpoint]) -> Option<PoweredClaim> {
    let claims = section.choice("claim", &[("descriptive", false), ("powered", true)], false);
    if !claims {
        return None;
    }
    let endpoint = section.required_string("endpoint");
    if section.has("endpoint") && !endpoints.iter().any(|e| e.id == endpoint) {
        let known: Vec<&str> = endpoints.iter().map(|e| e.id.as_str()).collect();
        let message = format!("`endpoint` is \"{endpoint}\", and the endpoints are {}", known.join(", "));
        section.wrong("endpoint", Code::ValueUnknown, message);
    }
    let Some(text) = section.string("criterion") else {
        section.report(
            Diagnostic::error(
                Code::PoweredWithoutCriterion,
                "a claim in every level of a subgroup needs a `criterion`, such as \"lower > 0.75\"",
            )
            .at(section.at("claim"))
            .hint("give the criterion, or `claim = \"descriptive\"`"),
        );
        return None;
    };
    let criterion = endpoints::criterion(section, &text)?;
    Some(PoweredClaim { endpoint, criterion })
}
