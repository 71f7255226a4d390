//! EfficientNet-lite0: the blocks of EfficientNet-B0 (Tan and Le, "EfficientNet: rethinking model scaling for
//! convolutional neural networks", ICML 2019, table 1) without squeeze-and-excitation, with ReLU6 for swish.
//! Convolutions, normalisations, activations, additions and the pooling each count as a layer.

use super::builder::{Builder, Family};
use super::efficientnet::STAGES;
use super::{Joined, Operation, Padding, Unit};

/// Feature maps after the stem.
const STEM: usize = 32;
/// Feature maps that are pooled.
const FEATURES: usize = 1280;
/// As the published weights were trained.
const FAMILY: Family = Family { padding: |_| Padding::Same, epsilon: 1e-3 };

/// The steps of the base in order.
pub(super) fn units() -> Vec<Unit> {
    let mut units = vec![];
    let mut stem = Builder::after(&units, FAMILY);
    stem.convolution("_conv_stem", [STEM, 3, 3, 3], 2, 1).normalisation("_bn0", STEM).push(Operation::Relu6);
    stem.finish("_stem".to_owned(), Joined::Replaced, STEM, &mut units);
    let mut input = STEM;
    let mut number = 0;
    for (kernel, first_stride, expansion, output, blocks) in STAGES {
        for block in 0..blocks {
            let name = format!("_blocks.{number}");
            let stride = if block == 0 { first_stride } else { 1 };
            let wide = input * expansion;
            let mut unit = Builder::after(&units, FAMILY);
            if expansion > 1 {
                unit.convolution(&format!("{name}._expand_conv"), [wide, input, 1, 1], 1, 1);
                unit.normalisation(&format!("{name}._bn0"), wide).push(Operation::Relu6);
            }
            unit.convolution(&format!("{name}._depthwise_conv"), [wide, 1, kernel, kernel], stride, wide);
            unit.normalisation(&format!("{name}._bn1"), wide).push(Operation::Relu6);
            unit.convolution(&format!("{name}._project_conv"), [output, wide, 1, 1], 1, 1);
            unit.normalisation(&format!("{name}._bn2"), output);
            let joined = if stride == 1 && input == output { Joined::Added } else { Joined::Replaced };
            unit.finish(name, joined, output, &mut units);
            input = output;
            number += 1;
        }
    }
    let mut head = Builder::after(&units, FAMILY);
    head.convolution("_conv_head", [FEATURES, input, 1, 1], 1, 1)
        .normalisation("_bn1", FEATURES)
        .push(Operation::Relu6);
    head.push(Operation::GlobalAverage);
    head.finish("_head".to_owned(), Joined::Replaced, FEATURES, &mut units);
    units
}
