//! Networks as data: which operations in which order, the names and shapes of their tensors, and how their
//! layers are counted when a share of them is unfrozen. One interpreter runs all of them; no other code knows
//! a network by name.

mod builder;
mod densenet;
mod efficientnet;
mod efficientnet_lite;

use serde::{Deserialize, Serialize};

/// Widths of the head's hidden layers: features → 1024 → 512 → one logit.
pub const HEAD: [usize; 2] = [1024, 512];

/// A network that can be trained and scored with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Architecture {
    /// Huang, Liu, van der Maaten and Weinberger, CVPR 2017; tensor names as torchvision writes them.
    #[serde(rename = "densenet121")]
    Densenet121,
    /// Tan and Le, ICML 2019, in the "lite" form without squeeze-and-excitation and with ReLU6; tensor names
    /// as the PyTorch port of the published weights writes them.
    #[serde(rename = "efficientnet-lite0")]
    EfficientnetLite0,
    /// Tan and Le, ICML 2019, with squeeze-and-excitation; tensor names as torchvision writes them.
    #[serde(rename = "efficientnet-b4")]
    EfficientnetB4,
}

impl Architecture {
    /// All of them, in the order they are listed in messages.
    pub const ALL: [Self; 3] = [Self::Densenet121, Self::EfficientnetLite0, Self::EfficientnetB4];

    /// As experiments, locks and documents write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Densenet121 => "densenet121",
            Self::EfficientnetLite0 => "efficientnet-lite0",
            Self::EfficientnetB4 => "efficientnet-b4",
        }
    }

    /// The steps of the base in order; the last gives pooled features.
    pub fn units(self) -> Vec<Unit> {
        match self {
            Self::Densenet121 => densenet::units(),
            Self::EfficientnetLite0 => efficientnet_lite::units(),
            Self::EfficientnetB4 => efficientnet::units(),
        }
    }

    /// Layers of the base. DenseNet121: as Keras counts them (`len(model.layers)` of
    /// `DenseNet121(include_top=False)`, 427), and EfficientNet-B4 too (474). EfficientNet-lite0 is not in
    /// Keras: its convolutions, normalisations, activations, additions and the pooling, 141.
    pub fn layers(self) -> usize {
        self.units().last().map_or(0, |unit| unit.end_layer)
    }

    /// Width of the pooled features that the head receives.
    pub fn features(self) -> usize {
        self.units().last().map_or(0, |unit| unit.channels)
    }

    /// Start of the names of the published classifier's tensors, which are passed over on import.
    pub fn classifier(self) -> &'static str {
        match self {
            Self::Densenet121 | Self::EfficientnetB4 => "classifier.",
            Self::EfficientnetLite0 => "_fc.",
        }
    }

    /// The parts that a stage may name, for messages.
    pub fn parts(self) -> &'static str {
        match self {
            Self::Densenet121 => {
                "stem, denseblock1 to denseblock4, transition1 to transition3, norm5, and below them such as \
                 denseblock3.denselayer20"
            }
            Self::EfficientnetLite0 => {
                "stem, blocks.0 to blocks.15, head, and below them such as blocks.12.project_conv"
            }
            Self::EfficientnetB4 => {
                "stem, stages 1 to 7, 8 (what is pooled), and below them blocks such as 6.3 and 6.3.block.2"
            }
        }
    }

    /// Where its weights come from, for messages.
    pub fn source(self) -> &'static str {
        match self {
            Self::Densenet121 => {
                "timm's `densenet121.tv_in1k` (model.safetensors), or torchvision's state dict saved with \
                 safetensors.torch.save_file"
            }
            Self::EfficientnetLite0 => {
                "the state dict of the PyTorch port of EfficientNet-lite0, saved with \
                 safetensors.torch.save_file"
            }
            Self::EfficientnetB4 => {
                "torchvision's state dict of `efficientnet_b4`, saved with safetensors.torch.save_file"
            }
        }
    }

    /// Every tensor of the base, in network order.
    pub fn base_tensors(self) -> Vec<TensorSpec> {
        let units = self.units();
        units.iter().flat_map(|unit| &unit.operations).flat_map(Operation::tensors).collect()
    }

    /// Every tensor of the head, in network order.
    pub fn head_tensors(self) -> Vec<TensorSpec> {
        let widths = [self.features(), HEAD[0], HEAD[1], 1];
        let layer = self.layers();
        let mut tensors = Vec::new();
        for (index, pair) in widths.windows(2).enumerate() {
            let (fan_in, output) = (pair[0], pair[1]);
            let role = if output == 1 { Role::Output { fan_in } } else { Role::Weight { fan_in } };
            let name = format!("head.fc{}", index + 1);
            let weight =
                TensorSpec { name: format!("{name}.weight"), shape: vec![output, fan_in], role, layer };
            let bias =
                TensorSpec { name: format!("{name}.bias"), shape: vec![output], role: Role::Shift, layer };
            tensors.extend([weight, bias]);
        }
        tensors
    }

    /// Every tensor of the whole network, in network order.
    pub fn tensors(self) -> Vec<TensorSpec> {
        let mut all = self.base_tensors();
        all.extend(self.head_tensors());
        all
    }
}

