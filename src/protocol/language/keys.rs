//! Every key that a protocol may hold, and what may stand there: the list that the schema and `explain` are
//! made from and that the tests compare with the parser, table by table and word by word.

use super::key::{End, Key, Kind};
use crate::dataset::cases::COLUMNS;
use crate::dataset::mapped::PatientFrom;
use crate::protocol::reader_study::{METRICS, POPULATIONS, ReadingDesign, ReadingOrder};
use crate::protocol::reads::{KEYS, ReaderFrom, ReadsFormat};
use crate::protocol::{Against, COMPARABLE, FORMAT, Field, MOST_YEARS, Priority, ReaderRole, Spread};
use crate::statistics::comparative::Aim;
use crate::statistics::estimate::IntervalMethod;
use crate::statistics::metric::{Fallback, Metric};
use crate::statistics::mrmc::CovarianceMethod;
use crate::statistics::multiplicity::Multiplicity;

/// A text with one `*`.
const ONE_STAR: &str = r"^[^*]*\*[^*]*$";
/// A text with at most one `*`.
const NO_MORE_STARS: &str = r"^[^*]*(\*[^*]*)?$";
/// `lower > 0.80` and its kind.
const CRITERION: &str =
    r"^\s*(lower\s+>=?|upper\s+<=?)\s+[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$";

fn text(name: &'static str) -> Key {
    Key::new(name, Kind::Text)
}

fn words(name: &'static str) -> Key {
    Key::new(name, Kind::Words)
}

fn form(name: &'static str, pattern: &'static str) -> Key {
    Key::new(name, Kind::Form(pattern))
}

fn path(name: &'static str) -> Key {
    Key::new(name, Kind::Path)
}

fn flag(name: &'static str) -> Key {
    Key::new(name, Kind::Flag)
}

fn list(name: &'static str, of: Kind, least: u64) -> Key {
    Key::new(name, Kind::List { of: Box::new(of), least })
}

fn texts(name: &'static str) -> Key {
    list(name, Kind::Text, 0)
}

fn choice(name: &'static str, words: &[&'static str], default: Option<&'static str>) -> Key {
    Key::new(name, Kind::Choice { words: words.to_vec(), default })
}

