//! Which interval decides, fault by fault and rule by rule; `deciding_rules` has what holds for all cases.

use super::*;

const UNIT: ResamplingUnit = ResamplingUnit::Case;

/// Cases by patient, with what a metric of the calls at 0.5 sees of each.
struct Table {
    labels: Vec<bool>,
    scores: Vec<f64>,
    patients: Vec<u32>,
}

impl Table {
    fn of(rows: impl IntoIterator<Item = (bool, f64, u32)>) -> Self {
        let mut table = Self { labels: Vec::new(), scores: Vec::new(), patients: Vec::new() };
        for (label, score, patient) in rows {
            table.labels.push(label);
            table.scores.push(score);
            table.patients.push(patient);
        }
        table
    }

    /// `n` positives of one patient each, of which the first `wrong` are not called.
    fn positives(n: u32, wrong: u32) -> Self {
        Self::of((0..n).map(|i| (true, if i < wrong { 0.1 } else { 0.9 }, i)))
    }

    fn sample(&self) -> Sample<'_> {
        Sample { labels: &self.labels, scores: &self.scores, patients: Some(&self.patients), sites: None }
    }

    fn decide(&self, metric: Metric, by: By, unit: ResamplingUnit, rule: Fallback) -> Decision {
        let plan = Plan::new(0.95, vec![by], unit, 500, 7);
        let sample = self.sample();
        let found = estimate(metric, &sample, Some(0.5), &plan);
        decide(&found, metric, &sample, Some(0.5), by, rule, &plan)
    }

    /// The code of the fault, and the method that decides.
    fn decides(
        &self,
        metric: Metric,
        by: By,
        unit: ResamplingUnit,
        rule: Fallback,
    ) -> (Option<Code>, Option<By>) {
        let decision = self.decide(metric, by, unit, rule);
        (decision.fault.map(|f| f.code), decision.interval.map(|i| i.method))
    }
}

#[test]
fn a_rule_has_its_name_in_protocols() {
    let names = [Fallback::EffectiveNumber, Fallback::Patients, Fallback::None].map(Fallback::id);
    assert_eq!(names, ["effective-number", "patients", "none"]);
    assert_eq!(Fallback::default(), Fallback::EffectiveNumber);
}

#[test]
fn the_declared_interval_decides_where_nothing_is_wrong_with_it() {
    let table = Table::positives(70, 7);
    for by in [By::Wilson, By::ClopperPearson, By::BootstrapExact, By::BootstrapPercentile, By::Jeffreys] {
        let decision = table.decide(Metric::Sensitivity, by, UNIT, Fallback::default());
        assert_eq!(decision.fault, None, "{by:?}");
        assert_eq!(decision.interval.map(|i| (i.method, i.level)), Some((by, 0.95)));
    }
    // Nothing decides where there is no value, and no interval of another level does.
    let none = Table::of([(false, 0.1, 0), (false, 0.2, 1)]);
    let nothing = Decision { interval: None, fault: None };
    assert_eq!(none.decide(Metric::Sensitivity, By::Wilson, UNIT, Fallback::default()), nothing);
    let plan = Plan::new(0.95, vec![By::Wilson], UNIT, 500, 7);
    let sample = table.sample();
    let found = estimate(Metric::Sensitivity, &sample, Some(0.5), &plan);
    let at = Plan { level: 0.975, ..plan };
    let decision =
        decide(&found, Metric::Sensitivity, &sample, Some(0.5), By::Wilson, Fallback::default(), &at);
    assert_eq!(decision.fault.map(|f| f.code), Some(Code::IntervalNotEvaluable));
    let stands_in = decision.interval.expect("an exact one");
    assert_eq!((stands_in.method, stands_in.level), (By::ClopperPearson, 0.975));
    assert_eq!((stands_in.lower, stands_in.upper), proportion::clopper_pearson(63, 70, 0.975));
}

