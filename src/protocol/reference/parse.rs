//! `[reference_standard]` and `[[reader]]` as typed, with every contradiction between rule, numbers and
//! roles.

use std::collections::BTreeSet;

use super::{
    AdjudicateOn, ConsensusRule, DeclaredReader, DeclaredReaders, IndeterminateRule, LabelTable, MOST_YEARS,
    ReaderRole, ReferenceRule, RepeatedRead, TieRule, UninterpretableRule, fits,
};
use crate::declared::Section;
use crate::diagnostic::{Code, Diagnostic};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    Majority,
    Unanimous,
    KOfN,
    Adjudicated,
    Panel,
    Given,
}

/// `[reference_standard]` and `[[reader]]` as typed.
pub(in crate::protocol) fn reference_standard(root: &Section) -> ReferenceRule {
    let section = root.required_section("reference_standard");
    let listed = listed(root);
    if section.is_present() {
        section.required_string("rule");
    }
    let named = section.choice(
        "rule",
        &[
            ("majority", Named::Majority),
            ("unanimous", Named::Unanimous),
            ("k-of-n", Named::KOfN),
            ("adjudicated", Named::Adjudicated),
            ("panel", Named::Panel),
            ("given", Named::Given),
        ],
        Named::Majority,
    );
    let declared = declared(&section, listed);
    let fixed_readers = section.boolean("fixed_readers").unwrap_or(true);
    let readers = number_of_readers(&section, &declared, named, fixed_readers);
    let rule = rule(&section, named, root.has("reads") || named != Named::Given);
    let vote = rule.is_vote();
    let contradicts = |key: &'static str, message: String| section.wrong(key, Code::ReferenceRule, message);
    for key in ["minimum_agreeing", "minimum_reads", "require_all_readers", "tie"] {
        if section.has(key) && !vote {
            contradicts(key, format!("`{key}` is about votes, and the rule \"{}\" counts none", rule.name()));
        }
    }
    let minimum_agreeing = minimum_agreeing(&section, &rule, readers, fixed_readers);
    let tie = tie(&section, &rule);
    let reference = ReferenceRule {
        qualification: qualification(&section, &declared, root.has("reads") || named != Named::Given),
        readers,
        minimum_agreeing,
        minimum_reads: count(&section, "minimum_reads"),
        require_all_readers: section.boolean("require_all_readers").unwrap_or(false),
        tie,
        indeterminate: section.choice(
            "indeterminate",
            &[
                ("no-vote", IndeterminateRule::NoVote),
                ("positive", IndeterminateRule::Positive),
                ("negative", IndeterminateRule::Negative),
            ],
            IndeterminateRule::NoVote,
        ),
        uninterpretable: section.choice(
            "uninterpretable",
            &[
                ("no-vote", UninterpretableRule::NoVote),
                ("as-indeterminate", UninterpretableRule::AsIndeterminate),
                ("exclude-case", UninterpretableRule::ExcludeCase),
            ],
            UninterpretableRule::NoVote,
        ),
        repeated_read: section.choice(
            "repeated_read",
            &[
                ("refuse", RepeatedRead::Refuse),
                ("set-aside", RepeatedRead::SetAside),
                ("any-positive", RepeatedRead::AnyPositive),
                ("last", RepeatedRead::Last),
                ("all-agree", RepeatedRead::AllAgree),
            ],
            RepeatedRead::Refuse,
        ),
        fixed_readers,
        ignore_other_cases: section.choice("other_cases", &[("refuse", false), ("ignore", true)], false),
        compare_with: label_table(&section, "compare_with", root.has("reads") || named != Named::Given),
        has_reads: named != Named::Given || root.has("reads"),
        rule,
        declared,
    };
    if reference.require_all_readers
        && reference.readers.is_none()
        && !reference.fixed_readers
        && !section.faulty(&["readers"])
    {
        contradicts(
            "require_all_readers",
            "nobody knows who all readers of a case are: declare `readers`, or `minimum_reads`".to_owned(),
        );
    }
    if let (Some(least), Some(most)) = (reference.minimum_reads, reference.readers)
        && least > most
    {
        contradicts("minimum_reads", format!("minimum_reads is {least}, and a case has {most} readers"));
    }
    if reference.compare_with.is_some() && matches!(reference.rule, ConsensusRule::Given(_)) {
        let message = "a given reference standard is not computed, so there is nothing to compare";
        contradicts("compare_with", message.to_owned());
    }
    roles(&section, &reference);
    section.finish();
    reference
}

