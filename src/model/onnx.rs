//! A locked model as ONNX, for engines that read it. The network is written operation by operation as it was
//! declared, with the locked weights as they are: what an engine fuses is its own choice. Knows no tensor
//! library.
//!
//! Format: ONNX IR version 8 with operator set 17 (`onnx.proto3` of the ONNX project); the messages below are
//! the part of it that a network needs, with the field numbers of that file.

use prost::Message;

use super::architecture::{Joined, Operation, Padding};
use super::lock::Lock;
use super::weights::{Array, Weights, differences};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::digest::Digest;
use crate::kernels;

/// Version of the intermediate representation.
pub const IR_VERSION: i64 = 8;
/// Version of the operator set.
pub const OPERATORS: i64 = 17;
/// Name of the input, `[n, 3, resolution, resolution]`.
pub const INPUT: &str = "image";

/// What the graph gives for each image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// The logit, as the network computes it.
    #[default]
    Logit,
    /// Its logistic function, in 32 bits: scores near 0 and 1 keep fewer digits than the program's own.
    Probability,
}

impl Output {
    /// Name of the output, `[n]`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logit => "logit",
            Self::Probability => "probability",
        }
    }
}

/// The bytes of the model. The same lock, weights and output give the same bytes.
///
/// # Errors
/// Every missing, unexpected or misshapen tensor; `export-differs` when what was written does not read back
/// as it was meant.
pub fn to_bytes(lock: &Lock, lock_sha256: Digest, weights: &Weights, output: Output) -> Result<Vec<u8>> {
    let wrong = differences(weights, lock.architecture, true);
    if !wrong.is_empty() {
        return Err(Error::Input(wrong));
    }
    let side = lock.preprocessing.resolution as usize;
    let mut writer = Writer { weights, graph: Graph::default(), side, values: 0 };
    let logit = writer.network(lock);
    let last = if output == Output::Probability { "Sigmoid" } else { "Identity" };
    writer.node(last, &[&logit], output.name(), Vec::new());
    let mut graph = writer.graph;
    lock.architecture.name().clone_into(&mut graph.name);
    let side = i64::from(lock.preprocessing.resolution);
    let batch = || Dimension { size: Some(dimension::Size::Symbol("n".to_owned())) };
    let of = |n: i64| Dimension { size: Some(dimension::Size::Value(n)) };
    graph.input = vec![ValueInfo::of(INPUT, vec![batch(), of(3), of(side), of(side)])];
    graph.output = vec![ValueInfo::of(output.name(), vec![batch()])];
    let preprocessing = serde_json::to_string(&lock.preprocessing)
        .map_err(|e| Diagnostic::error(Code::Json, format!("cannot write the preprocessing: {e}")))?;
    let properties = [
        ("architecture", lock.architecture.name().to_owned()),
        ("lock_sha256", lock_sha256.to_string()),
        ("weights_sha256", lock.weights.sha256.to_string()),
        ("preprocessing", preprocessing),
        (
            "input",
            "grey intensities in 0 to 1, resized as preprocessing says, three equal channels, each \
            less mean and divided by std"
                .to_owned(),
        ),
        (
            "output",
            match output {
                Output::Logit => "one logit an image; probability = 1 / (1 + exp(-logit)); positive at or \
                above the threshold"
                    .to_owned(),
                Output::Probability => {
                    "one probability an image; positive at or above the threshold".to_owned()
                }
            },
        ),
        ("threshold", lock.operating_point.threshold.to_string()),
    ];
    let model = Model {
        ir_version: IR_VERSION,
        operators: vec![OperatorSet { domain: String::new(), version: OPERATORS }],
        producer_name: "sequester".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(graph),
        properties: properties
            .into_iter()
            .map(|(key, value)| Property { key: key.to_owned(), value })
            .collect(),
    };
    let bytes = model.encode_to_vec();
    if Model::decode(bytes.as_slice()).is_ok_and(|again| again == model) {
        return Ok(bytes);
    }
    Err(Diagnostic::error(Code::ExportDiffers, "the ONNX file does not read back as it was written").into())
}