#[test]
fn a_share_without_an_error_or_without_a_hit_needs_an_exact_interval() {
    for wrong in [0, 20] {
        let table = Table::positives(20, wrong);
        for by in [By::Wilson, By::AgrestiCoull, By::Jeffreys] {
            let decision = table.decide(Metric::Sensitivity, by, UNIT, Fallback::default());
            let fault = decision.fault.expect("a fault");
            assert_eq!(fault.code, Code::AtBoundary, "{by:?}");
            assert!(fault.message.contains(&format!("the sensitivity is {} of 20", 20 - wrong)), "{fault:?}");
            let interval = decision.interval.expect("an exact one");
            let exact = proportion::clopper_pearson(u64::from(20 - wrong), 20, 0.95);
            assert_eq!((interval.method, (interval.lower, interval.upper)), (By::ClopperPearson, exact));
        }
        let collapsed =
            table.decides(Metric::Sensitivity, By::BootstrapPercentile, UNIT, Fallback::default());
        assert_eq!(collapsed, (Some(Code::IntervalCollapsed), Some(By::ClopperPearson)));
        let exact = table.decides(Metric::Sensitivity, By::ClopperPearson, UNIT, Fallback::default());
        assert_eq!(exact, (None, Some(By::ClopperPearson)));
        let none = table.decides(Metric::Sensitivity, By::Wilson, UNIT, Fallback::None);
        assert_eq!(none, (Some(Code::AtBoundary), None));
    }
}

/// With one error of 70 the bootstrap draws at most three but in 2.5 %: a bound of 67/70 = .957. Seventy of
/// seventy have .9487 as their exact bound: one error would say more than none. With two errors at most five
/// are drawn: .929 is less.
#[test]
fn limits_that_rest_on_one_error_and_go_beyond_perfection_do_not_decide() {
    let sensitivity = |wrong| {
        Table::positives(70, wrong).decides(
            Metric::Sensitivity,
            By::BootstrapExact,
            ResamplingUnit::CaseStratified,
            Fallback::default(),
        )
    };
    let rests = (Some(Code::RestsOnOneCase), Some(By::ClopperPearson));
    let decides = (None, Some(By::BootstrapExact));
    assert_eq!((sensitivity(1), sensitivity(2)), (rests, decides));
    // The same of one hit, where the upper limit would be too low.
    assert_eq!((sensitivity(69), sensitivity(68)), (rests, decides));
    // Wilson's limit of 69 of 70, .923, claims less than perfection.
    let wilson = Table::positives(70, 1).decides(Metric::Sensitivity, By::Wilson, UNIT, Fallback::default());
    assert_eq!(wilson, (None, Some(By::Wilson)));
    let fault = Table::positives(70, 1)
        .decide(Metric::Sensitivity, By::BootstrapExact, ResamplingUnit::CaseStratified, Fallback::None)
        .fault
        .expect("a fault");
    assert!(fault.message.starts_with("the sensitivity is 69 of 70: the spread"), "{fault:?}");
}

/// Two images of each of ten patients; three patients have one image that is not called.
fn pairs_of_images() -> Table {
    Table::of((0..20).map(|i| (true, if i < 6 && i % 2 == 0 { 0.1 } else { 0.9 }, i / 2)))
}

#[test]
fn what_takes_the_images_of_a_patient_as_independent_gives_way_as_declared() {
    let table = pairs_of_images();
    let by_rule = |by, unit, rule| table.decides(Metric::Sensitivity, by, unit, rule);
    let (case, patient) = (ResamplingUnit::Case, ResamplingUnit::Patient);
    let ignored = Some(Code::ClusteringIgnored);
    for (by, unit) in [(By::Wilson, patient), (By::ClopperPearson, patient), (By::BootstrapPercentile, case)]
    {
        let found = [Fallback::EffectiveNumber, Fallback::Patients, Fallback::None]
            .map(|rule| by_rule(by, unit, rule));
        let expected = [Some(By::KornGraubard), Some(By::ClopperPearsonPatients), None];
        assert_eq!(found, expected.map(|method| (ignored, method)), "{by:?}");
    }
    for by in [By::BootstrapPercentile, By::KornGraubard, By::ClopperPearsonPatients] {
        assert_eq!(by_rule(by, patient, Fallback::None), (None, Some(by)), "{by:?}");
    }
    // All images right: no design effect can be estimated, and patients decide.
    let all = Table::of((0..20).map(|i| (true, 0.9, i / 2)));
    let decision = all.decide(Metric::Sensitivity, By::Wilson, patient, Fallback::EffectiveNumber);
    let interval = decision.interval.expect("on patients");
    assert_eq!(interval.method, By::ClopperPearsonPatients);
    assert_eq!((interval.lower, interval.upper), proportion::clopper_pearson(10, 10, 0.95));
    // Images of the other class do not count: each patient has one negative.
    let single = Table::of((0..10).flat_map(|i| [(true, if i < 3 { 0.1 } else { 0.9 }, i), (false, 0.2, i)]));
    let wilson = single.decides(Metric::Sensitivity, By::Wilson, patient, Fallback::None);
    assert_eq!(wilson, (None, Some(By::Wilson)));
    let youden = single.decides(Metric::Youden, By::ClopperPearson, patient, Fallback::None);
    assert_eq!(youden, (ignored, None), "both classes of a patient count here");
}

