//! Whole cheats: what somebody does who wants a better answer, from the beginning to the document. Each ends
//! in a discrepancy, in a question that is not shown, or in a sentence of the document that says what nobody
//! could have shown.

use std::path::Path;

use sequester::audit::State;
use sequester::evidence::bundle;
use sequester::study;
use serde_json::Value;

use super::kinds::View;
use super::subject::{Subject, all, rendered};
use super::tree::{Tree, chained, events, follow};
use super::{asked, ledgers};
use crate::support::{Ran, Study, sequester};

/// How a cheat ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// The question is answered no.
    No(&'static str),
    /// The question is not shown any more.
    NotShown(&'static str),
    /// The document beside it, or its first page, holds these words.
    Says(&'static str),
}

use Ends::{No, NotShown, Says};

type Cheat = fn(&Subject, &mut Tree);

fn own(subject: &Subject, name: &str) -> String {
    format!("{}/data/{name}", subject.bag)
}

fn remove(subject: &Subject, tree: &mut Tree, name: &str) {
    assert!(tree.files.remove(&own(subject, name)).is_some(), "{name}");
}

fn edit(tree: &mut Tree, path: &str, from: &str, to: &str) {
    let text = tree.text(path);
    assert!(text.contains(from), "{path} holds {from}");
    tree.put(path, text.replacen(from, to, 1));
}

/// The bundle's ledger with its events changed, the chain whole.
fn events_of(subject: &Subject, tree: &mut Tree, change: impl FnOnce(&mut Vec<Value>)) {
    let path = own(subject, "ledger.jsonl");
    let mut all = events(&tree.files[&path]);
    change(&mut all);
    tree.put(&path, chained(&all));
    tree.seal(&subject.bag);
}

fn position(all: &[Value], event: &str) -> usize {
    all.iter().rposition(|e| e["event"] == event).expect("the event")
}

/// Results, ledger and manifests follow from the inputs as they are now.
fn derive_again(subject: &Subject, tree: &mut Tree) {
    let inputs = bundle::inputs(&tree.payload(&subject.bag)).expect("inputs");
    for (name, bytes) in study::derive(&inputs).expect("derives").files {
        tree.put(&own(subject, name.as_str()), bytes.read().into_owned());
    }
    follow(tree, &subject.bag);
    tree.seal(&subject.bag);
}

/// The first score of the table is another one.
fn another_score(subject: &Subject, tree: &mut Tree) {
    let path = own(subject, "inputs/scores.csv");
    let text = tree.text(&path);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let column = lines[0].split(',').position(|name| name == "score").expect("a score");
    for line in &mut lines[1..] {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        if let Ok(score) = cells[column].parse::<f64>() {
            cells[column] = format!("{:.6}", (score * 0.99).clamp(0.0, 1.0));
        }
        *line = cells.join(",");
    }
    tree.put(&path, lines.iter().map(|line| format!("{line}\n")).collect::<String>());
}

fn lie(subject: &Subject, tree: &mut Tree, name: &str, text: &str) {
    tree.put(&own(subject, &format!("templates/{name}")), text);
    tree.seal(&subject.bag);
    ledgers::publish(tree, &subject.bag);
    subject.documents().iter().for_each(|path| drop(tree.files.remove(path)));
    for (path, bytes) in rendered(tree, &subject.bag).expect("renders") {
        tree.put(&format!("{}/{path}", subject.reports), bytes);
    }
}

/// Name, whose evidence, what `verify` is asked of, what is done, how it ends.
type Row = (&'static str, &'static str, View, Cheat, Ends);

#[rustfmt::skip]
const CHEATS: [Row; 26] = [
    ("the study's ledger is burnt", "small", View::Study, |_, t| {
        t.files.remove("ledger.jsonl");
    }, No("history")),
    ("the study's ledger is cut to its beginning", "small", View::Study, |_, t| {
        let all = events(&t.files["ledger.jsonl"]);
        t.put("ledger.jsonl", chained(&all[..4]));
    }, No("history")),
    ("an older bundle is thrown away", "small", View::Study, |_, t| {
        t.files.retain(|path, _| !path.starts_with("evidence/run-1"));
    }, No("history")),
    ("an older bundle's words are edited", "small", View::Study, |_, t| {
        t.put("evidence/run-1/data/device.toml", "");
        t.seal("evidence/run-1");
    }, No("history")),
    ("a second look has no reason", "small", View::Study, |_, t| {
        let mut all = events(&t.files["ledger.jsonl"]);
        let mut opened = all[position(&all, "test-set-opened")].clone();
        opened["digests"]["protocol.toml"] = Value::from("0".repeat(64));
        all.push(opened);
        t.put("ledger.jsonl", chained(&all));
    }, No("history")),
    ("the reason of a second look is a dot", "small", View::Study, |_, t| {
        let mut all = events(&t.files["ledger.jsonl"]);
        let mut opened = all[position(&all, "test-set-opened")].clone();
        opened["digests"]["protocol.toml"] = Value::from("0".repeat(64));
        opened["reason"] = Value::from(".");
        all.push(opened);
        t.put("ledger.jsonl", chained(&all));
    }, No("history")),
    ("the opening is struck out", "scored-elsewhere", View::Alone, |s, t| events_of(s, t, |all| {
        all.remove(position(all, "test-set-opened"));
    }), No("ledger")),
    ("the seal names nothing", "scored-elsewhere", View::Alone, |s, t| events_of(s, t, |all| {
        let at = position(all, "test-set-sealed");
        all[at]["digests"] = serde_json::json!({});
    }), No("ledger")),
    ("another cohort was sealed", "scored-elsewhere", View::Alone, |s, t| events_of(s, t, |all| {
        let at = position(all, "test-set-sealed");
        all[at]["digests"]["cohort.csv"] = Value::from("1".repeat(64));
    }), No("ledger")),
    ("another protocol was locked", "scored-elsewhere", View::Alone, |s, t| events_of(s, t, |all| {
        let at = position(all, "protocol-locked");
        all[at]["digests"]["protocol.toml"] = Value::from("1".repeat(64));
    }), No("ledger")),
    ("other reads were locked", "scored-elsewhere", View::Alone, |s, t| events_of(s, t, |all| {
        let at = position(all, "reference-standard-locked");
        all[at]["digests"]["inputs/reads/reader-1.csv"] = Value::from("1".repeat(64));
    }), No("ledger")),
    ("the model was locked after the opening", "locked-model", View::Alone, |s, t| events_of(s, t, |all| {
        let locked = all.remove(position(all, "model-locked"));
        all.push(locked);
    }), No("ledger")),
    ("a time is no time", "scored-elsewhere", View::Alone, |s, t| events_of(s, t, |all| {
        all[0]["at"] = Value::from("before the summer");
    }), No("ledger")),
    ("time runs backwards", "scored-elsewhere", View::Alone, |s, t| events_of(s, t, |all| {
        all[0]["at"] = Value::from("2027-01-01T00:00:00Z");
    }), No("ledger")),
    ("the threshold is lowered, its proof taken out", "locked-model", View::Alone, |s, t| {
        let path = own(s, "model/lock.json");
        let mut lock: Value = serde_json::from_slice(&t.files[&path]).expect("JSON");
        lock["operating_point"]["threshold"] = Value::from(0.01);
        t.put(&path, serde_json::to_vec_pretty(&lock).expect("JSON"));
        remove(s, t, "model/tuning-scores.csv");
        derive_again(s, t);
    }, NotShown("threshold")),
    ("the threshold is lowered, its proof left", "locked-model", View::Alone, |s, t| {
        let path = own(s, "model/lock.json");
        let mut lock: Value = serde_json::from_slice(&t.files[&path]).expect("JSON");
        lock["operating_point"]["threshold"] = Value::from(0.01);
        t.put(&path, serde_json::to_vec_pretty(&lock).expect("JSON"));
        derive_again(s, t);
    }, No("threshold")),
    ("the training manifest is taken out", "locked-model", View::Alone, |s, t| {
        remove(s, t, "model/training-manifest.csv");
        t.seal(&s.bag);
    }, NotShown("separation")),
    ("another training manifest is put in", "locked-model", View::Alone, |s, t| {
        let other = t.files[&own(s, "model/tuning-manifest.csv")].clone();
        t.put(&own(s, "model/training-manifest.csv"), other);
        t.seal(&s.bag);
    }, No("separation")),
    ("a nicer training curve", "locked-model", View::Alone, |s, t| {
        edit(t, &own(s, "model/training.jsonl"), "\"tuning_auc\":0.", "\"tuning_auc\":0.9");
        t.seal(&s.bag);
    }, No("contents")),
    ("the experiment is taken out", "locked-model", View::Alone, |s, t| {
        remove(s, t, "model/experiment.toml");
        t.seal(&s.bag);
    }, NotShown("contents")),
    ("the scores of the own model are edited", "locked-model", View::Alone, |s, t| {
        another_score(s, t);
        derive_again(s, t);
    }, No("contents")),
    ("the same, and the record of what made them taken out", "locked-model", View::Alone, |s, t| {
        another_score(s, t);
        remove(s, t, "model/scoring.json");
        derive_again(s, t);
    }, NotShown("contents")),
    ("scores, results, ledger and documents are made to agree", "scored-elsewhere", View::Study, |s, t| {
        another_score(s, t);
        derive_again(s, t);
        for (path, bytes) in rendered(t, &s.bag).expect("renders") {
            t.put(&format!("{}/{path}", s.reports), bytes);
        }
    }, No("history")),
    ("the document says MET", "small", View::Study, |s, t| {
        let page = format!("{}/report.html", s.reports);
        edit(t, &page, "</body>", "<p>MET</p></body>");
    }, No("report")),
    ("a template says MET over whatever was found", "small", View::Study, |s, t| {
        lie(s, t, "conclusion.md", "## Conclusion\n\nEvery primary endpoint is **MET**.\n");
    }, Says("The words of this document are not those of sequester")),
    ("numbers are typed with a mark that lets them pass", "small", View::Study, |s, t| {
        lie(s, t, "limits.md", "## Limits\n\nSensitivity 0.999 {# literal: as agreed with the sponsor #}\n");
    }, Says("as agreed with the sponsor")),
];

#[test]
fn every_cheat_ends_in_a_discrepancy_in_not_shown_or_in_a_sentence() {
    let subjects = all();
    for (name, whose, view, cheat, ends) in &CHEATS {
        let subject = subjects.iter().find(|s| s.name == *whose).expect("a subject");
        let mut tree = subject.tree.clone();
        cheat(subject, &mut tree);
        let folder = tempfile::tempdir().expect("a folder");
        tree.write(folder.path(), &Tree::default());
        let audit = asked(folder.path(), &subject.bag, *view).expect("audited");
        let state = |question: &str| {
            audit.answers.iter().find(|a| a.question == question).expect("a question").answer
        };
        match ends {
            No(question) => {
                assert_eq!(state(question), State::No, "{name}: {:?}", audit.answers);
                assert!(!audit.begins.is_empty(), "{name}");
            }
            NotShown(question) => assert_eq!(state(question), State::NotShown, "{name}: {:?}", audit.answers),
            Says(words) => {
                let page = std::fs::read_to_string(folder.path().join(&subject.reports).join("report.md"));
                assert!(page.expect("a document").contains(words), "{name}");
                assert!(!audit.own_templates.is_empty(), "{name}");
            }
        }
    }
}

fn words(study: &Study, run: &str) -> String {
    study.read(&format!("reports/{run}/report.md"))
}

fn done(ran: &Ran) {
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn what_was_tried_elsewhere_cannot_be_shown_and_the_document_says_so() {
    // A second folder, another seed, another `--out`: each by itself is honest evidence.
    let study = Study::small();
    study.replace("protocol.toml", "seed = 1", "seed = 40");
    let out = tempfile::tempdir().expect("a folder");
    done(&study.run("run", &["--out", out.path().to_str().expect("UTF-8")]));
    done(&study.run("run", &[]));
    done(&study.run("verify", &[]));
    let words = words(&study, "run-1");
    for sentence in
        ["with other seeds of the sample", "in a copy of it", "refused by hand before leaves no trace"]
    {
        assert!(words.split_whitespace().collect::<Vec<_>>().join(" ").contains(sentence), "{sentence}");
    }
}

#[test]
fn a_threshold_lowered_after_the_result_needs_words_that_the_document_prints() {
    let study = Study::small();
    done(&study.run("run", &[]));
    study.replace("protocol.toml", "threshold = 0.5", "threshold = 0.4");
    assert_eq!(study.run("run", &[]).code, 30);
    assert_eq!(study.run("run", &["--reason", "."]).code, 30);
    // The protocol is locked: another one is another study.
    assert_eq!(study.run("run", &["--reason", "it looks better"]).code, 30);
}

#[test]
fn hard_cases_refused_by_hand_are_counted_and_the_document_says_whose_word_it_is() {
    let study = Study::small();
    let text = study.read("scores.csv");
    let rows = text.lines().skip(1).map(|line| {
        let (id, score) = line.split_once(',').expect("two cells");
        if id.ends_with('7') { format!("{id},,too hard\n") } else { format!("{id},{score},\n") }
    });
    study.write("scores.csv", &format!("case_id,score,refused\n{}", rows.collect::<String>()));
    study.replace(
        "protocol.toml",
        "no_consensus = \"exclude\"",
        "no_consensus = \"exclude\"\nmissing_score = \"exclude\"",
    );
    done(&study.run("run", &[]));
    let words = words(&study, "run-1");
    assert!(words.contains("sampled cases have no score"), "{words}");
    assert!(words.contains("has the reason that the table of scores gives"), "{words}");
}

#[test]
fn a_look_at_the_own_scores_is_in_the_ledger_the_document_and_the_audit() {
    let study = Study::small();
    let rows: String = study
        .read("scores.csv")
        .lines()
        .enumerate()
        .map(|(n, line)| if n == 0 { format!("{line},label\n") } else { format!("{line},{}\n", n % 2) })
        .collect();
    study.write("scores.csv", &rows);
    let table = study.file("scores.csv");
    let ran = sequester(&["metrics", table.to_str().expect("UTF-8")]);
    done(&ran);
    assert!(ran.stderr.contains("scores-examined"), "{}", ran.stderr);
    assert!(study.read("ledger.jsonl").contains("\"event\":\"scores-examined\""));
    done(&study.run("run", &[]));
    assert!(words(&study, "run-1").contains("looked at outside the protocol 1 times"));
    let verified = study.run("verify", &[]);
    done(&verified);
    assert!(verified.stdout.contains("scores looked at outside the protocol once"), "{}", verified.stdout);
    // A table inside the evidence is the study's too; a copy elsewhere is nobody's.
    let copy = tempfile::tempdir().expect("a folder");
    let other = copy.path().join("scores.csv");
    std::fs::copy(&table, &other).expect("copies");
    let before = study.read("ledger.jsonl");
    done(&sequester(&["metrics", other.to_str().expect("UTF-8")]));
    assert_eq!(study.read("ledger.jsonl"), before);
    let inside = study.file("evidence/run-1/data/inputs/scores.csv");
    done(&sequester(&["metrics", inside.to_str().expect("UTF-8")]));
    assert_eq!(study.read("ledger.jsonl").matches("scores-examined").count(), 2);
    done(&study.run("verify", &[]));
    done(&study.run("run", &[]));
}

#[test]
fn a_clock_that_the_user_set_is_marked_and_the_conclusion_is_computed() {
    let study = Study::small();
    done(&study.run("run", &[]));
    assert!(words(&study, "run-1").contains("given by the user"));
    let verified = study.run("verify", &[]);
    assert!(verified.stdout.contains("the user set the clock"), "{}", verified.stdout);
    assert!(
        verified.stdout.contains("the inputs give: every primary endpoint is met"),
        "{}",
        verified.stdout
    );
    let bundle = study.file("evidence/run-1");
    assert!(Path::new(&bundle).is_dir());
    // A lying document: the conclusion that is computed stands in the answer all the same.
    study.replace("reports/run-1/report.md", "met", "not met");
    let lied = study.run("verify", &[]);
    assert_eq!(lied.code, 20);
    assert!(lied.stdout.contains("the inputs give: every primary endpoint is met"), "{}", lied.stdout);
    assert!(lied.stdout.contains("the differences begin in report.md"), "{}", lied.stdout);
    assert!(!lied.stderr.contains("renders it again"), "{}", lied.stderr);
}
