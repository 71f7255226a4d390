//! The device beside its predicate and beside readers: tables counted by hand, and what must follow.

use super::compared::{self, compared, endpoint, results};
use super::{path, reads};
use crate::statistics::comparative::{AucDifference, Contrast, Linearised};
use crate::statistics::estimate::IntervalMethod as By;
use crate::statistics::metric::Metric;
use crate::statistics::multiplicity::{Rule, adjusted};
use crate::statistics::paired_shares::PairedShares;
use crate::study::results::{ComparisonResult, Verdict};
use crate::study::{Files, Inputs, derive};

/// 80 cases, every other one positive; the predicate's score moves where the device's does not.
const CASES: usize = 80;

struct Made {
    labels: Vec<bool>,
    device: Vec<f64>,
    predicate: Vec<f64>,
    patients: Vec<u32>,
    readers: [Vec<Option<bool>>; 2],
}

fn made(images_per_patient: usize) -> Made {
    let cases = 0..CASES;
    let labels: Vec<bool> = cases.clone().map(|i| i.is_multiple_of(2)).collect();
    let score = |i: usize, shift: usize| {
        let noise = ((i * 37 + shift) % 100) as f64 / 100.0;
        if i.is_multiple_of(2) { 0.25 + 0.7 * noise } else { 0.05 + 0.7 * noise }
    };
    // A reader is wrong now and then and does not decide every case.
    let read =
        |i: usize, wrong: usize| (i % 13 != 5).then_some(i.is_multiple_of(2) != i.is_multiple_of(wrong));
    Made {
        labels,
        device: cases.clone().map(|i| score(i, 0)).collect(),
        predicate: cases.clone().map(|i| score(i, if i % 5 == 0 { 55 } else { 3 })).collect(),
        patients: cases.clone().map(|i| (i / images_per_patient) as u32).collect(),
        readers: [7, 11].map(|wrong| cases.clone().map(|i| read(i, wrong)).collect()),
    }
}

const PREDICATE: &str = "[predicate]\nname = \"Device A\"\nfile = \"predicate.csv\"\nthreshold = 0.45\n";

const WORSE_BY: &str =
    "role = \"secondary\"\naim = \"non-inferiority\"\nmargin = 0.2\njustification = \"small\"";

/// The study with endpoints appended; `refused` cases have no output of the predicate.
fn inputs(made: &Made, analysis: &str, endpoints: &str, refused: usize) -> Inputs {
    let mut files = Files::new();
    let mut cases = "case_id,patient_id,sex,age_years,view\n".to_owned();
    let mut scores = "case_id,score\n".to_owned();
    let mut predicate = "case_id,score,refused\n".to_owned();
    let (mut truth, mut read) = (String::new(), [String::new(), String::new()]);
    for i in 0..CASES {
        cases += &format!("c{:02},p{},F,50,PA\n", i + 1, made.patients[i]);
        scores += &format!("c{:02},{}\n", i + 1, made.device[i]);
        predicate += &match i < refused {
            true => format!("c{:02},,too dark\n", i + 1),
            false => format!("c{:02},{},\n", i + 1, made.predicate[i]),
        };
        truth.push(if made.labels[i] { 'P' } else { 'N' });
        for (reader, text) in read.iter_mut().enumerate() {
            text.push(match made.readers[reader][i] {
                Some(true) => 'P',
                Some(false) => 'N',
                None => 'I',
            });
        }
    }
    files.insert(path("cases.csv"), cases.into());
    files.insert(path("scores.csv"), scores.into());
    files.insert(path("predicate.csv"), predicate.into());
    for (reader, said) in [("r1", &truth), ("a", &read[0]), ("b", &read[1])] {
        files.insert(path(&format!("reads/{reader}.csv")), reads(reader, said).into());
    }
    let readers = "[[reader]]\nid = \"r1\"\nrole = \"reference\"\n[[reader]]\nid = \"a\"\nrole = \
                   \"comparison\"\n[[reader]]\nid = \"b\"\nrole = \"comparison\"\n";
    compared::inputs(files, &format!("{readers}{endpoints}{PREDICATE}"), analysis)
}

fn limits(result: &ComparisonResult) -> (f64, f64) {
    result.interval.as_ref().map(|i| (i.lower, i.upper)).expect("an interval")
}

fn same(x: (f64, f64), y: (f64, f64)) {
    assert!((x.0 - y.0).abs() < 1e-12 && (x.1 - y.1).abs() < 1e-12, "{x:?} {y:?}");
}

