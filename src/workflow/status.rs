//! How far the reading of a study is, from what there is of its files, and as a page.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::round::{inputs_so_far, open};
use super::study::Study;
use crate::diagnostic::{Diagnostic, Result};
use crate::document::content::Content;
use crate::document::format;
use crate::document::render::compose;
use crate::document::text::one_line;
use crate::document::tree::{Cell, Column, Facts, Figure, Look, Row, Table};
use crate::reads::status::{self, Assigned, Copied, Drift, Moment, ReaderStatus, Seen, Status};
use crate::study;
use crate::study::rounds::{OfRound, of_round};

/// What was found.
#[derive(Clone, Debug)]
pub struct Looked {
    /// The status.
    pub status: Status,
    /// One row a reader and a case, as CSV.
    pub csv: Vec<u8>,
    /// What a person should know of the files.
    pub warnings: Vec<Diagnostic>,
}

/// Looks at the reads of a study. Records nothing and reads no score.
///
/// # Errors
/// Whatever is wrong in case tables and readers' files; what is still to come is none.
pub fn look(study: &Study, now: Moment, late_after: i64) -> Result<Looked> {
    let inputs = inputs_so_far(study)?;
    let cohort = study::cohort(&inputs)?;
    let so_far = study::reads_so_far(&inputs, &cohort)?;
    let mut rounds = Vec::new();
    for name in study.rounds() {
        let round = open(study, &name)?;
        let of_it = |file: &std::path::Path| {
            let path = file.to_string_lossy().parse().ok();
            path.is_some_and(|path| of_round(&study.protocol, &path) == Some(OfRound::Returned(&name)))
        };
        let returned = so_far.rows.iter().filter(|row| of_it(row.file.as_path()));
        let returned = returned.map(|row| row.reader_id.to_string());
        rounds.push(Assigned {
            kind: round.kind.name(),
            cases: round.cases().into_iter().map(str::to_owned).collect(),
            readers: round.readers.iter().map(|part| part.id.clone()).collect(),
            returned: returned.collect(),
            name,
        });
    }
    let rule = &study.protocol.reference_standard;
    let cases: Vec<&str> = cohort.drawn_cases().map(|case| case.case_id.as_str()).collect();
    let standard = &so_far.standard;
    let seen = Seen {
        cases: &cases,
        roster: &standard.roster,
        assembled: &standard.assembled,
        voting: &standard.voting,
        fixed: rule.fixed_readers && rule.rule.is_vote(),
        consensus: &standard.consensus,
        rows: &so_far.rows,
        no_reads: &so_far.no_reads,
        rounds: &rounds,
        now,
        late_after,
    };
    let status = status::status(&seen);
    let csv = status::csv(&seen, &status);
    Ok(Looked { csv, status, warnings: standard.warnings.clone() })
}

/// The status as a page with everything in it.
///
/// # Errors
/// None that the status itself can cause.
pub fn page(status: &Status, title: &str, at: &str) -> Result<Vec<u8>> {
    const MAIN: &str = "reads-status.md";
    let template = include_str!("../../templates/reads-status.md").to_owned();
    let content = Arc::new(Page { status: status.clone(), title: title.to_owned(), at: at.to_owned() });
    let composed = compose(&content, MAIN, &BTreeMap::from([(MAIN.to_owned(), template)]))?;
    Ok(composed.page("status")?.into_values().next_back().unwrap_or_default())
}

/// A status that is written down.
struct Page {
    status: Status,
    title: String,
    at: String,
}

const TABLES: &[&str] = &[
    "readers",
    "answers",
    "rounds",
    "missing",
    "disagreements",
    "open",
    "pairs",
    "copies",
    "drift",
    "comments",
];

/// One sentence on all of it.
pub fn summary(status: &Status) -> String {
    let missing = status.readers.iter().flat_map(|reader| &reader.missing).map(Vec::len).sum::<usize>();
    let open = status.open.values().map(Vec::len).sum::<usize>();
    format!(
        "{} cases, {} readers; {missing} reads are missing; reference readers disagree on {} cases; {} wait \
         for adjudication, {open} more have no reference standard yet.",
        status.cases,
        status.readers.len(),
        status.disagreements.len(),
        status.to_adjudicate.len()
    )
}

/// Agreement of all reference readers in one sentence.
pub fn overall(status: &Status) -> String {
    let number = |value: Option<f64>| value.map_or("not evaluable".to_owned(), |v| format::fixed(v, 3));
    format!(
        "All reference readers: Krippendorff's alpha {}, Gwet's AC1 {}; without intervals, which the \
         documents have.",
        number(status.overall.alpha),
        number(status.overall.ac1)
    )
}

/// What a reader's drift is, in words.
pub fn drift_in_words(drift: &Drift) -> String {
    let shares = drift.parts.iter().map(|[positive, all]| format!("{positive}/{all}"));
    match (drift.why_none, drift.p) {
        (Some(why), _) => format!("not tested: {why}"),
        (None, None) => "not tested".to_owned(),
        (None, Some(p)) => {
            format!("{}, p {}", shares.collect::<Vec<_>>().join(", "), format::p_value(p))
        }
    }
}

