//! `sequester design`: how many cases, with what power, against which goal; before a protocol is written.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::clusters::{Clusters, cases_in_all, checked_share, effect_text, whole};
use super::domain::usage;
use super::{Context, Outcome, comparison_design, cusum_design, mrmc, sizes};
use crate::diagnostic::Result;
use crate::statistics::design;
use crate::statistics::design::{AucVariance, Size};

/// Plan a study: sample size, power and performance goals.
///
/// Sizes are for independent cases; give --images-per-patient and --icc where patients have several images,
/// and every size is multiplied by the design effect. An acceptance criterion "lower bound above the goal" at
/// level 0.95 is a test at a one-sided alpha of 0.025, which is what these commands plan for.
#[derive(Debug, Args)]
pub struct DesignArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// An AUC whose lower confidence bound is to exceed a goal.
    Auc(AucArgs),
    /// A sensitivity or specificity whose exact lower bound is to exceed a goal.
    Proportion(ProportionArgs),
    /// The difference of two AUCs on the same cases, from a pilot.
    Difference(DifferenceArgs),
    /// Sensitivity and specificity that give a wanted PPV and NPV at a prevalence.
    Goals(GoalsArgs),
    /// A sensitivity or specificity that is to be shown not worse than a predicate's on the same cases.
    Noninferiority(sizes::NoninferiorityArgs),
    /// A device against a predicate: superiority, non-inferiority or equivalence of a share or an AUC.
    Comparison(Box<comparison_design::ComparisonArgs>),
    /// A share or an AUC that is to be known with a half width.
    Precision(sizes::PrecisionArgs),
    /// A calibration that is to be known well enough.
    Calibration(sizes::CalibrationArgs),
    Mrmc(mrmc::MrmcDesignArgs),
    Cusum(cusum_design::CusumDesignArgs),
}

#[derive(Debug, Args)]
struct AucArgs {
    /// The AUC that the device is expected to have.
    #[arg(long, value_name = "AUC")]
    expected: f64,
    /// The goal that its lower confidence bound is to exceed.
    #[arg(long, value_name = "AUC")]
    goal: f64,
    /// Wanted power.
    #[arg(long, value_name = "P", default_value_t = 0.9)]
    power: f64,
    /// Two-sided confidence level.
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95)]
    level: f64,
    /// Negative cases for each positive one; 1 is a balanced set.
    #[arg(long, value_name = "RATIO", default_value_t = 1.0)]
    negatives_per_positive: f64,
    /// Also give the power of a study with this many cases.
    #[arg(long, value_name = "N")]
    cases: Option<u64>,
    #[command(flatten)]
    clusters: Clusters,
}

