//! Weights as named arrays, and their file: `.safetensors` with sorted tensors, so that equal weights
//! are equal bytes. Reads what torchvision, timm and the PyTorch port of EfficientNet write. Names no tensor
//! library.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::architecture::{Architecture, TensorSpec};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, few};
use crate::digest::Digest;
use crate::kernels;
use crate::storage;

/// How many tensors a message names.
const NAMED: usize = 12;

/// A dense array of 32-bit floats, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Extent of each dimension.
    pub shape: Vec<usize>,
    /// As many values as the shape's product.
    pub values: Vec<f32>,
}

/// Named arrays, in the order of their names.
pub type Weights = BTreeMap<String, Array>;

/// Reads every 32-bit float tensor of a `.safetensors` file; integer tensors (`num_batches_tracked`) are
/// passed over. Also gives the digest of the file's bytes.
///
/// # Errors
/// `weights-unreadable` when it is not a safetensors file, `weights-type` when a tensor is not 32-bit float.
pub fn read(path: &Path) -> Result<(Weights, Digest)> {
    let bytes = storage::read(path)?;
    let weights = from_bytes(&bytes).map_err(|diagnostics| {
        let located = diagnostics.into_iter().map(|diagnostic| diagnostic.at(Location::file(path)));
        Error::Input(located.collect())
    })?;
    Ok((weights, Digest::of(&bytes)))
}

/// The same from bytes in memory.
///
/// # Errors
/// As [`read`], without a location.
pub fn from_bytes(bytes: &[u8]) -> Result<Weights, Vec<Diagnostic>> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| {
        vec![
            Diagnostic::error(Code::WeightsUnreadable, format!("this is not a .safetensors file: {e}")).hint(
                "weights come as .safetensors alone: a state dict saved with safetensors.torch.save_file",
            ),
        ]
    })?;
    let mut weights = Weights::new();
    let mut wrong = Vec::new();
    for (name, view) in file.iter() {
        match view.dtype() {
            Dtype::F32 => {
                let values = kernels::from_bytes(view.data());
                weights.insert(name.to_owned(), Array { shape: view.shape().to_vec(), values });
            }
            Dtype::I64 | Dtype::I32 | Dtype::U8 => {}
            other => wrong.push(format!("{name} is {other:?}")),
        }
    }
    if wrong.is_empty() {
        Ok(weights)
    } else {
        wrong.sort();
        let message = format!("every tensor must be 32-bit float: {}", few::and_more(&wrong, NAMED));
        Err(vec![Diagnostic::error(Code::WeightsType, message).hint("convert the file to float32")])
    }
}

/// The bytes of a `.safetensors` file: tensors sorted by name, no metadata.
///
/// # Errors
/// `weights-shape` when an array's values do not fill its shape.
pub fn to_bytes(weights: &Weights) -> Result<Vec<u8>> {
    let raw: Vec<(&String, &Array, Vec<u8>)> =
        weights.iter().map(|(name, array)| (name, array, kernels::to_bytes(&array.values))).collect();
    let wrong = |e: safetensors::SafeTensorError| {
        Error::from(Diagnostic::error(Code::WeightsShape, format!("cannot write the weights: {e}")))
    };
    let mut views = Vec::with_capacity(raw.len());
    for (name, array, bytes) in &raw {
        let view = TensorView::new(Dtype::F32, array.shape.clone(), bytes).map_err(wrong)?;
        views.push((name.as_str(), view));
    }
    safetensors::serialize(views, None).map_err(wrong)
}

