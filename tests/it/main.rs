<<<<<<< HEAD
//! One integration binary: the program as its users run it, and the walls of its architecture.

mod bootstrap_laws;
mod reference_values;
mod walls;
=======
fn main() {}
mod bootstrap_laws;
mod reference_values;
>>>>>>> bbf45c4 (Estimates with their intervals, honest at the edges; ROC band; reader agreement as estimates)
