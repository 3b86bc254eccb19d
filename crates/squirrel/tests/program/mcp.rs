//! `squirrel mcp` as a client and a server meet it: they must not notice.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};

use squirrel_testkit::until;

use crate::processes::{children, status};
use crate::support::{PATIENCE, squirrel};

/// Whoever runs the tests may ignore signals (`nohup`, or a shell's background), which what is started inherits, and
/// which a shell cannot trap: none is ignored at the start.
const NO_SIGNAL_IGNORED: &str = "--default-signal";

/// A client's view of a server that is wrapped: `script` is run by the shell.
fn wrapped(options: &[&str], script: &str) -> Child {
    wrapped_with(NO_SIGNAL_IGNORED, options, script)
}

/// The same, with signals as an option of env(1) says.
fn wrapped_with(signals: &str, options: &[&str], script: &str) -> Child {
    Command::new("env")
        .args([signals, env!("CARGO_BIN_EXE_squirrel"), "mcp", "wrap"])
        .args(options)
        .args(["--", "sh", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts")
}

/// The lines that come, so that waiting for one has a bound.
fn lines_of(stdout: BufReader<ChildStdout>) -> Receiver<String> {
    let (send, lines) = sync_channel(100);
    std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
    lines
}

/// How it ended; killed if it does not.
fn ended(child: &mut Child) -> Option<ExitStatus> {
    let mut status = None;
    until(PATIENCE, || {
        status = child.try_wait().expect("a child is waited for");
        status.is_some()
    });
    if status.is_none() {
        child.kill().expect("it can be killed");
    }
    status
}

fn pipes(child: &mut Child) -> (ChildStdin, BufReader<ChildStdout>) {
    (child.stdin.take().expect("piped"), BufReader::new(child.stdout.take().expect("piped")))
}

/// Writes everything, closes, and takes what comes.
fn conversation(options: &[&str], script: &str, input: &[u8]) -> Output {
    let mut child = wrapped(options, script);
    let (mut stdin, input) = (child.stdin.take().expect("piped"), input.to_vec());
    // Beside the reading, since both directions may be full at once.
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("it ends");
    // A server that has ended takes no more.
    let _ = writer.join().expect("the writer ends");
    output
}

#[test]
fn octets_pass_unchanged_in_both_directions() {
    let mut octets: Vec<u8> = (0..=255).collect();
    octets.extend(b"\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r\n");
    // A line of ten megabytes, and an end without a newline.
    octets.extend(std::iter::repeat_n(b'x', 10 << 20));
    octets.extend(b"\n\n{\"jsonrpc\"");
    let output = conversation(&[], "cat", &octets);
    assert!(output.stdout == octets, "{} octets of {}", output.stdout.len(), octets.len());
    assert_eq!(output.status.code(), Some(0));
    let summary = String::from_utf8_lossy(&output.stderr);
    assert!(summary.contains(&format!("{0} bytes to the server, {0} to the client", octets.len())), "{summary}");
}

#[test]
fn a_piece_of_a_message_is_not_held_back() {
    let mut child = wrapped(&[], "cat");
    let (mut stdin, mut stdout) = pipes(&mut child);
    for piece in [&b"{\"jsonrpc\""[..], b":", b"\"2.0\"}"] {
        stdin.write_all(piece).unwrap();
        let mut came = vec![0; piece.len()];
        stdout.read_exact(&mut came).unwrap();
        assert_eq!(came, piece);
    }
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn exit_status_signals_and_standard_error_are_the_servers_own() {
    let output = conversation(&[], "echo 'from the server' >&2; exit 7", b"");
    assert_eq!(output.status.code(), Some(7));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("from the server\n"));
    // A server that crashes: whoever started it sees the same signal.
    for signal in [6, 9, 11, 15] {
        let output =
            conversation(&[], &format!("kill -{signal} $$"), b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
        assert_eq!((output.status.code(), output.status.signal()), (None, Some(signal)));
    }
    for (command, code) in [("/nonexistent/server", 127), ("/etc/passwd", 126)] {
        let (status, out, err) = squirrel(&["mcp", "wrap", "--", command]);
        assert_eq!((status, out.as_str()), (code, ""), "{err}");
        assert!(err.contains("cannot start") && err.contains(command), "{err}");
    }
}

#[test]
fn signals_reach_the_server() {
    for (name, number) in [("TERM", 15), ("USR1", 10), ("USR2", 12), ("HUP", 1)] {
        // What waits in the background lets the shell look for signals at once.
        let script = format!("exec 3<&0; cat <&3 >/dev/null & trap 'echo got; exit 3' {name}; echo ready; wait");
        let mut child = wrapped(&[], &script);
        let (stdin, stdout) = pipes(&mut child);
        let lines = lines_of(stdout);
        assert_eq!(lines.recv_timeout(PATIENCE).as_deref(), Ok("ready"), "{name}");
        squirrel_sys::signals::send(child.id(), number).unwrap();
        let came = lines.recv_timeout(PATIENCE);
        drop(stdin);
        let code = ended(&mut child).and_then(|status| status.code());
        assert_eq!((came.as_deref(), code), (Ok("got"), Some(3)), "{name}");
    }
}

#[test]
fn a_signal_that_we_were_started_to_ignore_stays_ignored() {
    let script = "exec 3<&0; cat <&3 >/dev/null & trap 'echo got; exit 3' HUP TERM; echo ready; wait";
    let mut child = wrapped_with("--ignore-signal=HUP", &[], script);
    let (stdin, stdout) = pipes(&mut child);
    let lines = lines_of(stdout);
    assert_eq!(lines.recv_timeout(PATIENCE).as_deref(), Ok("ready"));
    let ignored = |process: u32| {
        let mask = status(process, "SigIgn:").expect("it lives");
        u64::from_str_radix(&mask, 16).expect("a number") & 1 == 1
    };
    let server = children(child.id())[0];
    assert!(ignored(child.id()) && ignored(server), "as `nohup` wants it, of us and of the server");
    // It would end us, or the server, if either had forgotten.
    squirrel_sys::signals::send(child.id(), 1).unwrap();
    squirrel_sys::signals::send(child.id(), 15).unwrap();
    let came = lines.recv_timeout(PATIENCE);
    drop(stdin);
    let code = ended(&mut child).and_then(|status| status.code());
    assert_eq!((came.as_deref(), code), (Ok("got"), Some(3)));
}

/// Reads three requests, then answers the last first; the tool of the second fails.
const SERVER: &str = r#"
read -r one; read -r two; read -r three
echo '{"jsonrpc":"2.0","id":3,"result":{}}'
echo '{"jsonrpc":"2.0","id":2,"result":{"content":[],"isError":true}}'
echo '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}}'
cat > /dev/null"#;

#[test]
fn answers_out_of_order_are_matched_in_the_report() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("report.json");
    let call = |id: u32, tool: &str| {
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/call\",\"params\":{{\"name\":\"{tool}\"}}}}\n")
    };
    let input = call(1, "a") + &call(2, "b") + "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"ping\"}\n";
    let output = conversation(&["--json", "--report", file.to_str().unwrap()], SERVER, input.as_bytes());
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let answered = |row: &serde_json::Value| (row["type"].clone(), row["answered"].clone(), row["p50_ms"].is_number());
    let rows: Vec<_> = report["messages"].as_array().unwrap().iter().map(answered).collect();
    let expected = ["ping", "tools/call a", "tools/call b"].map(|name| (name.into(), 1.into(), true));
    assert_eq!(rows, expected);
    let failure = |row: &serde_json::Value| [row["type"].clone(), row["class"].clone(), row["error"].clone()];
    let failures: Vec<_> = report["failures"].as_array().unwrap().iter().map(failure).collect();
    let expected = [["tools/call a", "protocol", "invalid_params"], ["tools/call b", "tool", "tool_error"]];
    assert_eq!(failures, expected.map(|row| row.map(serde_json::Value::from)));
}

#[test]
fn a_client_that_leaves_or_hangs_is_felt_by_the_server_as_without_us() {
    // It reads no answer: the server's pipe breaks, as its own would.
    let mut child = wrapped(&[], "while echo '{}'; do :; done");
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().signal(), Some(13), "SIGPIPE ends the server");
    // It says nothing for as long as it likes; the report comes meanwhile.
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("report.txt");
    let mut child = wrapped(&["--interval", "50ms", "--report", file.to_str().unwrap()], "cat");
    let (mut stdin, mut stdout) = pipes(&mut child);
    let mut line = String::new();
    let written = (0..10_000_000).any(|_| {
        stdin.write_all(b"\n").unwrap();
        stdout.read_line(&mut line).unwrap();
        file.exists()
    });
    assert!(written, "a report within ten million round trips");
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_proxy_tells_each_message_and_a_summary() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("http://{}/mcp", server.local_addr().unwrap());
    let mut proxy = Command::new(env!("CARGO_BIN_EXE_squirrel"))
        .args(["mcp", "proxy", "--json-lines", "--events", "--to", &to])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut told = BufReader::new(proxy.stderr.take().unwrap());
    let mut line = String::new();
    told.read_line(&mut line).unwrap();
    let (_, rest) = line.split_once("http://").expect("the line names the address");
    let address = rest.split('/').next().unwrap();
    let mut client = std::net::TcpStream::connect(address).unwrap();
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t\u202e"}}"#;
    let head = format!("POST / HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n");
    write!(client, "{head}Content-Length: {}\r\n\r\n{call}", call.len()).unwrap();
    let (mut served, _) = server.accept().unwrap();
    let mut request = Vec::new();
    while !request.ends_with(call.as_bytes()) {
        let mut octet = [0];
        served.read_exact(&mut octet).unwrap();
        request.extend(octet);
    }
    let answer = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    write!(served, "{head}Content-Length: {}\r\n\r\n{answer}", answer.len()).unwrap();
    let mut lines = BufReader::new(proxy.stdout.take().unwrap()).lines();
    let detail = lines.find_map(|line| {
        let line = line.unwrap();
        assert!(!line.contains('\u{202e}'), "nothing that a terminal obeys: {line}");
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        (line["kind"] == "response" && line["protocol"] == "mcp").then(|| line["detail"].clone())
    });
    assert_eq!(detail, Some("t\u{202e}".into()));
    squirrel_sys::signals::send(proxy.id(), 15).unwrap();
    let last = lines.map_while(Result::ok).last().expect("a summary");
    let last: serde_json::Value = serde_json::from_str(&last).unwrap();
    assert_eq!((&last["bytes_to_server"], &last["schema"]), (&call.len().into(), &1.into()));
    assert_eq!(proxy.wait().unwrap().code(), Some(0));
}

#[test]
fn what_cannot_be_proxied_is_refused() {
    let cases: [(&[&str], i32, &str); 4] = [
        (&["--to", "https://h/mcp"], 2, "only http://"),
        (&["--to", "nonsense"], 2, "http://127.0.0.1:3001/mcp"),
        (&["--to", "http://h/", "--listen", "0.0.0.0:0"], 2, "--allow-remote"),
        (&["--to", "http://h/", "--interval", "0s"], 2, "--interval"),
    ];
    for (args, code, word) in cases {
        let (status, out, err) = squirrel(&[&["mcp", "proxy"], args].concat());
        assert_eq!((status, out.as_str()), (code, ""), "{args:?}: {err}");
        assert!(err.contains(word), "{args:?} must mention {word:?}: {err}");
    }
}
