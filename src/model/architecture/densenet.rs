//! DenseNet121: Huang, Liu, van der Maaten and Weinberger, "Densely Connected Convolutional Networks", CVPR
//! 2017, table 1 (growth rate 32, blocks of 6, 12, 24 and 16 layers, compression 0.5). Layers are counted as
//! Keras counts them: with the input, the paddings of the stem, activations and concatenations.

use super::{Joined, Operation, Padding, Unit};

/// Feature maps that each dense layer adds.
const GROWTH: usize = 32;
/// The 1x1 convolution of a dense layer makes four times the growth.
const BOTTLENECK: usize = 4 * GROWTH;
/// Dense layers in each block.
const BLOCKS: [usize; 4] = [6, 12, 24, 16];
/// Feature maps after the stem.
const STEM: usize = 64;
/// As torchvision has it.
const EPSILON: f64 = 1e-5;

/// The steps of the base in order.
pub(super) fn units() -> Vec<Unit> {
    let mut units = Vec::new();
    let mut layer = 0;
    let mut channels = STEM;
    let mut push = |name: String, operations, joined, layers, channels| {
        units.push(Unit {
            name,
            operations,
            joined,
            first_layer: layer,
            end_layer: layer + layers,
            channels,
        });
        layer += layers;
        layer
    };
    let stem = vec![
        convolution("features.conv0", [STEM, 3, 7, 7], 2, 2),
        normalisation("features.norm0", STEM, 3),
        Operation::Relu,
        Operation::MaxPool,
    ];
    let mut first = push("features.stem".to_owned(), stem, Joined::Replaced, 7, channels);
    for (index, &count) in BLOCKS.iter().enumerate() {
        let block = index + 1;
        for dense in 1..=count {
            let name = format!("features.denseblock{block}.denselayer{dense}");
            let operations = vec![
                normalisation(&format!("{name}.norm1"), channels, first),
                Operation::Relu,
                convolution(&format!("{name}.conv1"), [BOTTLENECK, channels, 1, 1], 1, first + 2),
                normalisation(&format!("{name}.norm2"), BOTTLENECK, first + 3),
                Operation::Relu,
                convolution(&format!("{name}.conv2"), [GROWTH, BOTTLENECK, 3, 3], 1, first + 5),
            ];
            channels += GROWTH;
            first = push(name, operations, Joined::Concatenated, 7, channels);
        }
        if block < BLOCKS.len() {
            let name = format!("features.transition{block}");
            let operations = vec![
                normalisation(&format!("{name}.norm"), channels, first),
                Operation::Relu,
                convolution(&format!("{name}.conv"), [channels / 2, channels, 1, 1], 1, first + 2),
                Operation::AveragePool,
            ];
            channels /= 2;
            first = push(name, operations, Joined::Replaced, 4, channels);
        }
    }
    let last =
        vec![normalisation("features.norm5", channels, first), Operation::Relu, Operation::GlobalAverage];
    push("features.norm5".to_owned(), last, Joined::Replaced, 2, channels);
    units
}

fn convolution(name: &str, shape: [usize; 4], stride: usize, layer: usize) -> Operation {
    let padding = Padding::Each(shape[2] / 2);
    Operation::Convolution { name: name.to_owned(), shape, stride, groups: 1, padding, layer }
}

fn normalisation(name: &str, channels: usize, layer: usize) -> Operation {
    Operation::Normalisation { name: name.to_owned(), channels, epsilon: EPSILON, layer }
}
