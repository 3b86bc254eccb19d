//! Mails to a real server, with STARTTLS and with TLS from the first octet, and a password.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use squirrel_channels::State;
use squirrel_notify::Reason;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::support::{message, start, until};

const PYTHON: &str = "/usr/bin/python3";
/// The server: Debian's aiosmtpd, which writes each mail to a file and says the port it got.
const SERVER: &str = include_str!("mail_server.py");

/// A mail server with a certificate of its own, and the folder where mails arrive.
struct Server {
    _child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Server {
    async fn start(mode: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("cert.pem"), certificate.cert.pem()).unwrap();
        std::fs::write(path("key.pem"), certificate.signing_key.serialize_pem()).unwrap();
        let mut child = Command::new(PYTHON)
            .args(["-c", SERVER, mode])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // It tells each failed handshake at length.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next_line().await.unwrap().unwrap().parse().unwrap();
        Self { _child: child, port, folder }
    }

    fn table(&self, tls: &str, password: &str) -> String {
        format!(
            "[[email]]\nname = \"mail\"\nhost = \"localhost\"\nport = {}\ntls = \"{tls}\"\nca_file = \"{}\"\n\
             username = \"squirrel\"\npassword = \"{password}\"\nfrom = \"Squirrel <squirrel@example.org>\"\n\
             to = [\"admin@example.org\", \"Second <second@example.org>\"]\n",
            self.port,
            self.folder.path().join("cert.pem").display()
        )
    }

    /// Mails in the order in which they came.
    fn mails(&self) -> Vec<String> {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "eml"))
            .collect();
        paths.sort();
        paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }
}

fn is_missing() -> bool {
    !Path::new("/usr/lib/python3/dist-packages/aiosmtpd").exists()
}

const MISSING: &str = "python3-aiosmtpd is not installed";

fn header<'a>(mail: &'a str, name: &str) -> Vec<&'a str> {
    let head = mail.split("\n\n").next().unwrap();
    head.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
}

#[tokio::test]
async fn mails_arrive_by_tls_in_one_thread_with_a_picture() {
    if is_missing() {
        squirrel_testkit::skip("mails_arrive_by_tls_in_one_thread_with_a_picture", MISSING);
        return;
    }
    for tls in ["starttls", "implicit"] {
        let server = Server::start(tls).await;
        let channels = start(&server.table(tls, "sesame"));
        channels.tell(vec![message(1, "mail", "g", Reason::New)]).await;
        until(&channels, |delivery| delivery.state == State::Delivered).await;
        channels.tell(vec![message(2, "mail", "g", Reason::Resolved)]).await;
        let delivery = until(&channels, |d| d.reason == Reason::Resolved && d.state == State::Delivered).await;
        assert!(delivery.answer.as_deref().unwrap().starts_with("250 "), "{delivery:?}");
        let mails = server.mails();
        assert_eq!(mails.len(), 2);
        assert_eq!(header(&mails[0], "X-Peer-Tls"), ["yes"]);
        assert_eq!(header(&mails[0], "X-Rcpt"), ["admin@example.org,second@example.org"]);
        assert_eq!(header(&mails[0], "References"), header(&mails[1], "References"));
        assert_eq!(header(&mails[0], "References"), header(&mails[1], "In-Reply-To"));
        assert_ne!(header(&mails[0], "Message-ID"), header(&mails[1], "Message-ID"));
        assert_eq!(header(&mails[0], "Auto-Submitted"), ["auto-generated"]);
        for part in ["multipart/alternative", "text/plain", "text/html", "multipart/related", "image/png"] {
            assert!(mails[0].contains(part), "{part}\n{}", mails[0]);
        }
        assert!(mails[0].contains("Content-ID: <chart@squirrel>"), "{}", mails[0]);
        channels.stop().await;
    }
}

#[tokio::test]
async fn a_wrong_password_or_an_unknown_certificate_is_said_and_shown_nowhere() {
    if is_missing() {
        squirrel_testkit::skip("a_wrong_password_or_an_unknown_certificate_is_said_and_shown_nowhere", MISSING);
        return;
    }
    let server = Server::start("starttls").await;
    let channels = start(&server.table("starttls", "oseaname"));
    channels.tell(vec![message(1, "mail", "g", Reason::New)]).await;
    let delivery = until(&channels, |delivery| delivery.attempts >= 1).await;
    let answer = delivery.answer.unwrap();
    assert!(answer.contains("535") && !answer.contains("oseaname"), "{answer}");
    channels.stop().await;

    let text = server.table("starttls", "sesame");
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("ca_file")).collect();
    let channels = start(&lines.join("\n"));
    channels.tell(vec![message(1, "mail", "g", Reason::New)]).await;
    let answer = until(&channels, |delivery| delivery.attempts >= 1).await.answer.unwrap();
    assert!(answer.to_lowercase().contains("certificate"), "{answer}");
    assert!(server.mails().is_empty());
    channels.stop().await;
}
