//! The promises of the crate's documentation: each names tests that there are; and what no other file tests of them.

use std::path::Path;

use super::faults::check_writing_resumes;
use super::*;

/// Whether a text of Rust has a function of this name.
fn has_function(text: &str, name: &str) -> bool {
    text.contains(&format!("fn {name}("))
}

/// All Rust texts below a folder, one after the other.
fn texts(folder: &Path, out: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            texts(&path, out);
        } else if path.extension().is_some_and(|end| end == "rs") {
            out.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_promise_names_tests_that_there_are() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = String::new();
    for folder in [crates.join("src"), crates.join("tests"), crates.join("../squirrel/tests")] {
        texts(&folder, &mut all);
    }
    let document = include_str!("../../lib.rs");
    let rows: Vec<&str> = document.lines().filter_map(|line| line.strip_prefix("//! | P")).collect();
    let numbers: Vec<&str> = rows.iter().filter_map(|row| Some(row.split_once(' ')?.0)).collect();
    assert_eq!(numbers, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
    for row in rows {
        let tests: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "P{row}");
        for test in tests {
            assert!(has_function(&all, test), "P{row}: there is no test {test}");
        }
    }
}

#[test]
fn whatever_step_the_clock_makes_nothing_goes_and_ticks_are_kept_again_within_a_minute() {
    const SECOND: i64 = 1_000;
    const YEARS: i64 = 10 * 365 * 24 * HOUR;
    for step in [SECOND, -SECOND, 59 * SECOND, -59 * SECOND, HOUR, -HOUR, YEARS, -YEARS] {
        let dir = Arc::new(MemoryDir::new());
        let small = || StoreOptions { block_ms: 20_000, grace_ms: 2_000, segment_ms: 10_000, ..options() };
        let (store, _) = open(&dir, small());
        let mut model = Model::default();
        let mut dropped = 0;
        for tick in 0..200_i64 {
            let at = T + tick * SECOND + if tick < 100 { 0 } else { step };
            let batch = batch(tick, 4);
            match store.append(Timestamp(at), &batch).unwrap().dropped {
                None => model.append(at, &batch),
                Some(Dropped::ClockBehind | Dropped::SameTick) => dropped += 1,
                Some(other) => panic!("a step of {step} ms: {other:?}"),
            }
            if tick % 5 == 4 {
                store.maintain(Timestamp(at));
            }
        }
        // A clock that is set back by less than a minute is waited for.
        let waited = if (-60 * SECOND..0).contains(&step) { -step / SECOND } else { 0 };
        assert_eq!(dropped, waited, "a step of {step} ms");
        same(&store, &model);
        drop(store);
        let (store, report) = open(&Arc::new(dir.after_kill()), small());
        same(&store, &model);
        assert_eq!((report.lost_frames, report.unusable_blocks), (0, 0), "a step of {step} ms: {report:?}");
    }
}

#[test]
fn no_error_of_a_disk_ends_writing_for_good() {
    // As `include/uapi/asm-generic/errno.h` has them.
    const EMFILE: i32 = 24;
    const EROFS: i32 = 30;
    const EDQUOT: i32 = 122;
    for errno in [EMFILE, EROFS, EDQUOT] {
        for from in (0..150).step_by(7) {
            check_writing_resumes(errno, from);
        }
    }
}
