//! The guides are typed as they stand, and answer as they say. `SEQUESTER_WRITE_GUIDE=1` writes the answers
//! into them.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

/// A line that is typed, as words: blanks separate them, double quotes keep them together.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
    for c in line.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                any = true;
            }
            ' ' if !quoted => {
                if any || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            c => word.push(c),
        }
    }
    if any || !word.is_empty() {
        words.push(word);
    }
    assert!(!quoted, "a quote is not closed: {line}");
    words
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("creates");
    for entry in std::fs::read_dir(from).expect("lists").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copies");
        }
    }
}

/// A line with the program's own folder, which the guides call `../sequester`, where it lies here.
fn at_home(line: &str) -> String {
    line.replace("../sequester/", concat!(env!("CARGO_MANIFEST_DIR"), "/"))
}

/// What a reader would see too: the version is another one in each release, nobody else sets the clock, and
/// without the feature `pdf` there is no such document.
fn as_a_reader_sees(shown: &str) -> String {
    let shown: Vec<&str> = shown.lines().filter(|line| !line.ends_with(".pdf")).collect();
    let shown = shown.join("\n").replace(env!("CARGO_PKG_VERSION"), "VERSION");
    shown.replace("; the user set the clock (SOURCE_DATE_EPOCH)", "").trim_end().to_owned()
}

/// What files are copied, made and removed with, without a shell: `cp FROM TO`, `cp -r FROM TO`, `mkdir NAME`
/// and `rm -r NAME`. Anything else, such as `cd`, is no line of such a guide.
fn moved(folder: &Path, program: &str, words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match (program, &words[..]) {
        // What lies in the folder; otherwise a folder that is there gets the copy under its name.
        ("cp", ["-r", from, to]) if from.ends_with("/.") => copy(&folder.join(from), &folder.join(to)),
        ("cp", ["-r", from, to]) => {
            let (from, to) = (folder.join(from), folder.join(to));
            let name = from.file_name().expect("a name");
            copy(&from, &if to.is_dir() { to.join(name) } else { to });
        }
        ("cp", [from, to]) => {
            std::fs::copy(folder.join(from), folder.join(to)).expect("copies");
        }
        ("mkdir", [name]) => std::fs::create_dir(folder.join(name)).expect("creates"),
        ("rm", ["-r", name]) => std::fs::remove_dir_all(folder.join(name)).expect("removes"),
        _ => return false,
    }
    true
}

/// What a terminal shows after a command: answers and progress in the order in which they come.
fn typed(folder: &Path, line: &str) -> String {
    let mut words = words(&at_home(line));
    let program = words.remove(0);
    if moved(folder, &program, &words) {
        return String::new();
    }
    assert_eq!(program, "sequester", "{line}");
    let (mut shown, both) = std::io::pipe().expect("a pipe");
    let mut ran = Command::new(env!("CARGO_BIN_EXE_sequester"))
        .args(&words)
        .current_dir(folder)
        .env("SOURCE_DATE_EPOCH", "1767225600")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(both.try_clone().expect("a pipe"))
        .stderr(both)
        .spawn()
        .expect("the program starts");
    let mut text = String::new();
    shown.read_to_string(&mut text).expect("text");
    ran.wait().expect("the program ends");
    as_a_reader_sees(&text)
}

/// Without what differs from build to build: digests, and whether there are PDFs.
fn without_digests(text: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, instead) in [
        (r"\b[0-9a-f]{64}\b", "DIGEST"),
        (r"\b[0-9a-f]{12}\.\.\.", "DIGEST..."),
        (r"\(\d+ files rendered again[^)]*\)", "(N files rendered again)"),
        (
            r"\d+ tests: \d+ passed, 0 failed, \d+ not applicable; \d+ values",
            "N tests: N passed, 0 failed, N not applicable; N values",
        ),
    ] {
        let found = regex::Regex::new(pattern).expect("a pattern");
        text = found.replace_all(&text, instead).into_owned();
    }
    text
}

