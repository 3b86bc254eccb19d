//! What a kernel answered is answered again, and nothing hostile leaves the folder.

use std::sync::Mutex;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::{RecordError, Recorded, Recorder};

/// A kernel that answers each kind of question, and fails for some.
struct Invented {
    content: Mutex<Vec<u8>>,
    messages: Vec<(u16, Vec<u8>)>,
}

impl Invented {
    fn new(content: &[u8], messages: &[(u16, Vec<u8>)]) -> Self {
        Self { content: Mutex::new(content.to_vec()), messages: messages.to_vec() }
    }
}

fn failing(subject: &str) -> Option<SysError> {
    let errno = subject.strip_prefix("errno ").and_then(|n| n.parse().ok())?;
    Some(SysError::new("test", subject, io::Error::from_raw_os_error(errno)))
}

impl Kernel for Invented {
    fn read(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        if let Some(error) = failing(path) {
            return Err(error);
        }
        if path == "timeout" {
            return Err(SysError::new("test", path, io::Error::other("no number\tand a tab")));
        }
        out.clone_from(&self.content.lock().unwrap());
        Ok(())
    }

    fn link(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        out.clear();
        if let Some(error) = failing(path) {
            return Err(error);
        }
        out.extend_from_slice(b"socket:[4711]");
        Ok(())
    }

    fn dump(&self, _: Netlink, message_type: u16, _: &[u8], each: &mut dyn FnMut(u16, &[u8])) -> Result<(), SysError> {
        for (kind, payload) in &self.messages {
            each(*kind, payload);
        }
        if message_type == 99 { Err(failing("errno 95").unwrap()) } else { Ok(()) }
    }

    fn ethtool(&self, interface: &str, command: &mut [u8]) -> Result<(), SysError> {
        if let Some(error) = failing(interface) {
            return Err(error);
        }
        command.iter_mut().skip(4).for_each(|octet| *octet = 0xAB);
        Ok(())
    }
}

/// An answer, or the error's number and text.
type Answer = Result<Vec<u8>, (Option<i32>, String)>;

/// Asks everything that the tests compare.
fn ask(kernel: &dyn Kernel) -> Vec<Answer> {
    let fault = |error: SysError| (error.source.raw_os_error(), error.source.to_string());
    let read = |path| {
        let mut out = b"old".to_vec();
        kernel.read(path, &mut out).map(|()| out).map_err(fault)
    };
    let link = |path| {
        let mut out = b"old".to_vec();
        kernel.link(path, &mut out).map(|()| out).map_err(fault)
    };
    let dump = |message_type, payload: &[u8]| {
        let mut seen = Vec::new();
        let outcome = kernel.dump(Netlink::Route, message_type, payload, &mut |kind, answer| {
            seen.extend_from_slice(&kind.to_ne_bytes());
            seen.extend_from_slice(&answer.len().to_ne_bytes());
            seen.extend_from_slice(answer);
        });
        outcome.map(|()| seen).map_err(fault)
    };
    let ethtool = |interface| {
        let mut command = vec![0x1d, 0, 0, 0, 9, 0, 0, 0, 0, 0];
        kernel.ethtool(interface, &mut command).map(|()| command).map_err(fault)
    };
    vec![
        read("/proc/net/snmp"),
        read("errno 2"),
        read("errno 13"),
        dump(18, &[0; 16]),
        dump(18, &[1; 16]),
        dump(99, &[]),
        ethtool("eth0"),
        ethtool("../../x"),
        ethtool("errno 95"),
        link("/proc/self/fd/3"),
        link("errno 2"),
    ]
}

fn record(kernel: impl Kernel) -> (TempDir, Recorded) {
    let folder = TempDir::new().unwrap();
    let recorder = Recorder::create(kernel, folder.path(), "today").unwrap();
    ask(&recorder);
    let recorded = recorder.finish().unwrap();
    (folder, recorded)
}

#[test]
fn a_replay_answers_as_the_kernel_did_errors_included() {
    let kernel = Invented::new(b"Ip: 1 2\n", &[(16, vec![1, 2, 3, 4, 5]), (16, vec![]), (20, vec![9; 40])]);
    let expected = ask(&kernel);
    let (folder, recorded) = record(kernel);
    let replay = Replay::open(folder.path()).unwrap();
    assert_eq!(ask(&replay), expected);
    assert_eq!((recorded.answers, recorded.errors), (6, 5));
    assert_eq!(replay.release(), "Ip: 1 2");
    let text = std::fs::read_to_string(folder.path().join("files/proc/net/snmp")).unwrap();
    assert_eq!(text, "Ip: 1 2\n");
}

#[test]
fn a_recording_of_a_replay_is_the_same_recording() {
    let (first, _) = record(Invented::new(b"x", &[(16, vec![7; 7])]));
    let (second, _) = record(Replay::open(first.path()).unwrap());
    let replays = [first.path(), second.path()].map(|folder| ask(&Replay::open(folder).unwrap()));
    assert_eq!(replays[0], replays[1]);
}

