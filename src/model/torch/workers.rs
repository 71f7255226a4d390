//! Work on many images with several workers, each with one thread inside libtorch.

use std::sync::atomic::AtomicBool;

use super::Network;
use crate::diagnostic::Result;
use crate::model::parallel::{self, Pool};

/// Threads that stay: libtorch keeps scratch memory for each.
pub(super) struct Workers {
    pool: Pool,
}

impl Workers {
    /// At least one.
    pub fn new(count: usize) -> Result<Self> {
        tch::set_num_threads(1);
        Ok(Self { pool: Pool::new(count, || tch::set_num_threads(1))? })
    }

    /// The pool itself.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// `work(network, i)` for every `i` below `count`, without gradients, in the order of `i`.
    ///
    /// # Errors
    /// As [`parallel::each`].
    pub fn each<T: Send>(
        &self,
        network: &Network,
        count: usize,
        stop: &AtomicBool,
        done: impl FnMut(usize),
        work: impl Fn(&Network, usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        parallel::each(
            &self.pool,
            count,
            stop,
            done,
            || network.clone(),
            |network, index| tch::no_grad(|| work(network, index)),
        )
    }
}