/// Writes node after node. Names of values are `v1`, `v2`, ...
struct Writer<'a> {
    weights: &'a Weights,
    graph: Graph,
    /// Rows and columns of the maps so far.
    side: usize,
    values: usize,
}

impl Writer<'_> {
    /// The base and the head; gives the name of the logits, `[n]`.
    fn network(&mut self, lock: &Lock) -> String {
        let mut x = INPUT.to_owned();
        for unit in lock.architecture.units() {
            let mut y = x.clone();
            for operation in &unit.operations {
                y = self.operation(operation, &y);
            }
            x = match unit.joined {
                Joined::Replaced => y,
                Joined::Concatenated => self.value("Concat", &[&x, &y], vec![Attribute::int("axis", 1)]),
                Joined::Added => self.value("Add", &[&y, &x], Vec::new()),
            };
        }
        for number in 1..=3 {
            let [weight, bias] =
                ["weight", "bias"].map(|part| self.tensor(&format!("head.fc{number}.{part}")));
            x = self.value("Gemm", &[&x, &weight, &bias], vec![Attribute::int("transB", 1)]);
            if number < 3 {
                x = self.value("Relu", &[&x], Vec::new());
            }
        }
        let axes = "axes".to_owned();
        let one = 1_i64.to_le_bytes().to_vec();
        self.graph.initializer.push(Tensor { dims: vec![1], kind: INT64, name: axes.clone(), raw: one });
        self.value("Squeeze", &[&x, &axes], Vec::new())
    }

    fn operation(&mut self, operation: &Operation, x: &str) -> String {
        match operation {
            Operation::Convolution { name, shape, stride, groups, padding, .. } => {
                let weight = self.tensor(&format!("{name}.weight"));
                let window = self.window([shape[2], shape[3]], *stride, *padding);
                let attributes = [vec![Attribute::int("group", *groups)], window].concat();
                self.value("Conv", &[x, &weight], attributes)
            }
            Operation::Normalisation { name, epsilon, .. } => {
                let parts = ["weight", "bias", "running_mean", "running_var"];
                let [scale, shift, mean, variance] = parts.map(|part| self.tensor(&format!("{name}.{part}")));
                let epsilon = Attribute::float("epsilon", *epsilon as f32);
                self.value("BatchNormalization", &[x, &scale, &shift, &mean, &variance], vec![epsilon])
            }
            Operation::Relu => self.value("Relu", &[x], Vec::new()),
            Operation::Relu6 => {
                let [least, most] =
                    [("zero", 0.0), ("six", 6.0)].map(|(name, value)| self.scalar(name, value));
                self.value("Clip", &[x, &least, &most], Vec::new())
            }
            Operation::Silu => self.silu(x),
            Operation::SqueezeExcitation { name, .. } => {
                let mut y = self.value("GlobalAveragePool", &[x], Vec::new());
                for layer in ["fc1", "fc2"] {
                    let [weight, bias] =
                        ["weight", "bias"].map(|part| self.tensor(&format!("{name}.{layer}.{part}")));
                    y = self.value("Conv", &[&y, &weight, &bias], Vec::new());
                    y = if layer == "fc1" { self.silu(&y) } else { self.value("Sigmoid", &[&y], Vec::new()) };
                }
                self.value("Mul", &[x, &y], Vec::new())
            }
            Operation::MaxPool => {
                let window = self.window([3, 3], 2, Padding::Each(1));
                self.value("MaxPool", &[x], window)
            }
            Operation::AveragePool => {
                let window = self.window([2, 2], 2, Padding::Each(0));
                self.value("AveragePool", &[x], window)
            }
            Operation::GlobalAverage => {
                let pooled = self.value("GlobalAveragePool", &[x], Vec::new());
                self.value("Flatten", &[&pooled], vec![Attribute::int("axis", 1)])
            }
        }
    }

    fn silu(&mut self, x: &str) -> String {
        let gate = self.value("Sigmoid", &[x], Vec::new());
        self.value("Mul", &[x, &gate], Vec::new())
    }

    /// Attributes of a window that moves over square maps, and what is left of the maps.
    fn window(&mut self, kernel: [usize; 2], stride: usize, padding: Padding) -> Vec<Attribute> {
        let [top, bottom] = padding.zeros(self.side, kernel[0], stride);
        let [left, right] = padding.zeros(self.side, kernel[1], stride);
        self.side = padding.outputs(self.side, kernel[0], stride);
        vec![
            Attribute::ints("kernel_shape", &kernel),
            Attribute::ints("pads", &[top, left, bottom, right]),
            Attribute::ints("strides", &[stride, stride]),
        ]
    }

    /// A node with a new value; gives the value's name.
    fn value(&mut self, kind: &str, inputs: &[&str], attributes: Vec<Attribute>) -> String {
        self.values += 1;
        let name = format!("v{}", self.values);
        self.node(kind, inputs, &name, attributes);
        name
    }

    fn node(&mut self, kind: &str, inputs: &[&str], output: &str, attributes: Vec<Attribute>) {
        self.graph.node.push(Node {
            input: inputs.iter().map(|name| (*name).to_owned()).collect(),
            output: vec![output.to_owned()],
            name: format!("{kind}_{}", self.graph.node.len()),
            kind: kind.to_owned(),
            attribute: attributes,
        });
    }

    /// A locked tensor under its own name.
    fn tensor(&mut self, name: &str) -> String {
        if let Some(array) = self.weights.get(name) {
            self.constant(name, array);
        }
        name.to_owned()
    }

    fn scalar(&mut self, name: &str, value: f32) -> String {
        if !self.graph.initializer.iter().any(|tensor| tensor.name == name) {
            self.constant(name, &Array { shape: Vec::new(), values: vec![value] });
        }
        name.to_owned()
    }

    fn constant(&mut self, name: &str, array: &Array) {
        self.graph.initializer.push(Tensor {
            dims: array.shape.iter().map(|n| *n as i64).collect(),
            kind: FLOAT,
            name: name.to_owned(),
            raw: kernels::to_bytes(&array.values),
        });
    }
}

