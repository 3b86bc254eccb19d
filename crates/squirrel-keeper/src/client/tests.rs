//! Both ends in one process, with a table in the place of the kernel and with the kernel.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use squirrel_sys::{EndedMulticast, Linux};
use squirrel_testkit::{Namespace, skip};
use squirrel_wire::ledger::SocketKind;
use squirrel_wire::link::{DUMP_LINKS, Link, RTM_GETLINK};

use super::*;
use crate::{Host, Services, serve};

mod containers;

/// Longest wait for a keeper that does answer: only one that hangs takes so long.
const PATIENT: Duration = Duration::from_mins(1);

/// Starts a keeper on a thread. It ends with the other end.
fn kept(services: impl Services + Send + 'static) -> (Keeper, JoinHandle<io::Result<()>>) {
    let (ours, theirs) = Courier::pair().unwrap();
    let mut services = services;
    let keeper = std::thread::spawn(move || serve(&Courier::from(theirs), &mut services));
    (Keeper::with_patience(ours, PATIENT), keeper)
}

fn row(cookie: u64) -> SocketRecord {
    SocketRecord {
        cookie,
        namespace: 7,
        kind: SocketKind::Tcp,
        protocol: 6,
        path_of: None,
        state: 1,
        local: IpAddr::V4(Ipv4Addr::LOCALHOST),
        local_port: 80,
        remote: "2001:db8::1".parse().unwrap(),
        remote_port: 4711,
        tgid: 42,
        uid: 1000,
        started_ns: 5,
        cgroup: 6,
        comm: *b"server\0\0\0\0\0\0\0\0\0\0",
        inherited: true,
        older: false,
        shared: true,
        further: false,
        transmit_bytes: cookie * 3,
        receive_bytes: cookie * 5,
        transmit_calls: 1,
        receive_calls: 2,
        tcp: None,
    }
}

/// A ledger with so many rows; it fails where it is told to.
struct Table {
    rows: u64,
    fails: bool,
}

impl SocketLedger for Table {
    fn ended(&mut self, each: &mut dyn FnMut(SocketRecord)) -> Result<u64, SysError> {
        (0..self.rows).map(row).for_each(&mut *each);
        if self.fails {
            return Err(SysError::new("read", "ring", io::Error::from_raw_os_error(5)));
        }
        Ok(17)
    }

    fn living(&mut self, each: &mut dyn FnMut(SocketRecord)) -> Result<(), SysError> {
        each(row(1));
        Ok(())
    }

    fn process(&mut self, tgid: u32, started_ns: u64) -> Result<Option<ProcessNote>, SysError> {
        Ok((tgid == 42 && started_ns == 5).then(|| ProcessNote { parent: 1, command: b"ls\0-\xff\0".to_vec() }))
    }

    fn missed(&mut self) -> Result<Missed, SysError> {
        Ok(Missed { transmit_bytes: 3, receive_bytes: u64::MAX })
    }

    fn parts(&self) -> Vec<(String, Option<String>)> {
        vec![("works".to_owned(), None), ("other".to_owned(), Some("EPERM: locked down".to_owned()))]
    }
}

fn host(rows: u64, fails: bool) -> Host {
    Host::open(Ok(Box::new(Table { rows, fails }))).unwrap()
}

#[test]
fn a_ledger_reads_the_same_through_the_keeper_however_long_it_is() {
    for rows in [0, 1, 5_000] {
        let (keeper, _) = kept(host(rows, false));
        let mut ledger = KeptLedger::open(&keeper).unwrap();
        assert_eq!(ledger.parts()[1].1.as_deref(), Some("EPERM: locked down"));
        let mut seen = Vec::new();
        assert_eq!(ledger.ended(&mut |row| seen.push(row)).unwrap(), 17);
        assert!(seen.iter().copied().eq((0..rows).map(row)), "{} rows", seen.len());
        let mut living = Vec::new();
        ledger.living(&mut |row| living.push(row)).unwrap();
        assert_eq!(living, [row(1)]);
        let note = ProcessNote { parent: 1, command: b"ls\0-\xff\0".to_vec() };
        assert_eq!((ledger.process(42, 5).unwrap(), ledger.process(42, 6).unwrap()), (Some(note), None));
        assert_eq!(ledger.missed().unwrap(), Missed { transmit_bytes: 3, receive_bytes: u64::MAX });
    }
}

