//! Every requirement with its risk and the test that shows it: the list that a qualification goes through.

use super::sets::Set;

/// How bad it is when a requirement does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// A wrong conclusion about a device may follow, unnoticed.
    High,
    /// A number that describes or plans may be wrong.
    Medium,
    /// Work is lost or hindered.
    Low,
}

impl Severity {
    /// For people.
    pub fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// What follows where a requirement does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Risk {
    /// In words.
    pub harm: &'static str,
    /// How bad.
    pub severity: Severity,
}

/// What is looked at of the program and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Installation {
    /// The program's own digest.
    Digest,
    /// Version, features and dependencies.
    Build,
    /// Platform.
    Platform,
    /// Templates.
    Templates,
    /// Fonts.
    Fonts,
    /// The embedded reference values.
    References,
    /// A folder that can be written, and read back.
    Storage,
    /// Whether the program with libtorch is beside it.
    Libtorch,
}

/// What the program is made to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// SHA-256 of known texts.
    Sha256,
    /// Canonical JSON.
    CanonicalJson,
    /// Generated DICOM files.
    Dicom,
    /// A study from its files to its conclusion.
    Study,
    /// The evidence of that study verifies.
    Verifies,
    /// A changed byte of any file of the evidence is found.
    ChangedByte,
    /// A consistent change, with manifests written again, is found.
    ConsistentChange,
    /// The same bytes with one thread and with all.
    Threads,
    /// The same seed gives the same replicates, another one others.
    Seed,
    /// A document renders to its known digest.
    DocumentDigest,
    /// The study's documents render twice to the same bytes.
    DocumentsTwice,
    /// An unmet criterion is an unmet criterion.
    NotMet,
}

/// What shows that a requirement holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Test {
    /// Values beside references.
    Values {
        /// The set.
        set: Set,
        /// Its statistics that are of this requirement.
        keys: &'static [&'static str],
        /// The largest deviation that is accepted.
        tolerance: f64,
    },
    /// Something that the program does.
    Operation(Operation),
    /// Something that is there.
    Installation(Installation),
}

/// One requirement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Requirement {
    /// `IQ-...` or `OQ-...`; never given twice.
    pub id: &'static str,
    /// What has to hold.
    pub text: &'static str,
    /// Where `docs/statistics.md` states it: `Section: row of its table`, or words of its text.
    pub documented: &'static [&'static str],
    /// Ids of metrics and interval methods that it covers.
    pub covers: &'static [&'static str],
    /// What follows where it does not.
    pub risk: Risk,
    /// What shows it.
    pub test: Test,
}

const WRONG_VALUE: Risk = Risk { harm: "an endpoint is judged by a wrong value", severity: Severity::High };
const WRONG_INTERVAL: Risk = Risk { harm: "an endpoint is judged by wrong limits", severity: Severity::High };
const WRONG_TEST: Risk =
    Risk { harm: "a difference is claimed or missed by a wrong p value", severity: Severity::High };
const WRONG_STANDARD: Risk =
    Risk { harm: "the reliability of the reference standard is misstated", severity: Severity::Medium };
const WRONG_DESCRIPTION: Risk =
    Risk { harm: "the data or the scores are misdescribed", severity: Severity::Medium };
const WRONG_SIZE: Risk =
    Risk { harm: "a study is planned too small, or larger than needed", severity: Severity::Medium };
const UNKNOWN_PROGRAM: Risk = Risk {
    harm: "results come from another program than the one that was qualified",
    severity: Severity::High,
};
const LOST_EVIDENCE: Risk =
    Risk { harm: "a changed record passes for the original", severity: Severity::High };
const NOT_REPEATABLE: Risk =
    Risk { harm: "results cannot be reproduced by somebody else", severity: Severity::High };
const WRONG_PICTURE: Risk =
    Risk { harm: "the device is tested on other pixels than it would see", severity: Severity::High };
const WRONG_DOCUMENT: Risk =
    Risk { harm: "a document does not say what the results are", severity: Severity::High };
const NO_USE: Risk = Risk { harm: "a step cannot be done on this machine", severity: Severity::Low };

const EXACT: f64 = 1e-12;
const COMPARATIVE: f64 = 1e-10;

/// A requirement on numbers.
const fn values(
    id: &'static str,
    documented: &'static [&'static str],
    covers: &'static [&'static str],
    text: &'static str,
    risk: Risk,
    (set, keys, tolerance): (Set, &'static [&'static str], f64),
) -> Requirement {
    Requirement { id, text, documented, covers, risk, test: Test::Values { set, keys, tolerance } }
}

/// A requirement on the installation.
const fn installed(id: &'static str, text: &'static str, risk: Risk, of: Installation) -> Requirement {
    Requirement { id, text, documented: &[], covers: &[], risk, test: Test::Installation(of) }
}

/// A requirement on what the program does.
const fn does(id: &'static str, text: &'static str, risk: Risk, of: Operation) -> Requirement {
    Requirement { id, text, documented: &[], covers: &[], risk, test: Test::Operation(of) }
}

/// Every requirement, in the order of the report.
pub fn all() -> impl Iterator<Item = &'static Requirement> {
    [
        INSTALLATION,
        OPERATION,
        DISCRIMINATION,
        CALLS,
        CALIBRATION,
        READERS,
        COMPARISONS,
        SEVERAL,
        PLANNING,
        MONITORING,
    ]
    .into_iter()
    .flatten()
}

