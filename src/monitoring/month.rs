//! Calendar months, which batches are named by.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A month such as 2026-03; months are in order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month {
    year: u16,
    month: u8,
}

impl Month {
    /// The month of a day that is written 2026-03-14, or 20260314 as DICOM writes it; white space around it
    /// and a time behind `T` or a blank do not matter. `None` for what is no day.
    pub fn of_day(text: &str) -> Option<Self> {
        let text = text.trim();
        let day = text.split(['T', ' ']).next().unwrap_or_default();
        let format = if day.contains('-') { "%Y-%m-%d" } else { "%Y%m%d" };
        let is_written_out = day.len() == if day.contains('-') { 10 } else { 8 };
        chrono::NaiveDate::parse_from_str(day, format).ok().filter(|_| is_written_out)?;
        let (year, month) = if day.contains('-') { (&day[..4], &day[5..7]) } else { (&day[..4], &day[4..6]) };
        format!("{year}-{month}").parse().ok()
    }
}

impl FromStr for Month {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("`{text}` is not a month such as 2026-03");
        let digits = |text: &str, count: usize| {
            (text.len() == count && text.bytes().all(|b| b.is_ascii_digit()))
                .then(|| text.parse::<u16>().ok())
        };
        let (year, month) = text.split_once('-').ok_or_else(refused)?;
        let year = digits(year, 4).flatten().filter(|year| *year > 0).ok_or_else(refused)?;
        let month = digits(month, 2).flatten().filter(|month| (1..=12).contains(month));
        let month = month.and_then(|month| u8::try_from(month).ok()).ok_or_else(refused)?;
        Ok(Self { year, month })
    }
}

impl TryFrom<String> for Month {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}
