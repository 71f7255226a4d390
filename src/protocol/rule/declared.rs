//! A rule with what it is asked of: each image, the images of a study, or those of a patient.

use serde::{Serialize, Serializer};

use super::{Column, Expr};
use crate::dataset::other_columns::CellKind;

/// What is judged together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "per")]
pub enum Per {
    /// Each image by itself.
    Image,
    /// All images of a patient with the same text in a column; one without it is judged by itself.
    Study {
        /// The column.
        study_column: String,
    },
    /// All images of a patient.
    Patient,
}

/// Which of the images that are judged together have to satisfy the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// Each of them.
    Every,
    /// One is enough.
    Any,
}

/// A rule with what it is asked of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeclaredRule {
    /// What is asked.
    #[serde(serialize_with = "as_text")]
    pub rule: Expr,
    /// What is judged together.
    #[serde(flatten)]
    pub per: Per,
    /// Which of them have to satisfy it.
    pub holds: Holds,
}

fn as_text<S: Serializer>(rule: &Expr, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(rule)
}

impl DeclaredRule {
    /// Every column that it needs.
    pub fn columns(&self) -> Vec<Column> {
        let mut found: Vec<Column> = self.rule.columns().into_iter().cloned().collect();
        if let Per::Study { study_column } = &self.per {
            found.push(Column { name: study_column.clone(), kind: CellKind::Text });
        }
        found
    }

    /// The rule in one line, as documents print it.
    pub fn in_words(&self) -> String {
        let of = match (&self.per, self.holds) {
            (Per::Image, _) => return self.rule.to_string(),
            (Per::Study { study_column }, Holds::Every) => {
                format!("every image of the same study (column {study_column})")
            }
            (Per::Study { study_column }, Holds::Any) => {
                format!("any image of the same study (column {study_column})")
            }
            (Per::Patient, Holds::Every) => "every image of the patient".to_owned(),
            (Per::Patient, Holds::Any) => "any image of the patient".to_owned(),
        };
        format!("{of}: {}", self.rule)
    }
}