#[test]
fn a_failure_is_told_with_its_number_and_the_next_question_is_answered() {
    let (keeper, _) = kept(host(3, true));
    let mut ledger = KeptLedger::open(&keeper).unwrap();
    let error = ledger.ended(&mut |_| {}).unwrap_err();
    assert_eq!(error.source.raw_os_error(), Some(5));
    assert!(error.to_string().contains("read ring"), "{error}");
    assert!(keeper.namespaces().is_ok());
}

#[test]
fn a_keeper_without_a_ledger_says_so_and_one_that_is_gone_is_an_error() {
    let (keeper, _) = kept(Host::open(Err("locked down".to_owned())).unwrap());
    assert!(KeptLedger::open(&keeper).unwrap_err().to_string().contains("locked down"));
    let (ours, theirs) = Courier::pair().unwrap();
    drop(theirs);
    let keeper = Keeper::new(ours);
    assert!(keeper.namespaces().is_err());
    assert!(keeper.namespaces().unwrap_err().to_string().contains("keeper"));
}

#[test]
fn the_keeper_ends_with_the_other_end() {
    let (keeper, thread) = kept(Host::open(Err("locked down".to_owned())).unwrap());
    keeper.namespaces().unwrap();
    drop(keeper);
    assert!(thread.join().unwrap().is_ok());
}

#[test]
fn words_of_another_language_end_the_keeper() {
    let (ours, theirs) = Courier::pair().unwrap();
    ours.send(b"\xffwhat", None).unwrap();
    assert!(serve(&Courier::from(theirs), &mut Host::open(Err("locked down".to_owned())).unwrap()).is_err());
}

#[test]
fn the_sockets_of_a_process_come_through_the_keeper() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let descriptor = u32::try_from(socket.as_raw_fd()).unwrap();
    let inode = std::fs::File::from(OwnedFd::from(socket.try_clone().unwrap())).metadata().unwrap().ino();
    let (keeper, _) = kept(Host::open(Err("locked down".to_owned())).unwrap());
    let kernel = KeptKernel::new(Linux::open().unwrap(), &keeper);
    let mut seen = Vec::new();
    assert!(
        kernel.sockets_of(std::process::id(), &mut |descriptor, inode| seen.push((descriptor, inode))).unwrap() > 2
    );
    assert!(seen.contains(&(descriptor, inode)), "{descriptor} {inode} in {seen:?}");
    assert!(kernel.sockets_of(u32::MAX, &mut |_, _| {}).is_err());
}

#[test]
fn a_namespace_is_seen_through_sockets_that_the_keeper_opened() {
    let name = "a_namespace_is_seen_through_sockets_that_the_keeper_opened";
    let namespace = match Namespace::create("kept") {
        Ok(namespace) => namespace,
        Err(reason) => return skip(name, &reason),
    };
    namespace.ip(&["link", "add", "only-here", "type", "veth", "peer", "name", "other"]).unwrap();
    let (keeper, _) = kept(Host::open(Err("locked down".to_owned())).unwrap());
    let found = keeper.namespaces().unwrap();
    let there = found.namespaces.iter().find(|found| found.name.as_deref() == Some(namespace.name())).unwrap();
    let kernel = Linux::open_by(&keeper.opener(there.inode)).unwrap();
    let mut links = Vec::new();
    kernel
        .dump(Netlink::Route, RTM_GETLINK, &DUMP_LINKS, &mut |_, link| {
            links.push(Link::parse(link).unwrap().name.to_string());
        })
        .unwrap();
    assert!(links.contains(&"only-here".to_owned()), "{links:?}");
    assert!(EndedMulticast::open_by(keeper.opener(there.inode)).is_ok());
    let error = Linux::open_by(&keeper.opener(1)).unwrap_err();
    assert!(error.to_string().contains("namespace 1"), "{error}");
}