/// Why two things look copied, in words.
pub fn copy_in_words(copy: &Copied) -> String {
    let mut words = format!("same read on {} of {} common cases", copy.same, copy.cases);
    if copy.same_time > 0 {
        words += &format!(", {} of them at the same second", copy.same_time);
    }
    match copy.p {
        Some(p) => words += &format!(", p {}", format::p_value(p)),
        None if copy.what == "readers" => words += ", no other pair to compare with",
        None => words += ", in the same order",
    }
    words
}

impl Page {
    fn readers(&self) -> Table {
        let columns = vec![
            Column::left("Reader", 2.0),
            Column::left("Role", 2.0),
            Column::right("Read"),
            Column::right("Expected"),
            Column::right("Missing"),
            Column::left("Last read", 3.0),
        ];
        let row = |reader: &ReaderStatus| {
            let or_open = |n: Option<usize>| n.map_or_else(|| Cell::new("any"), |n| Cell::count(n as u64));
            let missing = reader.missing.as_ref().map(Vec::len);
            let last = match (reader.last_read, reader.days_since) {
                (Some(last), Some(days)) => format!("{} ({days} days ago)", last.date()),
                _ => "no times".to_owned(),
            };
            let late = if reader.late { format!("{last}, late") } else { last };
            let bad = |is: bool| if is { Look::Bad } else { Look::Plain };
            Row::Cells(vec![
                Cell::new(one_line(&reader.id)).look(Look::Strong),
                Cell::new(reader.role),
                Cell::count(reader.read as u64),
                or_open(reader.expected),
                or_open(missing).look(bad(missing.is_some_and(|missing| missing > 0))),
                Cell::new(late).look(bad(reader.late)),
            ])
        };
        Table::or_none("Readers and their cases", columns, self.status.readers.iter().map(row).collect())
    }

    fn answers(&self) -> Table {
        let heads = ["Positive", "Negative", "Cannot tell", "Cannot be read", "Set aside", "Not completed"];
        let first = std::iter::once(Column::left("Reader", 2.0));
        let columns = first.chain(heads.map(Column::right)).collect();
        let row = |reader: &ReaderStatus| {
            let counts = [
                reader.positive,
                reader.negative,
                reader.indeterminate,
                reader.uninterpretable,
                reader.set_aside,
                reader.not_completed,
            ];
            let name = std::iter::once(Cell::new(one_line(&reader.id)).look(Look::Strong));
            Row::Cells(name.chain(counts.map(|n| Cell::count(n as u64))).collect())
        };
        let mut table =
            Table::or_none("Their answers", columns, self.status.readers.iter().map(row).collect());
        table.notes.push(
            "Set aside: read more than once, and not counted by the declared rule. Not completed: begun, and \
             no read."
                .to_owned(),
        );
        table
    }

    fn listed(caption: &str, head: [&str; 3], rows: Vec<[String; 3]>) -> Table {
        let columns = vec![Column::left(head[0], 2.0), Column::right(head[1]), Column::left(head[2], 8.0)];
        Table::or_none(
            caption,
            columns,
            rows.into_iter().map(|row| Row::plain(row.map(|c| one_line(&c)))).collect(),
        )
    }

    fn table_of(&self, id: &str) -> Option<Table> {
        Some(match id {
            "readers" => self.readers(),
            "answers" => self.answers(),
            "rounds" => self.rounds(),
            "missing" => self.missing(),
            "disagreements" => self.disagreements(),
            "open" => self.open(),
            "pairs" => self.pairs(),
            "copies" => self.copies(),
            "comments" => self.comments(),
            "drift" => self.drift(),
            _ => return None,
        })
    }

    fn rounds(&self) -> Table {
        let rows = self.status.rounds.iter().map(|round| {
            [
                format!("{} ({})", round.name, round.kind),
                round.cases.to_string(),
                format!("came back: {}; waiting: {}", or_none(&round.returned), or_none(&round.waiting)),
            ]
        });
        Self::listed("Rounds", ["Round", "Cases", "Readers"], rows.collect())
    }

    fn missing(&self) -> Table {
        let lacking = self.status.readers.iter().filter_map(|reader| {
            let missing = reader.missing.as_ref().filter(|missing| !missing.is_empty())?;
            Some([reader.id.clone(), missing.len().to_string(), joined(missing)])
        });
        Self::listed("Missing cases of each reader", ["Reader", "Cases", "Ids"], lacking.collect())
    }

    fn disagreements(&self) -> Table {
        let columns = ["Case", "With", "Without", "Undecided"].map(|head| Column::left(head, 2.0));
        let rows = self.status.disagreements.iter().map(|one| {
            let readers = [&one.positive, &one.negative, &one.undecided].map(|ids| joined(ids));
            Row::plain(std::iter::once(one.case_id.clone()).chain(readers).map(|c| one_line(&c)))
        });
        Table::or_none("Cases on which reference readers differ", columns.into(), rows.collect())
    }

