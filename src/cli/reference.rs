//! `sequester reads reference`: the reference standard as a table, before any score exists.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::{Context, Outcome, terminal};
use crate::diagnostic::{Code, Diagnostic, Location, Result, few};
use crate::protocol::ReaderRole;
use crate::reads::consensus::{Basis, Consensus};
use crate::reads::files::Read;
use crate::storage;
use crate::study::{self, Cohort, ReferenceStandard, Step, yes_or_no};
use crate::workflow::study::Study;

/// Write the reference standard as a table: one row a case, and how it came about.
///
/// The table has the case, the answer (positive, negative or none), its level (unanimous, majority,
/// incomplete, tie, adjudicated or given), the reason where there is none (such as tie, too-few-reads or
/// awaits-adjudication), the votes, and who said what. It is CSV, for any program that opens tables. No score
/// is read and nothing is recorded in the ledger, so this may be done as often as reads come in.
///
/// What is irregular is told beside it: cases with fewer or more reads than others, several reads of one
/// reader on a case and what they count as, indeterminate and uninterpretable reads, and every case on which
/// the computed answer differs from a label that came with the reads (`compare_with` in the protocol).
#[derive(Debug, Args)]
pub struct ReferenceArgs {
    /// Study folder: it holds protocol.toml.
    #[arg(value_name = "STUDY")]
    folder: PathBuf,
    /// Folder that the protocol's paths are relative to [default: the study folder].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Write the table to this file; without it the table goes to the terminal, and what is irregular to
    /// standard error.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong in protocol, case tables and readers' files; `file-exists` where the file is no such
/// table.
pub fn run(args: &ReferenceArgs, context: Context) -> Result<Outcome> {
    let study = Study::open(&args.folder, args.data.as_deref(), None)?;
    let inputs = study.inputs(Step::Reads)?;
    let cohort = study::cohort(&inputs)?;
    let reference = study::reference_standard(&inputs, &cohort)?;
    let table = study::reference_table(&cohort, &reference);
    if let Some(out) = &args.out {
        refuse_to_replace_something_else(out)?;
        storage::write_atomic(out, &table)?;
    }
    for warning in &reference.warnings {
        eprintln!("{warning}");
    }
    if context.json {
        println!("{:#}", report(&study, &cohort, &reference, args.out.as_deref()));
        return Ok(Outcome::Done);
    }
    let told = told(&study, &cohort, &reference);
    match &args.out {
        Some(out) => {
            println!("{told}");
            println!("table: {}", out.display());
        }
        None => {
            eprintln!("{told}");
            terminal::bytes(&table);
        }
    }
    Ok(Outcome::Done)
}

/// A table of this kind may be replaced by a newer one; a reader's file, or anything else, may not.
fn refuse_to_replace_something_else(out: &Path) -> Result<()> {
    if !out.exists() {
        return Ok(());
    }
    if storage::read(out)?.starts_with(study::FOR_PEOPLE) {
        return Ok(());
    }
    Err(Diagnostic::error(Code::FileExists, "the file is there and is no table of a reference standard")
        .at(Location::file(out))
        .hint("give another name; nothing was written")
        .into())
}

/// So many cases are named in the terminal; the table and `--json` have all.
const NAMED: usize = 10;

fn some<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    few::and_so_on(names, NAMED)
}

/// Levels and what is irregular, in lines for the terminal.
pub fn told(study: &Study, cohort: &Cohort, reference: &ReferenceStandard) -> String {
    let answers = |positive| reference.consensus.iter().filter(|c| c.positive() == positive).count();
    let none =
        if study.protocol.reference_standard.rule.is_vote() { "consensus" } else { "reference standard" };
    let mut lines = vec![format!(
        "{} cases: {} positive, {} negative, {} without {none}",
        cohort.drawn.len(),
        answers(Some(true)),
        answers(Some(false)),
        answers(None)
    )];
    let levels: Vec<String> = levels(reference)
        .into_iter()
        .filter(|(_, cases)| *cases > 0)
        .map(|(basis, cases)| format!("{} {cases}", in_words(basis)))
        .collect();
    if !levels.is_empty() {
        lines.push(levels.join(", "));
    }
    let numbers = reference.reads_per_case(cohort);
    if numbers.len() > 1 {
        let told: Vec<String> = numbers
            .iter()
            .map(|(reads, cases)| {
                format!("{reads} on {cases} {}", if *cases == 1 { "case" } else { "cases" })
            })
            .collect();
        lines.push(format!("reads of reference readers: {}", told.join(", ")));
    }
    for read in [Read::Indeterminate, Read::Uninterpretable] {
        let found = reads_that_say(reference, cohort, read);
        if found > 0 {
            lines.push(format!("{} reads: {found}", read.name()));
        }
    }
    let repeated: Vec<String> = reference
        .repeated(cohort)
        .map(|r| {
            let counts = r.counts_as.map_or("set aside", Read::name);
            format!("{} by {} ({} reads, {counts})", r.case_id, r.reader_id, r.reads)
        })
        .collect();
    if !repeated.is_empty() {
        lines.push(format!(
            "read more than once by one reader: {}: {}",
            repeated.len(),
            some(repeated.iter().map(String::as_str))
        ));
    }
    for (id, reads) in &reference.assembled.ignored {
        lines.push(format!("reader {id} is ignored: {reads} reads"));
    }
    if reference.came.is_some() {
        let found = reference.differences(cohort);
        let ids: Vec<&str> = found.iter().map(|difference| difference.case.case_id.as_str()).collect();
        let end = if ids.is_empty() { String::new() } else { format!(": {}", some(ids.iter().copied())) };
        lines.push(format!("differs from the label that came with the reads: {}{end}", ids.len()));
    }
    let mut reasons: std::collections::BTreeMap<&str, Vec<&str>> = std::collections::BTreeMap::new();
    for (case, consensus) in cohort.drawn_cases().zip(&reference.consensus) {
        if let Consensus::None(why) = consensus {
            reasons.entry(why.name()).or_default().push(&case.case_id);
        }
    }
    for (why, cases) in reasons {
        lines.push(format!("without {none}, {why}: {}: {}", cases.len(), some(cases.iter().copied())));
    }
    lines.join("\n")
}

