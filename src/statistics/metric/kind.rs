//! What can be estimated: the ids, what each needs, and which intervals exist for it.

use serde::{Deserialize, Serialize};

use crate::confusion::{Confusion, share};
use crate::estimate::{IntervalMethod, IntervalMethod as By, Quantity};

/// What can be estimated of one model. The serialised names are the ids in `results.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Area under the ROC curve.
    Auc,
    /// Average precision.
    AveragePrecision,
    /// Partial area, standardised (McClish 1989).
    PartialAuc,
    /// TP / (TP + FN).
    Sensitivity,
    /// TN / (TN + FP).
    Specificity,
    /// TP / (TP + FP).
    Ppv,
    /// TN / (TN + FN).
    Npv,
    /// (TP + TN) / n.
    Accuracy,
    /// (TP + FN) / n.
    Prevalence,
    /// 2TP / (2TP + FP + FN).
    F1,
    /// Mean of sensitivity and specificity.
    BalancedAccuracy,
    /// Sensitivity + specificity − 1.
    Youden,
    /// Matthews correlation.
    Mcc,
    /// Positive likelihood ratio.
    LrPositive,
    /// Negative likelihood ratio.
    LrNegative,
    /// Diagnostic odds ratio.
    DiagnosticOddsRatio,
    /// Brier score.
    Brier,
    /// Log loss.
    LogLoss,
    /// Expected calibration error, ten equal bins, left-closed.
    Ece,
    /// Maximum calibration error, same bins.
    Mce,
    /// Calibration slope.
    CalibrationSlope,
    /// Calibration intercept.
    CalibrationIntercept,
    /// Calibration in the large.
    CalibrationInTheLarge,
}

impl Metric {
    /// Every metric, in the order of documents.
    pub const ALL: [Self; 23] = [
        Self::Auc,
        Self::AveragePrecision,
        Self::PartialAuc,
        Self::Sensitivity,
        Self::Specificity,
        Self::Ppv,
        Self::Npv,
        Self::Accuracy,
        Self::Prevalence,
        Self::F1,
        Self::BalancedAccuracy,
        Self::Youden,
        Self::Mcc,
        Self::LrPositive,
        Self::LrNegative,
        Self::DiagnosticOddsRatio,
        Self::Brier,
        Self::LogLoss,
        Self::Ece,
        Self::Mce,
        Self::CalibrationSlope,
        Self::CalibrationIntercept,
        Self::CalibrationInTheLarge,
    ];

    /// What a study reports over all cases, in this order, and so what an endpoint of a protocol can name.
    pub const ENDPOINTS: [Self; 14] = [
        Self::Auc,
        Self::Sensitivity,
        Self::Specificity,
        Self::Ppv,
        Self::Npv,
        Self::Accuracy,
        Self::F1,
        Self::BalancedAccuracy,
        Self::Youden,
        Self::Mcc,
        Self::LrPositive,
        Self::LrNegative,
        Self::DiagnosticOddsRatio,
        Self::AveragePrecision,
    ];

    /// What a study reports of its scores as probabilities, in this order.
    pub const CALIBRATION: [Self; 4] =
        [Self::Brier, Self::CalibrationInTheLarge, Self::CalibrationIntercept, Self::CalibrationSlope];

