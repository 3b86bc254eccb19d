//! What the targets share. Each target is a line or a few: show everything that can be made of these
//! octets.
#![forbid(unsafe_code)]

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use squirrel_inspect::{
    Direction, Event, FieldPaths, INSPECTORS, Inspector, JsonRpcInspector, Limits, McpHttpInspector, McpSessions,
};
use squirrel_model::{Batch, Kind, Labels, Metric, Samples, Timestamp, Unit};
use squirrel_store::dir::MemoryDir;
use squirrel_store::{Store, StoreOptions};
use squirrel_sys::{Kernel, Netlink, SysError};
use squirrel_testkit::MemorySelect;

/// Walks the whole value, so that every field is read, and lets nothing of it be optimised away.
pub fn show(value: &impl Debug) {
    std::hint::black_box(format!("{value:?}"));
}

/// Shows a conversation to a built-in inspector: the first octet says where the rest is cut into the
/// two directions, the second into what pieces. However it is cut, the same must be told, and the work
/// must stay linear.
///
/// # Panics
/// When another cut tells something else, or the work is out of proportion: that is what is looked for.
pub fn inspect(name: &str, octets: &[u8]) {
    let [place, piece, conversation @ ..] = octets else { return };
    let place = conversation.len() * usize::from(*place) / 256;
    let (asked, answered) = conversation.split_at(place);
    let limits = Limits { max_pending: 8, max_labels: 8, max_depth: 16, max_head: 1_000, ..Limits::default() };
    let told = |piece: usize| {
        let inspector = INSPECTORS.iter().find(|builder| builder.name == name).map(|builder| (builder.build)(&limits));
        let mut inspector = inspector.expect("a built-in inspector");
        let mut told = String::new();
        let mut pieces = 0;
        let mut events = |event: Event<'_>| told.push_str(&format!("{event:?}\n"));
        for (direction, octets) in [(Direction::ToServer, asked), (Direction::ToClient, answered)] {
            for octets in octets.chunks(piece) {
                pieces += 1;
                inspector.stream(direction, octets, Duration::ZERO, &mut events);
            }
            inspector.end(direction, Duration::from_secs(1), &mut events);
        }
        assert!(inspector.counts().work <= 8 * (conversation.len() as u64 + pieces) + 64, "too much work");
        told
    };
    assert_eq!(told(usize::from(*piece).max(1)), told(usize::MAX));
}

/// Looks for fields: the first line holds the paths, the rest is messages, cut into pieces as the first octet
/// says. However they are cut, the same must be told.
///
/// # Panics
/// When another cut tells something else, or the work is out of proportion: that is what is looked for.
pub fn inspect_fields(octets: &[u8]) {
    let [piece, octets @ ..] = octets else { return };
    let line = octets.iter().position(|octet| *octet == b'\n').unwrap_or(octets.len());
    let (paths, messages) = octets.split_at(line);
    let paths = String::from_utf8_lossy(paths);
    let Ok(paths) = FieldPaths::new(&paths.split(' ').collect::<Vec<_>>()) else { return };
    let told = |piece: usize| {
        let mut inspector = JsonRpcInspector::new(Limits { max_depth: 16, ..Limits::default() });
        inspector.read_fields(&paths);
        let mut told = String::new();
        let mut events = |event: Event<'_>| told.push_str(&format!("{event:?}\n"));
        let mut pieces = 0;
        for octets in messages.chunks(piece) {
            pieces += 1;
            inspector.stream(Direction::ToServer, octets, Duration::ZERO, &mut events);
        }
        inspector.end(Direction::ToServer, Duration::ZERO, &mut events);
        assert!(inspector.counts().work <= 16 * (messages.len() as u64 + pieces) + 64, "too much work");
        told
    };
    assert_eq!(told(usize::from(*piece).max(1)), told(usize::MAX));
}

