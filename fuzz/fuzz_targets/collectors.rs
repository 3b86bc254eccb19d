//! All collectors in front of a kernel that answers everything with the same octets.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_fuzz::OneAnswer;
use squirrel_fuzz::show;

fuzz_target!(|octets: &[u8]| {
    let kernel = OneAnswer(octets);
    let mut schedule = squirrel_collect::Schedule::open::<&str>(&kernel, &[], squirrel_model::Elapsed::default());
    let mut batch = squirrel_model::Batch::default();
    schedule.tick(&kernel, &squirrel_model::Elapsed::default, &mut batch);
    show(&batch);
});