/// Takes the base from a file's tensors, and the head where the file has all of it. Accepted besides:
/// torchvision's older names (`norm.1`, `conv.2`), the published classifier, `num_batches_tracked`.
///
/// # Errors
/// `weights-missing`, `weights-unexpected` and `weights-shape`, each with every tensor, all at once;
/// `weights-of-another` where they are those of another network; `weights-not-finite`.
pub fn select(mut file: Weights, network: Architecture, path: &Path) -> Result<Weights> {
    file = file.into_iter().map(|(name, array)| (modern_name(&name), array)).collect();
    file.retain(|name, _| !name.starts_with(network.classifier()) && !name.ends_with(".num_batches_tracked"));
    let with_head = file.keys().any(|name| name.starts_with("head."));
    let wrong = match differences(&file, network, with_head) {
        list if list.is_empty() => not_finite(&file),
        list => of_another(&file, network).map_or(list, |one| vec![one]),
    };
    if wrong.is_empty() {
        return Ok(file);
    }
    Err(Error::Input(wrong.into_iter().map(|one| one.at(Location::file(path))).collect()))
}

/// Where nearly every tensor belongs to another network, one sentence says more than lists of names.
fn of_another(file: &Weights, network: Architecture) -> Option<Diagnostic> {
    let shared = |other: Architecture| {
        let wanted = other.base_tensors();
        wanted.iter().filter(|spec| file.get(&spec.name).is_some_and(|a| a.shape == spec.shape)).count()
    };
    let other = Architecture::ALL.into_iter().find(|other| {
        *other != network && shared(*other) * 10 >= other.base_tensors().len() * 9 && shared(network) == 0
    })?;
    let message = format!("these are weights of {other}, and the network is {network}");
    let hint = format!("declare `architecture = \"{other}\"`, or bring {}", network.source());
    Some(Diagnostic::error(Code::WeightsOfAnother, message).hint(hint))
}

/// Tensors that hold a value no training recovers from.
fn not_finite(weights: &Weights) -> Vec<Diagnostic> {
    let names = weights.iter().filter(|(_, array)| !array.values.iter().all(|value| value.is_finite()));
    let names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let message = format!(
        "{} tensors hold values that are no finite numbers: {}",
        names.len(),
        few::and_more(&names, NAMED)
    );
    vec![
        Diagnostic::error(Code::WeightsNotFinite, message)
            .hint("bring the file again from where it was published"),
    ]
}

