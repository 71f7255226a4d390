//! From `protocol.toml` as typed to a valid [`Protocol`], or every problem at once.

use std::path::Path;

use super::columns::case_columns;
use super::comparisons::{check_comparators, predicate};
use super::eligibility::eligibility;
use super::endpoints::{Endpoints, endpoints};
use super::family::family;
use super::gate::gate;
use super::paths::{path, required_path};
use super::planning::planning;
use super::reader_study::{check_reader_study, reader_study};
use super::reads::reads;
use super::reference::parse::reference_standard;
use super::repeatability::repeatability;
use super::sample::sample;
use super::subgroups::subgroups;
use super::triage::triage;
use super::*;
use crate::dataset::other_columns::CellKind;
use crate::declared::{Document, Section};
use crate::diagnostic::{Code, Diagnostic};

/// Version of the format; a change of meaning raises the number.
pub const FORMAT: &str = "sequester-protocol/2";
/// The format before, and what to do with it.
const FORMER: &str = "sequester-protocol/1";
const WAY_OUT: &str = "in format 2 an interval that collapsed, or that takes a patient's images as \
 independent, no \
                       longer decides an endpoint: its `fallback` does (\"effective-number\" unless \
                       declared). Look \
                       at every endpoint's interval and write format = \"sequester-protocol/2\"; sequester \
                       0.1 \
                       reads format 1";

/// Reads a protocol. `path` is for messages.
///
/// # Errors
/// Everything that is wrong, in the order of the text, each with its line and a stable code.
pub fn parse(path: &Path, text: &str) -> Result<Protocol, Vec<Diagnostic>> {
    let document = Document::new(path, text).explained();
    let table = document.parse();
    let protocol = table.as_ref().map(|table| root(Section::root(&document, table)));
    let problems = document.into_problems();
    match protocol {
        Some(protocol) if problems.is_empty() => Ok(protocol),
        _ => Err(problems),
    }
}

fn root(root: Section) -> Protocol {
    root.format_or(FORMAT, Some((FORMER, WAY_OUT)));
    let study = study(root.required_section("study"));
    let data = data(root.required_section("data"));
    let gate = gate(root.section("gate"));
    let eligibility = eligibility(&root);
    let sample = sample(root.section("sample"));
    let reads = reads(root.section("reads"));
    let reference_standard = reference_standard(&root);
    let scores = scores(root.section("scores"));
    let model = model(root.section("model"));
    let operating_point_section = root.required_section("operating_point");
    let operating_point = operating_point(&operating_point_section);
    let analysis = analysis(root.required_section("analysis"));
    let Endpoints { endpoints, comparisons, shares } = endpoints(&root, analysis.resampling_unit);
    let family = family(&root, &shares, analysis.multiplicity);
    let predicate_section = root.section("predicate");
    let predicate_file = required_path(&predicate_section, "file", None);
    let predicate = predicate(predicate_section, predicate_file);
    let repeatability_section = root.section("repeatability");
    let repeated_file = required_path(&repeatability_section, "file", None);
    let repeatability = repeatability(repeatability_section, repeated_file);
    let triage = triage(root.section("triage"));
    let has_comparison_readers = reference_standard.has_comparison_readers();
    check_comparators(&root, &comparisons, predicate.as_ref(), has_comparison_readers);
    let reader_study = reader_study(root.section("reader_study"));
    check_reader_study(&root, &comparisons, reader_study.as_ref());
    let subgroups = subgroups(&root, &endpoints);
    let mut data = data;
    let other = other_columns(&root, &eligibility, &sample, &subgroups);
    for table in &mut data.cases {
        table.other.clone_from(&other);
    }
    let planning = planning(&root, &endpoints, &comparisons);
    if scores.external
        && operating_point == OperatingPointSource::Lock
        && operating_point_section.is_present()
        && !operating_point_section.faulty(&["source"])
    {
        root.report(
            Diagnostic::error(
                Code::OperatingPointWithoutLock,
                "the scores come from a device elsewhere, so there is no lock to take the operating point \
                 from",
            )
            .at(operating_point_section.here())
            .hint(
                "declare `source = \"declared\"` with a threshold and a rationale, or `source = \
                   \"tuning\"`",
            ),
        );
    }
    if scores.external && model.is_some() {
        root.wrong("model", Code::ModelAndScores, "a study has either `[model]` or `[scores]`, not both");
    }
    if model.is_some() && data.development.is_none() {
        root.wrong(
            "data",
            Code::DevelopmentMissing,
            "`[model]` trains a network, so `data.development` has to name its cases",
        );
    }
    if sample.target.is_some_and(|t| t.positives.is_some())
        && data.cases.iter().any(|t| t.format == CaseFormat::Nih && t.positive_findings.is_empty())
    {
        root.wrong(
            "sample",
            Code::SourceLabelMissing,
            "`sample.positives` needs a source label: name `positive_findings` for the NIH table",
        );
    }
    operating_point_section.finish();
    root.finish();
    Protocol {
        study,
        data,
        gate,
        eligibility,
        sample,
        reads,
        reference_standard,
        scores,
        model,
        operating_point,
        analysis,
        endpoints,
        comparisons,
        family,
        predicate,
        reader_study,
        repeatability,
        triage,
        subgroups,
        planning,
    }
}

