//! A template of an annotation, filled in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_alert::{MAX_TEMPLATE_OUTPUT, Template, TemplateData};
use squirrel_model::{Labels, Timestamp};

fuzz_target!(|text: &str| {
    let Ok(template) = Template::parse(text) else { return };
    let labels = Labels::new([("__name__", "up"), ("job", "a"), ("instance", "b:80")]).unwrap_or_default();
    let data = TemplateData {
        labels: &labels,
        value: 12_345.678,
        external_labels: &labels,
        external_url: "http://squirrel.example/x",
        now: Timestamp(60_000),
        query: &|_| Ok(vec![(labels.clone(), 1.0), (Labels::empty(), f64::NAN)]),
    };
    // A failure is written in the text's place, with a word of the template at most.
    assert!(template.expand_or_show(&data).len() <= 3 * MAX_TEMPLATE_OUTPUT);
});