/// `[[reader]]`, one section a reader.
fn listed(root: &Section) -> Vec<DeclaredReader> {
    let mut ids = BTreeSet::new();
    let mut readers = Vec::new();
    for section in root.sections("reader") {
        let id = section.id(&mut ids, "readers");
        section.required_string("role");
        readers.push(DeclaredReader {
            id,
            role: section.choice("role", &ReaderRole::NAMES, ReaderRole::Reference),
            qualification: section.has("qualification").then(|| section.required_string("qualification")),
            specialty: section.has("specialty").then(|| section.required_string("specialty")),
            years: section.number_in("years", "0 to 80 years", |years| (0.0..=MOST_YEARS).contains(&years)),
            labelled_training_data: section.boolean("labelled_training_data").unwrap_or(false),
        });
        section.finish();
    }
    readers
}

fn declared(section: &Section, listed: Vec<DeclaredReader>) -> DeclaredReaders {
    let Some(text) = section.string("readers_file") else {
        return if listed.is_empty() { DeclaredReaders::Undeclared } else { DeclaredReaders::Listed(listed) };
    };
    if !listed.is_empty() {
        section.report(
            Diagnostic::error(Code::ReferenceRule, "readers are declared twice: here and as `[[reader]]`")
                .at(section.at("readers_file"))
                .hint("keep one: the table or the sections say the same"),
        );
    }
    match text.parse() {
        Ok(path) => DeclaredReaders::File(path),
        Err(e) => {
            let e: crate::digest::RelativePathError = e;
            section.wrong("readers_file", Code::Path, e.to_string());
            DeclaredReaders::Undeclared
        }
    }
}

/// A whole number from 1 that counts readers or reads.
fn count(section: &Section, key: &'static str) -> Option<u32> {
    let number = section.whole(key)?;
    let fits = u32::try_from(number).ok().filter(|n| (1..=10_000).contains(n));
    if fits.is_none() {
        section.wrong(key, Code::ValueRange, format!("`{key}` is {number}, must be 1 to 10000"));
    }
    fits
}

fn number_of_readers(
    section: &Section,
    declared: &DeclaredReaders,
    named: Named,
    fixed: bool,
) -> Option<u32> {
    let typed = count(section, "readers");
    let votes = !matches!(named, Named::Panel | Named::Given);
    if *declared == DeclaredReaders::Undeclared && fixed && votes && section.is_present() {
        section.required_whole("readers");
    }
    typed
}

fn qualification(section: &Section, declared: &DeclaredReaders, reads: bool) -> Option<String> {
    let said_of_each = match declared {
        DeclaredReaders::Undeclared => false,
        DeclaredReaders::Listed(listed) => {
            listed.iter().all(|r| r.role == ReaderRole::Ignored || r.qualification.is_some())
        }
        // Whether the table says it is known when it is read.
        DeclaredReaders::File(_) => true,
    };
    let needed = reads && !said_of_each;
    (section.has("qualification") || needed).then(|| section.required_string("qualification"))
}

