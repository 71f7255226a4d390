//! What a study commits to, told from its inputs: the same for `commit`, before anything is scored, and for
//! `verify`, from a bundle.

use std::collections::BTreeMap;

use super::bundle;
use super::opening;
use crate::custody::commitment::{Commitment, FORMAT};
use crate::digest::Digest;
use crate::study::{self, Cohort, Inputs, Step};

/// Tables of a protocol that say who reads, how reads are understood, and when there is a reference standard.
const READER_RULES: [&str; 3] = ["reader", "reads", "reference_standard"];

/// The commitment that these inputs are of. Scores and sealed reads are the caller's to add.
pub fn stated(inputs: &Inputs, cohort: &Cohort, protocol_text: &[u8]) -> Commitment {
    let protocol = &inputs.protocol;
    let patterns = study::needed_files(protocol, Step::Cohort);
    let of_cases = |path: &str| patterns.iter().any(|pattern| study::matches(pattern, path));
    let table = table(protocol_text);
    Commitment {
        bar: bar(&table),
        cases: inputs
            .files
            .iter()
            .filter(|(path, _)| of_cases(path.as_str()))
            .map(|(path, bytes)| (format!("{}/{path}", bundle::INPUTS), bytes.digest()))
            .collect(),
        cohort: Digest::of(&study::cohort_table(cohort)),
        format: FORMAT.to_owned(),
        lock: inputs.lock.as_deref().map(|lock| opening::lock_digest(lock).1),
        protocol: Digest::of(protocol_text),
        reader_rules: reader_rules(&table),
        scores: None,
        sealed: None,
        seed: protocol.sample.seed.to_string(),
        study: protocol.study.id.clone(),
        version: protocol.study.version.clone(),
    }
}

/// The text as tables; the protocol was parsed from it before.
fn table(text: &[u8]) -> toml::Table {
    std::str::from_utf8(text).ok().and_then(|text| toml::from_str(text).ok()).unwrap_or_default()
}

/// Digest of the tables on readers: as they stand, so that no version of the program gives another.
fn reader_rules(protocol: &toml::Table) -> Digest {
    let rules: BTreeMap<&str, &toml::Value> =
        READER_RULES.into_iter().filter_map(|name| Some((name, protocol.get(name)?))).collect();
    let text = serde_json_canonicalizer::to_string(&rules).unwrap_or_default();
    Digest::of(text.as_bytes())
}

/// Every endpoint in the protocol's own words.
fn bar(protocol: &toml::Table) -> Vec<String> {
    let endpoints = protocol.get("endpoint").and_then(toml::Value::as_array);
    let words = |endpoint: &toml::Value| {
        let of = |key: &str| endpoint.get(key).and_then(toml::Value::as_str).map(str::trim);
        let said = ["metric", "role", "criterion", "against", "aim"].into_iter().filter_map(of);
        format!("{}: {}", of("id").unwrap_or("-"), said.collect::<Vec<_>>().join(", "))
    };
    endpoints.into_iter().flatten().map(words).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_on_readers_are_those_tables_and_no_other() {
        let of = |text: &str| reader_rules(&toml::from_str(text).expect("TOML"));
        let one = of("[reference_standard]\nrule = \"majority\"\nreaders = 3\n[sample]\nseed = 1\n");
        let same =
            of("# comment\n[sample]\nseed = 2\n[reference_standard]\nreaders = 3\nrule = \"majority\"\n");
        assert_eq!(one, same);
        assert_ne!(one, of("[reference_standard]\nrule = \"majority\"\nreaders = 5\n"));
        assert_ne!(
            one,
            of("[reference_standard]\nrule = \"majority\"\nreaders = 3\n[reads]\nformat = \"csv\"\n")
        );
    }

    #[test]
    fn the_bar_is_told_in_the_protocols_words() {
        let protocol = toml::from_str(
            "[[endpoint]]\nid = \"auc\"\nmetric = \"auc\"\nrole = \"primary\"\ncriterion = \"lower > 0.70\"\n\
             [[endpoint]]\nid = \"f\"\nmetric = \"f1\"\n",
        );
        let found = bar(&protocol.expect("TOML"));
        assert_eq!(found, ["auc: auc, primary, lower > 0.70", "f: f1"]);
    }
}
