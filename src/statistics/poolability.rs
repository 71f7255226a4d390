//! Whether sites may be pooled: heterogeneity of the AUC, of sensitivity, specificity and prevalence between
//! sites, and what is left when each site is left out.
//!
//! A test that does not reject does not show that sites are alike: with few cases a site it has little power.
//! So every site is shown with its interval, and so is everything without it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::auc;
use crate::metric::Sample;
use crate::proportion::clopper_pearson;
use crate::ranks;
use crate::special::{binomial_density, chi_squared_sf};
use crate::warning::Warning;
use sequester_diagnostic::Code;

/// A test of equality over sites.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Heterogeneity {
    /// How it was tested.
    pub test: Test,
    /// The statistic.
    pub statistic: f64,
    /// Degrees of freedom.
    pub degrees: u64,
    /// p value of equality, from the chi-squared law.
    pub p_value: f64,
    /// p value of the exact conditional test (Freeman and Halton 1951), where cases are independent and the
    /// tables are few enough to be summed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact_p: Option<f64>,
    /// The smallest number of cases that equality would expect in a cell: below 5 the chi-squared law is
    /// rough (Cochran 1954).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smallest_expected: Option<f64>,
    /// I² (Higgins and Thompson 2002): share of the variation beyond chance, in 0..1.
    pub i_squared: f64,
    /// Sites that entered.
    pub sites: u64,
}

/// How equality over sites is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Test {
    /// Cochran's Q (1954) of estimates with their variances.
    CochranQ,
    /// Pearson's chi-squared of shares.
    PearsonChiSquared,
    /// Pearson's chi-squared of shares, each site's counts divided by its design effect (Rao and Scott 1992).
    RaoScottChiSquared,
}

impl Test {
    /// The statistic's name, for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::CochranQ => "Q",
            Self::PearsonChiSquared => "chi-squared",
            Self::RaoScottChiSquared => "Rao-Scott chi-squared",
        }
    }
}

fn heterogeneity(test: Test, statistic: f64, sites: u64) -> Heterogeneity {
    let degrees = sites - 1;
    let i_squared = if statistic > 0.0 { ((statistic - degrees as f64) / statistic).max(0.0) } else { 0.0 };
    let p_value = chi_squared_sf(statistic, degrees);
    Heterogeneity {
        test,
        statistic,
        degrees,
        p_value,
        exact_p: None,
        smallest_expected: None,
        i_squared,
        sites,
    }
}

/// Cochran's Q of estimates with their variances; those without a positive variance do not enter. None below
/// two.
pub fn cochran(estimates: &[(f64, f64)]) -> Option<Heterogeneity> {
    let usable: Vec<(f64, f64)> =
        estimates.iter().copied().filter(|e| e.0.is_finite() && e.1 > 0.0 && e.1.is_finite()).collect();
    if usable.len() < 2 {
        return None;
    }
    let weights: f64 = usable.iter().map(|e| 1.0 / e.1).sum();
    let pooled = usable.iter().map(|e| e.0 / e.1).sum::<f64>() / weights;
    let statistic = usable.iter().map(|e| (e.0 - pooled).powi(2) / e.1).sum();
    Some(heterogeneity(Test::CochranQ, statistic, usable.len() as u64))
}

/// Pearson's chi-squared test that shares k/n are equal, with the exact conditional p value where it can be
/// summed. Empty sites do not enter. None below two sites, or when nothing varies.
pub fn equal_shares(shares: &[(u64, u64)]) -> Option<Heterogeneity> {
    let usable: Vec<(u64, u64)> = shares.iter().copied().filter(|s| s.1 > 0).collect();
    let real: Vec<(f64, f64)> = usable.iter().map(|s| (s.0 as f64, s.1 as f64)).collect();
    let mut out = chi_squared_of_shares(Test::PearsonChiSquared, &real)?;
    out.exact_p = exact_p_of_shares(&usable);
    Some(out)
}

fn chi_squared_of_shares(test: Test, usable: &[(f64, f64)]) -> Option<Heterogeneity> {
    let hits: f64 = usable.iter().map(|s| s.0).sum();
    let all: f64 = usable.iter().map(|s| s.1).sum();
    if usable.len() < 2 || hits <= 0.0 || hits >= all {
        return None;
    }
    let p = hits / all;
    let statistic = usable.iter().map(|s| (s.0 - s.1 * p).powi(2) / (s.1 * p * (1.0 - p))).sum();
    let mut out = heterogeneity(test, statistic, usable.len() as u64);
    let rarer = p.min(1.0 - p);
    out.smallest_expected = usable.iter().map(|s| s.1 * rarer).reduce(f64::min);
    Some(out)
}

