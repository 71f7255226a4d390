//! The network against torchvision's, for weights that a formula makes on both sides
//! (`fixtures/reference-values/densenet/make.py`). Tests alone.

use tch::Tensor;

use super::Network;
use crate::model::layers::{TensorSpec, tensors};
use crate::model::weights::{Array, Weights};

/// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) of `tensor * 2^32 + number`, as a number in -1..1.
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

#[test]
fn features_and_logits_are_those_of_torchvision() {
    tch::set_num_threads(1);
    let text = include_str!("../../../fixtures/reference-values/densenet/expected.json");
    let expected: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let specs = tensors();
    let names: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
    let theirs: Vec<&str> =
        expected["tensors"].as_array().expect("list").iter().filter_map(|n| n.as_str()).collect();
    assert_eq!(names, theirs, "torchvision's tensor names in its order");
    let weights: Weights =
        specs.iter().enumerate().map(|(n, spec)| (spec.name.clone(), array(n as u64, spec))).collect();
    let network = Network::new(&weights).expect("builds");
    for image in expected["images"].as_array().expect("images") {
        let number = image["number"].as_u64().expect("number");
        let size = image["size"].as_i64().expect("size");
        let pixels: Vec<f32> = (0..3 * size * size).map(|i| unit(number, i.unsigned_abs()) as f32).collect();
        let input = Tensor::from_slice(&pixels).reshape([1, 3, size, size]);
        let (features, logit) =
            tch::no_grad(|| (network.features(&input).expect("runs"), network.logits(&input).expect("runs")));
        for (index, value) in image["features"].as_array().expect("features").iter().enumerate() {
            let (ours, theirs) = (features.double_value(&[0, index as i64]), value.as_f64().expect("number"));
            assert!(
                (ours - theirs).abs() <= 1e-5 * theirs.abs().max(1.0),
                "{index}: {ours} against {theirs}"
            );
        }
        let (ours, theirs) = (logit.double_value(&[0]), image["logit"].as_f64().expect("number"));
        assert!((ours - theirs).abs() <= 1e-5, "{ours} against {theirs}");
    }
}
