//! Without privilege.

use std::net::TcpListener;
use std::process::Command;

use squirrel_account::Source;
use squirrel_testkit::Namespace;

use crate::support::{Watched, inside, pair, process, send};

/// As the user nobody, with no capability. The program stands where nobody else may look, perhaps: it is handed over as
/// an open file.
fn as_nobody(namespace: &Namespace, program: &std::path::Path) -> Command {
    const SCRIPT: &str = r#"
        exec 9<"$1"; shift
        exec setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all /proc/self/fd/9 "$@"
    "#;
    let mut command = namespace.command("bash");
    command.args(["-c", SCRIPT, "bash"]).arg(program);
    command
}

#[test]
fn without_privilege_ones_own_processes_are_exact_and_others_are_nobodys() {
    let name = "privilege::without_privilege_ones_own_processes_are_exact_and_others_are_nobodys";
    if inside(name, as_nobody) {
        check_as_nobody();
    }
}

fn check_as_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (mut client, mut server) = pair(&listener);
    let mut watched = Watched::start();
    send(&mut client, &mut server, 100_000);
    let picture = watched.step();
    let row = process(&picture, std::process::id());
    assert_eq!((row.figures.bytes.transmit, row.figures.bytes.receive), (100_000, 100_000));
    assert_eq!((row.process.uid, row.source), (65534, Source::Exact));
    assert_eq!(picture.level.name, "own");
    assert!(picture.level.next.as_ref().unwrap().contains("CAP_SYS_PTRACE"));
    assert!(picture.level.parts.iter().any(|part| part.part == "descriptors" && part.missing.is_some()));
}