#[test]
fn one_image_a_patient_is_compared_by_tango_and_delong() {
    let made = made(1);
    let endpoints = ["sensitivity", "specificity", "auc", "partial_auc", "ppv", "f1"]
        .map(|metric| endpoint(metric, metric, "predicate", WORSE_BY))
        .concat();
    let results = results(&inputs(&made, "", &endpoints, 0));
    for (id, class) in [("sensitivity", true), ("specificity", false)] {
        let mut shares = PairedShares::default();
        for i in (0..CASES).filter(|i| made.labels[*i] == class) {
            shares.count((made.device[i] >= 0.5) == class, (made.predicate[i] >= 0.45) == class);
        }
        let found = compared(&results, id);
        let right = [shares.both, shares.only_first, shares.only_second, shares.neither];
        assert_eq!((found.right, found.interval_method), (Some(right), By::Tango));
        assert!(shares.only_first + shares.only_second > 1, "the example has to differ: {shares:?}");
        same(limits(found), shares.tango(0.95).expect("cases"));
        let p = crate::statistics::special::normal_cdf(-shares.tango_z(-0.2).expect("cases"));
        assert!((found.p_value.expect("a test") - p).abs() < 1e-15);
        assert_eq!(found.verdict == Verdict::Met, limits(found).0 > -0.2);
    }
    let area = AucDifference::of(&made.labels, &made.device, &made.predicate, None).expect("classes");
    let found = compared(&results, "auc");
    assert_eq!((found.interval_method, found.difference), (By::Delong, Some(area.difference)));
    same(limits(found), area.limits(0.95).expect("a variance"));
    let partial = compared(&results, "partial_auc");
    assert_eq!((partial.interval_method, partial.most_fpr), (By::BootstrapPercentile, Some(0.1)));
    assert!(limits(partial).0 < partial.difference.expect("a value"));
    for (id, metric) in [("ppv", Metric::Ppv), ("f1", Metric::F1)] {
        let of = |scores: &[f64], at: f64| {
            Linearised::of(metric, &made.labels, &Linearised::calls(scores, at), None).expect("a value")
        };
        let (device, other) = (of(&made.device, 0.5), of(&made.predicate, 0.45));
        let contrast = Contrast::of(&device, &[other], Some(&made.patients), |_| true).expect("two");
        same(limits(compared(&results, id)), contrast.limits(0.95).expect("patients"));
    }
    assert!(results.family.is_none() && compared(&results, "auc").adjusted_p.is_none());
}

#[test]
fn several_images_a_patient_are_kept_together() {
    let made = made(4);
    let patients_apart = format!("{WORSE_BY}\ninterval = \"tango\"");
    let endpoints = endpoint("sensitivity", "sensitivity", "predicate", WORSE_BY)
        + &endpoint("auc", "auc", "predicate", WORSE_BY)
        + &endpoint("apart", "sensitivity", "predicate", &patients_apart)
        + &endpoint("naive", "auc", "predicate", &format!("{WORSE_BY}\ninterval = \"delong\""))
        + &endpoint("drawn", "f1", "predicate", &format!("{WORSE_BY}\ninterval = \"bootstrap-percentile\""));
    let results = results(&inputs(&made, "", &endpoints, 0));
    let [found, area] = ["sensitivity", "auc"].map(|id| compared(&results, id));
    assert_eq!((found.interval_method, area.interval_method), (By::Delta, By::Obuchowski));
    let clustered = AucDifference::of(&made.labels, &made.device, &made.predicate, Some(&made.patients));
    same(limits(area), clustered.expect("classes").limits(0.95).expect("a variance"));
    for (id, by) in [("apart", By::Delta), ("naive", By::Obuchowski)] {
        let stands_in = compared(&results, id);
        let fallback = stands_in.fallback.as_ref().expect("a reason");
        assert_eq!(fallback.reason.as_str(), "clustering-ignored", "{id}");
        assert!(fallback.declared.is_some() || id == "naive");
        assert_eq!(stands_in.interval.as_ref().map(|i| i.method), Some(by), "{id}");
    }
    // The bootstrap of this protocol draws cases, so nothing decides.
    let drawn = compared(&results, "drawn");
    assert_eq!((drawn.verdict, &drawn.interval), (Verdict::NotEvaluable, &None));
    let said = results.warnings.iter().filter(|w| w.code.as_str() == "fallback-decided");
    assert!(said.clone().any(|w| w.message.starts_with("apart, by Tango")), "{:?}", said.collect::<Vec<_>>());
}

