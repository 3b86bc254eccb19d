//! The bpf command: builds the eBPF programs anew, into the objects that are committed and embedded.
//!
//! A build of Squirrel needs no C compiler, since the objects are in the repository; the test of this file builds
//! them again and compares.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::process;

/// The folder of sources and the folder of objects.
const SOURCES: &str = "crates/squirrel-bpf/bpf";
const OBJECTS: &str = "crates/squirrel-bpf/objects";

/// The compiler and the stripper, of one fixed version: another one writes other octets.
const CLANG: &str = "clang-14";
const STRIP: &str = "llvm-strip-14";

/// Little-endian, for all such processors; atomic operations need version 3 of the instructions (Linux 5.12). The
/// folder of the build would stand in the type information.
const FLAGS: &[&str] =
    &["-target", "bpfel", "-mcpu=v3", "-O2", "-g", "-fdebug-compilation-dir=.", "-Wall", "-Wextra", "-Werror", "-c"];

/// Builds all objects where they are committed.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<bool> {
    ensure!(arguments.is_empty(), "`cargo xtask bpf` takes no arguments");
    for name in names(root)? {
        let object = root.join(OBJECTS).join(format!("{name}.o"));
        build(root, &name, &object)?;
        println!("{}: {} octets", object.display(), std::fs::metadata(&object)?.len());
    }
    Ok(true)
}

/// The names of the objects: each has a source `NAME.bpf.c`.
fn names(root: &Path) -> Result<Vec<String>> {
    let folder = root.join(SOURCES);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("{} cannot be listed", folder.display()))? {
        names.extend(entry?.file_name().to_str().and_then(|name| name.strip_suffix(".bpf.c")).map(str::to_owned));
    }
    names.sort();
    ensure!(!names.is_empty(), "no source in {}", folder.display());
    Ok(names)
}

fn build(root: &Path, name: &str, object: &Path) -> Result<()> {
    ensure!(process::exists(CLANG), "{CLANG} is missing: install Debian's packages clang-14 and llvm-14");
    let source = format!("{name}.bpf.c");
    let mut compiler = Command::new(CLANG);
    compiler.current_dir(root.join(SOURCES)).args(FLAGS).arg(&source).arg("-o").arg(object);
    process::output(&mut compiler)?;
    process::output(Command::new(STRIP).arg("-g").arg(object))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_objects_are_what_the_sources_make() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask stands in the repository");
        if !process::exists(CLANG) || !process::exists(STRIP) {
            let reason = format!("{CLANG} or {STRIP} is not installed");
            return squirrel_testkit::skip("the_committed_objects_are_what_the_sources_make", &reason);
        }
        let folder = std::env::temp_dir().join(format!("xtask-bpf-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("makes a folder");
        let mut different = Vec::new();
        let names = names(root).expect("lists the sources");
        for name in &names {
            let object = folder.join(format!("{name}.o"));
            build(root, name, &object).expect("builds");
            let committed = std::fs::read(root.join(OBJECTS).join(format!("{name}.o"))).unwrap_or_default();
            if std::fs::read(&object).expect("was built") != committed {
                different.push(name.clone());
            }
        }
        std::fs::remove_dir_all(&folder).expect("removes the folder");
        assert_eq!(different, [""; 0], "run `cargo xtask bpf`, and commit what it makes");
        let objects = std::fs::read_dir(root.join(OBJECTS)).expect("lists the objects").count();
        assert_eq!(objects, names.len(), "an object without a source");
    }
}