/// The chi-squared test of shares where patients have several cases (Rao and Scott 1992): the counts of each
/// site are divided by its design effect, the variance of its share between patients over the binomial one.
/// One list of (hits, cases) of each patient a site. A design effect that cannot be estimated (fewer than two
/// patients, a share of 0 or 1) is taken as that of patients whose cases are all alike, Σn²/Σn. None as for
/// [`equal_shares`].
pub fn equal_shares_of_patients(sites: &[Vec<(u64, u64)>]) -> Option<Heterogeneity> {
    let effective = |patients: &Vec<(u64, u64)>| -> Option<(f64, f64)> {
        let hits = patients.iter().map(|p| p.0).sum::<u64>() as f64;
        let cases = patients.iter().map(|p| p.1).sum::<u64>() as f64;
        if cases == 0.0 {
            return None;
        }
        let count = patients.iter().filter(|p| p.1 > 0).count() as f64;
        let share = hits / cases;
        let binomial = share * (1.0 - share) / cases;
        let squares: f64 = patients.iter().map(|p| (p.0 as f64 - p.1 as f64 * share).powi(2)).sum();
        let between = count / (count - 1.0) * squares / (cases * cases);
        let alike = patients.iter().map(|p| (p.1 * p.1) as f64).sum::<f64>() / cases;
        let effect = if count > 1.0 && binomial > 0.0 && between > 0.0 { between / binomial } else { alike };
        Some((hits / effect, cases / effect))
    };
    let usable: Vec<(f64, f64)> = sites.iter().filter_map(effective).collect();
    chi_squared_of_shares(Test::RaoScottChiSquared, &usable)
}

/// Most tables that an exact test sums over.
const MOST_TABLES: f64 = 3e6;

/// The exact conditional test of equal shares (Freeman and Halton 1951): given all margins, the probability
/// of tables that are no more likely than the one seen. None above [`MOST_TABLES`] tables.
fn exact_p_of_shares(shares: &[(u64, u64)]) -> Option<f64> {
    let hits: u64 = shares.iter().map(|s| s.0).sum();
    let all: u64 = shares.iter().map(|s| s.1).sum();
    // Hits and misses play the same part: count the rarer.
    let (shares, hits): (Vec<(u64, u64)>, u64) = if 2 * hits > all {
        (shares.iter().map(|s| (s.1 - s.0, s.1)).collect(), all - hits)
    } else {
        (shares.to_vec(), hits)
    };
    let mut ascending = shares;
    ascending.sort_by_key(|s| s.1);
    let tables: f64 = ascending.iter().rev().skip(1).map(|s| (s.1.min(hits) + 1) as f64).product();
    if tables > MOST_TABLES {
        return None;
    }
    let p = hits as f64 / all as f64;
    // Π C(n, k)/C(N, K) is a product of binomial densities at any one p over that of the total.
    let laws: Vec<Vec<f64>> = ascending
        .iter()
        .map(|s| (0..=s.1.min(hits)).map(|k| binomial_density(k as f64, s.1 as f64, p, 1.0 - p)).collect())
        .collect();
    let total = binomial_density(hits as f64, all as f64, p, 1.0 - p);
    let seen: f64 = ascending.iter().zip(&laws).map(|(s, law)| law[s.0 as usize]).product::<f64>() / total;
    let mut sum = 0.0;
    add_tables(&laws, hits as usize, 1.0 / total, seen * (1.0 + 1e-7), &mut sum);
    Some(sum.min(1.0))
}

/// Adds the probability of every table with `left` hits among `laws` that is at most `most`.
fn add_tables(laws: &[Vec<f64>], left: usize, before: f64, most: f64, sum: &mut f64) {
    let [law, rest @ ..] = laws else { return };
    if rest.is_empty() {
        if let Some(last) = law.get(left).map(|p| p * before).filter(|p| *p <= most) {
            *sum += last;
        }
        return;
    }
    for (k, p) in law.iter().enumerate().take(left + 1) {
        add_tables(rest, left - k, before * p, most, sum);
    }
}

/// A share with its Clopper-Pearson interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Share {
    /// Above the line.
    pub numerator: u64,
    /// Below the line.
    pub denominator: u64,
    /// None without a case below the line.
    pub value: Option<f64>,
    /// Clopper-Pearson limits, of independent cases.
    pub lower: f64,
    /// Upper limit.
    pub upper: f64,
}

impl Share {
    fn new((numerator, denominator): (u64, u64), level: f64) -> Self {
        let (lower, upper) =
            if denominator == 0 { (0.0, 1.0) } else { clopper_pearson(numerator, denominator, level) };
        let value = (denominator > 0).then(|| numerator as f64 / denominator as f64);
        Self { numerator, denominator, value, lower, upper }
    }
}

