//! The cohort, drawn from the eligible cases with the protocol's seed, and what each drawn case stands for.
//! Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::dataset::case::Case;
use crate::diagnostic::{Code, Diagnostic, few};
use crate::protocol::rule::{Column, Datum};
use crate::protocol::{Sample, SampleMethod, Shortage, StratumCount};
use crate::random::Stream;

/// The level of what is not recorded.
const NOT_RECORDED: &str = "not recorded";

/// What was drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draw {
    /// Positions of the drawn cases, ascending.
    pub drawn: Vec<usize>,
    /// The strata, sorted by name; of other methods one, which is everybody.
    pub strata: Vec<Stratum>,
    /// The stratum of each case that could be drawn, by its position: of a patient who gives one image that
    /// image alone. Empty where cases have no weight.
    pub stratum_of: BTreeMap<usize, usize>,
    /// Eligible cases that could be drawn, in a stratum or not: of a patient who gives one image one.
    pub frame: u64,
    /// Things to know.
    pub warnings: Vec<Diagnostic>,
}

/// One stratum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stratum {
    /// Its levels, joined; empty for everybody.
    pub name: String,
    /// Cases that could be drawn.
    pub pool: u64,
    /// Cases that were asked for; `None`: every one.
    pub wanted: Option<u64>,
    /// Cases that were drawn.
    pub drawn: u64,
}

impl Stratum {
    /// How many cases of the pool each drawn one stands for; `None` where none is drawn.
    pub fn weight(&self) -> Option<f64> {
        (self.drawn > 0).then(|| self.pool as f64 / self.drawn as f64)
    }

    /// Cases that were asked for and are not there.
    pub fn lacking(&self) -> u64 {
        self.wanted.map_or(0, |wanted| wanted.saturating_sub(self.drawn))
    }
}

impl Draw {
    /// The weight of a drawn case; `None` where cases have none.
    pub fn weight(&self, case: usize) -> Option<f64> {
        self.strata.get(*self.stratum_of.get(&case)?)?.weight()
    }
}

/// Draws the cohort. The draw depends on the seed and on the set of eligible case ids, not on their order in
/// the table.
///
/// # Errors
/// `too-few-eligible` with the numbers that are there, where the protocol does not take what there is;
/// `sample-order-missing` where consecutive cases have no day.
pub fn draw(cases: &[Case], eligible: &[usize], sample: &Sample) -> Result<Draw, Diagnostic> {
    let mut pool = eligible.to_vec();
    pool.sort_by(|a, b| cases[*a].case_id.cmp(&cases[*b].case_id));
    if let SampleMethod::Consecutive { order_by } = &sample.method {
        by_day(cases, &mut pool, order_by)?;
    } else {
        Stream::new(sample.seed, 0).shuffle(&mut pool);
    }
    if sample.one_image_per_patient {
        let mut seen = BTreeSet::new();
        pool.retain(|index| seen.insert(cases[*index].patient_id.as_str()));
    }
    let quotas = quotas(cases, &pool, sample);
    let mut found = Draw { frame: pool.len() as u64, ..Draw::default() };
    let mut taken = Vec::new();
    for (number, quota) in quotas.iter().enumerate() {
        let wanted = quota.wanted.map_or(usize::MAX, |wanted| usize::try_from(wanted).unwrap_or(usize::MAX));
        taken.extend(quota.places.iter().copied().take(wanted));
        found.strata.push(Stratum {
            name: quota.name.clone(),
            pool: quota.places.len() as u64,
            wanted: quota.wanted,
            drawn: quota.places.len().min(wanted) as u64,
        });
        if sample.method.is_weighted() {
            found.stratum_of.extend(quota.places.iter().map(|place| (*place, number)));
        }
    }
    // Without a case there is no stratum that could lack any.
    if pool.is_empty()
        && let Some(target) = sample.target
        && found.strata.is_empty()
    {
        return Err(too_few(&format!("no case is eligible, and {} are asked for", target.cases)));
    }
    let lacking: u64 = found.strata.iter().map(Stratum::lacking).sum();
    if lacking > 0 {
        let message = shortage(sample, &found.strata);
        if sample.shortage == Shortage::Refuse || taken.is_empty() {
            return Err(too_few(&message));
        }
        let message = format!("{message}: all that are there are drawn, {lacking} fewer than asked for");
        found.warnings.push(
            Diagnostic::warning(Code::SampleShort, message)
                .hint("the protocol declares `shortage = \"take\"`; documents say how many are lacking"),
        );
    }
    let left_out: Vec<&Stratum> = found.strata.iter().filter(|s| s.pool > 0 && s.drawn == 0).collect();
    if sample.method.is_weighted() && !left_out.is_empty() {
        let names: Vec<String> = left_out.iter().map(|s| format!("{} ({})", s.name, s.pool)).collect();
        let message = format!(
            "no case is drawn of {} strata that have eligible ones: {}; no weight stands for them",
            names.len(),
            names.join("; ")
        );
        found.warnings.push(
            Diagnostic::warning(Code::StratumNotDrawn, message)
                .hint("draw more cases, declare counts for these strata, or exclude them by a criterion"),
        );
    }
    taken.sort_unstable();
    found.drawn = taken;
    Ok(found)
}

/// Cases of one stratum in the order in which they are taken.
struct Quota {
    name: String,
    places: Vec<usize>,
    wanted: Option<u64>,
}