    /// The id in files and on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Auc => "auc",
            Self::AveragePrecision => "average_precision",
            Self::PartialAuc => "partial_auc",
            Self::Sensitivity => "sensitivity",
            Self::Specificity => "specificity",
            Self::Ppv => "ppv",
            Self::Npv => "npv",
            Self::Accuracy => "accuracy",
            Self::Prevalence => "prevalence",
            Self::F1 => "f1",
            Self::BalancedAccuracy => "balanced_accuracy",
            Self::Youden => "youden",
            Self::Mcc => "mcc",
            Self::LrPositive => "lr_positive",
            Self::LrNegative => "lr_negative",
            Self::DiagnosticOddsRatio => "diagnostic_odds_ratio",
            Self::Brier => "brier",
            Self::LogLoss => "log_loss",
            Self::Ece => "ece",
            Self::Mce => "mce",
            Self::CalibrationSlope => "calibration_slope",
            Self::CalibrationIntercept => "calibration_intercept",
            Self::CalibrationInTheLarge => "calibration_in_the_large",
        }
    }

    /// The metric of an id.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.id() == id)
    }

    /// Whether the metric holds at a threshold.
    pub fn needs_threshold(self) -> bool {
        self.is_of_table() && self != Self::Prevalence
    }

    /// Whether scores must be probabilities in 0..1.
    pub fn needs_probabilities(self) -> bool {
        matches!(self, Self::Brier | Self::LogLoss | Self::Ece | Self::Mce) || self.is_fitted()
    }

    /// Whether a regression of the outcome on the score is fitted for it.
    pub fn is_fitted(self) -> bool {
        matches!(self, Self::CalibrationSlope | Self::CalibrationIntercept | Self::CalibrationInTheLarge)
    }

    /// Whether the value depends on how common the finding is in the sample.
    pub fn depends_on_prevalence(self) -> bool {
        matches!(
            self,
            Self::Ppv
                | Self::Npv
                | Self::Accuracy
                | Self::Prevalence
                | Self::F1
                | Self::Mcc
                | Self::AveragePrecision
        ) || self.needs_probabilities()
    }

    /// A single share of cases k/n.
    pub fn is_proportion(self) -> bool {
        use Metric::{Accuracy, Npv, Ppv, Prevalence, Sensitivity, Specificity};
        matches!(self, Sensitivity | Specificity | Ppv | Npv | Accuracy | Prevalence)
    }

    /// What its intervals are of.
    pub fn quantity(self) -> Quantity {
        match self {
            Self::Auc => Quantity::Area,
            _ if self.is_proportion() => Quantity::Share,
            _ => Quantity::Projected,
        }
    }

    /// Whether it is made from a 2×2 table alone.
    pub fn is_of_table(self) -> bool {
        use Metric::{BalancedAccuracy, F1, Mcc, Youden};
        use Metric::{DiagnosticOddsRatio, LrNegative, LrPositive};
        self.is_proportion()
            || matches!(self, F1 | BalancedAccuracy | Youden | Mcc)
            || matches!(self, LrPositive | LrNegative | DiagnosticOddsRatio)
    }

    /// The least and the greatest value it can have.
    pub fn range(self) -> (f64, f64) {
        match self {
            Self::Youden | Self::Mcc => (-1.0, 1.0),
            Self::LrPositive | Self::LrNegative | Self::DiagnosticOddsRatio | Self::LogLoss => {
                (0.0, f64::INFINITY)
            }
            Self::CalibrationSlope | Self::CalibrationIntercept | Self::CalibrationInTheLarge => {
                (f64::NEG_INFINITY, f64::INFINITY)
            }
            _ => (0.0, 1.0),
        }
    }

    /// The methods by which an interval exists for the metric.
    pub fn methods(self) -> impl Iterator<Item = IntervalMethod> {
        IntervalMethod::ALL.into_iter().filter(move |method| self.accepts(*method))
    }

    /// Whether an interval by this method exists for the metric.
    pub fn accepts(self, method: IntervalMethod) -> bool {
        let bootstrap = method.draws_replicates();
        let exact = matches!(method, By::ClopperPearson | By::ClopperPearsonPatients | By::KornGraubard);
        let binomial = exact || matches!(method, By::Wilson | By::AgrestiCoull | By::Jeffreys);
        match self {
            Self::Auc => {
                bootstrap
                    || matches!(
                        method,
                        By::Delong | By::DelongLogit | By::HanleyMcneil | By::Obuchowski | By::UStatistic
                    )
            }
            _ if bootstrap => true,
            _ if method == By::BootstrapExact => self.is_of_table(),
            // F1 = 2J/(1+J) of the share J = TP/(TP+FP+FN).
            _ if self.is_proportion() || self == Self::F1 => binomial,
            Self::BalancedAccuracy | Self::Youden => exact || method == By::Wald,
            Self::Mcc => exact,
            Self::LrPositive | Self::LrNegative | Self::DiagnosticOddsRatio => exact || method == By::Log,
            // Its terms lie in 0..1.
            Self::Brier if method == By::Hoeffding => true,
            Self::Brier
            | Self::LogLoss
            | Self::CalibrationSlope
            | Self::CalibrationIntercept
            | Self::CalibrationInTheLarge => method == By::Wald,
            _ => false,
        }
    }

    /// The statistic of a 2×2 table, for metrics that need a threshold.
    pub fn of_table(self, table: &Confusion) -> Option<f64> {
        let of = |(k, n): (u64, u64)| share(k, n);
        match self {
            Self::Sensitivity => of(table.sensitivity()),
            Self::Specificity => of(table.specificity()),
            Self::Ppv => of(table.ppv()),
            Self::Npv => of(table.npv()),
            Self::Accuracy => of(table.accuracy()),
            Self::Prevalence => of(table.prevalence()),
            Self::F1 => table.f1(),
            Self::BalancedAccuracy => table.balanced_accuracy(),
            Self::Youden => table.youden(),
            Self::Mcc => table.mcc(),
            Self::LrPositive => table.lr_positive(),
            Self::LrNegative => table.lr_negative(),
            Self::DiagnosticOddsRatio => table.diagnostic_odds_ratio(),
            _ => None,
        }
    }

    /// [`Self::of_table`] as a function pointer, for the bootstrap.
    pub(super) fn table_statistic(self) -> fn(&Confusion) -> Option<f64> {
        match self {
            Self::Sensitivity => |t| Self::Sensitivity.of_table(t),
            Self::Specificity => |t| Self::Specificity.of_table(t),
            Self::Ppv => |t| Self::Ppv.of_table(t),
            Self::Npv => |t| Self::Npv.of_table(t),
            Self::Accuracy => |t| Self::Accuracy.of_table(t),
            Self::Prevalence => |t| Self::Prevalence.of_table(t),
            Self::F1 => |t| Self::F1.of_table(t),
            Self::BalancedAccuracy => |t| Self::BalancedAccuracy.of_table(t),
            Self::Youden => |t| Self::Youden.of_table(t),
            Self::Mcc => |t| Self::Mcc.of_table(t),
            Self::LrPositive => |t| Self::LrPositive.of_table(t),
            Self::LrNegative => |t| Self::LrNegative.of_table(t),
            Self::DiagnosticOddsRatio => |t| Self::DiagnosticOddsRatio.of_table(t),
            _ => |_| None,
        }
    }

    /// Why there is no value for a table that gives none.
    pub(super) fn why_none(self, table: &Confusion) -> String {
        let (m, n) = (table.positives(), table.negatives());
        match self {
            _ if table.total() == 0 => "there are no cases".into(),
            Self::Sensitivity => "there is no positive case".into(),
            Self::Specificity => "there is no negative case".into(),
            Self::Ppv => "no case is called positive".into(),
            Self::Npv => "no case is called negative".into(),
            Self::F1 => "no case is positive or called positive".into(),
            _ if m == 0 => "there is no positive case".into(),
            _ if n == 0 => "there is no negative case".into(),
            Self::Mcc => "all calls are the same".into(),
            Self::LrPositive => "no negative case is called positive: the ratio is unbounded".into(),
            Self::LrNegative => "no negative case is called negative: the ratio is unbounded".into(),
            _ => "a cell of the table that divides is zero: the ratio is unbounded".into(),
        }
    }
}
