//! An estimate carries its method: the value, its intervals, and how each was made.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::warning::Warning;

/// What a bootstrap draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ResamplingUnit {
    /// Single cases.
    Case,
    /// Cases within each class, so that the number of positives is fixed.
    CaseStratified,
    /// Patients with all their cases.
    Patient,
    /// Sites with all their cases.
    Site,
    /// Sites, then patients within them.
    SiteThenPatient,
}

/// What an interval is of, as far as its name depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// A share of cases k/n.
    Share,
    /// An area under the ROC curve, or a difference of two.
    Area,
    /// Everything else: where a binomial method is named, its limits were carried through a function.
    Projected,
}

/// How an interval was computed. The names are those that documents and JSON print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum IntervalMethod {
    /// DeLong, DeLong and Clarke-Pearson 1988, symmetric, clipped to 0..1.
    Delong,
    /// DeLong variance on the logit scale.
    DelongLogit,
    /// Hanley and McNeil 1982.
    HanleyMcneil,
    /// Obuchowski 1997, clustered data.
    Obuchowski,
    /// Unbiased U-statistic variance (Gallas 2006).
    UStatistic,
    /// Obuchowski and Rockette 1995 with the degrees of freedom of Hillis (2007): several readers.
    ObuchowskiRockette,
    /// Clopper and Pearson 1934, exact; of what is no proportion, its limits carried through.
    ClopperPearson,
    /// Clopper and Pearson 1934 on patients: below, those all of whose cases are right, above, those any of
    /// whose cases are.
    ClopperPearsonPatients,
    /// Korn and Graubard 1998: Clopper-Pearson limits on the effective number of cases.
    KornGraubard,
    /// Wilson 1927, score interval.
    Wilson,
    /// Agresti and Coull 1998.
    AgrestiCoull,
    /// Jeffreys prior, as Brown, Cai and DasGupta 2001 modify it at the boundary.
    Jeffreys,
    /// Tango 1998, score interval of a difference of two shares of the same cases.
    Tango,
    /// Newcombe 1998, method 10: the same from Wilson's limits of both shares.
    Newcombe,
    /// Newcombe 1998, method 8: the same without continuity correction of the correlation.
    NewcombeUncorrected,
    /// Bonett and Price 2012, a difference of two shares of the same cases.
    BonettPrice,
    /// Agresti and Min 2005, the same.
    AgrestiMin,
    /// Wang 2012, the same, exact and not conditional on the discordant cases.
    ExactPaired,
    /// Miettinen and Nurminen 1985, score interval of a difference of two shares of different cases.
    MiettinenNurminen,
    /// Mee 1984, the same without the factor N/(N − 1).
    Mee,
    /// Agresti and Caffo 2000, a difference of two shares of different cases.
    AgrestiCaffo,
    /// Nam and Blackwelder 2002, score interval of a ratio of two shares of the same cases.
    RatioScore,
    /// Symmetric, from a linearised statistic (delta method) with patients kept together and Student's t.
    Delta,
    /// Symmetric on the log scale (ratios).
    Log,
    /// Symmetric on the estimate's own scale from an asymptotic standard error.
    Wald,
    /// Hoeffding 1963, Chernoff's form: the mean of bounded terms, whatever their law.
    Hoeffding,
    /// Bootstrap percentile, from the law itself instead of replicates.
    BootstrapExact,
    /// Bootstrap percentile.
    BootstrapPercentile,
    /// Bootstrap basic (reverse percentile).
    BootstrapBasic,
    /// Bootstrap bias-corrected and accelerated (Efron 1987).
    BootstrapBca,
}

impl IntervalMethod {
    /// Every method, in the order in which they are listed.
    pub const ALL: [Self; 30] = [
        Self::Delong,
        Self::DelongLogit,
        Self::HanleyMcneil,
        Self::Obuchowski,
        Self::UStatistic,
        Self::ObuchowskiRockette,
        Self::ClopperPearson,
        Self::ClopperPearsonPatients,
        Self::KornGraubard,
        Self::Wilson,
        Self::AgrestiCoull,
        Self::Jeffreys,
        Self::Tango,
        Self::Newcombe,
        Self::NewcombeUncorrected,
        Self::BonettPrice,
        Self::AgrestiMin,
        Self::ExactPaired,
        Self::MiettinenNurminen,
        Self::Mee,
        Self::AgrestiCaffo,
        Self::RatioScore,
        Self::Delta,
        Self::Log,
        Self::Wald,
        Self::Hoeffding,
        Self::BootstrapExact,
        Self::BootstrapPercentile,
        Self::BootstrapBasic,
        Self::BootstrapBca,
    ];

