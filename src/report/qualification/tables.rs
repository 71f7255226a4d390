//! The tables of a qualification.

use crate::document::format;
use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::qualification::{Outcome, Qualification, Tested};

/// The ids of all tables.
pub const IDS: &[&str] = &[
    "title",
    "program",
    "machine",
    "failed",
    "installation",
    "operation",
    "statistics",
    "traced",
    "performance",
    "signatures",
    "files",
];

/// A table by its id. `None`: there is no such id.
pub fn build(of: &Qualification, id: &str) -> Option<Table> {
    Some(match id {
        "title" => title(of),
        "program" => program(of),
        "machine" => machine(of),
        "failed" => failed(of),
        "installation" => found("Installation qualification", of, |test| test.id.starts_with("IQ-")),
        "operation" => found("Operational qualification: what the program does", of, |test| {
            test.id.starts_with("OQ-") && test.numbers.is_none()
        }),
        "statistics" => statistics(of),
        "traced" => traced(of),
        "performance" => performance(),
        "signatures" => signatures(),
        "files" => files(of),
        _ => return None,
    })
}

/// Rows of a key and a value.
fn facts(caption: &str, rows: Vec<(&str, String, Look)>) -> Table {
    let rows = rows.into_iter().map(|(key, value, look)| {
        Row::Cells(vec![Cell::new(key).look(Look::Strong), Cell::new(value).look(look)])
    });
    // The table of the title page stands without a caption, and without names of its columns.
    let named = |name| if caption.is_empty() { "" } else { name };
    let columns = vec![Column::left(named("What"), 0.0), Column::left(named("Value"), 1.0)];
    Table::new(caption, columns, rows.collect())
}

fn title(of: &Qualification) -> Table {
    let result = if of.passed { ("passed", Look::Good) } else { ("not passed", Look::Bad) };
    facts(
        "",
        vec![
            ("Result", result.0.to_owned(), result.1),
            ("Date", of.at.clone(), Look::Plain),
            ("Program", format!("Sequester {}", of.program.version), Look::Plain),
            ("Program, SHA-256", of.program.sha256.clone(), Look::Code),
            ("Machine", format!("{}-{}", of.machine.arch, of.machine.os), Look::Plain),
        ],
    )
}

fn program(of: &Qualification) -> Table {
    let program = &of.program;
    let features = if program.features.is_empty() { "none".to_owned() } else { program.features.join(", ") };
    facts(
        "The program",
        vec![
            ("Version", program.version.clone(), Look::Plain),
            ("SHA-256", program.sha256.clone(), Look::Code),
            ("Bytes", format::count(program.bytes), Look::Plain),
            ("Features", features, Look::Plain),
            ("Build", program.build.clone(), Look::Plain),
            ("Cargo.lock, SHA-256", program.cargo_lock_sha256.clone(), Look::Code),
        ],
    )
}

fn machine(of: &Qualification) -> Table {
    let machine = &of.machine;
    let processor = machine.processor.clone().unwrap_or_else(|| "not told by the system".to_owned());
    facts(
        "The machine",
        vec![
            ("Operating system", machine.os.clone(), Look::Plain),
            ("Instruction set", machine.arch.clone(), Look::Plain),
            ("Processor", processor, Look::Plain),
            ("Vector instructions", machine.vectors.clone(), Look::Plain),
            ("Cores", machine.cores.to_string(), Look::Plain),
        ],
    )
}

fn outcome(test: &Tested) -> Cell {
    let look = match test.outcome {
        Outcome::Passed => Look::Good,
        Outcome::Failed => Look::Bad,
        Outcome::NotApplicable => Look::Muted,
    };
    Cell::new(test.outcome.words()).look(look)
}

fn found(caption: &str, of: &Qualification, keep: impl Fn(&Tested) -> bool) -> Table {
    let row = |test: &Tested| {
        Row::Cells(vec![
            Cell::new(test.id),
            Cell::new(test.requirement),
            Cell::new(format!("{} ({})", test.harm, test.severity)),
            Cell::new(test.expected.clone()),
            Cell::new(test.found.clone()),
            outcome(test),
        ])
    };
    let rows = of.tests.iter().filter(|test| keep(test)).map(row).collect();
    let columns = vec![
        Column::left("Id", 0.0),
        Column::left("Requirement", 1.3),
        Column::left("Risk", 1.0),
        Column::left("Expected", 1.4),
        Column::left("Found", 1.4),
        Column::left("Result", 0.7),
    ];
    Table::new(caption, columns, rows)
}

fn failed(of: &Qualification) -> Table {
    let mut table = found("Tests that failed", of, |test| test.outcome == Outcome::Failed);
    let numbers = of.tests.iter().filter_map(|test| test.numbers.as_ref().map(|n| (test.id, n)));
    table.notes =
        numbers.flat_map(|(id, n)| n.beyond.iter().map(move |line| format!("{id}: {line}"))).collect();
    table
}

/// Headings of the table of statistics, by the hundred of the id.
const GROUPS: [(char, &str); 7] = [
    ('1', "Discrimination"),
    ('2', "Calls, shares and their intervals"),
    ('3', "Calibration"),
    ('4', "Readers"),
    ('5', "Comparisons"),
    ('6', "Several endpoints, sites, bootstrap, laws"),
    ('7', "Design and description"),
];

