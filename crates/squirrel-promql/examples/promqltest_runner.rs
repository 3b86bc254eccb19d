//! Judges Squirrel by files in the notation of Prometheus' acceptance tests.
//!
//! `cargo run -p squirrel-promql --example promqltest_runner DIR [--verbose] [FILE…]`
//!
//! The folder is given as the argument or by `SQUIRREL_PROMQLTEST_DIR`. For each file it prints how
//! many cases passed, failed and are about something else (native histograms, start timestamps,
//! experimental syntax), each instant case with its derived forms. *Core* leaves out experimental
//! functions too. Texts of errors and notes are ours: that there is one is compared, not its words.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

#[path = "../tests/support/script.rs"]
mod script;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use script::{Outcome, Verdict, run};

#[derive(Clone, Copy, Default)]
struct Count {
    passed: usize,
    failed: usize,
    other: usize,
}

impl Count {
    fn of(outcomes: &[Outcome]) -> Self {
        let mut count = Self::default();
        for outcome in outcomes {
            match outcome.verdict {
                Verdict::Passed => count.passed += 1,
                Verdict::Failed(_) => count.failed += 1,
                Verdict::NotApplicable(_) => count.other += 1,
            }
        }
        count
    }

    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.other += other.other;
    }
}

fn files(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|ext| ext == "test"));
    files.sort();
    Ok(files)
}

fn main() -> Result<ExitCode, String> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let verbose = args.iter().any(|arg| arg == "--verbose");
    args.retain(|arg| arg != "--verbose");
    let dir = match args.first() {
        Some(dir) => PathBuf::from(dir),
        None => std::env::var_os("SQUIRREL_PROMQLTEST_DIR")
            .map(PathBuf::from)
            .ok_or("no folder given: pass the folder of the .test files, or set SQUIRREL_PROMQLTEST_DIR to it")?,
    };
    let only = args.get(1..).unwrap_or_default();
    let (mut core, mut wide) = (Count::default(), Count::default());
    println!("{:<26} {:>7} {:>7} {:>7}   with experimental functions", "file", "passed", "failed", "other");
    for path in files(&dir)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !only.is_empty() && !only.contains(&name) {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let plain = run(&text, false).map_err(|e| format!("{name}: {e}"))?;
        let all = run(&text, true).map_err(|e| format!("{name}: {e}"))?;
        let (a, b) = (Count::of(&plain), Count::of(&all));
        core.add(a);
        wide.add(b);
        println!(
            "{name:<26} {:>7} {:>7} {:>7}   {:>5} {:>5} {:>5}",
            a.passed, a.failed, a.other, b.passed, b.failed, b.other
        );
        for outcome in all.iter().filter(|_| verbose) {
            match &outcome.verdict {
                Verdict::Passed => {}
                Verdict::Failed(why) => println!("  FAILED {name}:{}: {}\n    {why}", outcome.line, outcome.query),
                Verdict::NotApplicable(why) => println!("  other {name}:{}: {} ({why})", outcome.line, outcome.query),
            }
        }
    }
    println!("with experimental functions: {} of {}", wide.passed, wide.passed + wide.failed);
    println!("core: {} of {}", core.passed, core.passed + core.failed);
    Ok(if wide.failed + core.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