/// Ten patients with ten images each: all right on every patient has .025^(1/10) = .69 as its exact bound,
/// and a hundred images with few errors have .9 on their effective number, as if patients said as much as
/// images.
#[test]
fn an_effective_number_never_claims_more_than_perfection_would() {
    let with = |wrong: &[u32], images: u32| {
        let rows = (0..10 * images).map(|i| (true, if wrong.contains(&i) { 0.1 } else { 0.9 }, i / images));
        let table = Table::of(rows);
        let of = |rule| table.decides(Metric::Sensitivity, By::KornGraubard, ResamplingUnit::Patient, rule);
        assert_eq!(of(Fallback::Patients), of(Fallback::EffectiveNumber));
        of(Fallback::EffectiveNumber)
    };
    let beyond = (Some(Code::RestsOnOneCase), Some(By::ClopperPearsonPatients));
    assert_eq!(with(&[0], 10), beyond);
    assert_eq!(with(&[0, 10, 20], 10), beyond, "however many errors there are");
    // Twenty images with three errors: .57 is no more than perfection would say.
    assert_eq!(with(&[0, 2, 4], 2), (None, Some(By::KornGraubard)));
    // With one image a patient it is Clopper and Pearson, and decides whatever came out.
    for wrong in [&[][..], &[0], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]] {
        assert_eq!(with(wrong, 1), (None, Some(By::KornGraubard)), "{wrong:?}");
    }
}

/// Twenty positives and twenty negatives, one patient each; the scores of the classes do not overlap but for
/// `middle` positives that lie in the middle of the negatives.
fn ordered(middle: u32) -> Table {
    let positives = (0..20).map(move |i| (true, if i < middle { 0.105 } else { 0.9 }, i));
    Table::of(positives.chain((0..20).map(|i| (false, f64::from(i + 1) / 100.0, 20 + i))))
}

#[test]
fn the_order_of_scores_needs_cases_of_both_classes_that_vary() {
    let auc = |table: &Table, by| table.decides(Metric::Auc, by, UNIT, Fallback::default());
    let perfect = ordered(0);
    assert_eq!(auc(&perfect, By::Delong), (Some(Code::IntervalCollapsed), Some(By::ClopperPearson)));
    // Hanley and McNeil's variance is not of placements; of a perfect order it is zero as well.
    assert_eq!(auc(&perfect, By::HanleyMcneil), (Some(Code::IntervalCollapsed), Some(By::ClopperPearson)));
    // One positive below every negative: no negative is placed differently from another.
    let one_class = Table::of(
        (0..20)
            .map(|i| (true, if i == 0 { 0.0 } else { 0.9 }, i))
            .chain((0..20).map(|i| (false, 0.5, 20 + i))),
    );
    let decision = one_class.decide(Metric::Auc, By::Delong, UNIT, Fallback::default());
    let fault = decision.fault.expect("a fault");
    assert_eq!(fault.code, Code::AtBoundary);
    assert!(fault.message.starts_with("the negative cases do not vary"), "{fault:?}");
    let interval = decision.interval.expect("an interval");
    let hoeffding = proportion::hoeffding(0.95, 20, 0.95);
    assert_eq!((interval.method, (interval.lower, interval.upper)), (By::Hoeffding, hoeffding));
    let mirrored = Table {
        labels: one_class.labels.iter().map(|label| !label).collect(),
        scores: one_class.scores.iter().map(|score| 1.0 - score).collect(),
        patients: one_class.patients.clone(),
    };
    let fault = mirrored.decide(Metric::Auc, By::Delong, UNIT, Fallback::default()).fault.expect("a fault");
    assert!(fault.message.starts_with("the positive cases do not vary"), "{fault:?}");
    // Hanley and McNeil's formula rests on no placement, but one positive alone is off the good end.
    assert_eq!(auc(&one_class, By::HanleyMcneil).0, Some(Code::RestsOnOneCase));
}