const INSTALLATION: &[Requirement] = &[
    installed("IQ-01", "The program is identified by its digest.", UNKNOWN_PROGRAM, Installation::Digest),
    installed(
        "IQ-02",
        "Version, features and the digest of its dependencies are known.",
        UNKNOWN_PROGRAM,
        Installation::Build,
    ),
    installed("IQ-03", "Operating system and processor are known.", NOT_REPEATABLE, Installation::Platform),
    installed(
        "IQ-04",
        "The templates of the study documents are those that came with this version.",
        WRONG_DOCUMENT,
        Installation::Templates,
    ),
    installed(
        "IQ-05",
        "The fonts of PDF documents are there, or known to be absent.",
        NO_USE,
        Installation::Fonts,
    ),
    installed(
        "IQ-06",
        "Every embedded reference value can be read.",
        Risk { harm: "the qualification compares with nothing", severity: Severity::High },
        Installation::References,
    ),
    installed(
        "IQ-07",
        "What is written into the given folder is read back.",
        LOST_EVIDENCE,
        Installation::Storage,
    ),
    installed(
        "IQ-08",
        "Whether the program with libtorch (training, graphics processors) is here is known.",
        NO_USE,
        Installation::Libtorch,
    ),
];

const OPERATION: &[Requirement] = &[
    does("OQ-01", "SHA-256 gives the digests of FIPS 180-4.", LOST_EVIDENCE, Operation::Sha256),
    does("OQ-02", "Canonical JSON is that of RFC 8785.", LOST_EVIDENCE, Operation::CanonicalJson),
    does(
        "OQ-03",
        "Grey DICOM images decode to what their encoders were given, or are refused by name.",
        WRONG_PICTURE,
        Operation::Dicom,
    ),
    does(
        "OQ-04",
        "A study goes from its files to the conclusion that follows from them, counted another way.",
        WRONG_VALUE,
        Operation::Study,
    ),
    does("OQ-05", "A criterion that is not met is told as not met.", WRONG_VALUE, Operation::NotMet),
    does("OQ-06", "The evidence of that study verifies.", LOST_EVIDENCE, Operation::Verifies),
    does(
        "OQ-07",
        "One changed byte in any file of the evidence is found.",
        LOST_EVIDENCE,
        Operation::ChangedByte,
    ),
    does(
        "OQ-08",
        "Results that were changed together with every manifest are found by recomputation.",
        LOST_EVIDENCE,
        Operation::ConsistentChange,
    ),
    does("OQ-09", "One thread and all threads give the same bytes.", NOT_REPEATABLE, Operation::Threads),
    does(
        "OQ-10",
        "One seed gives the same replicates every time, another seed other ones.",
        NOT_REPEATABLE,
        Operation::Seed,
    ),
    does(
        "OQ-11",
        "A document with every kind of block renders to the digest that is known for this version.",
        WRONG_DOCUMENT,
        Operation::DocumentDigest,
    ),
    does(
        "OQ-12",
        "The documents of a study render twice to the same bytes.",
        WRONG_DOCUMENT,
        Operation::DocumentsTwice,
    ),
];

