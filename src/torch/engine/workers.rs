//! Work on many images with several workers, each with one thread inside libtorch.

use std::sync::atomic::AtomicBool;

use tch::Device;

use sequester::diagnostic::Result;
use sequester::model::parallel::{self, Pool};

/// So many threads may call a graphics processor: its calls go one after the other, and more threads wait for
/// one another (`docs/gpu.md`: 105 images a second for one thread, 167 for four, 119 for sixteen).
const CALLERS: usize = 4;

/// Threads that let a device compute, of so many that may be used.
pub(super) fn callers(workers: usize, device: Device) -> usize {
    if device == Device::Cpu { workers } else { workers.min(CALLERS) }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_threads_call_a_graphics_processor_and_all_of_them_the_processor() {
        assert_eq!([1, 4, 16].map(|n| callers(n, Device::Cpu)), [1, 4, 16]);
        assert_eq!([1, 4, 16].map(|n| callers(n, Device::Cuda(0))), [1, 4, 4]);
    }
}