/// One positive of twenty halfway down: AUC .975, DeLong's standard error .0257 and lower limit .925, where
/// twenty of twenty pairs have .832. With two such positives two cases show the spread.
#[test]
fn an_order_whose_spread_rests_on_one_case_does_not_decide_beyond_perfection() {
    let auc = |table: &Table| table.decides(Metric::Auc, By::Delong, UNIT, Fallback::default());
    let (one, two) = (ordered(1), ordered(2));
    assert_eq!(auc(&one), (Some(Code::RestsOnOneCase), Some(By::Hoeffding)));
    assert_eq!(auc(&two), (None, Some(By::Delong)));
    let reversed = |table: &Table| Table {
        labels: table.labels.clone(),
        scores: table.scores.iter().map(|score| 1.0 - score).collect(),
        patients: table.patients.clone(),
    };
    assert_eq!(auc(&reversed(&one)), (Some(Code::RestsOnOneCase), Some(By::Hoeffding)));
    assert_eq!(auc(&reversed(&two)), (None, Some(By::Delong)));
    let turned = |table: &Table| Table {
        labels: table.labels.iter().map(|label| !label).collect(),
        ..reversed(table)
    };
    assert_eq!(auc(&turned(&one)), (Some(Code::RestsOnOneCase), Some(By::Hoeffding)), "of negatives, too");
    assert_eq!(auc(&turned(&two)), (None, Some(By::Delong)));
    // Two images of one patient are one patient: Obuchowski's interval rests on them alone.
    let mut of_one = ordered(2);
    of_one.patients[1] = 0;
    let found = of_one.decides(Metric::Auc, By::Obuchowski, UNIT, Fallback::Patients);
    assert_eq!(found, (Some(Code::RestsOnOneCase), Some(By::Hoeffding)));
}

#[test]
fn an_auc_of_several_images_a_patient_gives_way_as_declared() {
    let table = Table::of((0..24).map(|i| {
        let label = i % 4 < 2;
        (label, if label { 0.3 + f64::from(i) / 50.0 } else { 0.2 + f64::from(i) / 60.0 }, i / 2)
    }));
    let auc = |by, rule| table.decides(Metric::Auc, by, ResamplingUnit::Patient, rule);
    let ignored = Some(Code::ClusteringIgnored);
    assert_eq!(auc(By::Delong, Fallback::EffectiveNumber), (ignored, Some(By::Obuchowski)));
    assert_eq!(auc(By::Delong, Fallback::Patients), (ignored, Some(By::Hoeffding)));
    assert_eq!(auc(By::Delong, Fallback::None), (ignored, None));
    assert_eq!(auc(By::Obuchowski, Fallback::None), (None, Some(By::Obuchowski)));
    // Twelve patients, six of each class: six disjoint pairs of patients.
    let interval =
        table.decide(Metric::Auc, By::Delong, ResamplingUnit::Patient, Fallback::Patients).interval;
    let value = auc::auc_sums(&table.labels, &table.scores).auc().expect("a value");
    let interval = interval.expect("an interval");
    assert_eq!((interval.lower, interval.upper), proportion::hoeffding(value, 6, 0.95));
    // Perfect order, in either direction: exact limits of disjoint pairs of patients.
    for (score, won) in [(0.9, 3), (0.1, 0)] {
        let perfect = Table::of((0..12).map(|i| (i % 4 < 2, if i % 4 < 2 { score } else { 0.5 }, i / 2)));
        let decision = perfect.decide(Metric::Auc, By::Delong, ResamplingUnit::Patient, Fallback::default());
        let interval = decision.interval.expect("an exact one");
        assert_eq!(interval.method, By::ClopperPearson);
        assert_eq!((interval.lower, interval.upper), proportion::clopper_pearson(won, 3, 0.95));
    }
    // One patient with both classes holds no pair: nothing can decide.
    let one = Table::of([(true, 0.9, 0), (false, 0.1, 0)]);
    assert_eq!(one.decides(Metric::Auc, By::Delong, UNIT, Fallback::default()).1, None);
    let between = Table::of([(true, 0.9, 0), (true, 0.2, 0), (false, 0.1, 0), (false, 0.5, 0)]);
    let nothing = (ignored, None);
    assert_eq!(between.decides(Metric::Auc, By::Delong, UNIT, Fallback::default()), nothing);
}

