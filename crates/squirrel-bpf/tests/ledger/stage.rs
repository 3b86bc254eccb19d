//! A ledger, a namespace, and the program that makes traffic in it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::RwLock;
use std::time::Duration;

use squirrel_bpf::{Ledger, Options};
use squirrel_sys::SocketLedger as _;
use squirrel_sys::clock::Monotonic;
use squirrel_testkit::Namespace;
use squirrel_wire::ledger::SocketRecord;
use tempfile::TempDir;

pub(crate) const TCP: u8 = 6;
pub(crate) const SYN_SENT: u8 = 2;
pub(crate) const LISTEN: u8 = 10;
/// A hanging test ends after this; no test takes nearly as long.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A flood fills the processor's queue of packets, in which all namespaces wait, and an echo whose datagram found no
/// room waits for ever: who needs each datagram reads this, and who floods writes it.
pub(crate) static QUEUE: RwLock<()> = RwLock::new(());

/// What one process says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

/// By process id.
pub(crate) type Truth = BTreeMap<u32, Moved>;

pub(crate) struct Stage {
    pub(crate) ledger: Ledger,
    pub(crate) namespace: Namespace,
    inode: u32,
}

/// The program that makes traffic.
fn traffic() -> PathBuf {
    example("traffic")
}

/// A program that cargo builds as an example beside the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this program has a path");
    let folder = test.parent().and_then(|deps| deps.parent()).expect("tests stand in target/…/deps");
    let program = folder.join("examples").join(name);
    assert!(program.is_file(), "build it: cargo build -p squirrel-bpf --example {name}");
    program
}

/// The same compiler as that of the programs in the kernel.
const COMPILER: &str = "clang-14";

/// Compiles `NAME.c` beside this file; the program is there as long as the folder.
pub(crate) fn compiled(name: &str) -> Result<(TempDir, PathBuf), String> {
    let folder = tempfile::tempdir().expect("makes a folder");
    let program = folder.path().join(name);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/ledger/{name}.c"));
    let mut compiler = Command::new(COMPILER);
    let output = compiler.args(["-O1", "-Wall", "-Werror", "-o"]).arg(&program).arg(source).output();
    let output = output.map_err(|error| format!("{COMPILER}: {error}"))?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok((folder, program))
}

impl Stage {
    /// Sets it up, or says why that is not possible here.
    pub(crate) fn open(options: &Options) -> Result<Self, String> {
        Self::open_in(options, Namespace::create("ledger")?)
    }

    /// The same, in a namespace where something runs already.
    pub(crate) fn open_in(options: &Options, namespace: Namespace) -> Result<Self, String> {
        let inode = namespace.inode().expect("a namespace has a number") as u32;
        let ledger = Ledger::open(options).map_err(|error| error.to_string())?;
        // Functions stand in for the tracepoints of calls, all of them.
        let (functions, others): (Vec<_>, Vec<_>) =
            ledger.parts().into_iter().partition(|(name, _)| name.ends_with("by function"));
        let by_function = !functions.is_empty() && functions.iter().all(|(_, reason)| reason.is_none());
        let mut missing = [functions, others].concat();
        missing.retain(|(name, reason)| reason.is_some() && !(by_function && name.ends_with("calls")));
        if !missing.is_empty() && options.without.is_empty() {
            return Err(format!("this kernel lacks {missing:?}"));
        }
        Ok(Self { ledger, namespace, inode })
    }

    /// Runs a scenario to its end, and answers what its processes say.
    pub(crate) fn play(&self, scenario: &str) -> Truth {
        play(&self.namespace, scenario)
    }

    /// The records of this namespace: those of ended sockets first, and how many ends were lost on the host.
    pub(crate) fn read(&mut self) -> (Vec<SocketRecord>, Vec<SocketRecord>, u64) {
        let (mut ended, mut living) = (Vec::new(), Vec::new());
        let ours = |record: &SocketRecord| record.namespace == self.inode;
        let lost = self.ledger.ended(&mut |record| ended.extend(Some(record).filter(ours))).expect("ends are read");
        self.ledger.living(&mut |record| living.extend(Some(record).filter(ours))).expect("the living are read");
        (ended, living, lost)
    }

    /// Hands over all records of the host.
    pub(crate) fn all(&mut self, mut each: impl FnMut(SocketRecord)) {
        self.ledger.ended(&mut each).expect("ends are read");
        self.ledger.living(&mut each).expect("the living are read");
    }

