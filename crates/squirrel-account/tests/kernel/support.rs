//! What these tests share: a run inside a namespace, an accountant with its clock, connections.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use squirrel_account::{Accountant, Options, Picture, ProcessRow, Sources};
use squirrel_model::Elapsed;
use squirrel_sys::clock;
use squirrel_testkit::{Namespace, skip, until};

const INSIDE: &str = "SQUIRREL_TEST_INSIDE";
/// A hanging test ends after this; no test takes nearly as long.
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs the named test again inside a new namespace, and answers whether this is that run.
pub(crate) fn inside(test: &str, wrap: impl FnOnce(&Namespace, &std::path::Path) -> Command) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    match Namespace::create("account") {
        Ok(namespace) => {
            let mut command = wrap(&namespace, &std::env::current_exe().unwrap());
            let output =
                command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(INSIDE, "1").output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success() && said.contains("1 passed"),
                "{said}{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Err(reason) => skip(test, &reason),
    }
    false
}

pub(crate) fn as_root(namespace: &Namespace, program: &std::path::Path) -> Command {
    namespace.command(program)
}

pub(crate) struct Watched {
    accountant: Accountant,
    seconds: u64,
}

impl Watched {
    pub(crate) fn start() -> Self {
        Self::with(Sources::open(false).unwrap())
    }

    pub(crate) fn with(sources: Sources) -> Self {
        let mut watched = Self { accountant: Accountant::new(Options::default(), sources), seconds: 0 };
        watched.step();
        watched
    }

    pub(crate) fn step(&mut self) -> std::sync::Arc<Picture> {
        self.seconds += 1;
        self.accountant.step(Elapsed(Duration::from_secs(self.seconds)), clock::wall());
        self.accountant.picture()
    }

    /// Steps until the picture shows what is waited for: the kernel frees a socket a little after its end.
    pub(crate) fn until(&mut self, shown: impl Fn(&Picture) -> bool) -> std::sync::Arc<Picture> {
        let mut picture = self.step();
        let came = until(PATIENCE, || {
            let is_shown = shown(&picture);
            if !is_shown {
                picture = self.step();
            }
            is_shown
        });
        assert!(came, "never shown: {:#?} {:#?}", picture.connections, picture.unattributed);
        picture
    }
}

/// A pair of connected sockets.
pub(crate) fn pair(listener: &TcpListener) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

/// Moves bytes one way and reads them all on the other side.
pub(crate) fn send(from: &mut TcpStream, to: &mut TcpStream, count: usize) {
    let data = vec![7; count];
    std::thread::scope(|scope| {
        scope.spawn(|| from.write_all(&data).unwrap());
        to.read_exact(&mut vec![0; count]).unwrap();
    });
}

/// The row of a process.
pub(crate) fn process(picture: &Picture, pid: u32) -> &ProcessRow {
    picture.processes.iter().find(|row| row.process.pid == pid).unwrap()
}
