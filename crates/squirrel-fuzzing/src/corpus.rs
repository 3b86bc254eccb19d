//! Inputs to begin with: texts of `corpus/`, what our own encoders write, and what real kernels said to the tests of
//! the collectors.

mod written;

use std::fs;
use std::path::{Path, PathBuf};

/// The line that parts the texts of a file.
const PARTED: &str = "====\n";

/// Larger recordings are left out: mutations of them would change nothing that counts.
const LONGEST: usize = 8_192;

/// The inputs of a target.
///
/// # Panics
/// When a file of the repository cannot be read.
pub fn corpus(name: &str) -> Vec<Vec<u8>> {
    let mut out = texts(name);
    match name.split_once('_').map_or(name, |(subject, _)| subject) {
        // The first two octets cut the conversation; see the target.
        "inspect" => {
            let cuts: &[u8] = if name == "inspect_fields" { &[7] } else { &[160, 7] };
            // Lines of HTTP end with two characters, those of JSON-RPC with one.
            let with_returns = |text: &[u8]| String::from_utf8_lossy(text).replace('\n', "\r\n").into_bytes();
            let both = out.into_iter().flat_map(|text| [with_returns(&text), text]);
            out = both.map(|text| [cuts, &text].concat()).collect();
        }
        "netlink" | "sock" => out.extend(recordings("netlink").into_iter().flat_map(|one| [payload(&one), one])),
        "ethtool" => out.extend(recordings("ethtool")),
        "collectors" => out.extend(recordings("files").into_iter().chain(recordings("netlink"))),
        "account" => out.extend(recordings("files/proc/net")),
        "ledger" => out.extend([vec![0; 256], vec![0xff; 256], (0..=255).collect()]),
        _ => {}
    }
    out.extend(written::by_us(name));
    out
}

/// The words of the dictionary of a target's subject.
///
/// # Panics
/// As [`corpus`].
pub fn dictionary(name: &str) -> Vec<Vec<u8>> {
    let subject = name.split('_').next().unwrap_or(name);
    let path = repository().join(format!("fuzz/dictionaries/{subject}.dict"));
    if !path.exists() {
        return Vec::new();
    }
    let text = fs::read_to_string(&path).expect("the dictionary can be read");
    let word = |line: &str| Some(line.trim().strip_prefix('"')?.strip_suffix('"')?.replace("\\\"", "\"").into_bytes());
    text.lines().filter_map(word).collect()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The texts of the file of the target's own name, else of its subject's.
fn texts(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let subject = name.split('_').next().unwrap_or(name);
    let paths = [name, subject].map(|stem| folder.join(format!("{stem}.txt")));
    let Some(path) = paths.into_iter().find(|path| path.exists()) else { return Vec::new() };
    let text = fs::read_to_string(&path).expect("the corpus can be read");
    text.split(PARTED).map(|one| one.trim_end_matches('\n').as_bytes().to_vec()).collect()
}

/// The files of that kind among the recordings of the collectors' tests.
fn recordings(kind: &str) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let hosts = repository().join("crates/squirrel-collect/testdata");
    for host in sorted(&hosts) {
        walk(&host.join(kind), &mut out);
    }
    out
}

fn walk(folder: &Path, out: &mut Vec<Vec<u8>>) {
    for path in sorted(folder) {
        if path.is_dir() {
            walk(&path, out);
        } else if let Ok(mut octets) = fs::read(&path) {
            octets.truncate(LONGEST);
            out.push(octets);
        }
    }
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// What stands behind the first header of a netlink message, `struct nlmsghdr`.
fn payload(message: &[u8]) -> Vec<u8> {
    message.get(16..).unwrap_or_default().to_vec()
}
