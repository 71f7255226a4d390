//! How the reference standard came about, in words: from the protocol and the readers that the results list.

use serde_json::{Value as Json, json};

use super::source::Source;
use crate::protocol::{
    AdjudicateOn, ConsensusRule, IndeterminateRule, ReaderRole, ReferenceRule, RepeatedRead, TieRule,
    UninterpretableRule,
};

/// What templates see as `reference`.
pub fn context(source: &Source) -> Json {
    let rule = &source.protocol.reference_standard;
    let readers = &source.results.readers;
    let declared = readers.iter().any(|reader| reader.role.is_some());
    let voters = declared
        .then(|| readers.iter().filter(|reader| reader.role == Some(ReaderRole::Reference)).count() as u32);
    let given = match &rule.rule {
        ConsensusRule::Given(table) => Some(&table.source),
        _ => None,
    };
    let compared = source.results.consensus.compared.as_ref().map(|compared| {
        json!({
            "source": compared.source,
            "compared": compared.compared,
            "differing": compared.differences.len(),
            "without_consensus": compared.without_consensus,
            "without_label": compared.without_label,
        })
    });
    let trained: Vec<&str> =
        readers.iter().filter(|r| r.labelled_training_data).map(|r| r.id.as_str()).collect();
    json!({
        "rule": in_words(rule, voters),
        "is_vote": rule.rule.is_vote(),
        "is_computed": given.is_none(),
        "has_reads": rule.has_reads,
        "has_adjudication": rule.has_adjudication(),
        "source": given,
        "declared": declared,
        "format": source.protocol.reads.format.name(),
        "any_brought": !source.brought.is_empty(),
        "readers": number(rule, voters),
        "qualification": rule.qualification,
        "tie": tie(rule.tie),
        "indeterminate": indeterminate(rule.indeterminate),
        "uninterpretable": uninterpretable(rule.uninterpretable),
        "repeated": repeated(rule.repeated_read),
        "compared": compared,
        "labelled_training_data": trained,
        "differs_by_case": !source.results.consensus.reads_per_case.is_empty(),
        "any_repeated": !source.results.consensus.repeated.is_empty(),
    })
}

/// Who reads a case.
fn number(rule: &ReferenceRule, voters: Option<u32>) -> String {
    match (rule.reads_per_case(voters), rule.fixed_readers) {
        (Some(n), true) => format!("{n}, the same for every case"),
        (Some(n), false) => format!("{n} a case, not the same for every case"),
        (None, _) if rule.rule.is_vote() => "any number a case".to_owned(),
        (None, _) => "not declared".to_owned(),
    }
}

/// How reads become one answer.
fn in_words(rule: &ReferenceRule, voters: Option<u32>) -> String {
    let agreeing = rule.agreeing(voters);
    let reads = if agreeing == 1 { "read" } else { "agreeing reads" };
    let of = rule.reads_per_case(voters).map_or_else(String::new, |n| format!(" of {n}"));
    let more = format!("at least {agreeing} {reads}{of}, and more for the answer than against it");
    let mut words = match &rule.rule {
        ConsensusRule::Majority => format!("majority: {more}"),
        ConsensusRule::KOfN { .. } => format!("k of n: {more}"),
        ConsensusRule::Unanimous => format!("unanimous: at least {agreeing} {reads}{of}, and none against"),
        ConsensusRule::Adjudicated { on: AdjudicateOn::Disagreement } => format!(
            "the reference readers where they agree (at least {agreeing} {reads}{of}, and none against), \
             otherwise an \
             adjudicator"
        ),
        ConsensusRule::Adjudicated { on: AdjudicateOn::NoMajority } => {
            format!("the majority of the reference readers ({more}), otherwise an adjudicator")
        }
        ConsensusRule::Panel => "the one label that a panel agreed on".to_owned(),
        ConsensusRule::Given(_) => "given, not computed from reads of this study".to_owned(),
    };
    let least = rule.least_reads(voters);
    if rule.rule.is_vote() && least > 0 {
        words.push_str(&format!("; a case that fewer than {least} reference readers read has none"));
    }
    words
}

