//! What is written, what it means, and what is said of mistakes.

use super::*;

fn environment() -> Environment {
    Environment { root: true, ..Environment::default() }
}

fn resolve(text: &str) -> anyhow::Result<Config> {
    Config::resolve(file::File::parse(text)?, Some(PathBuf::from("squirrel.toml")), &Flags::default(), &environment())
}

fn complaint(text: &str) -> String {
    format!("{:#}", resolve(text).expect_err("the text must be refused"))
}

#[test]
fn an_empty_file_is_all_defaults() {
    let config = resolve("").unwrap();
    assert_eq!(config.listen.value, default_listen());
    assert_eq!(config.directory.value, PathBuf::from("/var/lib/squirrel"));
    assert_eq!(config.interval, Sourced { value: Duration::from_secs(1), origin: Origin::Default });
}

#[test]
fn the_sample_says_the_defaults() {
    let uncommented: String = sample().lines().map(|line| uncomment(line) + "\n").collect();
    let config = resolve(&uncommented).unwrap();
    let defaults = resolve("").unwrap();
    assert_eq!(config.listen.value, defaults.listen.value);
    assert_eq!(config.directory.value, defaults.directory.value);
    assert_eq!(config.retention.value, defaults.retention.value);
    assert_eq!(config.sync.value, defaults.sync.value);
    assert_eq!((config.engine.kind.value, config.engine.kind.origin), (defaults.engine.kind.value, Origin::File));
    assert_eq!(config.engine.url, Sourced { value: String::new(), origin: Origin::File });
    for (written, default) in config.retention_coarse.iter().zip(&defaults.retention_coarse) {
        assert_eq!((written.value, written.origin), (default.value, Origin::File));
    }
    for (written, default) in config.max_size.iter().zip(&defaults.max_size) {
        assert_eq!((written.value, written.origin), (default.value, Origin::File));
    }
    assert_eq!(config.interval.value, defaults.interval.value);
    assert_eq!(config.log.value, defaults.log.value);
    assert_eq!(config.accounting.value, defaults.accounting.value);
    assert_eq!(config.connections.value, defaults.connections.value);
    assert_eq!(config.memory.value, defaults.memory.value);
    assert_eq!(config.memory.origin, Origin::File);
    assert_eq!(config.interval.origin, Origin::File, "each setting stands in the sample");
    assert_eq!(config.hosts.origin, Origin::File);
    assert_eq!(config.disabled.origin, Origin::File);
    assert_eq!(config.allow_remote.origin, Origin::File);
    assert_eq!(config.applications.limits(), defaults.applications.limits());
    assert_eq!(config.applications.token_file, Sourced { value: None, origin: Origin::File });
    assert_eq!(config.applications.max_series_total.origin, Origin::File);
    // How many at one time is by processors.
    let usual = |config: &Config| squirrel_server::Limits { queries: 4, ..config.query.limits() };
    assert_eq!((usual(&config), config.query.limits().queries), (usual(&defaults), 4));
    assert_eq!((config.query.max_waiting.origin, config.query.timeout.origin), (Origin::File, Origin::File));
    resolve(&sample()).expect("the sample is valid as printed");
}

/// Takes the `#` from a line that is a setting.
fn uncomment(line: &str) -> String {
    match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with(' ') => rest.to_owned(),
        _ => line.to_owned(),
    }
}

#[test]
fn flags_win_over_the_file() {
    let flags = Flags { listen: vec!["127.0.0.1:9".parse().unwrap()], ..Flags::default() };
    let file = file::File::parse("[server]\nlisten = [\"127.0.0.1:8\"]").unwrap();
    let config = Config::resolve(file, None, &flags, &environment()).unwrap();
    assert_eq!(config.listen, Sourced { value: flags.listen, origin: Origin::Flag });
}

