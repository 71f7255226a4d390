//! `sequester dataset split`: training, tuning and test from one pool, whole patients, and what was achieved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::case_tables::{Tables, TablesArgs, warn};
use super::{Context, Outcome};
use crate::dataset::allocation::{self, Rule};
use crate::dataset::case::Case;
use crate::dataset::cases;
use crate::dataset::describe::{self, Description, FIELDS, Input, Request, Set};
use crate::dataset::lists;
use crate::dataset::shared;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, few};
use crate::digest::Digest;
use crate::report::description;
use crate::storage;
use crate::table::id::Form;

/// The version of split.json.
const FORMAT: &str = "sequester-split/1";
const NAMES: [&str; 3] = ["training", "tuning", "test"];

/// Divide cases into training, tuning and test by patient, stratified by the label and declared
/// variables, seeded.
///
/// No patient is in two sets; this is checked on what is written. The sizes are numbers or shares
/// of images, and are reached as exactly as whole patients allow; what was achieved stands in
/// split.json and on the screen. --official takes NIH's lists instead: the second is the test set,
/// the first is training, or training and tuning with --tuning.
///
///   sequester dataset split Data_Entry_2017_v2020.csv --positive Pneumonia --sizes 79113,16370,rest \
///     --stratify sex,view,age_band --seed 1 --out split
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct SplitArgs {
    #[command(flatten)]
    tables: TablesArgs,
    /// Share of the images for tuning [default: 0.15; with --official: 0, of the first list].
    #[arg(long, value_name = "SHARE", value_parser = share)]
    tuning: Option<f64>,
    /// Share of the images for the test set [default: 0.15].
    #[arg(long, value_name = "SHARE", value_parser = share, conflicts_with = "official")]
    test: Option<f64>,
    /// Numbers of images for training, tuning and test; one of them may be `rest`.
    #[arg(
        long,
        alias = "images",
        value_name = "N,N,N",
        value_delimiter = ',',
        num_args = 1,
        conflicts_with_all = ["tuning", "test", "official"]
    )]
    sizes: Vec<String>,
    /// Variables to stratify by besides the label: sex, view, age_band, site, country, manufacturer,
    /// modality, body_part.
    #[arg(long, value_name = "VARIABLES", value_delimiter = ',', default_value = "sex,view,age_band")]
    stratify: Vec<String>,
    /// Seed of the draw.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// NIH's official lists: train_val_list.txt and test_list.txt.
    #[arg(long, value_names = ["TRAIN_VAL", "TEST"], num_args = 2)]
    official: Vec<PathBuf>,
    /// Folder for training.csv, tuning.csv, test.csv, split.csv and split.json.
    #[arg(long, value_name = "DIR", required_unless_present = "dry_run")]
    out: Option<PathBuf>,
    /// Show what would be achieved, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

fn share(text: &str) -> Result<f64, String> {
    let wrong = || "a share from 0 to below 1, such as 0.15".to_owned();
    text.parse::<f64>().ok().filter(|v| (0.0..1.0).contains(v)).ok_or_else(wrong)
}