/// Edits that a guide tells its reader to make: each line with `-` in front becomes the line with `+` after
/// it; what has `+` alone is added at the end.
fn edit(file: &Path, lines: &[&str]) {
    let mut text = std::fs::read_to_string(file).expect("the file to edit");
    let mut lines = lines.iter().peekable();
    while let Some(line) = lines.next() {
        if let Some(old) = line.strip_prefix('-') {
            let new = lines.next().and_then(|line| line.strip_prefix('+')).expect("a line with + after it");
            assert!(text.lines().any(|line| line == old), "{old:?} is no line of {}", file.display());
            text = text.replacen(&format!("{old}\n"), &format!("{new}\n"), 1);
        } else {
            let added = line.strip_prefix('+').expect("a line with - or + in front");
            text.push_str(&format!("{added}\n"));
        }
    }
    std::fs::write(file, text).expect("writes");
}

/// Types everything in a guide and compares; returns how many commands there were. `shown_as` is what is
/// written of what the terminal shows. A box that begins with "toml" and a name is saved under that name.
fn follow(
    name: &str,
    folder: &Path,
    typed: impl FnMut(&Path, &str) -> String,
    shown_as: fn(&str) -> String,
) -> usize {
    follow_alike(name, folder, typed, shown_as, str::to_owned)
}

/// The same where a machine of another kind may answer with other digits: lines are compared as `alike`
/// leaves them, and written as they are shown.
fn follow_alike(
    name: &str,
    folder: &Path,
    mut typed: impl FnMut(&Path, &str) -> String,
    shown_as: fn(&str) -> String,
    alike: fn(&str) -> String,
) -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    let guide = std::fs::read_to_string(&path).expect("the guide");
    let mut out = String::new();
    let (mut inside, mut commands) = (false, 0);
    let mut editing: Option<(&str, Vec<&str>)> = None;
    let mut saving: Option<(&str, Vec<&str>)> = None;
    for line in guide.lines() {
        if let Some(file) = line.strip_prefix("```diff ") {
            editing = Some((file, Vec::new()));
        } else if let Some(file) = line.strip_prefix("```toml ") {
            saving = Some((file, Vec::new()));
        } else if line == "```" {
            inside = false;
            if let Some((file, lines)) = editing.take() {
                edit(&folder.join(file), &lines);
            }
            if let Some((file, lines)) = saving.take() {
                std::fs::write(folder.join(file), format!("{}\n", lines.join("\n"))).expect("writes");
            }
        } else if let Some((_, lines)) = editing.as_mut().or(saving.as_mut()) {
            lines.push(line);
        } else if line == "```console" {
            inside = true;
        } else if inside {
            let Some(command) = line.strip_prefix("$ ") else { continue };
            commands += 1;
            // Documents are named with the whole path of the folder that was gone to.
            let here = format!("{}/", folder.canonicalize().expect("a folder").display());
            let shown = shown_as(&typed(folder, command)).replace(&here, ".../");
            out.push_str(&format!("{line}\n"));
            if !shown.is_empty() {
                out.push_str(&format!("{shown}\n"));
            }
            continue;
        }
        out.push_str(&format!("{line}\n"));
    }
    if std::env::var_os("SEQUESTER_WRITE_GUIDE").is_some() {
        std::fs::write(&path, &out).expect("writes");
        return commands;
    }
    for (nth, (says, happens)) in guide.lines().zip(out.lines()).enumerate() {
        assert_eq!(alike(says), alike(happens), "docs/{name}, line {}", nth + 1);
    }
    assert_eq!(guide.lines().count(), out.lines().count());
    commands
}

#[test]
fn the_coordinator_s_guide_is_what_happens() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(follow("guide-coordinator.md", folder.path(), typed, str::to_owned) >= 14);
}