fn levels(reference: &ReferenceStandard) -> Vec<(Basis, usize)> {
    let of = |wanted: Basis| {
        let is = |c: &&Consensus| matches!(c, Consensus::Reached { basis, .. } if *basis == wanted);
        reference.consensus.iter().filter(is).count()
    };
    Basis::ALL.into_iter().map(|basis| (basis, of(basis))).collect()
}

fn in_words(basis: Basis) -> &'static str {
    match basis {
        Basis::Incomplete => "with an incomplete set of reads",
        Basis::Tie => "tie, decided as declared",
        other => other.name(),
    }
}

fn reads_that_say(reference: &ReferenceStandard, cohort: &Cohort, wanted: Read) -> usize {
    let of = |id: &str| reference.assembled.of_role(id, &reference.roster, ReaderRole::Reference);
    cohort.drawn_cases().map(|case| of(&case.case_id).iter().filter(|read| **read == wanted).count()).sum()
}

/// The number of cases at each level, by its name.
pub fn levels_json(reference: &ReferenceStandard) -> Value {
    levels(reference).into_iter().map(|(basis, cases)| (basis.name().to_owned(), json!(cases))).collect()
}

fn report(study: &Study, cohort: &Cohort, reference: &ReferenceStandard, out: Option<&Path>) -> Value {
    let word = |positive| match positive {
        Some(true) => "positive",
        Some(false) => "negative",
        None => "none",
    };
    let answers = |positive| reference.consensus.iter().filter(|c| c.positive() == positive).count();
    let standard: Vec<Value> = cohort
        .drawn_cases()
        .zip(&reference.consensus)
        .map(|(case, consensus)| {
            let (level, why) = match consensus {
                Consensus::Reached { basis, .. } => (basis.name(), None),
                Consensus::None(why) => ("none", Some(why.name())),
            };
            let answer = word(consensus.positive());
            json!({"case_id": case.case_id, "reference": answer, "level": level, "reason_for_none": why})
        })
        .collect();
    let compared = reference.came.as_ref().map(|came| {
        let differences: Vec<Value> = reference
            .differences(cohort)
            .into_iter()
            .map(|d| {
                json!({
                    "case_id": d.case.case_id, "computed": word(Some(d.computed)), "level": d.basis.name(),
                    "label": word(Some(d.label)),
                })
            })
            .collect();
        let labelled = |reached: bool| {
            let pairs = reference.consensus.iter().zip(came);
            pairs.filter(|(c, l)| yes_or_no(**l).is_some() && c.positive().is_some() == reached).count()
        };
        json!({
            "source": study.protocol.reference_standard.compare_with.as_ref().map(|table| &table.source),
            "compared": labelled(true), "without_consensus": labelled(false),
            "without_label": came.iter().filter(|label| yes_or_no(**label).is_none()).count(),
            "differing": differences.len(), "differences": differences,
        })
    });
    let repeated: Vec<Value> = reference
        .repeated(cohort)
        .map(|r| {
            let counts_as = r.counts_as.map_or("set aside", Read::name);
            json!({"case_id": r.case_id, "reader_id": r.reader_id, "reads": r.reads, "counts_as": counts_as})
        })
        .collect();
    let ignored = &reference.assembled.ignored;
    let numbers = reference.reads_per_case(cohort);
    json!({
        "rule": study.protocol.reference_standard.rule.name(),
        "cases": cohort.drawn.len(),
        "positive": answers(Some(true)), "negative": answers(Some(false)), "none": answers(None),
        "levels": levels_json(reference),
        "reads_per_case": numbers.iter().map(|(reads, cases)| json!({"reads": reads, "cases": cases}))
            .collect::<Vec<_>>(),
        "indeterminate_reads": reads_that_say(reference, cohort, Read::Indeterminate),
        "uninterpretable_reads": reads_that_say(reference, cohort, Read::Uninterpretable),
        "repeated": repeated,
        "ignored": ignored.iter().map(|(id, reads)| json!({"id": id, "reads": reads})).collect::<Vec<_>>(),
        "reads_of_other_cases": reference.assembled.of_other_cases,
        "compared": compared,
        "warnings": reference.warnings.iter()
            .map(|w| json!({"code": w.code.as_str(), "message": w.message})).collect::<Vec<_>>(),
        "standard": standard,
        "out": out.map(|path| path.display().to_string()),
    })
}