    /// The last records of all sockets, when none of the namespace lives any more.
    pub(crate) fn last_words(&mut self) -> Vec<SocketRecord> {
        let watch = Monotonic::start();
        let mut records = Vec::new();
        loop {
            let (ended, living, lost) = self.read();
            assert_eq!(lost, 0, "the ring is large enough");
            records.extend(ended);
            if living.is_empty() {
                return records;
            }
            assert!(watch.elapsed().0 < PATIENCE, "these live on: {living:#?}");
        }
    }
}

/// Runs a scenario in a namespace to its end, and answers what its processes say.
pub(crate) fn play(namespace: &Namespace, scenario: &str) -> Truth {
    play_program(namespace, &traffic(), scenario)
}

/// The same, of another program.
pub(crate) fn play_program(namespace: &Namespace, program: &Path, scenario: &str) -> Truth {
    let mut command = namespace.command(program);
    let output = command.args(scenario.split(' ')).stdin(Stdio::null()).output().expect("the scenario starts");
    assert!(output.status.success(), "{scenario}: {}", String::from_utf8_lossy(&output.stderr));
    truth(&String::from_utf8_lossy(&output.stdout))
}

fn truth(lines: &str) -> Truth {
    let parse = |line: &str| {
        let numbers: Vec<u64> = line.split(' ').map(|word| word.parse().expect("a number")).collect();
        let [pid, sent, received] = numbers[..] else { panic!("three numbers: {line}") };
        (pid as u32, Moved { sent, received })
    };
    lines.lines().map(parse).collect()
}

/// What the ledger says of each process that it names.
pub(crate) fn by_process(records: &[SocketRecord]) -> Truth {
    let mut processes = Truth::new();
    for record in records {
        let moved = processes.entry(record.tgid).or_insert(Moved { sent: 0, received: 0 });
        moved.sent += record.transmit_bytes;
        moved.received += record.receive_bytes;
    }
    processes
}

/// Each process moved what the ledger says, and nobody else moved anything.
pub(crate) fn check_processes(scenario: &str, truth: &Truth, records: &[SocketRecord]) {
    let silent = Moved { sent: 0, received: 0 };
    let told = |all: &Truth| all.iter().map(|(pid, moved)| (*pid, *moved)).filter(|(_, m)| *m != silent).collect();
    let (said, moved): (Vec<_>, Vec<_>) = (told(&by_process(records)), told(truth));
    assert!(!moved.is_empty(), "{scenario} moves something");
    assert_eq!(said, moved, "{scenario}");
    for record in records {
        assert!(record.started_ns > 0 && record.comm.starts_with(b"traffic"), "{scenario}: {record:?}");
    }
}

/// The kernel's own counters of each TCP connection are the sum of what its processes moved.
pub(crate) fn check_kernel_counters(scenario: &str, records: &[SocketRecord]) {
    let connections = records.iter().filter(|record| record.protocol == TCP && record.state != LISTEN);
    for record in connections.filter(|record| !record.further) {
        let tcp = record.tcp.unwrap_or_else(|| panic!("{scenario}: {record:?}"));
        let same = records.iter().filter(|other| other.cookie == record.cookie);
        let (sent, received) =
            same.fold((0, 0), |(sent, got), row| (sent + row.transmit_bytes, got + row.receive_bytes));
        assert_eq!((tcp.transmitted_payload(), tcp.received_payload()), (sent, received), "{scenario}: {record:?}");
    }
}

/// A program that stops in the middle until it is told to go on.
pub(crate) struct Paused(Child);

impl Paused {
    /// Runs it up to the line `ready`.
    pub(crate) fn start(namespace: &Namespace, scenario: &str) -> Self {
        Self::program(namespace, "traffic", scenario)
    }

    /// The same, of another program.
    pub(crate) fn program(namespace: &Namespace, program: &str, arguments: &str) -> Self {
        Self::run(namespace, &example(program), arguments)
    }

    /// The same, of a program that is no example.
    pub(crate) fn run(namespace: &Namespace, program: &Path, arguments: &str) -> Self {
        let mut command = namespace.command(program);
        command.args(arguments.split(' ')).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let mut line = String::new();
        let output = child.stdout.as_mut().expect("its output is piped");
        // One line is written before the pause, so nothing else can be taken into this reader.
        BufReader::new(output).read_line(&mut line).expect("it says a line");
        assert_eq!(line, "ready\n");
        Self(child)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Lets it go on to its end.
    pub(crate) fn finish(self) -> Truth {
        truth(&self.rest())
    }

    /// Lets it go on to its end, and answers what it still says.
    pub(crate) fn rest(mut self) -> String {
        // One that does not wait may have ended already, and listens no longer.
        let _ = self.0.stdin.take().expect("its input is piped").write_all(b"\n");
        let output = self.0.wait_with_output().expect("it ends");
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