/// What a team of a study delivers: cases, the answers of three readers, and a device's scores, as name and
/// text of each file. Invented by a rule.
fn delivery() -> Vec<(String, String)> {
    let mut cases = "case_id,patient_id,sex,age_years,view,modality,body_part,site,manufacturer,\
                     days_since_prior_finding,label\n"
        .to_owned();
    let mut scores = "case_id,score\n".to_owned();
    let mut reads = [0, 1, 2].map(|_| "case_id,reader_id,read\n".to_owned());
    for i in 0..640_u32 {
        let positive = i % 2 == 0;
        let (sex, site) = (if i % 3 == 0 { "F" } else { "M" }, if i % 5 < 2 { "north" } else { "south" });
        let view = if i % 4 == 0 { "AP" } else { "PA" };
        let age = 16 + (i * 7) % 70;
        cases +=
            &format!("C{i:03},P{i:03},{sex},{age},{view},DX,CHEST,{site},maker,,{}\n", u8::from(positive));
        let noise = f64::from(i * 37 % 101) / 101.0;
        let score = if positive { 0.46 + 0.5 * noise } else { 0.05 + 0.5 * noise };
        scores += &format!("C{i:03},{score:.4}\n");
        for (reader, text) in reads.iter_mut().enumerate() {
            let wrong = (i + 7 * reader as u32).is_multiple_of(23);
            let read = if positive != wrong { "positive" } else { "negative" };
            *text += &format!("C{i:03},R{},{read}\n", reader + 1);
        }
    }
    let readers = reads.into_iter().enumerate();
    let mut files: Vec<(String, String)> =
        readers.map(|(reader, text)| (format!("reader-{}.csv", reader + 1), text)).collect();
    files.extend([("cases.csv".to_owned(), cases), ("scores.csv".to_owned(), scores)]);
    files
}

/// `fixtures/guide/delivery` is what is made here, and `SEQUESTER_WRITE_GUIDE=1` writes it. The guide's box
/// copies it, and its text shows the first two lines of each table.
#[test]
fn the_quality_engineer_s_guide_is_what_happens() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shipped = root.join("fixtures/guide/delivery");
    let writes = std::env::var_os("SEQUESTER_WRITE_GUIDE").is_some();
    let guide = std::fs::read_to_string(root.join("docs/guide-quality-engineer.md")).expect("the guide");
    for (name, text) in delivery() {
        if writes {
            std::fs::create_dir_all(&shipped).expect("creates");
            std::fs::write(shipped.join(&name), &text).expect("writes");
        }
        let there = std::fs::read_to_string(shipped.join(&name)).expect("a table that is shipped");
        assert_eq!(there, text, "fixtures/guide/delivery/{name}");
        let first: Vec<&str> = text.lines().take(2).collect();
        assert!(guide.contains(&first.join("\n")), "the guide does not show {name}: {first:?}");
    }
    let files = std::fs::read_dir(&shipped).expect("lists").count();
    assert_eq!(files, delivery().len(), "fixtures/guide/delivery has a file too many");
    let folder = tempfile::tempdir().expect("a folder");
    assert!(follow("guide-quality-engineer.md", folder.path(), typed, without_digests) >= 18);
}

/// A line that begins with `cd` leaves whoever types it in another folder, where the next box is wrong: it
/// stands in parentheses.
#[test]
fn no_box_leaves_its_reader_in_another_folder() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md")];
    pages.extend(std::fs::read_dir(root.join("docs")).expect("lists").flatten().map(|entry| entry.path()));
    let mut commands = 0;
    for page in pages.iter().filter(|page| page.extension().is_some_and(|extension| extension == "md")) {
        for (nth, line) in std::fs::read_to_string(page).expect("a page").lines().enumerate() {
            let Some(command) = line.strip_prefix("$ ") else { continue };
            commands += 1;
            let mut steps = command.split("&&").flat_map(|part| part.split(';')).map(str::trim);
            let leaves = steps.any(|step| step == "cd" || step.starts_with("cd "));
            assert!(!leaves, "{}, line {}: write (cd FOLDER && ...)", page.display(), nth + 1);
        }
    }
    assert!(commands > 100, "{commands}");
}

/// Every digest, whole or shortened, is another one as soon as a bundle is written again.
#[cfg(unix)]
fn without_any_digest(text: &str) -> String {
    let digest = regex::Regex::new("\\b([0-9a-f]{64}|[0-9a-f]{12})\\b").expect("a pattern");
    digest.replace_all(text, "DIGEST").into_owned()
}

/// One shell for all the boxes of a page, in which the program is at hand: whoever goes to another folder is
/// there in the next box too, and `$?` is the exit code of the line before.
#[cfg(unix)]
struct Shell {
    shell: std::process::Child,
    keys: std::process::ChildStdin,
    screen: std::io::BufReader<std::process::ChildStdout>,
}

