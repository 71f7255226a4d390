use proptest::prelude::*;

use super::*;

fn case(number: usize) -> Case {
    Case {
        case_id: format!("case, {number}").into(),
        image: Some(format!("images/{number}.png").parse().expect("a path")),
        age_years: (!number.is_multiple_of(2)).then_some(40),
        attributes: Attributes {
            view: (!number.is_multiple_of(3)).then(|| "PA".into()),
            ..Attributes::default()
        }
        .into(),
        ..Case::default()
    }
}

fn machine(name: &str) -> Machine {
    Machine::this(Some(name.to_owned()))
}

fn planned(cases: usize, shards: u32) -> (Plan, Vec<PlannedCase>) {
    let all: Vec<Case> = (0..cases).map(case).collect();
    let list = assign(&all, shards).expect("images");
    let digest = Digest::of(b"x");
    let plan = Plan {
        format: PLAN_FORMAT.to_owned(),
        lock_sha256: digest,
        weights_sha256: digest,
        cohort_sha256: digest,
        cases_sha256: Digest::of(&cases_csv(&list)),
        cases: cases as u64,
        shards,
    };
    (plan, list)
}

fn row(number: usize) -> scores::Score {
    let score = (!number.is_multiple_of(5)).then_some(1.0 / (2.0 + number as f64));
    let refused = score.is_none().then(|| "age 81 is outside 18-80 years".into());
    let image_sha256 = Some(Box::new(Digest::of(&number.to_be_bytes())));
    scores::Score { score, refused, image_sha256, line: 0 }
}

fn part(plan: &Plan, list: &[PlannedCase], shard: u32) -> Part {
    let own = list.iter().enumerate().filter(|(_, planned)| planned.shard == shard);
    let rows: Scores = own.map(|(nth, planned)| (planned.case.case_id.clone(), row(nth))).collect();
    let table = scores::to_csv(&rows);
    Part {
        shard: Some(shard),
        folder: format!("work/shards/{shard:05}").into(),
        record: Some(Record {
            format: SHARD_FORMAT.to_owned(),
            plan_sha256: Digest::of(&plan.to_bytes()),
            shard,
            machine: Some(machine("a")),
            scores_sha256: Some(Digest::of(&table)),
        }),
        table: Some(table),
    }
}

fn gather(plan: &Plan, list: &[PlannedCase], parts: &[Part]) -> Result<(Scores, Option<Machine>)> {
    let shards = shards_of(Path::new("cases.csv"), &cases_csv(list), plan).expect("reads");
    let mut gathered = Gathered::new(plan, Digest::of(&plan.to_bytes()), &shards);
    parts.iter().for_each(|part| gathered.add(part));
    gathered.finish()
}

fn codes(found: Result<(Scores, Option<Machine>)>) -> Vec<String> {
    let error = found.map(|_| ()).expect_err("refused");
    error.diagnostics().iter().map(|d| d.code.as_str().to_owned()).collect()
}