/// The rule; `reads` is whether the study has readers' files.
fn rule(section: &Section, named: Named, reads: bool) -> ConsensusRule {
    let contradicts = |key: &'static str, of: &str| {
        if section.has(key) {
            let message = format!("`{key}` belongs to `rule = \"{of}\"`, and another rule is declared");
            section.wrong(key, Code::ReferenceRule, message);
        }
    };
    if named != Named::KOfN {
        contradicts("agreeing", "k-of-n");
    }
    if named != Named::Adjudicated {
        contradicts("adjudicate", "adjudicated");
    }
    if named != Named::Given {
        contradicts("given", "given");
    }
    match named {
        Named::Majority => ConsensusRule::Majority,
        Named::Unanimous => ConsensusRule::Unanimous,
        Named::KOfN => {
            section.required_whole("agreeing");
            ConsensusRule::KOfN { agreeing: count(section, "agreeing").unwrap_or(1) }
        }
        Named::Adjudicated => {
            section.required_string("adjudicate");
            let on = section.choice(
                "adjudicate",
                &[("disagreement", AdjudicateOn::Disagreement), ("no-majority", AdjudicateOn::NoMajority)],
                AdjudicateOn::Disagreement,
            );
            ConsensusRule::Adjudicated { on }
        }
        Named::Panel => ConsensusRule::Panel,
        Named::Given => {
            if !section.has("given") {
                let message = "the rule \"given\" needs the table that gives it: `given = { file, \
                 label_column, \
                               source }`";
                section.wrong("given", Code::KeyMissing, message);
            }
            ConsensusRule::Given(label_table(section, "given", reads).unwrap_or_default())
        }
    }
}

fn minimum_agreeing(
    section: &Section,
    rule: &ConsensusRule,
    readers: Option<u32>,
    fixed: bool,
) -> Option<u32> {
    let minimum = count(section, "minimum_agreeing");
    let wrong = |message: String| section.wrong("minimum_agreeing", Code::ValueRange, message);
    if let (ConsensusRule::KOfN { agreeing }, Some(n)) = (rule, readers)
        && *agreeing > n
    {
        section.wrong("agreeing", Code::ValueRange, format!("{agreeing} agreeing reads of {n} readers"));
    }
    match (minimum, rule) {
        (Some(minimum), ConsensusRule::KOfN { agreeing }) if minimum != *agreeing => {
            wrong(format!("minimum_agreeing is {minimum}, but the declared rule needs {agreeing}"));
        }
        (Some(minimum), ConsensusRule::Unanimous) if readers.is_some_and(|n| n != minimum) => {
            let n = readers.unwrap_or_default();
            wrong(format!("minimum_agreeing is {minimum}, but the declared rule needs {n}"));
        }
        (Some(minimum), _) if readers.is_some_and(|n| minimum > n) => {
            let n = readers.unwrap_or_default();
            wrong(format!("minimum_agreeing is {minimum}, and a case has {n} readers"));
        }
        (None, ConsensusRule::Majority | ConsensusRule::Unanimous | ConsensusRule::Adjudicated { .. })
            if readers.is_none()
                && !fixed
                && section.is_present()
                && !section.faulty(&["readers", "minimum_agreeing"]) =>
        {
            let message = "where any number of readers may read a case, say how many agreeing votes a \
             consensus \
                           needs at least: `minimum_agreeing`, or say with `readers` how many read a case";
            section.wrong("minimum_agreeing", Code::KeyMissing, message);
        }
        _ => {}
    }
    minimum
}

fn tie(section: &Section, rule: &ConsensusRule) -> TieRule {
    let tie = section.choice(
        "tie",
        &[
            ("none", TieRule::None),
            ("positive", TieRule::Positive),
            ("negative", TieRule::Negative),
            ("adjudicator", TieRule::Adjudicator),
        ],
        TieRule::None,
    );
    let decides = matches!(tie, TieRule::Positive | TieRule::Negative);
    match rule {
        ConsensusRule::Unanimous if tie != TieRule::None => {
            let message = "a tie is no unanimity: `tie` belongs to \"majority\" and \"k-of-n\"";
            section.wrong("tie", Code::ReferenceRule, message);
        }
        ConsensusRule::Adjudicated { .. } if decides => {
            let message = "the rule \"adjudicated\" sends a tie to the adjudicator";
            section.wrong("tie", Code::ReferenceRule, message);
        }
        _ => {}
    }
    tie
}

