//! `sequester design noninferiority | precision | calibration`.

use clap::Args;
use serde_json::{Value, json};

use super::clusters::{Clusters, cases_in_all, checked_share, effect_text, whole};
use super::domain::usage;
use crate::diagnostic::Result;
use crate::statistics::design::{AucVariance, width_size};
use crate::statistics::sizing::{PairedShares, auc_width_size, calibration_size};

/// What a sensitivity or specificity on the same cases as a predicate's needs to be shown not to be worse by
/// a margin.
#[derive(Debug, Args)]
pub struct NoninferiorityArgs {
    /// The sensitivity or specificity that the device is expected to have.
    #[arg(long, value_name = "P")]
    expected: f64,
    /// That of the predicate, or of an earlier version, on the same cases.
    #[arg(long, value_name = "P")]
    predicate: f64,
    /// By how much the device may be worse.
    #[arg(long, value_name = "D")]
    margin: f64,
    /// Share of cases in which exactly one of both is right [default: as if they erred independently].
    #[arg(long, value_name = "P")]
    discordant: Option<f64>,
    /// Wanted power.
    #[arg(long, value_name = "P", default_value_t = 0.9)]
    power: f64,
    /// Two-sided confidence level.
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95)]
    level: f64,
    /// Share of the cases that count: the prevalence for a sensitivity, one minus it for a specificity.
    #[arg(long, value_name = "P")]
    share: Option<f64>,
    /// Also give the power of a study with this many cases that count.
    #[arg(long, value_name = "N")]
    cases: Option<u64>,
    #[command(flatten)]
    clusters: Clusters,
}

/// What is to be known with a half width.
#[derive(Debug, Args)]
pub struct PrecisionArgs {
    /// Of what: a share such as a sensitivity, or an AUC.
    #[arg(long, value_name = "MEASURE", value_parser = ["proportion", "auc"], default_value = "proportion")]
    measure: String,
    /// The value that it is expected to have.
    #[arg(long, value_name = "P")]
    expected: f64,
    /// Wanted half width of its interval.
    #[arg(long, value_name = "D")]
    half_width: f64,
    /// Two-sided confidence level.
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95)]
    level: f64,
    /// Of an AUC: negative cases for each positive one; 1 is a balanced set.
    #[arg(long, value_name = "RATIO", default_value_t = 1.0)]
    negatives_per_positive: f64,
    /// Of a share: the share of the cases that count, such as the prevalence for a sensitivity.
    #[arg(long, value_name = "P")]
    share: Option<f64>,
    #[command(flatten)]
    clusters: Clusters,
}

/// What a calibration needs to be known well enough.
#[derive(Debug, Args)]
pub struct CalibrationArgs {
    /// The AUC that the device is expected to have, above .5.
    #[arg(long, value_name = "AUC")]
    expected: f64,
    /// Prevalence among the cases: that of intended use, where calibration is to hold.
    #[arg(long, value_name = "P")]
    prevalence: f64,
    /// Wanted width of the interval of the ratio of observed to expected positives, around 1.
    #[arg(long, value_name = "W", default_value_t = 0.2)]
    ratio_width: f64,
    /// Wanted width of the interval of the calibration slope.
    #[arg(long, value_name = "W", default_value_t = 0.3)]
    slope_width: f64,
    /// Two-sided confidence level.
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95)]
    level: f64,
    #[command(flatten)]
    clusters: Clusters,
}

/// The design of a non-inferiority of paired shares.
///
/// # Errors
/// `Error::Usage` where no table has these shares, or no size suffices.
pub fn noninferiority(args: &NoninferiorityArgs) -> Result<(Value, String)> {
    checked_share(args.share)?;
    let discordant =
        args.discordant.unwrap_or_else(|| PairedShares::independent(args.expected, args.predicate));
    let pair = PairedShares::new(args.expected, args.predicate, discordant).ok_or_else(|| {
        usage(
            format!(
                "no pairs are right with {} and {}, and discordant with {discordant}",
                args.expected, args.predicate
            ),
            "shares lie between 0 and 1; they differ by at most the share of discordant pairs, which is at \
             most as large as if never both were right or both wrong",
        )
    })?;
    let (effect, alpha) = (args.clusters.effect()?, (1.0 - args.level) / 2.0);
    let size = pair.size(args.margin, alpha, args.power).ok_or_else(|| {
        usage(
            format!("--margin {}, --power {}, --level {}", args.margin, args.power, args.level),
            "each lies between 0 and 1; a device that is expected to be worse by the margin or more is not \
             shown to be no worse by any number of cases",
        )
    })?;
    let counted = whole(size * effect);
    let mut text = format!(
        "Share {} against {} on the same cases, discordant {discordant:.4}; not worse by {} at a one-sided \
         alpha of {alpha:.4}, power {}\n  {counted} cases that count (score test of Tango 1998, size by Nam \
         1997)",
        args.expected, args.predicate, args.margin, args.power
    );
    let mut report = json!({"what": "noninferiority", "expected": args.expected, "predicate": args.predicate,
        "margin": args.margin, "discordant": discordant, "power": args.power, "level": args.level,
        "design_effect": effect, "method": "tango", "cases": counted});
    cases_in_all(args.share, counted, &mut text, &mut report);
    if let Some(cases) = args.cases {
        let power = pair.power(args.margin, cases as f64 / effect, alpha);
        text += &match power {
            Some(power) => format!("\n  {cases} cases that count have power {power:.3}"),
            None => format!("\n  {cases} cases are too few"),
        };
        report["power_of"] = json!({"cases": cases, "power": power});
    }
    text += &effect_text(effect);
    Ok((report, text))
}

