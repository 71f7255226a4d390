//! `sequester dataset describe`: what sets of cases look like, side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::case_tables::{Tables, TablesArgs, warn};
use super::{Context, Outcome};
use crate::dataset::case::Case;
use crate::dataset::describe::{self, Description, FIELDS, Input, Request, Set};
use crate::dataset::facts;
use crate::dataset::lists::{self, List};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::digest::Digest;
use crate::imaging::image_folder::ImageFolder;
use crate::report::description;
use crate::storage;
use crate::workflow::intensities::of_groups;

/// Describe sets of cases and compare them: age, sex, view, findings, prevalence, what occurs
/// beside the positive finding, images per patient, what is not recorded, and standardised
/// differences.
///
/// Each TABLE is a set. With --split or --subgroup the tables are one whole, and its parts are the
/// sets. With --images the intensities of healthy and diseased images are shown. --out writes a
/// page with figures, JSON, Markdown and CSV tables.
///
///   sequester dataset describe Data_Entry_2017_v2020.csv --positive Pneumonia \
///     --split train_val_list.txt --split test_list.txt --out description
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct DescribeArgs {
    #[command(flatten)]
    tables: TablesArgs,
    /// A set: a list of case ids, one a line, as NIH's official ones; or a table with case_id and split, as
    /// `dataset split` writes it, for all its sets. May be given several times; NAME=FILE names a list.
    #[arg(long, value_name = "[NAME=]FILE", conflicts_with = "subgroup")]
    split: Vec<String>,
    /// The sets are the levels of a variable: sex, view, age_band, site, country, manufacturer, modality,
    /// body_part or label.
    #[arg(
        long,
        aliases = ["by", "compare"],
        value_name = "VARIABLE",
        value_parser = clap::builder::PossibleValuesParser::new(FIELDS)
    )]
    subgroup: Option<String>,
    /// Folder of the images, for intensities; images are also looked for in images_001/images/ and so on.
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// Images read of each group of each set, or `all`: those whose SHA-256 of the case id is smallest.
    #[arg(long, value_name = "N", default_value = "500", value_parser = sample, requires = "images")]
    image_sample: usize,
    /// A file of facts that were stated elsewhere, to be checked; exits with 10 when one does not hold.
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// Folder for description.html, description.json, description.md, figures/ and tables/.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn sample(text: &str) -> Result<usize, String> {
    if text == "all" {
        return Ok(usize::MAX);
    }
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "a number from 1, or `all`".to_owned())
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong in tables, lists, facts and images, located.
pub fn run(args: &DescribeArgs, context: Context) -> Result<Outcome> {
    let mut tables = Tables::read(&args.tables)?;
    let mut warnings = std::mem::take(&mut tables.warnings);
    let mut inputs = std::mem::take(&mut tables.inputs);
    let stated = match &args.facts {
        None => Vec::new(),
        Some(path) => {
            let bytes = storage::read(path)?;
            inputs.push(Input::of(path, Digest::of(&bytes)));
            let text = crate::diagnostic::utf8(path, &bytes, Code::TomlSyntax)?;
            facts::parse(path, text)?
        }
    };
    let fields = tables.fields.clone();
    let whole = !args.split.is_empty() || args.subgroup.is_some();
    let (cases, bounds) = if whole {
        (tables.pooled(&args.tables)?, Vec::new())
    } else {
        let bounds: Vec<usize> = tables.cases.iter().map(Vec::len).collect();
        (tables.cases.into_iter().flatten().collect(), bounds)
    };
    let sets = if let Some(field) = &args.subgroup {
        by(&cases, field, args, &fields)?
    } else if args.split.is_empty() {
        of_tables(&cases, &bounds, args)
    } else {
        let lists = read_lists(&args.split, &mut inputs)?;
        let assigned = lists::assign(&cases, &lists)?;
        warnings.extend(assigned.warnings);
        let mut sets = vec![Set { name: "all".to_owned(), cases: cases.iter().collect() }];
        for (list, places) in lists.iter().zip(&assigned.places) {
            sets.push(Set { name: list.name.clone(), cases: places.iter().map(|&i| &cases[i]).collect() });
        }
        sets
    };
    let request = Request {
        positive: args.tables.positive.clone(),
        bands: args.tables.age_bands.clone(),
        fields,
        unlabelled_count: false,
        whole_first: whole,
    };
    let mut description = describe::describe(&sets, &request);
    description.inputs = inputs;
    if let Some(folder) = &args.images {
        let folder = ImageFolder::open(folder)?;
        let groups = of_groups(&sets, &folder, args.image_sample, &request, &context.outside())?;
        for (set, intensity) in description.sets.iter_mut().zip(groups) {
            set.intensity = intensity;
        }
    }
    description.facts = facts::check(&stated, &description);
    warn(&warnings);
    let report = json!({"description": description, "warnings": warnings});
    let json = format!("{:#}\n", report["description"]);
    if let Some(out) = &args.out {
        let files = description::render(&description)?;
        for (path, bytes) in &files {
            storage::write_atomic(&path.below(out), bytes)?;
        }
        storage::write_atomic(&out.join("description.json"), json.as_bytes())?;
    }
    if context.json {
        let mut document = report["description"].clone();
        document["warnings"] = report["warnings"].clone();
        println!("{document:#}");
    } else {
        print(&description, args);
    }
    let holds = description.facts.iter().all(|fact| fact.holds);
    Ok(if holds { Outcome::Done } else { Outcome::CriterionNotMet })
}

