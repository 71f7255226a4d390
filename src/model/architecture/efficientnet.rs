//! EfficientNet-B4: Tan and Le, "EfficientNet: rethinking model scaling for convolutional neural networks",
//! ICML 2019: the blocks of table 1 with squeeze-and-excitation (Hu, Shen and Sun, "Squeeze-and-excitation
//! networks", CVPR 2018) and swish, 1.4 times as wide and 1.8 times as deep. Names, paddings and the epsilon
//! are torchvision's; its stochastic depth, which acts in training alone, is left out. Layers are counted as
//! Keras counts them: with the input, the rescaling, the paddings, the dropout of blocks, the additions, and
//! five of each squeeze-and-excitation.

use super::builder::{Builder, Family};
use super::{Joined, Operation, Padding, Unit};

/// Table 1, of B0: kernel, stride of the first block, expansion, output maps, blocks.
pub(super) const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
];
/// Tenths: how much wider and deeper B4 is than B0.
const WIDER: usize = 14;
const DEEPER: usize = 18;
/// Feature maps of B0 after the stem.
const STEM: usize = 32;
const FAMILY: Family = Family { padding: |kernel| Padding::Each(kernel / 2), epsilon: 1e-5 };

/// The steps of the base in order.
pub(super) fn units() -> Vec<Unit> {
    let mut units = vec![];
    let mut input = wide(STEM);
    let mut stem = Builder::after(&units, FAMILY);
    // Keras: the input, the rescaling, the normalisation of intensities, the padding.
    stem.skip(4).convolution("features.0.0", [input, 3, 3, 3], 2, 1);
    stem.normalisation("features.0.1", input).push(Operation::Silu);
    stem.finish("features.stem".to_owned(), Joined::Replaced, input, &mut units);
    for (stage, (kernel, first_stride, expansion, output, blocks)) in (1..).zip(STAGES) {
        let output = wide(output);
        for block in 0..(blocks * DEEPER).div_ceil(10) {
            let name = format!("features.{stage}.{block}");
            let stride = if block == 0 { first_stride } else { 1 };
            let expanded = input * expansion;
            let mut unit = Builder::after(&units, FAMILY);
            let mut part = 0;
            let mut next = || {
                part += 1;
                format!("{name}.block.{}", part - 1)
            };
            if expansion > 1 {
                let name = next();
                unit.convolution(&format!("{name}.0"), [expanded, input, 1, 1], 1, 1);
                unit.normalisation(&format!("{name}.1"), expanded).push(Operation::Silu);
            }
            let depthwise = next();
            let shape = [expanded, 1, kernel, kernel];
            unit.skip(stride - 1).convolution(&format!("{depthwise}.0"), shape, stride, expanded);
            unit.normalisation(&format!("{depthwise}.1"), expanded).push(Operation::Silu);
            // Keras: pooling, reshaping, two convolutions, the product.
            unit.squeeze_excitation(&next(), expanded, input / 4).skip(4);
            let project = next();
            unit.convolution(&format!("{project}.0"), [output, expanded, 1, 1], 1, 1);
            unit.normalisation(&format!("{project}.1"), output);
            let added = stride == 1 && input == output;
            unit.skip(usize::from(added));
            let joined = if added { Joined::Added } else { Joined::Replaced };
            unit.finish(name, joined, output, &mut units);
            input = output;
        }
    }
    let features = 4 * input;
    let mut head = Builder::after(&units, FAMILY);
    head.convolution("features.8.0", [features, input, 1, 1], 1, 1);
    head.normalisation("features.8.1", features).push(Operation::Silu).uncounted(Operation::GlobalAverage);
    head.finish("features.8".to_owned(), Joined::Replaced, features, &mut units);
    units
}

/// Maps of B4 for those of B0: the nearest multiple of 8 that is at least nine tenths of what is wanted
/// (`_make_divisible` of torchvision).
fn wide(maps: usize) -> usize {
    let wanted = maps * WIDER;
    let nearest = ((wanted + 40) / 80 * 8).max(8);
    if nearest * 100 < wanted * 9 { nearest + 8 } else { nearest }
}
