//! What the tables mean, and what is said of mistakes in them.

use super::*;
use crate::config::Config;

const HUB: &str = "[[remote_write]]\nname = \"hub\"\nurl = \"https://hub.example/write\"\n";

fn complaint(text: &str) -> String {
    let environment = crate::config::Environment { root: true, ..Default::default() };
    let file = match super::super::file::File::parse(text) {
        Ok(file) => file,
        Err(error) => return format!("{error:#}"),
    };
    let config = Config::resolve(file, None, &super::super::Flags::default(), &environment);
    match config.map(|config| config.remote.open()) {
        Ok(opened) => format!("{:#}", opened.expect_err("the text must be refused")),
        Err(error) => format!("{error:#}"),
    }
}

#[test]
fn a_table_becomes_a_target() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "sesame\n").unwrap();
    let text = format!(
        "{HUB}bearer_token_file = {token:?}\ntenant = \"t\"\ninterval = \"10s\"\nmax = true\nversion = \"1.0\"\n\
         external_labels = {{ site = \"north\" }}\nbackfill = \"1d\"\nflush = \"2s\"\nshards = 9\n\
         [[remote_write.relabel]]\naction = \"drop\"\nsource_labels = [\"__name__\"]\nregex = \"go_.*\"\n\
         [[receive]]\nname = \"oak\"\nbearer_token_file = {token:?}\nmax_series = 5\n\
         [[otlp]]\nname = \"c\"\nurl = \"http://127.0.0.1:4318/v1/metrics\"\n"
    );
    let config = Config::of_text(&text);
    let parts = config.remote.open().unwrap();
    let [Printed { what: target, .. }] = &parts.writes[..] else { panic!("{parts:?}") };
    assert_eq!((target.version, target.shards, target.flush_ms), (Some(Version::V1), 9, 2_000));
    assert_eq!(target.thin, Some(Thin { step_ms: 10_000, max: true }));
    assert_eq!((target.backfill_ms, target.relabelling.rules.len()), (86_400_000, 1));
    assert_eq!((parts.senders[0].what.series, parts.otlp[0].what.interval_ms), (5, 60_000));
    assert!(!format!("{parts:?}").contains("sesame"));
    assert_eq!(config.remote.lines()[0], ("remote_write", "hub".to_owned(), "https://hub.example".to_owned()));
}

#[test]
fn a_change_of_a_table_or_of_the_secret_in_its_file_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    let prints = |secret: &str, more: &str| {
        std::fs::write(&token, secret).unwrap();
        let text = format!(
            "{HUB}bearer_token_file = {token:?}\n{more}\n[[receive]]\nname = \"oak\"\nbearer_token_file = {token:?}\n"
        );
        let parts = Config::of_text(&text).remote.open().unwrap();
        (parts.writes[0].print, parts.senders[0].print)
    };
    let before = prints("sesame", "");
    assert_eq!(prints("sesame", ""), before);
    let (write, receive) = prints("another", "");
    assert!(write != before.0 && receive != before.1, "a new secret");
    let (write, receive) = prints("sesame", "shards = 7");
    assert!(write != before.0 && receive == before.1, "a new setting of one of them");
}

#[test]
fn mistakes_name_their_table_and_key() {
    for (text, words) in [
        ("[[remote_write]]\nname = \"hub\"".to_owned(), &["url"][..]),
        (format!("{HUB}urll = 1"), &["line 4", "urll"]),
        (format!("{HUB}version = \"3.0\""), &["line 4", "1.0", "2.0"]),
        (format!("{HUB}max = true"), &["[[remote_write]] hub", "max needs interval"]),
        (format!("{HUB}{HUB}"), &["two tables [[remote_write]]", "hub"]),
        ("[[remote_write]]\nname = \"a/b\"\nurl = \"http://a\"".to_owned(), &["name", "a/b"]),
        (
            "[[remote_write]]\nname = \"a\"\nurl = \"http://u:sesame@a\"".to_owned(),
            &["[[remote_write]] a", "url", "no password"],
        ),
        (
            format!("{HUB}[[remote_write.relabel]]\nregex = \"(\"\ntarget_label = \"a\""),
            &["hub", "rule 1 of relabel", "unclosed"],
        ),
        (format!("{HUB}external_labels = {{ \"a-b\" = \"c\" }}"), &["external_labels", "a-b"]),
        (format!("{HUB}bearer_token_file = \"/nonexistent/token\""), &["bearer_token_file", "/nonexistent/token"]),
        (format!("{HUB}username = \"a\""), &["username needs password_file"]),
        (format!("{HUB}tls = {{ ca_file = \"/nonexistent/ca\" }}"), &["tls", "ca_file", "/nonexistent/ca"]),
        (format!("{HUB}tls = {{ cert_file = \"/a\" }}"), &["cert_file and key_file"]),
        ("[[receive]]\nname = \"oak\"".to_owned(), &["[[receive]] oak", "bearer_token_file"]),
        ("[[otlp]]\nname = \"c\"\nurl = \"udp://a\"".to_owned(), &["[[otlp]] c", "http"]),
    ] {
        let said = complaint(&text);
        for word in words {
            assert!(said.contains(word), "{text:?} must mention {word:?}, but says: {said}");
        }
        assert!(!said.contains("sesame"), "{said}");
    }
}
