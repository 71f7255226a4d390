//! From the bytes of a study's files to everything that is derived from them. Pure: the command line
//! brings the files from disk, the auditor brings them from a bundle, and both get the same bytes back.

pub mod answers;
pub mod change;
mod comparators;
mod derivation;
mod derive;
mod description;
pub mod estimates;
pub mod imports;
pub mod planning;
mod processing;
pub mod reader_study;
mod reference;
pub mod rehearsal;
mod repeats;
pub mod results;
pub mod rounds;
mod separation;
mod sites;
mod tables;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::dataset::case::{Case, Cases, change_all};
use crate::dataset::cases::{COLUMNS, twice};
use crate::dataset::shared::{self, alike};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::{Bytes, RelativePath};
use crate::eligibility::{self, Lists};
use crate::inference::scores::{self, Scores};
use crate::protocol::rule::Column;
use crate::protocol::{
    CaseTable, Combine, Endpoint, OperatingPointSource, Protocol, ReaderStudySource, Rule, ScoresSource,
    Variable,
};
use crate::sampling::{self, Draw};
use crate::statistics::metric::{Metric, ignores_patients};
use crate::study::results::{Rules, SiteSeparation};
use crate::table::id::Form;
use crate::table::{Table, Word};

pub use comparators::{Given, Predicate, predicate};
pub use derivation::Derivation;
pub use derive::{Derived, consensus_of_all, derive, derive_from, derive_of, scores_of_all};
pub use imports::{is_labels_file, is_reads_file, is_reference_file, register_path};
pub use processing::processing_times;
pub use reference::{
    Difference, ReferenceStandard, SoFar, reads_so_far, reads_that_came, reference_standard, yes_or_no,
};
pub use repeats::{RepeatColumns, RepeatedImage, Repeats, RowScore, repeats, too_many_levels};
pub use separation::separate;
pub use tables::FOR_PEOPLE;

/// The files of a study, by their path relative to the data folder.
pub type Files = BTreeMap<RelativePath, Bytes>;

/// What a training run lists of its cases: case, patient, label, digest of the image file.
pub const MANIFESTS: [&str; 2] = ["training-manifest.csv", "tuning-manifest.csv"];

/// What a study is derived from.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The valid protocol.
    pub protocol: Protocol,
    /// Every file that the protocol names.
    pub files: Files,
    /// `lock.json` of the model, where the study has one.
    pub lock: Option<Vec<u8>>,
    /// Those of [`MANIFESTS`] that lie beside the model.
    pub manifests: Files,
    /// Version of the program that derives, or, for evidence, of the one that derived: results name it, and a
    /// later version that verifies them derives the same bytes.
    pub program_version: String,
}

/// Which of the protocol's files a step needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Case tables and lists: enough to draw the cohort.
    Cohort,
    /// Readers' files as well.
    Reads,
    /// Everything.
    All,
}

/// The files a step needs; the last component may hold `*`.
pub fn needed_files(protocol: &Protocol, step: Step) -> BTreeSet<String> {
    let mut needed: BTreeSet<String> = protocol.data.cases.iter().map(|t| t.path.to_string()).collect();
    needed.extend(protocol.data.development.iter().map(|t| t.path.to_string()));
    for criterion in &protocol.eligibility {
        if let Rule::ListedIn { path, .. } = &criterion.rule {
            needed.insert(path.to_string());
        }
    }
    if step != Step::Cohort {
        let rule = &protocol.reference_standard;
        if rule.has_reads {
            needed.extend(protocol.reads.files.iter().cloned());
            needed.extend(protocol.reads.tables().map(ToString::to_string));
        }
        needed.extend(rule.files().map(ToString::to_string));
    }
    if step == Step::All {
        needed.insert(protocol.scores.file.to_string());
        needed.extend(protocol.predicate.iter().map(|p| p.file.to_string()));
        needed.extend(protocol.repeatability.iter().map(|r| r.file.to_string()));
        needed.extend(protocol.reader_study.iter().flat_map(ReaderStudySource::tables));
        if let OperatingPointSource::Tuning { cases, .. } = &protocol.operating_point {
            needed.insert(cases.path.to_string());
        }
    }
    needed
}

