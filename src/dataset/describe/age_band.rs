//! Bands of age.

use std::fmt;
use std::str::FromStr;

/// How a level that was not recorded is named.
pub const NOT_RECORDED: &str = "not recorded";

/// Ages from `first` to `last`, both included; `None`: without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeBand {
    /// Youngest age in it.
    pub first: u16,
    /// Oldest age in it.
    pub last: Option<u16>,
}

impl AgeBand {
    /// Children, three bands of the intended use of 18-80 years, and the old.
    pub const USUAL: [Self; 5] = [
        Self { first: 0, last: Some(17) },
        Self { first: 18, last: Some(39) },
        Self { first: 40, last: Some(59) },
        Self { first: 60, last: Some(80) },
        Self { first: 81, last: None },
    ];

    /// Whether every band ends before the next begins, so that an age lies in one at most.
    pub fn ascend(bands: &[Self]) -> bool {
        bands.windows(2).all(|two| two[0].last.is_some_and(|last| last < two[1].first))
    }

    /// Whether an age lies in it.
    pub fn holds(self, age: u16) -> bool {
        age >= self.first && self.last.is_none_or(|last| age <= last)
    }
}

impl fmt::Display for AgeBand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last {
            Some(last) => write!(f, "{}-{last}", self.first),
            None => write!(f, "{}-", self.first),
        }
    }
}

impl FromStr for AgeBand {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no age band such as 18-39 or 81-");
        let (first, last) = text.trim().split_once('-').ok_or_else(wrong)?;
        let first = first.trim().parse().map_err(|_| wrong())?;
        let last = match last.trim() {
            "" => None,
            last => Some(last.parse().map_err(|_| wrong())?),
        };
        if last.is_some_and(|last| last < first) {
            return Err(format!("the age band `{text}` ends before it begins"));
        }
        Ok(Self { first, last })
    }
}

/// The level of an age: the first band that holds it.
pub fn age_level(age: Option<u16>, bands: &[AgeBand]) -> String {
    let Some(age) = age else { return NOT_RECORDED.to_owned() };
    bands
        .iter()
        .find(|band| band.holds(age))
        .map_or_else(|| "outside the bands".to_owned(), ToString::to_string)
}
