//! Whether sites may be pooled: heterogeneity of an AUC or of a share between sites, and what is left when
//! each site is left out.

use super::roc;
use super::special::chi_squared_sf;

/// A test of equality over sites.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heterogeneity {
    /// Cochran's Q (1954), or Pearson's chi-squared for shares.
    pub statistic: f64,
    /// Degrees of freedom.
    pub degrees: u64,
    /// p value of equality.
    pub p_value: f64,
    /// I² (Higgins and Thompson 2002): share of the variation beyond chance, in 0..1.
    pub i_squared: f64,
    /// Sites that entered.
    pub sites: u64,
}

fn heterogeneity(statistic: f64, sites: u64) -> Heterogeneity {
    let degrees = sites - 1;
    let i_squared = if statistic > 0.0 { ((statistic - degrees as f64) / statistic).max(0.0) } else { 0.0 };
    let p_value = chi_squared_sf(statistic, degrees as f64);
    Heterogeneity { statistic, degrees, p_value, i_squared, sites }
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
    Some(heterogeneity(statistic, usable.len() as u64))
}

/// Pearson's chi-squared test that shares k/n are equal. Empty sites do not enter. None below two sites, or
/// when nothing varies.
pub fn equal_shares(shares: &[(u64, u64)]) -> Option<Heterogeneity> {
    let usable: Vec<(f64, f64)> =
        shares.iter().filter(|s| s.1 > 0).map(|s| (s.0 as f64, s.1 as f64)).collect();
    let hits: f64 = usable.iter().map(|s| s.0).sum();
    let all: f64 = usable.iter().map(|s| s.1).sum();
    if usable.len() < 2 || hits == 0.0 || hits == all {
        return None;
    }
    let p = hits / all;
    let statistic = usable.iter().map(|s| (s.0 - s.1 * p).powi(2) / (s.1 * p * (1.0 - p))).sum();
    Some(heterogeneity(statistic, usable.len() as u64))
}

/// One site's AUC and the AUC of all others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SiteAuc {
    /// The site's id.
    pub site: u32,
    /// Cases of the site.
    pub cases: u64,
    /// AUC at the site and its DeLong variance, where they exist.
    pub at_site: Option<(f64, Option<f64>)>,
    /// AUC of all cases of other sites.
    pub without_site: Option<f64>,
}

/// Every site, in ascending order of id. One entry a case in each slice.
pub fn by_site(labels: &[bool], scores: &[f64], sites: &[u32]) -> Vec<SiteAuc> {
    let mut ids = sites.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let only = |keep: &dyn Fn(u32) -> bool| -> (Vec<bool>, Vec<f64>) {
        (0..labels.len()).filter(|&i| keep(sites[i])).map(|i| (labels[i], scores[i])).unzip()
    };
    ids.iter()
        .map(|&site| {
            let (here, there) = (only(&|s| s == site), only(&|s| s != site));
            let sums = roc::auc_sums(&here.0, &here.1);
            SiteAuc {
                site,
                cases: here.0.len() as u64,
                at_site: sums.auc().map(|auc| (auc, sums.delong_variance())),
                without_site: roc::auc(&there.0, &there.1),
            }
        })
        .collect()
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

    #[test]
    fn leaving_out_a_site_leaves_the_others() {
        let labels = [true, false, true, false, true, false];
        let scores = [0.9, 0.1, 0.2, 0.8, 0.7, 0.3];
        let all = by_site(&labels, &scores, &[5, 5, 2, 2, 7, 7]);
        assert_eq!(all.iter().map(|s| s.site).collect::<Vec<_>>(), [2, 5, 7]);
        assert_eq!(all[0].at_site, Some((0.0, None)));
        assert_eq!(all[0].without_site, Some(1.0));
    }
}
