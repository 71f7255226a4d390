//! The geometry of DenseNet121 and its head: tensor names as torchvision writes them, shapes, and how
//! the layers are counted when a share of them is unfrozen. Names no tensor library.
//!
//! Source of the network: Huang, Liu, van der Maaten and Weinberger, "Densely Connected Convolutional
//! Networks", CVPR 2017, table 1 (growth rate 32, blocks of 6, 12, 24 and 16 layers, compression 0.5).

use serde::{Deserialize, Serialize};

/// Feature maps that each dense layer adds.
pub const GROWTH: usize = 32;
/// Bottleneck: the 1x1 convolution makes four times the growth.
pub const BOTTLENECK: usize = 4;
/// Dense layers in each block.
pub const BLOCKS: [usize; 4] = [6, 12, 24, 16];
/// Feature maps after the stem.
pub const STEM: usize = 64;
/// Width of the pooled features that the head receives.
pub const FEATURES: usize = 1024;
/// Widths of the head's hidden layers.
pub const HEAD: [usize; 2] = [1024, 512];
/// Layers of the base as Keras counts them (`len(model.layers)` of `DenseNet121(include_top=False)`).
pub const KERAS_LAYERS: usize = 427;

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
    /// torchvision's name, such as `features.denseblock1.denselayer1.norm1.weight`.
    pub name: String,
    /// Shape as torchvision has it: `[out, in, height, width]` for convolutions.
    pub shape: Vec<usize>,
    /// What it is for.
    pub role: Role,
    /// Number of its layer as Keras counts the base; [`KERAS_LAYERS`] for the head.
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

/// A step of the forward pass whose output can be stored: everything before it may be frozen and computed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// `features.stem`, `features.denseblock2.denselayer7`, `features.transition1`, `features.norm5`.
    pub name: String,
    /// Which step it is.
    pub kind: UnitKind,
    /// First layer as Keras counts.
    pub first_layer: usize,
    /// One past the last layer as Keras counts.
    pub end_layer: usize,
    /// Feature maps of its output.
    pub channels: usize,
}

/// The kinds of [`Unit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitKind {
    /// Convolution 7x7, normalisation, ReLU, max pooling.
    Stem,
    /// Layer (from 1) of a block (from 1).
    Dense {
        /// From 1.
        block: usize,
        /// From 1.
        layer: usize,
    },
    /// Transition after a block (from 1).
    Transition {
        /// From 1.
        block: usize,
    },
    /// Last normalisation, ReLU, global average pooling.
    Last,
}

/// The steps of the base in order.
pub fn units() -> Vec<Unit> {
    let mut units = Vec::new();
    let mut layer = 0;
    let mut channels = STEM;
    let mut push = |name: String, kind, layers, channels, layer: &mut usize| {
        units.push(Unit { name, kind, first_layer: *layer, end_layer: *layer + layers, channels });
        *layer += layers;
    };
    push("features.stem".to_owned(), UnitKind::Stem, 7, channels, &mut layer);
    for (index, &count) in BLOCKS.iter().enumerate() {
        let block = index + 1;
        for dense in 1..=count {
            channels += GROWTH;
            let name = format!("features.denseblock{block}.denselayer{dense}");
            push(name, UnitKind::Dense { block, layer: dense }, 7, channels, &mut layer);
        }
        if block < BLOCKS.len() {
            channels /= 2;
            let name = format!("features.transition{block}");
            push(name, UnitKind::Transition { block }, 4, channels, &mut layer);
        }
    }
    push("features.norm5".to_owned(), UnitKind::Last, 2, channels, &mut layer);
    units
}

/// Every tensor of the base, in network order.
pub fn base_tensors() -> Vec<TensorSpec> {
    let mut tensors = Vec::new();
    for unit in units() {
        let first = unit.first_layer;
        match unit.kind {
            UnitKind::Stem => {
                convolution(&mut tensors, "features.conv0", [STEM, 3, 7, 7], 2);
                normalisation(&mut tensors, "features.norm0", STEM, 3);
            }
            UnitKind::Dense { .. } => {
                let (name, input, middle) = (&unit.name, unit.channels - GROWTH, BOTTLENECK * GROWTH);
                normalisation(&mut tensors, &format!("{name}.norm1"), input, first);
                convolution(&mut tensors, &format!("{name}.conv1"), [middle, input, 1, 1], first + 2);
                normalisation(&mut tensors, &format!("{name}.norm2"), middle, first + 3);
                convolution(&mut tensors, &format!("{name}.conv2"), [GROWTH, middle, 3, 3], first + 5);
            }
            UnitKind::Transition { .. } => {
                let (name, output) = (&unit.name, unit.channels);
                normalisation(&mut tensors, &format!("{name}.norm"), output * 2, first);
                convolution(&mut tensors, &format!("{name}.conv"), [output, output * 2, 1, 1], first + 2);
            }
            UnitKind::Last => normalisation(&mut tensors, &unit.name, FEATURES, first),
        }
    }
    tensors
}