/// Whether a path matches a pattern whose last component may hold `*`.
pub fn matches(pattern: &str, path: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == path };
    path.len() >= before.len() + after.len()
        && path.starts_with(before)
        && path.ends_with(after)
        && !path[before.len()..path.len() - after.len()].contains('/')
}

impl Inputs {
    fn file(&self, path: &RelativePath) -> Result<Cow<'_, [u8]>> {
        self.held(path).map(Bytes::read)
    }

    fn held(&self, path: &RelativePath) -> Result<&Bytes> {
        self.files.get(path).ok_or_else(|| {
            Diagnostic::error(Code::FileMissing, "the protocol names this file, and it is not there")
                .at(Location::file(path.as_str()))
                .into()
        })
    }

    fn case_table(&self, table: &CaseTable) -> Result<Cases> {
        let path = Path::new(table.path.as_str());
        let mut cases = table.parse(path, self.held(&table.path)?).map_err(Error::Input)?;
        // What the source documents for all its images holds where the table has no such column.
        let data = &self.protocol.data;
        if let Some(modality) = &data.modality
            && cases.fields.insert("modality")
        {
            let word = Word::from(modality.as_str());
            change_all(&mut cases.cases, |_, attributes| attributes.modality = Some(word.clone()));
        }
        if let Some(body_part) = &data.body_part
            && cases.fields.insert("body_part")
        {
            let word = Word::from(body_part.as_str());
            change_all(&mut cases.cases, |_, attributes| attributes.body_part = Some(word.clone()));
        }
        Ok(cases)
    }
}

/// Who is in the study.
#[derive(Clone, Debug)]
pub struct Cohort {
    /// Every case considered, in file order.
    pub cases: Vec<Case>,
    /// Columns that every case table has, as [`Cases::fields`].
    pub fields: BTreeSet<&'static str>,
    /// Criteria each case fails, as positions in the protocol's list.
    pub failed: Vec<Arc<[usize]>>,
    /// Positions of the drawn cases, ascending.
    pub drawn: Vec<usize>,
    /// How they were drawn: strata, and what each case stands for.
    pub draw: Draw,
    /// Where the development comes from, beside where the study does; `None` where the protocol states
    /// nothing of sites.
    pub sites: Option<SiteSeparation>,
    /// Things to know.
    pub warnings: Vec<Diagnostic>,
}

impl Cohort {
    /// The drawn cases, in file order.
    pub fn drawn_cases(&self) -> impl Iterator<Item = &Case> {
        self.drawn.iter().map(|index| &self.cases[*index])
    }
}