proptest! {
    #[test]
    fn parts_together_are_the_whole(cases in 1..60_usize, parts in 1..20_u32, turn in 0..20_usize) {
        let shards = parts.min(cases as u32);
        let (plan, list) = planned(cases, shards);
        let path = Path::new("plan.json");
        prop_assert_eq!(&Plan::parse(path, &plan.to_bytes()).expect("reads"), &plan);
        for shard in 1..=shards {
            let mut reread = cases_of(path, &cases_csv(&list), &plan, shard).expect("reads");
            reread.iter_mut().for_each(|case| case.line = 0);
            let own: Vec<Case> =
                list.iter().filter(|p| p.shard == shard).map(|p| p.case.clone()).collect();
            prop_assert_eq!(&reread, &own);
        }
        let whole: Scores =
            list.iter().enumerate().map(|(n, p)| (p.case.case_id.clone(), row(n))).collect();
        let mut parts: Vec<Part> = (1..=shards).map(|shard| part(&plan, &list, shard)).collect();
        parts.rotate_left(turn % shards as usize);
        let (scores, kind) = gather(&plan, &list, &parts).expect("gathers");
        prop_assert_eq!(scores::to_csv(&scores), scores::to_csv(&whole));
        prop_assert_eq!(kind, Some(machine("a")));
        // Every size is the same but for one case.
        let sizes: Vec<usize> =
            (1..=shards).map(|s| list.iter().filter(|p| p.shard == s).count()).collect();
        prop_assert!(sizes.iter().max() <= sizes.iter().min().map(|n| n + 1).as_ref());
    }

    #[test]
    fn whatever_is_not_the_plan_s_is_refused(kind in 0..8_usize, which in 1..=5_u32) {
        let (plan, list) = planned(23, 5);
        let mut parts: Vec<Part> = (1..=5).map(|shard| part(&plan, &list, shard)).collect();
        let one = &mut parts[which as usize - 1];
        let record = one.record.as_mut().expect("a record");
        let expected: &[&str] = match kind {
            0 => { one.table = None; &["shard-missing"] }
            1 => { record.scores_sha256 = None; &["shard-missing"] }
            2 => { one.record = None; &["shard-missing"] }
            3 => { record.plan_sha256 = Digest::of(b"another"); &["shard-foreign", "shard-missing"] }
            4 => { record.shard = which % 5 + 1; &["shard-foreign", "shard-missing"] }
            5 => { one.table.as_mut().expect("a table")[60] ^= 1; &["shard-damaged", "shard-missing"] }
            6 => { one.shard = Some(6); &["shard-foreign", "shard-missing"] }
            _ => {
                // The rows of another shard under this one's name, its record made to fit.
                let other = part(&plan, &list, which % 5 + 1);
                record.scores_sha256 = other.record.expect("a record").scores_sha256;
                one.table = other.table;
                &["shard-damaged", "shard-foreign"]
            }
        };
        let mut found = codes(gather(&plan, &list, &parts));
        found.sort();
        found.dedup();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn a_part_twice_a_foreign_folder_and_two_machines() {
    let (plan, list) = planned(10, 3);
    let mut parts: Vec<Part> = (1..=3).map(|shard| part(&plan, &list, shard)).collect();
    parts[1].record.as_mut().expect("a record").machine = Some(machine("b"));
    assert_eq!(gather(&plan, &list, &parts).expect("gathers").1, None, "of no one kind of machine");
    let again = parts[0].clone();
    parts.push(again);
    assert_eq!(codes(gather(&plan, &list, &parts)), ["shard-foreign"]);
    parts[3].shard = None;
    assert_eq!(codes(gather(&plan, &list, &parts)), ["shard-foreign"]);
    assert_eq!(codes(gather(&plan, &list, &[])), ["shard-missing"]);
}

#[test]
fn of_a_part_that_cannot_be_read_only_that_is_said() {
    let (plan, list) = planned(10, 3);
    let shards = shards_of(Path::new("cases.csv"), &cases_csv(&list), &plan).expect("reads");
    let told = |error: &Error| {
        let mut gathered = Gathered::new(&plan, Digest::of(&plan.to_bytes()), &shards);
        gathered.unreadable(2, error);
        gathered.add(&part(&plan, &list, 3));
        codes(gathered.finish())
    };
    // It may be finished: it is not among those that are to be run.
    let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    let mut gathered = Gathered::new(&plan, Digest::of(&plan.to_bytes()), &shards);
    gathered.unreadable(2, &Error::io("read", Path::new("work/shards/00002/shard.json"), &denied));
    let error = gathered.finish().expect_err("refused").to_string();
    assert!(error.contains("permission denied") && error.contains("00002/shard.json"), "{error}");
    assert!(error.contains("2 of 3 shards are not finished: 1, 3"), "{error}");
    // A node that crashed leaves a record of no bytes: one damaged shard, and the others are named too.
    let empty = Record::parse(Path::new("work/shards/00002/shard.json"), b"").expect_err("refused");
    assert_eq!(told(&empty), ["shard-damaged", "shard-missing"]);
    assert_eq!(empty.diagnostics()[0].hint.as_deref(), Some(AGAIN));
}

#[test]
fn of_a_table_with_a_row_twice_no_case_is_said_to_be_missing() {
    let (plan, list) = planned(10, 3);
    let mut parts: Vec<Part> = (1..=3).map(|shard| part(&plan, &list, shard)).collect();
    let table = parts[1].table.as_mut().expect("a table");
    let text = String::from_utf8(table.clone()).expect("text");
    table.extend_from_slice(format!("{}\n", text.lines().last().expect("a row")).as_bytes());
    let digest = Digest::of(table);
    parts[1].record.as_mut().expect("a record").scores_sha256 = Some(digest);
    let error = gather(&plan, &list, &parts).map(|_| ()).expect_err("refused");
    let told = error.diagnostics();
    let codes: Vec<&str> = told.iter().map(|problem| problem.code.as_str()).collect();
    assert_eq!(codes, ["duplicate-case"]);
    assert_eq!(told[0].location, Some(Location::line("work/shards/00002/scores.csv", 5)));
    assert_eq!(told[0].hint.as_deref(), Some(AGAIN));
}

#[test]
fn numbers_are_told_as_ranges() {
    assert_eq!(ranges(&[1, 3, 4, 5, 9]), "1, 3-5, 9");
    let odd: Vec<u32> = (0..100).map(|n| 2 * n + 1).collect();
    assert!(ranges(&odd).ends_with("39, ..."));
}

#[test]
fn what_cannot_be_read_is_said_with_its_place() {
    let path = Path::new("plan.json");
    let (plan, list) = planned(4, 2);
    let wrong = String::from_utf8(plan.to_bytes()).expect("text");
    for bytes in [
        "",
        "{}",
        "[]",
        "{\"format\": 1}",
        &wrong.replace("plan/1", "plan/9"),
        &wrong.replace("\"shards\": 2", "\"shards\": 0"),
        &wrong.replace("\"shards\": 2", "\"shards\": 5"),
    ] {
        let error = Plan::parse(path, bytes.as_bytes()).expect_err("refused");
        assert_eq!(error.diagnostics()[0].code.as_str(), "shard-plan-unreadable", "{bytes}");
    }
    let table = String::from_utf8(cases_csv(&list)).expect("text");
    let age = table.replace("40", "forty");
    let error = cases_of(path, age.as_bytes(), &plan, 1).expect_err("refused");
    assert_eq!(error.diagnostics()[0].location, Some(Location::line("plan.json", 3)));
    let twice = format!("{table}{}\n", table.lines().last().expect("a row"));
    let short: String = table.lines().take(4).map(|line| format!("{line}\n")).collect();
    assert_eq!(shards_of(path, table.as_bytes(), &plan).expect("reads").len(), 4);
    assert_eq!(shards_of(path, twice.as_bytes(), &plan).expect("the same case").len(), 4);
    assert!(shards_of(path, short.as_bytes(), &plan).is_err());
    let mut without = case(0);
    without.image = None;
    let error = assign([&without], 1).expect_err("refused");
    assert_eq!(error.diagnostics()[0].code.as_str(), "image-missing");
}
