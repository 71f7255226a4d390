//! `sequester design comparison`: a device against a predicate, on the same cases or on different ones.

use clap::Args;
use serde_json::{Value, json};

use super::clusters::{Clusters, cases_in_all, checked_share, effect_text, whole};
use super::domain::usage;
use crate::diagnostic::Result;
use crate::statistics::comparative::Aim;
use crate::statistics::comparative::power::{Claim, ExpectedAreas, ExpectedShares};
use crate::statistics::design::Size;
use crate::statistics::sizing::{PairedShares, Uncertain, assurance};

/// What a comparison with a predicate needs: superiority, non-inferiority or equivalence of a sensitivity, a
/// specificity or an AUC, on the same cases or on different ones.
///
/// Sizes are those of the normal approximation of the test that decides: Tango's score test on the same cases
/// (Nam 1997), Farrington and Manning's (1990) on different ones, the difference of two AUCs with the
/// variance of Hanley and McNeil (1982). With --cases the power of shares is given exactly as well, as the
/// sum over every table that can come out.
#[derive(Debug, Args)]
pub struct ComparisonArgs {
    /// Of what: a share such as a sensitivity, or an AUC.
    #[arg(long, value_name = "MEASURE", value_parser = ["proportion", "auc"], default_value = "proportion")]
    measure: String,
    /// What is to be shown.
    #[arg(long, value_name = "AIM", value_parser = ["superiority", "non-inferiority", "equivalence"])]
    aim: String,
    /// The value that the device is expected to have.
    #[arg(long, value_name = "P")]
    expected: f64,
    /// That of the predicate, or of an earlier version.
    #[arg(long, value_name = "P")]
    predicate: f64,
    /// The margin, without a sign; 0 for a superiority by anything.
    #[arg(long, value_name = "D", default_value_t = 0.0, allow_negative_numbers = true)]
    margin: f64,
    /// Both are tried on different cases.
    #[arg(long, conflicts_with_all = ["discordant", "correlation"])]
    unpaired: bool,
    /// With --unpaired: cases of the predicate for each of the device's.
    #[arg(long, value_name = "RATIO", default_value_t = 1.0, requires = "unpaired")]
    predicate_cases: f64,
    /// Share of cases in which exactly one of both is right [default: as if they erred independently].
    #[arg(long, value_name = "P")]
    discordant: Option<f64>,
    /// Of AUCs: correlation of the two estimates on the same cases [default: 0, as if they were independent].
    #[arg(long, value_name = "R")]
    correlation: Option<f64>,
    /// Of AUCs: negative cases for each positive one; 1 is a balanced set.
    #[arg(long, value_name = "RATIO", default_value_t = 1.0)]
    negatives_per_positive: f64,
    /// Wanted power.
    #[arg(long, value_name = "P", default_value_t = 0.9)]
    power: f64,
    /// Two-sided confidence level.
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95)]
    level: f64,
    /// Of shares: the share of the cases that count, such as the prevalence for a sensitivity.
    #[arg(long, value_name = "P")]
    share: Option<f64>,
    /// Also give the power of a study with this many cases that count (of AUCs: of both classes together;
    /// with
    /// --unpaired: of the device).
    #[arg(long, value_name = "N")]
    cases: Option<u64>,
    /// With --cases: the lowest and the highest value that the device may have, over which the power is
    /// averaged (assurance), most likely the expected one.
    #[arg(long, value_name = "LOW,HIGH", value_delimiter = ',', num_args = 1, requires = "cases")]
    expected_range: Vec<f64>,
    #[command(flatten)]
    clusters: Clusters,
}

/// What is compared, as it was typed.
enum Compared {
    Paired { other: f64, discordant: Option<f64> },
    Unpaired { other: f64, ratio: f64 },
    Areas { other: f64, correlation: f64, negatives: f64, ratio: Option<f64> },
}

impl Compared {
    /// The pairs where the device has this share; the typed share of discordant ones as far as it can be.
    fn pairs(device: f64, other: f64, discordant: Option<f64>) -> Option<PairedShares> {
        let (least, most) = ((device - other).abs(), (device + other).min(2.0 - device - other));
        let typed = discordant.unwrap_or_else(|| PairedShares::independent(device, other));
        PairedShares::new(device, other, typed.clamp(least, most.max(least)))
    }

    /// The classes of so many cases.
    fn classes(cases: f64, negatives: f64) -> Size {
        let positives = cases / (1.0 + negatives);
        Size { positives, negatives: positives * negatives }
    }