    /// The name in protocols, in `results.json` and on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Delong => "delong",
            Self::DelongLogit => "delong-logit",
            Self::HanleyMcneil => "hanley-mcneil",
            Self::Obuchowski => "obuchowski",
            Self::UStatistic => "u-statistic",
            Self::ObuchowskiRockette => "obuchowski-rockette",
            Self::ClopperPearson => "clopper-pearson",
            Self::ClopperPearsonPatients => "clopper-pearson-patients",
            Self::KornGraubard => "korn-graubard",
            Self::Wilson => "wilson",
            Self::AgrestiCoull => "agresti-coull",
            Self::Jeffreys => "jeffreys",
            Self::Tango => "tango",
            Self::Newcombe => "newcombe",
            Self::NewcombeUncorrected => "newcombe-uncorrected",
            Self::BonettPrice => "bonett-price",
            Self::AgrestiMin => "agresti-min",
            Self::ExactPaired => "exact-paired",
            Self::MiettinenNurminen => "miettinen-nurminen",
            Self::Mee => "mee",
            Self::AgrestiCaffo => "agresti-caffo",
            Self::RatioScore => "ratio-score",
            Self::Delta => "delta",
            Self::Log => "log",
            Self::Wald => "wald",
            Self::Hoeffding => "hoeffding",
            Self::BootstrapExact => "bootstrap-exact",
            Self::BootstrapPercentile => "bootstrap-percentile",
            Self::BootstrapBasic => "bootstrap-basic",
            Self::BootstrapBca => "bootstrap-bca",
        }
    }

    /// Whether it exists where the bootstrap draws this: the law itself is known where cases are drawn alone.
    pub fn exists_for(self, unit: ResamplingUnit) -> bool {
        self != Self::BootstrapExact || matches!(unit, ResamplingUnit::Case | ResamplingUnit::CaseStratified)
    }

    /// Whether its limits are quantiles of drawn replicates.
    pub fn draws_replicates(self) -> bool {
        matches!(self, Self::BootstrapPercentile | Self::BootstrapBasic | Self::BootstrapBca)
    }

    /// The method in words, with its source, for documents. "Clopper and Pearson, exact" is the name for
    /// proportions; what is carried from its limits is called a projection.
    pub fn describe(self, of: Quantity) -> &'static str {
        match (self, of) {
            (Self::ClopperPearson, Quantity::Area) => "Clopper and Pearson (1934) of disjoint pairs",
            (Self::ClopperPearson, Quantity::Projected) => "projected from Clopper-Pearson (1934) limits",
            (Self::ClopperPearsonPatients, Quantity::Projected) => {
                "projected from Clopper-Pearson (1934) limits on patients"
            }
            (Self::KornGraubard, Quantity::Projected) => "projected from Korn-Graubard (1998) limits",
            _ => self.name(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Delong => "DeLong (1988)",
            Self::DelongLogit => "DeLong (1988), logit scale",
            Self::HanleyMcneil => "Hanley and McNeil (1982)",
            Self::Obuchowski => "Obuchowski (1997), clustered",
            Self::UStatistic => "unbiased U-statistic (Gallas 2006)",
            Self::ObuchowskiRockette => "Obuchowski and Rockette (1995), Hillis (2007)",
            Self::ClopperPearson => "Clopper and Pearson (1934), exact",
            Self::ClopperPearsonPatients => "Clopper and Pearson (1934) on patients",
            Self::KornGraubard => "Korn and Graubard (1998), effective number",
            Self::Wilson => "Wilson (1927) score",
            Self::AgrestiCoull => "Agresti and Coull (1998)",
            Self::Jeffreys => "Jeffreys (Brown, Cai and DasGupta 2001)",
            Self::Tango => "Tango (1998) score",
            Self::Newcombe => "Newcombe (1998), method 10",
            Self::NewcombeUncorrected => "Newcombe (1998), method 8",
            Self::BonettPrice => "Bonett and Price (2012)",
            Self::AgrestiMin => "Agresti and Min (2005)",
            Self::ExactPaired => "Wang (2012), exact unconditional",
            Self::MiettinenNurminen => "Miettinen and Nurminen (1985) score",
            Self::Mee => "Mee (1984) score",
            Self::AgrestiCaffo => "Agresti and Caffo (2000)",
            Self::RatioScore => "Nam and Blackwelder (2002) score",
            Self::Delta => "linearised (Student's t), patients kept together",
            Self::Log => "log scale",
            Self::Wald => "asymptotic normal",
            Self::Hoeffding => "Hoeffding (1963), bounded terms",
            Self::BootstrapExact => "bootstrap percentile, exact law",
            Self::BootstrapPercentile => "bootstrap percentile",
            Self::BootstrapBasic => "basic bootstrap",
            Self::BootstrapBca => "bootstrap BCa (Efron 1987)",
        }
    }
}