#[cfg(unix)]
impl Shell {
    fn open(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_sequester")).parent().expect("a folder");
        let paths = std::env::var("PATH").unwrap_or_default();
        let mut shell = Command::new("sh")
            .current_dir(folder)
            .env("PATH", format!("{}:{paths}", program.display()))
            .env("NO_COLOR", "1")
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let keys = shell.stdin.take().expect("piped");
        let screen = std::io::BufReader::new(shell.stdout.take().expect("piped"));
        Self { shell, keys, screen }
    }

    fn answer(&mut self, line: &str) -> String {
        use std::io::{BufRead, Write};
        const END: &str = "this is where an answer ends";
        let line = at_home(line);
        let all = format!("{{ {line}\n}} 2>&1 </dev/null; went=$?; echo; echo '{END}'; (exit $went)\n");
        self.keys.write_all(all.as_bytes()).expect("types");
        self.keys.flush().expect("types");
        let mut answer = String::new();
        loop {
            let mut next = String::new();
            assert_ne!(self.screen.read_line(&mut next).expect("text"), 0, "the shell ended at: {line}");
            if next.trim_end() == END {
                return answer.replace(env!("CARGO_PKG_VERSION"), "VERSION").trim_end().to_owned();
            }
            answer += &next;
        }
    }
}

