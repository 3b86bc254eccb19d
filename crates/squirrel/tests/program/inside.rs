//! Programs inside of a network namespace: this test's own binary in another role, which waits for its standard input
//! to end so that it lives as long as the test wants.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};

use squirrel_testkit::Namespace;

use crate::odd_traffic;
use crate::support::PATIENCE;

/// Says which role the binary plays.
const ROLE: &str = "SQUIRREL_TEST_ROLE";

/// A process inside of a namespace; it ends when this is dropped.
pub(crate) struct Inside {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Inside {
    /// Starts this binary with a role; `test` is the full name of the test that calls [`play`].
    pub(crate) fn start(namespace: &Namespace, binary: &Path, test: &str, role: &str) -> Self {
        let mut command = namespace.command(binary);
        command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(ROLE, role);
        Self::spawn(command)
    }

    /// Starts any program.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env_remove("SQUIRREL_CONFIG")
            .spawn()
            .expect("the program starts");
        let (send, lines) = sync_channel(1_000);
        let stderr = child.stderr.take().expect("stderr is piped");
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let input = child.stdin.take();
        Self { child, input, lines }
    }

    /// Waits for a line on standard error that has `text`, and gives what follows it.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        let mut said = Vec::new();
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|error| panic!("no line with {text:?}: {error}, after {said:#?}"));
            if let Some((_, rest)) = line.split_once(text) {
                return rest.trim().to_owned();
            }
            said.push(line);
        }
    }

    /// Waits for a line on standard error that has one of the texts; none when the program ends before.
    pub(crate) fn find(&self, texts: &[&str]) -> Option<String> {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).ok()?;
            if texts.iter().any(|text| line.contains(text)) {
                return Some(line);
            }
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Interrupts it, and gives its exit code and what it printed.
    pub(crate) fn interrupt(mut self) -> (i32, String) {
        let sent = Command::new("kill").args(["-INT", &self.pid().to_string()]).status();
        assert!(sent.expect("kill runs").success());
        self.output()
    }

    /// Waits for its end.
    pub(crate) fn output(&mut self) -> (i32, String) {
        let mut out = String::new();
        self.child.stdout.take().expect("stdout is piped").read_to_string(&mut out).expect("text");
        (self.child.wait().expect("it ends").code().unwrap_or(-1), out)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Plays the role that the environment names; false in the test itself.
pub(crate) fn play() -> bool {
    let Ok(role) = std::env::var(ROLE) else { return false };
    let mut words = role.split(' ');
    let mut word = || words.next().expect("the role has another word");
    match word() {
        "serve" => serve(word().parse().expect("bytes")),
        "send" => send(word().parse().expect("an address"), word().parse().expect("bytes")),
        "exchange" => {
            let to = word().parse().expect("an address");
            exchange(to, word().parse().expect("bytes"), word().parse().expect("bytes"));
        }
        "scatter" => {
            let closed = [word(), word()].map(|word| word.parse().expect("an address"));
            scatter(&closed, word().parse().expect("an address"));
        }
        "datagrams" => datagrams(word().parse().expect("a number"), word().parse().expect("bytes")),
        "short" => {
            let to: SocketAddr = word().parse().expect("an address");
            TcpStream::connect(to).and_then(|mut stream| stream.write_all(&[b'x'; 64])).expect("all is sent");
        }
        "sockets" => sockets(),
        "odd-serve" => odd_traffic::serve(),
        "odd-call" => odd_traffic::call(word().parse().expect("an address"), word()),
        other => panic!("there is no role {other}"),
    }
    true
}

pub(crate) fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("somebody reads");
}

pub(crate) fn wait_for_the_end_of_input() {
    let mut rest = Vec::new();
    std::io::stdin().read_to_end(&mut rest).expect("standard input ends");
}

/// Accepts connections of both families; reads all of each and answers so many bytes. What it did is said with the
/// number of bytes read.
fn serve(answer: usize) {
    let listener = TcpListener::bind("[::]:0").expect("a port");
    say(&format!("port {}", listener.local_addr().expect("an address").port()));
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut received = Vec::new();
            stream.read_to_end(&mut received).expect("all is read");
            stream.write_all(&vec![b'y'; answer]).expect("the answer is sent");
            say(&format!("served {}", received.len()));
            open.push(stream);
        }
    });
    wait_for_the_end_of_input();
}

