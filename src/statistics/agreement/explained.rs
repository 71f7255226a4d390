//! What stands beside a coefficient of agreement on a two-valued finding, so that it is not read alone: the
//! share of agreeing reads, how one-sided the answers are (prevalence index), and how the two readers' rates
//! differ (bias index), after Byrt, Bishop and Carlin 1993.

use super::estimates::{Clustered, Clusters, has_several};
use super::{Coefficient, gwet_ac1};
use crate::estimate::{Estimate, Interval, IntervalMethod};
use crate::proportion::clopper_pearson;
use crate::warning::Warning;
use sequester_diagnostic::Code;

/// Answers of two readers on the cases that both decided: both yes, first alone, second alone, both no.
fn counts(table: &[Vec<Option<bool>>]) -> [u64; 4] {
    let mut counts = [0; 4];
    for row in table {
        if let [Some(first), Some(second)] = row[..] {
            counts[usize::from(!first) * 2 + usize::from(!second)] += 1;
        }
    }
    counts
}

/// Of every pair of readers (`model` is "R1 vs R2"): `percent_agreement`, `gwet_ac1`, `prevalence_index` and
/// `bias_index`, on the cases that both decided. Intervals are Clopper and Pearson's and Gwet's; where a
/// patient has several such cases those of a bootstrap of patients. The two indices describe these reads and
/// have none.
pub fn pairs(
    readers: &[String],
    table: &[Vec<Option<bool>>],
    level: f64,
    clusters: Option<&Clusters<'_>>,
) -> Vec<Estimate> {
    let mut found = Vec::new();
    for first in 0..readers.len() {
        for second in first + 1..readers.len() {
            let of = |row: &Vec<Option<bool>>, reader: usize| row.get(reader).copied().flatten();
            let both = |row: &Vec<Option<bool>>| match (of(row, first), of(row, second)) {
                (Some(a), Some(b)) => vec![Some(a), Some(b)],
                _ => vec![None, None],
            };
            let two: Vec<Vec<Option<bool>>> = table.iter().map(both).collect();
            let is_clustered = clusters.is_some_and(|clusters| has_several(&two, clusters.patients));
            found.push((first, second, is_clustered, unclustered(&two, level)));
        }
    }
    // Every pair is of the same patients: they are drawn once for all.
    if found.iter().any(|(.., is_clustered, _)| *is_clustered)
        && let Some((clustered, weighted)) = Clustered::of(table, level, clusters)
    {
        let pairs = || found.iter().filter(|(.., is_clustered, _)| *is_clustered);
        let statistics: Vec<_> =
            pairs().map(|(a, b, ..)| (weighted.share(*a, *b), weighted.ac1_of_two(*a, *b, 2))).collect();
        let estimates = found
            .iter_mut()
            .filter(|(.., is_clustered, _)| *is_clustered)
            .flat_map(|(.., [agreement, ac1, _, _])| [agreement, ac1])
            .collect();
        clustered.put_all(estimates, |weights| {
            let weighting = weighted.weighting(weights);
            statistics.iter().flat_map(|(share, ac1)| [share(&weighting), ac1(&weighting)]).collect()
        });
    }
    let named = |(first, second, is_clustered, mut estimates): (usize, usize, bool, [Estimate; 4])| {
        if is_clustered {
            without_spread(&mut estimates[0]);
        }
        let name = format!("{} vs {}", readers[first], readers[second]);
        estimates.map(|estimate| Estimate { model: Some(name.clone()), ..estimate })
    };
    found.into_iter().flat_map(named).collect()
}

/// The four numbers of one pair; every row has two entries, both or none of them given.
pub fn pair(two: &[Vec<Option<bool>>], level: f64, clusters: Option<&Clusters<'_>>) -> Vec<Estimate> {
    let mut found = unclustered(two, level);
    if let Some((clustered, weighted)) = Clustered::of(two, level, clusters) {
        let [agreement, ac1, _, _] = &mut found;
        let (share, ac1_of_two) = (weighted.share(0, 1), weighted.ac1_of_two(0, 1, 2));
        clustered.put_all(vec![agreement, ac1], |weights| {
            let weighting = weighted.weighting(weights);
            vec![share(&weighting), ac1_of_two(&weighting)]
        });
        without_spread(&mut found[0]);
    }
    found.into()
}

