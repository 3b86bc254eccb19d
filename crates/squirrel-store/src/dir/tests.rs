//! One suite over the real folder and its twin.

use super::*;

fn both(check: impl Fn(&dyn Dir)) {
    let folder = tempfile::tempdir().unwrap();
    check(&RealDir::open(folder.path()).unwrap());
    check(&MemoryDir::new());
}

#[test]
fn what_was_written_is_read_and_listed() {
    both(|dir| {
        dir.make_folder("wal").unwrap();
        let mut file = dir.create("wal/1").unwrap();
        file.write(b"hello ").unwrap();
        file.write(b"world").unwrap();
        file.sync().unwrap();
        dir.sync_folder("wal").unwrap();
        assert_eq!(dir.read("wal/1").unwrap(), b"hello world");
        let mut part = [0; 5];
        dir.open("wal/1").unwrap().read_at(6, &mut part).unwrap();
        assert_eq!(&part, b"world");
        assert_eq!(dir.list("wal").unwrap(), [Entry { name: "1".into(), is_folder: false, len: 11 }]);
        assert!(dir.list("").unwrap().iter().any(|entry| entry.name == "wal" && entry.is_folder));
    });
}

#[test]
fn wrong_uses_are_told_apart() {
    both(|dir| {
        write_whole(dir, "", "a", b"1").unwrap();
        assert_eq!(dir.create("a").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(dir.read("b").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(dir.create("no/b").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(dir.list("no").unwrap_err().kind(), io::ErrorKind::NotFound);
        let short = dir.open("a").unwrap().read_at(0, &mut [0; 2]).unwrap_err();
        assert_eq!(short.kind(), io::ErrorKind::UnexpectedEof);
    });
}

#[test]
fn files_are_renamed_cut_and_removed() {
    both(|dir| {
        write_whole(dir, "", "a", b"12345").unwrap();
        dir.rename("a", "b").unwrap();
        dir.truncate("b", 2).unwrap();
        assert_eq!(dir.read("b").unwrap(), b"12");
        dir.remove("b").unwrap();
        assert!(dir.list("").unwrap().is_empty());
    });
}

#[test]
fn the_lock_is_held_by_one_and_freed_by_dropping() {
    both(|dir| {
        let held = dir.lock().unwrap();
        assert_eq!(dir.lock().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(held);
        assert!(dir.lock().is_ok());
    });
}

#[test]
fn a_loss_of_power_keeps_what_was_synced_and_may_take_the_rest() {
    let (mut lost_name, mut lost_tail, mut kept_tail) = (false, false, false);
    for seed in 0..64 {
        let dir = MemoryDir::new();
        let mut file = dir.create("synced").unwrap();
        file.write(b"abc").unwrap();
        file.sync().unwrap();
        dir.sync_folder("").unwrap();
        file.write(b"defghi").unwrap();
        dir.create("unsynced").unwrap();
        let after = dir.after_power_loss(seed);
        let bytes = after.read("synced").unwrap();
        assert!(bytes.starts_with(b"abc"), "what was synced is there");
        lost_tail |= !bytes.ends_with(b"ghi");
        kept_tail |= bytes.ends_with(b"ghi");
        lost_name |= after.read("unsynced").is_err();
    }
    assert!(lost_name && lost_tail && kept_tail, "all outcomes are met");
}

#[test]
fn trouble_hits_the_chosen_operations_only() {
    let dir = FaultyDir::new(Arc::new(MemoryDir::new()));
    dir.set(Some(Trouble { from: 1, count: 1, errno: ENOSPC, tears: true, only_growth: false }));
    let mut file = dir.create("a").unwrap();
    assert!(is_full(&file.write(b"1234").unwrap_err()));
    file.write(b"56").unwrap();
    assert_eq!(dir.read("a").unwrap(), b"1256", "the failing write left its first half");
    assert_eq!((dir.operations(), dir.failures()), (3, 1));
}