fn statistics(of: &Qualification) -> Table {
    let mut rows = Vec::new();
    for (hundred, name) in GROUPS {
        rows.push(Row::Group(name.to_owned()));
        let own =
            of.tests.iter().filter(|t| t.id.strip_prefix("OQ-").is_some_and(|n| n.starts_with(hundred)));
        for test in own {
            let Some(numbers) = &test.numbers else { continue };
            let deviation = match numbers.largest_deviation {
                None => "none".to_owned(),
                Some(0.0) => "0".to_owned(),
                Some(deviation) => format!("{deviation:.1e}"),
            };
            // The JSON document names the script, too.
            let reference = numbers.reference.split(" (make_").next().unwrap_or_default();
            let expected = numbers.expected.clone().unwrap_or_else(|| "none".to_owned());
            let computed = numbers.computed.map_or("none".to_owned(), |value| format!("{value:?}"));
            rows.push(Row::Cells(vec![
                Cell::new(test.id),
                Cell::new(format!("{} Risk: {} ({}).", test.requirement, test.harm, test.severity)),
                Cell::new(reference),
                Cell::count(numbers.compared as u64),
                Cell::new(format!("{:e}", numbers.tolerance)),
                Cell::new(deviation),
                Cell::new(format!("{}: {} / {computed}", numbers.at, short(&expected))),
                outcome(test),
            ]));
        }
    }
    let columns = vec![
        Column::left("Id", 0.0),
        Column::left("Requirement", 1.6),
        Column::left("Reference", 1.2),
        Column::right("Values"),
        Column::right("Accepted"),
        Column::right("Largest"),
        Column::left("Where: reference / computed", 1.5),
        Column::left("Result", 0.7),
    ];
    let mut table = Table::new("Operational qualification: statistics", columns, rows);
    table.notes.push(
        "Accepted and largest: deviation of a value from its reference, relative above a size that the \
             JSON document names, absolute below; of replicates that are drawn, in units of what the Monte \
             Carlo errors of both allow."
            .to_owned(),
    );
    table
}

/// A reference value with as many digits as a value computed here can have.
fn short(text: &str) -> &str {
    text.get(..20).unwrap_or(text)
}

fn traced(of: &Qualification) -> Table {
    // As a page shows it: a place is named by its words in the source of the documentation.
    let words = |place: &str| {
        let plain = place.trim_start_matches('#').replace("**", "").replace('`', "");
        plain.trim().to_owned()
    };
    let rows = of.tests.iter().flat_map(|test| {
        let row = move |place: &&str| Row::plain([words(place), test.id.to_owned()]);
        test.documented.iter().map(row)
    });
    let columns = vec![Column::left("docs/statistics.md", 1.0), Column::left("Requirement", 0.0)];
    Table::new("Statistics of the documentation and their requirements", columns, rows.collect())
}

/// A line to write on.
fn blank() -> String {
    "\u{2026}".repeat(8)
}

fn performance() -> Table {
    let rows = [
        (
            "PQ-01",
            "The people who use the program were trained for it",
            "Names, dates, record of the training",
        ),
        ("PQ-02", "A study of yours with a known result gives it", "Study, expected and found result"),
        ("PQ-03", "Evidence is stored and restored without a change", "verify after a restore: exit code 0"),
        ("PQ-04", "The clock of the machine is set by your time service", "Difference to the reference"),
        ("PQ-05", "Accounts, access and backup follow your procedures", "Number of the procedure"),
        ("PQ-06", "This qualification is repeated after each change", "Number of the change procedure"),
        ("PQ-07", "", ""),
        ("PQ-08", "", ""),
    ];
    let rows = rows.into_iter().map(|(id, what, accept)| {
        let or_blank = |text: &str| if text.is_empty() { blank() } else { text.to_owned() };
        Row::plain([id.to_owned(), or_blank(what), or_blank(accept), blank(), blank()])
    });
    let columns = vec![
        Column::left("Id", 0.0),
        Column::left("Requirement", 1.4),
        Column::left("Accepted when", 1.2),
        Column::left("Done and found", 1.2),
        Column::left("Initials, date", 0.8),
    ];
    Table::new("Performance qualification, a form", columns, rows.collect())
}

fn signatures() -> Table {
    let rows = ["Authorship", "Review", "Approval"]
        .map(|meaning| Row::plain([meaning.to_owned(), blank(), blank(), blank(), blank()]));
    let columns = vec![
        Column::left("Meaning", 0.0),
        Column::left("Printed name", 1.0),
        Column::left("Role", 1.0),
        Column::left("Signature", 1.0),
        Column::left("Date and time", 1.0),
    ];
    Table::new("Signatures", columns, rows.to_vec())
}

fn files(of: &Qualification) -> Table {
    let rows = of.files.iter().map(|file| {
        Row::Cells(vec![
            Cell::new(file.kind),
            Cell::new(file.name.clone()),
            Cell::new(file.sha256.clone()).look(Look::Code),
        ])
    });
    let columns = vec![Column::left("Kind", 0.0), Column::left("File", 1.0), Column::left("SHA-256", 1.3)];
    Table::new("Templates, fonts and reference values that the program holds", columns, rows.collect())
}
