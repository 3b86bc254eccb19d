//! Names of containers, through both ends.

use std::os::unix::fs::symlink;
use std::path::Path;

use squirrel_sys::containers::ContainerFiles;

use super::*;

fn id(octet: u8) -> ContainerId {
    ContainerId([octet; 32])
}

fn put(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A keeper of a host whose files stand below this folder.
fn keeper_below(root: &Path) -> Keeper {
    let host = Host::open(Err("locked down".to_owned())).unwrap();
    kept(host.with_containers(ContainerFiles::below(root))).0
}

#[test]
fn the_name_of_a_container_comes_through_the_keeper_and_nothing_else_of_its_file() {
    let root = tempfile::tempdir().unwrap();
    let docker = r#"{"Config":{"Env":["PASSWORD=hunter2"]},"Name":"/web"}"#;
    put(root.path(), &format!("var/lib/docker/containers/{}/config.v2.json", id(1)), docker);
    let podman = format!(r#"[{{"id":"{}","names":["db"]}}]"#, id(2));
    put(root.path(), "var/lib/containers/storage/overlay-containers/containers.json", &podman);
    put(root.path(), &format!("var/log/containers/shop_prod_api-{}.log", id(3)), "");
    let keeper = keeper_below(root.path());
    for (runtime, octet, name) in [
        (Runtime::Docker, 1, Some("web")),
        (Runtime::Podman, 2, Some("db")),
        (Runtime::Kubernetes, 3, Some("prod/shop/api")),
        (Runtime::Any, 2, Some("db")),
        (Runtime::Docker, 2, None),
        (Runtime::Any, 4, None),
    ] {
        assert_eq!(keeper.container(runtime, id(octet)).unwrap().as_deref(), name, "{runtime:?} {octet}");
    }
}

#[test]
fn a_name_is_as_hostile_as_it_was_and_as_long_as_it_may_be() {
    let root = tempfile::tempdir().unwrap();
    let file = |octet| format!("var/lib/docker/containers/{}/config.v2.json", id(octet));
    put(root.path(), &file(1), "{\"Name\":\"/\u{1b}[31m\u{202e}\\\"\"}");
    put(root.path(), &file(2), &format!(r#"{{"Name":"/{}"}}"#, "x".repeat(1 << 20)));
    let keeper = keeper_below(root.path());
    assert_eq!(keeper.container(Runtime::Docker, id(1)).unwrap().as_deref(), Some("\u{1b}[31m\u{202e}\""));
    assert_eq!(keeper.container(Runtime::Docker, id(2)).unwrap().map(|name| name.len()), Some(253));
}

#[test]
fn a_link_out_of_the_folder_is_refused_and_the_next_question_is_answered() {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), "etc/config.v2.json", r#"{"Name":"/secret"}"#);
    let containers = root.path().join("var/lib/docker/containers");
    std::fs::create_dir_all(&containers).unwrap();
    symlink(root.path().join("etc"), containers.join(id(1).to_string())).unwrap();
    put(root.path(), &format!("var/lib/docker/containers/{}/config.v2.json", id(2)), r#"{"Name":"/web"}"#);
    let keeper = keeper_below(root.path());
    let error = keeper.container(Runtime::Docker, id(1)).unwrap_err().to_string();
    assert!(error.contains("config.v2.json") && !error.contains("secret"), "{error}");
    assert_eq!(keeper.container(Runtime::Docker, id(2)).unwrap().as_deref(), Some("web"));
}

#[test]
fn a_process_that_has_no_files_of_containers_says_so() {
    struct Nothing;
    impl Services for Nothing {}
    let error = kept(Nothing).0.container(Runtime::Any, id(1)).unwrap_err().to_string();
    assert!(error.contains("container 0101"), "{error}");
}
