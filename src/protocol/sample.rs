//! `[sample]`: how the test set is drawn from the eligible cases.

use std::collections::BTreeSet;

use serde::Serialize;

use super::rule::Column;
use crate::dataset::other_columns::CellKind;
use crate::declared::Section;
use crate::diagnostic::Code;

/// How the test set is drawn from the eligible cases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// How many, and how they are composed; `None`: every eligible case.
    pub target: Option<SampleTarget>,
    /// At most one image a patient.
    pub one_image_per_patient: bool,
    /// Seed of the draw.
    pub seed: u64,
    /// How they are chosen.
    #[serde(flatten, skip_serializing_if = "SampleMethod::is_random")]
    pub method: SampleMethod,
    /// What happens where fewer are eligible than are asked for.
    #[serde(skip_serializing_if = "Shortage::refuses")]
    pub shortage: Shortage,
}

/// A fixed number of cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SampleTarget {
    /// All.
    pub cases: u64,
    /// With a positive source label; `None`: drawn without regard to it.
    pub positives: Option<u64>,
}

/// How cases are chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "method")]
pub enum SampleMethod {
    /// At random by the seed; with `positives` so many of each class by the source label.
    #[default]
    Random,
    /// At random within strata: levels of columns together.
    Stratified {
        /// The columns.
        by: Vec<String>,
        /// How many of each stratum; empty: in proportion to the eligible cases.
        #[serde(rename = "stratum", skip_serializing_if = "Vec::is_empty")]
        counts: Vec<StratumCount>,
    },
    /// So many of each class by the source label, with the weight of each kept.
    Enriched,
    /// The first by a column of days.
    Consecutive {
        /// The column.
        order_by: String,
    },
}

impl SampleMethod {
    /// Whether it is the method that holds where none is declared.
    pub fn is_random(&self) -> bool {
        *self == Self::Random
    }

    /// The name in protocols.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Stratified { .. } => "stratified",
            Self::Enriched => "enriched",
            Self::Consecutive { .. } => "consecutive",
        }
    }

    /// Whether each drawn case stands for a number of eligible ones, which is its weight.
    pub fn is_weighted(&self) -> bool {
        matches!(self, Self::Stratified { .. } | Self::Enriched)
    }
}

/// How many cases of one stratum are drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StratumCount {
    /// One level of each column, in their order.
    pub levels: Vec<String>,
    /// Cases.
    pub cases: u64,
}

/// What happens where fewer cases are eligible than are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shortage {
    /// Nothing is drawn.
    #[default]
    Refuse,
    /// All that are there are drawn, and documents say how many are lacking.
    Take,
}

impl Shortage {
    /// Whether it is the one that holds where none is declared.
    pub fn refuses(&self) -> bool {
        *self == Self::Refuse
    }
}

