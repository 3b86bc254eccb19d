//! What a hundred thousand connections cost in memory. Alone in its process, since it looks at what the process holds.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use squirrel_account::{Accountant, NamespaceSource, Options, Sources};
use squirrel_model::{Elapsed, Timestamp};
use squirrel_sys::{Kernel, Netlink, SysError, memory};
use squirrel_testkit::DiagSocket;

const CONNECTIONS: u64 = 100_000;
const LIMIT: u64 = 600;
/// `TCPDIAG_GETSOCK`.
const BOTH_FAMILIES: u16 = 18;

/// A kernel that makes up its connections while they are dumped, so that it holds nothing itself.
struct Crowd {
    /// The cookie of the first connection.
    first: AtomicU64,
    /// What each connection has received.
    received: AtomicU64,
}

impl Kernel for Crowd {
    fn read(&self, path: &str, _: &mut Vec<u8>) -> Result<(), SysError> {
        Err(SysError::new("open", path, std::io::ErrorKind::NotFound.into()))
    }

    fn list(&self, _: &str, _: &mut dyn FnMut(&[u8])) -> Result<(), SysError> {
        Ok(())
    }

    fn dump(&self, _: Netlink, kind: u16, _: &[u8], each: &mut dyn FnMut(u16, &[u8])) -> Result<(), SysError> {
        let (mut message, first) = (Vec::new(), self.first.load(Ordering::Relaxed));
        let mut socket = DiagSocket::tcp(0, "10.0.0.1:443", "10.0.0.2:1");
        for number in (0..CONNECTIONS).take_while(|_| kind == BOTH_FAMILIES) {
            message.clear();
            (socket.cookie, socket.inode) = (first + number, (first + number) as u32);
            socket.received = self.received.load(Ordering::Relaxed);
            // As many remote hosts as a service on the internet has.
            let address = Ipv4Addr::from_bits(0x0B00_0000 | number as u32);
            socket.remote = SocketAddr::new(IpAddr::V4(address), 1024 + (number % 60_000) as u16);
            socket.encode(&mut message);
            each(kind, &message);
        }
        Ok(())
    }

    fn ethtool(&self, interface: &str, _: &mut [u8]) -> Result<(), SysError> {
        Err(SysError::new("ethtool", interface, std::io::ErrorKind::Unsupported.into()))
    }
}

#[test]
fn a_hundred_thousand_connections_cost_at_most_600_bytes_each() {
    let crowd = Arc::new(Crowd { first: AtomicU64::new(1), received: AtomicU64::new(0) });
    let kernel: Arc<dyn Kernel> = Arc::clone(&crowd) as _;
    let namespace = NamespaceSource { inode: 1, name: None, process: None, kernel: Arc::clone(&kernel), ended: None };
    let sources = Sources {
        host: kernel,
        namespaces: vec![namespace],
        find: None,
        ledger: None,
        users: None,
        containers: None,
        may_trace: true,
    };
    let mut accountant = Accountant::new(Options::default(), sources);
    let before = memory::resident_bytes().unwrap();
    let mut seconds = 0;
    let mut step = |accountant: &mut Accountant| {
        seconds += 1;
        crowd.received.fetch_add(1000, Ordering::Relaxed);
        accountant.step(Elapsed(Duration::from_secs(seconds)), Timestamp(seconds as i64 * 1000));
    };
    for _ in 0..5 {
        step(&mut accountant);
    }
    let held = memory::resident_bytes().unwrap().saturating_sub(before);
    assert!(held / CONNECTIONS <= LIMIT, "{} bytes a connection", held / CONNECTIONS);
    let own = accountant.memory() as u64;
    assert!(own > held / 2 && own < held * 2, "{own} bytes by its own word, {held} by the kernel's");
    let picture = accountant.picture();
    assert_eq!((picture.connections.len() as u64, picture.sampling), (CONNECTIONS, 1));
    assert!(picture.hosts.len() >= 18_000 && picture.pruned > 0, "hosts have a bound of their own");
    drop(picture);

    // All of them end, others come, again and again: the ended ones have a bound too.
    for _ in 0..10 {
        crowd.first.fetch_add(CONNECTIONS, Ordering::Relaxed);
        step(&mut accountant);
        step(&mut accountant);
    }
    let picture = accountant.picture();
    let ended = picture.connections.iter().filter(|row| row.closed.is_some()).count();
    assert!(ended <= Options::default().ended_connections, "{ended}");
    assert_eq!(picture.connections.len() - ended, CONNECTIONS as usize);
}