/// One site's number and that of all others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct SiteShare {
    /// At the site.
    pub at_site: Share,
    /// Of all cases of other sites.
    pub without_site: Share,
}

/// Sensitivity or specificity over sites.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct ShareOverSites {
    /// The test of equality; none where [`Self::not_evaluable`] says why.
    pub test: Option<Heterogeneity>,
    /// Why there is no test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_evaluable: Option<String>,
    /// In the order of [`Poolability::sites`].
    pub sites: Vec<SiteShare>,
}

/// One operating point over sites.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct OperatingPointOverSites {
    /// Positive is score >= threshold.
    pub threshold: f64,
    /// Among positives.
    pub sensitivity: ShareOverSites,
    /// Among negatives.
    pub specificity: ShareOverSites,
}

/// One site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Site {
    /// Its name.
    pub site: String,
    /// Cases of the site.
    pub cases: u64,
    /// Positives among them.
    pub positives: u64,
    /// AUC at the site, where both classes are there.
    pub auc: Option<f64>,
    /// Its standard error (DeLong 1988; Obuchowski 1997 where patients have several cases).
    pub auc_standard_error: Option<f64>,
    /// AUC of all cases of other sites.
    pub auc_without_site: Option<f64>,
}

/// Whether the sites agree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Poolability {
    /// Of the AUCs.
    pub auc: Option<Heterogeneity>,
    /// Of the shares of positives: sites may well differ in it, and PPV, NPV and F1 with it.
    pub prevalence: Option<Heterogeneity>,
    /// One entry a threshold.
    pub operating_points: Vec<OperatingPointOverSites>,
    /// Every site, in the order of its id.
    pub sites: Vec<Site>,
    /// Level of the intervals.
    pub level: f64,
    /// Things to know, as `code: message`.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "crate::warning::texts")]
    #[cfg_attr(feature = "schemas", schemars(with = "Vec<String>", inner(regex(pattern = "^[a-z0-9-]+: "))))]
    pub warnings: Vec<Warning>,
}

/// Everything about the sites of a sample. `names` are those of the site ids 0, 1, ...; None where the sample
/// has no sites or fewer than two.
pub fn poolability(
    sample: &Sample<'_>,
    thresholds: &[f64],
    names: &[String],
    level: f64,
) -> Option<Poolability> {
    let sites = sample.sites?;
    let mut ids = sites.to_vec();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() < 2 {
        return None;
    }
    let clusters = sample.patients.map(ranks::dense_ids);
    // Patients only matter where one has several cases.
    let clusters = clusters.filter(|(_, count)| *count < sample.labels.len()).map(|(ids, _)| ids);
    let rows_of =
        |keep: &dyn Fn(u32) -> bool| -> Vec<usize> { (0..sites.len()).filter(|&i| keep(sites[i])).collect() };
    let mut listed = Vec::new();
    let mut aucs = Vec::new();
    for &id in &ids {
        let (here, there) = (rows_of(&|s| s == id), rows_of(&|s| s != id));
        let columns = |rows: &[usize]| -> (Vec<bool>, Vec<f64>) {
            rows.iter().map(|&i| (sample.labels[i], sample.scores[i])).unzip()
        };
        let (own, others) = (columns(&here), columns(&there));
        let auc = auc::auc(&own.0, &own.1);
        let variance = match &clusters {
            Some(patients) => {
                let patients: Vec<u32> = here.iter().map(|&i| patients[i]).collect();
                auc::obuchowski_variance(&own.0, &own.1, &patients)
            }
            None => auc::auc_sums(&own.0, &own.1).delong_variance(),
        };
        aucs.extend(auc.zip(variance));
        listed.push(Site {
            site: names.get(id as usize).cloned().unwrap_or_else(|| id.to_string()),
            cases: here.len() as u64,
            positives: own.0.iter().filter(|l| **l).count() as u64,
            auc,
            auc_standard_error: variance.filter(|v| *v >= 0.0).map(f64::sqrt),
            auc_without_site: auc::auc(&others.0, &others.1),
        });
    }
    let over_sites = |counted: &dyn Fn(usize) -> Option<bool>, what: &str| {
        share_over_sites(sites, &ids, clusters.as_deref(), counted, what, level)
    };
    let operating_points: Vec<OperatingPointOverSites> = thresholds
        .iter()
        .map(|&threshold| OperatingPointOverSites {
            threshold,
            sensitivity: over_sites(
                &|i| sample.labels[i].then(|| sample.scores[i] >= threshold),
                "positive cases",
            ),
            specificity: over_sites(
                &|i| (!sample.labels[i]).then(|| sample.scores[i] < threshold),
                "negative cases",
            ),
        })
        .collect();
    let prevalence = over_sites(&|i| Some(sample.labels[i]), "cases").test;
    let mut warnings = Vec::new();
    if clusters.is_some() {
        warnings.push(Warning::new(
            Code::ClusteringIgnored,
            "the Clopper-Pearson intervals of each site take several cases of one patient as \
             independent; the tests do not",
        ));
    }
    let entered = aucs.iter().filter(|a| a.1 > 0.0).count();
    if entered < ids.len() {
        warnings.push(Warning::new(
            Code::SitesLeftOut,
            format!(
                "{} of {} sites have no AUC with a variance above zero and do not enter the test of AUCs",
                ids.len() - entered,
                ids.len()
            ),
        ));
    }
    let rough = operating_points
        .iter()
        .flat_map(|o| [&o.sensitivity, &o.specificity])
        .filter_map(|s| s.test.as_ref())
        .filter_map(|t| t.smallest_expected)
        .any(|e| e < 5.0);
    if rough {
        warnings.push(Warning::new(
            Code::SmallExpectation,
            "equality expects fewer than 5 cases in a cell, so the chi-squared law is rough \
             (Cochran 1954); the exact p value is not",
        ));
    }
    Some(Poolability { auc: cochran(&aucs), prevalence, operating_points, sites: listed, level, warnings })
}

