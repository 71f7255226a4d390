//! A campaign against `verify`: whatever can be changed in honest evidence is changed, one mutation after
//! another from a seed, and `verify` has to tell it; what is honest has to pass.
//!
//! `cargo test campaign` runs a thousand, `scripts/campaign.sh` twenty thousand with the table of
//! `docs/campaign.md`. `SEQUESTER_CAMPAIGN` is the number, `SEQUESTER_CAMPAIGN_TABLE` where the table goes.

mod chain;
mod cheats;
mod kinds;
mod ledgers;
mod second;
mod signed;
mod subject;
mod tree;
mod values;
mod watched;

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use sequester::audit::{self, Audit, Beside, History, State};
use sequester::diagnostic::Result;
use sequester::random::Stream;

use kinds::{Expect, KINDS, Kind, Made, View};
use subject::Subject;
use tree::Tree;

const SEED: u64 = 20_261_127;

/// What `verify` says of a study on disk.
fn asked(folder: &Path, bag: &str, view: View) -> Result<Audit> {
    let bundle = folder.join(bag);
    if view == View::Alone {
        return audit::audit(&bundle, &Beside::default());
    }
    let history = History::around(&bundle)?;
    let reports = folder.join(bag.replace("evidence", "reports"));
    let model = folder.join("model");
    let in_study = bag.starts_with("evidence/");
    let beside = Beside {
        reports: in_study.then_some(reports.as_path()),
        history: history.as_ref(),
        model: Some(&model),
        ..Beside::default()
    };
    audit::audit(&bundle, &beside)
}

/// How a mutation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    /// A question is answered no.
    Found,
    /// The program could not read it and said so.
    Refused,
    /// A question that was answered yes is not shown any more.
    NotShown,
    /// An answer says it in words, as of other templates.
    Said,
    /// Nothing in the bundle contradicts it; its root is another one.
    Root,
    /// Nothing tells it.
    Nothing,
}

/// What an honest study is answered, by question.
type Honest = BTreeMap<&'static str, (State, String)>;

fn answers(audit: &Audit) -> Honest {
    audit.answers.iter().map(|a| (a.question, (a.answer, a.looked_at.clone()))).collect()
}

/// One mutation that was tried.
struct Tried {
    kind: &'static Kind,
    subject: &'static str,
    note: String,
    ending: Ending,
    /// The question that tells it.
    told_by: &'static str,
    /// Where it begins as `verify` says, and where it does.
    blamed: Option<(bool, String, String)>,
}

fn ending(told: &Result<Audit>, honest: &Honest, same_root: bool) -> (Ending, &'static str) {
    let Ok(audit) = told else { return (Ending::Refused, "error") };
    let mut open = (Ending::Nothing, "-");
    for answer in &audit.answers {
        let before = &honest[answer.question];
        if answer.answer == State::No {
            return (Ending::Found, answer.question);
        }
        if answer.answer != before.0 && before.0 == State::Yes {
            open = (Ending::NotShown, answer.question);
        }
        let templates = |text: &str| text.contains("not those of this program");
        if open.0 == Ending::Nothing && templates(&answer.looked_at) != templates(&before.1) {
            open = (Ending::Said, answer.question);
        }
    }
    if open.0 == Ending::Nothing && !same_root { (Ending::Root, "root") } else { open }
}

/// Tries the mutations `first`, `first + step`, ... of a campaign in a folder of its own.
fn try_some(subjects: &[Subject], first: usize, step: usize, count: usize) -> Vec<Tried> {
    let mut tried = Vec::new();
    let mut places: BTreeMap<&str, (tempfile::TempDir, Tree, BTreeMap<View, Honest>)> = BTreeMap::new();
    for number in (first..count).step_by(step) {
        let kind = &KINDS[number % KINDS.len()];
        let mut stream = Stream::new(SEED, number as u64);
        // Some kinds fit few places of few studies.
        let made = (0..10_000).find_map(|_| {
            let subject = &subjects[stream.below(subjects.len() as u64) as usize];
            Some((subject, (kind.make)(subject, &mut stream)?))
        });
        let Some((subject, made)) = made else { panic!("{} applies to no study", kind.name) };
        let Made { tree, bag, begins, note } = made;
        let (folder, there, honest) = places
            .entry(subject.name)
            .or_insert_with(|| (tempfile::tempdir().expect("a folder"), Tree::default(), BTreeMap::new()));
        honest.entry(kind.view).or_insert_with(|| {
            subject.tree.write(folder.path(), there);
            *there = subject.tree.clone();
            let audit = asked(folder.path(), &subject.bag, kind.view).expect("honest evidence is audited");
            assert!(audit.holds(), "{}: {:?}", subject.name, audit.answers);
            answers(&audit)
        });
        tree.write(folder.path(), there);
        *there = tree;
        let told = asked(folder.path(), &bag, kind.view);
        let same_root = told.as_ref().ok().and_then(|a| a.root) == Some(subject.tree.root(&subject.bag));
        let (ending, told_by) = ending(&told, &honest[&kind.view], same_root);
        let blamed =
            begins.zip(told.as_ref().ok()).filter(|_| ending == Ending::Found).map(|(begins, audit)| {
                let named = audit.begins.first().cloned().unwrap_or_default();
                let said = audit.begins.iter().any(|named| begins.ends_with(named.as_str()));
                (said, named, begins)
            });
        tried.push(Tried { kind, subject: subject.name, note, ending, told_by, blamed });
    }
    tried
}