#[cfg(unix)]
impl Drop for Shell {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

/// What one shell answers to line after line.
#[cfg(unix)]
fn in_a_shell(folder: &Path) -> impl FnMut(&Path, &str) -> String + use<> {
    let mut shell = Shell::open(folder, &[]);
    move |_, line| shell.answer(line)
}

/// Digests, and keys that are drawn anew in every run.
#[cfg(unix)]
fn without_keys(text: &str) -> String {
    let key = regex::Regex::new("age1[0-9a-z]{58}").expect("a pattern");
    key.replace_all(&without_any_digest(text), "RECIPIENT").into_owned()
}

#[test]
fn the_guide_to_changes_is_what_happens() {
    let (folder, first) = (tempfile::tempdir().expect("a folder"), crate::changes::first());
    copy(first.path(), &folder.path().join("v1"));
    crate::changes::candidates(&first, folder.path());
    let shown = |text: &str| {
        let digest = regex::Regex::new("\\b([0-9a-f]{64}|[0-9a-f]{12})\\b").expect("a pattern");
        digest.replace_all(text, "DIGEST").into_owned()
    };
    assert!(follow("guide-change.md", folder.path(), typed, shown) >= 6);
}

#[cfg(unix)]
#[test]
fn the_page_on_the_custodian_is_what_happens() {
    let (folder, study) = (tempfile::tempdir().expect("a folder"), crate::support::Study::small());
    copy(study.path(), &folder.path().join("my-study"));
    let authority = crate::timestamps::Authority::new();
    authority.hand_over(folder.path());
    let trust = "format = \"sequester-trust/1\"\n\n[[signer]]\nname = \"A. Custodian\"\nroles = \
                 [\"custodian\"]\nkey_files = [\"custodian/custodian.pub\"]\n";
    std::fs::write(folder.path().join("trust.toml"), trust).expect("writes");
    assert!(follow("custodian.md", folder.path(), in_a_shell(folder.path()), without_keys) >= 14);
}

#[cfg(unix)]
#[test]
fn the_auditor_s_guide_is_what_happens() {
    let check = "import sys, tomllib; sys.exit(sys.version_info < (3, 11))";
    let python = Command::new("python3").args(["-c", check]).output();
    if !python.is_ok_and(|ran| ran.status.success()) {
        eprintln!("SKIPPED the auditor's guide: python3 is not there, or is older than 3.11");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let shell = in_a_shell(folder.path());
    // The bundle is shipped, and so its digests are everybody's.
    assert!(follow("guide-auditor.md", folder.path(), shell, str::to_owned) >= 13);
}

/// The same on a day that is set.
#[cfg(unix)]
fn on_a_day(folder: &Path) -> impl FnMut(&Path, &str) -> String + use<> {
    let mut shell = Shell::open(folder, &[("SOURCE_DATE_EPOCH", "1767225600")]);
    move |_, line| as_a_reader_sees(&shell.answer(line))
}

#[cfg(unix)]
#[test]
fn the_guide_to_signatures_is_what_happens() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a folder");
    copy(&root.join("fixtures/evidence/v2/scored-elsewhere"), &folder.path().join("received/run-1"));
    for name in ["statistician", "quality"] {
        std::fs::write(folder.path().join(format!("{name}.txt")), format!("the {name}'s words\n"))
            .expect("writes");
    }
    let guide = std::fs::read_to_string(root.join("docs/guide-signatures.md")).expect("the guide");
    let trust =
        guide.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a trust file");
    std::fs::write(folder.path().join("trust.toml"), trust).expect("writes");
    assert!(follow("guide-signatures.md", folder.path(), on_a_day(folder.path()), without_any_digest) >= 12);
}

#[cfg(unix)]
#[test]
fn the_guide_to_documents_is_what_happens() {
    let (folder, study) = (tempfile::tempdir().expect("a folder"), crate::support::Study::small());
    copy(study.path(), &folder.path().join("my-study"));
    // A document of the company: any that has the styles.
    let drafts = folder.path().join("company");
    let out = drafts.to_str().expect("UTF-8");
    for (command, more) in [("validate", &[][..]), ("report", &["--docx", "--out", out][..])] {
        assert!(matches!(study.run(command, more).code, 0 | 10), "{command}");
    }
    std::fs::copy(drafts.join("report.docx"), folder.path().join("company.docx")).expect("a draft");
    assert!(follow("guide-documents.md", folder.path(), on_a_day(folder.path()), without_any_digest) >= 20);
}

/// Months as a hospital exports them, drawn from the validation's own scores with a generator that is the
/// same everywhere; in March they are higher. Then two sets of cases that two versions scored.
#[cfg(unix)]
#[test]
fn the_guide_to_monitoring_is_what_happens() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a folder");
    let bundle = root.join("fixtures/evidence/v2/scored-elsewhere");
    copy(&bundle, &folder.path().join("received/run-1"));
    let guide = std::fs::read_to_string(root.join("docs/monitoring.md")).expect("the guide");
    let plan = guide.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a plan");
    std::fs::create_dir_all(folder.path().join("watch")).expect("creates");
    std::fs::write(folder.path().join("watch/monitoring.toml"), plan).expect("writes");
    let mut state = 20_260_101_u64;
    let mut draw = |n: usize| {
        state = state * 16_807 % 2_147_483_647;
        state as usize % n
    };
    let of = |name: &str, column: usize| -> Vec<String> {
        let text = std::fs::read_to_string(bundle.join("data").join(name)).expect("reads");
        text.lines().skip(1).map(|line| line.split(',').nth(column).expect("a cell").to_owned()).collect()
    };
    let (scores, sexes, ages) = (of("scores.csv", 1), of("inputs/cases.csv", 6), of("inputs/cases.csv", 7));
    for (name, month, moved, labels) in
        [("january", 1, 0.0, false), ("february", 2, 0.0, true), ("march", 3, 0.3, false)]
    {
        let mut text =
            "Accession Number,Patient ID,AI Result,Refused,Label,Study Date,Software Version,Age,Sex\n"
                .to_owned();
        for row in 0..120 {
            let score: f64 = scores[draw(scores.len())].parse().expect("a score");
            let score = score + moved * (1.0 - score);
            let result = if row == 7 { ",motion".to_owned() } else { format!("{score:.4},") };
            let label = u8::from((draw(1000) as f64) < 1000.0 * score).to_string();
            let label = if labels { label } else { String::new() };
            let (age, sex) = (&ages[draw(ages.len())], &sexes[draw(sexes.len())]);
            let day = 1 + draw(28);
            text += &format!(
                "A{month}{row},P{month}{row},{result},{label},2026{month:02}{day:02},1.0,{age},{sex}\n"
            );
        }
        std::fs::write(folder.path().join(format!("{name}.csv")), text).expect("writes");
    }
    for (name, easier) in [("old-data", 0.0), ("new-data", 0.2)] {
        let mut text = "case_id,label,old,new\n".to_owned();
        for row in 0..200 {
            let side = (row % 2) as f64 - 0.5;
            let mut noise = |size: f64| size * ((draw(1000) + draw(1000)) as f64 / 2000.0 - 0.5);
            let common = 0.5 + side * (0.1 + easier) + noise(0.6);
            let (old, new) = (common + noise(0.6), common + side * 0.15 + noise(0.4));
            text += &format!("{name}-{row},{},{old:.4},{new:.4}\n", row % 2);
        }
        std::fs::write(folder.path().join(format!("{name}.csv")), text).expect("writes");
    }
    assert!(follow("monitoring.md", folder.path(), on_a_day(folder.path()), without_any_digest) >= 10);
}

