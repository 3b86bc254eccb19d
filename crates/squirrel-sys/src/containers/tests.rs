//! Names from made-up folders of runtimes, some of them made to mislead.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use proptest::prelude::*;

use super::*;

fn id(digit: char) -> ContainerId {
    ContainerId::parse(&digit.to_string().repeat(64)).unwrap()
}

fn put(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn an_id_is_64_hexadecimal_digits_and_nothing_else() {
    let text = "0123456789abcdef".repeat(4);
    assert_eq!(ContainerId::parse(&text).map(|id| id.to_string()), Some(text.clone()));
    assert_eq!(ContainerId::parse(&text.to_uppercase()), ContainerId::parse(&text));
    for wrong in ["", "ab", "..", &text[1..], &format!("{text}0"), &format!("../{}", &text[3..]), &"é".repeat(32)] {
        assert_eq!(ContainerId::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn each_runtime_has_its_place_for_names() {
    let root = tempfile::tempdir().unwrap();
    let docker = r#"{"StreamConfig":{},"Config":{"Hostname":"evil","Env":["A=\"Name\":\"/evil\""],"Labels":{"Name":"/evil"}},
        "MountPoints":{"/data":{"Name":"/evil"}},"Name":"/web","Driver":"overlay2"}"#;
    put(root.path(), &format!("var/lib/docker/containers/{}/config.v2.json", id('a')), docker);
    let podman = format!(
        r#"[{{"id":"{}","names":["other"],"flags":{{"id":"x"}}}}, {{"id": "{}", "names": ["db", "second"], "image": "i"}}]"#,
        id('c'),
        id('b')
    );
    put(root.path(), "var/lib/containers/storage/overlay-containers/containers.json", &podman);
    put(root.path(), &format!("var/log/containers/shop-7d9f_prod_api-{}.log", id('d')), "");
    put(root.path(), "var/log/containers/nonsense.log", "");
    let files = ContainerFiles::below(root.path());
    for (runtime, digit, name) in [
        (Runtime::Docker, 'a', Some("web")),
        (Runtime::Podman, 'b', Some("db")),
        (Runtime::Podman, 'c', Some("other")),
        (Runtime::Kubernetes, 'd', Some("prod/shop-7d9f/api")),
        (Runtime::Any, 'a', Some("web")),
        (Runtime::Any, 'b', Some("db")),
        (Runtime::Any, 'd', Some("prod/shop-7d9f/api")),
        (Runtime::Docker, 'b', None),
        (Runtime::Podman, 'a', None),
        (Runtime::Kubernetes, 'a', None),
        (Runtime::Any, 'e', None),
    ] {
        assert_eq!(files.name(runtime, id(digit)).unwrap().as_deref(), name, "{runtime:?} {digit}");
    }
    let elsewhere = ContainerFiles::below(root.path().join("nothing"));
    assert_eq!(elsewhere.name(Runtime::Any, id('a')).unwrap(), None, "a host without runtimes");
}

#[test]
fn no_link_below_a_runtimes_folder_is_followed_and_nothing_but_a_file_is_opened() {
    let root = tempfile::tempdir().unwrap();
    let secret = r#"{"Name":"/secret"}"#;
    put(root.path(), "etc/config.v2.json", secret);
    let containers = root.path().join("data/containers");
    std::fs::create_dir_all(&containers).unwrap();
    std::fs::create_dir_all(root.path().join("var/lib")).unwrap();
    // The administrator's own link to another disk.
    symlink(root.path().join("data"), root.path().join("var/lib/docker")).unwrap();
    put(&containers, &format!("{}/config.v2.json", id('a')), r#"{"Name":"/web"}"#);
    symlink(root.path().join("etc"), containers.join(id('b').to_string())).unwrap();
    std::fs::create_dir(containers.join(id('c').to_string())).unwrap();
    symlink(root.path().join("etc/config.v2.json"), containers.join(format!("{}/config.v2.json", id('c')))).unwrap();
    std::fs::create_dir_all(containers.join(format!("{}/config.v2.json", id('d')))).unwrap();
    std::fs::create_dir(containers.join(id('e').to_string())).unwrap();
    // Whose path is too long to be bound where it shall be.
    let _socket = UnixListener::bind(root.path().join("s")).unwrap();
    std::fs::rename(root.path().join("s"), containers.join(format!("{}/config.v2.json", id('e')))).unwrap();
    let files = ContainerFiles::below(root.path());
    assert_eq!(files.name(Runtime::Docker, id('a')).unwrap().as_deref(), Some("web"));
    for digit in ['b', 'c', 'd', 'e'] {
        assert!(files.name(Runtime::Docker, id(digit)).is_err(), "{digit}");
        assert!(files.name(Runtime::Any, id(digit)).is_err(), "{digit}: a failure is not nothing");
    }
}

#[test]
fn a_name_has_an_end_and_a_file_that_is_too_long_is_no_description() {
    let root = tempfile::tempdir().unwrap();
    let files = ContainerFiles::below(root.path());
    let file = |digit| format!("var/lib/docker/containers/{}/config.v2.json", id(digit));
    put(root.path(), &file('a'), &format!(r#"{{"Name":"/x{}"}}"#, "é".repeat(200)));
    let name = files.name(Runtime::Docker, id('a')).unwrap().unwrap();
    assert_eq!((name.len(), name.chars().last()), (LONGEST, Some('é')));
    let padding = " ".repeat(usize::try_from(MOST).unwrap());
    put(root.path(), &file('b'), &format!(r#"{{{padding}"Name":"/late"}}"#));
    assert_eq!(files.name(Runtime::Docker, id('b')).unwrap(), None);
    put(root.path(), &file('c'), r#"{"Name":"/"}"#);
    assert_eq!(files.name(Runtime::Docker, id('c')).unwrap(), None, "an empty name is none");
}

#[test]
fn a_document_that_breaks_off_gives_what_stands_before() {
    let whole = br#"{"a":"1","l":["x","y"],"o":{"b":2,"c":"\"q\\"},"z":null}"#;
    let fields: Vec<json::Field> = json::Fields::of(whole).collect();
    let shown: Vec<_> = fields.iter().map(|field| (field.depth, &*field.key, field.text.as_deref())).collect();
    let expected = [
        (1, "a", Some("1")),
        (1, "l", Some("x")),
        (1, "o", None),
        (2, "b", None),
        (2, "c", Some("\"q\\")),
        (1, "z", None),
    ];
    assert_eq!(shown, expected);
    for end in 0..whole.len() {
        let cut: Vec<json::Field> = json::Fields::of(&whole[..end]).collect();
        assert!(fields.starts_with(&cut) || cut.len() <= fields.len(), "{end}");
    }
}

proptest! {
    #[test]
    fn any_octets_are_survived(document in any::<Vec<u8>>(), link in any::<String>()) {
        let _ = (docker_name(&document), podman_name(&document, id('a')), kubernetes_name(&link, id('a')));
    }
}