impl std::fmt::Display for Architecture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A step of the forward pass whose output can be stored: everything before it may be frozen and computed
/// once.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// Such as `features.denseblock2.denselayer7` or `_blocks.3`.
    pub name: String,
    /// What is done to the input, in order.
    pub operations: Vec<Operation>,
    /// What becomes of the input.
    pub joined: Joined,
    /// Number of its first layer.
    pub first_layer: usize,
    /// One past the number of its last layer.
    pub end_layer: usize,
    /// Feature maps of its output.
    pub channels: usize,
}

/// What a unit's output has of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// Nothing: the result of the operations is the output.
    Replaced,
    /// The result's maps follow the input's.
    Concatenated,
    /// The result is added to the input.
    Added,
}

/// One operation. Maps are `[n, channels, height, width]`.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Without bias.
    Convolution {
        /// Its tensor is `name.weight`.
        name: String,
        /// `[out, in / groups, height, width]`.
        shape: [usize; 4],
        /// Of both directions.
        stride: usize,
        /// Parts that the input's maps are divided into.
        groups: usize,
        /// At the borders.
        padding: Padding,
        /// Its number.
        layer: usize,
    },
    /// Of each map, with its tensors `name.weight`, `.bias`, `.running_mean`, `.running_var`.
    Normalisation {
        /// See above.
        name: String,
        /// Maps.
        channels: usize,
        /// Added to variances before the root.
        epsilon: f64,
        /// Its number.
        layer: usize,
    },
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x / (1 + exp(-x))`, also called swish.
    Silu,
    /// Each map times a number in 0..1: the logistic function of a linear layer, of SiLU of a linear layer,
    /// of the means of all maps. Its tensors are `name.fc1.weight`, `.fc1.bias`, `.fc2.weight`, `.fc2.bias`.
    SqueezeExcitation {
        /// See above.
        name: String,
        /// Maps.
        channels: usize,
        /// Values between the two layers.
        squeezed: usize,
        /// Its number.
        layer: usize,
    },
    /// 3 × 3, stride 2, one row and column of padding on each side.
    MaxPool,
    /// 2 × 2, stride 2.
    AveragePool,
    /// Over the whole map: `[n, channels]`.
    GlobalAverage,
}

/// Zeros at the borders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// As many on each side.
    Each(usize),
    /// As many as give `ceil(size / stride)` outputs; an odd one goes to the right and to the bottom
    /// (TensorFlow's SAME).
    Same,
}

impl Padding {
    /// Outputs along one side of `size`.
    pub fn outputs(self, size: usize, kernel: usize, stride: usize) -> usize {
        match self {
            Self::Each(zeros) => (size + 2 * zeros).saturating_sub(kernel) / stride + 1,
            Self::Same => size.div_ceil(stride),
        }
    }

    /// Zeros before the first and after the last pixel of a side of `size`.
    pub fn zeros(self, size: usize, kernel: usize, stride: usize) -> [usize; 2] {
        match self {
            Self::Each(zeros) => [zeros; 2],
            Self::Same => {
                let wanted = self.outputs(size, kernel, stride).saturating_sub(1) * stride + kernel;
                let zeros = wanted.saturating_sub(size);
                [zeros / 2, zeros - zeros / 2]
            }
        }
    }

    /// Zeros before the first pixel of a side of `size`.
    pub fn before(self, size: usize, kernel: usize, stride: usize) -> usize {
        self.zeros(size, kernel, stride)[0]
    }
}

impl Operation {
    /// Its tensors.
    pub fn tensors(&self) -> Vec<TensorSpec> {
        match self {
            Self::Convolution { name, shape, layer, .. } => vec![TensorSpec {
                name: format!("{name}.weight"),
                shape: shape.to_vec(),
                role: Role::Weight { fan_in: shape[1] * shape[2] * shape[3] },
                layer: *layer,
            }],
            Self::Normalisation { name, channels, layer, .. } => [
                ("weight", Role::Scale),
                ("bias", Role::Shift),
                ("running_mean", Role::RunningMean),
                ("running_var", Role::RunningVariance),
            ]
            .into_iter()
            .map(|(part, role)| TensorSpec {
                name: format!("{name}.{part}"),
                shape: vec![*channels],
                role,
                layer: *layer,
            })
            .collect(),
            Self::SqueezeExcitation { name, channels, squeezed, layer } => {
                let layers = [("fc1", *channels, *squeezed), ("fc2", *squeezed, *channels)];
                let tensors = layers.into_iter().flat_map(|(part, fan_in, output)| {
                    [
                        ("weight", vec![output, fan_in, 1, 1], Role::Weight { fan_in }),
                        ("bias", vec![output], Role::Shift),
                    ]
                    .map(|(kind, shape, role)| {
                        let name = format!("{name}.{part}.{kind}");
                        TensorSpec { name, shape, role, layer: *layer }
                    })
                });
                tensors.collect()
            }
            Self::Relu
            | Self::Relu6
            | Self::Silu
            | Self::MaxPool
            | Self::AveragePool
            | Self::GlobalAverage => Vec::new(),
        }
    }
}

/// What a tensor is for; decides how it is initialised and whether it is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Weights of a convolution or of a linear layer followed by ReLU, with the fan-in.
    Weight {
        /// Inputs of one output value.
        fan_in: usize,
    },
    /// Weights of the last linear layer, with the fan-in.
    Output {
        /// Inputs of the one logit.
        fan_in: usize,
    },
    /// A bias or the shift of a normalisation: starts at 0.
    Shift,
    /// The scale of a normalisation: starts at 1.
    Scale,
    /// Running mean of a normalisation: starts at 0, not trained by gradient.
    RunningMean,
    /// Running variance of a normalisation: starts at 1, not trained by gradient.
    RunningVariance,
}

impl Role {
    /// Whether the gradient trains it; running statistics it does not.
    pub fn has_gradient(self) -> bool {
        !matches!(self, Self::RunningMean | Self::RunningVariance)
    }
}

/// One named tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    /// As the published weights write it, such as `features.denseblock1.denselayer1.norm1.weight`.
    pub name: String,
    /// `[out, in / groups, height, width]` for convolutions, `[out, in]` for linear layers.
    pub shape: Vec<usize>,
    /// What it is for.
    pub role: Role,
    /// Number of its layer in the base; the number of layers for the head.
    pub layer: usize,
}

impl TensorSpec {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Never: every tensor has values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trained(tensors: &[TensorSpec]) -> usize {
        tensors.iter().filter(|t| t.role.has_gradient()).map(TensorSpec::len).sum()
    }

    #[test]
    fn parameter_counts_are_the_published_ones_and_those_of_the_source_projects_head() {
        // torchvision's densenet121 has 7,978,856 parameters with its classifier of 1,025,000.
        let densenet = Architecture::Densenet121;
        assert_eq!(trained(&densenet.base_tensors()), 7_978_856 - 1_025_000);
        assert_eq!(trained(&densenet.head_tensors()), 1_574_913);
        // 121 convolutions and linear layers, one of them the classifier: 120 convolutions in the base.
        assert_eq!(densenet.base_tensors().iter().filter(|t| t.shape.len() == 4).count(), 120);
        // EfficientNet-lite0 has 4,652,008 parameters with its classifier of 1,281,000.
        let lite = Architecture::EfficientnetLite0;
        assert_eq!(trained(&lite.base_tensors()), 4_652_008 - 1_281_000);
        // torchvision's efficientnet_b4 has 19,341,616 parameters with its classifier of 1,793,000.
        assert_eq!(trained(&Architecture::EfficientnetB4.base_tensors()), 19_341_616 - 1_793_000);
    }

    #[test]
    fn units_follow_one_another_without_a_gap_and_name_their_layers() {
        for architecture in Architecture::ALL {
            let units = architecture.units();
            assert_eq!(units[0].first_layer, 0);
            assert!(units.windows(2).all(|pair| pair[0].end_layer == pair[1].first_layer));
            for unit in &units {
                let tensors = unit.operations.iter().flat_map(Operation::tensors);
                assert!(tensors.into_iter().all(|t| (unit.first_layer..unit.end_layer).contains(&t.layer)));
            }
        }
        assert_eq!((Architecture::Densenet121.layers(), Architecture::Densenet121.features()), (427, 1024));
        let lite = Architecture::EfficientnetLite0;
        assert_eq!((lite.layers(), lite.features()), (141, 1280));
        let b4 = Architecture::EfficientnetB4;
        assert_eq!((b4.layers(), b4.features()), (474, 1792));
        let densenet = Architecture::Densenet121.units();
        let block_4 = densenet.iter().find(|u| u.name == "features.denseblock4.denselayer1").expect("there");
        assert_eq!(block_4.first_layer, 313);
    }

    #[test]
    fn padding_is_that_of_tensorflow() {
        let zeros = |size, kernel, stride| Padding::Same.zeros(size, kernel, stride);
        assert_eq!(zeros(224, 3, 2), [0, 1]);
        assert_eq!(zeros(112, 5, 2), [1, 2]);
        assert_eq!(zeros(113, 3, 2), [1, 1]);
        assert_eq!(zeros(14, 5, 1), [2, 2]);
        assert_eq!(zeros(7, 1, 1), [0, 0]);
        assert_eq!(Padding::Each(3).zeros(224, 7, 2), [3, 3]);
        assert_eq!((Padding::Same.before(112, 5, 2), Padding::Each(1).before(9, 3, 1)), (1, 1));
    }

    #[test]
    fn names_are_those_that_files_use() {
        for architecture in Architecture::ALL {
            assert_eq!(serde_json::to_value(architecture).expect("JSON"), architecture.name());
        }
    }
}