fn quotas(cases: &[Case], pool: &[usize], sample: &Sample) -> Vec<Quota> {
    let labelled = |label| -> Vec<usize> {
        pool.iter().copied().filter(|index| cases[*index].source_label == Some(label)).collect()
    };
    let everybody = |wanted| vec![Quota { name: String::new(), places: pool.to_vec(), wanted }];
    let Some(target) = sample.target else { return everybody(None) };
    if let SampleMethod::Stratified { by, counts } = &sample.method {
        return strata(cases, pool, by, counts, target.cases);
    }
    let Some(positives) = target.positives else { return everybody(Some(target.cases)) };
    let quota = |name: &str, label, wanted| Quota {
        name: name.to_owned(),
        places: labelled(label),
        wanted: Some(wanted),
    };
    vec![
        quota("source label positive", true, positives),
        quota("source label negative", false, target.cases.saturating_sub(positives)),
    ]
}

/// Levels of the columns, each stratum with its share of `cases` by the largest remainders (Hamilton), or
/// with what is declared. A declared stratum that no case is in is there with none.
fn strata(cases: &[Case], pool: &[usize], by: &[String], counts: &[StratumCount], total: u64) -> Vec<Quota> {
    let columns: Vec<Column> = by
        .iter()
        .map(|name| Column { name: name.clone(), kind: crate::dataset::other_columns::CellKind::Text })
        .collect();
    let mut places: BTreeMap<Vec<String>, Vec<usize>> = BTreeMap::new();
    for index in pool {
        let levels = columns.iter().map(|column| level(column, &cases[*index])).collect();
        places.entry(levels).or_default().push(*index);
    }
    let mut wanted: BTreeMap<Vec<String>, u64> = BTreeMap::new();
    if counts.is_empty() {
        let all = pool.len() as u128;
        let share = |n: usize| u128::from(total.min(pool.len() as u64)) * n as u128;
        let mut rest: Vec<(u128, &Vec<String>)> = Vec::new();
        let mut given = 0;
        for (levels, of) in &places {
            let whole = (share(of.len()) / all) as u64;
            wanted.insert(levels.clone(), whole);
            given += whole;
            rest.push((share(of.len()) % all, levels));
        }
        // The larger remainder first; of equal ones the stratum whose name comes first.
        rest.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        let open = total.min(pool.len() as u64).saturating_sub(given) as usize;
        for (_, levels) in rest.into_iter().take(open) {
            *wanted.entry(levels.clone()).or_default() += 1;
        }
        // What nobody can give is lacking as a whole, and is said of the largest stratum.
        let short = total.saturating_sub(pool.len() as u64);
        if let Some((levels, _)) = places.iter().max_by_key(|(_, of)| of.len()) {
            *wanted.entry(levels.clone()).or_default() += short;
        }
    } else {
        for count in counts {
            wanted.insert(count.levels.clone(), count.cases);
            places.entry(count.levels.clone()).or_default();
        }
    }
    places
        .into_iter()
        .map(|(levels, places)| Quota {
            name: levels.join(", "),
            wanted: Some(wanted.get(&levels).copied().unwrap_or(0)),
            places,
        })
        .collect()
}

fn level(column: &Column, case: &Case) -> String {
    match column.datum(case) {
        Some(Datum::Text(text)) => text,
        Some(Datum::Number(number)) => number.to_string(),
        None => NOT_RECORDED.to_owned(),
    }
}

/// By the day, then by the case id.
fn by_day(cases: &[Case], pool: &mut [usize], order_by: &str) -> Result<(), Diagnostic> {
    let column = Column { name: order_by.to_owned(), kind: crate::dataset::other_columns::CellKind::Date };
    let day = |index: &usize| match column.datum(&cases[*index]) {
        Some(Datum::Number(day)) => Some(day),
        _ => None,
    };
    let without: Vec<&str> = pool
        .iter()
        .filter(|index| day(index).is_none())
        .map(|index| cases[*index].case_id.as_str())
        .collect();
    if !without.is_empty() {
        let message = format!(
            "{} eligible cases have no `{order_by}`, so nobody knows whether they came first: {}",
            without.len(),
            few::and_so_on(&without, 10)
        );
        return Err(Diagnostic::error(Code::SampleOrderMissing, message).hint(format!(
            "fill the column, or exclude such cases by a criterion of kind `rule`: {column} is not missing"
        )));
    }
    pool.sort_by(|a, b| {
        let (first, second) = (day(a).unwrap_or(f64::NAN), day(b).unwrap_or(f64::NAN));
        first.total_cmp(&second).then_with(|| cases[*a].case_id.cmp(&cases[*b].case_id))
    });
    Ok(())
}

/// What was asked for and what is there.
fn shortage(sample: &Sample, strata: &[Stratum]) -> String {
    match (&sample.method, strata) {
        (SampleMethod::Stratified { counts, .. }, _) if !counts.is_empty() => {
            let short = strata.iter().filter(|s| s.lacking() > 0);
            let told: Vec<String> =
                short.map(|s| format!("{}: {} of {}", s.name, s.pool, s.wanted.unwrap_or(0))).collect();
            format!("strata have fewer eligible cases than are asked for: {}", told.join("; "))
        }
        (SampleMethod::Random | SampleMethod::Enriched, [positive, negative]) => format!(
            "the target is {} cases with and {} without the source label; eligible are {} and {}",
            positive.wanted.unwrap_or(0),
            negative.wanted.unwrap_or(0),
            positive.pool,
            negative.pool
        ),
        _ => {
            let wanted: u64 = strata.iter().filter_map(|stratum| stratum.wanted).sum();
            let pool: u64 = strata.iter().map(|stratum| stratum.pool).sum();
            format!("the target is {wanted} cases; eligible are {pool}")
        }
    }
}

fn too_few(message: &str) -> Diagnostic {
    Diagnostic::error(Code::TooFewEligible, message).hint(
        "collect more cases, or lower `sample.cases` and `sample.positives` in a new version of the \
         protocol, before any score is seen",
    )
}

#[cfg(test)]
mod tests;