/// An interval and everything that is needed to compute it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Interval {
    /// How.
    pub method: IntervalMethod,
    /// Confidence level, two-sided, in 0..1.
    pub level: f64,
    /// Lower limit.
    pub lower: f64,
    /// Upper limit.
    pub upper: f64,
    /// Bootstrap: what was drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<ResamplingUnit>,
    /// Bootstrap: how many replicates were drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicates: Option<u64>,
    /// Bootstrap: the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Bootstrap: replicates that could not be evaluated and were left out of the quantiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<u64>,
}

impl Interval {
    /// In closed form: nothing was drawn.
    pub fn closed(method: IntervalMethod, level: f64, (lower, upper): (f64, f64)) -> Self {
        Self { method, level, lower, upper, unit: None, replicates: None, seed: None, dropped: None }
    }

    /// Whether it is one point, or all but one: narrower than any spread that cases can have.
    pub fn is_point(&self) -> bool {
        self.upper - self.lower <= 1e-9 * (1.0 + self.lower.abs())
    }
}

/// One level of a subgroup variable, such as `sex=F`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct SubgroupLevel {
    /// `sex`, `age`, `site`, ...: a name without `=`.
    pub variable: String,
    /// Such as `F`, `18-44` or `not recorded`.
    pub level: String,
}

impl SubgroupLevel {
    /// A level of a variable.
    pub fn new(variable: impl Into<String>, level: impl Into<String>) -> Self {
        Self { variable: variable.into(), level: level.into() }
    }
}

/// As it is written.
impl fmt::Display for SubgroupLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.variable, self.level)
    }
}

impl From<SubgroupLevel> for String {
    fn from(subgroup: SubgroupLevel) -> Self {
        subgroup.to_string()
    }
}

impl TryFrom<String> for SubgroupLevel {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = text.split_once('=');
        let (variable, level) = parts.ok_or_else(|| format!("`{text}` is not variable=level"))?;
        Ok(Self::new(variable, level))
    }
}

/// How incomplete cases are handled in a sensitivity analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// Every incomplete case counts for the device.
    BestCase,
    /// Every incomplete case counts against the device.
    WorstCase,
    /// Cases without a unanimous reference standard are left out.
    UnanimousOnly,
}

impl Scenario {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::BestCase => "best-case",
            Self::WorstCase => "worst-case",
            Self::UnanimousOnly => "unanimous-only",
        }
    }
}

/// One number of a study, or the reason why there is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Estimate {
    /// What it is: `auc`, `sensitivity`, ...
    pub id: String,
    /// The value; `None` when it is not evaluable. Never NaN or infinite.
    pub value: Option<f64>,
    /// Why there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_evaluable: Option<String>,
    /// Asymptotic standard error where one exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<f64>,
    /// Two-sided p value of a test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// For proportions: the count above the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numerator: Option<u64>,
    /// For proportions: the count below the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denominator: Option<u64>,
    /// Cases it was computed from.
    pub n: u64,
    /// Positives among them.
    pub positives: u64,
    /// Intervals. The first is the one to quote: the declared one, unless it is none and a sound one is
    /// there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intervals: Vec<Interval>,
    /// The operating point it holds at: positive is score >= threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// The subgroup it is about; none for all cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subgroup: Option<SubgroupLevel>,
    /// Which model or which readers, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Which handling of incomplete cases, where it is not the primary one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<Scenario>,
    /// The prevalence it holds at, where it was transported to another than the sample's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prevalence: Option<f64>,
    /// Things to know about this estimate, written as `code: message`.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "crate::warning::texts")]
    #[cfg_attr(feature = "schemas", schemars(with = "Vec<String>", inner(regex(pattern = "^[a-z0-9-]+: "))))]
    pub warnings: Vec<Warning>,
}

impl Estimate {
    /// What its intervals are of.
    pub fn quantity(&self) -> Quantity {
        match self.id.as_str() {
            _ if self.prevalence.is_some() => Quantity::Projected,
            "auc" | "auc_difference" => Quantity::Area,
            _ if self.denominator.is_some() => Quantity::Share,
            _ => Quantity::Projected,
        }
    }
}
