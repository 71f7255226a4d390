//! `sequester export --format onnx`: what is written, and, where an engine is at hand, what it computes.
//!
//! `SEQUESTER_ONNX_PYTHON` names a Python with onnx, onnxruntime and numpy.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use prost::Message as _;
use sequester::dataset::gate::Gate;
use sequester::model::architecture::Architecture;
use sequester::model::forward::{Forward, Maps};
use sequester::model::lock::Lock;
use sequester::model::onnx::{FLOAT, Model, dimension::Size};
use sequester::model::scorer::{locked_weights, probability};

use crate::locked_model::lock_random;
use crate::support::sequester;

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Locks a model and exports it; gives both files' places.
fn exported(folder: &Path, architecture: Architecture, more: &[&str]) -> (Lock, std::path::PathBuf) {
    let model = folder.join(architecture.name());
    let lock = match Lock::read(&model) {
        Ok(lock) => lock,
        Err(_) => lock_random(&model, architecture, Gate::default()),
    };
    let out = folder.join(format!("{}{}.onnx", architecture.name(), more.len()));
    let mut arguments = vec!["export", text(&model), "--out", text(&out)];
    arguments.extend(more);
    let ran = sequester(&arguments);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    (lock, out)
}

#[test]
fn the_file_holds_every_operation_and_the_very_weights() {
    let folder = tempfile::tempdir().expect("folder");
    for (architecture, kinds) in [
        (
            Architecture::Densenet121,
            "AveragePool:3 BatchNormalization:121 Concat:58 Conv:120 Flatten:1 Gemm:3 GlobalAveragePool:1 \
             Identity:1 MaxPool:1 Relu:123 Squeeze:1",
        ),
        (
            Architecture::EfficientnetLite0,
            "Add:9 BatchNormalization:49 Clip:33 Conv:49 Flatten:1 Gemm:3 GlobalAveragePool:1 Identity:1 \
             Relu:2 \
             Squeeze:1",
        ),
        (
            Architecture::EfficientnetB4,
            "Add:25 BatchNormalization:96 Conv:160 Flatten:1 Gemm:3 GlobalAveragePool:33 Identity:1 Mul:128 \
             Relu:2 Sigmoid:128 Squeeze:1",
        ),
    ] {
        let (lock, out) = exported(folder.path(), architecture, &[]);
        let bytes = std::fs::read(&out).expect("reads");
        let model = Model::decode(bytes.as_slice()).expect("decodes");
        assert_eq!((model.ir_version, model.operators[0].version), (8, 17));
        let graph = model.graph.expect("a graph");
        let mut counts = std::collections::BTreeMap::<&str, usize>::new();
        for node in &graph.node {
            *counts.entry(&node.kind).or_default() += 1;
        }
        let counts: Vec<String> = counts.iter().map(|(kind, n)| format!("{kind}:{n}")).collect();
        assert_eq!(counts.join(" "), kinds);

        // Every tensor is there once, with the locked values, and is used; every value is made before it is
        // used.
        let weights = locked_weights(&lock, &folder.path().join(architecture.name())).expect("reads");
        let mut known: BTreeSet<&str> = BTreeSet::from(["image"]);
        for tensor in &graph.initializer {
            assert!(known.insert(&tensor.name), "{} twice", tensor.name);
            if let Some(array) = weights.get(&tensor.name) {
                let dims: Vec<i64> = array.shape.iter().map(|n| *n as i64).collect();
                let raw: Vec<u8> = array.values.iter().flat_map(|v| v.to_le_bytes()).collect();
                assert!(tensor.kind == FLOAT && tensor.dims == dims && tensor.raw == raw, "{}", tensor.name);
            }
        }
        assert!(weights.keys().all(|name| known.contains(name.as_str())));
        let mut used = BTreeSet::new();
        for node in &graph.node {
            for input in &node.input {
                assert!(known.contains(input.as_str()), "{} needs {input}", node.name);
                used.insert(input.as_str());
            }
            assert!(known.insert(&node.output[0]));
        }
        let unused: Vec<_> = known.difference(&used).copied().collect();
        assert_eq!(unused, ["logit"]);
        let dims = |info: &sequester::model::onnx::ValueInfo| -> Vec<String> {
            let shape = info.kind.as_ref().and_then(|k| k.tensor.as_ref()).and_then(|t| t.shape.as_ref());
            let name = |size: &Option<Size>| match size {
                Some(Size::Value(n)) => n.to_string(),
                Some(Size::Symbol(name)) => name.clone(),
                None => "?".to_owned(),
            };
            shape.expect("a shape").dims.iter().map(|d| name(&d.size)).collect()
        };
        assert_eq!(dims(&graph.input[0]), ["n", "3", "32", "32"]);
        assert_eq!(dims(&graph.output[0]), ["n"]);
        let property = |key: &str| model.properties.iter().find(|p| p.key == key).expect(key).value.clone();
        assert_eq!(property("weights_sha256"), lock.weights.sha256.to_string());
        assert_eq!(property("threshold").parse(), Ok(lock.operating_point.threshold));
        assert!(property("preprocessing").contains("\"resolution\":32"));
        // The same bytes again.
        std::fs::remove_file(&out).expect("removes");
        exported(folder.path(), architecture, &[]);
        assert_eq!(std::fs::read(&out).expect("reads"), bytes);
    }
}