#[test]
fn average_precision_gives_way_to_a_bootstrap_of_patients_or_to_exact_limits() {
    let table = Table::of((0..40).map(|i| {
        let label = i % 4 < 2;
        (label, if label { 0.3 + f64::from(i) / 80.0 } else { 0.2 + f64::from(i) / 90.0 }, i / 2)
    }));
    let of = |unit, rule| table.decides(Metric::AveragePrecision, By::BootstrapPercentile, unit, rule);
    let ignored = Some(Code::ClusteringIgnored);
    assert_eq!(of(ResamplingUnit::Patient, Fallback::None), (None, Some(By::BootstrapPercentile)));
    let case = ResamplingUnit::CaseStratified;
    assert_eq!(of(case, Fallback::EffectiveNumber), (ignored, Some(By::BootstrapPercentile)));
    let drawn = table.decide(Metric::AveragePrecision, By::BootstrapPercentile, case, Fallback::default());
    assert_eq!(drawn.interval.and_then(|i| i.unit), Some(ResamplingUnit::Patient));
    assert_eq!(of(case, Fallback::Patients), (ignored, Some(By::ClopperPearson)));
    assert_eq!(of(case, Fallback::None), (ignored, None));
    let perfect = ordered(0);
    let found = perfect.decides(Metric::AveragePrecision, By::BootstrapPercentile, case, Fallback::default());
    assert_eq!(found, (Some(Code::IntervalCollapsed), Some(By::ClopperPearson)));
}

#[test]
fn before_there_are_scores_it_is_known_which_interval_ignores_patients() {
    let (alone, together): (&[u32], &[u32]) = (&[0, 1, 2, 3], &[0, 0, 1, 2]);
    let of = |metric, by, unit, patients| ignores_patients(metric, by, unit, patients, &[0, 1, 1, 1]);
    use ResamplingUnit::{Case, CaseStratified, Patient, Site, SiteThenPatient};
    for (metric, by, unit, ignores) in [
        (Metric::Sensitivity, By::Wilson, Patient, true),
        (Metric::Sensitivity, By::ClopperPearson, Patient, true),
        (Metric::Sensitivity, By::KornGraubard, Case, false),
        (Metric::Sensitivity, By::ClopperPearsonPatients, Case, false),
        (Metric::Sensitivity, By::BootstrapPercentile, Case, true),
        (Metric::Sensitivity, By::BootstrapPercentile, CaseStratified, true),
        (Metric::Sensitivity, By::BootstrapPercentile, Patient, false),
        // The patient's two cases are of two sites.
        (Metric::Sensitivity, By::BootstrapPercentile, Site, true),
        (Metric::Sensitivity, By::BootstrapPercentile, SiteThenPatient, true),
        (Metric::Auc, By::Delong, Patient, true),
        (Metric::Auc, By::Obuchowski, Case, false),
        (Metric::Auc, By::BootstrapBca, Patient, false),
    ] {
        assert_eq!(of(metric, by, unit, together), ignores, "{metric:?} {by:?} {unit:?}");
        assert!(!of(metric, by, unit, alone), "{metric:?} {by:?} {unit:?}");
    }
    let within = ignores_patients(Metric::Auc, By::BootstrapBca, Site, together, &[0, 0, 1, 1]);
    assert!(!within, "patients lie within sites");
}