fn study(section: Section) -> Study {
    let study = Study {
        id: section.required_string("id"),
        title: section.required_string("title"),
        version: section.required_string("version"),
        finding: section.required_string("finding"),
        rehearsal: section.boolean("rehearsal").unwrap_or(false),
    };
    let plain = study.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !plain || study.id.len() > 64 {
        section.wrong(
            "id",
            Code::ValueRange,
            "`study.id` must be at most 64 of a-z, 0-9 and `-`: it names files",
        );
    }
    section.finish();
    study
}

const FORMATS: [(&str, CaseFormat); 2] = [("cases", CaseFormat::Cases), ("nih", CaseFormat::Nih)];

fn data(section: Section) -> Data {
    let format = section.choice("format", &FORMATS, CaseFormat::Cases);
    let positive_findings = section.strings("positive_findings").unwrap_or_default();
    let columns = case_columns(&section, "columns", format);
    let of_development = if section.has("development_columns") {
        case_columns(&section, "development_columns", format)
    } else {
        columns.clone()
    };
    let table = |path, columns: &Option<Box<CaseColumns>>| CaseTable {
        path,
        format,
        positive_findings: positive_findings.clone(),
        columns: columns.clone(),
        other: Vec::new(),
    };
    let paths =
        if section.has("cases") { section.strings("cases") } else { Some(vec!["cases.csv".to_owned()]) };
    let mut cases = Vec::new();
    for text in paths.unwrap_or_default() {
        match text.parse() {
            Ok(path) => cases.push(table(path, &columns)),
            Err(e) => {
                let e: crate::digest::RelativePathError = e;
                section.wrong("cases", Code::Path, e.to_string());
            }
        }
    }
    if cases.is_empty() && section.is_present() && section.has("cases") {
        section.wrong("cases", Code::ValueEmpty, "`data.cases` names no table");
    }
    let development = path(&section, "development").map(|path| table(path, &of_development));
    let data = Data {
        cases,
        images: path(&section, "images"),
        development,
        modality: section.string("modality").map(|text| text.to_uppercase()),
        body_part: section.string("body_part").map(|text| text.to_uppercase()),
        source: section.string("source"),
        separate_sites: section.boolean("separate_sites").unwrap_or(false),
        development_sites: section.strings("development_sites").unwrap_or_default(),
    };
    if data.development_sites.iter().any(|site| site.trim().is_empty()) {
        section.wrong("development_sites", Code::ValueEmpty, "a site without a name");
    }
    section.finish();
    data
}