/// `TensorProto.DataType`: 32-bit floats.
pub const FLOAT: i32 = 1;
/// `TensorProto.DataType`: 64-bit integers.
pub const INT64: i32 = 7;

/// `ModelProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Model {
    /// [`IR_VERSION`].
    #[prost(int64, tag = "1")]
    pub ir_version: i64,
    /// Who wrote it.
    #[prost(string, tag = "2")]
    pub producer_name: String,
    /// Its version.
    #[prost(string, tag = "3")]
    pub producer_version: String,
    /// The network.
    #[prost(message, optional, tag = "7")]
    pub graph: Option<Graph>,
    /// Which operators are meant.
    #[prost(message, repeated, tag = "8")]
    pub operators: Vec<OperatorSet>,
    /// `metadata_props`: lock, preprocessing, threshold.
    #[prost(message, repeated, tag = "14")]
    pub properties: Vec<Property>,
}

/// `OperatorSetIdProto`.
#[derive(Clone, PartialEq, Message)]
pub struct OperatorSet {
    /// Empty: the operators of ONNX itself.
    #[prost(string, tag = "1")]
    pub domain: String,
    /// [`OPERATORS`].
    #[prost(int64, tag = "2")]
    pub version: i64,
}

/// `StringStringEntryProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Property {
    /// Its name.
    #[prost(string, tag = "1")]
    pub key: String,
    /// Its value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// `GraphProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Graph {
    /// In the order in which they can be computed.
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<Node>,
    /// Name of the network.
    #[prost(string, tag = "2")]
    pub name: String,
    /// Weights.
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<Tensor>,
    /// Images.
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<ValueInfo>,
    /// One number an image.
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<ValueInfo>,
}

