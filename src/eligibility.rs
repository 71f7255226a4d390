//! Inclusion and exclusion, with every reason for every case. Pure.

mod declared;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::dataset::case::Case;
use crate::dataset::gate::Gate;
use crate::imaging::observed::Observed;
use crate::protocol::{Criterion, Missing, PriorSource, Rule};

pub use declared::{Truth, judge};

/// Case ids by the table and column that a `listed-in` criterion names.
pub type Lists = BTreeMap<(String, String), BTreeSet<String>>;

/// Criteria that each case fails, as positions in the protocol's list, ascending; empty: eligible.
pub fn failed_criteria(
    cases: &[Case],
    criteria: &[Criterion],
    gate: &Gate,
    lists: &Lists,
) -> Vec<Arc<[usize]>> {
    let by_images = |criterion: &Criterion| {
        matches!(&criterion.rule, Rule::NoPriorFinding { source: PriorSource::EarlierImages { .. } })
    };
    let earlier = if criteria.iter().any(by_images) { earlier_images(cases) } else { Earlier::new() };
    // A boolean rule is judged of all cases at once: it may look at the others of a patient.
    let declared: Vec<Option<Vec<Truth>>> = criteria
        .iter()
        .map(|criterion| match &criterion.rule {
            Rule::Declared(rule) => Some(judge(rule, cases)),
            _ => None,
        })
        .collect();
    let mut known = BTreeSet::new();
    cases
        .iter()
        .enumerate()
        .map(|(place, case)| {
            let holds = |criterion: usize| match declared[criterion].as_ref().map(|truths| truths[place]) {
                Some(Truth::Yes) => true,
                Some(Truth::No) => false,
                Some(Truth::Unknown) => criteria[criterion].missing == Missing::Include,
                None => satisfied(case, &criteria[criterion], gate, lists, &earlier),
            };
            (0..criteria.len()).filter(|criterion| !holds(*criterion)).collect::<Vec<usize>>()
        })
        .map(|failed| shared(failed, &mut known))
        .collect()
}

/// Very many cases fail the same criteria: the list is there once.
fn shared(failed: Vec<usize>, known: &mut BTreeSet<Arc<[usize]>>) -> Arc<[usize]> {
    if let Some(one) = known.get(failed.as_slice()) {
        return one.clone();
    }
    let one: Arc<[usize]> = failed.into();
    known.insert(one.clone());
    one
}

/// What the case table says of an image, as the gate sees it.
pub fn observed(case: &Case) -> Observed {
    Observed {
        modality: case.modality.as_deref().map(str::to_owned),
        body_part: case.body_part.as_deref().map(str::to_owned),
        view: case.view.as_deref().map(str::to_owned),
        age_years: case.age_years,
        ..Observed::default()
    }
}

/// Patient, number of the image, and what was found on it, by patient.
type Earlier<'a> = Vec<(&'a str, u32, &'a [String])>;

fn earlier_images(cases: &[Case]) -> Earlier<'_> {
    let mut earlier = Earlier::new();
    for case in cases.iter().filter(|case| !case.findings.is_empty()) {
        earlier.extend(case.follow_up.map(|number| (case.patient_id.as_str(), number, &case.findings[..])));
    }
    earlier.sort_unstable_by_key(|(patient, ..)| *patient);
    earlier
}