#[derive(Debug, Args)]
struct ProportionArgs {
    /// The sensitivity or specificity that the device is expected to have.
    #[arg(long, value_name = "P")]
    expected: f64,
    /// The goal that its exact (Clopper-Pearson) lower bound is to exceed.
    #[arg(long, value_name = "P")]
    goal: f64,
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

#[derive(Debug, Args)]
struct DifferenceArgs {
    /// The difference that is to be shown.
    #[arg(long, value_name = "D", allow_negative_numbers = true)]
    difference: f64,
    /// Standard error of the difference in the pilot (`sequester metrics --compare` prints it in JSON).
    #[arg(long, value_name = "SE")]
    pilot_se: f64,
    /// Positive cases of the pilot.
    #[arg(long, value_name = "N")]
    pilot_positives: u64,
    /// Negative cases of the pilot.
    #[arg(long, value_name = "N")]
    pilot_negatives: u64,
    /// Wanted power.
    #[arg(long, value_name = "P", default_value_t = 0.9)]
    power: f64,
    /// Two-sided significance level.
    #[arg(long, value_name = "ALPHA", default_value_t = 0.05)]
    alpha: f64,
    /// Show that the device is not worse by this much, instead of a difference from 0.
    #[arg(long, value_name = "D")]
    margin: Option<f64>,
}

#[derive(Debug, Args)]
struct GoalsArgs {
    /// Wanted PPV.
    #[arg(long, value_name = "P")]
    ppv: f64,
    /// Wanted NPV.
    #[arg(long, value_name = "P")]
    npv: f64,
    /// Prevalence in intended use.
    #[arg(long, value_name = "P")]
    prevalence: f64,
}

/// Runs the command.
///
/// # Errors
/// `Error::Usage` for numbers outside their domain, and where no size suffices.
pub fn run(args: &DesignArgs, context: Context) -> Result<Outcome> {
    let (mut report, text) = match &args.what {
        What::Auc(args) => auc(args),
        What::Proportion(args) => proportion(args),
        What::Difference(args) => difference(args),
        What::Goals(args) => goals(args),
        What::Noninferiority(args) => sizes::noninferiority(args),
        What::Comparison(args) => comparison_design::comparison(args),
        What::Precision(args) => sizes::precision(args),
        What::Calibration(args) => sizes::calibration(args),
        What::Mrmc(args) => mrmc::run_design(args),
        What::Cusum(args) => cusum_design::cusum(args),
    }?;
    if context.json {
        report["format"] = json!("sequester-design/1");
        println!("{report:#}");
    } else {
        println!("{text}");
    }
    Ok(Outcome::Done)
}

/// The expected value lies above the goal, both inside (0, 1), as do power and level.
fn checked(expected: f64, goal: f64, power: f64, level: f64) -> Result<()> {
    let inside = |p: f64| p > 0.0 && p < 1.0;
    if !(inside(expected) && inside(goal) && inside(power) && inside(level)) {
        return Err(usage(
            format!("--expected {expected}, --goal {goal}, --power {power}, --level {level}"),
            "each lies between 0 and 1, both excluded",
        ));
    }
    if expected <= goal {
        return Err(usage(
            format!("--expected {expected} is not above --goal {goal}"),
            "no number of cases shows that a device is better than it is",
        ));
    }
    Ok(())
}

fn auc(args: &AucArgs) -> Result<(Value, String)> {
    checked(args.expected, args.goal, args.power, args.level)?;
    let ratio = args.negatives_per_positive;
    if !(ratio > 0.0 && ratio.is_finite()) {
        return Err(usage(format!("--negatives-per-positive {ratio} is not above 0"), "use 1, say"));
    }
    let (effect, alpha) = (args.clusters.effect()?, 1.0 - args.level);
    let mut text = format!(
        "AUC expected {}, lower bound at level {} to exceed {}, power {}",
        args.expected, args.level, args.goal, args.power
    );
    let mut methods = Vec::new();
    for (id, name, variance) in [
        ("hanley-mcneil", "Hanley and McNeil (1982)", AucVariance::HanleyMcneil),
        ("obuchowski", "Obuchowski and McClish (1997), binormal", AucVariance::Obuchowski),
    ] {
        let size = design::auc_size(variance, args.expected, args.goal, ratio, alpha, args.power)
            .ok_or_else(|| usage("no size has this power", "lower the goal or the power"))?;
        let (m, n) = (whole(size.positives * effect), whole(size.negatives * effect));
        text += &format!("\n  {name}: {m} positive and {n} negative cases, {} together", m + n);
        let mut method = json!({"method": id, "positives": m, "negatives": n, "cases": m + n});
        if let Some(cases) = args.cases {
            let positives = cases as f64 / (1.0 + ratio) / effect;
            let size = Size { positives, negatives: positives * ratio };
            let power = design::auc_bound_power(variance, args.expected, args.goal, size, args.level);
            text += &match power {
                Some(power) => format!("; {cases} cases have power {power:.3}"),
                None => format!("; {cases} cases are too few for a variance"),
            };
            method["power_of"] = json!({"cases": cases, "power": power});
        }
        methods.push(method);
    }
    text += &effect_text(effect);
    let report = json!({"what": "auc", "expected": args.expected, "goal": args.goal, "power": args.power,
        "level": args.level, "negatives_per_positive": ratio, "design_effect": effect, "sizes": methods});
    Ok((report, text))
}

fn proportion(args: &ProportionArgs) -> Result<(Value, String)> {
    checked(args.expected, args.goal, args.power, args.level)?;
    checked_share(args.share)?;
    let (effect, alpha) = (args.clusters.effect()?, (1.0 - args.level) / 2.0);
    let size = design::binomial_size(args.goal, args.expected, alpha, args.power)
        .ok_or_else(|| usage("more than a million cases would be needed", "lower the goal or the power"))?;
    let counted = whole(size.stable as f64 * effect);
    let needed = design::successes_needed(size.stable, args.goal, alpha);
    let mut text = format!(
        "Proportion expected {}, exact lower bound at level {} to exceed {}, power {}\n  {counted} cases \
         that count",
        args.expected, args.level, args.goal, args.power
    );
    if effect == 1.0 {
        text += &format!(" (power is first reached at {}, and kept from {counted} on)", size.first);
        if let Some(k) = needed {
            text += &format!("; the goal is met with {k} or more right of {counted}");
        }
    }
    let mut report = json!({"what": "proportion",
        "expected": args.expected, "goal": args.goal, "power": args.power,
        "level": args.level, "design_effect": effect, "method": "clopper-pearson", "cases_first": size.first,
        "cases": counted, "successes_needed": if effect == 1.0 { needed } else { None }});
    cases_in_all(args.share, counted, &mut text, &mut report);
    if let Some(cases) = args.cases {
        let effective = (cases as f64 / effect).floor() as u64;
        let power = design::binomial_power(effective, args.goal, args.expected, alpha);
        text += &format!("\n  {cases} cases that count have power {power:.3}");
        if let (true, Some(k)) = (effect == 1.0, design::successes_needed(cases, args.goal, alpha)) {
            text += &format!(", and the goal is met with {k} or more right");
        }
        report["power_of"] = json!({"cases": cases, "power": power});
    }
    text += &effect_text(effect);
    Ok((report, text))
}

fn difference(args: &DifferenceArgs) -> Result<(Value, String)> {
    let pilot = Size { positives: args.pilot_positives as f64, negatives: args.pilot_negatives as f64 };
    if let Some(margin) = args.margin.filter(|margin| !(*margin > 0.0 && args.difference + margin > 0.0)) {
        return Err(usage(
            format!("--margin {margin} with a difference of {}", args.difference),
            "the margin is above 0, and the device is expected to be worse by less than it",
        ));
    }
    // A lower limit above -margin: the difference to what is ruled out is larger by the margin.
    let gain = args.difference + args.margin.unwrap_or(0.0);
    let size = design::paired_auc_size(pilot, gain, args.pilot_se.powi(2), args.alpha, args.power)
        .filter(|s| s.positives > 0.0 && s.negatives > 0.0)
        .ok_or_else(|| {
            usage(
                "no size follows from these numbers",
                "the difference is not 0, the standard error above 0, the pilot has both classes, \
                     alpha and power lie between 0 and 1",
            )
        })?;
    let (m, n) = (whole(size.positives), whole(size.negatives));
    let text = format!(
        "Paired AUC difference of {}{}, two-sided alpha {}, power {}\n  \
         {m} positive and {n} negative cases, {} together",
        args.difference,
        args.margin.map_or_else(String::new, |margin| format!(", not worse by {margin}")),
        args.alpha,
        args.power,
        m + n
    );
    let report = json!({"what": "difference",
        "difference": args.difference, "margin": args.margin, "alpha": args.alpha, "power": args.power,
        "positives": m, "negatives": n, "cases": m + n});
    Ok((report, text))
}

fn goals(args: &GoalsArgs) -> Result<(Value, String)> {
    let goals = design::goals(args.ppv, args.npv, args.prevalence).ok_or_else(|| {
        usage(
            format!(
                "no device gives PPV {} and NPV {} at prevalence {}",
                args.ppv, args.npv, args.prevalence
            ),
            "the PPV lies above the prevalence, and 1 - NPV below it",
        )
    })?;
    let text = format!(
        "PPV {} and NPV {} at a prevalence of {} need\n  sensitivity {:.4}, specificity {:.4} (LR+ {:.3}, \
         LR- {:.4})",
        args.ppv,
        args.npv,
        args.prevalence,
        goals.sensitivity,
        goals.specificity,
        goals.lr_positive,
        goals.lr_negative
    );
    let report = json!({"what": "goals", "ppv": args.ppv, "npv": args.npv, "prevalence": args.prevalence,
        "sensitivity": goals.sensitivity, "specificity": goals.specificity,
        "lr_positive": goals.lr_positive, "lr_negative": goals.lr_negative});
    Ok((report, text))
}