/// What the rule needs of the listed readers; those of a table are looked at when it is read.
fn roles(section: &Section, reference: &ReferenceRule) {
    let contradicts = |message: String, hint: &str| {
        let problem = Diagnostic::error(Code::ReferenceRule, message).at(section.at("rule"));
        section.report(problem.hint(hint));
    };
    if section.is_present()
        && reference.declared == DeclaredReaders::Undeclared
        && reference.has_adjudication()
    {
        contradicts(
            format!("the rule \"{}\" needs an adjudicator, and no reader is declared", reference.rule.name()),
            "declare every reader as `[[reader]]` with `id` and `role`, or name a table with `readers_file`",
        );
    }
    if let DeclaredReaders::Listed(listed) = &reference.declared
        && let Err(message) = fits(reference, listed)
    {
        contradicts(message, "roles are \"reference\", \"comparison\", \"adjudicator\" and \"ignored\"");
    }
}

/// Labels that the readers' files mark: nothing but where they come from has to be said.
fn labels_of_reads(table: Section, reads: bool) -> LabelTable {
    if !reads {
        let message =
            "from = \"reads\" takes the labels that the readers' files mark as ground truth: declare [reads]";
        table.wrong("from", Code::KeyMissing, message);
    }
    for key in
        ["file", "case_column", "label_column", "case_pattern", "positive", "negative", "indeterminate"]
    {
        if table.has(key) {
            let message =
                format!("`{key}` and from = \"reads\": what the labels mean stands in [reads] then");
            table.wrong(key, Code::ReferenceRule, message);
        }
    }
    let labels =
        LabelTable { from_reads: true, source: table.required_string("source"), ..LabelTable::default() };
    table.finish();
    labels
}

/// A table of labels that is declared as a table of keys.
fn label_table(section: &Section, key: &'static str, reads: bool) -> Option<LabelTable> {
    let table = section.section(key);
    if !table.is_present() {
        return None;
    }
    if table.choice("from", &[("file", false), ("reads", true)], false) {
        return Some(labels_of_reads(table, reads));
    }
    let words = |key, default: &str| table.strings(key).unwrap_or_else(|| vec![default.to_owned()]);
    if !table.has("file") {
        table.required_string("file");
    }
    let mut files = Vec::new();
    for text in table.strings("file").unwrap_or_default() {
        match text.parse() {
            Ok(path) => files.push(path),
            Err(e) => {
                let e: crate::digest::RelativePathError = e;
                table.wrong("file", Code::Path, e.to_string());
            }
        }
    }
    let labels = LabelTable {
        files,
        from_reads: false,
        case_pattern: table.string("case_pattern"),
        case_column: table.string("case_column").unwrap_or_else(|| "case_id".to_owned()),
        label_column: table.required_string("label_column"),
        positive: words("positive", "positive"),
        negative: words("negative", "negative"),
        indeterminate: words("indeterminate", "indeterminate"),
        source: table.required_string("source"),
    };
    if labels.files.is_empty() && table.has("file") {
        table.wrong("file", Code::ValueEmpty, "`file` names no table");
    }
    if labels.case_pattern.as_deref().is_some_and(|pattern| pattern.matches('*').count() != 1) {
        table.wrong("case_pattern", Code::ValueRange, "`case_pattern` must hold one `*`, which is the case");
    }
    let mut seen = BTreeSet::new();
    for word in [&labels.positive, &labels.negative, &labels.indeterminate].into_iter().flatten() {
        if !seen.insert(word.to_lowercase()) {
            table.wrong("positive", Code::ReadAmbiguous, format!("the label \"{word}\" has two meanings"));
        }
    }
    table.finish();
    Some(labels)
}

#[cfg(test)]
mod tests;
