//! Work on many images with several workers, each with one thread inside libtorch.

use std::sync::atomic::AtomicBool;

use sequester::diagnostic::Result;
use sequester::model::parallel::{self, Pool};

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

    /// `work(context, i)` for every `i` below `count`, without gradients, in the order of `i`.
    ///
    /// # Errors
    /// As [`parallel::each`].
    pub fn each<C: Clone + Send, T: Send>(
        &self,
        context: &C,
        count: usize,
        stop: &AtomicBool,
        done: impl FnMut(usize),
        work: impl Fn(&C, usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        parallel::each(
            &self.pool,
            count,
            stop,
            done,
            || context.clone(),
            |context, index| tch::no_grad(|| work(context, index)),
        )
    }
}
