//! Every statistic of the project, pure: no files, no clock, no global generator; results do not
//! depend on the number of threads.

pub mod estimate;
pub mod results;
