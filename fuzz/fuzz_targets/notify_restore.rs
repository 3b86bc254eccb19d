//! The state of a notifier as a file holds it, and conditions on labels.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_fuzz::show;
use squirrel_model::Timestamp;
use squirrel_notify::{Notifier, Settings, parse_matcher};

fuzz_target!(|text: &str| {
    show(&parse_matcher(text));
    let channels = ["ops".to_owned()];
    let new = || Notifier::new(&Settings::default(), &channels).expect("the defaults are good");
    let mut notifier = new();
    notifier.restore(text);
    show(&notifier.due(Timestamp(1_000_000)));
    show(&notifier.views(Timestamp(1_000_000)));
    show(&notifier.silences(Timestamp(1_000_000)));
    assert_eq!(new().restore(&notifier.save()), [""; 0], "what it writes is read without a complaint");
});