/// Shows octets to two connections that share sessions: the first octet says where they are cut into the two,
/// the second where each is cut into its directions. Few sessions, so that some are forgotten.
///
/// # Panics
/// When more is kept than there is room for: that is what is looked for.
pub fn inspect_sessions(octets: &[u8]) {
    let [place, turn, conversation @ ..] = octets else { return };
    let limits = Limits { max_pending: 4, max_labels: 4, max_depth: 16, max_head: 1_000, ..Limits::default() };
    let sessions = McpSessions::new(limits, 2);
    let part = |octets: &[u8], place: u8| octets.len() * usize::from(place) / 256;
    let (one, other) = conversation.split_at(part(conversation, *place));
    let mut connections = [one, other].map(|octets| (McpHttpInspector::in_sessions(limits, &sessions), octets));
    for direction in [Direction::ToServer, Direction::ToClient] {
        for (inspector, octets) in &mut connections {
            let (asked, answered) = octets.split_at(part(octets, *turn));
            let octets = if direction == Direction::ToServer { asked } else { answered };
            inspector.stream(direction, octets, Duration::ZERO, &mut |event| show(&event));
        }
    }
    sessions.tick(Duration::from_secs(1_000), &mut |event| show(&event));
    for (inspector, _) in &mut connections {
        inspector.end(Direction::ToClient, Duration::from_secs(1_000), &mut |event| show(&event));
        show(&inspector.counts());
    }
    assert!(sessions.len() <= 2 && sessions.pending() <= 2 * 2 * 4, "bounded");
}

/// A kernel whose every file, message and driver says the same.
pub struct OneAnswer<'a>(pub &'a [u8]);

impl Kernel for OneAnswer<'_> {
    fn read(&self, _path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        out.clear();
        out.extend_from_slice(self.0);
        Ok(())
    }

    fn list(&self, _path: &str, each: &mut dyn FnMut(&[u8])) -> Result<(), SysError> {
        for name in self.0.split(|octet| *octet == b'\n').take(4) {
            each(name);
        }
        Ok(())
    }

    fn dump(
        &self,
        family: Netlink,
        message_type: u16,
        _payload: &[u8],
        each: &mut dyn FnMut(u16, &[u8]),
    ) -> Result<(), SysError> {
        // rtnetlink answers RTM_GET… with RTM_NEW…, two below; sock_diag with the same number.
        let answer = if family == Netlink::Route { message_type.saturating_sub(2) } else { message_type };
        each(answer, self.0);
        Ok(())
    }

    fn ethtool(&self, _interface: &str, command: &mut [u8]) -> Result<(), SysError> {
        for (place, octet) in command.iter_mut().skip(4).zip(self.0) {
            *place = *octet;
        }
        Ok(())
    }
}

/// Three series over two minutes: a counter that is reset, a gauge with what is no number, and the
/// buckets of a histogram with one missing.
pub fn small_store() -> MemorySelect {
    let mut store = MemorySelect::default();
    let times: Vec<i64> = (0..120).map(|second| second * 1_000).collect();
    let rows: [(&[(&str, &str)], fn(i64) -> f64); 4] = [
        (&[("__name__", "a"), ("i", "1")], |time| ((time / 1_000) % 50) as f64),
        (&[("__name__", "b"), ("i", "1")], |time| [1.0, f64::NAN, f64::INFINITY, -0.5][(time / 1_000 % 4) as usize]),
        (&[("__name__", "h_bucket"), ("le", "1")], |time| time as f64),
        (&[("__name__", "h_bucket"), ("le", "+Inf")], |time| time as f64 * 2.0),
    ];
    for (labels, value) in rows {
        if let Ok(labels) = Labels::new(labels.iter().copied()) {
            let values = times.iter().map(|time| value(*time)).collect();
            store.put_series(&labels, Samples { times: times.clone(), values });
        }
    }
    store
}

/// Options with windows so short that two minutes fill several blocks.
pub fn store_options() -> StoreOptions {
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
///
/// # Panics
/// When a store in memory cannot be written: there would be nothing to damage.
pub fn a_folder() -> MemoryDir {
    static METRIC: Metric = Metric::new("fuzz_total", Kind::Counter, Unit::None, "Counts.");
    let folder = MemoryDir::new();
    let (store, _) = Store::open(Arc::new(folder.clone()), store_options(), Timestamp(0)).expect("memory opens");
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
