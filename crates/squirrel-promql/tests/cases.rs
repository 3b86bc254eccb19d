//! The cases of `testdata`, by family. To add one, add it to a file there: no Rust is needed.
#![expect(clippy::panic, reason = "a failed case is shown by a panic")]

#[path = "support/script.rs"]
mod script;

use script::{Outcome, Verdict, run};

/// Runs a file and shows every case that is not as wanted.
fn check(file: &str, text: &str) {
    let outcomes = run(text, true).unwrap_or_else(|e| panic!("{file}: {e}"));
    assert!(!outcomes.is_empty(), "{file} holds no case");
    let shown = |outcome: &Outcome| match &outcome.verdict {
        Verdict::Passed => None,
        Verdict::Failed(why) | Verdict::NotApplicable(why) => {
            Some(format!("{file}:{}: {}\n    {why}", outcome.line, outcome.query))
        }
    };
    let wrong: Vec<String> = outcomes.iter().filter_map(shown).collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), outcomes.len(), wrong.join("\n"));
}

macro_rules! families {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                check(
                    concat!(stringify!($name), ".test"),
                    include_str!(concat!("../testdata/", stringify!($name), ".test")),
                );
            }
        )*

        #[test]
        fn every_file_of_the_folder_is_run() {
            let listed = [$(concat!(stringify!($name), ".test")),*];
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");
            let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{folder}: {e}"));
            for entry in entries.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                assert!(listed.contains(&name.as_str()), "{name} is not in the list of families");
            }
        }
    };
}

families! {
    aggregations
    counters
    dates
    functions
    histograms
    info
    labels
    literals
    native
    operators
    over_time
    selectors
    subqueries
    trend
}

#[test]
fn the_harness_tells_a_wrong_answer_from_a_right_one() {
    let wrong = [
        "eval instant at 0 1\n  2",
        "eval instant at 0 vector(1)\n  {} 2",
        "eval instant at 0 vector(1)\n  {a=\"b\"} 1",
        "eval instant at 0 vector(1)",
        "eval instant at 0 nothing\n  {} 1",
        "eval instant at 0 1 +",
        "eval instant at 0 1\n  expect fail",
        "eval instant at 0 1\n  expect warn\n  1",
        "load 1m\n  a 1\n  b 2\n\neval instant at 0 sort({__name__=~\".+\"})\n  expect ordered\n  b 2\n  a 1",
        "eval range from 0 to 1m step 1m vector(time())\n  {} 0 61",
        "eval range from 0 to 1m step 1m vector(time())\n  {} 0",
        "eval instant at 0 'a'\n  expect string \"b\"",
    ];
    for text in wrong {
        let outcomes = run(text, true).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert!(matches!(outcomes[..], [Outcome { verdict: Verdict::Failed(_), .. }]), "{text}: {outcomes:?}");
    }
    assert!(run("nonsense", true).is_err() && run("load 1m\n  a 1z3", true).is_err());
}