/// A ledger that answers about ends only when it is allowed to.
struct Held {
    table: Table,
    may: Receiver<()>,
}

impl SocketLedger for Held {
    fn ended(&mut self, each: &mut dyn FnMut(SocketRecord)) -> Result<u64, SysError> {
        self.may.recv().expect("the test goes on");
        self.table.ended(each)
    }

    fn living(&mut self, each: &mut dyn FnMut(SocketRecord)) -> Result<(), SysError> {
        self.table.living(each)
    }

    fn parts(&self) -> Vec<(String, Option<String>)> {
        self.table.parts()
    }
}

/// A keeper that hangs at the question for ends until it is let go, and the way to it.
fn hanging(rows: u64) -> (Keeper, SyncSender<()>) {
    let (let_go, may) = sync_channel(1);
    let (ours, theirs) = Courier::pair().unwrap();
    let mut host = Host::open(Ok(Box::new(Held { table: Table { rows, fails: false }, may }))).unwrap();
    std::thread::spawn(move || serve(&Courier::from(theirs), &mut host));
    (Keeper::with_patience(ours, Duration::from_millis(20)), let_go)
}

fn wait_for(keeper: &Keeper, standing: Standing) {
    while keeper.standing() != Some(standing) {
        std::thread::yield_now();
    }
}

#[test]
fn a_keeper_that_hangs_costs_one_wait_and_its_late_answer_is_not_lost() {
    for rows in [1, 5_000] {
        let (keeper, let_go) = hanging(rows);
        let mut ledger = KeptLedger::open(&keeper).unwrap();
        assert_eq!(keeper.standing(), Some(Standing::Answers));
        let error = ledger.ended(&mut |_| panic!("nothing came")).unwrap_err();
        assert_eq!(error.source.kind(), io::ErrorKind::TimedOut);
        assert!(error.to_string().contains("within 20 ms"), "{error}");
        assert_eq!((keeper.standing(), keeper.timeouts()), (Some(Standing::Late), Some(1)));
        for _ in 0..100 {
            let error = ledger.living(&mut |_| {}).unwrap_err();
            assert!(error.to_string().contains("earlier question"), "{error}");
        }
        assert_eq!(keeper.timeouts(), Some(1), "the others did not wait");
        // From here on it answers, on a busy machine not within 20 ms.
        keeper.line().patience = PATIENT;
        let_go.send(()).unwrap();
        wait_for(&keeper, Standing::Answers);
        let mut living = Vec::new();
        ledger.living(&mut |row| living.push(row)).unwrap();
        assert_eq!(living, [row(1)], "answers belong to their questions");
        let_go.send(()).unwrap();
        let mut seen = Vec::new();
        // Twice the table: the late answer and the one in time, each with its losses.
        assert_eq!(ledger.ended(&mut |row| seen.push(row)).unwrap(), 34);
        assert_eq!(seen.len() as u64, 2 * rows);
    }
}

#[test]
fn a_keeper_that_died_is_replaced_for_all_who_talk_through_it() {
    let (first, let_go) = hanging(1);
    let mut ledger = KeptLedger::open(&first).unwrap();
    let before = ledger.generation();
    ledger.ended(&mut |_| {}).unwrap_err();
    // It ends when its question does.
    drop(let_go);
    wait_for(&first, Standing::Gone);
    assert!(ledger.living(&mut |_| {}).is_err());
    let (ours, theirs) = Courier::pair().unwrap();
    let mut next = host(2, false);
    std::thread::spawn(move || serve(&Courier::from(theirs), &mut next));
    first.line().patience = PATIENT;
    first.replace(ours);
    wait_for(&first, Standing::Answers);
    assert_eq!(ledger.parts().len(), 2, "it has told what works");
    assert!(ledger.generation() != before);
    let mut seen = Vec::new();
    assert_eq!(ledger.ended(&mut |row| seen.push(row)).unwrap(), 17);
    assert_eq!(seen, [row(0), row(1)]);
}
