//! Adam, and its moments in a checkpoint.

use std::collections::BTreeMap;

use tch::{Device, TchError, Tensor};

use super::super::network::{to_array, to_tensor};
use sequester::model::experiment::Adam;
use sequester::model::weights::Weights;

/// Adam's moments by tensor name.
pub(super) type Moments = BTreeMap<String, (Tensor, Tensor)>;

/// Kingma and Ba 2015, algorithm 1, on the sum of the gradients in their order.
pub(in super::super) fn adam_step(
    mut tensor: Tensor,
    moments: Option<(Tensor, Tensor)>,
    gradients: Vec<Tensor>,
    adam: Adam,
    rate: f64,
    step: u64,
) -> Result<(Tensor, Tensor), TchError> {
    let mut gradients = gradients.into_iter();
    let mut gradient = match gradients.next() {
        Some(first) => first,
        None => tensor.f_zeros_like()?,
    };
    for next in gradients {
        gradient = gradient.f_add_(&next)?;
    }
    let (mut first, mut second) = match moments {
        Some(moments) => moments,
        None => (tensor.f_zeros_like()?, tensor.f_zeros_like()?),
    };
    let square = gradient.f_square()?;
    first = first.f_mul_scalar_(adam.beta1)?.f_add_(&gradient.f_mul_scalar_(1.0 - adam.beta1)?)?;
    second = second.f_mul_scalar_(adam.beta2)?;
    second = second.f_add_(&square.f_mul_scalar(1.0 - adam.beta2)?)?;
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 steps")]
    let powers = (adam.beta1.powf(step as f64), adam.beta2.powf(step as f64));
    let root = second.f_sqrt()?.f_mul_scalar_(1.0 / (1.0 - powers.1).sqrt())?.f_add_scalar_(adam.epsilon)?;
    let change = first.f_div(&root)?.f_mul_scalar_(-rate / (1.0 - powers.0))?;
    let _ = tensor.f_add_(&change)?;
    Ok((first, second))
}

const FIRST: &str = "adam.first/";
const SECOND: &str = "adam.second/";

pub(super) fn join_checkpoint(mut weights: Weights, moments: &Moments) -> Result<Weights, TchError> {
    for (name, (first, second)) in moments {
        weights.insert(format!("{FIRST}{name}"), to_array(first)?);
        weights.insert(format!("{SECOND}{name}"), to_array(second)?);
    }
    Ok(weights)
}

pub(super) fn split_checkpoint(mut all: Weights, device: Device) -> Result<(Weights, Moments), TchError> {
    let names: Vec<String> =
        all.keys().filter_map(|name| name.strip_prefix(FIRST)).map(str::to_owned).collect();
    let mut moments = Moments::new();
    for name in names {
        let first = all.remove(&format!("{FIRST}{name}"));
        let second = all.remove(&format!("{SECOND}{name}"));
        if let (Some(first), Some(second)) = (first, second) {
            moments.insert(name, (to_tensor(&first, device)?, to_tensor(&second, device)?));
        }
    }
    Ok((all, moments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adam_step_is_the_one_worked_out_by_hand() {
        // Gradient 2 at step 1: both moments are corrected to 2 and 4, so the step is -rate * 2 / (2 +
        // epsilon).
        let tensor = Tensor::from_slice(&[1.0_f32]);
        let gradients = vec![Tensor::from_slice(&[1.5_f32]), Tensor::from_slice(&[0.5_f32])];
        let adam = Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
        let (first, second) =
            adam_step(tensor.shallow_clone(), None, gradients, adam, 0.1, 1).expect("steps");
        assert!((tensor.double_value(&[0]) - 0.9).abs() < 1e-6);
        assert!((first.double_value(&[0]) - 0.2).abs() < 1e-7);
        assert!((second.double_value(&[0]) - 0.004).abs() < 1e-7);
    }
}
