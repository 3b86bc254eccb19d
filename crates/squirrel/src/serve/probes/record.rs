//! What is remembered of probes over a restart: one small file, written as a whole or not at all.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use squirrel_store::dir::Dir;

/// The file, and the name under which it is written before it takes its place.
const FILE: &str = "probes.json";
const TEMPORARY: &str = "tmp-probes.json";

/// The file's folder.
pub(super) struct Record {
    dir: Arc<dyn Dir>,
    /// Whether the last attempt to write failed, which was said.
    failing: Mutex<bool>,
}

impl Record {
    pub(super) fn new(dir: Arc<dyn Dir>) -> Self {
        Self { dir, failing: Mutex::new(false) }
    }

    /// What was written last, if anything was.
    pub(super) fn read(&self) -> Option<String> {
        match self.dir.read(FILE) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::error!("states and paths of probes cannot be read and begin anew: {error}");
                None
            }
        }
    }

    /// Writes it; what the disk refuses is said once, until it takes it again.
    pub(super) fn write(&self, text: &str) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let written = self.put(text.as_bytes());
        if let Err(error) = &written
            && !*failing
        {
            tracing::error!(
                "states and paths of probes cannot be written to {}: {error}; after a restart they begin anew",
                self.dir.place()
            );
        }
        *failing = written.is_err();
    }

    fn put(&self, bytes: &[u8]) -> io::Result<()> {
        // Left behind by a crash.
        let _ = self.dir.remove(TEMPORARY);
        let mut file = self.dir.create(TEMPORARY)?;
        file.write(bytes)?;
        file.sync()?;
        drop(file);
        self.dir.rename(TEMPORARY, FILE)?;
        self.dir.sync_folder("")
    }
}

#[cfg(test)]
mod tests {
    use squirrel_store::dir::{FaultyDir, MemoryDir, Trouble};

    use super::*;

    #[test]
    fn what_was_written_is_read_and_a_full_disk_leaves_the_last_one() {
        let faulty = FaultyDir::new(Arc::new(MemoryDir::default()));
        let record = Record::new(Arc::new(faulty.clone()));
        assert_eq!(record.read(), None);
        record.write("one");
        faulty.set(Some(Trouble { from: 0, count: 9, errno: 28, tears: true, only_growth: true }));
        record.write("two");
        assert_eq!(record.read().as_deref(), Some("one"));
        faulty.set(None);
        record.write("three");
        assert_eq!(record.read().as_deref(), Some("three"));
    }
}