const DISCRIMINATION: &[Requirement] = &[
    values(
        "OQ-101",
        &["Discrimination: AUC"],
        &["auc"],
        "The area under the ROC curve is the share of pairs that are won, ties half.",
        WRONG_VALUE,
        (Set::Scores, &["auc", "auc_b", "auc_diff", "n", "n_pos"], EXACT),
    ),
    values(
        "OQ-102",
        &["Discrimination: DeLong variance"],
        &[],
        "The variance of an AUC is that of DeLong, DeLong and Clarke-Pearson (1988).",
        WRONG_INTERVAL,
        (Set::Scores, &["delong_var", "delong_var_b", "delong_se", "delong_cov"], EXACT),
    ),
    values(
        "OQ-103",
        &["Discrimination: DeLong interval"],
        &["delong"],
        "DeLong's interval is A ± z·SE, clipped to 0..1.",
        WRONG_INTERVAL,
        (Set::Scores, &["delong_lo_raw", "delong_hi_raw", "delong_lo", "delong_hi"], EXACT),
    ),
    values(
        "OQ-104",
        &["Discrimination: DeLong, logit scale"],
        &["delong-logit"],
        "DeLong's interval on the logit scale follows from the delta method.",
        WRONG_INTERVAL,
        (Set::Scores, &["delong_logit_lo", "delong_logit_hi"], EXACT),
    ),
    values(
        "OQ-105",
        &["Discrimination: Hanley-McNeil"],
        &["hanley-mcneil"],
        "The standard error of Hanley and McNeil (1982).",
        WRONG_INTERVAL,
        (Set::Scores, &["hanley_mcneil_se"], EXACT),
    ),
    values(
        "OQ-106",
        &["Discrimination: Obuchowski"],
        &["obuchowski"],
        "The variance of an AUC of patients with several cases is that of Obuchowski (1997).",
        WRONG_INTERVAL,
        (Set::Scores, &["obuchowski_var"], EXACT),
    ),
    values(
        "OQ-107",
        &["Discrimination: paired difference"],
        &[],
        "The difference of two AUCs of the same cases, its error, test and interval.",
        WRONG_TEST,
        (Set::Scores, &["paired_se", "paired_z", "paired_p", "paired_diff_lo", "paired_diff_hi"], EXACT),
    ),
    values(
        "OQ-108",
        &["Discrimination: partial AUC"],
        &["partial_auc"],
        "The partial area to a false positive rate, and McClish's standardisation.",
        WRONG_VALUE,
        (Set::Scores, &["pauc_fpr10", "pauc_fpr20", "pauc_mcclish_fpr10", "pauc_mcclish_fpr20"], EXACT),
    ),
    values(
        "OQ-109",
        &["Discrimination: average precision"],
        &["average_precision"],
        "Average precision is the step sum.",
        WRONG_VALUE,
        (Set::Scores, &["ap"], EXACT),
    ),
    values(
        "OQ-110",
        &["Discrimination: precision-recall points"],
        &[],
        "The points of the precision-recall curve.",
        WRONG_DESCRIPTION,
        (Set::Scores, &["pr_auc_trapz"], EXACT),
    ),
    values(
        "OQ-111",
        &["Discrimination: Youden threshold"],
        &[],
        "The threshold with the greatest Youden index; of equals the lowest.",
        WRONG_VALUE,
        (Set::Scores, &["youden_max", "youden_thr_lowest"], EXACT),
    ),
    values(
        "OQ-112",
        &["The unbiased U-statistic variance"],
        &["u-statistic"],
        "The unbiased variance of an AUC equals the enumeration of all pairs of pairs.",
        WRONG_INTERVAL,
        (Set::Formulas, &["u_statistic"], EXACT),
    ),
    values(
        "OQ-113",
        &["Clopper-Pearson interval of min(m, n) disjoint pairs"],
        &[],
        "Perfect separation has the exact interval of disjoint pairs.",
        WRONG_INTERVAL,
        (Set::Formulas, &["separated"], EXACT),
    ),
    values(
        "OQ-114",
        &["Hoeffding 1963, theorem 1"],
        &["hoeffding"],
        "Hoeffding's interval of a mean of terms in 0..1.",
        WRONG_INTERVAL,
        (Set::Formulas, &["hoeffding"], EXACT),
    ),
];