/// `NodeProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Node {
    /// Names of values and tensors.
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    /// Names of the values it makes.
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    /// Unique.
    #[prost(string, tag = "3")]
    pub name: String,
    /// `op_type`, such as `Conv`.
    #[prost(string, tag = "4")]
    pub kind: String,
    /// Constants.
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<Attribute>,
}

/// `AttributeProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Attribute {
    /// Such as `strides`.
    #[prost(string, tag = "1")]
    pub name: String,
    /// A 32-bit float.
    #[prost(float, tag = "2")]
    pub f: f32,
    /// An integer.
    #[prost(int64, tag = "3")]
    pub i: i64,
    /// Integers.
    #[prost(int64, repeated, packed = "false", tag = "8")]
    pub ints: Vec<i64>,
    /// `AttributeType`: 1 float, 2 integer, 7 integers.
    #[prost(int32, tag = "20")]
    pub kind: i32,
}

impl Attribute {
    fn float(name: &str, f: f32) -> Self {
        Self { name: name.to_owned(), f, kind: 1, ..Self::default() }
    }

    fn int(name: &str, i: usize) -> Self {
        Self { name: name.to_owned(), i: i as i64, kind: 2, ..Self::default() }
    }

    fn ints(name: &str, ints: &[usize]) -> Self {
        let ints = ints.iter().map(|n| *n as i64).collect();
        Self { name: name.to_owned(), ints, kind: 7, ..Self::default() }
    }
}

/// `TensorProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Tensor {
    /// Extents; none: a scalar.
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub dims: Vec<i64>,
    /// [`FLOAT`] or [`INT64`].
    #[prost(int32, tag = "2")]
    pub kind: i32,
    /// As the lock's weights name it.
    #[prost(string, tag = "8")]
    pub name: String,
    /// Values, row-major, little-endian.
    #[prost(bytes = "vec", tag = "9")]
    pub raw: Vec<u8>,
}

/// `ValueInfoProto`.
#[derive(Clone, PartialEq, Message)]
pub struct ValueInfo {
    /// Name of the value.
    #[prost(string, tag = "1")]
    pub name: String,
    /// What it is.
    #[prost(message, optional, tag = "2")]
    pub kind: Option<ValueType>,
}

impl ValueInfo {
    fn of(name: &str, dims: Vec<Dimension>) -> Self {
        let tensor = TensorType { element: FLOAT, shape: Some(Shape { dims }) };
        Self { name: name.to_owned(), kind: Some(ValueType { tensor: Some(tensor) }) }
    }
}

/// `TypeProto`, of which only tensors are used.
#[derive(Clone, PartialEq, Message)]
pub struct ValueType {
    /// The one kind.
    #[prost(message, optional, tag = "1")]
    pub tensor: Option<TensorType>,
}

/// `TypeProto.Tensor`.
#[derive(Clone, PartialEq, Message)]
pub struct TensorType {
    /// [`FLOAT`].
    #[prost(int32, tag = "1")]
    pub element: i32,
    /// Extents.
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Shape>,
}

/// `TensorShapeProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Shape {
    /// One an axis.
    #[prost(message, repeated, tag = "1")]
    pub dims: Vec<Dimension>,
}

/// `TensorShapeProto.Dimension`.
#[derive(Clone, PartialEq, Message)]
pub struct Dimension {
    /// A number, or a name for what the caller chooses.
    #[prost(oneof = "dimension::Size", tags = "1, 2")]
    pub size: Option<dimension::Size>,
}

/// What [`Dimension`] holds.
pub mod dimension {
    /// A number or a name.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Size {
        /// `dim_value`.
        #[prost(int64, tag = "1")]
        Value(i64),
        /// `dim_param`.
        #[prost(string, tag = "2")]
        Symbol(String),
    }
}
