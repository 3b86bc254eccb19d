//! Names from made-up folders of runtimes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use squirrel_sys::SysError;
use squirrel_sys::containers::ContainerFiles;

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

/// Those that a host has whose files stand below this folder.
fn names_below(root: &Path) -> ContainerNames {
    let files = ContainerFiles::below(root);
    ContainerNames::new(Some(Box::new(move |runtime, id| files.name(runtime, id))))
}

#[test]
fn the_runtime_that_the_path_tells_is_asked_and_all_when_it_tells_none() {
    let names = |runtime| {
        let look_up = |runtime, id: ContainerId| Ok(Some(format!("{runtime:?} {}", id.0[0])));
        let mut names = ContainerNames::new(Some(Box::new(look_up)));
        named(&mut names, runtime, 'a', 1)
    };
    for (runtime, name) in [
        ("docker", "Docker 170"),
        ("podman", "Podman 170"),
        ("kubernetes", "Kubernetes 170"),
        ("container", "Any 170"),
        ("containerd", "Any 170"),
    ] {
        assert_eq!(names(runtime), name);
    }
    let mut names = ContainerNames::new(Some(Box::new(|_, _| Ok(Some("asked".to_owned())))));
    let mut lxc = Container { runtime: "lxc", name: "guest".into(), id: "guest".into() };
    names.name(&mut lxc, Duration::ZERO);
    assert_eq!(lxc.name, "guest", "the path has it");
}

#[test]
fn a_container_of_which_nothing_can_be_learned_keeps_its_short_id_and_is_not_asked_for_each_time() {
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    let mut names = ContainerNames::new(Some(Box::new(move |_, _| {
        count.fetch_add(1, Ordering::Relaxed);
        Err(SysError::new("read", "x", std::io::ErrorKind::PermissionDenied.into()))
    })));
    for second in 0..30 {
        assert_eq!(named(&mut names, "docker", 'a', second), "aaaaaaaaaaaa");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    named(&mut names, "docker", 'a', 31);
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[test]
fn a_name_that_is_written_late_is_found_and_one_that_was_found_is_kept() {
    let root = tempfile::tempdir().expect("a folder");
    let mut names = names_below(root.path());
    assert_eq!(named(&mut names, "docker", 'a', 1), "aaaaaaaaaaaa");
    let file = format!("var/lib/docker/containers/{}/config.v2.json", id('a'));
    put(root.path(), &file, r#"{"Name":"/late"}"#);
    assert_eq!(named(&mut names, "docker", 'a', 2), "aaaaaaaaaaaa", "not looked for each time");
    assert_eq!(named(&mut names, "docker", 'a', 40), "late");
    std::fs::remove_file(root.path().join(file)).expect("removed");
    assert_eq!(named(&mut names, "docker", 'a', 400), "late");
    assert_eq!(named(&mut ContainerNames::default(), "docker", 'a', 1), "aaaaaaaaaaaa", "without files");
}