const CALLS: &[Requirement] = &[
    values(
        "OQ-201",
        &["At an operating point: counts"],
        &[],
        "A case is called positive at a score of the threshold or more.",
        WRONG_VALUE,
        (Set::Scores, &["tp", "fn", "fp", "tn"], EXACT),
    ),
    values(
        "OQ-202",
        &["At an operating point: sensitivity, specificity, PPV, NPV, accuracy"],
        &["sensitivity", "specificity", "ppv", "npv", "accuracy", "prevalence"],
        "Shares of a 2×2 table.",
        WRONG_VALUE,
        (Set::Scores, &["sens.est", "spec.est", "ppv.est", "npv.est", "acc.est"], EXACT),
    ),
    values(
        "OQ-203",
        &["At an operating point: Clopper-Pearson", "Readers beside the device: shares"],
        &["clopper-pearson"],
        "The exact interval of Clopper and Pearson (1934).",
        WRONG_INTERVAL,
        (
            Set::Scores,
            &[
                "sens.cp_lo",
                "sens.cp_hi",
                "spec.cp_lo",
                "spec.cp_hi",
                "ppv.cp_lo",
                "ppv.cp_hi",
                "npv.cp_lo",
                "npv.cp_hi",
                "acc.cp_lo",
                "acc.cp_hi",
            ],
            EXACT,
        ),
    ),
    values(
        "OQ-204",
        &["At an operating point: Wilson"],
        &["wilson"],
        "The score interval of Wilson (1927).",
        WRONG_INTERVAL,
        (
            Set::Scores,
            &[
                "sens.wilson_lo",
                "sens.wilson_hi",
                "spec.wilson_lo",
                "spec.wilson_hi",
                "ppv.wilson_lo",
                "ppv.wilson_hi",
                "npv.wilson_lo",
                "npv.wilson_hi",
                "acc.wilson_lo",
                "acc.wilson_hi",
            ],
            EXACT,
        ),
    ),
    values(
        "OQ-205",
        &["At an operating point: Agresti-Coull"],
        &["agresti-coull"],
        "The interval of Agresti and Coull (1998).",
        WRONG_INTERVAL,
        (
            Set::Scores,
            &[
                "sens.ac_lo",
                "sens.ac_hi",
                "spec.ac_lo",
                "spec.ac_hi",
                "ppv.ac_lo",
                "ppv.ac_hi",
                "npv.ac_lo",
                "npv.ac_hi",
                "acc.ac_lo",
                "acc.ac_hi",
            ],
            EXACT,
        ),
    ),
    values(
        "OQ-206",
        &["At an operating point: Jeffreys"],
        &["jeffreys"],
        "Jeffreys' interval with the boundaries of Brown, Cai and DasGupta (2001).",
        WRONG_INTERVAL,
        (
            Set::Scores,
            &[
                "sens.jeff_lo",
                "sens.jeff_hi",
                "spec.jeff_lo",
                "spec.jeff_hi",
                "ppv.jeff_lo",
                "ppv.jeff_hi",
                "npv.jeff_lo",
                "npv.jeff_hi",
                "acc.jeff_lo",
                "acc.jeff_hi",
                "sens.jeff_raw_lo",
                "sens.jeff_raw_hi",
                "spec.jeff_raw_lo",
                "spec.jeff_raw_hi",
                "ppv.jeff_raw_lo",
                "ppv.jeff_raw_hi",
                "npv.jeff_raw_lo",
                "npv.jeff_raw_hi",
                "acc.jeff_raw_lo",
                "acc.jeff_raw_hi",
            ],
            EXACT,
        ),
    ),
    values(
        "OQ-207",
        &["Jeffreys intervals are 0 at k = 0"],
        &["wald"],
        "Wald's interval of a share.",
        WRONG_INTERVAL,
        (
            Set::Scores,
            &[
                "sens.wald_lo",
                "sens.wald_hi",
                "spec.wald_lo",
                "spec.wald_hi",
                "ppv.wald_lo",
                "ppv.wald_hi",
                "npv.wald_lo",
                "npv.wald_hi",
                "acc.wald_lo",
                "acc.wald_hi",
            ],
            EXACT,
        ),
    ),
    values(
        "OQ-208",
        &["At an operating point: F1"],
        &["f1"],
        "F1 of a 2×2 table.",
        WRONG_VALUE,
        (Set::Scores, &["f1"], EXACT),
    ),
    values(
        "OQ-209",
        &["At an operating point: balanced accuracy, Youden index"],
        &["balanced_accuracy", "youden"],
        "Balanced accuracy and Youden's index.",
        WRONG_VALUE,
        (Set::Scores, &["balacc", "youden"], EXACT),
    ),
    values(
        "OQ-210",
        &["At an operating point: Matthews correlation"],
        &["mcc"],
        "Matthews correlation, and kappa of calls and reference standard.",
        WRONG_VALUE,
        (Set::Scores, &["mcc", "kappa_vs_truth"], EXACT),
    ),
    values(
        "OQ-211",
        &["At an operating point: likelihood ratios"],
        &["lr_positive", "lr_negative", "log"],
        "Likelihood ratios with intervals on the log scale.",
        WRONG_VALUE,
        (Set::Scores, &["lrpos", "lrneg", "lrpos_lo", "lrpos_hi", "lrneg_lo", "lrneg_hi"], EXACT),
    ),
    values(
        "OQ-212",
        &["At an operating point: diagnostic odds ratio"],
        &["diagnostic_odds_ratio"],
        "The diagnostic odds ratio with Woolf's interval.",
        WRONG_VALUE,
        (Set::Scores, &["dor", "dor_lo", "dor_hi"], EXACT),
    ),
    values(
        "OQ-213",
        &["At an operating point: McNemar"],
        &[],
        "McNemar's test: exact, mid-p, corrected and not.",
        WRONG_TEST,
        (
            Set::Scores,
            &[
                "mcnemar_b",
                "mcnemar_c",
                "mcnemar_exact_p",
                "mcnemar_midp",
                "mcnemar_stat",
                "mcnemar_p",
                "mcnemar_cc_stat",
                "mcnemar_cc_p",
            ],
            EXACT,
        ),
    ),
    values(
        "OQ-214",
        &["are projections: exact limits of sensitivity and specificity at level^½ each", "Intervals of F1"],
        &[],
        "Exact limits of both shares are carried through to what is made from a 2×2 table.",
        WRONG_INTERVAL,
        (
            Set::Formulas,
            &[
                "projections youden",
                "projections balanced",
                "projections mcc",
                "projections lr",
                "projections diagnostic",
                "projections f1",
            ],
            EXACT,
        ),
    ),
    values(
        "OQ-215",
        &["PPV, NPV and F1 at a declared prevalence"],
        &[],
        "Predictive values and F1 at a declared prevalence, with both intervals.",
        WRONG_VALUE,
        (Set::Formulas, &["transported ppv", "transported npv", "transported f1"], EXACT),
    ),
    values(
        "OQ-216",
        &["Intervals that decide: `korn-graubard`"],
        &["korn-graubard"],
        "Limits on the effective number of cases (Korn and Graubard 1998).",
        WRONG_INTERVAL,
        (Set::Clustered, &["design_effect", "effective_number", "kg_lower", "kg_upper"], 1e-11),
    ),
    values(
        "OQ-217",
        &["Intervals that decide: `clopper-pearson-patients`"],
        &["clopper-pearson-patients"],
        "Exact limits on patients.",
        WRONG_INTERVAL,
        (Set::Clustered, &["patients_lower", "patients_upper"], 1e-11),
    ),
    values(
        "OQ-218",
        &["after Obuchowski 1998 with the shares pooled under the null hypothesis"],
        &[],
        "The test of two models' calls where patients have several cases.",
        WRONG_TEST,
        (Set::Formulas, &["clustered_mcnemar"], EXACT),
    ),
    values(
        "OQ-219",
        &["by the square-and-add method"],
        &[],
        "The difference of two levels of a subgroup from the limits of both.",
        WRONG_INTERVAL,
        (Set::Formulas, &["square_and_add"], EXACT),
    ),
];