/// Reads the case tables, applies the criteria and draws the cohort.
///
/// # Errors
/// Whatever is wrong in the tables; `column-missing` for a field that a criterion or subgroup needs;
/// `patient-on-both-sides`, `case-on-both-sides`; `too-few-eligible`.
pub fn cohort(inputs: &Inputs) -> Result<Cohort> {
    let protocol = &inputs.protocol;
    let mut all = Cases::default();
    let mut problems = Vec::new();
    for (number, table) in protocol.data.cases.iter().enumerate() {
        match inputs.case_table(table) {
            Ok(read) => {
                // The only table as a rule, and then not copied.
                if all.cases.is_empty() {
                    all.cases = read.cases;
                } else {
                    all.cases.extend(read.cases);
                }
                all.warnings.extend(read.warnings);
                if number == 0 {
                    all.fields = read.fields;
                } else {
                    all.fields.retain(|field| read.fields.contains(field));
                }
            }
            Err(error) => problems.extend(error.diagnostics()),
        }
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    for [_, again] in twice(&all.cases) {
        let message = format!("the case `{}` is in two case tables", all.cases[again].case_id);
        problems.push(Diagnostic::error(Code::DuplicateCase, message));
    }
    problems.extend(missing_fields(protocol, &all));
    if !problems.is_empty() {
        return Err(problems.into());
    }
    // Within one table they are found where it is read.
    if protocol.data.cases.len() > 1 {
        let known: BTreeSet<String> = all.warnings.iter().map(|w| w.message.clone()).collect();
        all.warnings.extend(alike(&all.cases).into_iter().filter(|w| !known.contains(&w.message)));
    }
    if let Some(development) = &protocol.data.development {
        let Cases { cases, warnings, .. } = inputs.case_table(development)?;
        all.warnings.extend(warnings.into_iter().filter(|w| w.code == Code::PatientEachCase));
        all.warnings.extend(no_shared_patients(
            &cases,
            &all.cases,
            development,
            Rules::of(&inputs.program_version).ids(),
        )?);
    }
    let lists = lists(inputs)?;
    let failed = eligibility::failed_criteria(&all.cases, &protocol.eligibility, &protocol.gate, &lists);
    let mut warnings = all.warnings;
    for (index, criterion) in protocol.eligibility.iter().enumerate() {
        if !failed.iter().any(|reasons| reasons.contains(&index)) {
            let message = format!("the criterion `{}` excluded no case: {}", criterion.id, criterion.reason);
            warnings.push(Diagnostic::warning(Code::CriterionMatchedNothing, message));
        }
    }
    let eligible: Vec<usize> =
        failed.iter().enumerate().filter(|(_, reasons)| reasons.is_empty()).map(|(index, _)| index).collect();
    if eligible.is_empty() {
        return Err(Diagnostic::error(Code::TooFewEligible, "no case meets every criterion")
            .hint("`sequester dataset` lists how many cases each criterion excludes")
            .into());
    }
    let mut draw = sampling::draw(&all.cases, &eligible, &protocol.sample)?;
    warnings.append(&mut draw.warnings);
    let drawn = std::mem::take(&mut draw.drawn);
    let mut cohort =
        Cohort { cases: all.cases, fields: all.fields, failed, drawn, draw, sites: None, warnings };
    cohort.sites = sites::separation(inputs, &cohort)?;
    Ok(cohort)
}

/// Endpoints whose declared interval takes the drawn cases of one patient as independent: it will not decide.
pub fn endpoints_that_ignore_patients(protocol: &Protocol, cohort: &Cohort) -> Vec<Diagnostic> {
    let numbers = |ids: Vec<&str>| -> Vec<u32> {
        let mut known = BTreeMap::new();
        ids.into_iter()
            .map(|id| {
                let next = known.len() as u32;
                *known.entry(id).or_insert(next)
            })
            .collect()
    };
    let patients = numbers(cohort.drawn_cases().map(|c| c.patient_id.as_str()).collect());
    let sites = numbers(cohort.drawn_cases().map(|c| c.site.as_deref().unwrap_or_default()).collect());
    let count = patients.iter().max().map_or(0, |most| most + 1);
    let unit = protocol.analysis.resampling_unit;
    let ignores = |e: &&Endpoint| ignores_patients(e.metric, e.interval, unit, &patients, &sites);
    let problem = |e: &Endpoint| {
        let instead = match e.metric {
            Metric::Auc => "`obuchowski`, or a bootstrap with `resampling_unit = \"patient\"`",
            Metric::AveragePrecision => "`resampling_unit = \"patient\"`",
            _ => {
                "`korn-graubard`, `clopper-pearson-patients`, or a bootstrap with `resampling_unit = \
                 \"patient\"`"
            }
        };
        Diagnostic::warning(
            Code::ClusteringIgnored,
            format!(
                "the endpoint `{}` declares `{}`, which takes the {} drawn cases of {count} patients as \
                 independent: where it counts several cases of one patient it does not decide, and the \
                 fallback `{}` does",
                e.id,
                e.interval.id(),
                patients.len(),
                e.fallback.id()
            ),
        )
        .hint(format!("declare {instead}; or draw one image a patient (`images_per_patient = \"one\"`)"))
    };
    protocol.endpoints.iter().filter(ignores).map(problem).collect()
}

fn missing_fields(protocol: &Protocol, cases: &Cases) -> Vec<Diagnostic> {
    let mut needed: Vec<(&str, String)> = Vec::new();
    for criterion in &protocol.eligibility {
        let who = format!("the criterion `{}`", criterion.id);
        match &criterion.rule {
            Rule::Age { .. } => needed.push(("age_years", who)),
            Rule::OneOf { field, .. } => needed.push((field.name(), who)),
            Rule::NoPriorFinding { source: crate::protocol::PriorSource::Days { .. } } => {
                needed.push(("days_since_prior_finding", who));
            }
            Rule::NoPriorFinding { .. } => needed.push(("follow_up", who)),
            Rule::ListedIn { .. } | Rule::Gate => {}
            Rule::Declared(rule) => {
                // Other columns are asked for where the table is read.
                let fields = rule.columns().into_iter().filter_map(|column| field(&column));
                needed.extend(fields.map(|name| (name, who.clone())));
            }
        }
    }
    let of_sample = protocol.sample.columns().into_iter().filter_map(|column| field(&column));
    needed.extend(of_sample.map(|name| (name, "[sample]".to_owned())));
    if protocol.data.separate_sites {
        needed.push(("site", "`data.separate_sites`".to_owned()));
    }
    for subgroup in &protocol.subgroups {
        match &subgroup.by {
            Variable::Field { field } => {
                needed.push((field.name(), format!("the subgroup by `{}`", field.name())));
            }
            Variable::Age { .. } => needed.push(("age_years", "the subgroup by `age`".to_owned())),
            // Other columns are asked for where the table is read; crossed variables stand for themselves.
            Variable::Column { .. } | Variable::Crossed { .. } => {}
        }
    }
    if protocol.sample.target.is_some_and(|t| t.positives.is_some()) {
        needed.push(("label", "`sample.positives`".to_owned()));
    }
    let table = protocol.data.cases.first().map(|t| t.path.to_string()).unwrap_or_default();
    needed
        .into_iter()
        .filter(|(field, _)| !cases.fields.contains(field))
        .map(|(field, who)| {
            Diagnostic::error(
                Code::ColumnMissing,
                format!("{who} needs the column `{field}`, which is not there"),
            )
            .at(Location::line(&table, 1))
            .hint("add the column to the case table, or take the rule out of the protocol")
        })
        .collect()
}

/// The name of a column that is a field.
fn field(column: &Column) -> Option<&'static str> {
    COLUMNS.into_iter().find(|name| *name == column.name)
}

