//! `sequester metrics multiplicity`: several hypotheses together, without a study.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::super::domain::between;
use super::super::{Context, Outcome};
use crate::diagnostic::{Error, Result};
use crate::storage;
use crate::workflow::comparisons::{Hypotheses, Multiple, multiple};

/// Adjust the p values of several hypotheses by every rule.
///
/// The file is TOML, JSON or a table. Each hypothesis has an id and a p value; weight is its share
/// of alpha, and transitions say which part of its share goes to which other once it is rejected
/// (Bretz et al. 2009). Shares may be fractions in texts, "1/3". Without weights the rules that
/// need none are printed.
///
///   [[hypothesis]]
///   id = "sensitivity"
///   p = 0.011
///   weight = 0.5
///   transitions = { specificity = 0.5, auc = 0.5 }
///
/// As a table: columns id, p, weight and, named by the ids, what is passed on to each. As JSON: one
/// set or a list of {"id", "hypotheses": [...]} with the same words, or {"id", "w": [...], "G":
/// [[...]], "p": [...]}.
///
/// Bonferroni, Holm, Hochberg, Hommel, fixed sequence and fallback (equal shares, and those of the
/// file) in the order of the file; weighted Bonferroni and weighted Holm; the graph. Hochberg and
/// Hommel hold alpha for p values that are independent or positively dependent.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct MultiplicityArgs {
    /// TOML, JSON, or a CSV with a header.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The error that all hypotheses share: of one-sided p values half of what a two-sided level leaves.
    #[arg(long, value_name = "ALPHA", default_value_t = 0.025)]
    alpha: f64,
}

/// Runs the command.
///
/// # Errors
/// [`Error::Usage`] for α outside its range; located diagnostics for everything wrong in the file.
pub fn run(args: &MultiplicityArgs, context: Context) -> Result<Outcome> {
    between("alpha", args.alpha, "use 0.025, say")?;
    let bytes = storage::read(&args.file)?;
    let sets = Hypotheses::parse(&args.file, &bytes).map_err(Error::Input)?;
    let found: Vec<Multiple> = sets.iter().map(|set| multiple(set, args.alpha)).collect();
    if context.json {
        println!("{:#}", json!({"alpha": args.alpha, "sets": found}));
    } else {
        print!("{}", found.iter().map(text).collect::<String>());
    }
    Ok(Outcome::Done)
}

fn text(set: &Multiple) -> String {
    let mut out = format!("{}, alpha {}: adjusted p values, * rejected\n", set.id, set.alpha);
    let width = set.hypotheses.iter().map(|h| h.id.chars().count()).max().unwrap_or(0).max(10);
    for h in &set.hypotheses {
        let weight = h.weight.map_or_else(String::new, |w| format!(", weight {w:.6}"));
        let parts: Vec<String> =
            h.transitions.iter().map(|(to, part)| format!("{part:.4} to {to}")).collect();
        let passes =
            if parts.is_empty() { String::new() } else { format!(", passes on {}", parts.join(", ")) };
        out += &format!("  {:width$}  p {:.6}{weight}{passes}\n", h.id, h.p);
    }
    let rules: Vec<&str> =
        set.hypotheses.first().map_or_else(Vec::new, |h| h.adjusted.keys().copied().collect());
    for rule in rules {
        let one = |h: &crate::workflow::comparisons::Adjusted| {
            let star = if h.rejected[rule] { "*" } else { " " };
            format!("{} {:.6}{star}", h.id, h.adjusted[rule])
        };
        let all: Vec<String> = set.hypotheses.iter().map(one).collect();
        out += &format!("  {rule:20} {}\n", all.join("  "));
    }
    if let Some(order) = &set.rejections {
        let order = if order.is_empty() { "none".to_owned() } else { order.join(", then ") };
        out += &format!("  the graph rejects: {order}\n");
    }
    out
}