    fn open(&self) -> Table {
        let adjudication = (!self.status.to_adjudicate.is_empty())
            .then_some(("needs adjudication", &self.status.to_adjudicate));
        let open = self.status.open.iter().map(|(why, ids)| (*why, ids));
        let rows = adjudication.into_iter().chain(open);
        let rows = rows.map(|(why, ids)| [why.to_owned(), ids.len().to_string(), joined(ids)]);
        Self::listed("Cases without a reference standard", ["Why", "Cases", "Ids"], rows.collect())
    }

    fn pairs(&self) -> Table {
        let columns = vec![
            Column::left("Readers", 3.0),
            Column::right("Cases of both"),
            Column::right("Same answer"),
            Column::right("Cohen's kappa"),
        ];
        let rows = self.status.pairs.iter().map(|pair| {
            let kappa = pair.kappa.map_or("not evaluable".to_owned(), |k| format::fixed(k, 3));
            Row::plain([
                one_line(&pair.readers.join(" and ")),
                format::count(pair.cases),
                format::share(pair.agreed, pair.cases),
                kappa,
            ])
        });
        let mut table = Table::or_none("Reference readers two by two", columns, rows.collect());
        table.notes.push("Cases that both answered with yes or no.".to_owned());
        table
    }

    fn copies(&self) -> Table {
        let columns = vec![Column::left("What", 3.0), Column::left("Why", 6.0)];
        let rows = self.status.copies.iter().map(|copy| {
            let what = format!("{} {}", copy.what, copy.of.join(" and "));
            Row::plain([one_line(&what), copy_in_words(copy)])
        });
        let mut table = Table::or_none("Readers and files with the same reads", columns, rows.collect());
        table.notes.push(COPIES.to_owned());
        table
    }

    fn comments(&self) -> Table {
        let columns = vec![
            Column::left("Case", 2.0),
            Column::left("Reader", 1.0),
            Column::left("Answer", 1.0),
            Column::left("Comment", 6.0),
        ];
        let rows = self
            .status
            .comments
            .iter()
            .map(|one| Row::plain([&one.case_id, &one.reader, one.answer, &one.comment].map(one_line)));
        Table::or_none("What readers wrote", columns, rows.collect())
    }

    fn drift(&self) -> Table {
        let columns = vec![
            Column::left("Reader", 2.0),
            Column::right("Reads"),
            Column::left("Positive in each quarter, and the trend", 6.0),
        ];
        let row = |reader: &ReaderStatus| {
            let look = if reader.drift.told { Look::Bad } else { Look::Plain };
            Row::Cells(vec![
                Cell::new(one_line(&reader.id)),
                Cell::count(reader.drift.reads as u64),
                Cell::new(drift_in_words(&reader.drift)).look(look),
            ])
        };
        let mut table = Table::or_none(
            "Share of positive answers along the time",
            columns,
            self.status.readers.iter().map(row).collect(),
        );
        table.notes.push(DRIFT.to_owned());
        table
    }
}

/// How copies are told.
pub const COPIES: &str = "Told are two readers with equal reads on all of 20 common cases or more, and two \
                          whose reads differ less often than is probable (p < 0.001 for all pairs together) \
                          if they differ as rarely as any other pair, by the lower 95 % limit of that pair; \
                          and files with the same reads in the same order. Easy cases, or a third reader who \
                          differs from both, can be the reason too: it is a reason to ask, and no proof.";

/// How drift is told.
pub const DRIFT: &str = "Two-sided test for trend over the order of time (Cochran 1954, Armitage 1955), told \
                         below p 0.01, from 20 reads with 5 of each answer on. Where cases were not read in \
                         a random order, the order itself can be the reason.";

fn joined(ids: &[String]) -> String {
    ids.join(", ")
}

fn or_none(ids: &[String]) -> String {
    if ids.is_empty() { "nobody".to_owned() } else { ids.join(", ") }
}

impl Content for Page {
    fn facts(&self) -> Facts {
        Facts {
            title: "How far the reading is".to_owned(),
            running_title: one_line(&format!("Reading of {}, {}", self.title, self.at)),
            author: String::new(),
            banner: None,
            footer: one_line(&format!("Sequester {}, {}", env!("CARGO_PKG_VERSION"), self.at)),
            date: self.at.clone(),
            identifier: String::new(),
        }
    }

    fn context(&self) -> Value {
        let has = |id: &&str| match *id {
            "rounds" => !self.status.rounds.is_empty(),
            "comments" => !self.status.comments.is_empty(),
            _ => true,
        };
        let shown: BTreeSet<&str> = TABLES.iter().copied().filter(has).collect();
        json!({"summary": summary(&self.status), "agreement": overall(&self.status), "tables": shown})
    }

    fn table_ids(&self) -> &[&str] {
        TABLES
    }

    fn table(&self, id: &str, _: &str) -> Option<Table> {
        self.table_of(id)
    }

    fn figure_ids(&self) -> &[&str] {
        &[]
    }

    fn figure(&self, _: &str) -> Option<Figure> {
        None
    }
}
