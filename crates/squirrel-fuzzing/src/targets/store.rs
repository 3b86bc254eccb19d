//! Files of the store, damaged.

use std::sync::{Arc, LazyLock};

use squirrel_model::{Batch, Kind, Labels, Metric, Samples, TimeRange, Timestamp, Unit};
use squirrel_store::dir::{Dir as _, MemoryDir};
use squirrel_store::{Store, StoreOptions, codec};

use crate::show;

/// A chunk: its head, and its samples.
pub(super) fn chunk(octets: &[u8]) {
    let mut samples = Samples::default();
    show(&(codec::header(octets), codec::decode(octets, &mut samples), samples));
}

/// A store's folder in which one file was damaged: it opens, or says why not, and what is left is read. The first octet
/// chooses the file, the next two a place in it; the rest is written there.
pub(super) fn open(octets: &[u8]) {
    static WHOLE: LazyLock<MemoryDir> = LazyLock::new(a_folder);
    let [choice, low, high, octets @ ..] = octets else { return };
    let folder = WHOLE.after_kill();
    let files = folder.files();
    let Some(file) = files.get(usize::from(*choice) % files.len().max(1)) else { return };
    let mut content = folder.read(file).expect("memory can be read");
    let place = usize::from(u16::from_le_bytes([*low, *high])) % (content.len() + 1);
    content.resize(content.len().max(place + octets.len()), 0);
    content[place..place + octets.len()].copy_from_slice(octets);
    folder.put(file, content);
    if let Ok((store, report)) = Store::open(Arc::new(folder), options(), Timestamp(200_000)) {
        let snapshot = store.reader().snapshot();
        show(&report);
        for series in snapshot.find(&[], TimeRange::ALL).unwrap_or_default() {
            let mut samples = Samples::default();
            show(&(&series, snapshot.read(&series, TimeRange::ALL, &mut samples), samples));
        }
        show(&store.maintain(Timestamp(200_000)));
    }
}

/// Windows so short that two minutes fill several blocks.
fn options() -> StoreOptions {
    let target = Labels::new([("job", "fuzz")]).unwrap_or_default();
    StoreOptions {
        block_ms: 40_000,
        grace_ms: 1_000,
        segment_ms: 20_000,
        reserve_bytes: 0,
        ..StoreOptions::new(target)
    }
}

/// The folder of a store that was killed in its second minute: blocks, series files and a log.
fn a_folder() -> MemoryDir {
    static METRIC: Metric = Metric::new("fuzz_total", Kind::Counter, Unit::None, "Counts.");
    let folder = MemoryDir::new();
    let (store, _) = Store::open(Arc::new(folder.clone()), options(), Timestamp(0)).expect("memory opens");
    for second in 0..110_i64 {
        let mut batch = Batch::default();
        for name in ["a", "b", "c"] {
            let labels = Labels::new([("device", name)]).unwrap_or_default();
            batch.put(&METRIC, &labels, (second * second) as f64 / 8.0);
        }
        let now = Timestamp(second * 1_000);
        store.append(now, &batch).expect("memory takes a tick");
        store.maintain(now);
    }
    drop(store);
    folder.after_kill()
}
