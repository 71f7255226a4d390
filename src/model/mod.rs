//! The model: its experiment as declared, its network as data, its weights and its lock. Imports
//! `digest` and `dataset` alone; only [`torch`](self) names a tensor library, and only behind the feature.

pub mod architecture;
pub mod augmentation;
pub mod experiment;
pub mod forward;
pub mod layers;
pub mod lock;
pub mod machine;
pub mod onnx;
pub mod operating_point;
pub mod parallel;
pub mod prepare;
pub mod preprocessing;
pub mod random;
pub mod records;
pub mod run;
pub mod schedule;
pub mod scorer;
pub mod weights;

#[cfg(feature = "torch")]
pub mod torch;
