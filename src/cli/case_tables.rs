//! What `dataset describe` and `dataset split` read: case tables of either format, and which cases are
//! positive.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::domain;
use crate::dataset::ages::too_old;
use crate::dataset::case::{Case, change_all};
use crate::dataset::cases::{self, CaseFormat};
use crate::dataset::describe::{AgeBand, Input};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Bytes;
use crate::storage;

/// Format of case tables, as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// NIH's Data_Entry_2017*.csv.
    Nih,
    /// cases.csv.
    Cases,
}

impl From<Format> for CaseFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Nih => Self::Nih,
            Format::Cases => Self::Cases,
        }
    }
}

/// Options of both commands.
#[derive(Debug, Args)]
pub struct TablesArgs {
    /// Case tables: cases.csv or NIH's Data_Entry_2017*.csv, also gzipped.
    #[arg(value_name = "TABLE", required = true)]
    pub tables: Vec<PathBuf>,
    /// Format of the tables [default: what the header says].
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub format: Option<Format>,
    /// Finding that makes an image positive; may be given several times. Needed for NIH's tables; elsewhere
    /// the column `label` is taken where there is one.
    #[arg(long, value_name = "FINDING", value_delimiter = ',')]
    pub positive: Vec<String>,
    /// Age bands in years, ascending and not overlapping; a band without an end is `81-`.
    #[arg(long, value_name = "BANDS", value_delimiter = ',', default_value = "0-17,18-39,40-59,60-80,81-")]
    pub age_bands: Vec<AgeBand>,
}

/// The tables as read.
#[derive(Debug, Default)]
pub struct Tables {
    /// Cases of each table.
    pub cases: Vec<Vec<Case>>,
    /// Columns of any table.
    pub fields: BTreeSet<&'static str>,
    /// Digests.
    pub inputs: Vec<Input>,
    /// What was read with a doubt.
    pub warnings: Vec<Diagnostic>,
}

impl Tables {
    /// Reads all tables and decides which cases are positive.
    ///
    /// # Errors
    /// [`Error::Usage`] for bands of which two hold one age; whatever is wrong in the tables, of all at once.
    pub fn read(args: &TablesArgs) -> Result<Self> {
        if !AgeBand::ascend(&args.age_bands) {
            let message = "the bands of --age-bands must ascend and not overlap: both ends belong to a band";
            return Err(domain::usage(message, "0-17,18-39,40-, say"));
        }
        let format = args.format.map(CaseFormat::from);
        let mut out = Self::default();
        let mut problems = Vec::new();
        for path in &args.tables {
            let bytes = Bytes::from(storage::read(path)?);
            out.inputs.push(Input::of(path, bytes.digest()));
            match cases::parse_as(path, &bytes, format, &args.positive) {
                Ok(mut table) => {
                    // A case table of findings without labels: the named findings make the label, as in
                    // NIH's.
                    if !args.positive.is_empty()
                        && table.fields.contains("findings")
                        && !table.fields.contains("label")
                    {
                        change_all(&mut table.cases, |_, case| {
                            case.source_label = Some(case.findings.iter().any(|f| args.positive.contains(f)));
                        });
                        table.fields.insert("label");
                    }
                    out.fields.extend(table.fields);
                    out.warnings.extend(table.warnings);
                    out.warnings.extend(too_old(Some(path), &table.cases));
                    out.cases.push(table.cases);
                }
                Err(list) => problems.extend(list),
            }
        }
        if !problems.is_empty() {
            return Err(Error::Input(problems));
        }
        if out.fields.contains("findings") {
            let known: BTreeSet<&str> =
                out.cases.iter().flatten().flat_map(|c| &c.findings).map(String::as_str).collect();
            for finding in args.positive.iter().filter(|f| !known.contains(f.as_str())) {
                let some = known.iter().take(20).copied().collect::<Vec<_>>().join(", ");
                out.warnings.push(
                    Diagnostic::warning(
                        Code::FindingNotEncountered,
                        format!("no image has the finding `{finding}`"),
                    )
                    .hint(format!("the findings are: {some}")),
                );
            }
        }
        Ok(out)
    }

    /// All cases, in the order of the tables.
    ///
    /// # Errors
    /// `duplicate-case` for cases that two tables have.
    pub fn pooled(self, args: &TablesArgs) -> Result<Vec<Case>> {
        let mut first: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
        let mut problems = Vec::new();
        if self.cases.len() > 1 {
            for (nth, table) in self.cases.iter().enumerate() {
                for case in table {
                    if let Some((other, line)) = first.insert(&case.case_id, (nth, case.line)) {
                        let place = Location::line(&args.tables[other], line);
                        problems.push(
                            Diagnostic::error(
                                Code::DuplicateCase,
                                format!("the case `{}` is already at {place}", case.case_id),
                            )
                            .at(Location::line(&args.tables[nth], case.line)),
                        );
                    }
                }
            }
        }
        if !problems.is_empty() {
            return Err(Error::Input(crate::table::limited(problems, &args.tables[0])));
        }
        Ok(self.cases.into_iter().flatten().collect())
    }
}

/// Warnings on standard error: of each kind the first few.
pub fn warn(warnings: &[Diagnostic]) {
    const SHOWN: usize = 5;
    let mut count: BTreeMap<Code, usize> = BTreeMap::new();
    for warning in warnings {
        let nth = count.entry(warning.code).or_default();
        *nth += 1;
        if *nth <= SHOWN {
            eprintln!("{warning}");
        }
    }
    for (code, all) in count.into_iter().filter(|(_, all)| *all > SHOWN) {
        eprintln!("warning[{code}]: and {} more; --json lists all", all - SHOWN);
    }
}