/// The design of a half width.
///
/// # Errors
/// `Error::Usage` for numbers outside their domain, and where no size suffices.
pub fn precision(args: &PrecisionArgs) -> Result<(Value, String)> {
    checked_share(args.share)?;
    let effect = args.clusters.effect()?;
    let none = || {
        usage(
            format!("no size gives {} \u{b1} {}", args.expected, args.half_width),
            "expected value and level lie between 0 and 1, the half width above 0; at most a million cases",
        )
    };
    let mut text = format!("{} \u{b1} {} at level {}", args.expected, args.half_width, args.level);
    let mut sizes = Vec::new();
    if args.measure == "auc" {
        let variances = [
            ("hanley-mcneil", "Hanley and McNeil (1982)", AucVariance::HanleyMcneil),
            ("obuchowski", "Obuchowski and McClish (1997), binormal", AucVariance::Obuchowski),
        ];
        for (id, name, variance) in variances {
            let ratio = args.negatives_per_positive;
            let size = auc_width_size(variance, args.expected, ratio, args.half_width, args.level)
                .ok_or_else(none)?;
            let (m, n) = (whole(size.positives * effect), whole(size.negatives * effect));
            text += &format!("\n  {name}: {m} positive and {n} negative cases, {} together", m + n);
            sizes.push(json!({"method": id, "positives": m, "negatives": n, "cases": m + n}));
        }
    } else {
        let expected = Some(args.expected).filter(|p| *p > 0.0 && *p < 1.0).ok_or_else(none)?;
        for (id, name, by_wilson) in
            [("clopper-pearson", "Clopper and Pearson (1934)", false), ("wilson", "Wilson (1927)", true)]
        {
            let n = width_size(expected, 2.0 * args.half_width, args.level, by_wilson).ok_or_else(none)?;
            let counted = whole(n as f64 * effect);
            text += &format!("\n  {name}: {counted} cases that count");
            let mut size = json!({"method": id, "cases": counted});
            if let Some(share) = args.share {
                let all = whole(counted as f64 / share);
                text += &format!(", {all} in all");
                size["cases_in_all"] = json!(all);
            }
            sizes.push(size);
        }
    }
    text += &effect_text(effect);
    let report = json!({"what": "precision", "measure": args.measure, "expected": args.expected,
        "half_width": args.half_width, "level": args.level, "design_effect": effect, "sizes": sizes});
    Ok((report, text))
}

/// The design of a calibration.
///
/// # Errors
/// `Error::Usage` for numbers outside their domain.
pub fn calibration(args: &CalibrationArgs) -> Result<(Value, String)> {
    let effect = args.clusters.effect()?;
    let size =
        calibration_size(args.expected, args.prevalence, args.ratio_width, args.slope_width, args.level)
            .ok_or_else(|| {
                usage(
                    format!(
                        "no size follows from an AUC of {} and a prevalence of {}",
                        args.expected, args.prevalence
                    ),
                    "the AUC lies between 0.5 and 1, prevalence and level between 0 and 1, widths above 0",
                )
            })?;
    let (ratio, slope) = (whole(size.observed_to_expected * effect), whole(size.slope * effect));
    let cases = ratio.max(slope);
    let positives = whole(cases as f64 * args.prevalence);
    let text = format!(
        "Calibration at a prevalence of {}, AUC {}, intervals at level {} (Riley et al. 2021)\n  {ratio} \
         cases for observed to expected within a width of {}\n  {slope} cases for a slope within a width of \
         {}\n  {cases} cases for both, about {positives} of them positive{}",
        args.prevalence,
        args.expected,
        args.level,
        args.ratio_width,
        args.slope_width,
        effect_text(effect)
    );
    let report = json!({"what": "calibration", "expected": args.expected, "prevalence": args.prevalence,
        "ratio_width": args.ratio_width, "slope_width": args.slope_width, "level": args.level,
        "design_effect": effect, "cases_for_ratio": ratio, "cases_for_slope": slope, "cases": cases,
        "positives": positives});
    Ok((report, text))
}