#[test]
fn mistakes_are_shown_with_their_place() {
    for (text, words) in [
        ("[server]\nlisen = []", &["line 2", "lisen", "listen"][..]),
        ("[sevrer]\n", &["sevrer", "server"]),
        ("[collect]\ninterval = 1", &["line 2", "interval"]),
        ("[collect]\ninterval = \"0s\"", &["line 2", "1s to 1h"]),
        ("[collect]\ninterval = \"1500ms\"", &["whole seconds"]),
        ("[store]\nretention = \"5m\"", &["line 2", "shorter than an hour"]),
        ("[store]\nretention = \"99999999999999y\"", &["line 2"]),
        ("[store]\nretention_hours = \"5\"", &["line 2"]),
        ("[store]\nmax_size = \"5\"", &["line 2", "20GiB"]),
        ("[store]\nmax_size_hours = \"5kB\"", &["line 2", "megabyte", "none"]),
        ("[store]\nmax_size = \"99999999999TiB\"", &["line 2"]),
        ("[store]\nsync = \"sometimes\"", &["line 2", "tick", "never"]),
        ("[store]\nengine = \"mimir\"", &["line 2", "embedded", "prometheus"]),
        ("[store]\nengine = \"prometheus\"", &["needs its url"]),
        ("[store]\nurl = \"http://x\"", &["engine = \"prometheus\""]),
        ("[store]\nengine = \"prometheus\"\nurl = \"x\"", &["url under [store]", "https://"]),
        (
            "[store]\nengine = \"prometheus\"\nurl = \"http://x\"\n[store.access]\nuser = \"a\"",
            &["[store.access]", "password_file"],
        ),
        ("[store.access]\npasword_file = \"a\"", &["line 2", "password_file"]),
        ("[collect]\ndisabled = [\"netdve\"]", &["netdve", "interfaces"]),
        ("[server]\nlisten = [\"0.0.0.0:7775\"]", &["0.0.0.0:7775", "allow_remote"]),
        ("[server]\nlisten = []", &["listen", "at least one"]),
        ("[server]\nhosts = [\"http://x/\"]", &["hosts", "http://x/"]),
        ("[applications]\nmax_series = 0", &["line 2", "1 to 1000000"]),
        ("[applications]\nmax_serie = 5", &["line 2", "max_series"]),
        ("[server", &["line 1"]),
        ("[accounting]\nlevel = \"on\"", &["line 2", "sockets", "packets", "off"]),
        ("[accounting]\nmemory = \"1MiB\"", &["line 2", "16MiB"]),
        ("[accounting]\nmemory = \"99999999999999999999GiB\"", &["line 2", "256MiB"]),
        ("[query]\nmax_concurrency = 65", &["max_concurrency under [query]", "1 to 64"]),
        ("[query]\nmax_samples = 1", &["max_samples under [query]", "10000"]),
        ("[query]\nmax_answer_samples = 1", &["max_answer_samples under [query]", "10000"]),
        ("[query]\nmax_memory = \"1kB\"", &["line 2", "16MiB"]),
        ("[query]\nmax_point = 1", &["line 2", "max_point"]),
        ("[accounting]\nconnections = 1", &["connections", "100 to 10000000"]),
    ] {
        let said = complaint(text);
        for word in words {
            assert!(said.contains(word), "{text:?} must mention {word:?}, but says: {said}");
        }
    }
}

#[test]
fn without_root_and_home_the_directory_must_be_named() {
    let error = Config::resolve(file::File::default(), None, &Flags::default(), &Environment::default()).unwrap_err();
    assert!(error.to_string().contains("--data-dir"), "{error}");
    let home = Environment { home: Some("/users/u".into()), ..Environment::default() };
    let config = Config::resolve(file::File::default(), None, &Flags::default(), &home).unwrap();
    assert_eq!(config.directory.value, PathBuf::from("/users/u/.local/state/squirrel"));
}

#[test]
fn a_size_is_shown_as_it_can_be_written() {
    for text in ["none", "20GiB", "500MB", "1TB", "1025KiB", "1000001B"] {
        let config = resolve(&format!("[store]\nmax_size = {text:?}")).unwrap();
        assert_eq!(config.max_size[0].value.to_string(), text);
    }
}