const CALIBRATION: &[Requirement] = &[
    values(
        "OQ-301",
        &["Calibration: Brier score"],
        &["brier"],
        "The Brier score.",
        WRONG_DESCRIPTION,
        (Set::Scores, &["brier"], EXACT),
    ),
    values(
        "OQ-302",
        &["Calibration: log loss"],
        &["log_loss"],
        "Log loss.",
        WRONG_DESCRIPTION,
        (Set::Scores, &["logloss"], EXACT),
    ),
    values(
        "OQ-303",
        &["Calibration: slope, intercept"],
        &["calibration_slope", "calibration_intercept"],
        "Calibration slope and intercept by logistic regression (Cox 1958).",
        WRONG_DESCRIPTION,
        (Set::Scores, &["cal_slope", "cal_slope_se", "cal_intercept", "cal_intercept_se"], EXACT),
    ),
    values(
        "OQ-304",
        &["Calibration: in the large"],
        &["calibration_in_the_large"],
        "Calibration in the large.",
        WRONG_DESCRIPTION,
        (Set::Scores, &["cal_in_the_large"], EXACT),
    ),
    values(
        "OQ-305",
        &["Calibration: ECE, MCE"],
        &["ece", "mce"],
        "Expected and maximum calibration error over ten equal bins.",
        WRONG_DESCRIPTION,
        (
            Set::Scores,
            &["ece10_left_closed", "mce10_left_closed", "ece10_right_closed", "mce10_right_closed"],
            EXACT,
        ),
    ),
    values(
        "OQ-306",
        &["In intended use: observed / expected"],
        &[],
        "Observed over expected at the prevalence of intended use.",
        WRONG_DESCRIPTION,
        (Set::Formulas, &["in_use oe", "in_use mean"], EXACT),
    ),
    values(
        "OQ-307",
        &["In intended use: intercept", "In intended use: slope"],
        &[],
        "Intercept and slope in intended use, patients as units.",
        WRONG_DESCRIPTION,
        (Set::Formulas, &["in_use intercept", "in_use slope"], EXACT),
    ),
    values(
        "OQ-308",
        &["In intended use: net benefit at t"],
        &[],
        "The net benefit at a threshold (Vickers and Elkin 2006).",
        WRONG_DESCRIPTION,
        (Set::Formulas, &["in_use net"], EXACT),
    ),
];

const READERS: &[Requirement] = &[
    values(
        "OQ-401",
        &["Readers: Cohen's kappa"],
        &[],
        "Cohen's kappa with both standard errors.",
        WRONG_STANDARD,
        (Set::Readers, &["kappa", "se", "se0", "po", "pabak", "n", "n_cases_any"], EXACT),
    ),
    values(
        "OQ-402",
        &["Readers: Fleiss' kappa, complete cases"],
        &[],
        "Fleiss' kappa of complete cases.",
        WRONG_STANDARD,
        (Set::Readers, &["fleiss_complete.kappa", "fleiss_complete.se0", "fleiss_complete.n"], EXACT),
    ),
    values(
        "OQ-403",
        &["Readers: Fleiss' kappa, missing reads"],
        &[],
        "Fleiss' kappa with missing reads.",
        WRONG_STANDARD,
        (Set::Readers, &["gwet.fleiss_gwet", "gwet.fleiss_gwet_se"], EXACT),
    ),
    values(
        "OQ-404",
        &["Readers: Gwet's AC1"],
        &[],
        "Gwet's AC1.",
        WRONG_STANDARD,
        (Set::Readers, &["gwet.ac1", "gwet.ac1_se"], EXACT),
    ),
    values(
        "OQ-405",
        &["Readers: Krippendorff's alpha"],
        &[],
        "Krippendorff's alpha.",
        WRONG_STANDARD,
        (Set::Readers, &["kripp_alpha"], EXACT),
    ),
    values(
        "OQ-406",
        &["All of them take any number of nominal answers", "Conger's kappa (1980)"],
        &[],
        "The same coefficients, and Conger's kappa, of any number of answers.",
        WRONG_STANDARD,
        (Set::Nominal, &["ac1", "fleiss", "conger", "alpha", "kappa"], EXACT),
    ),
    values(
        "OQ-407",
        &["weighted kappa of each pair", "Gwet's AC2 of all"],
        &[],
        "Weighted kappa and AC2 on a declared scale.",
        WRONG_STANDARD,
        (Set::Ordinal, &["ac2", "weighted kappa"], EXACT),
    ),
    values(
        "OQ-408",
        &["the prevalence index |a − d|/n and the bias index |b − c|/n"],
        &[],
        "What stands beside a kappa: agreement, prevalence index, bias index.",
        WRONG_STANDARD,
        (Set::Formulas, &["indices"], EXACT),
    ),
    values(
        "OQ-409",
        &[
            "Readers beside the device: difference, score interval",
            "Readers beside the device: difference, square and add",
        ],
        &["tango", "newcombe"],
        "The difference of a reader and the device on the same cases.",
        WRONG_INTERVAL,
        (Set::BesideReaders, &["tango", "newcombe"], EXACT),
    ),
    values(
        "OQ-410",
        &["For the AUC the labelling with the largest and the smallest value is found exactly"],
        &[],
        "The largest and the smallest AUC that split votes leave possible.",
        WRONG_DESCRIPTION,
        (Set::Formulas, &["extremes"], EXACT),
    ),
    values(
        "OQ-412",
        &[
            "Repeatability: standard deviation within patients",
            "Repeatability: repeatability coefficient",
            "Repeatability: standard deviation between patients",
            "Repeatability: share of the variance between patients",
        ],
        &[],
        "Components of the variance of repeated images, with limits.",
        WRONG_DESCRIPTION,
        (Set::Repeatability, &["within", "between", "intraclass"], 1e-9),
    ),
    values(
        "OQ-413",
        &["Repeatability: mean difference", "Repeatability: limits of agreement"],
        &[],
        "Differences of two images of one patient, and limits of agreement.",
        WRONG_DESCRIPTION,
        (Set::Repeatability, &["mean", "limits"], 1e-9),
    ),
    values(
        "OQ-414",
        &["Repeatability: positive and negative percent agreement"],
        &[],
        "How often images of one patient are called alike.",
        WRONG_DESCRIPTION,
        (Set::Repeatability, &["agreement"], 1e-9),
    ),
    values(
        "OQ-415",
        &["Repeatability: same condition", "Repeatability: different conditions"],
        &[],
        "Repeatability under the same and under different conditions.",
        WRONG_DESCRIPTION,
        (Set::Repeatability, &["same", "different"], 1e-9),
    ),
    values(
        "OQ-416",
        &["**Figures of merit**", "**Covariances of areas**"],
        &[],
        "Areas of readers and modalities, and their covariances by five methods.",
        WRONG_INTERVAL,
        (Set::ReaderStudies, &["auc", "cov"], 1e-8),
    ),
    values(
        "OQ-417",
        &["**Analysis**: Obuchowski and Rockette 1995"],
        &["obuchowski-rockette"],
        "Reader studies by Obuchowski and Rockette with Hillis' degrees of freedom.",
        WRONG_TEST,
        (Set::ReaderStudies, &["or"], 1e-8),
    ),
    values(
        "OQ-418",
        &["**U-statistics** (Gallas 2006"],
        &[],
        "Reader studies by U-statistics.",
        WRONG_TEST,
        (Set::ReaderStudies, &["u"], 1e-8),
    ),
    values(
        "OQ-419",
        &["**The device alone** beside the mean of the readers"],
        &[],
        "The device alone beside the mean of the readers.",
        WRONG_TEST,
        (Set::ReaderStudies, &["dev"], 1e-8),
    ),
    values(
        "OQ-420",
        &["Triage: mean processing time", "Triage: quantiles of the processing time"],
        &[],
        "Mean and quantiles of processing times with their limits.",
        WRONG_DESCRIPTION,
        (Set::Triage, &["mean", "quantiles"], 1e-12),
    ),
    values(
        "OQ-421",
        &[
            "Triage: waiting without the device",
            "Triage: waiting of the flagged, of the others",
            "Triage: time to notification of those with the finding",
        ],
        &[],
        "Mean waiting on a worklist, in order of arrival and with priority.",
        WRONG_DESCRIPTION,
        (Set::Triage, &["waiting"], 1e-12),
    ),
];