#[test]
fn what_is_quoted_first_is_what_would_decide() {
    let quoted = |table: &Table, metric: Metric, methods: &[By], by: (Option<By>, Fallback)| {
        let plan = Plan::new(0.95, methods.to_vec(), UNIT, 500, 7);
        let mut found = estimate(metric, &table.sample(), Some(0.5), &plan);
        deciding_first(&mut found, metric, &table.sample(), Some(0.5), by, &plan);
        let all: Vec<By> = found.intervals.iter().map(|i| i.method).collect();
        assert_eq!(all.iter().filter(|method| **method == all[0]).count(), 1, "{all:?}");
        found.intervals.swap_remove(0)
    };
    for rule in [Fallback::EffectiveNumber, Fallback::Patients] {
        for (table, metric, declared, beside) in [
            (ordered(0), Metric::Auc, By::Delong, By::BootstrapPercentile),
            (ordered(1), Metric::Auc, By::Delong, By::BootstrapPercentile),
            (ordered(2), Metric::Auc, By::Delong, By::BootstrapPercentile),
            (ordered(2), Metric::Auc, By::BootstrapBca, By::Delong),
            (Table::positives(20, 0), Metric::Sensitivity, By::Wilson, By::ClopperPearson),
            (Table::positives(70, 7), Metric::Sensitivity, By::Wilson, By::ClopperPearson),
            (pairs_of_images(), Metric::Sensitivity, By::Wilson, By::KornGraubard),
            (pairs_of_images(), Metric::Sensitivity, By::KornGraubard, By::ClopperPearsonPatients),
        ] {
            let found = quoted(&table, metric, &[declared, beside], (Some(declared), rule));
            let decides = table.decide(metric, declared, UNIT, rule).interval;
            assert_eq!(Some(found), decides, "{metric:?} {declared:?} {rule:?}");
        }
    }
    // Nothing is declared: the first that can decide, and what stands in where none can.
    let undeclared = (None, Fallback::default());
    let methods = [By::Delong, By::BootstrapPercentile];
    assert_eq!(quoted(&ordered(2), Metric::Auc, &methods, undeclared).method, By::Delong);
    assert_eq!(quoted(&ordered(1), Metric::Auc, &methods, undeclared).method, By::Hoeffding);
    let methods = [By::Wilson, By::KornGraubard];
    let of_images = quoted(&pairs_of_images(), Metric::Sensitivity, &methods, undeclared);
    assert_eq!(of_images.method, By::KornGraubard);
    // Nothing may stand in: what cannot decide stays behind what can.
    let none = (Some(By::Delong), Fallback::None);
    assert_eq!(quoted(&ordered(1), Metric::Auc, &[By::Delong], none).method, By::Delong);
}

#[test]
fn intervals_that_can_decide_stand_first_and_keep_their_order() {
    let order = |table: &Table, methods: &[By]| -> Vec<By> {
        let plan = Plan::new(0.95, methods.to_vec(), ResamplingUnit::Patient, 500, 7);
        let mut found = estimate(Metric::Sensitivity, &table.sample(), Some(0.5), &plan);
        assert_eq!(found.intervals.len(), methods.len());
        sound_first(&mut found, Metric::Sensitivity, &table.sample(), Some(0.5));
        found.intervals.iter().map(|i| i.method).collect()
    };
    let methods = [
        By::Wilson,
        By::ClopperPearsonPatients,
        By::ClopperPearson,
        By::BootstrapPercentile,
        By::KornGraubard,
    ];
    let sound = [By::ClopperPearsonPatients, By::BootstrapPercentile, By::KornGraubard];
    assert_eq!(order(&pairs_of_images(), &methods), [&sound[..], &[By::Wilson, By::ClopperPearson]].concat());
    assert_eq!(
        order(&Table::positives(70, 7), &[By::Wilson, By::ClopperPearson]),
        [By::Wilson, By::ClopperPearson]
    );
    assert_eq!(
        order(&Table::positives(20, 0), &[By::Wilson, By::ClopperPearson]),
        [By::ClopperPearson, By::Wilson]
    );
}
