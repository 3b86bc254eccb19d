//! A disk that is full ends nothing.

use std::path::Path;
use std::process::Command;

use crate::support::Daemon;

/// A small file system in memory; unmounted when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// None where mounting is not permitted.
    fn mount(megabytes: u32) -> Option<Self> {
        let dir = tempfile::tempdir().ok()?;
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir.path()).output();
        mounted.ok()?.status.success().then_some(Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the daemon may still be closing its files.
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn collection_goes_on_and_writing_resumes_when_there_is_space() {
    let Some(disk) = SmallDisk::mount(32) else {
        squirrel_testkit::skip("collection_goes_on_and_writing_resumes_when_there_is_space", "mounting needs root");
        return;
    };
    let data = disk.path().join("data");
    let mut daemon = Daemon::start(&data, &[]);
    let filler = disk.path().join("filler");
    // dd ends with an error when the disk is full, which is what it is for here.
    let dd =
        Command::new("dd").args(["if=/dev/zero", "bs=64k"]).arg(format!("of={}", filler.display())).output().unwrap();
    assert!(!dd.status.success(), "the disk is full");
    daemon.wait_for("the store cannot write");
    daemon.wait_until("squirrel_store_degraded", |degraded| degraded == 1.0);
    let before = daemon.number("count_over_time(up[1h])");
    assert_eq!(daemon.get("/readyz").status, 200);

    std::fs::remove_file(&filler).unwrap();
    daemon.wait_for("the store writes again");
    let first = daemon.number("min_over_time(timestamp(up)[1h:1s])");
    daemon.signal("KILL");
    daemon.wait();

    let again = Daemon::start(&data, &[]);
    let kept = again.number("sum(count_over_time(up[1h]))");
    assert!(kept >= before, "{kept} samples after the restart, {before} while the disk was full");
    assert!(again.number("min(min_over_time(timestamp(up)[1h:1s]))") <= first);
}