    /// Power with so many independent cases.
    fn power(&self, claim: Claim, device: f64, n: f64) -> Option<f64> {
        match *self {
            Self::Paired { other, discordant } => Self::pairs(device, other, discordant)?.power_of(claim, n),
            Self::Unpaired { other, ratio } => {
                ExpectedShares { device, other }.power_of(claim, [n, n * ratio])
            }
            Self::Areas { other, correlation, negatives, ratio } => {
                let sizes = [n, n * ratio.unwrap_or(1.0)].map(|n| Self::classes(n, negatives));
                ExpectedAreas { device, other, correlation }.power_of(claim, sizes)
            }
        }
    }

    fn exact(&self, claim: Claim, device: f64, n: u64) -> Option<f64> {
        match *self {
            Self::Paired { other, discordant } => {
                Self::pairs(device, other, discordant)?.exact_power_of(claim, n)
            }
            Self::Unpaired { other, ratio } => {
                let others = (n as f64 * ratio).floor() as u64;
                ExpectedShares { device, other }.exact_power_of(claim, [n, others])
            }
            Self::Areas { .. } => None,
        }
    }

    /// Independent cases with this power: of the device, where both have different ones.
    fn size(&self, claim: Claim, device: f64, power: f64) -> Option<f64> {
        match *self {
            Self::Paired { other, discordant } => {
                Self::pairs(device, other, discordant)?.size_of(claim, power)
            }
            Self::Unpaired { other, ratio } => ExpectedShares { device, other }.size_of(claim, ratio, power),
            Self::Areas { other, correlation, negatives, ratio } => {
                let areas = ExpectedAreas { device, other, correlation };
                if ratio.is_none_or(|ratio| ratio == 1.0) {
                    let size = areas.size_of(claim, negatives, power)?;
                    return Some(size.positives + size.negatives);
                }
                if !claim.is_true_of(device - other) {
                    return None;
                }
                let enough = |n: f64| self.power(claim, device, n).is_some_and(|found| found >= power);
                let mut high: f64 = 4.0;
                while !enough(high) {
                    high *= 2.0;
                    if high > 1e9 {
                        return None;
                    }
                }
                let mut low = high / 2.0;
                for _ in 0..100 {
                    let middle = f64::midpoint(low, high);
                    if enough(middle) { high = middle } else { low = middle }
                }
                Some(high)
            }
        }
    }
}

/// What was typed, checked.
fn compared(args: &ComparisonArgs) -> Result<(Compared, Claim)> {
    let inside = |p: f64| p > 0.0 && p < 1.0;
    let aim = Aim::NAMES.iter().find(|(name, _)| *name == args.aim).map_or(Aim::Superiority, |(_, aim)| *aim);
    if ![args.expected, args.predicate, args.power, args.level].into_iter().all(inside) {
        return Err(usage(
            format!(
                "--expected {}, --predicate {}, --power {}, --level {}",
                args.expected, args.predicate, args.power, args.level
            ),
            "each lies between 0 and 1, both excluded",
        ));
    }
    let least = if aim == Aim::Superiority { args.margin >= 0.0 } else { args.margin > 0.0 };
    if !(least && args.margin < 1.0) {
        return Err(usage(
            format!("--margin {} for {}", args.margin, args.aim),
            "a margin is below 1 and above 0, but for superiority, where it may be 0; it has no sign",
        ));
    }
    let ratios = [args.predicate_cases, args.negatives_per_positive];
    if !ratios.into_iter().all(|ratio| ratio > 0.0 && ratio.is_finite()) {
        return Err(usage(
            format!("--predicate-cases {}, --negatives-per-positive {}", ratios[0], ratios[1]),
            "each is above 0; 1 means as many",
        ));
    }
    checked_share(args.share)?;
    let claim = Claim { aim, margin: args.margin, alpha: (1.0 - args.level) / 2.0 };
    let other = args.predicate;
    let ratio = args.unpaired.then_some(args.predicate_cases);
    if args.measure == "auc" {
        if args.discordant.is_some() || args.share.is_some() {
            return Err(usage(
                "--discordant and --share are of shares",
                "of AUCs, --correlation says how far both go together, and both classes count",
            ));
        }
        let correlation = args.correlation.unwrap_or(0.0);
        if !(0.0..1.0).contains(&correlation) {
            return Err(usage(format!("--correlation {correlation}"), "it lies in 0 to below 1"));
        }
        let negatives = args.negatives_per_positive;
        return Ok((Compared::Areas { other, correlation, negatives, ratio }, claim));
    }
    if args.correlation.is_some() {
        return Err(usage(
            "--correlation is of AUCs",
            "of shares, --discordant says on how many cases exactly one of both is right",
        ));
    }
    if let Some(ratio) = ratio {
        return Ok((Compared::Unpaired { other, ratio }, claim));
    }
    let discordant = args.discordant;
    if discordant.is_some_and(|d| PairedShares::new(args.expected, other, d).is_none()) {
        return Err(usage(
            format!(
                "no pairs are right with {} and {other}, and discordant with {}",
                args.expected,
                discordant.unwrap_or_default()
            ),
            "shares lie between 0 and 1; they differ by at most the share of discordant pairs, which is at \
             most as large as if never both were right or both wrong",
        ));
    }
    Ok((Compared::Paired { other, discordant }, claim))
}

