//! Logins: with iperf3 at either end, and with OpenSSL as the other RSA.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use squirrel_testkit::skip;
use squirrel_throughput::login::{Access, Credentials, Padding, Password, PrivateKey, PublicKey, USUAL_SKEW, Users};
use squirrel_throughput::protocol::{Cookie, Purpose};
use squirrel_throughput::{Event, Limits, Plan};

use crate::support::{Iperf3, Own, PASSWORD, iperf3, missing, plan, run, tcp};

/// A pair of keys and a list of users, made for one test.
struct Keys {
    folder: tempfile::TempDir,
}

/// `echo -n '{mario}rossi' | sha256sum`.
const USERS: &str = "# who may\nmario,bf7a49a846d44b454a5d11e7acfaf13d138bbe0b7483aa3e050879700572709b\n";

impl Keys {
    /// None without OpenSSL's program.
    fn make() -> Option<Self> {
        let keys = Self { folder: tempfile::tempdir().ok()? };
        std::fs::write(keys.path("users"), USERS).ok()?;
        keys.openssl(&["genrsa", "-out", &keys.path("private").display().to_string(), "2048"], b"")?;
        let private = keys.path("private").display().to_string();
        keys.openssl(&["rsa", "-in", &private, "-pubout", "-out", &keys.path("public").display().to_string()], b"")?;
        Some(keys)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn option(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("the key was written")
    }

    /// What OpenSSL makes of octets; none if it is not there or fails.
    fn openssl(&self, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
        let mut process = Command::new("openssl")
            .current_dir(self.folder.path())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        process.stdin.take()?.write_all(input).ok()?;
        let output = process.wait_with_output().ok()?;
        output.status.success().then_some(output.stdout)
    }

    fn access(&self) -> Access {
        let key = PrivateKey::from_pem(&self.text("private")).expect("a key");
        Access { key, users: Users::parse(USERS).expect("users"), skew: USUAL_SKEW }
    }

    fn login(&self, password: &str, padding: Padding) -> Credentials {
        let key = PublicKey::from_pem(&self.text("public")).expect("a key");
        Credentials { username: "mario".into(), password: Password::new(password), key, padding }
    }
}

#[test]
fn clients_of_iperf3_log_in() {
    let keys = match (missing(), Keys::make()) {
        (None, Some(keys)) => keys,
        (reason, _) => return skip("clients_of_iperf3_log_in", reason.unwrap_or("openssl is not installed")),
    };
    let server = Own::serve_on("127.0.0.1:0", Limits::default(), Some(keys.access()));
    let run = |user: &[&str]| iperf3(server.address, &[&["-n", "1M"], user].concat());
    let key = keys.option("public");
    let document = run(&["--username", "mario", "--rsa-public-key-path", &key]);
    assert_eq!(document.get("error"), None, "{document}");
    assert!(document["end"]["sum_received"]["bytes"].as_u64().is_some_and(|octets| octets == 1 << 20), "{document}");
    let began = squirrel_sys::clock::now();
    for user in [&["--username", "luigi", "--rsa-public-key-path", &key][..], &[]] {
        let error = run(user)["error"].as_str().unwrap_or_default().to_owned();
        assert!(error.contains("authorization failed"), "{user:?}: {error}");
    }
    assert!(began.elapsed().as_secs() >= 2, "each refusal comes a second after the login");
    let events = server.end();
    let why: Vec<String> = events
        .iter()
        .filter_map(|event| match event {
            Event::Failed { error, .. } => Some(error.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(why, ["refused: its name or password is wrong", "refused: it did not log in"]);
    assert!(!format!("{events:?}").contains(PASSWORD));
}

#[test]
fn servers_of_iperf3_let_in_who_logs_in() {
    let keys = match (missing(), Keys::make()) {
        (None, Some(keys)) => keys,
        (reason, _) => {
            return skip("servers_of_iperf3_let_in_who_logs_in", reason.unwrap_or("openssl is not installed"));
        }
    };
    let (private, users) = (keys.option("private"), keys.option("users"));
    let asked = |login: Option<Credentials>| {
        let server = Iperf3::serve_with(&["--rsa-private-key-path", &private, "--authorized-users-path", &users]);
        run(Plan { login, ..plan(server.port, tcp()) })
    };
    // Debian's iperf3 is of before 3.17, and knows the older padding alone.
    let report = asked(Some(keys.login(PASSWORD, Padding::Pkcs1))).expect("it is let in");
    assert_eq!((report.error.as_deref(), report.start.parameters.authtoken), (None, None));
    let wrong = [keys.login("wrong", Padding::Pkcs1), keys.login(PASSWORD, Padding::Oaep)].map(Some);
    for login in [None].into_iter().chain(wrong) {
        let text = asked(login).expect_err("it is not let in").to_string();
        assert!(text.contains("a user name and a password") && text.contains("--use-pkcs1-padding"), "{text}");
    }
}

#[test]
fn openssl_reads_and_writes_the_same_logins() {
    let Some(keys) = Keys::make() else {
        return skip("openssl_reads_and_writes_the_same_logins", "openssl is not installed");
    };
    for (padding, mode) in [(Padding::Oaep, "rsa_padding_mode:oaep"), (Padding::Pkcs1, "rsa_padding_mode:pkcs1")] {
        let token = sent_token(keys.login(PASSWORD, padding));
        let octets = keys.openssl(&["base64", "-d", "-A"], token.as_bytes()).expect("it is Base64");
        let decrypt = ["pkeyutl", "-decrypt", "-inkey", "private", "-pkeyopt", mode];
        let text = keys.openssl(&decrypt, &octets).expect("it can be decrypted");
        let text = String::from_utf8(text).expect("it is text");
        assert!(text.starts_with("user: mario\npwd:  rossi\nts:   "), "{mode}");

        let encrypt = ["pkeyutl", "-encrypt", "-pubin", "-inkey", "public", "-pkeyopt", mode];
        let octets = keys.openssl(&encrypt, text.as_bytes()).expect("it can be encrypted");
        let token = keys.openssl(&["base64", "-A"], &octets).expect("it becomes Base64");
        let server = Own::serve_on("127.0.0.1:0", Limits::default(), Some(keys.access()));
        let answer = answer_to(server.address, String::from_utf8(token).expect("it is text").trim());
        assert_eq!(answer, [9, 10], "{mode}: the streams are asked for");
    }
}

/// The login that a client sends.
fn sent_token(login: Credentials) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it listens").port();
    let client = std::thread::spawn(move || run(Plan { login: Some(login), ..plan(port, tcp()) }).is_err());
    let (mut stream, _) = listener.accept().expect("the client comes");
    stream.read_exact(&mut [0; Cookie::LEN]).expect("a cookie");
    stream.write_all(&[9]).expect("it listens");
    let mut len = [0; 4];
    stream.read_exact(&mut len).expect("a length");
    let mut octets = vec![0; u32::from_be_bytes(len) as usize];
    stream.read_exact(&mut octets).expect("the parameters");
    drop(stream);
    assert!(client.join().expect("it ends well"), "there was no run");
    let document: Value = serde_json::from_slice(&octets).expect("JSON");
    document["authtoken"].as_str().expect("a login").to_owned()
}

/// What a server says first to one who presents a login.
fn answer_to(server: std::net::SocketAddr, token: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(server).expect("it listens");
    stream.write_all(&Cookie::new([3; 36]).octets(Purpose::Run)).expect("it listens");
    let wanted = serde_json::json!({ "tcp": true, "time": 1, "parallel": 1, "len": 1000, "authtoken": token });
    let text = wanted.to_string();
    stream.write_all(&u32::try_from(text.len()).expect("it is short").to_be_bytes()).expect("it listens");
    stream.write_all(text.as_bytes()).expect("it listens");
    let mut answer = vec![0; 2];
    stream.read_exact(&mut answer).expect("an answer");
    answer
}