const COMPARISONS: &[Requirement] = &[
    values(
        "OQ-501",
        &["Comparisons: `tango`"],
        &[],
        "The score interval and test of a paired difference (Tango 1998).",
        WRONG_INTERVAL,
        (Set::Paired, &["tango", "margin tango", "counts"], COMPARATIVE),
    ),
    values(
        "OQ-502",
        &["Comparisons: `newcombe`, `newcombe-uncorrected`"],
        &["newcombe-uncorrected"],
        "Newcombe's (1998) methods 10 and 8.",
        WRONG_INTERVAL,
        (Set::Paired, &["newcombe10", "newcombe8"], COMPARATIVE),
    ),
    values(
        "OQ-503",
        &["Comparisons: `wald`, `agresti-min`, `bonett-price`"],
        &["agresti-min", "bonett-price"],
        "Three closed intervals of a paired difference.",
        WRONG_INTERVAL,
        (Set::Paired, &["wald", "margin wald", "agresti_min", "bonett_price"], COMPARATIVE),
    ),
    values(
        "OQ-504",
        &["Comparisons: `exact-paired`"],
        &["exact-paired"],
        "The exact interval of a paired difference (Wang 2012).",
        WRONG_INTERVAL,
        (Set::ExactPaired, &["exact-paired"], 1e-5),
    ),
    values(
        "OQ-505",
        &["Comparisons: McNemar, unconditional", "Readers beside the device: p"],
        &[],
        "McNemar's test, conditional and unconditional (Suissa and Shuster 1991).",
        WRONG_TEST,
        (Set::Paired, &["mcnemar", "mcnemar unconditional"], COMPARATIVE),
    ),
    values(
        "OQ-506",
        &["Comparisons: ratio, `log`, `ratio-score`"],
        &["ratio-score"],
        "The ratio of two shares of the same cases.",
        WRONG_INTERVAL,
        (Set::Paired, &["ratio", "ratio score"], COMPARATIVE),
    ),
    values(
        "OQ-507",
        &["Comparisons: predictive values, test", "Comparisons: predictive values, ratio"],
        &[],
        "Predictive values of two devices: tests and ratio.",
        WRONG_TEST,
        (
            Set::Paired,
            &[
                "predictive A",
                "predictive B",
                "predictive diff",
                "predictive gs",
                "predictive wgs",
                "predictive rel",
            ],
            COMPARATIVE,
        ),
    ),
    values(
        "OQ-508",
        &["Comparisons: `miettinen-nurminen`, `mee`"],
        &["miettinen-nurminen", "mee"],
        "Score intervals and tests of shares of different cases.",
        WRONG_INTERVAL,
        (Set::Unpaired, &["mn", "mee", "margin mn", "margin mee"], COMPARATIVE),
    ),
    values(
        "OQ-509",
        &["Comparisons: `newcombe`, `agresti-caffo`, `wald` of different cases"],
        &["agresti-caffo"],
        "Closed intervals of shares of different cases.",
        WRONG_INTERVAL,
        (Set::Unpaired, &["newcombe", "agresti_caffo", "wald", "counts"], COMPARATIVE),
    ),
    values(
        "OQ-510",
        &["Comparisons: AUC"],
        &[],
        "The difference of two AUCs against a margin: non-inferiority, superiority, equivalence.",
        WRONG_TEST,
        (Set::Areas, &["auc"], COMPARATIVE),
    ),
    values(
        "OQ-511",
        &["Comparisons: `delta`"],
        &["delta"],
        "The linearised difference of two shares with patients kept together, by Student's t.",
        WRONG_INTERVAL,
        (Set::Formulas, &["linearised"], 1e-11),
    ),
];

