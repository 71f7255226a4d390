//! `sequester dataset leakage`: what sets of cases have in common.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::case_tables::{Format, warn};
use super::{Context, Outcome};
use crate::dataset::cases::CaseFormat;
use crate::dataset::leakage::{Item, Kind, LARGEST_DISTANCE, Pair};
use crate::diagnostic::{Diagnostic, Result};
use crate::table::id::visible;
use crate::workflow::leakage::{Asked, Found, in_common};

/// Find what sets of cases have in common: patients, cases, image files, pixels, and images that look alike.
///
/// Each TABLE is a set: cases.csv, NIH's Data_Entry_2017*.csv, or the training-manifest.csv and
/// tuning-manifest.csv of a training run. With --images the image files are read; without, the file digests
/// that manifests hold are compared. DICOM images are also compared by the UIDs of study and instance. Exits
/// with 10 when two sets are not separate. Duplicates within a set are reported and do not change the exit
/// code.
#[derive(Debug, Args)]
pub struct LeakageArgs {
    /// Tables of cases, one set each.
    #[arg(value_name = "TABLE", required = true)]
    tables: Vec<PathBuf>,
    /// Format of the tables [default: what the header says].
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<Format>,
    /// An older way to say `--format nih`.
    #[arg(long, hide = true, conflicts_with = "format")]
    nih: bool,
    /// Folder of the images; the table's image column, or the case id, is a path below it;
    /// images are also looked for in images_001/images/ and so on.
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// Images are near-duplicates when at most so many of 256 bits of their difference hash differ: 0 to 15.
    #[arg(
        long,
        value_name = "BITS",
        default_value_t = 6,
        value_parser = clap::value_parser!(u32).range(0..=i64::from(LARGEST_DISTANCE))
    )]
    distance: u32,
    /// Patients whose ids differ in zero padding, capitals, spaces, dots or `.0` alone, or are written with
    /// other characters that look alike, are different people: say so, and such pairs are no leak. The report
    /// holds that it was said.
    #[arg(long)]
    distinct_ids: bool,
    /// Pairs printed of each kind; JSON holds all.
    #[arg(long, value_name = "N", default_value_t = 5)]
    examples: usize,
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong in the tables or images, located.
pub fn run(args: &LeakageArgs, context: Context) -> Result<Outcome> {
    let asked = Asked {
        tables: &args.tables,
        format: if args.nih { Some(CaseFormat::Nih) } else { args.format.map(CaseFormat::from) },
        images: args.images.as_deref(),
        distance: args.distance,
    };
    let Found { items, pairs, warnings } = in_common(&asked, &context.outside())?;
    let between = |p: &&Pair| items[p.first].set != items[p.second].set;
    let leaks = pairs.iter().filter(between).any(|p| p.kind.leaks(args.distinct_ids));
    if context.json {
        println!("{:#}", report(args, &items, &pairs, leaks, &warnings));
    } else {
        print(args, &items, &pairs, leaks);
        warn(&warnings);
    }
    Ok(if leaks { Outcome::CriterionNotMet } else { Outcome::Done })
}

/// The name of a table's file. Its folder differs between machines; a number tells two of one name apart.
fn table_name(args: &LeakageArgs, set: usize) -> String {
    let own = name(args, set);
    let once = (0..args.tables.len()).filter(|&other| name(args, other) == own).count() == 1;
    if once { own } else { format!("{own} (table {})", set + 1) }
}

fn name(args: &LeakageArgs, set: usize) -> String {
    args.tables
        .get(set)
        .and_then(|p| p.file_name())
        .map_or(String::new(), |n| n.to_string_lossy().into_owned())
}

/// Pairs by kind, within or between, and sets.
fn grouped<'a>(items: &[Item], pairs: &'a [Pair]) -> BTreeMap<(Kind, usize, usize), Vec<&'a Pair>> {
    let mut out: BTreeMap<_, Vec<&Pair>> = BTreeMap::new();
    for pair in pairs {
        let (a, b) = (items[pair.first].set, items[pair.second].set);
        out.entry((pair.kind, a.min(b), a.max(b))).or_default().push(pair);
    }
    out
}