impl Sample {
    /// Columns that the draw looks at.
    pub fn columns(&self) -> Vec<Column> {
        let column = |name: &String, kind| Column { name: name.clone(), kind };
        match &self.method {
            SampleMethod::Stratified { by, .. } => {
                by.iter().map(|name| column(name, CellKind::Text)).collect()
            }
            SampleMethod::Consecutive { order_by } => vec![column(order_by, CellKind::Date)],
            SampleMethod::Random | SampleMethod::Enriched => Vec::new(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Random,
    All,
    Stratified,
    Enriched,
    Consecutive,
}

/// `[sample]` as typed.
pub(super) fn sample(section: Section) -> Sample {
    let method = section.choice(
        "method",
        &[
            ("random", Method::Random),
            ("all", Method::All),
            ("stratified", Method::Stratified),
            ("enriched", Method::Enriched),
            ("consecutive", Method::Consecutive),
        ],
        Method::Random,
    );
    let mut cases = if method == Method::All { None } else { section.whole("cases") };
    let labels = matches!(method, Method::Random | Method::Enriched);
    let positives = if labels { section.whole("positives") } else { None };
    if let (Some(cases), Some(positives)) = (cases, positives)
        && positives > cases
    {
        section.wrong("positives", Code::ValueRange, format!("{positives} positives of {cases} cases"));
    }
    if cases == Some(0) {
        section.wrong("cases", Code::ValueRange, "`sample.cases` must be at least 1");
    }
    if cases.is_none() && positives.is_some() && !section.faulty(&["cases"]) {
        section.wrong("positives", Code::KeyMissing, "`sample.positives` needs `sample.cases`");
    }
    let (chosen, counted) = chosen(&section, method);
    if let Some(counted) = counted {
        if cases.is_some_and(|cases| cases != counted) {
            let message = format!("the strata ask for {counted} cases together");
            section.wrong("cases", Code::ValueRange, message);
        }
        cases = Some(counted);
    }
    let without_size = cases.is_none() && !section.has("stratum");
    if without_size && matches!(method, Method::Stratified | Method::Enriched | Method::Consecutive) {
        let message = format!("the method \"{}\" needs `cases`", chosen.name());
        section.wrong("method", Code::KeyMissing, message);
    }
    if method == Method::Enriched && positives.is_none() {
        let message = "the method \"enriched\" needs `positives`: how many have a positive source label";
        section.wrong("method", Code::KeyMissing, message);
    }
    if section.is_present() && cases.is_some() && !section.has("seed") {
        section.required_whole("seed");
    }
    let shortage = [("refuse", Shortage::Refuse), ("take", Shortage::Take)];
    let sample = Sample {
        target: cases.map(|cases| SampleTarget { cases, positives }),
        one_image_per_patient: section.choice("images_per_patient", &[("any", false), ("one", true)], false),
        seed: section.whole("seed").unwrap_or_default(),
        method: chosen,
        shortage: section.choice("shortage", &shortage, Shortage::Refuse),
    };
    section.finish();
    sample
}

/// The method with its keys, and the number of cases where strata say it.
fn chosen(section: &Section, method: Method) -> (SampleMethod, Option<u64>) {
    match method {
        Method::Random | Method::All => (SampleMethod::Random, None),
        Method::Enriched => (SampleMethod::Enriched, None),
        Method::Consecutive => {
            let order_by = section.required_string("order_by");
            if let Some(kind) = Column::kind_of_field(&order_by) {
                let what = if kind == CellKind::Number { "numbers" } else { "texts" };
                let message = format!("`{order_by}` holds {what}: `order_by` names a column of days");
                section.wrong("order_by", Code::ValueRange, message);
            }
            (SampleMethod::Consecutive { order_by }, None)
        }
        Method::Stratified => {
            let by = section.strings("by").unwrap_or_default();
            let distinct: BTreeSet<&String> = by.iter().collect();
            if !section.has("by") {
                let message = "the method \"stratified\" needs `by`: the columns whose levels are the strata";
                section.wrong("method", Code::KeyMissing, message);
            } else if by.is_empty() || by.iter().any(|name| name.trim().is_empty()) {
                section.wrong("by", Code::ValueEmpty, "`by` names one column or more");
            } else if distinct.len() < by.len() {
                section.wrong("by", Code::DuplicateId, "a column stands twice");
            } else if by
                .iter()
                .any(|name| ["case_id", "patient_id", "findings", "image"].contains(&name.as_str()))
            {
                section.wrong("by", Code::ValueRange, "ids, images and lists of findings make no strata");
            }
            let mut counts: Vec<StratumCount> = Vec::new();
            for stratum in section.sections("stratum") {
                let levels = stratum.strings("levels").unwrap_or_default();
                if !stratum.has("levels") || levels.is_empty() {
                    stratum.wrong(
                        "levels",
                        Code::ValueEmpty,
                        "`levels` names a level of each column of `by`",
                    );
                } else if !by.is_empty() && levels.len() != by.len() {
                    let message = format!("{} levels of {} columns", levels.len(), by.len());
                    stratum.wrong("levels", Code::ValueRange, message);
                }
                if levels.iter().any(|level| level.trim().is_empty()) {
                    let message = "a level is a text; what is not recorded is the level \"not recorded\"";
                    stratum.wrong("levels", Code::ValueEmpty, message);
                }
                if counts.iter().any(|other| other.levels == levels) {
                    stratum.wrong("levels", Code::DuplicateId, "this stratum is declared twice");
                }
                let cases = stratum.required_whole("cases");
                if stratum.has("cases") && cases == 0 {
                    stratum.wrong("cases", Code::ValueRange, "a stratum of which none is drawn is left out");
                }
                stratum.finish();
                counts.push(StratumCount { levels, cases });
            }
            let counted = counts.iter().fold(0_u64, |sum, stratum| sum.saturating_add(stratum.cases));
            let declared = section.has("stratum");
            if declared && counts.is_empty() {
                section.wrong("stratum", Code::ValueEmpty, "`stratum` names none: leave it out");
            }
            counts.sort_by(|a, b| a.levels.cmp(&b.levels));
            (SampleMethod::Stratified { by, counts }, (declared && counted > 0).then_some(counted))
        }
    }
}