fn satisfied(case: &Case, criterion: &Criterion, gate: &Gate, lists: &Lists, earlier: &Earlier) -> bool {
    let when_missing = criterion.missing == Missing::Include;
    match &criterion.rule {
        Rule::Age { min, max } => case.age_years.map_or(when_missing, |age| (*min..=*max).contains(&age)),
        Rule::OneOf { field, allowed } => {
            field.of(case).map_or(when_missing, |value| allowed.contains(&value))
        }
        Rule::NoPriorFinding { source: PriorSource::Days { lookback_days } } => {
            case.days_since_prior_finding.map_or(when_missing, |days| days > *lookback_days)
        }
        Rule::NoPriorFinding { source: PriorSource::EarlierImages { findings } } => match case.follow_up {
            None => when_missing,
            Some(now) => {
                let patient = case.patient_id.as_str();
                let from = earlier.partition_point(|(other, ..)| *other < patient);
                let mut images = earlier[from..].iter().take_while(|(other, ..)| *other == patient);
                !images.any(|(_, then, found)| *then < now && found.iter().any(|f| findings.contains(f)))
            }
        },
        Rule::ListedIn { path, column } => lists
            .get(&(path.as_str().to_owned(), column.clone()))
            .is_some_and(|listed| listed.contains(case.case_id.as_str())),
        // Dimensions and headers are in the image, not in the table: the scoring gate checks them.
        Rule::Gate => gate.of_table().refusals(&observed(case)).is_empty(),
        // Judged of all cases before.
        Rule::Declared(_) => when_missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::case::Attributes;
    use crate::dataset::gate::AgeRange;
    use crate::protocol::Field;

    fn criterion(rule: Rule, missing: Missing) -> Criterion {
        Criterion { id: "c".to_owned(), reason: "r".to_owned(), definition: None, missing, rule }
    }

    #[test]
    fn age_ends_are_included_and_a_missing_age_follows_the_declaration() {
        let rule = Rule::Age { min: 18, max: 80 };
        let ages = [Some(17), Some(18), Some(80), Some(81), None];
        let cases: Vec<Case> =
            ages.iter().map(|age_years| Case { age_years: *age_years, ..Case::default() }).collect();
        let eligible = |missing| -> Vec<bool> {
            let criteria = [criterion(rule.clone(), missing)];
            failed_criteria(&cases, &criteria, &Gate::default(), &Lists::new())
                .iter()
                .map(|failed| failed.is_empty())
                .collect()
        };
        assert_eq!(eligible(Missing::Exclude), [false, true, true, false, false]);
        assert_eq!(eligible(Missing::Include), [false, true, true, false, true]);
    }

    #[test]
    fn the_look_back_window_includes_its_last_day() {
        let rule = Rule::NoPriorFinding { source: PriorSource::Days { lookback_days: 365 } };
        let cases: Vec<Case> = [Some(365), Some(366), None]
            .iter()
            .map(|days| Case { days_since_prior_finding: *days, ..Case::default() })
            .collect();
        let failed =
            failed_criteria(&cases, &[criterion(rule, Missing::Include)], &Gate::default(), &Lists::new());
        assert_eq!(failed.iter().map(|f| f.to_vec()).collect::<Vec<_>>(), [vec![0], vec![], vec![]]);
    }

    #[test]
    fn only_strictly_earlier_images_of_the_same_patient_are_prior() {
        let image = |patient: &str, follow_up, finding: &str| Case {
            patient_id: patient.into(),
            follow_up: Some(follow_up),
            attributes: Attributes { findings: vec![finding.to_owned()], ..Attributes::default() }.into(),
            ..Case::default()
        };
        let cases = [image("a", 0, "Pneumonia"), image("a", 1, "Edema"), image("b", 1, "Edema")];
        let rule = Rule::NoPriorFinding {
            source: PriorSource::EarlierImages { findings: vec!["Pneumonia".to_owned()] },
        };
        let failed =
            failed_criteria(&cases, &[criterion(rule, Missing::Include)], &Gate::default(), &Lists::new());
        assert_eq!(failed.iter().map(|f| f.to_vec()).collect::<Vec<_>>(), [vec![], vec![0], vec![]]);
    }

    fn failed(cases: &[Case], criterion: Criterion, gate: &Gate, lists: &Lists) -> Vec<bool> {
        failed_criteria(cases, &[criterion], gate, lists).iter().map(|reasons| !reasons.is_empty()).collect()
    }

    #[test]
    fn the_gate_judges_what_the_case_table_says_and_leaves_the_image_to_scoring() {
        let chest = || Case {
            age_years: Some(40),
            attributes: Attributes {
                modality: Some("DX".into()),
                body_part: Some("CHEST".into()),
                view: Some("PA".into()),
                ..Attributes::default()
            }
            .into(),
            ..Case::default()
        };
        let but = |change: fn(&mut Case)| {
            let mut case = chest();
            change(&mut case);
            case
        };
        let one = |word: &str| Some(vec![word.to_owned()]);
        let gate = Gate {
            modality: one("DX"),
            body_part: one("CHEST"),
            view: one("PA"),
            age_years: Some(AgeRange { min: 18, max: 80 }),
            minimum_dimension: Some(512),
            photometric_interpretation: one("MONOCHROME2"),
            ..Gate::default()
        };
        let cases = [
            chest(),
            but(|case| case.modality = Some("CT".into())),
            but(|case| case.body_part = Some("HAND".into())),
            but(|case| case.view = Some("LL".into())),
            Case { age_years: Some(17), ..chest() },
            but(|case| case.view = None),
        ];
        let found = failed(&cases, criterion(Rule::Gate, Missing::Exclude), &gate, &Lists::new());
        assert_eq!(found, [false, true, true, true, true, true]);
    }

    #[test]
    fn a_field_has_to_be_one_of_the_allowed_and_a_missing_one_follows_the_declaration() {
        let site = |site: Option<&str>| Case {
            attributes: Attributes { site: site.map(Into::into), ..Attributes::default() }.into(),
            ..Case::default()
        };
        let cases = [site(Some("a")), site(Some("b")), site(None)];
        let rule = Rule::OneOf { field: Field::Site, allowed: vec!["a".to_owned()] };
        let with =
            |missing| failed(&cases, criterion(rule.clone(), missing), &Gate::default(), &Lists::new());
        assert_eq!(with(Missing::Exclude), [false, true, true]);
        assert_eq!(with(Missing::Include), [false, true, false]);
    }

    #[test]
    fn only_cases_in_the_named_column_of_the_named_list_are_eligible() {
        let case = |id: &str| Case { case_id: id.into(), ..Case::default() };
        let rule = Rule::ListedIn { path: "scored.csv".parse().expect("a path"), column: "id".to_owned() };
        let listed = |column: &str, id: &str| {
            (("scored.csv".to_owned(), column.to_owned()), BTreeSet::from([id.to_owned()]))
        };
        let lists = Lists::from([listed("id", "a"), listed("other", "b")]);
        let rule = criterion(rule, Missing::Include);
        let cases = [case("a"), case("b")];
        assert_eq!(failed(&cases, rule.clone(), &Gate::default(), &lists), [false, true]);
        assert_eq!(failed(&cases, rule, &Gate::default(), &Lists::new()), [true, true]);
    }

    #[test]
    fn every_reason_is_kept_in_the_order_of_the_protocol() {
        let cases = [Case { age_years: Some(10), ..Case::default() }];
        let age = criterion(Rule::Age { min: 18, max: 80 }, Missing::Exclude);
        let old = criterion(Rule::Age { min: 0, max: 80 }, Missing::Exclude);
        let view = Rule::OneOf { field: Field::View, allowed: vec!["PA".to_owned()] };
        let view = criterion(view, Missing::Exclude);
        let found = failed_criteria(&cases, &[age, old, view], &Gate::default(), &Lists::new());
        assert_eq!(found.iter().map(|f| f.to_vec()).collect::<Vec<_>>(), [vec![0, 2]]);
    }

    #[test]
    fn an_image_whose_place_in_the_history_is_unknown_follows_the_declaration() {
        let rule = Rule::NoPriorFinding {
            source: PriorSource::EarlierImages { findings: vec!["Pneumonia".to_owned()] },
        };
        let cases = [Case { patient_id: "a".into(), ..Case::default() }];
        let with =
            |missing| failed(&cases, criterion(rule.clone(), missing), &Gate::default(), &Lists::new());
        assert_eq!((with(Missing::Exclude), with(Missing::Include)), (vec![true], vec![false]));
    }
}
