//! What the tests of all collectors share: reading once with every promise of the table checked.

pub(crate) mod messages;

use std::collections::BTreeSet;

use squirrel_model::{Batch, Elapsed, Labels, Metric};
use squirrel_sys::Kernel;
use squirrel_testkit::FakeKernel;

use crate::CollectorDesc;

/// What one reading brought, with questions that tests ask.
pub(crate) struct Seen {
    pub(crate) batch: Batch,
}

impl Seen {
    /// The value of the row with this name and exactly these labels.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = Labels::new(labels.iter().copied()).unwrap();
        self.batch.rows.iter().find(|row| row.metric.name == name && row.labels == labels).map(|row| row.value)
    }

    /// Whether any row has this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.batch.rows.iter().any(|row| row.metric.name == name)
    }
}

/// Opens a collector and reads twice: each row must be declared by this very collector, carry
/// declared labels only, appear once, come in the same order both times, and share name and labels
/// with the first reading instead of allocating them again. Gives the second reading.
pub(crate) fn check_reading(desc: &CollectorDesc, kernel: &dyn Kernel) -> Seen {
    let mut collector =
        (desc.open)(kernel).unwrap_or_else(|unavailable| panic!("{} does not open: {unavailable}", desc.name));
    let mut batches = [Batch::default(), Batch::default()];
    for (second, batch) in batches.iter_mut().enumerate() {
        collector.collect(kernel, Elapsed(std::time::Duration::from_secs(second as u64)), batch);
        check_declared(desc, batch);
    }
    let [first, second] = batches;
    let order = |batch: &Batch| -> Vec<_> {
        batch.rows.iter().map(|row| (row.metric.name.to_string(), row.labels.clone())).collect()
    };
    assert_eq!(order(&first), order(&second), "{}: the order of rows changed between two ticks", desc.name);
    for (first, second) in first.rows.iter().zip(&second.rows) {
        let name = &first.metric.name;
        assert!(first.metric.same(&second.metric), "{name}: the metric was made anew for the second tick");
        assert!(first.labels.same_allocation(&second.labels), "{name}: the labels were made anew for the second tick");
    }
    Seen { batch: second }
}

/// Checks every row of a batch against the declarations of its collector.
pub(crate) fn check_declared(desc: &CollectorDesc, batch: &Batch) {
    let mut seen = BTreeSet::new();
    for row in &batch.rows {
        let (name, labels) = (&row.metric.name, &row.labels);
        let declared: Option<&Metric> = desc.metrics.iter().copied().find(|metric| metric.covers(name));
        let declared = declared.unwrap_or_else(|| panic!("{}: {name} is not declared", desc.name));
        assert_eq!(declared.kind, row.metric.kind, "{name}: another kind than declared");
        assert!(squirrel_model::is_metric_name(name), "{name}: not a metric name");
        for (label, _) in labels.iter() {
            assert!(declared.labels.contains(&label), "{name}: the label {label} is not declared");
        }
        assert!(seen.insert((name.clone(), labels.clone())), "{name}{labels:?} appears twice");
    }
    for fault in &batch.faults {
        assert!(fault.reason.ends_with('.'), "{}: the fault is not a sentence: {fault:?}", desc.name);
    }
}

/// Any bytes in a file give rows and faults that keep all promises, and no panic.
pub(crate) fn check_survives(desc: &CollectorDesc, path: &str, content: &[u8]) {
    let kernel = FakeKernel::default().with(path, content);
    if (desc.open)(&kernel).is_ok() {
        check_reading(desc, &kernel);
    }
}

/// All rows that a collector makes of a recorded folder of `testdata/`, as exposition text without comments, and
/// its faults. Hostile characters are written as escapes, so that reading a snapshot does no harm.
pub(crate) fn of_recording(desc: &CollectorDesc, folder: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(folder);
    let replay = squirrel_sys::Replay::open(path).unwrap();
    let seen = check_reading(desc, &replay);
    let mut text = String::new();
    squirrel_model::exposition::write_batch(&mut text, &seen.batch);
    let rows = text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned);
    let faults = seen.batch.faults.iter().map(|fault| format!("fault: {}: {}", fault.subject, fault.reason));
    let lines: Vec<String> = rows.chain(faults).map(|line| squirrel_model::Untrusted(&line).to_string()).collect();
    lines.join("\n")
}