/// Columns that are read for rules, strata and subgroups, each once. Texts of a column that something else
/// reads as numbers or days are those of the numbers and days.
fn other_columns(
    root: &Section,
    eligibility: &[Criterion],
    sample: &Sample,
    subgroups: &[Subgroup],
) -> Vec<OtherColumn> {
    let mut wanted: Vec<(&'static str, OtherColumn)> = Vec::new();
    for criterion in eligibility {
        if let Rule::Declared(rule) = &criterion.rule {
            let columns = rule.columns().into_iter().filter_map(|column| column.other());
            wanted.extend(columns.map(|column| ("eligibility", column)));
        }
    }
    let columns = sample.columns().into_iter().filter_map(|column| column.other());
    wanted.extend(columns.map(|column| ("sample", column)));
    let columns = subgroups.iter().filter_map(|subgroup| subgroup.by.other_column());
    wanted.extend(columns.map(|column| ("subgroup", column)));
    let mut found: Vec<OtherColumn> = Vec::new();
    for (key, column) in wanted {
        match found.iter_mut().find(|known| known.name == column.name) {
            None => found.push(column),
            Some(known) if known.kind == column.kind || column.kind == CellKind::Text => {}
            Some(known) if known.kind == CellKind::Text => known.kind = column.kind,
            Some(_) => {
                let message = format!(
                    "the column `{}` is taken for numbers at one place and for days at another",
                    column.name
                );
                root.wrong(key, Code::RuleType, message);
            }
        }
    }
    found
}

fn scores(section: Section) -> ScoresSource {
    let columns = section.strings("columns").unwrap_or_else(|| vec!["score".to_owned()]);
    if columns.is_empty() {
        section.wrong("columns", Code::ValueEmpty, "`scores.columns` names no column");
    }
    let scores = ScoresSource {
        file: required_path(&section, "file", Some("scores.csv")),
        case_column: section.string("case_column").unwrap_or_else(|| "case_id".to_owned()),
        columns,
        combine: section.choice(
            "combine",
            &[("max", Combine::Max), ("mean", Combine::Mean), ("noisy-or", Combine::NoisyOr)],
            Combine::Max,
        ),
        external: section.is_present(),
    };
    section.finish();
    scores
}

fn rule(section: &Section) -> OperatingPointRule {
    section.required_string("rule");
    match section.choice("rule", &[("youden", 0), ("sensitivity", 1), ("specificity", 2)], 0) {
        0 => OperatingPointRule::Youden,
        which => {
            if !section.has("target") {
                section.wrong("rule", Code::KeyMissing, "the rule needs a `target` between 0 and 1");
            }
            let target =
                section.number_in("target", "above 0 and at most 1", |t| t > 0.0 && t <= 1.0).unwrap_or(0.9);
            if which == 1 {
                OperatingPointRule::Sensitivity(target)
            } else {
                OperatingPointRule::Specificity(target)
            }
        }
    }
}

fn model(section: Section) -> Option<ModelSource> {
    if !section.is_present() {
        return None;
    }
    let operating_point = section.section("operating_point");
    let operating_point = if operating_point.is_present() {
        let rule = rule(&operating_point);
        operating_point.finish();
        rule
    } else {
        OperatingPointRule::Youden
    };
    let model = ModelSource { experiment: required_path(&section, "experiment", None), operating_point };
    section.finish();
    Some(model)
}

fn operating_point(section: &Section) -> OperatingPointSource {
    if !section.is_present() {
        return OperatingPointSource::Lock;
    }
    section.required_string("source");
    match section.choice("source", &[("lock", 0), ("declared", 1), ("tuning", 2)], 0) {
        1 => {
            if !section.has("threshold") {
                section.wrong("source", Code::KeyMissing, "a declared operating point needs a `threshold`");
            }
            OperatingPointSource::Declared {
                threshold: section
                    .number_in("threshold", "between 0 and 1", |t| (0.0..=1.0).contains(&t))
                    .unwrap_or(0.5),
                rationale: section.required_string("rationale"),
            }
        }
        2 => {
            let table = CaseTable {
                path: required_path(section, "cases", None),
                format: section.choice("format", &FORMATS, CaseFormat::Cases),
                positive_findings: section.strings("positive_findings").unwrap_or_default(),
                columns: None,
                other: Vec::new(),
            };
            let columns = case_columns(section, "columns", table.format);
            let table = CaseTable { columns, ..table };
            if table.format == CaseFormat::Nih
                && table.positive_findings.is_empty()
                && !section.faulty(&["positive_findings"])
            {
                section.wrong(
                    "format",
                    Code::SourceLabelMissing,
                    "name `positive_findings` for the NIH table",
                );
            }
            OperatingPointSource::Tuning { cases: table, rule: rule(section) }
        }
        _ => OperatingPointSource::Lock,
    }
}

fn analysis(section: Section) -> Analysis {
    let incomplete = [("exclude", Incomplete::Exclude), ("refuse", Incomplete::Refuse)];
    let replicates = section.whole("replicates").unwrap_or(2000);
    if !(100..=1_000_000).contains(&replicates) {
        section.wrong(
            "replicates",
            Code::ValueRange,
            format!("{replicates} replicates, must be 100 to 1000000"),
        );
    }
    if section.is_present() && !section.has("seed") {
        section.required_whole("seed");
    }
    let analysis = Analysis {
        level: section
            .number_in("level", "between 0.5 and 1, both excluded", |l| l > 0.5 && l < 1.0)
            .unwrap_or(0.95),
        resampling_unit: section.choice(
            "resampling_unit",
            &[
                ("case", ResamplingUnit::Case),
                ("case-stratified", ResamplingUnit::CaseStratified),
                ("patient", ResamplingUnit::Patient),
                ("site", ResamplingUnit::Site),
                ("site-then-patient", ResamplingUnit::SiteThenPatient),
            ],
            ResamplingUnit::Patient,
        ),
        replicates,
        seed: section.whole("seed").unwrap_or_default(),
        missing_score: section.choice("missing_score", &incomplete, Incomplete::Exclude),
        no_consensus: section.choice("no_consensus", &incomplete, Incomplete::Exclude),
        intended_use_prevalence: section.number_in(
            "intended_use_prevalence",
            "between 0 and 1, both excluded",
            |p| p > 0.0 && p < 1.0,
        ),
        subgroup_minimum: section.whole("subgroup_minimum").unwrap_or(30),
        multiplicity: section.choice("multiplicity", &Multiplicity::NAMES, Multiplicity::CoPrimary),
        calibration_in_use: section.boolean("calibration_in_use").unwrap_or(false),
        net_benefit_thresholds: section.numbers("net_benefit_thresholds").unwrap_or_default(),
    };
    in_intended_use(&section, &analysis);
    section.finish();
    analysis
}

/// What is reported for intended use needs its prevalence, and thresholds that can be acted on.
fn in_intended_use(section: &Section, analysis: &Analysis) {
    let thresholds = &analysis.net_benefit_thresholds;
    let ascend = thresholds.windows(2).all(|two| two[0] < two[1]);
    if !(ascend && thresholds.iter().all(|t| *t > 0.0 && *t < 1.0) && thresholds.len() <= 50) {
        let message = "`analysis.net_benefit_thresholds` are at most 50 numbers between 0 and 1, ascending";
        section.wrong("net_benefit_thresholds", Code::ValueRange, message);
    }
    for (key, declared) in [
        ("calibration_in_use", analysis.calibration_in_use),
        ("net_benefit_thresholds", !thresholds.is_empty()),
    ] {
        if declared && analysis.intended_use_prevalence.is_none() {
            let message = format!("`analysis.{key}` needs `analysis.intended_use_prevalence`");
            section.wrong(key, Code::KeyMissing, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARED: &str = include_str!("../../protocols/pneumonia-exp2a.toml");

    fn problems(text: &str) -> Vec<String> {
        let problems = parse(Path::new("protocol.toml"), text).expect_err("problems");
        problems
            .iter()
            .map(|p| {
                let at = p.location.as_ref().and_then(|l| l.line).unwrap_or(0);
                format!("{at} {} {}", p.code.as_str(), p.message)
            })
            .collect()
    }

    #[test]
    fn the_declared_protocol_of_experiment_2a_is_valid() {
        let protocol = parse(Path::new("p.toml"), DECLARED).expect("valid");
        assert_eq!(protocol.eligibility.len(), 3);
        assert_eq!(protocol.sample.target, Some(SampleTarget { cases: 1000, positives: Some(500) }));
        assert!(protocol.endpoints[0].criterion.as_ref().expect("criterion").accepts(0.81, 0.9));
        assert!(!protocol.endpoints[0].criterion.as_ref().expect("criterion").accepts(0.80, 0.9));
    }

    #[test]
    fn every_problem_is_reported_at_once_with_its_line() {
        let text = DECLARED
            .replace("level = 0.95", "level = 95")
            .replace("seed = 20240117", "sed = 1")
            .replace("criterion = \"lower > 0.75\"", "criterion = \"f1 > 0.75\"");
        let found = problems(&text);
        assert_eq!(found.len(), 4, "{found:#?}");
        assert!(found[0].contains("key-missing `sample.seed`"), "{found:#?}");
        assert!(found[1].contains("unknown-key unknown key `sample.sed`"), "{found:#?}");
        assert!(found[2].contains("value-range `analysis.level` is 95"), "{found:#?}");
        assert!(found[3].contains("criterion-on-estimate \"f1 > 0.75\""), "{found:#?}");
    }

    #[test]
    fn syntax_errors_and_hostile_texts_are_diagnostics() {
        for text in ["[", "a = ", "format = 1\n[study]\nid = [", "\u{0}", "x = 1e999\n", "[[study]]\n"] {
            assert!(!problems(text).is_empty(), "{text:?}");
        }
    }

    #[test]
    fn what_an_endpoint_can_name_is_what_can_be_computed() {
        let with = |metric: &str, interval: &str| {
            let typed = |key: &str, value: &str| format!("{key} = \"{value}\"");
            DECLARED.replacen("metric = \"auc\"", &typed("metric", metric), 1).replacen(
                "interval = \"obuchowski\"",
                &typed("interval", interval),
                1,
            )
        };
        for metric in Metric::ALL {
            for method in IntervalMethod::ALL {
                let named = parse(Path::new("p.toml"), &with(metric.id(), method.id()));
                let unit = ResamplingUnit::Patient;
                let computed =
                    Metric::ENDPOINTS.contains(&metric) && metric.accepts(method) && method.exists_for(unit);
                assert_eq!(named.is_ok(), computed, "{metric:?} {method:?} {named:?}");
            }
        }
    }

    #[test]
    fn an_interval_method_that_does_not_fit_the_metric_is_refused() {
        let text = DECLARED.replace("interval = \"obuchowski\"", "interval = \"wilson\"");
        assert!(problems(&text)[0].contains("must be one of \"delong\""));
    }
}