/// Every tensor of the head, in network order: 1024 → 1024 → 512 → 1.
pub fn head_tensors() -> Vec<TensorSpec> {
    let widths = [FEATURES, HEAD[0], HEAD[1], 1];
    let mut tensors = Vec::new();
    for (index, pair) in widths.windows(2).enumerate() {
        let (fan_in, output) = (pair[0], pair[1]);
        let role = if output == 1 { Role::Output { fan_in } } else { Role::Weight { fan_in } };
        let name = format!("head.fc{}", index + 1);
        let layer = KERAS_LAYERS;
        tensors.push(TensorSpec { name: format!("{name}.weight"), shape: vec![output, fan_in], role, layer });
        tensors.push(TensorSpec {
            name: format!("{name}.bias"),
            shape: vec![output],
            role: Role::Shift,
            layer,
        });
    }
    tensors
}

/// Every tensor of the whole network, in network order.
pub fn tensors() -> Vec<TensorSpec> {
    let mut all = base_tensors();
    all.extend(head_tensors());
    all
}

fn convolution(tensors: &mut Vec<TensorSpec>, name: &str, shape: [usize; 4], layer: usize) {
    let role = Role::Weight { fan_in: shape[1] * shape[2] * shape[3] };
    tensors.push(TensorSpec { name: format!("{name}.weight"), shape: shape.to_vec(), role, layer });
}

fn normalisation(tensors: &mut Vec<TensorSpec>, name: &str, channels: usize, layer: usize) {
    let parts = [
        ("weight", Role::Scale),
        ("bias", Role::Shift),
        ("running_mean", Role::RunningMean),
        ("running_var", Role::RunningVariance),
    ];
    for (part, role) in parts {
        tensors.push(TensorSpec { name: format!("{name}.{part}"), shape: vec![channels], role, layer });
    }
}

/// Which layers a training stage changes, as declared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Trainable {
    /// The head alone.
    Head,
    /// The last share of the base's layers as Keras counts them, and the head. In 0..1.
    TopShare(f64),
    /// From a named part on, such as `denseblock4` or `denseblock3.denselayer20`, and the head.
    From(String),
    /// Everything.
    All,
}

/// What [`Trainable`] means for this network: recorded in the lock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolvedLayers {
    /// As declared.
    pub declared: Trainable,
    /// Number of the first trained layer as Keras counts the base (0 to 427; 427: the head alone).
    pub first_layer: usize,
    /// Layers in the base as Keras counts them.
    pub layers: usize,
    /// Name of the first trained module with parameters.
    pub first_module: String,
    /// Last step that is frozen as a whole; its output is computed once per image and flip. `None`: nothing is.
    pub stored_after: Option<String>,
    /// Trained values: weights, scales and shifts, without running statistics.
    pub trained_parameters: u64,
    /// Frozen values, counted the same way.
    pub frozen_parameters: u64,
}

impl Trainable {
    /// The first trained layer, the boundary and the counts.
    ///
    /// # Errors
    /// In words, when the share is outside 0..=1 or no part has the name.
    pub fn resolve(&self) -> Result<ResolvedLayers, String> {
        let first_layer = match self {
            Self::Head => KERAS_LAYERS,
            Self::All => 0,
            Self::TopShare(share) => first_of_share(*share)?,
            Self::From(name) => first_of_part(name)?,
        };
        let tensors = tensors();
        let count = |trained: bool| {
            let chosen = tensors.iter().filter(|t| t.role.has_gradient());
            chosen.filter(|t| (t.layer >= first_layer) == trained).map(|t| t.len() as u64).sum()
        };
        let module = tensors.iter().find(|t| t.layer >= first_layer).map(|t| t.name.as_str());
        let module = module.and_then(|name| name.rsplit_once('.')).map_or("", |(module, _)| module);
        Ok(ResolvedLayers {
            declared: self.clone(),
            first_layer,
            layers: KERAS_LAYERS,
            first_module: module.to_owned(),
            stored_after: units().into_iter().rfind(|u| u.end_layer <= first_layer).map(|u| u.name),
            trained_parameters: count(true),
            frozen_parameters: count(false),
        })
    }
}

