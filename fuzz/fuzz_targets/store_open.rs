//! A store's folder in which one file was damaged: it opens, or says why not, and what is left is read.
//!
//! The first octet chooses the file, the next two a place in it; the rest is written there.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use squirrel_fuzz::{a_folder, show, store_options};
use squirrel_model::{Samples, TimeRange, Timestamp};
use squirrel_store::Store;
use squirrel_store::dir::{Dir as _, MemoryDir};

static WHOLE: LazyLock<MemoryDir> = LazyLock::new(a_folder);

fuzz_target!(|input: (u8, u16, &[u8])| {
    let (choice, place, octets) = input;
    let folder = WHOLE.after_kill();
    let files = folder.files();
    let file = &files[usize::from(choice) % files.len()];
    let mut content = folder.read(file).expect("memory can be read");
    let place = usize::from(place) % (content.len() + 1);
    content.truncate(content.len().max(place + octets.len()));
    content.resize(content.len().max(place + octets.len()), 0);
    content[place..place + octets.len()].copy_from_slice(octets);
    folder.put(file, content);
    if let Ok((store, report)) = Store::open(Arc::new(folder), store_options(), Timestamp(200_000)) {
        let snapshot = store.reader().snapshot();
        show(&report);
        for series in snapshot.find(&[], TimeRange::ALL).unwrap_or_default() {
            let mut samples = Samples::default();
            show(&(&series, snapshot.read(&series, TimeRange::ALL, &mut samples), samples));
        }
        show(&store.maintain(Timestamp(200_000)));
    }
});
