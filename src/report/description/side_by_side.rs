//! Sets side by side in one table, as submission documents print it: counts and shares, and the standardised
//! difference beside them where there are two sets.

use super::overview::{mean_sd, middle, range, years};
use super::words::{
    columns, difference, finding_name, finding_words, level_words, names, row, share, table, variable,
};
use crate::dataset::describe::{
    Comparison, Description, DifferenceKind, NOT_RECORDED, Numbers, SetDescription, Share,
};
use crate::dataset::standardised::NOTABLE;
use crate::document::format;
use crate::document::tree::{Cell, Row, Table};

/// What is compared on a line, if anything.
type Compared<'a> = Option<(&'a str, Option<&'a str>, DifferenceKind)>;

/// The lines of a table.
struct Lines<'a> {
    sets: &'a [SetDescription],
    /// With two sets their difference is a column.
    comparison: Option<&'a Comparison>,
    rows: Vec<Row>,
}

impl<'a> Lines<'a> {
    fn of(description: &'a Description) -> Self {
        let comparison = match &description.comparisons[..] {
            [only] if description.sets.len() == 2 => Some(only),
            _ => None,
        };
        Self { sets: &description.sets, comparison, rows: Vec::new() }
    }

    fn line(&mut self, name: &str, compared: Compared<'_>, cell: impl Fn(&SetDescription) -> String) {
        let mut cells = vec![Cell::new(name)];
        cells.extend(self.sets.iter().map(|set| Cell::new(cell(set))));
        if let Some(comparison) = self.comparison {
            cells.push(compared.map_or_else(
                || Cell::new(""),
                |(variable, level, kind)| {
                    let is_it = |d: &&crate::dataset::describe::Difference| {
                        d.variable == variable && d.level.as_deref() == level && d.kind == kind
                    };
                    let found = comparison.differences.iter().find(is_it);
                    found.map_or_else(|| Cell::new("\u{2013}"), |d| difference(d.value))
                },
            ));
        }
        self.rows.push(Row::Cells(cells));
    }

    fn table(self, caption: &str, first: &str, description: &Description) -> Table {
        let last = self.comparison.map(|_| "Std. difference".to_owned());
        table(caption, columns(first, names(description).chain(last)), self.rows)
    }
}

/// Size, label, age, images a patient, and every variable with levels.
pub(super) fn all(description: &Description) -> Table {
    use DifferenceKind::{Binary, Categorical, Continuous};
    let mut lines = Lines::of(description);
    lines.line("Images", None, |s| format::count(s.images));
    lines.line("Patients", None, |s| format::count(s.patients));
    let positive = match description.positive[..] {
        [] => "Images positive".to_owned(),
        _ => format!("Images positive ({})", finding_words(description)),
    };
    if description.sets.iter().any(|s| s.positives.denominator > 0) {
        lines.line(&positive, Some(("label", Some("positive"), Binary)), |s| share(s.positives));
        lines.line("Patients with a positive image", None, |s| share(s.positive_patients));
    }
    if description.sets.iter().any(|s| s.age.is_some()) {
        let age = |part: fn(Numbers) -> Option<String>| move |s: &SetDescription| years(s.age, part);
        lines.line("Age in years, mean (SD)", Some(("age", None, Continuous)), age(mean_sd));
        lines.line("Age, median (quartiles)", None, age(middle));
        lines.line("Age, range", None, age(range));
    }
    let images: fn(&SetDescription) -> String = |s| years(Some(s.images_per_patient), mean_sd);
    lines.line("Images per patient, mean (SD)", Some(("images_per_patient", None, Continuous)), images);
    let mut fields: Vec<&str> = Vec::new();
    for covariate in description.sets.iter().flat_map(|s| &s.covariates) {
        // The label has its own line.
        if covariate.field != "label" && !fields.contains(&&*covariate.field) {
            fields.push(&covariate.field);
        }
    }
    for field in fields {
        let levels_of = |s: &SetDescription| {
            s.covariates.iter().find(|c| c.field == field).map_or_else(Vec::new, |c| c.levels.clone())
        };
        let mut levels: Vec<String> = Vec::new();
        for level in description.sets.iter().flat_map(levels_of) {
            if !levels.contains(&level.level) {
                levels.push(level.level);
            }
        }
        // Bands by age, what is not recorded last, the others as the first set has them.
        let youngest =
            |level: &str| level.split('-').next().and_then(|n| n.parse::<u16>().ok()).unwrap_or(u16::MAX);
        levels.sort_by_key(|l| (l == NOT_RECORDED, if field == "age_band" { youngest(l) } else { 0 }));
        lines.line(&variable(field, None), Some((field, None, Categorical)), |_| String::new());
        for level in &levels {
            let name = format!("\u{2003}{}", level_words(field, level));
            lines.line(&name, Some((field, Some(level.as_str()), Binary)), |s| {
                let found = levels_of(s).into_iter().find(|l| l.level == *level);
                share(found.map_or(Share::new(0, s.images), |l| l.images))
            });
        }
    }
    let compared = lines.comparison.is_some();
    let mut made =
        lines.table(if compared { "Development data and test set" } else { "The test set" }, "", description);
    if compared {
        made.notes.push(format!(
            "Standardised difference: of means or shares, first minus second, over the square root of the \
             mean of both variances (Austin 2009); a variable's own line has the distance over all its \
             levels, without sign (Yang and Dalton 2012). Beyond {NOTABLE} it is set in bold."
        ));
    }
    made.notes.push(
        "Positive is meant by the label that came with the data; it is not the reference standard. A case \
         is one image; percentages are of the images of a set."
            .to_owned(),
    );
    made
}

/// Findings that came with the images.
pub(super) fn findings(description: &Description) -> Table {
    let mut lines = Lines::of(description);
    let mut names: Vec<&str> = Vec::new();
    for finding in description.sets.iter().flat_map(|s| &s.findings) {
        if !names.contains(&finding.finding.as_str()) {
            names.push(&finding.finding);
        }
    }
    for name in names {
        let compared = Some(("finding", Some(name), DifferenceKind::Binary));
        lines.line(&finding_name(name), compared, |s| {
            let found = s.findings.iter().find(|f| f.finding == name);
            share(found.map_or(Share::new(0, s.images), |f| f.images))
        });
    }
    if description.sets.iter().any(|s| s.without_finding.is_some()) {
        lines.line("no finding", None, |s| s.without_finding.map_or_else(String::new, share));
    }
    lines.table("Images with each finding, of all images; an image may have several", "Finding", description)
}

/// What is not recorded.
pub(super) fn missing(description: &Description) -> Table {
    let sets = &description.sets;
    let fields = sets.first().map_or(&[][..], |s| &s.missing[..]);
    let rows = fields.iter().enumerate().map(|(at, missing)| {
        let of = |s: &SetDescription| s.missing.get(at).map_or_else(String::new, |m| share(m.images));
        row(variable(&missing.field, None), sets.iter().map(of))
    });
    let caption = "Images for which a field is not recorded, of all images";
    table(caption, columns("Field", names(description)), rows.collect())
}

/// A table of a submission document, by the part of its id after `description`. `None`: there is no such id.
pub fn for_submission(description: &Description, id: &str) -> Option<Table> {
    match id {
        "" => Some(all(description)),
        "-findings" => Some(findings(description)),
        "-missing" => Some(missing(description)),
        _ => None,
    }
}