fn report(args: &LeakageArgs, items: &[Item], pairs: &[Pair], leaks: bool, warnings: &[Diagnostic]) -> Value {
    let sets: Vec<Value> = (0..args.tables.len())
        .map(|set| {
            let own = || items.iter().filter(|i| i.set == set);
            let patients: std::collections::BTreeSet<&str> = own().map(|i| i.patient_id.as_str()).collect();
            json!({"table": table_name(args, set), "cases": own().count(), "patients": patients.len()})
        })
        .collect();
    let pair = |p: &&Pair| {
        let side = |i: &Item| json!({"set": i.set, "case_id": i.case_id, "patient_id": i.patient_id});
        let mut out = json!({"first": side(&items[p.first]), "second": side(&items[p.second])});
        if let Some(bits) = p.distance {
            out["distance"] = json!(bits);
        }
        if p.kind == Kind::Site {
            out["site"] = json!(items[p.first].site);
        }
        out
    };
    let found: Vec<Value> = grouped(items, pairs)
        .iter()
        .map(|((kind, a, b), list)| {
            json!({"kind": kind, "sets": [a, b],
                "leaks": a != b && kind.leaks(args.distinct_ids), "count": list.len(),
                "pairs": list.iter().map(pair).collect::<Vec<_>>()})
        })
        .collect();
    json!({"format": "sequester-leakage/1", "sets": sets, "images_read": args.images.is_some(),
        "distance": args.distance, "distinct_ids": args.distinct_ids, "separate": !leaks, "in_common": found,
        "warnings": warnings})
}

fn print(args: &LeakageArgs, items: &[Item], pairs: &[Pair], leaks: bool) {
    for set in 0..args.tables.len() {
        println!(
            "{:>8} cases in {}",
            items.iter().filter(|i| i.set == set).count(),
            args.tables[set].display()
        );
    }
    for ((kind, a, b), list) in grouped(items, pairs) {
        let what = match kind {
            Kind::Case => "the same case",
            Kind::Patient => "the same patient",
            Kind::ProbablePatient => {
                "probably the same patient, by ids that differ in form alone or look alike"
            }
            Kind::ProbableCase => "probably the same case, by ids that differ in form alone or look alike",
            Kind::Study => "the same study by its UID",
            Kind::Instance => "the same DICOM image by its UID",
            Kind::File => "the same image file",
            Kind::Pixels => "the same pixels in another file",
            Kind::NearDuplicate => "images that look alike",
            Kind::Site => "the same site",
        };
        let place = if a == b {
            format!("within {}", name(args, a))
        } else {
            format!("in {} and {}", name(args, a), name(args, b))
        };
        let mark = if a != b && kind.leaks(args.distinct_ids) { "LEAK" } else { "note" };
        println!("{mark} {:>7}  {what} {place}", list.len());
        for pair in list.iter().take(args.examples) {
            let (first, second) = (&items[pair.first], &items[pair.second]);
            let shared = match kind {
                Kind::Case => first.case_id.to_string(),
                Kind::Patient => format!("patient {}", first.patient_id),
                Kind::ProbablePatient => {
                    format!("patients {} and {}", visible(&first.patient_id), visible(&second.patient_id))
                }
                Kind::ProbableCase => {
                    format!("cases {} and {}", visible(&first.case_id), visible(&second.case_id))
                }
                Kind::Site => format!("site {}", first.site.as_deref().unwrap_or_default()),
                _ => format!(
                    "{} (patient {}) and {} (patient {})",
                    first.case_id, first.patient_id, second.case_id, second.patient_id
                ),
            };
            let bits = pair.distance.map_or(String::new(), |d| format!(", {d} of 256 bits differ"));
            println!("              {shared}{bits}");
        }
        if list.len() > args.examples {
            println!("              and {} more; --json lists all", list.len() - args.examples);
        }
    }
    if args.distinct_ids {
        println!("as said with --distinct-ids, ids that differ in form alone are of different patients");
    }
    if !leaks {
        let how = if args.images.is_some() {
            "patients, cases, files, pixels, images that look alike, UIDs of DICOM"
        } else {
            "patients, cases, recorded file digests"
        };
        println!("no leak found: compared {how}");
    } else {
        println!("the sets are not separate");
    }
}
