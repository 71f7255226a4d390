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
    let moments = match moments {
        Some(moments) => moments,
        None => (tensor.f_zeros_like()?, tensor.f_zeros_like()?),
    };
    let mut gradients = gradients.into_iter();
    let mut gradient = match gradients.next() {
        Some(first) => first,
        None => tensor.f_zeros_like()?,
    };
    for next in gradients {
        gradient = gradient.f_add_(&next)?;
    }
    let (change, moments) = change(gradient, moments, adam, rate, step)?;
    let _ = tensor.f_add_(&change)?;
    Ok(moments)
}

/// What is added to a tensor with this gradient, and its moments from here on.
fn change(
    mut gradient: Tensor,
    (mut first, mut second): (Tensor, Tensor),
    adam: Adam,
    rate: f64,
    step: u64,
) -> Result<(Tensor, (Tensor, Tensor)), TchError> {
    let square = gradient.f_square()?;
    first = first.f_mul_scalar_(adam.beta1)?.f_add_(&gradient.f_mul_scalar_(1.0 - adam.beta1)?)?;
    second = second.f_mul_scalar_(adam.beta2)?;
    second = second.f_add_(&square.f_mul_scalar(1.0 - adam.beta2)?)?;
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 steps")]
    let powers = (adam.beta1.powf(step as f64), adam.beta2.powf(step as f64));
    let root = second.f_sqrt()?.f_mul_scalar_(1.0 / (1.0 - powers.1).sqrt())?.f_add_scalar_(adam.epsilon)?;
    let change = first.f_div(&root)?.f_mul_scalar_(-rate / (1.0 - powers.0))?;
    Ok((change, (first, second)))
}

/// A tensor that moves.
pub(super) struct Moving {
    pub tensor: Tensor,
    pub moments: Option<(Tensor, Tensor)>,
    /// One of each shard, as many of each tensor.
    pub gradients: Vec<Tensor>,
}

/// [`adam_step`] of several tensors laid end to end, with the same numbers. A graphics processor is kept busy
/// by a few large operations; a hundred tensors with a dozen operations each it mostly waits for.
pub(super) fn adam_step_of_all(
    moving: Vec<Moving>,
    adam: Adam,
    rate: f64,
    step: u64,
) -> Result<Vec<(Tensor, Tensor)>, TchError> {
    let shards = moving.first().map_or(0, |one| one.gradients.len());
    let mut gradient = None;
    for shard in 0..shards {
        let own = end_to_end(moving.iter().map(|one| &one.gradients[shard]))?;
        gradient = Some(match gradient {
            None => own,
            Some(mut sum) => Tensor::f_add_(&mut sum, &own)?,
        });
    }
    let Some(gradient) = gradient else { return Ok(Vec::new()) };
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for one in &moving {
        let (own_first, own_second) = match &one.moments {
            Some((first, second)) => (first.shallow_clone(), second.shallow_clone()),
            None => (one.tensor.f_zeros_like()?, one.tensor.f_zeros_like()?),
        };
        first.push(own_first);
        second.push(own_second);
    }
    let moments = (end_to_end(&first)?, end_to_end(&second)?);
    let (change, moments) = change(gradient, moments, adam, rate, step)?;
    let mut place = 0;
    let mut all = Vec::with_capacity(moving.len());
    for mut one in moving {
        let (size, count) = (one.tensor.size(), i64::try_from(one.tensor.numel()).unwrap_or(i64::MAX));
        let part = |flat: &Tensor| flat.f_narrow(0, place, count)?.f_view(size.as_slice());
        let _ = one.tensor.f_add_(&part(&change)?)?;
        all.push((part(&moments.0)?, part(&moments.1)?));
        place += count;
    }
    Ok(all)
}

/// The values of tensors, one after the other.
fn end_to_end<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Result<Tensor, TchError> {
    let flat: Vec<Tensor> =
        tensors.into_iter().map(|tensor| tensor.f_reshape([-1])).collect::<Result<_, _>>()?;
    Tensor::f_cat(&flat, 0)
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

    #[test]
    fn tensors_laid_end_to_end_move_by_the_very_numbers_of_each_alone() {
        tch::manual_seed(4);
        let adam = Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
        let options = tch::kind::FLOAT_CPU;
        for shards in 1..=3 {
            let shapes: [&[i64]; 4] = [&[7], &[3, 5, 1, 1], &[1], &[33, 2]];
            let alone: Vec<Tensor> = shapes.iter().map(|shape| Tensor::randn(*shape, options)).collect();
            let together: Vec<Tensor> = alone.iter().map(Tensor::copy).collect();
            let mut of_alone: Vec<Option<(Tensor, Tensor)>> = shapes.iter().map(|_| None).collect();
            let mut of_together: Vec<Option<(Tensor, Tensor)>> = shapes.iter().map(|_| None).collect();
            for step in 1..=3 {
                let gradients: Vec<Vec<Tensor>> = shapes
                    .iter()
                    .map(|shape| (0..shards).map(|_| Tensor::randn(*shape, options)).collect())
                    .collect();
                let mut moving = Vec::new();
                for (i, own) in gradients.iter().enumerate() {
                    let copies = || own.iter().map(Tensor::copy).collect::<Vec<_>>();
                    let (tensor, moments) = (alone[i].shallow_clone(), of_alone[i].take());
                    of_alone[i] = Some(adam_step(tensor, moments, copies(), adam, 0.1, step).expect("steps"));
                    let (tensor, moments) = (together[i].shallow_clone(), of_together[i].take());
                    moving.push(Moving { tensor, moments, gradients: copies() });
                }
                let moved = adam_step_of_all(moving, adam, 0.1, step).expect("steps");
                of_together = moved.into_iter().map(Some).collect();
                for i in 0..shapes.len() {
                    assert_eq!(alone[i], together[i], "{shards} shards, step {step}, tensor {i}");
                    assert_eq!(of_alone[i], of_together[i], "{shards} shards, step {step}, moments {i}");
                }
            }
        }
        assert!(adam_step_of_all(Vec::new(), adam, 0.1, 1).expect("nothing to do").is_empty());
    }
}