/// The share of `counted` cases that say yes, at each site and without it.
fn share_over_sites(
    sites: &[u32],
    ids: &[u32],
    patients: Option<&[u32]>,
    counted: &dyn Fn(usize) -> Option<bool>,
    what: &str,
    level: f64,
) -> ShareOverSites {
    // Hits and cases by site and patient; without patients every case is by itself.
    let mut by_site: BTreeMap<u32, BTreeMap<u32, (u64, u64)>> = BTreeMap::new();
    let mut all = (0, 0);
    for (case, site) in sites.iter().enumerate() {
        let of_site = by_site.entry(*site).or_default();
        let Some(hit) = counted(case) else { continue };
        let count = of_site.entry(patients.map_or(0, |p| p[case])).or_default();
        count.0 += u64::from(hit);
        count.1 += 1;
        all = (all.0 + u64::from(hit), all.1 + 1);
    }
    let shares: Vec<(u64, u64)> =
        ids.iter().map(|id| by_site[id].values().fold((0, 0), |sum, c| (sum.0 + c.0, sum.1 + c.1))).collect();
    let test = match patients {
        Some(_) => {
            let lists: Vec<Vec<(u64, u64)>> =
                ids.iter().map(|id| by_site[id].values().copied().collect()).collect();
            equal_shares_of_patients(&lists)
        }
        None => equal_shares(&shares),
    };
    let filled = shares.iter().filter(|s| s.1 > 0).count();
    let not_evaluable = test.is_none().then(|| match filled {
        0 | 1 => format!("fewer than two sites have {what}"),
        _ => format!("the {what} are all called alike at every site, so nothing varies"),
    });
    let sites = shares
        .iter()
        .map(|&own| SiteShare {
            at_site: Share::new(own, level),
            without_site: Share::new((all.0 - own.0, all.1 - own.1), level),
        })
        .collect();
    ShareOverSites { test, not_evaluable, sites }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_estimates_are_homogeneous_and_far_ones_are_not() {
        let same = cochran(&[(0.8, 0.001), (0.8, 0.002), (0.8, 0.003)]).expect("test");
        assert_eq!((same.statistic, same.p_value, same.i_squared), (0.0, 1.0, 0.0));
        let far = cochran(&[(0.9, 0.0004), (0.6, 0.0004)]).expect("test");
        assert!((far.statistic - 0.09 / 0.0008).abs() < 1e-9 && far.p_value < 1e-20);
        assert_eq!(cochran(&[(0.9, 0.0), (0.6, 0.1)]), None);
    }

    #[test]
    fn two_shares_give_the_two_by_two_chi_squared() {
        // 30/100 against 45/100: n(ad−bc)²/(r1·r2·c1·c2).
        let test = equal_shares(&[(30, 100), (45, 100)]).expect("test");
        let expected = 200.0 * (30.0 * 55.0 - 45.0 * 70.0_f64).powi(2) / (100.0 * 100.0 * 75.0 * 125.0);
        assert!((test.statistic - expected).abs() < 1e-12);
        assert_eq!(equal_shares(&[(0, 10), (0, 20)]), None);
    }

    /// R 4.2.2: fisher.test(matrix(c(3,17, 9,11, 1,9, 6,4), 2))$p.value and
    /// chisq.test(..., correct = FALSE).
    #[test]
    fn the_exact_test_is_that_of_r() {
        let test = equal_shares(&[(3, 20), (9, 20), (1, 10), (6, 10)]).expect("test");
        assert!((test.exact_p.expect("few tables") - 0.017_672_666_644_773_57).abs() < 1e-12, "{test:?}");
        assert!(
            (test.statistic - 10.089_858_793_324_776).abs() < 1e-12
                && (test.p_value - 0.017_817_545_014_506_8).abs() < 1e-14,
            "{test:?}"
        );
        // Hits and misses play the same part.
        let mirrored = equal_shares(&[(17, 20), (11, 20), (9, 10), (4, 10)]).expect("test");
        assert!((mirrored.exact_p.expect("few tables") - 0.017_672_666_644_773_57).abs() < 1e-12);
    }

    #[test]
    fn the_exact_test_of_two_by_two_is_fishers() {
        // Fisher's tea: 3 of 4 against 1 of 4 has p = 34/70.
        let test = equal_shares(&[(3, 4), (1, 4)]).expect("test");
        assert!((test.exact_p.expect("few tables") - 34.0 / 70.0).abs() < 1e-14);
    }

    #[test]
    fn patients_of_one_case_have_no_design_effect_beyond_the_sample_factor() {
        let site = |k: u64, n: u64| -> Vec<(u64, u64)> { (0..n).map(|i| (u64::from(i < k), 1)).collect() };
        let plain = equal_shares(&[(30, 100), (45, 100)]).expect("test");
        let patients = equal_shares_of_patients(&[site(30, 100), site(45, 100)]).expect("test");
        // Between patients the variance has n − 1 below the line.
        assert!((patients.statistic - plain.statistic * 0.99).abs() < 1e-12, "{patients:?} {plain:?}");
        // Copies of every case within its patient add no information.
        let twice = |list: Vec<(u64, u64)>| -> Vec<(u64, u64)> {
            list.into_iter().map(|(k, n)| (2 * k, 2 * n)).collect()
        };
        let copied = equal_shares_of_patients(&[twice(site(30, 100)), twice(site(45, 100))]).expect("test");
        assert!((copied.statistic - patients.statistic).abs() < 1e-12, "{copied:?}");
        // Perfect sites have no variance to estimate: copies count once all the same.
        let perfect = equal_shares_of_patients(&[twice(site(10, 10)), twice(site(45, 100))]).expect("test");
        let single = equal_shares_of_patients(&[site(10, 10), site(45, 100)]).expect("test");
        assert!((perfect.statistic - single.statistic).abs() < 1e-12, "{perfect:?} {single:?}");
    }

    #[test]
    fn leaving_out_a_site_leaves_the_others() {
        let labels = [true, false, true, false, true, false];
        let scores = [0.9, 0.1, 0.2, 0.8, 0.7, 0.3];
        let names: Vec<String> = (0..8).map(|i| format!("S{i}")).collect();
        let sample =
            Sample { labels: &labels, scores: &scores, patients: None, sites: Some(&[5, 5, 2, 2, 7, 7]) };
        let all = poolability(&sample, &[0.5], &names, 0.95).expect("sites");
        assert_eq!(all.sites.iter().map(|s| s.site.as_str()).collect::<Vec<_>>(), ["S2", "S5", "S7"]);
        assert_eq!((all.sites[0].auc, all.sites[0].auc_standard_error), (Some(0.0), None));
        assert_eq!(all.sites[0].auc_without_site, Some(1.0));
        assert_eq!(all.auc, None);
        let sensitivity = &all.operating_points[0].sensitivity;
        let counts: Vec<(u64, u64)> =
            sensitivity.sites.iter().map(|s| (s.at_site.numerator, s.without_site.numerator)).collect();
        assert_eq!(counts, [(0, 2), (1, 1), (1, 1)]);
        // One of three is missed: any of the sites is as likely.
        assert!((sensitivity.test.expect("test").exact_p.expect("few tables") - 1.0).abs() < 1e-14);
        let one = Sample { sites: Some(&[1; 6]), ..sample };
        assert_eq!(poolability(&one, &[0.5], &names, 0.95), None);
        // Everything is called positive: nothing varies, and that is said.
        let low = poolability(&sample, &[0.0], &names, 0.95).expect("sites");
        assert!(
            low.operating_points[0]
                .sensitivity
                .not_evaluable
                .as_ref()
                .expect("why")
                .contains("nothing varies")
        );
    }
}