/// The same four where every case is of another patient.
fn unclustered(two: &[Vec<Option<bool>>], level: f64) -> [Estimate; 4] {
    let [yes, first, second, no] = counts(two);
    let n = yes + first + second + no;
    let mut agreement = Estimate { id: "percent_agreement".into(), n, ..Estimate::default() };
    let mut ac1 = Estimate { id: "gwet_ac1".into(), n, ..Estimate::default() };
    let index = |id: &str, a: u64, b: u64| Estimate {
        id: id.into(),
        n,
        value: (n > 0).then(|| a.abs_diff(b) as f64 / n as f64),
        not_evaluable: (n == 0).then(|| NO_CASE.to_owned()),
        ..Estimate::default()
    };
    let (prevalence, bias) = (index("prevalence_index", yes, no), index("bias_index", first, second));
    if n == 0 {
        agreement.not_evaluable = Some(NO_CASE.to_owned());
        ac1.not_evaluable = Some(NO_CASE.to_owned());
        return [agreement, ac1, prevalence, bias];
    }
    let agreed = yes + no;
    agreement.value = Some(agreed as f64 / n as f64);
    agreement.numerator = Some(agreed);
    agreement.denominator = Some(n);
    let limits = clopper_pearson(agreed, n, level);
    agreement.intervals.push(Interval::closed(IntervalMethod::ClopperPearson, level, limits));
    let found: Option<Coefficient> = gwet_ac1(two, 2);
    [agreement, super::estimates::of_coefficient("gwet_ac1", found, NO_CASE, level), prevalence, bias]
}

/// Says what it means where a share has no interval of patients.
fn without_spread(agreement: &mut Estimate) {
    if agreement.value.is_some() && agreement.intervals.is_empty() {
        agreement.warnings.retain(|warning| warning.code != Code::NoSpread);
        agreement.warnings.push(Warning::new(
            Code::NoSpread,
            "the two agree on every case, or on none, of patients with several cases: there is no \
             interval that leaves patients together",
        ));
    }
}

const NO_CASE: &str = "the two have no case in common";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::ResamplingUnit;

    fn table(text: &str) -> Vec<Vec<Option<bool>>> {
        let one = |c: char| match c {
            '+' => Some(true),
            '-' => Some(false),
            _ => None,
        };
        text.split_whitespace().map(|row| row.chars().map(one).collect()).collect()
    }

    fn values(found: &[Estimate]) -> Vec<(&str, Option<f64>)> {
        found.iter().map(|e| (e.id.as_str(), e.value)).collect()
    }

    /// Byrt, Bishop and Carlin 1993: (a − d)/n and (b − c)/n; the paradox of Feinstein and Cicchetti 1990:
    /// high agreement with a low kappa where nearly all answers are alike.
    #[test]
    fn one_sided_answers_are_told_beside_a_low_kappa() {
        let rows = "++ ".repeat(90) + &"+- ".repeat(6) + &"-+ ".repeat(3) + "--";
        let two = table(&rows);
        let found = pairs(&["R1".to_owned(), "R2".to_owned()], &two, 0.95, None);
        assert_eq!(values(&found)[..1], [("percent_agreement", Some(0.91))],);
        assert_eq!(values(&found)[2..], [("prevalence_index", Some(0.89)), ("bias_index", Some(0.03))]);
        assert!(found.iter().all(|e| e.model.as_deref() == Some("R1 vs R2") && e.n == 100));
        let kappa = super::super::cohen(&two, 0, 1).kappa.expect("kappa").value;
        assert!(kappa < 0.2 && found[1].value > Some(0.89), "{kappa} {found:?}");
        assert_eq!((found[0].numerator, found[0].denominator), (Some(91), Some(100)));
        assert_eq!(found[0].intervals[0].method, IntervalMethod::ClopperPearson);
    }

    #[test]
    fn cases_that_one_did_not_decide_do_not_count_and_patients_stay_together() {
        let two = table("++ +- .- -- +. -- ++");
        let readers = ["R1".to_owned(), "R2".to_owned()];
        let alone = pairs(&readers, &two, 0.95, None);
        assert_eq!(alone[0].n, 5);
        assert_eq!(alone[2].value, Some(0.0));
        // The patient with two cases decided only one of them twice.
        let patients = [0, 1, 2, 2, 3, 4, 5];
        let apart = Clusters { patients: &patients, replicates: 200, seed: 3 };
        assert_eq!(pairs(&readers, &two, 0.95, Some(&apart)), alone);
        let patients = [0, 0, 1, 2, 3, 2, 4];
        let together = Clusters { patients: &patients, replicates: 200, seed: 3 };
        let found = pairs(&readers, &two, 0.95, Some(&together));
        for estimate in &found[..2] {
            assert_eq!(estimate.intervals[0].unit, Some(ResamplingUnit::Patient), "{estimate:?}");
        }
        let nobody = pairs(&readers, &table("+. .-"), 0.95, None);
        assert!(nobody.iter().all(|e| e.value.is_none() && e.not_evaluable.is_some()), "{nobody:?}");
    }
}
