//! Names from made-up folders of runtimes.

use std::path::Path;

use proptest::prelude::*;

use super::*;

fn id(digit: char) -> String {
    digit.to_string().repeat(64)
}

fn container(runtime: &'static str, digit: char) -> Container {
    Container { runtime, name: id(digit)[..12].to_owned(), id: id(digit) }
}

fn put(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, text).expect("written");
}

fn named(names: &mut ContainerNames, runtime: &'static str, digit: char, second: u64) -> String {
    let mut container = container(runtime, digit);
    names.name(&mut container, Duration::from_secs(second));
    container.name
}

#[test]
fn each_runtime_has_its_place_for_names() {
    let root = tempfile::tempdir().expect("a folder");
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
    let mut names = ContainerNames::new(Some(ContainerFiles::below(root.path())));
    for (runtime, digit, name) in [
        ("docker", 'a', "web"),
        ("podman", 'b', "db"),
        ("podman", 'c', "other"),
        ("kubernetes", 'd', "prod/shop-7d9f/api"),
        ("container", 'b', "db"),
        ("containerd", 'd', "prod/shop-7d9f/api"),
        ("docker", 'e', "eeeeeeeeeeee"),
        ("podman", 'e', "eeeeeeeeeeee"),
        ("kubernetes", 'e', "eeeeeeeeeeee"),
    ] {
        assert_eq!(named(&mut names, runtime, digit, 1), name, "{runtime}");
    }
    let mut lxc = Container { runtime: "lxc", name: "guest".into(), id: "guest".into() };
    names.name(&mut lxc, Duration::ZERO);
    assert_eq!(lxc.name, "guest", "the path has it");
}

#[test]
fn a_name_that_is_written_late_is_found_and_one_that_was_found_is_kept() {
    let root = tempfile::tempdir().expect("a folder");
    let mut names = ContainerNames::new(Some(ContainerFiles::below(root.path())));
    assert_eq!(named(&mut names, "docker", 'a', 1), "aaaaaaaaaaaa");
    let file = format!("var/lib/docker/containers/{}/config.v2.json", id('a'));
    put(root.path(), &file, r#"{"Name":"/late"}"#);
    assert_eq!(named(&mut names, "docker", 'a', 2), "aaaaaaaaaaaa", "not looked for each time");
    assert_eq!(named(&mut names, "docker", 'a', 40), "late");
    std::fs::remove_file(root.path().join(file)).expect("removed");
    assert_eq!(named(&mut names, "docker", 'a', 400), "late");
    assert_eq!(named(&mut ContainerNames::default(), "docker", 'a', 1), "aaaaaaaaaaaa", "without files");
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
    fn any_octets_are_survived(document in any::<Vec<u8>>()) {
        json::Fields::of(&document).count();
    }
}