/// Whether an ending is not what the kind demands.
fn is_missed(expect: Expect, ending: Ending) -> bool {
    match expect {
        Expect::Told => matches!(ending, Ending::Root | Ending::Nothing),
        Expect::Root => ending == Ending::Nothing,
        Expect::Signature | Expect::Honest => false,
    }
}

fn is_false_alarm(expect: Expect, ending: Ending) -> bool {
    expect == Expect::Honest && matches!(ending, Ending::Found | Ending::Refused)
}

/// Runs a campaign.
fn campaign(count: usize) -> Vec<Tried> {
    let subjects = subject::all();
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    (0..workers).into_par_iter().flat_map_iter(|worker| try_some(&subjects, worker, workers, count)).collect()
}

/// The table of a campaign in Markdown: one row a kind.
fn table(tried: &[Tried]) -> String {
    let mut out = String::from(
        "| kind | what is changed | asked of | number | found | not shown | said in words | refused | by the \
         root | by a signature alone | missed | false alarms | traced to the file | told by |\n\
         |---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n",
    );
    for kind in &KINDS {
        let of: Vec<&Tried> = tried.iter().filter(|t| std::ptr::eq(t.kind, kind)).collect();
        let ended = |ending| of.iter().filter(|t| t.ending == ending).count();
        let missed = of.iter().filter(|t| is_missed(kind.expect, t.ending)).count();
        let alarms = of.iter().filter(|t| is_false_alarm(kind.expect, t.ending)).count();
        let signed = if kind.expect == Expect::Signature { ended(Ending::Nothing) } else { 0 };
        let blamed = of.iter().filter_map(|t| t.blamed.as_ref());
        let (right, asked) = blamed.fold((0, 0), |(right, asked), b| (right + usize::from(b.0), asked + 1));
        let traced = if asked == 0 { "-".to_owned() } else { format!("{right} of {asked}") };
        let mut told: BTreeMap<&str, usize> = BTreeMap::new();
        for one in &of {
            *told.entry(one.told_by).or_default() += 1;
        }
        told.remove("-");
        let told: Vec<String> = told.iter().map(|(by, n)| format!("{by} {n}")).collect();
        out.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {signed} | {missed} | {alarms} | {traced} \
             | {} |\n",
            kind.name,
            kind.what,
            kind.view.words(),
            of.len(),
            ended(Ending::Found),
            ended(Ending::NotShown),
            ended(Ending::Said),
            ended(Ending::Refused),
            ended(Ending::Root),
            told.join(", "),
        ));
    }
    out
}

#[test]
fn what_is_changed_is_told_and_what_is_honest_passes() {
    let number = |name: &str| std::env::var(name).ok().map(|n| n.parse::<usize>().expect("a number"));
    let count = number("SEQUESTER_CAMPAIGN").unwrap_or(1000);
    let began = std::time::Instant::now();
    let tried = campaign(count);
    let lasted = began.elapsed();
    let table = table(&tried);
    if let Some(path) = std::env::var_os("SEQUESTER_CAMPAIGN_TABLE") {
        let whole =
            |is: fn(Expect, Ending) -> bool| tried.iter().filter(|t| is(t.kind.expect, t.ending)).count();
        let text = format!(
            "{}\n{count} mutations of {} kinds on {} studies, seed {SEED}: {} missed, {} false \
             alarms.\n\n{table}",
            include_str!("about.md").trim_end(),
            KINDS.len(),
            subject::all().len(),
            whole(is_missed),
            whole(is_false_alarm),
        );
        std::fs::write(path, text).expect("writes");
    }
    eprintln!("{count} mutations in {lasted:.0?}");
    let wrong: Vec<String> = tried
        .iter()
        .filter(|t| is_missed(t.kind.expect, t.ending) || is_false_alarm(t.kind.expect, t.ending))
        .map(|t| format!("{} of {}: {} ({:?})", t.kind.name, t.subject, t.note, t.ending))
        .collect();
    let strayed: Vec<String> = tried
        .iter()
        .filter_map(|t| Some((t, t.blamed.as_ref()?)))
        .filter(|(_, blamed)| !blamed.0)
        .map(|(t, (_, named, begins))| {
            format!("{} of {}: {} begins in {begins}, said was {named:?}", t.kind.name, t.subject, t.note)
        })
        .collect();
    assert!(wrong.is_empty() && strayed.is_empty(), "{wrong:#?}\n{strayed:#?}");
}
