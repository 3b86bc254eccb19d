//! The name by which lists of processes show this one.
//!
//! Source: `proc_pid_comm(5)`.

/// Octets of a name that the kernel keeps (`TASK_COMM_LEN` without its end).
const LONGEST: usize = 15;

/// Names the calling thread, which before others were started is the process: a program that was started by way of
/// `/proc/self/exe` is else called `exe`. Only the first 15 octets are kept. It is a courtesy, so a `/proc` that
/// takes no name is no error.
pub fn set_name(name: &str) {
    let octets = name.as_bytes();
    let _ = std::fs::write("/proc/thread-self/comm", octets.get(..LONGEST).unwrap_or(octets));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_what_the_kernel_shows() {
        for (given, shown) in [("squirrel-keeper", "squirrel-keeper\n"), ("squirrel-keepers", "squirrel-keeper\n")] {
            // A thread of its own, so that the runner keeps its name.
            let seen = std::thread::spawn(move || {
                set_name(given);
                std::fs::read_to_string("/proc/thread-self/comm").unwrap()
            });
            assert_eq!(seen.join().unwrap(), shown);
        }
    }
}