fn tie(rule: TieRule) -> &'static str {
    match rule {
        TieRule::None => "gives no consensus",
        TieRule::Positive => "counts as positive",
        TieRule::Negative => "counts as negative",
        TieRule::Adjudicator => "is decided by an adjudicator",
    }
}

fn indeterminate(rule: IndeterminateRule) -> &'static str {
    match rule {
        IndeterminateRule::NoVote => "no vote",
        IndeterminateRule::Positive => "positive",
        IndeterminateRule::Negative => "negative",
    }
}

fn uninterpretable(rule: UninterpretableRule) -> &'static str {
    match rule {
        UninterpretableRule::NoVote => "counts as no vote",
        UninterpretableRule::AsIndeterminate => "counts as an indeterminate one",
        UninterpretableRule::ExcludeCase => "leaves the case without a reference standard",
    }
}

fn repeated(rule: RepeatedRead) -> &'static str {
    match rule {
        RepeatedRead::Refuse => "is refused",
        RepeatedRead::SetAside => "has no vote of that reader: the reads are set aside",
        RepeatedRead::AnyPositive => "is read as positive where one of the reads is positive",
        RepeatedRead::Last => "is read as the last of the reads says, by its time",
        RepeatedRead::AllAgree => "is read as all of the reads say; where they differ they are set aside",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::protocol;

    #[test]
    fn every_rule_is_said_as_it_is() {
        let check = |rule: &str, readers: &str, expected: &str| {
            let adjudicator = "[[reader]]\nid = \"A\"\nrole = \"adjudicator\"\n";
            let with = ["adjudicated", "panel"].iter().any(|name| rule.contains(name));
            let listed: String = (1..=4)
                .filter(|n| with && readers == format!("readers = {n}"))
                .flat_map(|n| (0..n).map(|i| format!("[[reader]]\nid = \"R{i}\"\nrole = \"reference\"\n")))
                .chain(with.then(|| adjudicator.to_owned()))
                .collect();
            let declared = include_str!("../../../protocols/pneumonia-exp2a.toml");
            let start = declared.find("[reference_standard]").expect("there");
            let end = start + declared[start..].find("\n[reads]").expect("there");
            let typed = format!(
                "{}[reference_standard]\nqualification = \"radiologist\"\n{readers}\n{rule}\n{listed}{}",
                &declared[..start],
                &declared[end..]
            );
            let parsed = protocol::parse(Path::new("p.toml"), &typed);
            let rule = parsed.unwrap_or_else(|e| panic!("{rule}: {e:?}")).reference_standard;
            assert_eq!(in_words(&rule, None), expected);
        };
        let majority = "majority: at least 2 agreeing reads of 3, and more for the answer than against it";
        check("rule = \"majority\"", "readers = 3", majority);
        check(
            "rule = \"majority\"\nfixed_readers = false\nminimum_agreeing = 1\nminimum_reads = 2",
            "",
            "majority: at least 1 read, and more for the answer than against it; a case that fewer than 2 \
             reference \
             readers read has none",
        );
        check(
            "rule = \"unanimous\"",
            "readers = 4",
            "unanimous: at least 4 agreeing reads of 4, and none against",
        );
        check(
            "rule = \"k-of-n\"\nagreeing = 4",
            "readers = 5",
            "k of n: at least 4 agreeing reads of 5, and more for the answer than against it",
        );
        check(
            "rule = \"adjudicated\"\nadjudicate = \"disagreement\"",
            "readers = 2",
            "the reference readers where they agree (at least 2 agreeing reads of 2, and none against), \
             otherwise an \
             adjudicator",
        );
        check(
            "rule = \"adjudicated\"\nadjudicate = \"no-majority\"",
            "readers = 3",
            "the majority of the reference readers (at least 2 agreeing reads of 3, and more for the answer \
             than \
             against it), otherwise an adjudicator",
        );
        check("rule = \"panel\"", "", "the one label that a panel agreed on");
        let given =
            "rule = \"given\"\ngiven = { file = \"c.csv\", label_column = \"c\", source = \"culture\" }";
        check(given, "", "given, not computed from reads of this study");
    }
}