#[test]
fn what_does_not_vary_is_judged_by_an_exact_interval_or_not_at_all() {
    let mut same_device = made(1);
    same_device.predicate = same_device.device.iter().map(|s| s - 0.05).collect();
    let none = format!("{WORSE_BY}\nfallback = \"none\"");
    let endpoints = endpoint("sensitivity", "sensitivity", "predicate", WORSE_BY)
        + &endpoint("auc", "auc", "predicate", WORSE_BY)
        + &endpoint("ppv", "ppv", "predicate", WORSE_BY)
        + &endpoint("partial", "partial_auc", "predicate", WORSE_BY)
        + &endpoint("none", "sensitivity", "predicate", &none);
    let results = results(&inputs(&same_device, "", &endpoints, 0));
    let found = compared(&results, "sensitivity");
    let shares = PairedShares { both: 40, ..PairedShares::default() };
    same(limits(found), shares.exact_outer(0.95).expect("cases"));
    assert_eq!(found.fallback.as_ref().map(|f| f.reason.as_str()), Some("at-boundary"));
    // P(no case that only the predicate has right | a share of .2) = .8^40.
    assert!((found.p_value.expect("a p") - 0.8_f64.powi(40)).abs() < 1e-8, "{:?}", found.p_value);
    let area = compared(&results, "auc");
    assert_eq!(area.interval.as_ref().map(|i| i.method), Some(By::ClopperPearson));
    for id in ["ppv", "partial", "none"] {
        let nothing = compared(&results, id);
        assert_eq!((nothing.verdict, &nothing.interval), (Verdict::NotEvaluable, &None), "{id}");
        assert!(nothing.fallback.is_some() && nothing.p_value.is_none(), "{id}");
    }
}

#[test]
fn readers_are_compared_by_their_mean_on_what_they_decided() {
    let made = made(1);
    let endpoints = endpoint("readers", "sensitivity", "comparison-readers", WORSE_BY)
        + &endpoint("value", "ppv", "comparison-readers", &format!("{WORSE_BY}\nprevalence = 0.1"))
        + &endpoint("beside", "auc", "predicate", WORSE_BY);
    let results = results(&inputs(&made, "", &endpoints, 0));
    let found = compared(&results, "readers");
    assert_eq!((found.comparator.as_str(), found.interval_method), ("a, b", By::Delta));
    let undecided = (0..CASES).filter(|i| made.readers[0][*i].is_none()).count() as u64;
    assert_eq!(found.without_comparator, undecided, "both readers leave the same cases out");
    let kept: Vec<usize> = (0..CASES).filter(|i| made.readers[0][*i].is_some()).collect();
    let share = |right: &dyn Fn(usize) -> bool| {
        let positive: Vec<usize> = kept.iter().copied().filter(|i| made.labels[*i]).collect();
        positive.iter().filter(|i| right(**i)).count() as f64 / positive.len() as f64
    };
    let device = share(&|i| made.device[i] >= 0.5);
    let mean = [0, 1].map(|r| share(&|i| made.readers[r][i] == Some(true))).iter().sum::<f64>() / 2.0;
    let difference = found.difference.expect("a difference");
    assert!((difference - (device - mean)).abs() < 1e-12);
    assert_eq!(compared(&results, "value").prevalence, Some(0.1));
}

