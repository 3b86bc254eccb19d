//! Two namespaces, each with a process, joined by a pair of interfaces.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use squirrel_account::{InterfaceRow, NamespaceSource, Sources};
use squirrel_sys::network_namespaces;
use squirrel_testkit::{Namespace, skip};

use crate::support::{Watched, process};

const ROLE: &str = "SQUIRREL_TEST_ROLE";
const PEER: &str = "SQUIRREL_TEST_PEER";
const HERE: &str = "10.213.7.1";
const THERE: &str = "10.213.7.2";
const LONG: usize = 8_000_000;
const SHORT: usize = 200;

/// A server that does not outlive a test that fails.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        // One that has ended is past killing.
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// Two namespaces joined by a pair.
fn joined() -> Result<(Namespace, Namespace), String> {
    let (here, there) = (Namespace::create("here")?, Namespace::create("there")?);
    here.ip(&["link", "add", "left", "type", "veth", "peer", "name", "right", "netns", there.name()])?;
    for (namespace, link, address) in [(&here, "left", HERE), (&there, "right", THERE)] {
        namespace.ip(&["address", "add", &format!("{address}/24"), "dev", link])?;
        namespace.ip(&["link", "set", link, "up"])?;
    }
    Ok((here, there))
}

/// This test again, in another role.
fn again(namespace: &Namespace, test: &str, role: &str) -> Command {
    let mut command = namespace.command(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(ROLE, role);
    command
}

#[test]
fn a_namespace_that_comes_is_watched_and_one_that_goes_is_let_go() {
    let name = "namespaces::a_namespace_that_comes_is_watched_and_one_that_goes_is_let_go";
    let mut watched = Watched::with(Sources::open(true).unwrap());
    let namespace = match Namespace::create("comes") {
        Ok(namespace) => namespace,
        Err(reason) => return skip(name, &reason),
    };
    namespace.ip(&["link", "add", "only-there", "type", "veth", "peer", "name", "other"]).unwrap();
    let picture =
        watched.until(|picture| picture.namespaces.iter().any(|row| row.name.as_deref() == Some(namespace.name())));
    let row = picture.namespaces.iter().find(|row| row.name.as_deref() == Some(namespace.name())).unwrap();
    assert_eq!((row.container.clone(), row.failure.clone()), (None, None));
    let links = picture.interfaces.iter().filter(|link| link.namespace == row.inode);
    let names: Vec<_> = links.map(|link| link.name.as_str()).collect();
    // Kernels with tunnels give each namespace one of each kind besides.
    assert!(["lo", "only-there", "other"].iter().all(|name| names.contains(name)), "{names:?}");
    // Nothing but the accountant holds it from here on.
    let inode = row.inode;
    drop(namespace);
    watched.until(|picture| picture.namespaces.iter().all(|row| row.inode != inode));
}

#[test]
fn both_ends_are_named_and_the_books_of_both_interfaces_balance() {
    let name = "namespaces::both_ends_are_named_and_the_books_of_both_interfaces_balance";
    match std::env::var(ROLE).as_deref() {
        Ok("serve") => assert_eq!(serve(), SHORT + 1),
        Ok(_) => check_both_ends(),
        Err(_) => match joined() {
            Ok((here, there)) => {
                let mut server = Served(again(&there, name, "serve").stdout(Stdio::piped()).spawn().unwrap());
                let port = announced_port(&mut server.0);
                let watch = again(&here, name, "watch").env(PEER, there.name()).env("PORT", &port).output().unwrap();
                let said = String::from_utf8_lossy(&watch.stdout);
                assert!(said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&watch.stderr));
                assert!(server.0.wait().unwrap().success());
            }
            Err(reason) => skip(name, &reason),
        },
    }
}

fn announced_port(server: &mut Child) -> String {
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let port = lines.find_map(|line| line.unwrap().strip_prefix("port ").map(str::to_owned)).unwrap();
    // The rest is read so that the server never waits for room in the pipe.
    std::thread::spawn(move || lines.count());
    port
}