/// One set a table, named by its file; with a number where two files have one name.
fn of_tables<'a>(cases: &'a [Case], bounds: &[usize], args: &DescribeArgs) -> Vec<Set<'a>> {
    let stems: Vec<String> = args.tables.tables.iter().map(|p| lists::stem(p)).collect();
    let mut rest = cases;
    stems
        .iter()
        .zip(bounds)
        .enumerate()
        .map(|(nth, (stem, &count))| {
            let (own, others) = rest.split_at(count);
            rest = others;
            let once = stems.iter().filter(|s| *s == stem).count() == 1;
            let name = if once { stem.clone() } else { format!("{stem} (table {})", nth + 1) };
            Set { name, cases: own.iter().collect() }
        })
        .collect()
}

/// One set a level, after the whole.
fn by<'a>(
    cases: &'a [Case],
    field: &str,
    args: &DescribeArgs,
    fields: &BTreeSet<&'static str>,
) -> Result<Vec<Set<'a>>> {
    if !describe::has_field(fields, field) {
        let have: Vec<&str> = FIELDS.into_iter().filter(|f| describe::has_field(fields, f)).collect();
        return Err(Diagnostic::error(Code::VariableMissing, format!("the tables do not have `{field}`"))
            .hint(format!("they have: {}", have.join(", ")))
            .into());
    }
    let mut levels: BTreeMap<String, Vec<&Case>> = BTreeMap::new();
    for case in cases {
        levels.entry(describe::level(case, field, &args.tables.age_bands)).or_default().push(case);
    }
    let mut sets = vec![Set { name: "all".to_owned(), cases: cases.iter().collect() }];
    sets.extend(levels.into_iter().map(|(name, cases)| Set { name, cases }));
    // Positive before negative, as tables have it.
    if field == "label" {
        sets[1..].sort_by_key(|s| ["positive", "negative"].iter().position(|n| *n == s.name).unwrap_or(2));
    }
    Ok(sets)
}

/// The lists of `--split`.
fn read_lists(named: &[String], inputs: &mut Vec<Input>) -> Result<Vec<List>> {
    let mut all: Vec<List> = Vec::new();
    for text in named {
        // A path may hold `=`; a name is followed by one and is no path.
        let (name, path) = match text.split_once('=') {
            Some((name, path)) if !name.is_empty() && !name.contains(['/', '\\']) => (Some(name), path),
            _ => (None, text.as_str()),
        };
        let path = PathBuf::from(path);
        let bytes = storage::read(&path)?;
        inputs.push(Input::of(&path, Digest::of(&bytes)));
        for list in lists::parse(&path, &bytes, name)? {
            if list.name == "all" || all.iter().any(|other| other.name == list.name) {
                return Err(Error::usage(
                    Diagnostic::error(Code::SetRepeated, format!("there are two sets `{}`", list.name))
                        .hint("name a list with --split NAME=FILE"),
                ));
            }
            all.push(list);
        }
    }
    Ok(all)
}

fn print(description: &Description, args: &DescribeArgs) {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    for line in description::overview_cells(description) {
        table.add_row(line);
    }
    for line in table.to_string().lines() {
        println!("{}", line.trim_end());
    }
    for set in description.sets.iter().filter(|s| !s.co_occurring.is_empty()).take(1) {
        let beside: Vec<String> = set
            .co_occurring
            .iter()
            .take(5)
            .map(|f| format!("{} {}", f.finding, description::share(f.among_positives)))
            .collect();
        println!("beside {} in {}: {}", description.positive.join(" or "), set.name, beside.join(", "));
    }
    for comparison in &description.comparisons {
        if comparison.shared_patients > 0 {
            println!(
                "{} and {} share {} patients",
                comparison.first, comparison.second, comparison.shared_patients
            );
        }
        println!("{}", description::sentence(comparison));
    }
    for fact in &description.facts {
        let (stated, found) = description::fact_numbers(fact);
        let verdict = if fact.holds { "holds" } else { "DOES NOT HOLD" };
        println!("{verdict}: {} {stated}; the data give {found}", fact.statement);
    }
    if let Some(out) = &args.out {
        println!("written to {}", out.join("description.html").display());
    }
}
