//! The intended-use gate: which images the device accepts. Rules are data, the same in the protocol, in
//! the model lock and at scoring.

use serde::{Deserialize, Serialize};

/// Completed years, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgeRange {
    /// Youngest.
    pub min: u16,
    /// Oldest.
    pub max: u16,
}

/// The rules. An absent rule accepts everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gate {
    /// Modality (0008,0060).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modality: Option<Vec<String>>,
    /// Body Part Examined (0018,0015).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_part: Option<Vec<String>>,
    /// View Position (0018,5101), or Patient Position (0018,5100) where that holds the projection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<Vec<String>>,
    /// Patient's Age (0010,1010) in completed years.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_years: Option<AgeRange>,
    /// Smallest number of rows and of columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_dimension: Option<u32>,
}

/// What an image says about itself. `None`: it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Modality, upper case.
    pub modality: Option<String>,
    /// Body part, upper case.
    pub body_part: Option<String>,
    /// Projection, upper case.
    pub view: Option<String>,
    /// Completed years.
    pub age_years: Option<u16>,
    /// Columns and rows.
    pub dimensions: Option<(u32, u32)>,
}

/// One rule that was not satisfied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Refusal {
    /// `modality`, `body_part`, `view`, `age_years`, `minimum_dimension`.
    pub rule: String,
    /// The value that was found; `None` when the image does not give it.
    pub value: Option<String>,
    /// The whole in words.
    pub message: String,
}

impl Gate {
    /// Every rule the image does not satisfy, in the order of the fields; empty: accepted. A rule whose
    /// datum is missing is not satisfied: the gate cannot tell, and the image is not scored.
    pub fn refusals(&self, image: &Observed) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let mut one_of = |rule: &str, name: &str, allowed: &Option<Vec<String>>, value: &Option<String>| {
            let Some(allowed) = allowed else { return };
            if value.as_ref().is_some_and(|value| allowed.contains(value)) {
                return;
            }
            let message = match value {
                Some(value) => format!("{name} {value} is not one of {}", allowed.join(", ")),
                None => format!("{name} is not given, must be one of {}", allowed.join(", ")),
            };
            refusals.push(Refusal { rule: rule.to_owned(), value: value.clone(), message });
        };
        one_of("modality", "modality", &self.modality, &image.modality);
        one_of("body_part", "body part", &self.body_part, &image.body_part);
        one_of("view", "view", &self.view, &image.view);
        if let Some(AgeRange { min, max }) = self.age_years
            && !image.age_years.is_some_and(|age| (min..=max).contains(&age))
        {
            let message = match image.age_years {
                Some(age) => format!("age {age} is outside {min}-{max} years"),
                None => format!("age is not given or not readable, must be {min}-{max} years"),
            };
            let value = image.age_years.map(|age| age.to_string());
            refusals.push(Refusal { rule: "age_years".to_owned(), value, message });
        }
        if let Some(minimum) = self.minimum_dimension
            && !image.dimensions.is_some_and(|(columns, rows)| columns.min(rows) >= minimum)
        {
            let message = match image.dimensions {
                Some((columns, rows)) => format!("image of {columns} x {rows} is smaller than {minimum}"),
                None => format!("image dimensions are not given, must be at least {minimum}"),
            };
            let value = image.dimensions.map(|(columns, rows)| format!("{columns}x{rows}"));
            refusals.push(Refusal { rule: "minimum_dimension".to_owned(), value, message });
        }
        refusals
    }
}