#[test]
fn a_family_is_judged_together() {
    let made = made(1);
    let role = |role: &str, margin: f64| {
        format!("role = \"{role}\"\naim = \"non-inferiority\"\nmargin = {margin}\njustification = \"small\"")
    };
    let endpoints = endpoint("wide", "sensitivity", "predicate", &role("primary", 0.6))
        + &endpoint("narrow", "specificity", "predicate", &role("key-secondary", 0.001))
        + &endpoint("after", "auc", "predicate", &role("key-secondary", 0.5));
    let results = results(&inputs(&made, "multiplicity = \"fixed-sequence\"\n", &endpoints, 0));
    let family = results.family.as_ref().expect("a family");
    let ids: Vec<&str> = family.members.iter().map(|m| m.id.as_str()).collect();
    // The endpoints of the small study stand after those that were put before it.
    assert_eq!(ids, ["wide", "narrow", "after", "found", "cleared"]);
    let p: Vec<f64> = family.members.iter().map(|m| m.p_value.expect("a p value")).collect();
    let expected = adjusted(&Rule::FixedSequence, &p);
    assert_eq!(family.members.iter().map(|m| m.adjusted_p).collect::<Vec<_>>(), expected);
    assert_eq!(compared(&results, "wide").verdict, Verdict::Met);
    assert_eq!(compared(&results, "narrow").verdict, Verdict::NotMet);
    let after = compared(&results, "after");
    assert!(limits(after).0 > -0.5, "by itself it would be met");
    assert_eq!((after.verdict, after.adjusted_p), (Verdict::NotMet, Some(p[1])));
    // An endpoint on a goal: its exact bound crosses the goal at the p value.
    let found = results.endpoints.iter().find(|e| e.id == "found").expect("an endpoint");
    assert_eq!(found.verdict, Some(Verdict::NotMet), "it stands behind one that is not met");
    let right = made.device.iter().zip(&made.labels).filter(|(s, l)| **l && **s >= 0.5).count() as u64;
    let at = |p: f64| crate::statistics::proportion::clopper_pearson(right, 40, 1.0 - 2.0 * p).0;
    assert!(p[3] <= 1e-12 && at(1e-12) > 0.05 || (at(p[3]) - 0.05).abs() < 1e-6, "{}", p[3]);
    assert_eq!(results.conclusion, Verdict::NotMet);
}

#[test]
fn bonferroni_counts_comparisons_too() {
    let made = made(1);
    let primary = WORSE_BY.replace("secondary", "primary");
    let endpoints = endpoint("wide", "sensitivity", "predicate", &primary);
    let results = results(&inputs(&made, "multiplicity = \"bonferroni\"\n", &endpoints, 0));
    let found = compared(&results, "wide");
    let level = found.interval.as_ref().map(|i| i.level).expect("an interval");
    assert!((level - (1.0 - 0.05 / 3.0)).abs() < 1e-12, "three primary endpoints share .05: {level}");
    let (p, adjusted) = (found.p_value.expect("a p value"), found.adjusted_p.expect("adjusted"));
    assert!((adjusted - (3.0 * p).min(1.0)).abs() < 1e-12);
}

#[test]
fn a_case_that_the_predicate_refused_is_counted_and_one_without_a_row_is_an_error() {
    let made = made(1);
    let endpoints = endpoint("auc", "auc", "predicate", WORSE_BY);
    let with_refusals = inputs(&made, "", &endpoints, 6);
    let found = results(&with_refusals);
    let found = compared(&found, "auc");
    assert_eq!((found.n, found.without_comparator), (CASES as u64 - 6, 6));
    for (from, to, code) in [
        ("c10,", "x10,", "score-missing"),
        ("c10,", "c11,", "duplicate-case"),
        ("case_id,score", "case_id,points", "column-missing"),
        ("c01,,too dark", "c01,,", "score-missing"),
        ("c01,,too dark", "c01,0.5,too dark", "score-and-refusal"),
    ] {
        let changed = with_refusals.clone().changed("predicate.csv", from, to);
        let problems = derive(&changed).expect_err("a problem").diagnostics();
        assert_eq!(problems[0].code.as_str(), code, "{from} {to}: {problems:#?}");
        assert!(problems[0].location.is_some());
    }
    let mut without = with_refusals;
    without.files.remove(&path("predicate.csv"));
    let problems = derive(&without).expect_err("a problem").diagnostics();
    assert_eq!(problems[0].code.as_str(), "file-missing");
}

/// The predicate is the device but for one positive case, which it misses.
fn unlike_in_one() -> Made {
    let mut made = made(1);
    made.predicate = made.device.iter().map(|score| score - 0.05).collect();
    let positives = (0..CASES).filter(|i| made.labels[*i]);
    let found = positives.max_by(|i, j| made.device[*i].total_cmp(&made.device[*j])).expect("a case");
    made.predicate[found] = 0.01;
    made
}

const BOOTSTRAPS: [&str; 3] = ["bootstrap-percentile", "bootstrap-basic", "bootstrap-bca"];