#[test]
fn changed_weights_existing_files_and_impossible_wishes_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let (_, out) = exported(folder.path(), Architecture::EfficientnetLite0, &[]);
    let model = folder.path().join("efficientnet-lite0");
    let again = sequester(&["export", text(&model), "--out", text(&out)]);
    assert!(again.code == 1 && again.stderr.contains("error[file-exists]"), "{}", again.stderr);
    let pt = folder.path().join("m.pt");
    let wish = sequester(&["export", text(&model), "--out", text(&pt), "--output", "probability"]);
    assert!(wish.code == 2 && wish.stderr.contains("TorchScript gives logits alone"), "{}", wish.stderr);
    if !cfg!(feature = "torch") {
        let without = sequester(&["export", text(&model), "--out", text(&pt)]);
        assert!(without.code == 1 && without.stderr.contains("--format onnx"), "{}", without.stderr);
    }
    let weights = model.join("weights.safetensors");
    let mut bytes = std::fs::read(&weights).expect("reads");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&weights, bytes).expect("writes");
    let other = folder.path().join("other.onnx");
    let changed = sequester(&["export", text(&model), "--out", text(&other)]);
    assert!(changed.code == 30 && changed.stderr.contains("error[weights-differ]"), "{}", changed.stderr);
    assert!(!other.exists());
}

/// Reads the model, checks it, and prints one number a line for the images of a file of 32-bit floats.
const SCRIPT: &str = "
import sys, numpy, onnx, onnxruntime
onnx.checker.check_model(sys.argv[1], full_check=True)
side = int(sys.argv[3])
images = numpy.fromfile(sys.argv[2], dtype='<f4').reshape(-1, 3, side, side)
session = onnxruntime.InferenceSession(sys.argv[1], providers=['CPUExecutionProvider'])
together = session.run(None, {'image': images})[0]
alone = [session.run(None, {'image': images[i:i + 1]})[0] for i in range(len(images))]
assert together.shape == (len(images),), together.shape
assert numpy.abs(numpy.concatenate(alone) - together).max() < 1e-5
for value in together:
    print(repr(float(value)))
";

#[test]
fn onnxruntime_gives_the_logits_of_the_locked_model() {
    let Some(python) = std::env::var_os("SEQUESTER_ONNX_PYTHON") else {
        eprintln!(
            "SKIPPED onnxruntime_gives_the_logits_of_the_locked_model: set SEQUESTER_ONNX_PYTHON to a \
             Python with onnxruntime"
        );
        return;
    };
    let folder = tempfile::tempdir().expect("folder");
    for architecture in Architecture::ALL {
        let (lock, logits) = exported(folder.path(), architecture, &[]);
        let (_, probabilities) = exported(folder.path(), architecture, &["--output", "probability"]);
        let weights = locked_weights(&lock, &folder.path().join(architecture.name())).expect("reads");
        let forward = Forward::new(architecture, &weights).expect("builds");
        // Smooth and rough, dark and bright.
        let (count, side) = (6, lock.preprocessing.resolution as usize);
        let value = |i: usize| {
            let (image, pixel) = (i / (3 * side * side), i % (3 * side * side));
            let wave = (pixel as f32 * (0.003 + 0.4 * image as f32)).sin();
            2.0 * wave * (image as f32 + 1.0) / 3.0 - 0.2 * image as f32
        };
        let images: Vec<f32> = (0..count * 3 * side * side).map(value).collect();
        let file = folder.path().join("images.f32");
        std::fs::write(&file, images.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>())
            .expect("writes");
        let run = |model: &Path| -> Vec<f64> {
            let output = Command::new(&python)
                .args(["-c", SCRIPT, text(model), text(&file), &side.to_string()])
                .output()
                .expect("starts");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let lines = String::from_utf8(output.stdout).expect("text");
            lines.lines().map(|line| line.parse().expect("a number")).collect()
        };
        let (logits, probabilities) = (run(&logits), run(&probabilities));
        assert_eq!((logits.len(), probabilities.len()), (count, count));
        let mut largest = 0.0_f64;
        for (i, image) in images.chunks_exact(3 * side * side).enumerate() {
            let ours = f64::from(forward.logit(Maps::from_planes(image, [3, side, side])));
            largest = largest.max((ours - logits[i]).abs());
            assert!((ours - logits[i]).abs() < 1e-5, "{architecture} {i}: {ours} {}", logits[i]);
            assert!((probability(ours) - probabilities[i]).abs() < 1e-6, "{architecture} {i}");
        }
        eprintln!("{architecture}: largest difference of a logit {largest:.1e}, logits {logits:?}");
    }
}