/// The readers' part: after the sessions are made, the filled forms lie where the protocol says.
fn as_a_coordinator(folder: &Path, line: &str) -> String {
    let shown = typed(folder, line);
    let study = folder.join("my-study");
    if line.contains("--sessions") {
        let codes = std::fs::read_to_string(study.join("reader-study/key/codes.csv")).expect("codes");
        let case_of = |code: &str| -> usize {
            let row = codes.lines().find(|line| line.starts_with(code)).expect("a code");
            row.split(',').nth(1).expect("a case")[1..].parse().expect("a number")
        };
        for form in std::fs::read_dir(study.join("rounds/reader-study")).expect("forms").flatten() {
            let empty = std::fs::read_to_string(form.path()).expect("a form");
            let mut lines = empty.lines();
            let mut filled = format!("{}\n", lines.next().expect("a header"));
            for line in lines {
                let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
                let (reader, case) =
                    (cells[0][1..].parse::<usize>().expect("a number") - 1, case_of(&cells[1]));
                let aided = cells[2] == "aided";
                cells[3] = crate::reader_study_endpoint::rating(reader, case, aided).to_string();
                cells[4] = format!("2026-{}-12 09:00", if cells[7] == "1" { "01" } else { "03" });
                cells[5] = (40 + (case * 7 + reader) % 23 + if aided { 6 } else { 0 }).to_string();
                filled += &format!("{}\n", cells.join(","));
            }
            std::fs::write(study.join("reader-study").join(form.file_name()), filled).expect("writes");
        }
    }
    shown
}

#[test]
fn the_guide_to_reader_studies_is_what_happens() {
    let (folder, study) = (tempfile::tempdir().expect("a folder"), crate::support::Study::small());
    copy(study.path(), &folder.path().join("my-study"));
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide-reader-study.md");
    let guide = std::fs::read_to_string(guide).expect("the guide");
    let declared = guide.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    let protocol = format!("{}\n{}", study.read("protocol.toml"), declared.expect("what is declared"));
    std::fs::write(folder.path().join("my-study/protocol.toml"), protocol).expect("writes");
    let mut ratings = "reader,case,modality,truth,rating\n".to_owned();
    for reader in 0..5 {
        for case in 0..80 {
            for (word, aided) in [("unaided", false), ("aided", true)] {
                let rating = crate::reader_study_endpoint::rating(reader, case, aided);
                ratings += &format!("A{},C{case:03},{word},{},{rating}\n", reader + 1, 1 - case % 2);
            }
        }
    }
    std::fs::write(folder.path().join("ratings.csv"), ratings).expect("writes");
    assert!(follow("guide-reader-study.md", folder.path(), as_a_coordinator, without_digests) >= 7);
}

#[cfg(unix)]
#[test]
fn the_readme_s_commands_answer_as_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(follow("../README.md", folder.path(), on_a_day(folder.path()), without_digests), 3);
}

#[test]
fn the_statistician_s_guide_is_what_happens() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(follow("guide-statistician.md", folder.path(), typed, str::to_owned) >= 10);
}

/// A network's numbers are those of a kind of processor, and seconds those of a moment.
#[cfg(all(unix, feature = "torch"))]
fn without_numbers(line: &str) -> String {
    let number = regex::Regex::new(r"\d+\.\d+([eE]-?\d+)?").expect("a pattern");
    let blanks = regex::Regex::new(" +").expect("a pattern");
    blanks.replace_all(&number.replace_all(line, "#"), " ").into_owned()
}

#[cfg(all(unix, feature = "torch"))]
#[test]
fn the_ml_engineer_s_guide_is_what_happens() {
    let folder = tempfile::tempdir().expect("a folder");
    let commands =
        follow_alike("guide-ml-engineer.md", folder.path(), typed, without_any_digest, without_numbers);
    assert!(commands >= 10, "{commands}");
}