fn names<T>(pairs: &[(&'static str, T)]) -> Vec<&'static str> {
    pairs.iter().map(|(name, _)| *name).collect()
}

fn whole(name: &'static str) -> Key {
    Key::new(name, Kind::Whole { least: 0, most: None })
}

fn from(name: &'static str, least: u64, most: Option<u64>) -> Key {
    Key::new(name, Kind::Whole { least, most })
}

fn years(name: &'static str) -> Key {
    from(name, 0, Some(150)).ours("`min` is not above `max`")
}

fn number(name: &'static str, from: Option<(f64, bool)>, to: Option<(f64, bool)>) -> Key {
    let end = |end: Option<(f64, bool)>| end.map(|(at, included)| End { at, included });
    Key::new(name, Kind::Number { from: end(from), to: end(to) })
}

fn table(name: &'static str, keys: Vec<Key>) -> Key {
    Key::new(name, Kind::Table(keys))
}

fn tables(name: &'static str, keys: Vec<Key>) -> Key {
    Key::new(name, Kind::Tables(keys))
}

/// Every key of the whole file.
pub fn root() -> Vec<Key> {
    vec![
        choice("format", &[FORMAT], None).required(),
        table("study", study()).required(),
        table("data", data()).required(),
        table("gate", gate()),
        tables("eligibility", eligibility()),
        table("sample", sample()),
        table("reference_standard", reference_standard()).required(),
        tables("reader", reader()),
        table("reads", reads()),
        table("scores", scores()).ours("not together with [model]"),
        table("model", model()).ours("needs `data.development`"),
        table("operating_point", operating_point()).required(),
        table("analysis", analysis()).required(),
        tables("endpoint", endpoint()).required().ours("at least one is primary; ids are unique"),
        table("predicate", predicate())
            .ours("where an endpoint has against = \"predicate\", and not otherwise"),
        table("reader_study", reader_study()).ours(
            "where an endpoint has against = \"unaided-readers\" or \"reader-population\", and not \
                   otherwise",
        ),
        table("repeatability", repeatability()),
        table("triage", triage()),
        tables("subgroup", subgroup()).ours("each is declared once"),
        table("planning", planning()),
        tables("expected", expected()),
    ]
}

fn study() -> Vec<Key> {
    vec![
        form("id", "^[a-z0-9-]{1,64}$").required(),
        words("title").required(),
        words("version").required(),
        words("finding").required(),
        flag("rehearsal"),
    ]
}

fn data() -> Vec<Key> {
    vec![
        list("cases", Kind::Path, 1),
        case_format(),
        texts("positive_findings"),
        path("images"),
        path("development"),
        text("modality"),
        text("body_part"),
        text("source"),
        flag("separate_sites").ours("no site of the cases is one of development"),
        list("development_sites", Kind::Words, 0),
        table("columns", columns()).ours("not together with format = \"nih\""),
        table("development_columns", columns()).ours("as `columns`, or empty"),
    ]
}

fn case_format() -> Key {
    choice("format", &["cases", "nih"], Some("cases"))
}

fn columns() -> Vec<Key> {
    let from = names(&PatientFrom::NAMES);
    let mut keys: Vec<Key> = COLUMNS
        .into_iter()
        .map(|name| match name {
            "case_id" => words(name).required(),
            "patient_id" => words(name).always_when("patient_from", &["column"]),
            name => words(name),
        })
        .collect();
    keys.extend([
        form("case_pattern", ONE_STAR),
        choice("patient_from", &from, Some("column")),
        text("patient_pattern")
            .required_when("patient_from", &["case", "image"])
            .ours("a regular expression; none with \"each-case\""),
        form("image_pattern", ONE_STAR).ours("not together with `image`"),
        choice("rows", &["cases", "several"], Some("cases")),
        texts("positive").beside(&["negative", "label"]).ours("no word has two meanings"),
        texts("negative").beside(&["positive", "label"]),
        text("sheet"),
        from_one("header_row"),
    ]);
    keys
}

fn from_one(name: &'static str) -> Key {
    from(name, 1, None)
}

fn gate() -> Vec<Key> {
    let side = |name| number(name, Some((0.0, false)), None).required();
    vec![
        texts("modality"),
        texts("body_part"),
        texts("view"),
        table("age_years", vec![years("min").required(), years("max").required()]),
        flag("age_from_dates").ours("needs `age_years` where it is true"),
        whole("minimum_dimension").ours("not above `maximum_dimension`"),
        whole("maximum_dimension"),
        table("aspect_ratio", vec![side("min").ours("`min` is not above `max`"), side("max")]),
        texts("photometric_interpretation"),
        choice("burned_in_annotation", &["no", "not-yes"], None),
    ]
}

fn eligibility() -> Vec<Key> {
    let fields = names(&Field::NAMES);
    vec![
        words("id").required().ours("unique"),
        words("reason").required(),
        choice("missing", &["exclude", "include"], Some("exclude")),
        choice("kind", &["age", "one-of", "prior-finding", "listed-in", "gate", "rule"], None).required(),
        years("min").always_when("kind", &["age"]),
        years("max").always_when("kind", &["age"]),
        choice("field", &fields, None).always_when("kind", &["one-of"]),
        list("allowed", Kind::Text, 1).always_when("kind", &["one-of"]),
        choice("source", &["days_since_prior_finding", "earlier-images"], None)
            .always_when("kind", &["prior-finding"]),
        whole("lookback_days").always_when("source", &["days_since_prior_finding"]),
        list("findings", Kind::Text, 1).always_when("source", &["earlier-images"]),
        path("file").always_when("kind", &["listed-in"]),
        words("column").always_when("kind", &["listed-in"]),
        words("rule").always_when("kind", &["rule"]).ours("it can be read, and uses each column alike"),
        words("definition").required_when("kind", &["rule"]),
        choice("per", &["image", "study", "patient"], Some("image")).only_when("kind", &["rule"]),
        words("study_column").always_when("per", &["study"]),
        choice("holds", &["every", "any"], Some("every")).only_when("per", &["study", "patient"]),
    ]
}

fn sample() -> Vec<Key> {
    let methods = ["random", "all", "stratified", "enriched", "consecutive"];
    let stratum = vec![
        list("levels", Kind::Words, 1).required().ours("one of each column of `by`, each stratum once"),
        from_one("cases").required(),
    ];
    vec![
        choice("method", &methods, Some("random")).ours("with the keys that it needs"),
        from_one("cases")
            .beside(&["seed"])
            .only_when("method", &["random", "stratified", "enriched", "consecutive"])
            .ours("the sum of the strata, where these are declared"),
        whole("positives")
            .beside(&["cases"])
            .only_when("method", &["random", "enriched"])
            .ours("not above `cases`"),
        list("by", Kind::Words, 1).always_when("method", &["stratified"]).ours("each column once"),
        tables("stratum", stratum).beside(&["seed"]).only_when("method", &["stratified"]),
        words("order_by").always_when("method", &["consecutive"]).ours("a column of days"),
        choice("shortage", &["refuse", "take"], Some("refuse")),
        choice("images_per_patient", &["any", "one"], Some("any")),
        whole("seed"),
    ]
}

/// A number of readers or reads.
fn count(name: &'static str) -> Key {
    from(name, 1, Some(10_000))
}

fn reference_standard() -> Vec<Key> {
    let votes = ["majority", "unanimous", "k-of-n", "adjudicated"];
    vec![
        choice("rule", &["majority", "unanimous", "k-of-n", "adjudicated", "panel", "given"], None)
            .required(),
        count("readers").ours("required where no reader is declared and `fixed_readers` is true"),
        words("qualification").ours("required where it is not declared of each reader"),
        path("readers_file").ours("not together with [[reader]]"),
        flag("fixed_readers"),
        count("agreeing").always_when("rule", &["k-of-n"]).ours("not above the number of readers"),
        choice("adjudicate", &["disagreement", "no-majority"], None).always_when("rule", &["adjudicated"]),
        count("minimum_agreeing").only_when("rule", &votes).ours("fits the rule and the number of readers"),
        count("minimum_reads").only_when("rule", &votes).ours("not above the number of readers"),
        flag("require_all_readers").only_when("rule", &votes),
        choice("tie", &["none", "positive", "negative", "adjudicator"], Some("none"))
            .only_when("rule", &votes)
            .ours("fits the rule; an adjudicator is declared"),
        choice("indeterminate", &["no-vote", "positive", "negative"], Some("no-vote")),
        choice("uninterpretable", &["no-vote", "as-indeterminate", "exclude-case"], Some("no-vote")),
        choice(
            "repeated_read",
            &["refuse", "set-aside", "any-positive", "last", "all-agree"],
            Some("refuse"),
        ),
        choice("other_cases", &["refuse", "ignore"], Some("refuse")),
        table("given", labels()).always_when("rule", &["given"]),
        table("compare_with", labels()).ours("not with the rule \"given\""),
    ]
}

fn labels() -> Vec<Key> {
    let of_file = |key: Key| key.only_when("from", &["file"]);
    vec![
        choice("from", &["file", "reads"], Some("file")).ours("\"reads\" needs [reads]"),
        list("file", Kind::Path, 1).always_when("from", &["file"]),
        of_file(form("case_pattern", ONE_STAR)),
        of_file(text("case_column")),
        words("label_column").always_when("from", &["file"]),
        of_file(texts("positive")).ours("no word has two meanings"),
        of_file(texts("negative")),
        of_file(texts("indeterminate")),
        words("source").required(),
    ]
}

fn reader() -> Vec<Key> {
    vec![
        words("id").required().ours("unique"),
        choice("role", &names(&ReaderRole::NAMES), None).required().ours("the rule has the readers it needs"),
        words("qualification"),
        words("specialty"),
        number("years", Some((0.0, true)), Some((MOST_YEARS, true))),
        flag("labelled_training_data"),
    ]
}

fn reads() -> Vec<Key> {
    let starred = |name| list(name, Kind::Form(NO_MORE_STARS), 0);
    let meaning = |name| list(name, Kind::Words, 0);
    let cut = |name| number(name, None, None);
    let mut keys = vec![
        list("files", Kind::Path, 0),
        choice("format", &names(&ReadsFormat::NAMES), Some("table")),
        text("case_column"),
        table(
            "case_map",
            vec![
                path("file").required().ours("not blank"),
                text("case_column"),
                words("id_column").required(),
            ],
        ),
        form("case_pattern", ONE_STAR),
        choice("reader_from", &names(&ReaderFrom::NAMES), None).ours("fits the format and the columns"),
        text("reader_column").ours("with reader_from = \"column\" alone"),
        form("reader_pattern", ONE_STAR).ours("with reader_from = \"file\" or \"folder\""),
        starred("reader_columns").ours("not together with `case_columns`"),
        starred("case_columns"),
        text("read_column"),
        text("question"),
        text("complete_column").ours("together with `complete_values`"),
        texts("complete_values"),
        text("time_column"),
        text("time_format"),
        text("session_column"),
        text("confidence_column"),
        text("comment_column"),
        texts("events"),
        text("instrument"),
        choice("rows", &["reads", "boxes"], Some("reads")),
        path("read_list").ours("with rows = \"boxes\" alone"),
        choice("several", &["agree", "any-positive"], Some("agree")),
        choice("cancelled", &["exported", "not-exported"], Some("exported")),
        text("sheet"),
        from_one("header_row"),
        meaning("positive").ours("no word has two meanings"),
        meaning("negative"),
        meaning("indeterminate"),
        meaning("uninterpretable"),
        meaning("missing"),
        table(
            "scale",
            vec![
                cut("min").required().ours("cuts lie above `min` and at most at `max`"),
                cut("max").required(),
                cut("positive_from").required(),
                cut("indeterminate_from").ours("below `positive_from`"),
            ],
        ),
    ];
    for key in &mut keys {
        if let Some((_, formats)) = KEYS.iter().find(|(name, _)| *name == key.name) {
            let formats: Vec<&'static str> = formats.iter().map(|format| format.name()).collect();
            *key = key.clone().only_when("format", &formats);
        }
    }
    keys
}

fn scores() -> Vec<Key> {
    vec![
        path("file"),
        text("case_column"),
        list("columns", Kind::Text, 1),
        choice("combine", &["max", "mean", "noisy-or"], Some("max")),
    ]
}

fn model() -> Vec<Key> {
    vec![path("experiment").required(), table("operating_point", vec![rule().required(), target()])]
}

fn rule() -> Key {
    choice("rule", &["youden", "sensitivity", "specificity"], None)
}

fn target() -> Key {
    number("target", Some((0.0, false)), Some((1.0, true)))
        .always_when("rule", &["sensitivity", "specificity"])
}

fn operating_point() -> Vec<Key> {
    let tuning = |key: Key| key.only_when("source", &["tuning"]);
    vec![
        choice("source", &["lock", "declared", "tuning"], None).required().ours("\"lock\" not with [scores]"),
        number("threshold", Some((0.0, true)), Some((1.0, true))).always_when("source", &["declared"]),
        words("rationale").always_when("source", &["declared"]),
        path("cases").always_when("source", &["tuning"]),
        tuning(case_format()),
        tuning(table("columns", columns())).ours("not together with format = \"nih\""),
        tuning(texts("positive_findings")).ours("required with format = \"nih\""),
        rule().always_when("source", &["tuning"]),
        target(),
    ]
}

fn analysis() -> Vec<Key> {
    let units = ["case", "case-stratified", "patient", "site", "site-then-patient"];
    let incomplete = |name| choice(name, &["exclude", "refuse"], Some("exclude"));
    vec![
        number("level", Some((0.5, false)), Some((1.0, false))),
        choice("resampling_unit", &units, Some("patient"))
            .ours("the intervals of the endpoints exist for it"),
        from("replicates", 100, Some(1_000_000)),
        whole("seed").required(),
        incomplete("missing_score"),
        incomplete("no_consensus"),
        number("intended_use_prevalence", Some((0.0, false)), Some((1.0, false))),
        flag("calibration_in_use").ours("needs `intended_use_prevalence`"),
        Key::new("net_benefit_thresholds", Kind::Numbers)
            .ours("ascending, between 0 and 1, at most 50, with `intended_use_prevalence`"),
        choice("multiplicity", &names(&Multiplicity::NAMES), Some("co-primary")),
        whole("subgroup_minimum"),
    ]
}

fn endpoint() -> Vec<Key> {
    let judged = Metric::ENDPOINTS.iter();
    let compared = COMPARABLE.iter().filter(|metric| !Metric::ENDPOINTS.contains(metric));
    let metrics: Vec<&str> = judged.chain(compared).map(|metric| metric.id()).collect();
    let fits = |method: &IntervalMethod| {
        let goal = Metric::ENDPOINTS.iter().any(|metric| metric.accepts(*method));
        let against = Against::NAMES.iter().map(|(_, against)| against);
        goal || against.flat_map(|a| COMPARABLE.iter().map(move |m| a.accepts(*m, *method))).any(|fits| fits)
    };
    let methods: Vec<&str> = IntervalMethod::ALL.iter().filter(|m| fits(m)).map(|m| m.id()).collect();
    let others = names(&Against::NAMES);
    let of_comparison = |key: Key| key.only_when("against", &others);
    vec![
        words("id").required().ours("unique"),
        choice("metric", &metrics, None).required().ours("fits what it is compared with"),
        choice("role", &["primary", "key-secondary", "secondary"], None).required(),
        choice("interval", &methods, None)
            .ours("required without `against`; exists for the metric and for `analysis.resampling_unit`"),
        choice("fallback", &names(&Fallback::NAMES), Some("effective-number"))
            .ours("not of an endpoint on [reader_study]"),
        form("criterion", CRITERION).ours(
            "required of primary and key secondary endpoints without `against`; the goal is a finite number",
        ),
        choice("against", &names(&Against::NAMES), None).ours("what it is compared with is declared"),
        choice("aim", &names(&Aim::NAMES), None).always_when("against", &others),
        of_comparison(number("margin", Some((0.0, true)), Some((1.0, false))))
            .ours("above 0 but for superiority"),
        of_comparison(text("justification")).ours("required with a margin above 0"),
        of_comparison(number("prevalence", Some((0.0, false)), Some((1.0, false))))
            .ours("of PPV, NPV and F1 alone"),
        of_comparison(number("max_fpr", Some((0.0, false)), Some((1.0, true))))
            .ours("of the partial AUC alone"),
        Key::new("weight", Kind::Share).ours("with a rule of multiplicity that takes it; together at most 1"),
        Key::new("passes_on", Kind::Shares).ours("with multiplicity = \"graph\" alone; ids of endpoints"),
    ]
}

fn predicate() -> Vec<Key> {
    vec![
        words("name").required(),
        path("file").required(),
        text("case_column"),
        text("score_column"),
        text("answer_column").ours("not together with `score_column` or `threshold`"),
        number("threshold", None, None),
    ]
}

fn reader_study() -> Vec<Key> {
    let methods: Vec<&str> = CovarianceMethod::ALL.iter().map(|method| method.id()).collect();
    let component = |name| number(name, None, None);
    vec![
        list("files", Kind::Path, 1).required(),
        text("case_column"),
        text("reader_column"),
        text("modality_column"),
        text("rating_column"),
        text("time_column"),
        text("seconds_column"),
        table(
            "case_map",
            vec![
                path("file").required().ours("not blank"),
                text("case_column"),
                words("id_column").required(),
            ],
        ),
        words("unaided").required(),
        text("aided").ours("another word than `unaided`; required by \"unaided-readers\""),
        choice("design", &names(&ReadingDesign::NAMES), None).required(),
        choice("order", &names(&ReadingOrder::NAMES), None)
            .ours("required with `aided`, unless readers are nested"),
        whole("washout_days"),
        table(
            "scale",
            vec![
                component("min").required().ours("below `max`"),
                component("max").required(),
                component("positive_from").ours("above `min` and at most `max`; required to compare calls"),
            ],
        )
        .required(),
        choice("covariances", &methods, None),
        choice("holds_for", &names(&POPULATIONS), Some("readers-and-cases"))
            .ours("\"readers-and-cases\" with the interval \"u-statistic\""),
        choice("missing_reads", &["exclude", "refuse"], Some("exclude")),
        table(
            "planned",
            vec![
                choice("metric", &METRICS.map(|metric| metric.id()), None).required(),
                from("readers", 2, Some(1_000_000)).required(),
                number("variance", Some((0.0, false)), None).required(),
                component("cov1").required(),
                component("cov2").required(),
                component("cov3").required(),
                component("interaction"),
                number("reader_variance", Some((0.0, true)), None)
                    .ours("needed of nested readers, and of the device alone"),
                number("device_variance", Some((0.0, true)), None).ours("needed of the device alone"),
                component("device_cov").ours("needed of the device alone"),
                from("groups", 2, Some(1_000_000)).ours("of which `readers` is a multiple"),
                from("pilot_cases", 2, Some(1_000_000)).required(),
                words("source").required(),
            ],
        ),
    ]
}

fn repeatability() -> Vec<Key> {
    vec![
        path("file").required(),
        text("patient_column"),
        list("conditions", Kind::Words, 0).ours("at most 10, each once"),
    ]
}

fn triage() -> Vec<Key> {
    let minutes = |name| number(name, Some((0.0, false)), Some((1000.0, true)));
    vec![
        words("processing_column").ours("a column of the score table"),
        number("arrivals_per_hour", Some((0.0, false)), Some((10_000.0, true)))
            .required()
            .ours("fewer than can be read in an hour"),
        number("prevalence", Some((0.0, false)), Some((1.0, false))).required(),
        minutes("reading_minutes").required(),
        minutes("reading_minutes_positive"),
        number("reading_cv", Some((0.0, true)), Some((10.0, true))),
        choice("priority", &names(&Priority::NAMES), Some("non-preemptive")),
        words("source").required(),
    ]
}

fn planning() -> Vec<Key> {
    vec![
        number("power", Some((0.5, true)), Some((0.999, true))),
        number("images_per_patient", Some((1.0, true)), Some((1000.0, true))),
        number("images_per_patient_cv", Some((0.0, true)), Some((10.0, true))),
        number("icc", Some((0.0, true)), Some((1.0, true))),
        number("positive_share", Some((0.0, false)), Some((1.0, false))),
        number("unusable", Some((0.0, true)), Some((1.0, false))),
    ]
}

fn expected() -> Vec<Key> {
    vec![
        words("endpoint").required().ours("id of an endpoint, once"),
        number("value", Some((0.0, false)), Some((1.0, false))).required(),
        Key::new("range", Kind::Numbers).ours("two numbers between 0 and 1, with `value` in them"),
        choice("spread", &names(&Spread::NAMES), Some("triangular")).beside(&["range"]),
        words("source").required(),
        number("comparator", Some((0.0, false)), Some((1.0, false)))
            .ours("required where the endpoint has `against`, and not otherwise"),
        number("discordant", Some((0.0, false)), Some((1.0, true)))
            .ours("of a compared sensitivity or specificity alone; possible with both values"),
        number("correlation", Some((0.0, true)), Some((1.0, false))).ours("of a compared AUC alone"),
        number("sensitivity", Some((0.0, false)), Some((1.0, false))).ours("of a PPV alone"),
        number("specificity", Some((0.0, false)), Some((1.0, false))).ours("of an NPV or an F1 alone"),
    ]
}

fn subgroup() -> Vec<Key> {
    let mut by = names(&Field::NAMES);
    by.extend(["age", "column", "crossed"]);
    vec![
        choice("by", &by, None).required().ours("each variable is declared once"),
        words("column").always_when("by", &["column"]).ours("no `=` in it"),
        Key::new("bands", Kind::Pairs)
            .only_when("by", &["age", "column"])
            .ours("required for age; bands ascend and do not overlap; days have the year first"),
        list("of", Kind::Text, 2).always_when("by", &["crossed"]).ours("subgroups that are declared before"),
        text("reference").ours("one of the levels that the protocol names, where it names them"),
        choice("claim", &["descriptive", "powered"], Some("descriptive")),
        words("endpoint").always_when("claim", &["powered"]).ours("id of an endpoint"),
        form("criterion", CRITERION).always_when("claim", &["powered"]).ours("the goal is a finite number"),
    ]
}
