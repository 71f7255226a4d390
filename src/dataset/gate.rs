//! The intended-use gate: which images the device accepts. Rules are data, the same in the protocol, in
//! the model lock and at scoring.

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Code, Diagnostic};
use crate::imaging::observed::Observed;

/// Completed years, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AgeRange {
    /// Youngest.
    pub min: u16,
    /// Oldest.
    pub max: u16,
}

/// Columns divided by rows, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AspectRange {
    /// Narrowest.
    pub min: f64,
    /// Widest.
    pub max: f64,
}

/// What Burned In Annotation (0028,0301) has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum BurnedIn {
    /// `NO`; an image that does not say cannot be judged.
    No,
    /// Anything but `YES`; the attribute may be absent.
    NotYes,
}

/// The rules. An absent rule accepts everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// Where Patient's Age is absent or unreadable, take the years between Patient's Birth Date (0010,0030)
    /// and Study Date (0008,0020).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub age_from_dates: bool,
    /// Smallest number of rows and of columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_dimension: Option<u32>,
    /// Largest number of rows and of columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_dimension: Option<u32>,
    /// Columns divided by rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aspect_ratio: Option<AspectRange>,
    /// Photometric Interpretation (0028,0004); only DICOM files have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photometric_interpretation: Option<Vec<String>>,
    /// Burned In Annotation (0028,0301); only DICOM files have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burned_in_annotation: Option<BurnedIn>,
}

/// What one rule makes of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The datum is as the rule wants it.
    Pass,
    /// The datum breaks the rule.
    Fail,
    /// The image does not give the datum, or not readably.
    CannotTell,
}

/// What all rules together make of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every rule passes.
    Accept,
    /// A rule fails.
    Reject,
    /// No rule fails, and one at least cannot tell.
    CannotTell,
}

impl Verdict {
    /// Of the outcomes of all rules.
    pub fn of(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        outcomes.into_iter().fold(Self::Accept, |verdict, outcome| match (verdict, outcome) {
            (Self::Reject, _) | (_, Outcome::Fail) => Self::Reject,
            (Self::CannotTell, _) | (_, Outcome::CannotTell) => Self::CannotTell,
            _ => Self::Accept,
        })
    }
}

/// One rule applied to one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Key of the rule in `[gate]`, or `pixel_data`, which always holds.
    pub rule: &'static str,
    /// What came out.
    pub outcome: Outcome,
    /// The value that was judged; `None` when the image does not give it.
    pub value: Option<String>,
    /// The whole in words.
    pub message: String,
    /// Code of the diagnostic that says why pixels are refused.
    pub code: Option<Code>,
}

impl Check {
    /// A rule that passes, fails or cannot tell, with its words for the first and for the two others.
    fn of(
        rule: &'static str,
        passes: Option<bool>,
        value: Option<String>,
        pass: String,
        not: String,
    ) -> Self {
        let (outcome, message) = match passes {
            Some(true) => (Outcome::Pass, pass),
            Some(false) => (Outcome::Fail, not),
            None => (Outcome::CannotTell, not),
        };
        Self { rule, outcome, value, message, code: None }
    }
}

/// One rule that was not satisfied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Refusal {
    /// Key of the rule in `[gate]`, or `pixel_data`.
    pub rule: String,
    /// The value that was found; `None` when the image does not give it.
    pub value: Option<String>,
    /// The whole in words.
    pub message: String,
}

/// A code as it is compared: capitals, and blanks, `_` and `-` as one blank, so that `Chest `, `CHEST` and
/// `chest` are one, and so are `CHEST_PA` and `CHEST PA`.
fn plain(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c == '_' || c == '-').collect();
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ").to_uppercase()
}

/// A value as messages show it: no code of the standard has more than 16 characters.
fn short(text: &str) -> String {
    text.chars().take(32).collect()
}

impl Gate {
    /// The rules that a table of cases can answer: not those on dimensions, and none on a DICOM header.
    #[must_use]
    pub fn of_table(&self) -> Self {
        Self {
            minimum_dimension: None,
            maximum_dimension: None,
            aspect_ratio: None,
            ..self.without_header_rules()
        }
    }