#[test]
fn an_error_without_a_number_keeps_its_words() {
    let folder = TempDir::new().unwrap();
    let recorder = Recorder::create(Invented::new(b"", &[]), folder.path(), "today").unwrap();
    recorder.read("timeout", &mut Vec::new()).unwrap_err();
    recorder.finish().unwrap();
    let error = Replay::open(folder.path()).unwrap().read("timeout", &mut Vec::new()).unwrap_err();
    assert_eq!(error.source.to_string(), "no number\\u{9}and a tab");
}

#[test]
fn what_was_not_recorded_is_absent_and_says_so() {
    let (folder, _) = record(Invented::new(b"", &[]));
    let replay = Replay::open(folder.path()).unwrap();
    let mut out = b"old".to_vec();
    let error = replay.read("/proc/net/other", &mut out).unwrap_err();
    assert!(error.is_absent() && out.is_empty());
    assert!(error.to_string().contains("was not asked for"), "{error}");
    assert!(replay.read("/proc/net", &mut out).unwrap_err().is_absent());
    assert!(replay.read("/proc/net/snmp/below", &mut out).unwrap_err().is_absent());
    assert!(replay.dump(Netlink::SockDiag, 20, &[], &mut |_, _| {}).unwrap_err().is_absent());
    assert!(replay.ethtool("eth9", &mut [0x1d, 0, 0, 0]).unwrap_err().is_absent());
}

#[test]
fn the_last_answer_counts() {
    let folder = TempDir::new().unwrap();
    let kernel = Invented::new(b"first", &[]);
    let recorder = Recorder::create(&kernel, folder.path(), "today").unwrap();
    let mut out = Vec::new();
    recorder.read("/proc/x", &mut out).unwrap();
    *kernel.content.lock().unwrap() = b"second".to_vec();
    recorder.read("/proc/x", &mut out).unwrap();
    recorder.finish().unwrap();
    Replay::open(folder.path()).unwrap().read("/proc/x", &mut out).unwrap();
    assert_eq!(out, b"second");
}

#[test]
fn a_recording_never_leaves_its_folder() {
    let outside = TempDir::new().unwrap();
    let folder = outside.path().join("a/b/recording");
    let recorder = Recorder::create(Invented::new(b"x", &[]), &folder, "today\nrelease: forged").unwrap();
    for path in ["/proc/../../../../escape", "/../escape", "relative/../../escape", "/proc/net/\0nul", "/"] {
        recorder.read(path, &mut Vec::new()).unwrap();
    }
    for interface in ["../../../escape", "..", ".", "", "a/b", "\x1b[2J"] {
        recorder.ethtool(interface, &mut [0x1d, 0, 0, 0]).unwrap();
    }
    assert!(recorder.finish().is_err(), "the folder of all files is not a file");
    let left: Vec<_> = std::fs::read_dir(outside.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["a"]);
    let about = std::fs::read_to_string(folder.join(KERNEL_FILE)).unwrap();
    assert_eq!(about.lines().count(), 4, "{about}");
}

#[test]
fn a_folder_with_content_is_not_recorded_over() {
    let (folder, _) = record(Invented::new(b"", &[]));
    let again = Recorder::create(Invented::new(b"", &[]), folder.path(), "today");
    assert!(matches!(again, Err(RecordError::NotEmpty(_))));
}

#[test]
fn a_folder_that_is_no_recording_is_refused_with_the_reason() {
    let folder = TempDir::new().unwrap();
    let refused = |folder: &TempDir| Replay::open(folder.path()).unwrap_err().to_string();
    assert!(refused(&folder).contains("kernel.txt cannot be read"), "{}", refused(&folder));
    std::fs::write(folder.path().join(KERNEL_FILE), "byte order: middle\n").unwrap();
    assert!(refused(&folder).contains("another byte order"), "{}", refused(&folder));
    std::fs::write(folder.path().join(KERNEL_FILE), format!("byte order: {BYTE_ORDER}\n")).unwrap();
    assert!(refused(&folder).contains("errors.txt cannot be read"), "{}", refused(&folder));
    std::fs::write(folder.path().join(ERRORS_FILE), "files/x\t2\tok\nfiles/y two\n").unwrap();
    assert!(refused(&folder).contains("errors.txt, line 2: expected"), "{}", refused(&folder));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_answers_come_back(
        content in prop::collection::vec(any::<u8>(), 0..300),
        messages in prop::collection::vec((4u16..200, prop::collection::vec(any::<u8>(), 0..100)), 0..6),
    ) {
        let kernel = Invented::new(&content, &messages);
        let expected = ask(&kernel);
        let (folder, _) = record(kernel);
        prop_assert_eq!(ask(&Replay::open(folder.path()).unwrap()), expected);
    }

    #[test]
    fn a_damaged_recording_is_survived(damage in prop::collection::vec(any::<u8>(), 0..200)) {
        let (folder, _) = record(Invented::new(b"", &[(16, vec![1; 30])]));
        for file in std::fs::read_dir(folder.path().join("netlink")).unwrap() {
            std::fs::write(file.unwrap().path(), &damage).unwrap();
        }
        let (mut seen, replay) = (0, Replay::open(folder.path()).unwrap());
        let outcome = replay.dump(Netlink::Route, 18, &[0; 16], &mut |_, _| seen += 1);
        prop_assert!(seen * 16 <= damage.len() && (outcome.is_err() || seen > 0 || damage.is_empty()));
    }
}
