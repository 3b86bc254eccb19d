//! Atomics and locks of the parts that work without waiting: those of the standard library, and in the
//! models (`models.rs`) those of loom, which tries every order in which threads can meet and every
//! value that a relaxed load may see.

#[cfg(not(all(test, squirrel_loom)))]
pub(crate) use std::sync::{Mutex, OnceLock, atomic};
#[cfg(not(all(test, squirrel_loom)))]
pub(crate) use std::thread_local;

#[cfg(all(test, squirrel_loom))]
pub(crate) use loom::{
    sync::{Mutex, atomic},
    thread_local,
};
#[cfg(all(test, squirrel_loom))]
pub(crate) use once::OnceLock;

/// loom has no `OnceLock`: this one promises what the documentation of the standard library's does, and no
/// more. Reading is an acquire load, filling a release store, and one thread fills.
#[cfg(all(test, squirrel_loom))]
mod once {
    use loom::sync::Mutex;
    use loom::sync::atomic::AtomicBool;
    use loom::sync::atomic::Ordering::{Acquire, Release};

    pub(crate) struct OnceLock<T> {
        filled: AtomicBool,
        turn: Mutex<()>,
        /// Never contended: loom runs one thread at a time, and changes over only at its own atomics and locks.
        value: std::sync::OnceLock<T>,
    }

    impl<T> OnceLock<T> {
        pub(crate) fn new() -> Self {
            Self { filled: AtomicBool::new(false), turn: Mutex::new(()), value: std::sync::OnceLock::new() }
        }

        pub(crate) fn get(&self) -> Option<&T> {
            if self.filled.load(Acquire) { self.value.get() } else { None }
        }

        pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
            if let Some(value) = self.get() {
                return value;
            }
            let _turn = self.turn.lock().expect("no model panics with the lock");
            if let Some(value) = self.get() {
                return value;
            }
            let made = make();
            let value = self.value.get_or_init(|| made);
            self.filled.store(true, Release);
            value
        }
    }
}