    /// The rules that an image without a DICOM header can answer with its row of the case table.
    #[must_use]
    pub fn without_header_rules(&self) -> Self {
        Self { photometric_interpretation: None, burned_in_annotation: None, ..self.clone() }
    }

    /// Whether a rule asks for rows and columns.
    pub fn needs_dimensions(&self) -> bool {
        self.minimum_dimension.is_some() || self.maximum_dimension.is_some() || self.aspect_ratio.is_some()
    }

    /// What every declared rule makes of the image, in the order of the fields, and whether its pixels can be
    /// taken.
    pub fn checks(&self, image: &Observed) -> Vec<Check> {
        let lists = [
            ("modality", "modality", &self.modality, &image.modality),
            ("body_part", "body part", &self.body_part, &image.body_part),
            ("view", "view", &self.view, &image.view),
        ];
        let listed = |(rule, name, allowed, value): (_, _, &Option<Vec<String>>, &Option<String>)| {
            Some(one_of(rule, name, allowed.as_ref()?, value.as_deref()))
        };
        let mut checks: Vec<Check> = lists.into_iter().filter_map(listed).collect();
        let age = image.age_years.or(image.age_from_dates.filter(|_| self.age_from_dates));
        checks.extend(self.age_years.map(|range| within(range, age)));
        checks.extend(self.sizes(image.dimensions));
        header_rules(&mut checks, self, image);
        checks.extend(image.pixels.as_ref().map(|pixels| readable(pixels.as_ref().err())));
        checks
    }

    /// The rules on columns and rows.
    fn sizes(&self, dimensions: Option<(u32, u32)>) -> Vec<Check> {
        let value = dimensions.map(|(columns, rows)| format!("{columns}x{rows}"));
        let sized = |rule, passes: Option<bool>, is: String, is_not: String, must: String| {
            let (pass, not) = match dimensions {
                Some((columns, rows)) => {
                    let shown = format!("image of {columns} x {rows}");
                    (format!("{shown} {is}"), format!("{shown} {is_not}"))
                }
                None => (String::new(), format!("image dimensions are not given, must be {must}")),
            };
            Check::of(rule, passes, value.clone(), pass, not)
        };
        let least = self.minimum_dimension.map(|least| {
            sized(
                "minimum_dimension",
                dimensions.map(|(columns, rows)| columns.min(rows) >= least),
                format!("is at least {least} on a side"),
                format!("is smaller than {least}"),
                format!("at least {least}"),
            )
        });
        let most = self.maximum_dimension.map(|most| {
            sized(
                "maximum_dimension",
                dimensions.map(|(columns, rows)| columns.max(rows) <= most),
                format!("is at most {most} on a side"),
                format!("is larger than {most}"),
                format!("at most {most}"),
            )
        });
        let ratio = self.aspect_ratio.map(|AspectRange { min, max }| {
            let ratio = |(columns, rows): (u32, u32)| f64::from(columns) / f64::from(rows);
            sized(
                "aspect_ratio",
                dimensions.map(|size| (min..=max).contains(&ratio(size))),
                format!("has a ratio of columns to rows within {min}-{max}"),
                format!("has a ratio of columns to rows outside {min}-{max}"),
                format!("in a ratio of {min}-{max}"),
            )
        });
        [least, most, ratio].into_iter().flatten().collect()
    }

    /// Every rule the image does not satisfy, in the order of the fields; empty: accepted. A rule whose
    /// datum is missing is not satisfied: the gate cannot tell, and the image is not scored.
    pub fn refusals(&self, image: &Observed) -> Vec<Refusal> {
        self.checks(image)
            .into_iter()
            .filter(|check| check.outcome != Outcome::Pass)
            .map(|check| Refusal { rule: check.rule.to_owned(), value: check.value, message: check.message })
            .collect()
    }
}

/// A rule with a list of allowed codes.
fn one_of(rule: &'static str, name: &str, allowed: &[String], value: Option<&str>) -> Check {
    // Several values are judged each: a chest and an abdomen are not a chest.
    let passes = value
        .map(|value| value.split('\\').all(|one| allowed.iter().any(|known| plain(known) == plain(one))));
    let list = allowed.join(", ");
    let value = value.map(short);
    let (pass, not) = match &value {
        Some(value) => {
            (format!("{name} {value} is one of {list}"), format!("{name} {value} is not one of {list}"))
        }
        None => (String::new(), format!("{name} is not given, must be one of {list}")),
    };
    Check::of(rule, passes, value, pass, not)
}