#[test]
fn what_rests_on_one_case_decides_nothing_whatever_the_metric_and_the_interval() {
    let worse = WORSE_BY.replace("0.2", "0.001");
    let area = "interval = \"delong\"\nfallback = \"none\"";
    let mut endpoints = ["partial_auc", "ppv", "npv", "f1"]
        .map(|metric| endpoint(metric, metric, "predicate", &worse))
        .concat();
    endpoints += &endpoint("auc", "auc", "predicate", &format!("{worse}\n{area}"));
    for method in BOOTSTRAPS {
        let more = format!("{worse}\ninterval = \"{method}\"");
        for metric in ["sensitivity", "partial_auc", "ppv"] {
            endpoints += &endpoint(&format!("{metric}-{method}"), metric, "predicate", &more);
        }
    }
    let inputs = inputs(&unlike_in_one(), "", &endpoints, 0);
    let now = results(&inputs);
    for found in &now.comparisons {
        assert_eq!(found.verdict, Verdict::NotEvaluable, "{}: {:?}", found.id, found.interval);
        assert_eq!(
            found.fallback.as_ref().map(|f| f.reason.as_str()),
            Some("rests-on-one-case"),
            "{}",
            found.id
        );
    }
    // A bundle of 1.0 keeps the verdicts that were handed in.
    let before = results(&Inputs { program_version: "1.0.0".to_owned(), ..inputs });
    assert_eq!(compared(&before, "ppv").verdict, Verdict::NotMet);
    assert!(compared(&before, "ppv").interval.is_some());
    assert!(before.comparisons.iter().any(|found| found.verdict == Verdict::Met));
    // Results hold the words, too.
    let said = compared(&before, "auc").fallback.as_ref().map(|f| f.message.as_str());
    let words = "all cases of a class but one are placed alike by both scores, so the spread rests on it";
    assert_eq!(said, Some(words));
}

#[test]
fn the_p_value_of_a_drawn_interval_says_what_the_interval_says() {
    let made = made(1);
    let mut endpoints = String::new();
    for (i, margin) in [0.02, 0.05, 0.1, 0.15, 0.25].into_iter().enumerate() {
        for method in BOOTSTRAPS {
            for metric in ["sensitivity", "auc", "f1"] {
                let more =
                    format!("{}\ninterval = \"{method}\"", WORSE_BY.replace("0.2", &margin.to_string()));
                endpoints += &endpoint(&format!("{metric}-{method}-{i}"), metric, "predicate", &more);
            }
        }
    }
    let inputs = inputs(&made, "", &endpoints, 0);
    let found = results(&inputs).comparisons;
    for of in &found {
        let p = of.p_value.expect("a p value");
        assert_eq!(p <= 0.025, of.verdict == Verdict::Met, "{}: {p} {:?}", of.id, of.interval);
        assert!(
            p < 1.0 || of.difference.is_some_and(|d| d < -of.margin),
            "{}: {p} {:?}",
            of.id,
            of.difference
        );
    }
    assert!(
        found.iter().any(|of| of.verdict == Verdict::Met)
            && found.iter().any(|of| of.verdict != Verdict::Met)
    );
}

#[test]
fn beside_a_reader_who_decided_fewer_cases_the_device_stands_with_those() {
    let mut made = made(1);
    // The first reader decided a third of the positives alone.
    for i in (0..CASES).filter(|i| made.labels[*i] && i % 3 != 0) {
        made.readers[0][i] = None;
    }
    let more = "role = \"secondary\"\naim = \"superiority\"";
    let endpoints = endpoint("read", "sensitivity", "comparison-readers", more)
        + &endpoint("other", "auc", "predicate", WORSE_BY);
    let inputs = inputs(&made, "", &endpoints, 0);
    let now = results(&inputs);
    let found = compared(&now, "read");
    let of_reader = |reader: usize| {
        let own: Vec<usize> =
            (0..CASES).filter(|i| made.labels[*i] && made.readers[reader][*i].is_some()).collect();
        let share = |right: &dyn Fn(usize) -> bool| {
            own.iter().filter(|i| right(**i)).count() as f64 / own.len() as f64
        };
        [share(&|i| made.device[i] >= 0.5), share(&|i| made.readers[reader][i] == Some(true))]
    };
    let [first, second] = [of_reader(0), of_reader(1)];
    let mean = |at: usize| (first[at] + second[at]) / 2.0;
    let told = [found.device, found.other, found.difference].map(|value| value.expect("a value"));
    for (value, expected) in told.into_iter().zip([mean(0), mean(1), mean(0) - mean(1)]) {
        assert!((value - expected).abs() < 1e-12, "{value} {expected}");
    }
    assert!((first[0] - second[0]).abs() > 0.01, "the example has to differ");
    // In bundles of 1.0 the device stands with all of its positives.
    let before = results(&Inputs { program_version: "1.0.3".to_owned(), ..inputs });
    assert!((compared(&before, "read").device.expect("a value") - mean(0)).abs() > 1e-3);
}