const SEVERAL: &[Requirement] = &[
    values(
        "OQ-601",
        &["Multiplicity: Bonferroni, weighted Bonferroni"],
        &[],
        "Bonferroni's rule, with weights and without.",
        WRONG_TEST,
        (Set::Multiplicity, &["bonferroni", "weighted_bonferroni"], COMPARATIVE),
    ),
    values(
        "OQ-602",
        &["Multiplicity: Holm, weighted Holm"],
        &[],
        "Holm's rule, with weights and without.",
        WRONG_TEST,
        (Set::Multiplicity, &["holm", "weighted_holm"], COMPARATIVE),
    ),
    values(
        "OQ-603",
        &["Multiplicity: Hochberg, Hommel"],
        &[],
        "Hochberg's and Hommel's rules.",
        WRONG_TEST,
        (Set::Multiplicity, &["hochberg", "hommel"], COMPARATIVE),
    ),
    values(
        "OQ-604",
        &["Multiplicity: fixed sequence, fallback"],
        &[],
        "The fixed sequence and the fallback procedure.",
        WRONG_TEST,
        (Set::Multiplicity, &["fixed_sequence", "fallback"], COMPARATIVE),
    ),
    values(
        "OQ-605",
        &["Multiplicity: graph"],
        &[],
        "Graphs of hypotheses: adjusted p values, rejections, what is left.",
        WRONG_TEST,
        (Set::Multiplicity, &["graphical"], COMPARATIVE),
    ),
    values(
        "OQ-606",
        &["Sites: AUC"],
        &[],
        "Cochran's Q and I² of estimates over sites.",
        WRONG_TEST,
        (Set::Formulas, &["cochran"], EXACT),
    ),
    values(
        "OQ-607",
        &["Sites: sensitivity, specificity, prevalence"],
        &[],
        "Equality of shares over sites: Pearson's test and the exact conditional one.",
        WRONG_TEST,
        (Set::Sites, &["pearson", "exact conditional"], EXACT),
    ),
    values(
        "OQ-608",
        &["Sites: the same, where patients have several cases"],
        &[],
        "The same where patients have several cases (Rao and Scott 1992).",
        WRONG_TEST,
        (Set::Sites, &["rao-scott"], EXACT),
    ),
    values(
        "OQ-609",
        &["Bootstrap: closed laws of sensitivity, specificity, accuracy"],
        &["bootstrap-exact"],
        "Percentile limits of shares without drawing.",
        WRONG_INTERVAL,
        (Set::Laws, &["closed law"], EXACT),
    ),
    values(
        "OQ-610",
        &["Bootstrap: percentile limits of every metric of a 2x2 table without drawing: `metrics \
             --bootstrap exact`"],
        &[],
        "Percentile limits of any number of a 2×2 table, summed over all tables.",
        WRONG_INTERVAL,
        (Set::Formulas, &["percentile"], EXACT),
    ),
    values(
        "OQ-611",
        &["Bootstrap: acceleration of BCa"],
        &[],
        "The acceleration of BCa from the exact jackknife.",
        WRONG_INTERVAL,
        (Set::Laws, &["acceleration"], EXACT),
    ),
    values(
        "OQ-612",
        &[
            "Bootstrap: mean, standard error, quantiles and share of dropped replicates of AUC, \
             sensitivity, specificity, F1; drawn by case, by class, by patient",
            "Readers beside the device: difference, patients with several cases",
        ],
        &["bootstrap-percentile", "bootstrap-basic"],
        "Replicates drawn by case, class and patient follow their law.",
        WRONG_INTERVAL,
        (Set::Drawn, &["replicates"], 1.0),
    ),
    values(
        "OQ-613",
        &["Bootstrap: BCa limits"],
        &["bootstrap-bca"],
        "BCa limits beside those of another program.",
        WRONG_INTERVAL,
        (Set::Drawn, &["bca"], 1.0),
    ),
    values(
        "OQ-614",
        &["Quantiles of replicates are of type 7"],
        &[],
        "Quantiles are of type 7.",
        WRONG_INTERVAL,
        (Set::Formulas, &["quantile"], EXACT),
    ),
    values(
        "OQ-615",
        &["the 95 % quantile would be wrong in the eleventh digit"],
        &[],
        "Quantiles and tails of the normal law.",
        WRONG_INTERVAL,
        (Set::Formulas, &["normal"], 1e-14),
    ),
    values(
        "OQ-616",
        &["chi-squared tail is within 6e-13 of mpmath"],
        &[],
        "Tails of the chi-squared law.",
        WRONG_TEST,
        (Set::Tails, &["chi-squared"], EXACT),
    ),
];