/// Sends so many bytes, and keeps the connection until the end of the input.
fn send(to: SocketAddr, bytes: usize) {
    let mut stream = TcpStream::connect(to).expect("somebody listens");
    stream.write_all(&vec![b'x'; bytes]).expect("all is sent");
    stream.shutdown(std::net::Shutdown::Write).expect("the end is sent");
    wait_for_the_end_of_input();
}

/// Sends so many bytes, and reads an answer of so many.
fn exchange(to: SocketAddr, bytes: usize, answer: usize) {
    let mut stream = TcpStream::connect(to).expect("somebody listens");
    stream.write_all(&vec![b'x'; bytes]).expect("all is sent");
    stream.shutdown(std::net::Shutdown::Write).expect("the end is sent");
    stream.read_exact(&mut vec![0; answer]).expect("all is read");
    say("fetched");
    wait_for_the_end_of_input();
}

/// Sends datagrams to closed ports, whose kernel answers, and to a group of which it is a member itself.
fn scatter(closed: &[SocketAddr], own: Ipv4Addr) {
    for to in closed {
        let socket = UdpSocket::bind(if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).expect("a port");
        for _ in 0..20 {
            socket.send_to(&[b'u'; 400], to).expect("sent");
        }
    }
    let group = Ipv4Addr::new(239, 77, 7, 7);
    let member = UdpSocket::bind("0.0.0.0:7777").expect("a port");
    member.join_multicast_v4(&group, &own).expect("a member");
    // The way to the group is the default route.
    for _ in 0..10 {
        member.send_to(&[b'm'; 100], (group, 7777)).expect("sent");
        member.recv(&mut [0; 200]).expect("its own copy");
    }
    say("scattered");
    wait_for_the_end_of_input();
}

/// Sends so many datagrams to itself, between two sockets of which one is not connected.
fn datagrams(count: usize, bytes: usize) {
    let (one, other) =
        (UdpSocket::bind("127.0.0.1:0").expect("a port"), UdpSocket::bind("127.0.0.1:0").expect("a port"));
    let mut buffer = vec![0; bytes];
    for _ in 0..count {
        one.send_to(&buffer, other.local_addr().expect("an address")).expect("sent");
        other.recv(&mut buffer).expect("received");
    }
    say("moved");
    wait_for_the_end_of_input();
}

/// A listener, a connection and datagram sockets of each family, and a connection in TIME-WAIT.
fn sockets() {
    let mut held: Vec<Box<dyn std::any::Any>> = Vec::new();
    for address in ["127.0.0.1", "::1"] {
        let address: IpAddr = address.parse().expect("an address");
        let listener = TcpListener::bind((address, 8080)).expect("a port");
        for _ in 0..3 {
            let client = TcpStream::connect((address, 8080)).expect("a connection");
            let (server, _) = listener.accept().expect("a connection");
            held.push(Box::new((client, server)));
        }
        let client = TcpStream::connect((address, 8080)).expect("a connection");
        let (mut server, _) = listener.accept().expect("a connection");
        // Who closes first keeps the connection in TIME-WAIT.
        drop(client);
        server.read_to_end(&mut Vec::new()).expect("the end");
        let open = UdpSocket::bind((address, 5353)).expect("a port");
        let connected = UdpSocket::bind((address, 0)).expect("a port");
        connected.connect((address, 5353)).expect("a connected socket");
        held.push(Box::new((listener, open, connected)));
    }
    let any = TcpListener::bind("[::]:9090").expect("a port");
    let mapped = TcpStream::connect("127.0.0.1:9090").expect("a connection");
    let (server, _) = any.accept().expect("a connection");
    held.push(Box::new((any, mapped, server, TcpListener::bind("0.0.0.0:22").expect("a port"))));
    say("ready");
    wait_for_the_end_of_input();
    drop(held);
}
