//! What a training makes small: the loss of a case, and the weights of the two classes in it.

use serde::{Deserialize, Serialize};

/// Weights of the two classes in the loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ClassWeights {
    /// All cases weigh 1.
    None,
    /// `cases / (2 * cases of the class)`, counted on the training cases.
    Balanced,
    /// Inverse to the effective number of cases `(1 - beta^n) / (1 - beta)`, scaled to a sum of 2: Cui, Jia,
    /// Lin, Song and Belongie, "Class-balanced loss based on effective number of samples", CVPR 2019,
    /// equations 2 and 4.
    EffectiveNumber {
        /// From 0 (no weights) to below 1 (towards inverse frequency).
        beta: f64,
    },
}

impl ClassWeights {
    /// Weight of a negative and of a positive case. Both counts are positive.
    pub fn weights(self, negatives: usize, positives: usize) -> [f64; 2] {
        let share = |class: usize| (negatives + positives) as f64 / (2.0 * class as f64);
        match self {
            Self::None => [1.0, 1.0],
            Self::Balanced => [share(negatives), share(positives)],
            Self::EffectiveNumber { beta } => {
                // 1 - beta^n without cancellation: -expm1(n ln beta); with beta 0 it is 1.
                let inverse = |class: usize| (1.0 - beta) / -(class as f64 * beta.ln()).exp_m1();
                let raw = [inverse(negatives), inverse(positives)];
                raw.map(|weight| 2.0 * weight / (raw[0] + raw[1]))
            }
        }
    }
}

/// What the optimiser makes small, for one case with label `y`, weight `w` and probability `p` of its own
/// class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// `-w ln p`.
    #[default]
    WeightedBinaryCrossEntropy,
    /// `-w (1 - p)^gamma ln p`: Lin, Goyal, Girshick, He and Dollar, "Focal loss for dense object detection",
    /// ICCV 2017, equation 5.
    Focal {
        /// 0 is cross-entropy; the paper's choice is 2.
        gamma: f64,
    },
}

impl Loss {
    /// Whether it is the cross-entropy.
    pub fn is_cross_entropy(&self) -> bool {
        *self == Self::WeightedBinaryCrossEntropy
    }

    /// The loss of a case without its weight, from its logit, without overflow.
    pub fn of_logit(self, logit: f64, label: bool) -> f64 {
        let z = if label { -logit } else { logit };
        let cross_entropy = z.max(0.0) + (-z.abs()).exp().ln_1p();
        match self {
            Self::WeightedBinaryCrossEntropy => cross_entropy,
            // 1 - p = 1 - e^-cross_entropy.
            Self::Focal { gamma } => (-(-cross_entropy).exp_m1()).powf(gamma) * cross_entropy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_weights_give_both_classes_the_same_sum() {
        let [negative, positive] = ClassWeights::Balanced.weights(900, 100);
        assert_eq!(900.0 * negative, 100.0 * positive);
        assert_eq!(900.0 * negative + 100.0 * positive, 1000.0);
    }

    #[test]
    fn effective_numbers_lie_between_no_weights_and_balanced_ones() {
        let weights = |beta| ClassWeights::EffectiveNumber { beta }.weights(900, 100);
        assert_eq!(weights(0.0), [1.0, 1.0]);
        // (1 - 0.9^900) / (1 - 0.9^100) is close to 1, by hand 1.0000265621.
        let [negative, positive] = weights(0.9);
        assert!((positive / negative - 1.000_026_562_1).abs() < 1e-10);
        let [negative, positive] = weights(1.0 - 1e-9);
        assert!((positive / negative - 9.0).abs() < 1e-5 && (positive + negative - 2.0).abs() < 1e-12);
    }

    #[test]
    fn losses_agree_with_their_definitions_and_do_not_overflow() {
        let (plain, focal) = (Loss::WeightedBinaryCrossEntropy, Loss::Focal { gamma: 2.0 });
        for logit in [-3.0_f64, 0.0, 0.7, 5.0] {
            let p = 1.0 / (1.0 + (-logit).exp());
            assert!((plain.of_logit(logit, true) + p.ln()).abs() < 1e-12);
            assert!((plain.of_logit(logit, false) + (1.0 - p).ln()).abs() < 1e-12);
            assert!((focal.of_logit(logit, true) + (1.0 - p).powi(2) * p.ln()).abs() < 1e-12);
            assert!((focal.of_logit(logit, false) + p.powi(2) * (1.0 - p).ln()).abs() < 1e-12);
        }
        assert_eq!(plain.of_logit(-1000.0, true), 1000.0);
        assert_eq!(plain.of_logit(1000.0, true), 0.0);
        assert_eq!(focal.of_logit(1000.0, true), 0.0);
    }
}