/// What separates arrays from the tensors of a network's base, and of its head; empty: nothing.
pub fn differences(weights: &Weights, network: Architecture, with_head: bool) -> Vec<Diagnostic> {
    let wanted: Vec<TensorSpec> = if with_head { network.tensors() } else { network.base_tensors() };
    let mut missing = Vec::new();
    let mut misshapen = Vec::new();
    for spec in &wanted {
        match weights.get(&spec.name) {
            None => missing.push(spec.name.clone()),
            Some(array) if array.shape != spec.shape => {
                misshapen.push(format!("{} is {:?}, must be {:?}", spec.name, array.shape, spec.shape));
            }
            Some(_) => {}
        }
    }
    let known: std::collections::BTreeSet<&str> = wanted.iter().map(|spec| spec.name.as_str()).collect();
    let unexpected: Vec<String> =
        weights.keys().filter(|name| !known.contains(name.as_str())).cloned().collect();
    let hint = format!("these must be weights of {network}: {}", network.source());
    let report = |code, what: &str, names: &[String]| {
        let message = format!("{} {what}: {}", names.len(), few::and_more(names, NAMED));
        (!names.is_empty()).then(|| Diagnostic::error(code, message).hint(hint.clone()))
    };
    [
        report(Code::WeightsMissing, &format!("tensors of {network} are not there"), &missing),
        report(Code::WeightsUnexpected, &format!("tensors are not of {network}"), &unexpected),
        report(Code::WeightsShape, "tensors have another shape", &misshapen),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// torchvision before 0.3 wrote `denselayer1.norm.1.weight` for what is now `denselayer1.norm1.weight`.
fn modern_name(name: &str) -> String {
    let mut name = name.to_owned();
    if name.contains(".denselayer") {
        for part in ["norm", "conv"] {
            for number in ["1", "2"] {
                name = name.replace(&format!(".{part}.{number}."), &format!(".{part}{number}."));
            }
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::random::initial_weights;

    const DENSENET: Architecture = Architecture::Densenet121;

    fn base() -> Weights {
        initial_weights(DENSENET, 1).into_iter().filter(|(name, _)| name.starts_with("features.")).collect()
    }

    #[test]
    fn weights_survive_the_file_bit_for_bit_and_bytes_do_not_depend_on_the_order_of_insertion() {
        let array = |values: &[f32]| Array { shape: vec![values.len()], values: values.to_vec() };
        let one =
            Weights::from([("b".into(), array(&[1.0, f32::MIN_POSITIVE])), ("a".into(), array(&[-0.0]))]);
        let bytes = to_bytes(&one).expect("writes");
        let again = from_bytes(&bytes).expect("reads");
        assert_eq!(again["a"].values[0].to_bits(), (-0.0_f32).to_bits());
        assert_eq!(again, one);
        let other =
            Weights::from([("a".into(), array(&[-0.0])), ("b".into(), array(&[1.0, f32::MIN_POSITIVE]))]);
        assert_eq!(to_bytes(&other).expect("writes"), bytes);
    }

    #[test]
    fn torchvision_and_timm_extras_and_older_names_are_accepted() {
        let mut file: Weights = base()
            .into_iter()
            .map(|(name, array)| {
                let old = name.replace(".norm1.", ".norm.1.").replace(".conv2.", ".conv.2.");
                (if name.contains("denselayer") { old } else { name }, array)
            })
            .collect();
        file.insert("classifier.weight".to_owned(), Array { shape: vec![1], values: vec![0.0] });
        let selected = select(file, DENSENET, Path::new("x.safetensors")).expect("selects");
        assert_eq!(selected, base());
    }

    #[test]
    fn missing_unexpected_and_misshapen_tensors_are_all_listed_at_once() {
        let mut file = base();
        file.remove("features.conv0.weight");
        file.insert("features.conv9.weight".to_owned(), Array { shape: vec![1], values: vec![0.0] });
        file.insert("features.norm5.bias".to_owned(), Array { shape: vec![2], values: vec![0.0; 2] });
        let error = select(file, DENSENET, Path::new("x.safetensors")).expect_err("differs");
        let codes: Vec<_> = error.diagnostics().iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, ["weights-missing", "weights-unexpected", "weights-shape"]);
        let text = error.to_string();
        for part in
            ["features.conv0.weight", "features.conv9.weight", "features.norm5.bias is [2], must be [1024]"]
        {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn weights_of_a_known_network_are_named_and_values_that_are_no_numbers_refused() {
        let lite = initial_weights(Architecture::EfficientnetLite0, 1);
        let codes = |error: Error| error.diagnostics().iter().map(|d| d.code.as_str()).collect::<Vec<_>>();
        let error = select(lite, DENSENET, Path::new("x.safetensors")).expect_err("differs");
        assert!(error.to_string().contains("weights of efficientnet-lite0, and the network is densenet121"));
        assert_eq!(codes(error), ["weights-of-another"]);
        let mut file = base();
        file.get_mut("features.norm5.bias").expect("there").values[3] = f32::NAN;
        let error = select(file, DENSENET, Path::new("x.safetensors")).expect_err("refused");
        assert!(
            error
                .to_string()
                .contains("1 tensors hold values that are no finite numbers: features.norm5.bias")
        );
        assert_eq!(codes(error), ["weights-not-finite"]);
    }

    #[test]
    fn another_networks_weights_are_refused_by_name() {
        let mut file = Weights::new();
        file.insert("conv_stem.weight".to_owned(), Array { shape: vec![1], values: vec![0.0] });
        let error = select(file, DENSENET, Path::new("x.safetensors")).expect_err("differs");
        assert!(error.to_string().contains("and 592 more") || error.to_string().contains("more"), "{error}");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = from_bytes(&bytes);
        }

        #[test]
        fn a_damaged_header_never_panics(position in 0_usize..60, byte in any::<u8>()) {
            let one = Weights::from([("a".into(), Array { shape: vec![2], values: vec![1.0, 2.0] })]);
            let mut bytes = to_bytes(&one).expect("writes");
            let position = position % bytes.len();
            bytes[position] = byte;
            let _ = from_bytes(&bytes);
        }
    }
}