/// Development and study must not share a patient or a case; a warning where they probably do.
///
/// # Errors
/// `patient-on-both-sides`, `case-on-both-sides`, in the table of the development.
pub fn no_shared_patients(
    development: &[Case],
    study: &[Case],
    table: &CaseTable,
    form: Form,
) -> Result<Option<Diagnostic>> {
    let mut items = shared::items(0, study, |_| None);
    items.extend(shared::items(1, development, |_| None));
    let found = shared::shared(&items, form);
    let mut problems = Vec::new();
    let mut report = |code, what: &str, ids: &BTreeSet<String>, line: Option<u64>| {
        let message =
            format!("{} {what} are in development and in the study: {}", ids.len(), shared::some(ids));
        problems.push(
            Diagnostic::error(code, message)
                .at(Location::line(table.path.as_str(), line.unwrap_or(1)))
                .hint("a patient belongs to one side only; take these patients out of one of the tables"),
        );
    };
    let line =
        |holds: &dyn Fn(&Case) -> bool| development.iter().find(|case| holds(case)).map(|case| case.line);
    if !found.patients.is_empty() {
        let first = line(&|case| found.patients.contains(case.patient_id.as_str()));
        report(Code::PatientOnBothSides, "patients", &found.patients, first);
    }
    // A case that stands for two patients: those of shared patients are named already.
    let other = |case: &Case| {
        found.cases.contains(case.case_id.as_str()) && !found.patients.contains(case.patient_id.as_str())
    };
    let cases: BTreeSet<String> =
        development.iter().filter(|case| other(case)).map(|case| case.case_id.to_string()).collect();
    if !cases.is_empty() {
        report(Code::CaseOnBothSides, "cases", &cases, line(&other));
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let place = Location::file(table.path.as_str());
    Ok(shared::probably_shared(&found, "the study", "development").map(|warning| warning.at(place)))
}

fn lists(inputs: &Inputs) -> Result<Lists> {
    let mut lists = Lists::new();
    for criterion in &inputs.protocol.eligibility {
        if let Rule::ListedIn { path, column } = &criterion.rule {
            let table = Table::parse(Path::new(path.as_str()), &inputs.file(path)?).map_err(Error::Input)?;
            let index = table.required(column)?;
            let ids = table.rows().filter_map(|row| row.get(Some(index)).map(str::to_owned)).collect();
            lists.insert((path.to_string(), column.clone()), ids);
        }
    }
    Ok(lists)
}

/// The drawn cohort as the sealed table `cohort.csv`.
pub fn cohort_table(cohort: &Cohort) -> Vec<u8> {
    tables::cohort(cohort)
}

/// The reference standard as a table for people, before any score exists: one row a drawn case, with its
/// level, the reason where there is none, and who said what.
pub fn reference_table(cohort: &Cohort, reference: &ReferenceStandard) -> Vec<u8> {
    tables::reference_for_people(cohort, reference)
}

/// The score table as the protocol declares it.
///
/// # Errors
/// Whatever is wrong in the table.
pub fn read_scores(inputs: &Inputs) -> Result<Scores> {
    rehearsal::refuse_simulated(inputs)?;
    scores_of(inputs, &inputs.protocol.scores.file, &|_| true)
}

/// Those of the drawn cases, and of all where others are asked for: where the operating point is chosen from
/// scores, where the table's digests of images are compared with those that made the model, and where every
/// scored case has a time.
///
/// # Errors
/// As [`read_scores`].
pub fn read_needed_scores(inputs: &Inputs, cohort: &Cohort) -> Result<Scores> {
    let by_scores = matches!(inputs.protocol.operating_point, OperatingPointSource::Tuning { .. });
    let timed = inputs.protocol.triage.as_ref().is_some_and(|triage| triage.processing_column.is_some());
    if by_scores || timed || !inputs.manifests.is_empty() {
        return read_scores(inputs);
    }
    rehearsal::refuse_simulated(inputs)?;
    let drawn: BTreeSet<&str> = cohort.drawn_cases().map(|case| case.case_id.as_str()).collect();
    scores_of(inputs, &inputs.protocol.scores.file, &|id| drawn.contains(id))
}

/// A table of scores that is read as the protocol's score table is.
fn scores_of(inputs: &Inputs, file: &RelativePath, is_needed: &dyn Fn(&str) -> bool) -> Result<Scores> {
    let ScoresSource { case_column, columns, combine, .. } = &inputs.protocol.scores;
    let combine: scores::CombineFn = match combine {
        Combine::Max => |values| values.iter().copied().fold(0.0, f64::max),
        Combine::Mean => |values| values.iter().sum::<f64>() / values.len() as f64,
        Combine::NoisyOr => |values| 1.0 - values.iter().map(|v| 1.0 - v).product::<f64>(),
    };
    let path = Path::new(file.as_str());
    scores::parse_needed(path, inputs.held(file)?, case_column, columns, combine, is_needed)
        .map_err(Error::Input)
}

#[cfg(test)]
mod tests;
