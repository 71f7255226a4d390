//! Two pieces of work at once.

/// What nested documents need, with room to spare: a thread of its own has less by itself than the one that a
/// program starts with.
const STACK: usize = 16 << 20;

/// Does both, the second on a thread of its own; where none can be started, one after the other.
pub fn at_once<A, B: Send>(first: impl FnOnce() -> A, second: impl Fn() -> B + Sync) -> (A, B) {
    std::thread::scope(|scope| {
        let started = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, &second);
        let first = first();
        let second = match started {
            Ok(started) => started.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(_) => second(),
        };
        (first, second)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_done_and_each_answer_is_its_own() {
        let text = String::from("borrowed");
        let mut counted = 0;
        let (first, second) = at_once(
            || {
                counted += 1;
                counted
            },
            || text.len(),
        );
        assert_eq!((first, second), (1, 8));
    }

    #[test]
    fn what_goes_wrong_beside_goes_wrong_here() {
        let ran =
            std::panic::catch_unwind(|| at_once(|| (), || assert!(std::hint::black_box(false), "beside")));
        assert!(ran.is_err());
    }
}
