//! Work on many items with several threads. Results come back in the order of the items, whoever made them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;

use crate::diagnostic::{Code, Diagnostic, Error, Result};

/// Threads that stay, and are gone when the pool is dropped: a library with state for each thread must not
/// see them end while the program exits.
pub struct Pool {
    pool: Option<rayon::ThreadPool>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// At least one thread; `start` runs in each of them first.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn new(threads: usize, start: fn()) -> Result<Self> {
        let mut handles = Vec::new();
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .start_handler(move |_| start())
            .spawn_handler(|thread| {
                handles.push(std::thread::Builder::new().name("worker".to_owned()).spawn(|| thread.run())?);
                Ok(())
            })
            .build()
            .map_err(|e| Diagnostic::error(Code::Threads, format!("cannot start the workers: {e}")))?;
        Ok(Self { pool: Some(pool), threads: handles })
    }

    /// Runs inside the pool.
    pub fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        drop(self.pool.take());
        for thread in self.threads.drain(..) {
            // A worker's panic was already passed on by the pool.
            let _ = thread.join();
        }
    }
}

/// `work(context, i)` for every `i` below `count`; each thread has a context of its own. `done` hears, on the
/// calling thread, how many are finished.
///
/// # Errors
/// The error of the lowest number among those that failed before the work stopped; [`Error::Interrupted`]
/// when `stop` was raised.
pub fn each<C: Send, T: Send>(
    pool: &Pool,
    count: usize,
    stop: &AtomicBool,
    mut done: impl FnMut(usize),
    mut context: impl FnMut() -> C,
    work: impl Fn(&C, usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    let (next, failed, work) = (&next, &failed, &work);
    let Some(threads) = &pool.pool else { return Ok(Vec::new()) };
    let mut results: Vec<(usize, Result<T>)> = threads.in_place_scope(|scope| {
        for _ in 0..threads.current_num_threads() {
            let (sender, context) = (sender.clone(), context());
            scope.spawn(move |_| {
                loop {
                    if stop.load(Ordering::Relaxed) || failed.load(Ordering::Relaxed) {
                        return;
                    }
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    let result = work(&context, index);
                    if result.is_err() {
                        failed.store(true, Ordering::Relaxed);
                    }
                    if sender.send((index, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut results = Vec::with_capacity(count);
        for result in receiver {
            results.push(result);
            done(results.len());
        }
        results
    });
    results.sort_by_key(|(index, _)| *index);
    let results: Vec<T> = results.into_iter().map(|(_, result)| result).collect::<Result<_>>()?;
    if results.len() < count {
        return Err(Error::Interrupted("interrupted; run the same command again to continue".to_owned()));
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_their_order_and_progress_reaches_the_end() {
        let pool = Pool::new(3, || {}).expect("threads");
        let mut last = 0;
        let never = AtomicBool::new(false);
        let squares = each(&pool, 100, &never, |n| last = n, || (), |(), i| Ok(i * i)).expect("works");
        assert_eq!(squares, (0..100).map(|i| i * i).collect::<Vec<_>>());
        assert_eq!(last, 100);
    }

    #[test]
    fn an_error_stops_the_work_and_a_raised_stop_is_an_interruption() {
        let pool = Pool::new(2, || {}).expect("threads");
        let never = AtomicBool::new(false);
        let work = |(): &(), i| if i == 3 { Err(Diagnostic::error(Code::Io, "three").into()) } else { Ok(i) };
        let error = each(&pool, 1000, &never, |_| {}, || (), work).expect_err("fails");
        assert_eq!(error.diagnostics()[0].code.as_str(), "io");
        let raised = AtomicBool::new(true);
        let error = each(&pool, 5, &raised, |_| {}, || (), |(), i| Ok(i)).expect_err("stops");
        assert_eq!(error.exit_code(), 130);
    }
}
