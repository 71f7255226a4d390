//! Which layers a training stage changes: as declared, and what that means for a network.

use serde::{Deserialize, Serialize};

use super::architecture::{Architecture, Unit};

/// Which layers a training stage changes, as declared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Trainable {
    /// The head alone.
    Head,
    /// The last share of the base's layers, see [`Architecture::layers`], and the head. In 0..1.
    TopShare(f64),
    /// From a named part on, such as `denseblock4` or `denseblock3.denselayer20`, and the head.
    From(String),
    /// Everything.
    All,
}

/// What [`Trainable`] means for a network: recorded in the lock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ResolvedLayers {
    /// As declared.
    pub declared: Trainable,
    /// Number of the first trained layer of the base (0 to `layers`; `layers`: the head alone).
    pub first_layer: usize,
    /// Layers in the base, see [`Architecture::layers`].
    pub layers: usize,
    /// Name of the first trained module with parameters.
    pub first_module: String,
    /// Last step that is frozen as a whole; its output is computed once per image and flip. `None`: nothing
    /// is.
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
    pub fn resolve(&self, network: Architecture) -> Result<ResolvedLayers, String> {
        let layers = network.layers();
        let first_layer = match self {
            Self::Head => layers,
            Self::All => 0,
            Self::TopShare(share) => first_of_share(*share, layers)?,
            Self::From(name) => first_of_part(name, network)?,
        };
        let tensors = network.tensors();
        let count = |trained: bool| {
            let chosen = tensors.iter().filter(|t| t.role.has_gradient());
            chosen.filter(|t| (t.layer >= first_layer) == trained).map(|t| t.len() as u64).sum()
        };
        let module = tensors.iter().find(|t| t.layer >= first_layer).map(|t| t.name.as_str());
        let module = module.and_then(|name| name.rsplit_once('.')).map_or("", |(module, _)| module);
        Ok(ResolvedLayers {
            declared: self.clone(),
            first_layer,
            layers,
            first_module: module.to_owned(),
            stored_after: frozen_units(network, first_layer).last().map(|unit| unit.name.clone()),
            trained_parameters: count(true),
            frozen_parameters: count(false),
        })
    }
}

impl ResolvedLayers {
    /// Steps of the base that are frozen as a whole: the output of the last of them can be stored.
    pub fn frozen_steps(&self, network: Architecture) -> usize {
        frozen_units(network, self.first_layer).len()
    }
}

/// The steps that lie before the first trained layer. Layers are counted in the order of the steps.
fn frozen_units(network: Architecture, first_layer: usize) -> Vec<Unit> {
    network.units().into_iter().take_while(|unit| unit.end_layer <= first_layer).collect()
}

/// `int(layers * (1 - share))`, as the usual Keras idiom `base.layers[:int(len(base.layers) * 0.8)]` freezes.
fn first_of_share(share: f64, layers: usize) -> Result<usize, String> {
    if !(0.0..=1.0).contains(&share) {
        return Err(format!("a share of layers lies in 0..=1, not {share}"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..=layers, floor is meant")]
    let first = (layers as f64 * (1.0 - share)).floor() as usize;
    Ok(first)
}

fn first_of_part(name: &str, network: Architecture) -> Result<usize, String> {
    // `blocks.3.project_conv` is as good as `_blocks.3._project_conv`.
    let plain = |name: &str| {
        let parts = name.strip_prefix("features.").unwrap_or(name).split('.');
        parts.map(|part| part.strip_prefix('_').unwrap_or(part)).collect::<Vec<_>>().join(".")
    };
    let name = plain(name);
    let within = |full: &str| {
        plain(full).strip_prefix(&name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let unit = network.units().into_iter().find(|unit| within(&unit.name)).map(|unit| unit.first_layer);
    let tensor = || network.base_tensors().into_iter().find(|t| within(&t.name)).map(|t| t.layer);
    unit.or_else(tensor)
        .ok_or_else(|| format!("no part of {network} is called `{name}`; parts are {}", network.parts()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENSENET: Architecture = Architecture::Densenet121;

    #[test]
    fn top_shares_start_where_the_design_says() {
        let top_20 = Trainable::TopShare(0.20).resolve(DENSENET).expect("resolves");
        assert_eq!(top_20.first_layer, 341);
        assert_eq!(top_20.first_module, "features.denseblock4.denselayer5.norm1");
        assert_eq!(top_20.stored_after.as_deref(), Some("features.denseblock4.denselayer4"));
        let top_35 = Trainable::TopShare(0.35).resolve(DENSENET).expect("resolves");
        assert_eq!(top_35.first_layer, 277);
        assert_eq!(top_35.first_module, "features.denseblock3.denselayer20.norm2");
        assert_eq!(top_35.stored_after.as_deref(), Some("features.denseblock3.denselayer19"));
    }

    #[test]
    fn named_parts_head_and_all_resolve() {
        let head = Trainable::Head.resolve(DENSENET).expect("resolves");
        assert_eq!((head.first_layer, head.trained_parameters), (427, 1_574_913));
        assert_eq!(head.first_module, "head.fc1");
        assert_eq!(head.stored_after.as_deref(), Some("features.norm5"));
        let all = Trainable::All.resolve(DENSENET).expect("resolves");
        assert_eq!((all.frozen_parameters, all.stored_after), (0, None));
        for (name, layer) in [("denseblock4", 313), ("features.denseblock3.denselayer20", 274), ("norm0", 3)]
        {
            assert_eq!(
                Trainable::From(name.to_owned()).resolve(DENSENET).expect("resolves").first_layer,
                layer,
                "{name}"
            );
        }
        assert!(Trainable::From("denseblock5".to_owned()).resolve(DENSENET).is_err());
        assert!(Trainable::From("denseblock".to_owned()).resolve(DENSENET).is_err());
        assert!(Trainable::TopShare(20.0).resolve(DENSENET).is_err());
    }

    #[test]
    fn parts_of_efficientnet_are_named_with_and_without_underscores() {
        let lite = Architecture::EfficientnetLite0;
        let first = |name: &str| Trainable::From(name.to_owned()).resolve(lite).map(|r| r.first_module);
        assert_eq!(first("blocks.12").expect("there"), "_blocks.12._expand_conv");
        assert_eq!(first("_blocks.12._project_conv").expect("there"), "_blocks.12._project_conv");
        assert_eq!(first("blocks.12.project_conv").expect("there"), "_blocks.12._project_conv");
        assert_eq!(first("blocks.1").expect("there"), "_blocks.1._expand_conv");
        assert_eq!(first("head").expect("there"), "_conv_head");
        assert!(first("blocks.16").expect_err("none").contains("blocks.15"));
        let all = Trainable::From("stem".to_owned()).resolve(lite).expect("there");
        assert_eq!((all.first_layer, all.frozen_parameters), (0, 0));
    }

    #[test]
    fn parts_of_efficientnet_b4_are_stages_blocks_and_what_is_in_them() {
        let first = |name: &str| {
            Trainable::From(name.to_owned()).resolve(Architecture::EfficientnetB4).map(|r| r.first_module)
        };
        assert_eq!(first("6").expect("there"), "features.6.0.block.0.0");
        assert_eq!(first("features.6.3").expect("there"), "features.6.3.block.0.0");
        assert_eq!(first("6.3.block.2").expect("there"), "features.6.3.block.2.fc1");
        assert_eq!(first("8").expect("there"), "features.8.0");
        assert!(first("9").expect_err("none").contains("stages 1 to 7"));
    }
}