/// Reads each connection to its end and answers with ten octets, until one brings nothing. Gives how many brought
/// something.
fn serve() -> usize {
    let listener = TcpListener::bind((THERE, 0)).unwrap();
    let announcement = format!("\nport {}\n", listener.local_addr().unwrap().port());
    std::io::stdout().lock().write_all(announcement.as_bytes()).unwrap();
    let mut served = 0;
    loop {
        let (mut stream, _) = listener.accept().unwrap();
        let mut data = Vec::new();
        stream.read_to_end(&mut data).unwrap();
        if data.is_empty() {
            return served;
        }
        served += 1;
        stream.write_all(&[1; 10]).unwrap();
    }
}

fn call(port: u16, octets: usize) {
    let mut stream = TcpStream::connect((THERE, port)).unwrap();
    stream.write_all(&vec![7; octets]).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer.len(), if octets == 0 { 0 } else { 10 });
}

fn check_both_ends() {
    let (peer, port) = (std::env::var(PEER).unwrap(), std::env::var("PORT").unwrap().parse().unwrap());
    let mut sources = Sources::open(false).unwrap();
    let mut found = network_namespaces().unwrap().namespaces.into_iter();
    let other = found.find(|namespace| namespace.name.as_deref() == Some(&*peer)).unwrap();
    let (here, there) = (sources.namespaces[0].inode, other.inode);
    sources.namespaces.push(NamespaceSource::open(other).unwrap());
    let mut watched = Watched::with(sources);

    call(port, LONG);
    for _ in 0..SHORT {
        call(port, 64);
    }
    let sum = (LONG + SHORT * 64) as u64;
    let answers = (SHORT as u64 + 1) * 10;
    let picture = watched.until(|picture| {
        let closed = picture.connections.iter().filter(|row| row.closed.is_some());
        closed.count() == 2 * (SHORT + 1)
    });
    // The counters of protocols of another namespace are read in each fifth step alone, and what its kernel says by
    // itself, the more the longer all of this took, is explained by them.
    let picture = (0..5).fold(picture, |_, _| watched.step());
    // Each end moved what it moved, to the byte.
    for (namespace, receive, transmit) in [(here, answers, sum), (there, sum, answers)] {
        let rows = picture.connections.iter().filter(|row| row.namespace == namespace && row.closed.is_some());
        let bytes =
            rows.fold((0, 0), |bytes, row| (bytes.0 + row.figures.bytes.receive, bytes.1 + row.figures.bytes.transmit));
        assert_eq!(bytes, (receive, transmit), "in namespace {namespace}");
    }
    let names: Vec<_> = picture.namespaces.iter().map(|row| (row.inode, row.name.as_deref())).collect();
    assert_eq!(names, [(here, None), (there, Some(&*peer))]);
    // The server is another process, in the other namespace.
    let listener = picture.connections.iter().find(|row| row.namespace == there && row.state == "LISTEN").unwrap();
    let server = listener.process.as_ref().unwrap();
    assert_ne!(server.pid, std::process::id());
    assert_eq!(process(&picture, server.pid).figures.bytes.receive, sum);

    for (namespace, link) in [(here, "left"), (there, "right")] {
        let row = picture.interfaces.iter().find(|row| row.namespace == namespace && row.name == link).unwrap();
        assert_balanced(row);
    }
    let host = picture.hosts.iter().find(|row| row.address.to_string() == THERE).unwrap();
    assert_eq!((host.figures.bytes.receive, host.figures.bytes.transmit), (answers, sum));
    // Nothing more to come: the server ends.
    call(port, 0);
}

/// The parts add up to the counter, and what is unexplained is less than a hundredth of it.
fn assert_balanced(row: &InterfaceRow) {
    let explained = row.attributed.plus(row.headers).plus(row.kernel);
    let ways = [
        (row.wire.bytes.receive, explained.receive, row.unexplained.receive),
        (row.wire.bytes.transmit, explained.transmit, row.unexplained.transmit),
    ];
    for (wire, explained, unexplained) in ways {
        assert_eq!(wire, explained + unexplained, "{row:#?}");
        assert!(unexplained * 100 < wire.max(100_000), "{row:#?}");
    }
    assert!(row.kernel.receive * 20 < row.wire.bytes.receive, "{row:#?}");
    assert_eq!((row.forwarded.receive, row.source.word()), (0, "sampled"));
}