/// The rule on the age.
fn within(AgeRange { min, max }: AgeRange, age: Option<u16>) -> Check {
    let (pass, not) = match age {
        Some(age) => (
            format!("age {age} is within {min}-{max} years"),
            format!("age {age} is outside {min}-{max} years"),
        ),
        None => (String::new(), format!("age is not given or not readable, must be {min}-{max} years")),
    };
    let passes = age.map(|age| (min..=max).contains(&age));
    Check::of("age_years", passes, age.map(|age| age.to_string()), pass, not)
}

/// What always holds: the device can take the pixels.
fn readable(problem: Option<&Diagnostic>) -> Check {
    Check {
        rule: "pixel_data",
        outcome: if problem.is_none() { Outcome::Pass } else { Outcome::Fail },
        value: None,
        message: problem.map_or_else(|| "the pixels can be read".to_owned(), |p| p.message.clone()),
        code: problem.map(|p| p.code),
    }
}

/// The rules on attributes that only DICOM files have.
fn header_rules(checks: &mut Vec<Check>, gate: &Gate, image: &Observed) {
    let mut add = |rule, passes: Option<bool>, value: Option<String>, message: String| {
        checks.push(Check::of(rule, passes, value, message.clone(), message));
    };
    if let Some(allowed) = &gate.photometric_interpretation {
        let passes = image.photometric.as_ref().map(|value| allowed.iter().any(|a| plain(a) == plain(value)));
        let list = allowed.join(", ");
        let message = match (&image.photometric, passes) {
            (Some(value), Some(true)) => {
                format!("photometric interpretation {} is one of {list}", short(value))
            }
            (Some(value), _) => format!("photometric interpretation {} is not one of {list}", short(value)),
            (None, _) => format!("photometric interpretation is not given, must be one of {list}"),
        };
        add("photometric_interpretation", passes, image.photometric.as_deref().map(short), message);
    }
    if let Some(rule) = gate.burned_in_annotation {
        let passes = match (image.burned_in.as_deref(), rule) {
            (Some("NO"), _) | (None, BurnedIn::NotYes) => Some(true),
            (Some("YES"), _) => Some(false),
            (Some(_), BurnedIn::NotYes) | (Some(_) | None, BurnedIn::No) => None,
        };
        let message = match &image.burned_in {
            Some(value) => format!("burned-in annotation is {}", short(value)),
            None => "burned-in annotation is not given".to_owned(),
        };
        add("burned_in_annotation", passes, image.burned_in.as_deref().map(short), message);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diagnostic::Diagnostic;

    fn chest() -> Observed {
        Observed {
            modality: Some("DX".to_owned()),
            body_part: Some("CHEST".to_owned()),
            view: Some("PA".to_owned()),
            age_years: Some(58),
            age_from_dates: None,
            dimensions: Some((3000, 2500)),
            photometric: Some("MONOCHROME2".to_owned()),
            burned_in: Some("NO".to_owned()),
            pixels: Some(Ok(())),
        }
    }

    fn strict() -> Gate {
        let list = |texts: &[&str]| Some(texts.iter().map(|&t| t.to_owned()).collect());
        Gate {
            modality: list(&["DX", "CR"]),
            body_part: list(&["CHEST", "CHEST PA"]),
            view: list(&["PA", "AP"]),
            age_years: Some(AgeRange { min: 18, max: 80 }),
            age_from_dates: false,
            minimum_dimension: Some(512),
            maximum_dimension: Some(6000),
            aspect_ratio: Some(AspectRange { min: 0.5, max: 2.0 }),
            photometric_interpretation: list(&["MONOCHROME1", "MONOCHROME2"]),
            burned_in_annotation: Some(BurnedIn::No),
        }
    }

    fn broken(change: impl FnOnce(&mut Observed)) -> Vec<(&'static str, Outcome)> {
        let mut image = chest();
        change(&mut image);
        let checks = strict().checks(&image);
        assert_eq!(checks.len(), 10, "every rule is reported, passed or not");
        checks.into_iter().filter(|c| c.outcome != Outcome::Pass).map(|c| (c.rule, c.outcome)).collect()
    }

    #[test]
    fn each_rule_tells_apart_a_wrong_value_and_none() {
        use Outcome::{CannotTell, Fail};
        assert_eq!(broken(|_| {}), []);
        assert_eq!(broken(|i| i.modality = Some("CT".into())), [("modality", Fail)]);
        assert_eq!(broken(|i| i.modality = None), [("modality", CannotTell)]);
        for spelling in ["chest", "Chest_PA", "CHEST-PA", " chest  pa "] {
            assert_eq!(broken(|i| i.body_part = Some(spelling.into())), [], "{spelling}");
        }
        for other in ["RIBCAGE", "CHESTS", "CHEST\\ABDOMEN", ""] {
            assert_eq!(broken(|i| i.body_part = Some(other.into())), [("body_part", Fail)], "{other}");
        }
        assert_eq!(broken(|i| i.view = Some("LL".into())), [("view", Fail)]);
        assert_eq!(broken(|i| i.age_years = Some(81)), [("age_years", Fail)]);
        assert_eq!(broken(|i| i.age_years = None), [("age_years", CannotTell)]);
        assert_eq!(
            broken(|i| i.dimensions = Some((500, 400))),
            [("minimum_dimension", Fail)],
            "small, in a good ratio"
        );
        assert_eq!(
            broken(|i| i.dimensions = Some((6001, 600))),
            [("maximum_dimension", Fail), ("aspect_ratio", Fail)]
        );
        assert_eq!(broken(|i| i.photometric = Some("RGB".into())), [("photometric_interpretation", Fail)]);
        assert_eq!(broken(|i| i.burned_in = Some("YES".into())), [("burned_in_annotation", Fail)]);
        assert_eq!(broken(|i| i.burned_in = None), [("burned_in_annotation", CannotTell)]);
        let refused = Diagnostic::error(Code::DicomMultiFrame, "the file holds 2 frames");
        assert_eq!(broken(|i| i.pixels = Some(Err(refused))), [("pixel_data", Fail)]);
    }

    #[test]
    fn an_age_from_dates_counts_only_where_declared_and_never_over_a_written_one() {
        let mut image = Observed { age_years: None, age_from_dates: Some(40), ..chest() };
        let mut gate = Gate { age_years: Some(AgeRange { min: 18, max: 80 }), ..Gate::default() };
        let verdict =
            |gate: &Gate, image: &Observed| Verdict::of(gate.checks(image).iter().map(|c| c.outcome));
        assert_eq!(verdict(&gate, &image), Verdict::CannotTell);
        gate.age_from_dates = true;
        assert_eq!(verdict(&gate, &image), Verdict::Accept);
        image.age_years = Some(81);
        assert_eq!(verdict(&gate, &image), Verdict::Reject);
    }

    #[test]
    fn a_gate_of_an_older_lock_reads_and_keeps_its_bytes() {
        let text = r#"{"modality":["DX"],"age_years":{"min":18,"max":80},"minimum_dimension":512}"#;
        let gate: Gate = serde_json::from_str(text).expect("reads");
        assert_eq!(serde_json::to_string(&gate).expect("writes"), text);
    }

    fn text() -> impl Strategy<Value = Option<String>> {
        proptest::option::of(proptest::sample::select(vec![
            "DX", "CT", "CHEST", "PA", "NO", "YES", "", "é\\x",
        ]))
        .prop_map(|text| text.map(str::to_owned))
    }

    prop_compose! {
        fn images()(
            texts in proptest::collection::vec(text(), 5),
            ages in proptest::collection::vec(proptest::option::of(any::<u16>()), 2),
            dimensions in proptest::option::of((any::<u16>(), any::<u16>())),
        ) -> Observed {
            Observed {
                modality: texts[0].clone(),
                body_part: texts[1].clone(),
                view: texts[2].clone(),
                age_years: ages[0],
                age_from_dates: ages[1],
                dimensions: dimensions.map(|(a, b)| (a.into(), b.into())),
                photometric: texts[3].clone(),
                burned_in: texts[4].clone(),
                pixels: None,
            }
        }
    }

    proptest! {
        #[test]
        fn verdict_and_refusals_agree_and_a_rule_less_never_refuses_more(
            image in images(),
            drop in 0_usize..9,
        ) {
            let full = strict();
            let verdict = |gate: &Gate| Verdict::of(gate.checks(&image).iter().map(|c| c.outcome));
            prop_assert_eq!(verdict(&full) == Verdict::Accept, full.refusals(&image).is_empty());
            prop_assert_eq!(verdict(&Gate::default()), Verdict::Accept);
            let mut fewer = full.clone();
            match drop {
                0 => fewer.modality = None,
                1 => fewer.body_part = None,
                2 => fewer.view = None,
                3 => fewer.age_years = None,
                4 => fewer.minimum_dimension = None,
                5 => fewer.maximum_dimension = None,
                6 => fewer.aspect_ratio = None,
                7 => fewer.photometric_interpretation = None,
                _ => fewer.burned_in_annotation = None,
            }
            let refused: Vec<Refusal> = fewer.refusals(&image);
            let all = full.refusals(&image);
            prop_assert!(refused.iter().all(|r| all.contains(r)));
            prop_assert!(all.len() <= refused.len() + 1);
            // A wider range accepts what a narrower one did.
            let mut wider = full;
            wider.age_years = Some(AgeRange { min: 0, max: u16::MAX });
            prop_assert!(wider.refusals(&image).len() <= all.len());
            // An image that passes names the value each rule looked at.
            for check in strict().checks(&image) {
                prop_assert!(check.outcome != Outcome::Pass || check.value.is_some());
            }
        }
    }

    #[test]
    fn a_table_is_not_asked_for_what_only_the_image_knows() {
        let of_table = strict().of_table();
        let image = Observed { dimensions: None, photometric: None, burned_in: None, ..chest() };
        assert_eq!(of_table.refusals(&image), []);
        let rules = |gate: &Gate| gate.checks(&chest()).iter().map(|c| c.rule).collect::<Vec<_>>();
        assert_eq!(rules(&of_table), ["modality", "body_part", "view", "age_years", "pixel_data"]);
        let without = strict().without_header_rules();
        assert_eq!(
            rules(&without)[4..],
            ["minimum_dimension", "maximum_dimension", "aspect_ratio", "pixel_data"]
        );
        assert_eq!(of_table.refusals(&Observed { modality: Some("CT".into()), ..image })[0].rule, "modality");
    }

    #[test]
    fn each_rule_on_size_needs_rows_and_columns() {
        let sized = [
            Gate { minimum_dimension: Some(1), ..Gate::default() },
            Gate { maximum_dimension: Some(1), ..Gate::default() },
            Gate { aspect_ratio: Some(AspectRange { min: 1.0, max: 1.0 }), ..Gate::default() },
        ];
        assert!(sized.iter().all(Gate::needs_dimensions));
        assert!(!strict().of_table().needs_dimensions());
    }

    #[test]
    fn the_ends_of_a_range_are_inside_and_sides_are_judged_by_the_worse() {
        let of =
            |dimensions| broken(|i| i.dimensions = Some(dimensions)).iter().map(|b| b.0).collect::<Vec<_>>();
        assert_eq!(of((512, 512)), [] as [&str; 0]);
        assert_eq!(of((512, 511)), ["minimum_dimension"]);
        assert_eq!(of((511, 512)), ["minimum_dimension"]);
        assert_eq!(of((6000, 6000)), [] as [&str; 0]);
        assert_eq!(of((6000, 6001)), ["maximum_dimension"]);
        // Twice and half as wide as high are the ends.
        assert_eq!(of((2000, 1000)), [] as [&str; 0]);
        assert_eq!(of((1000, 2000)), [] as [&str; 0]);
        assert_eq!(of((2001, 1000)), ["aspect_ratio"]);
        assert_eq!(of((1000, 2001)), ["aspect_ratio"]);
        for age in [18, 80] {
            assert_eq!(broken(|i| i.age_years = Some(age)), []);
        }
        assert_eq!(broken(|i| i.age_years = Some(17)), [("age_years", Outcome::Fail)]);
    }

    #[test]
    fn a_burned_in_annotation_may_be_unsaid_where_only_yes_is_refused() {
        let of = |rule, said: Option<&str>| {
            let gate = Gate { burned_in_annotation: Some(rule), ..Gate::default() };
            let image = Observed { burned_in: said.map(str::to_owned), pixels: None, ..chest() };
            gate.checks(&image)[0].outcome
        };
        use Outcome::{CannotTell, Fail, Pass};
        let table = [(Some("NO"), Pass, Pass), (Some("YES"), Fail, Fail), (None, CannotTell, Pass)];
        for (said, no, not_yes) in table {
            assert_eq!((of(BurnedIn::No, said), of(BurnedIn::NotYes, said)), (no, not_yes), "{said:?}");
        }
        assert_eq!((of(BurnedIn::No, Some("?")), of(BurnedIn::NotYes, Some("?"))), (CannotTell, CannotTell));
    }

    #[test]
    fn a_refusal_names_the_rule_the_value_and_what_was_wanted() {
        let image = Observed { modality: Some("CT".into()), ..chest() };
        let found = strict().refusals(&image);
        let [refusal] = &found[..] else { panic!("{found:?}") };
        assert_eq!((refusal.rule.as_str(), refusal.value.as_deref()), ("modality", Some("CT")));
        assert_eq!(refusal.message, "modality CT is not one of DX, CR");
        let checks = strict().checks(&image);
        let said = |rule: &str| checks.iter().find(|c| c.rule == rule).expect("a rule").message.as_str();
        assert_eq!(said("view"), "view PA is one of PA, AP");
        assert_eq!(
            said("photometric_interpretation"),
            "photometric interpretation MONOCHROME2 is one of MONOCHROME1, MONOCHROME2"
        );
        let other = strict().checks(&Observed { photometric: Some("RGB".into()), ..chest() });
        let said: Vec<_> =
            other.iter().filter(|c| c.outcome == Outcome::Fail).map(|c| c.message.as_str()).collect();
        assert_eq!(said, ["photometric interpretation RGB is not one of MONOCHROME1, MONOCHROME2"]);
    }

    #[test]
    fn one_failed_rule_rejects_whatever_cannot_be_told() {
        use Outcome::{CannotTell, Fail, Pass};
        assert_eq!(Verdict::of([]), Verdict::Accept);
        assert_eq!(Verdict::of([Pass, Pass]), Verdict::Accept);
        for outcomes in [[Pass, CannotTell, Pass], [CannotTell, Pass, Pass]] {
            assert_eq!(Verdict::of(outcomes), Verdict::CannotTell);
        }
        for outcomes in [[Fail, CannotTell, Pass], [CannotTell, Fail, Pass], [Pass, CannotTell, Fail]] {
            assert_eq!(Verdict::of(outcomes), Verdict::Reject);
        }
    }

    #[test]
    fn a_table_answers_every_rule_but_those_on_dimensions_and_on_the_header() {
        let whole = Gate { age_from_dates: true, ..strict() };
        let of_table = Gate {
            minimum_dimension: None,
            maximum_dimension: None,
            aspect_ratio: None,
            photometric_interpretation: None,
            burned_in_annotation: None,
            ..whole.clone()
        };
        assert_eq!(whole.of_table(), of_table);
        let without_header =
            Gate { photometric_interpretation: None, burned_in_annotation: None, ..whole.clone() };
        assert_eq!(whole.without_header_rules(), without_header);
        assert!(!of_table.needs_dimensions() && !Gate::default().needs_dimensions());
        for one in [
            Gate { minimum_dimension: Some(1), ..Gate::default() },
            Gate { maximum_dimension: Some(1), ..Gate::default() },
            Gate { aspect_ratio: Some(AspectRange { min: 1.0, max: 1.0 }), ..Gate::default() },
        ] {
            assert!(one.needs_dimensions(), "{one:?}");
            assert!(!one.of_table().needs_dimensions(), "{one:?}");
        }
    }
}
