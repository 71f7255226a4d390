//! The model: its experiment as declared, its network as data, its weights, its forward pass and its lock. No
//! tensor library is named here: training is in the program with libtorch, `src/torch`.

pub mod architecture;
pub mod augmentation;
pub mod curve;
pub mod differences;
pub mod experiment;
pub mod forward;
pub mod layers;
pub mod lock;
pub mod loss;
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
