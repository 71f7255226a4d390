//! The networks, gradients and steps against PyTorch's, for weights that a formula makes on both sides
//! (`fixtures/reference-values/network_formula.py`). Tests alone.

use serde_json::Value;
use tch::{Device, Kind, Tensor};

use super::inference::Inference;
use super::network::{BatchStatistics, Network, NormMode};
use super::train::{adam_step, mean_loss};
use sequester::model::architecture::{Architecture, TensorSpec};
use sequester::model::experiment::Adam;
use sequester::model::loss::Loss;
use sequester::model::weights::{Array, Weights};

/// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) of `tensor * 2^32 + number`, as a number
/// in -1..1.
fn unit(tensor: u64, number: u64) -> f64 {
    let mut z = ((tensor << 32) + number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 11) as f64 / 2.0_f64.powi(52) - 1.0
}

fn array(number: u64, spec: &TensorSpec) -> Array {
    let fan_in: usize = spec.shape.iter().skip(1).product();
    let value = |i: usize| {
        let u = unit(number, i as u64);
        if spec.shape.len() > 1 {
            u * (6.0 / fan_in as f64).sqrt()
        } else if spec.name.ends_with("running_var") || spec.name.ends_with("weight") {
            1.0 + 0.25 * u
        } else {
            0.1 * u
        }
    };
    Array { shape: spec.shape.clone(), values: (0..spec.len()).map(|i| value(i) as f32).collect() }
}

fn network(architecture: Architecture) -> Network {
    let specs = architecture.tensors();
    let weights: Weights =
        specs.iter().enumerate().map(|(n, spec)| (spec.name.clone(), array(n as u64, spec))).collect();
    Network::new(architecture, &weights, Device::Cpu).expect("builds")
}

fn image(number: u64, size: i64) -> Tensor {
    let pixels: Vec<f32> = (0..3 * size * size).map(|i| unit(number, i.unsigned_abs()) as f32).collect();
    Tensor::from_slice(&pixels).reshape([1, 3, size, size])
}

fn close(ours: f64, theirs: &Value, tolerance: f64, what: &str) {
    let theirs = theirs.as_f64().expect("number");
    assert!((ours - theirs).abs() <= tolerance * theirs.abs().max(1.0), "{what}: {ours} against {theirs}");
}

fn compare(architecture: Architecture, expected: &str) {
    tch::set_num_threads(1);
    let expected: Value = serde_json::from_str(expected).expect("JSON");
    let specs = architecture.tensors();
    let names: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
    let theirs: Vec<&str> =
        expected["tensors"].as_array().expect("list").iter().filter_map(|n| n.as_str()).collect();
    assert_eq!(names, theirs, "the tensor names of the reference in its order");
    let network = network(architecture);
    let inference = Inference::new(&network).expect("compiles");
    for one in expected["images"].as_array().expect("images") {
        let input = image(one["number"].as_u64().expect("number"), one["size"].as_i64().expect("size"));
        let (features, logit) =
            tch::no_grad(|| (network.features(&input).expect("runs"), network.logits(&input).expect("runs")));
        for (index, value) in one["features"].as_array().expect("features").iter().enumerate() {
            close(features.double_value(&[0, index as i64]), value, 1e-5, &format!("feature {index}"));
        }
        close(logit.double_value(&[0]), &one["logit"], 1e-5, "logit");
        let fast = tch::no_grad(|| inference.logits(&input).expect("runs"));
        close(fast.double_value(&[0]), &one["logit"], 1e-5, "logit of scoring");
    }
}

#[test]
fn features_and_logits_are_those_of_torchvisions_densenet121() {
    compare(
        Architecture::Densenet121,
        include_str!("../../../fixtures/reference-values/densenet/expected.json"),
    );
}

#[test]
fn features_and_logits_are_those_of_the_pytorch_port_of_efficientnet_lite0() {
    compare(
        Architecture::EfficientnetLite0,
        include_str!("../../../fixtures/reference-values/efficientnet-lite/expected.json"),
    );
}