const PLANNING: &[Requirement] = &[
    values(
        "OQ-701",
        &["Sample size and power for an AUC"],
        &[],
        "The size for an AUC goal (Obuchowski).",
        WRONG_SIZE,
        (Set::Design, &["auc size"], EXACT),
    ),
    values(
        "OQ-702",
        &["exact binomial designs, both the first n and the n from which the power is never lost"],
        &[],
        "Exact sizes for a share.",
        WRONG_SIZE,
        (Set::Design, &["binomial size"], EXACT),
    ),
    values(
        "OQ-703",
        &["widths of Clopper-Pearson and Wilson intervals"],
        &[],
        "Sizes for a width.",
        WRONG_SIZE,
        (Set::Design, &["width"], EXACT),
    ),
    values(
        "OQ-704",
        &["Design: AUC, size for a confidence bound", "Design: AUC, size for a half width"],
        &[],
        "Sizes for a bound and for a half width of an AUC.",
        WRONG_SIZE,
        (Set::Formulas, &["sizing auc"], 1e-9),
    ),
    values(
        "OQ-705",
        &["Design: not worse by a margin, paired shares", "Design: not worse by a margin, paired AUCs"],
        &[],
        "Sizes for not being worse by a margin.",
        WRONG_SIZE,
        (Set::Formulas, &["sizing tango", "sizing paired"], EXACT),
    ),
    values(
        "OQ-706",
        &["Design: observed to expected", "Design: calibration slope"],
        &[],
        "Sizes for a calibration that is known well enough (Riley et al. 2021).",
        WRONG_SIZE,
        (Set::Formulas, &["sizing observed", "sizing slope"], 1e-11),
    ),
    values(
        "OQ-707",
        &["Design: assurance"],
        &[],
        "Power averaged over what is uncertain.",
        WRONG_SIZE,
        (Set::Formulas, &["sizing assurance"], EXACT),
    ),
    values(
        "OQ-708",
        &["design effect for unequal clusters", "goals from PPV, NPV and prevalence"],
        &[],
        "Design effect of unequal clusters, and goals from predictive values.",
        WRONG_SIZE,
        (Set::Formulas, &["sizing design", "sizing goal"], EXACT),
    ),
    values(
        "OQ-710",
        &["Design: superiority, non-inferiority, equivalence of paired shares \
             (`src/statistics/comparative/power.rs`)"],
        &[],
        "Power of a comparison of paired shares by the normal law.",
        WRONG_SIZE,
        (Set::Power, &["paired"], COMPARATIVE),
    ),
    values(
        "OQ-711",
        &["Design: the same exactly"],
        &[],
        "The same as the sum over every table.",
        WRONG_SIZE,
        (Set::Power, &["exactly"], COMPARATIVE),
    ),
    values(
        "OQ-712",
        &["Design: unpaired shares, and exactly"],
        &[],
        "Power of a comparison of shares of different cases.",
        WRONG_SIZE,
        (Set::Power, &["independent"], COMPARATIVE),
    ),
    values(
        "OQ-713",
        &["Design: paired and unpaired AUCs"],
        &[],
        "Power of a comparison of AUCs.",
        WRONG_SIZE,
        (Set::Power, &["areas"], EXACT),
    ),
    values(
        "OQ-714",
        &["## Weighted samples"],
        &[],
        "Measures of a weighted sample, and their linearised errors.",
        WRONG_VALUE,
        (Set::Formulas, &["weighted"], EXACT),
    ),
    values(
        "OQ-709",
        &["## Differences between sets of cases"],
        &[],
        "Standardised differences of means, shares and several levels.",
        WRONG_DESCRIPTION,
        (
            Set::Formulas,
            &["standardised continuous", "standardised binary", "standardised categorical"],
            EXACT,
        ),
    ),
];

const WRONG_ALARM: Risk =
    Risk { harm: "a device in use alarms too late, or too often", severity: Severity::High };

const MONITORING: &[Requirement] = &[
    values(
        "OQ-801",
        &["Monitoring: average run length, one sum"],
        &[],
        "Average run lengths of one cumulative sum, in control and after a shift.",
        WRONG_ALARM,
        (Set::RunLengths, &["one"], 1e-8),
    ),
    values(
        "OQ-802",
        &["Monitoring: average run length, two sums"],
        &[],
        "Average run lengths of two cumulative sums, one upwards and one downwards.",
        WRONG_ALARM,
        (Set::RunLengths, &["two"], 1e-8),
    ),
    values(
        "OQ-803",
        &["Monitoring: limit of a run length"],
        &[],
        "The limit of a cumulative sum for a wanted run length.",
        WRONG_ALARM,
        (Set::RunLengths, &["limit"], 1e-8),
    ),
];