fn usage(code: Code, message: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::usage(Diagnostic::error(code, message).hint(hint))
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong in tables and lists; `patient-on-both-sides` for official lists that share a patient;
/// `file-exists` when another split is in the folder.
pub fn run(args: &SplitArgs, context: Context) -> Result<Outcome> {
    let mut tables = Tables::read(&args.tables)?;
    let mut warnings = std::mem::take(&mut tables.warnings);
    let mut inputs = std::mem::take(&mut tables.inputs);
    let fields = tables.fields.clone();
    for field in &args.stratify {
        if !FIELDS.contains(&field.as_str()) || field == "label" {
            return Err(usage(
                Code::VariableUnknown,
                format!("--stratify does not know `{field}`"),
                format!("it knows {}; the label is always taken", FIELDS[..FIELDS.len() - 1].join(", ")),
            ));
        }
    }
    let (stratify, absent): (Vec<String>, Vec<String>) =
        args.stratify.iter().cloned().partition(|field| describe::has_field(&fields, field));
    if !absent.is_empty() {
        let message = format!("the tables do not have {}; it is not stratified by", absent.join(", "));
        warnings.push(Diagnostic::warning(Code::VariableMissing, message));
    }
    let cases = tables.pooled(&args.tables)?;
    let rule = |wanted| Rule {
        wanted,
        stratify: stratify.clone(),
        bands: args.tables.age_bands.clone(),
        seed: args.seed,
    };
    let Places { places, wanted } = if args.official.is_empty() {
        drawn(args, &cases, &rule)?
    } else {
        official(args, &cases, &rule, &mut inputs, &mut warnings)?
    };
    let sets: Vec<Set<'_>> = NAMES
        .iter()
        .zip(&places)
        .filter(|(_, own)| !own.is_empty())
        .map(|(name, own)| Set { name: (*name).to_owned(), cases: own.iter().map(|&i| &cases[i]).collect() })
        .collect();
    separate(&sets)?;
    let request = Request {
        positive: args.tables.positive.clone(),
        bands: args.tables.age_bands.clone(),
        fields: fields.clone(),
        unlabelled_count: false,
        whole_first: false,
    };
    let described = describe::describe(&sets, &request);
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut members: Vec<(&Case, &str)> = Vec::new();
    for set in &sets {
        files.insert(format!("{}.csv", set.name), cases::write(set.cases.iter().copied(), &fields)?);
        members.extend(set.cases.iter().map(|case| (*case, set.name.as_str())));
    }
    files.insert("split.csv".to_owned(), membership(&members)?);
    let report = report(args, &inputs, &stratify, &wanted, &described, &files, cases.len(), &warnings);
    files.insert("split.json".to_owned(), format!("{report:#}\n").into_bytes());
    if let (Some(out), false) = (&args.out, args.dry_run) {
        write(out, &files)?;
    }
    warn(&warnings);
    if context.json {
        let mut document = report;
        document["written"] = json!(!args.dry_run);
        println!("{document:#}");
    } else {
        print(args, &described, &wanted, cases.len());
    }
    Ok(Outcome::Done)
}

/// Which cases are in training, tuning and test, and how many images were wanted in each.
#[derive(Default)]
struct Places {
    places: [Vec<usize>; 3],
    wanted: BTreeMap<&'static str, u64>,
}

/// A rule of allocation from names and wanted numbers.
type RuleOf<'a> = &'a dyn Fn(Vec<(String, u64)>) -> Rule;

/// Drawn by whole patients.
fn drawn(args: &SplitArgs, cases: &[Case], rule: RuleOf<'_>) -> Result<Places> {
    let Places { mut places, mut wanted } = Places::default();
    let sizes = sizes(args, cases.len() as u64)?;
    let list: Vec<(String, u64)> = NAMES.iter().zip(sizes).map(|(name, n)| ((*name).to_owned(), n)).collect();
    for (place, set) in allocation::allocate(cases, &rule(list))?.into_iter().enumerate() {
        places[set].push(place);
    }
    wanted.extend(NAMES.into_iter().zip(sizes));
    Ok(Places { places, wanted })
}

/// As official lists have it: the second is the test set, and of the first the tuning cases are drawn.
fn official(
    args: &SplitArgs,
    cases: &[Case],
    rule: RuleOf<'_>,
    inputs: &mut Vec<Input>,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Places> {
    let Places { mut places, mut wanted } = Places::default();
    let mut official = Vec::new();
    for (path, name) in args.official.iter().zip(["train_val", "test"]) {
        let bytes = storage::read(path)?;
        inputs.push(Input::of(path, Digest::of(&bytes)));
        let read = lists::parse(path, &bytes, Some(name))?;
        let [list] = &read[..] else {
            return Err(Diagnostic::error(
                Code::ValueUnreadable,
                "this is a table of several sets, not one list",
            )
            .at(Location::file(path))
            .hint("one case id a line")
            .into());
        };
        official.push(list.clone());
    }
    let assigned = lists::assign(cases, &official)?;
    warnings.extend(assigned.warnings);
    let development: Vec<Case> = assigned.places[0].iter().map(|&i| cases[i].clone()).collect();
    let tuning = portion(args.tuning.unwrap_or(0.0), development.len() as u64);
    if tuning > 0 {
        let list =
            vec![("training".to_owned(), development.len() as u64 - tuning), ("tuning".to_owned(), tuning)];
        let set_of = allocation::allocate(&development, &rule(list))?;
        for (&place, set) in assigned.places[0].iter().zip(set_of) {
            places[set].push(place);
        }
        wanted.extend([("training", development.len() as u64 - tuning), ("tuning", tuning)]);
    } else {
        places[0].clone_from(&assigned.places[0]);
    }
    places[2].clone_from(&assigned.places[1]);
    Ok(Places { places, wanted })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a part of a count"
)]
fn portion(share: f64, of: u64) -> u64 {
    (share * of as f64).round() as u64
}

/// Wanted numbers of images of training, tuning and test.
fn sizes(args: &SplitArgs, all: u64) -> Result<[u64; 3]> {
    if args.sizes.is_empty() {
        let (tuning, test) = (args.tuning.unwrap_or(0.15), args.test.unwrap_or(0.15));
        if tuning + test >= 1.0 {
            let message = format!("--tuning {tuning} and --test {test} leave nothing for training");
            return Err(usage(Code::SplitSizes, message, "their sum must be below 1"));
        }
        let (tuning, test) = (portion(tuning, all), portion(test, all));
        return Ok([all - tuning - test, tuning, test]);
    }
    let hint = "such as --sizes 79113,16370,rest: training, tuning, test";
    if args.sizes.len() != 3 {
        return Err(usage(
            Code::SplitSizes,
            format!("--sizes has {} numbers, not three", args.sizes.len()),
            hint,
        ));
    }
    let mut sizes = [None; 3];
    for (size, text) in sizes.iter_mut().zip(&args.sizes) {
        if text.trim() != "rest" {
            let number = text.trim().parse::<u64>();
            *size =
                Some(number.map_err(|_| {
                    usage(Code::SplitSizes, format!("`{text}` is no number of images"), hint)
                })?);
        }
    }
    let known = sizes.iter().flatten().try_fold(0_u64, |sum, n| sum.checked_add(*n)).unwrap_or(u64::MAX);
    let open = sizes.iter().filter(|s| s.is_none()).count();
    if open > 1 || known > all || (open == 0 && known != all) {
        let message =
            format!("--sizes {} does not add up to the {all} images of the tables", args.sizes.join(","));
        return Err(usage(Code::SplitSizes, message, "one of the three may be `rest`"));
    }
    Ok(sizes.map(|size| size.unwrap_or(all - known)))
}

/// No patient and no case in two sets.
fn separate(sets: &[Set<'_>]) -> Result<()> {
    let of_set =
        |(number, set): (usize, &Set<'_>)| shared::items(number, set.cases.iter().copied(), |_| None);
    let items: Vec<_> = sets.iter().enumerate().flat_map(of_set).collect();
    let found = shared::shared(&items, Form::Seen);
    if let Some(warning) = shared::probably_shared(&found, "one set", "another") {
        eprintln!("{warning}");
    }
    let found = found.patients;
    if found.is_empty() {
        return Ok(());
    }
    let some = few::and_so_on(&found, 10);
    Err(Diagnostic::error(
        Code::PatientOnBothSides,
        format!("{} patients are in two sets: {some}", found.len()),
    )
    .hint("every image of a patient belongs to one set; correct the lists")
    .into())
}

/// `split.csv`: which set each case is in.
fn membership(members: &[(&Case, &str)]) -> Result<Vec<u8>> {
    let failed = |e: csv::Error| Error::from(Diagnostic::error(Code::TableUnwritable, e.to_string()));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["case_id", "patient_id", "split"]).map_err(failed)?;
    for (case, set) in members {
        writer.write_record([case.case_id.as_str(), case.patient_id.as_str(), set]).map_err(failed)?;
    }
    writer.into_inner().map_err(|e| Diagnostic::error(Code::TableUnwritable, e.to_string()).into())
}

#[expect(clippy::too_many_arguments, reason = "everything that split.json says")]
fn report(
    args: &SplitArgs,
    inputs: &[Input],
    stratify: &[String],
    wanted: &BTreeMap<&str, u64>,
    described: &Description,
    files: &BTreeMap<String, Vec<u8>>,
    all: usize,
    warnings: &[Diagnostic],
) -> Value {
    let sets: Vec<Value> = described
        .sets
        .iter()
        .map(|set| {
            let file = format!("{}.csv", set.name);
            let wanted = wanted.get(set.name.as_str()).copied();
            json!({"name": set.name, "images": set.images, "wanted_images": wanted,
                "share_of_images": describe::Share::new(set.images, all as u64),
                "patients": set.patients, "positives": set.positives,
                "positive_patients": set.positive_patients, "age": set.age,
                "images_per_patient": set.images_per_patient, "covariates": set.covariates,
                "file": file, "sha256": files.get(&file).map(|bytes| Digest::of(bytes))})
        })
        .collect();
    let official: Vec<String> = args.official.iter().map(|p| describe::file_name(p)).collect();
    // As inputs: file names.
    let mut warnings = warnings.to_vec();
    for place in warnings.iter_mut().filter_map(|w| w.location.as_mut()) {
        place.path = Path::new(&describe::file_name(&place.path)).into();
    }
    json!({"format": FORMAT, "inputs": inputs, "images": all, "positive": args.tables.positive,
        "rule": {"unit": "patient",
            "stratify": std::iter::once("label")
                .chain(stratify.iter().map(String::as_str))
                .collect::<Vec<_>>(),
            "age_bands": args.tables.age_bands.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "seed": args.seed, "official": official},
        "shared_patients": described.comparisons.iter().map(|c| c.shared_patients).sum::<u64>(),
        "sets": sets, "comparisons": described.comparisons,
        "split_sha256": files.get("split.csv").map(|bytes| Digest::of(bytes)),
        "warnings": warnings})
}

/// Writes all files, or none where another split lies there; split.json last.
fn write(out: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    let known = NAMES.iter().map(|n| format!("{n}.csv")).chain(["split.csv".into(), "split.json".into()]);
    for name in known {
        let path = out.join(&name);
        if path.exists() && files.get(&name) != Some(&storage::read(&path)?) {
            let problem = Diagnostic::error(Code::FileExists, "another split is there");
            return Err(problem.at(Location::file(&path)).hint("name another --out, or move it away").into());
        }
    }
    for (name, bytes) in files.iter().filter(|(name, _)| *name != "split.json") {
        storage::write_atomic(&out.join(name), bytes)?;
    }
    files.get("split.json").map_or(Ok(()), |bytes| storage::write_atomic(&out.join("split.json"), bytes))
}

fn print(args: &SplitArgs, described: &Description, wanted: &BTreeMap<&str, u64>, all: usize) {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    let mut lines = description::overview_cells(described).into_iter();
    if let Some(header) = lines.next() {
        table.add_row(header);
    }
    let row = |name: &str, cell: &dyn Fn(&describe::SetDescription) -> String| {
        std::iter::once(name.to_owned()).chain(described.sets.iter().map(cell)).collect::<Vec<_>>()
    };
    if !wanted.is_empty() {
        table.add_row(row("Images wanted", &|s| {
            wanted.get(s.name.as_str()).map_or_else(|| "as listed".to_owned(), u64::to_string)
        }));
    }
    table.add_row(row("Images of all", &|s| description::share(describe::Share::new(s.images, all as u64))));
    for line in lines {
        table.add_row(line);
    }
    for covariate in described.sets.first().map_or(&[][..], |s| &s.covariates) {
        for level in &covariate.levels {
            table.add_row(row(&format!("{} {}", covariate.field, level.level), &|s| {
                let own = s.covariates.iter().find(|c| c.field == covariate.field);
                let found = own.and_then(|c| c.levels.iter().find(|l| l.level == level.level));
                description::share(found.map_or(describe::Share::new(0, s.images), |l| l.images))
            }));
        }
    }
    for line in table.to_string().lines() {
        println!("{}", line.trim_end());
    }
    for comparison in &described.comparisons {
        println!("{}", description::sentence(comparison));
    }
    println!("no patient is in two sets");
    match (&args.out, args.dry_run) {
        (Some(out), false) => println!("written to {}", out.join("split.json").display()),
        _ => println!("dry run: nothing was written"),
    }
}
