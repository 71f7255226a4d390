//! EfficientNet-lite0: the blocks of EfficientNet-B0 (Tan and Le, "EfficientNet: rethinking model scaling for
//! convolutional neural networks", ICML 2019, table 1) without squeeze-and-excitation, with ReLU6 for swish.
//! Convolutions, normalisations, activations, additions and the pooling each count as a layer.

use super::{Joined, Operation, Padding, Unit};

/// Kernel, stride of the first block, expansion, output maps, blocks.
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
];
/// Feature maps after the stem.
const STEM: usize = 32;
/// Feature maps that are pooled.
const FEATURES: usize = 1280;
/// As the published weights were trained with.
const EPSILON: f64 = 1e-3;

/// The steps of the base in order.
pub(super) fn units() -> Vec<Unit> {
    let mut units = vec![];
    let mut stem = Builder::new(0);
    stem.convolution("_conv_stem", [STEM, 3, 3, 3], 2, 1).normalisation("_bn0", STEM).relu6();
    stem.finish("_stem".to_owned(), Joined::Replaced, STEM, &mut units);
    let mut input = STEM;
    let mut number = 0;
    for (kernel, first_stride, expansion, output, blocks) in STAGES {
        for block in 0..blocks {
            let name = format!("_blocks.{number}");
            let stride = if block == 0 { first_stride } else { 1 };
            let wide = input * expansion;
            let mut unit = Builder::after(&units);
            if expansion > 1 {
                unit.convolution(&format!("{name}._expand_conv"), [wide, input, 1, 1], 1, 1);
                unit.normalisation(&format!("{name}._bn0"), wide).relu6();
            }
            unit.convolution(&format!("{name}._depthwise_conv"), [wide, 1, kernel, kernel], stride, wide);
            unit.normalisation(&format!("{name}._bn1"), wide).relu6();
            unit.convolution(&format!("{name}._project_conv"), [output, wide, 1, 1], 1, 1);
            unit.normalisation(&format!("{name}._bn2"), output);
            let joined = if stride == 1 && input == output { Joined::Added } else { Joined::Replaced };
            unit.finish(name, joined, output, &mut units);
            input = output;
            number += 1;
        }
    }
    let mut head = Builder::after(&units);
    head.convolution("_conv_head", [FEATURES, input, 1, 1], 1, 1).normalisation("_bn1", FEATURES).relu6();
    head.push(Operation::GlobalAverage);
    head.finish("_head".to_owned(), Joined::Replaced, FEATURES, &mut units);
    units
}

/// The operations of a unit, each counted.
struct Builder {
    first: usize,
    layer: usize,
    operations: Vec<Operation>,
}

impl Builder {
    fn new(first: usize) -> Self {
        Self { first, layer: first, operations: Vec::new() }
    }

    fn after(units: &[Unit]) -> Self {
        Self::new(units.last().map_or(0, |unit| unit.end_layer))
    }

    fn push(&mut self, operation: Operation) -> &mut Self {
        self.operations.push(operation);
        self.layer += 1;
        self
    }

    fn convolution(&mut self, name: &str, shape: [usize; 4], stride: usize, groups: usize) -> &mut Self {
        let (name, layer) = (name.to_owned(), self.layer);
        self.push(Operation::Convolution { name, shape, stride, groups, padding: Padding::Same, layer })
    }

    fn normalisation(&mut self, name: &str, channels: usize) -> &mut Self {
        let (name, layer) = (name.to_owned(), self.layer);
        self.push(Operation::Normalisation { name, channels, epsilon: EPSILON, layer })
    }

    fn relu6(&mut self) -> &mut Self {
        self.push(Operation::Relu6)
    }

    fn finish(self, name: String, joined: Joined, channels: usize, units: &mut Vec<Unit>) {
        let end_layer = self.layer + usize::from(joined == Joined::Added);
        let (first_layer, operations) = (self.first, self.operations);
        units.push(Unit { name, operations, joined, first_layer, end_layer, channels });
    }
}
