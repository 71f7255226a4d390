//! One integration binary: the program as its users run it, and the walls of its architecture.

mod bootstrap_laws;
mod reference_values;
mod report_lock;
mod walls;
