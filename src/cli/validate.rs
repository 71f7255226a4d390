//! `sequester validate`: opens the test set once, computes every result, and leaves a bundle.

use clap::Args;

use super::study::StudyArgs;
use super::who::WhoArgs;
use super::{Context, Outcome};
use crate::diagnostic::Result;
use crate::document::format;
use crate::evidence::ledger::Event;
use crate::report::wording;
use crate::study::results::{ComparisonResult, Results, Verdict};
use crate::study::{self, Step};
use crate::workflow::validate::{Validated, validate};

/// Open the test set, compute every result, and write the evidence bundle.
///
/// Scores and reference standard meet here and nowhere else. Every opening is counted in the ledger:
/// the first needs nothing, each further one with other inputs needs `--reason`, which the documents
/// print. With the same inputs nothing is opened again. Ends with exit code 10 when a primary
/// endpoint is not met.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    #[command(flatten)]
    pub study: StudyArgs,
    /// Why the test set is opened again. Printed in every document.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    #[command(flatten)]
    pub who: WhoArgs,
    /// Check that everything is there and say what would happen; open and write nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong in the inputs; `Error::Lock` without a reason for a second opening.
pub fn run(args: &ValidateArgs, context: Context) -> Result<Outcome> {
    let study = args.study.open()?;
    let _alone = study.alone()?;
    if args.dry_run {
        let inputs = study.inputs(Step::All)?;
        let cohort = study::cohort(&inputs)?;
        let openings = study.ledger()?.count(Event::TestSetOpened);
        println!(
            "{} would be analysed; the test set was opened {} so far",
            format::counted(cohort.drawn.len(), "case"),
            format::times(openings)
        );
        println!("dry run: nothing was opened or written");
        return Ok(Outcome::Done);
    }
    let validated = validate(&study, args.reason.as_deref(), &args.who.outside(context)?)?;
    show(&validated, context);
    Ok(outcome(&validated.results))
}

/// The exit code follows the primary endpoints.
pub fn outcome(results: &Results) -> Outcome {
    if results.conclusion == Verdict::Met { Outcome::Done } else { Outcome::CriterionNotMet }
}

fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "met",
        Verdict::NotMet => "NOT MET",
        Verdict::NotEvaluable => "not evaluable",
    }
}

/// Small p values keep their digits.
fn p_value(p: f64) -> String {
    if p < 1e-4 { format!("{p:.1e}") } else { format!("{p:.4}") }
}

/// A limit with four decimals, or so many that rounding does not make it the goal that it is compared with.
fn apart(limit: f64, criterion: Option<&str>) -> String {
    let decimals = format::decimals_apart(limit, criterion, 4);
    format!("{limit:.decimals$}")
}

/// The limits of a comparison, with so many decimals that they do not look like its margin.
pub fn limits(c: &ComparisonResult) -> String {
    let Some(interval) = &c.interval else { return "no interval".to_owned() };
    let shown = |limit: f64| {
        let decimals = format::decimals_from(limit, &[c.margin, -c.margin], 4);
        format!("{limit:.decimals$}")
    };
    format!("{} to {}", shown(interval.lower), shown(interval.upper))
}

/// Comparisons and what the rule of multiplicity says.
fn compared(results: &Results) {
    for c in &results.comparisons {
        let number = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.4}"));
        println!(
            "{} ({}): {} of {} to {}, margin {}: difference {}, {}; p {}: {}",
            c.id,
            c.role.name(),
            c.aim.id(),
            c.metric.id(),
            c.comparator,
            c.margin,
            number(c.difference),
            limits(c),
            c.p_value.map_or("-".to_owned(), p_value),
            verdict_word(c.verdict)
        );
        let because = c.not_evaluable.as_ref().or(c.fallback.as_ref().map(|f| &f.message));
        if let Some(because) = because {
            println!("  {because}");
        }
    }
    if let Some(family) = &results.family {
        println!("{}", wording::multiplicity(&results.method));
        for m in &family.members {
            println!(
                "  {}: adjusted p {} at {}: {}",
                m.id,
                p_value(m.adjusted_p),
                family.alpha,
                verdict_word(m.verdict)
            );
        }
    }
}

/// Prints the verdicts.
pub fn show(validated: &Validated, context: Context) {
    let results = &validated.results;
    if context.json {
        let mut report = serde_json::json!({
            "bundle": validated.bundle, "unchanged": validated.unchanged,
            "conclusion": results.conclusion, "endpoints": results.endpoints, "flow": results.flow,
        });
        // Only where the protocol declares such endpoints.
        if !results.comparisons.is_empty() {
            report["comparisons"] = serde_json::json!(results.comparisons);
        }
        if let Some(family) = &results.family {
            report["family"] = serde_json::json!(family);
        }
        println!("{report:#}");
        return;
    }
    let flow = &results.flow;
    println!(
        "{} of {} cases analysed: {} positive and {} negative by the reference standard",
        flow.analysed, flow.sampled, flow.positives, flow.negatives
    );
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["endpoint", "role", "estimate", "interval", "method", "criterion", "verdict"]);
    for endpoint in &results.endpoints {
        let number = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.4}"));
        let interval = endpoint.interval.as_ref();
        table.add_row([
            endpoint.id.clone(),
            endpoint.role.name().to_owned(),
            number(endpoint.value),
            interval.map_or("-".to_owned(), |i| {
                let shown = |limit| apart(limit, endpoint.criterion.as_deref());
                format!("{} to {}", shown(i.lower), shown(i.upper))
            }),
            endpoint
                .interval
                .as_ref()
                .map_or(endpoint.interval_method, |i| i.method)
                .describe(endpoint.metric.quantity())
                .to_owned(),
            endpoint.criterion.clone().unwrap_or_default(),
            match endpoint.verdict {
                Some(Verdict::Met) => "met",
                Some(Verdict::NotMet) => "NOT MET",
                Some(Verdict::NotEvaluable) => "not evaluable",
                None => "-",
            }
            .to_owned(),
        ]);
    }
    println!("{table}");
    for endpoint in &results.endpoints {
        if let Some(words) = wording::fallback(endpoint) {
            println!("{}: {words}", endpoint.id);
        }
    }
    compared(results);
    let words = match results.conclusion {
        Verdict::Met => "every primary endpoint is met",
        Verdict::NotMet => "a primary endpoint is NOT met",
        Verdict::NotEvaluable => "a primary endpoint is not evaluable",
    };
    println!("conclusion: {words}");
    let how = if validated.unchanged { "unchanged" } else { "written" };
    println!("evidence {how}: {}", validated.bundle.display());
}
