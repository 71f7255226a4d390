//! One integration binary: the program as its users run it, and the walls of its architecture.

mod bootstrap_laws;
mod metrics;
mod reference_values;
mod source_project;
mod walls;