#[test]
fn features_and_logits_are_those_of_torchvisions_efficientnet_b4() {
    compare(
        Architecture::EfficientnetB4,
        include_str!("../../../fixtures/reference-values/efficientnet-b4/expected.json"),
    );
}

#[test]
fn loss_gradients_and_a_step_of_adam_are_those_of_pytorch() {
    tch::set_num_threads(1);
    let text = include_str!("../../../fixtures/reference-values/training-step/expected.json");
    let expected: Value = serde_json::from_str(text).expect("JSON");
    let list = |key: &str| expected[key].as_array().expect("list").clone();
    let numbers = |key: &str| -> Vec<f64> { list(key).iter().filter_map(Value::as_f64).collect() };
    let network = network(Architecture::Densenet121);
    let names: Vec<String> = expected["tensors"].as_object().expect("object").keys().cloned().collect();
    let ours = Architecture::Densenet121.tensors().into_iter().filter(|spec| spec.role.has_gradient());
    let mut sorted: Vec<String> = ours.map(|spec| spec.name).collect();
    sorted.sort();
    assert_eq!(
        {
            let mut names = names.clone();
            names.sort();
            names
        },
        sorted,
        "every trained tensor"
    );
    for name in &names {
        let _ = network.tensor(name).expect("there").set_requires_grad(true);
    }
    let size = expected["size"].as_i64().expect("size");
    let images: Vec<Tensor> =
        list("images").iter().map(|number| image(number.as_u64().expect("number"), size)).collect();
    let (labels, by_class) = (numbers("labels"), numbers("class_weights"));
    let weights: Vec<f32> = labels
        .iter()
        .map(|label| (by_class[usize::from(*label == 1.0)] / labels.len() as f64) as f32)
        .collect();
    let targets: Vec<f32> = labels.iter().map(|label| *label as f32).collect();
    let logits = network
        .rest(&Tensor::cat(&images, 0), 0, NormMode::Running, None, &mut BatchStatistics::new())
        .expect("runs");
    for (index, value) in list("logits").iter().enumerate() {
        close(logits.double_value(&[index as i64]), value, 1e-5, "logit");
    }
    let loss = mean_loss(
        Loss::WeightedBinaryCrossEntropy,
        &logits,
        &Tensor::from_slice(&targets),
        Tensor::from_slice(&weights),
    )
    .expect("computes");
    close(loss.double_value(&[]), &expected["loss"], 1e-6, "loss");
    let trained: Vec<&Tensor> = names.iter().map(|name| network.tensor(name).expect("there")).collect();
    let gradients = Tensor::run_backward(&[&loss], &trained, false, false);
    let adam = Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
    let rate = expected["rate"].as_f64().expect("number");
    for ((name, tensor), gradient) in names.iter().zip(trained).zip(gradients) {
        let theirs = &expected["tensors"][name];
        let norm = gradient.to_kind(Kind::Double).norm().double_value(&[]);
        // Gradients of the early layers are sums of many terms of both signs: their error is relative to the
        // norm.
        let scale = theirs["norm"].as_f64().expect("number");
        let near = |ours: f64, theirs: &Value, what: &str| {
            let theirs = theirs.as_f64().expect("number");
            assert!(
                (ours - theirs).abs() <= 1e-4 * scale.max(1e-6),
                "{name} {what}: {ours} against {theirs}"
            );
        };
        near(norm, &theirs["norm"], "norm");
        let place = theirs["largest_at"].as_i64().expect("place");
        near(gradient.reshape([-1]).double_value(&[place]), &theirs["largest"], "largest");
        let before = tensor.reshape([-1]).double_value(&[place]);
        let _ = tch::no_grad(|| {
            adam_step(tensor.shallow_clone(), None, vec![gradient], adam, rate, 1).expect("steps")
        });
        let change = tensor.reshape([-1]).double_value(&[place]) - before;
        let wanted = theirs["change"].as_f64().expect("number");
        assert!((change - wanted).abs() <= 2e-7, "{name}: {change} against {wanted}");
    }
}