/// `int(layers * (1 - share))`, as the usual Keras idiom `base.layers[:int(len(base.layers) * 0.8)]` freezes.
fn first_of_share(share: f64) -> Result<usize, String> {
    if !(0.0..=1.0).contains(&share) {
        return Err(format!("a share of layers lies in 0..=1, not {share}"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..=427, floor is meant")]
    let first = (KERAS_LAYERS as f64 * (1.0 - share)).floor() as usize;
    Ok(first)
}

fn first_of_part(name: &str) -> Result<usize, String> {
    let name = name.strip_prefix("features.").unwrap_or(name);
    let within = |full: &str| {
        let rest = full.strip_prefix("features.").and_then(|full| full.strip_prefix(name));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    units()
        .iter()
        .find(|unit| within(&unit.name))
        .map(|unit| unit.first_layer)
        .or_else(|| base_tensors().iter().find(|tensor| within(&tensor.name)).map(|tensor| tensor.layer))
        .ok_or_else(|| {
            format!(
                "no part of densenet121 is called `{name}`; parts are stem, denseblock1 to denseblock4, \
                 transition1 to transition3, norm5, and below them such as denseblock3.denselayer20"
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_counts_are_those_of_torchvision_and_of_the_source_projects_head() {
        let trained = |tensors: Vec<TensorSpec>| -> usize {
            tensors.iter().filter(|t| t.role.has_gradient()).map(TensorSpec::len).sum()
        };
        // torchvision's densenet121 has 7,978,856 parameters with its classifier of 1,025,000.
        assert_eq!(trained(base_tensors()), 7_978_856 - 1_025_000);
        assert_eq!(trained(head_tensors()), 1_574_913);
        // 121 convolutions and linear layers, one of them the classifier: 120 convolutions in the base.
        assert_eq!(base_tensors().iter().filter(|t| t.shape.len() == 4).count(), 120);
    }

    #[test]
    fn layers_are_counted_as_keras_counts_them() {
        let units = units();
        assert_eq!(units.last().expect("units").end_layer, KERAS_LAYERS);
        assert_eq!(units.last().expect("units").channels, FEATURES);
        let block_4 = units.iter().find(|u| u.name == "features.denseblock4.denselayer1").expect("there");
        assert_eq!(block_4.first_layer, 313);
    }

    #[test]
    fn top_shares_start_where_the_design_says() {
        let top_20 = Trainable::TopShare(0.20).resolve().expect("resolves");
        assert_eq!(top_20.first_layer, 341);
        assert_eq!(top_20.first_module, "features.denseblock4.denselayer5.norm1");
        assert_eq!(top_20.stored_after.as_deref(), Some("features.denseblock4.denselayer4"));
        let top_35 = Trainable::TopShare(0.35).resolve().expect("resolves");
        assert_eq!(top_35.first_layer, 277);
        assert_eq!(top_35.first_module, "features.denseblock3.denselayer20.norm2");
        assert_eq!(top_35.stored_after.as_deref(), Some("features.denseblock3.denselayer19"));
    }

    #[test]
    fn named_parts_head_and_all_resolve() {
        let head = Trainable::Head.resolve().expect("resolves");
        assert_eq!((head.first_layer, head.trained_parameters), (427, 1_574_913));
        assert_eq!(head.first_module, "head.fc1");
        assert_eq!(head.stored_after.as_deref(), Some("features.norm5"));
        let all = Trainable::All.resolve().expect("resolves");
        assert_eq!((all.frozen_parameters, all.stored_after), (0, None));
        for (name, layer) in [("denseblock4", 313), ("features.denseblock3.denselayer20", 274), ("norm0", 3)]
        {
            assert_eq!(
                Trainable::From(name.to_owned()).resolve().expect("resolves").first_layer,
                layer,
                "{name}"
            );
        }
        assert!(Trainable::From("denseblock5".to_owned()).resolve().is_err());
        assert!(Trainable::From("denseblock".to_owned()).resolve().is_err());
        assert!(Trainable::TopShare(20.0).resolve().is_err());
    }
}