/// The range that was typed, as a distribution.
fn range(args: &ComparisonArgs) -> Result<Option<Uncertain>> {
    match args.expected_range[..] {
        [low, high] if low > 0.0 && high < 1.0 && low < high && (low..=high).contains(&args.expected) => {
            Ok(Some(Uncertain::Triangular { low, mode: args.expected, high }))
        }
        [] => Ok(None),
        _ => Err(usage(
            format!("--expected-range {:?}", args.expected_range),
            "a lowest and a highest value between 0 and 1, with --expected in between: 0.85,0.95",
        )),
    }
}

/// The design of a comparison.
///
/// # Errors
/// `Error::Usage` for numbers outside their domain, and where no size suffices.
pub fn comparison(args: &ComparisonArgs) -> Result<(Value, String)> {
    let (compared, claim) = compared(args)?;
    let (effect, over) = (args.clusters.effect()?, range(args)?);
    let size = compared.size(claim, args.expected, args.power).ok_or_else(|| {
        usage(
            format!("no number of cases shows {} with these values", args.aim),
            "what is claimed has to be true of what is expected: a device that is worse by the margin or \
             more is not shown to be no worse",
        )
    })?;
    let counted = whole(size * effect);
    let on = if args.unpaired { "different cases" } else { "the same cases" };
    let mut text = format!(
        "{} {} against {} on {on}: {} with a margin of {} at a one-sided alpha of {:.4}, power {}",
        if args.measure == "auc" { "AUC" } else { "Share" },
        args.expected,
        args.predicate,
        args.aim,
        args.margin,
        claim.alpha,
        args.power
    );
    let others = args.unpaired.then(|| whole(counted as f64 * args.predicate_cases));
    let what = if args.measure == "auc" { "cases of both classes" } else { "cases that count" };
    text += &match others {
        Some(others) => format!("\n  {counted} {what} of the device and {others} of the predicate"),
        None => format!("\n  {counted} {what}"),
    };
    let (method, named) = match &compared {
        Compared::Paired { .. } => ("tango", "score test of Tango 1998, size by Nam 1997"),
        Compared::Unpaired { .. } => {
            ("miettinen-nurminen", "score test, size by Farrington and Manning 1990")
        }
        Compared::Areas { .. } => ("hanley-mcneil", "variance of Hanley and McNeil 1982"),
    };
    text += &format!(" ({named})");
    let mut report = json!({"what": "comparison", "measure": args.measure, "aim": args.aim,
        "expected": args.expected, "predicate": args.predicate, "margin": args.margin,
        "unpaired": args.unpaired, "power": args.power, "level": args.level, "design_effect": effect,
        "method": method, "cases": counted, "predicate_cases": others});
    match &compared {
        Compared::Paired { other, discordant } => {
            let used = discordant.unwrap_or_else(|| PairedShares::independent(args.expected, *other));
            text += &format!("\n  exactly one of both is right on a share of {used:.4}");
            report["discordant"] = json!(used);
        }
        Compared::Areas { correlation, .. } if !args.unpaired => {
            text += &format!("\n  both estimates are correlated {correlation}");
            report["correlation"] = json!(correlation);
        }
        _ => {}
    }
    cases_in_all(args.share, counted, &mut text, &mut report);
    if let Some(cases) = args.cases {
        let effective = cases as f64 / effect;
        let power = compared.power(claim, args.expected, effective);
        let exact = compared.exact(claim, args.expected, effective.floor() as u64);
        text += &match (power, exact) {
            (Some(power), Some(exact)) => {
                format!("\n  {cases} {what} have power {power:.3}, exactly {exact:.3}")
            }
            (Some(power), None) => format!("\n  {cases} {what} have power {power:.3}"),
            (None, _) => format!("\n  {cases} {what} are too few"),
        };
        let averaged = over.and_then(|over| assurance(over, |value| compared.power(claim, value, effective)));
        if let Some(averaged) = averaged {
            let [low, high] = [args.expected_range[0], args.expected_range[1]];
            text += &format!("; averaged over {low} to {high}, {averaged:.3} (assurance)");
        }
        report["power_of"] =
            json!({"cases": cases, "power": power, "exact_power": exact, "assurance": averaged});
    }
    text += &effect_text(effect);
    Ok((report, text))
}
