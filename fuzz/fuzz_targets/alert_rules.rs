//! A rule file, and a file of unit tests of rules.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_alert::{RuleFile, UnitTests};
use squirrel_fuzz::show;

fuzz_target!(|text: &str| {
    show(&RuleFile::parse("fuzz", text));
    show(&UnitTests::parse("fuzz", text));
});
