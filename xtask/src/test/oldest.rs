//! The oldest compiler that the library promises to be built with: Debian's, unpacked below `target/` and
//! installed nowhere.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::install::is_root;
use crate::process;
use crate::steps::Steps;

/// The `rust-version` of the library and of what it builds on.
pub(super) const OLDEST: &str = "1.85";

/// A compiler with its standard library, and that library's source.
pub(super) struct Toolchain {
    root: PathBuf,
}

impl Toolchain {
    /// The one that was unpacked before, or else Debian's: `rustc` in Debian 13, `rustc-web` in Debian 12.
    pub(super) fn find(steps: &Steps<'_>) -> Result<Self> {
        let folder = steps.root.join("target/xtask/rust-oldest");
        let toolchain = Self { root: folder.join("root") };
        if toolchain.is_right() {
            return Ok(toolchain);
        }
        let offered = || ["", "-web"].into_iter().find_map(|suffix| Some((suffix, version_of(suffix)?)));
        // A new machine has no list of packages yet.
        if offered().is_none() && is_root() {
            steps.run("apt update", Command::new("apt-get").args(["-q", "-o", "DPkg::Lock::Timeout=120", "update"]))?;
        }
        let (suffix, version) = offered()
            .with_context(|| format!("Debian's packages have no rustc {OLDEST} (apt-cache madison rustc-web)"))?;
        let library = format!("libstd-rust{suffix}-{OLDEST}");
        let llvm = llvm_of(&process::output(Command::new("apt-cache").args(["depends", &library]))?)
            .with_context(|| format!("{library} depends on no LLVM"))?;
        // The parts of LLVM come from everywhere: this one package is installed, as any library would be.
        if is_root() {
            let mut apt = Command::new("apt-get");
            apt.env("DEBIAN_FRONTEND", "noninteractive").args(["-q", "-y", "-o", "DPkg::Lock::Timeout=120", "install"]);
            steps.run("apt install of LLVM", apt.args(["--no-install-recommends", &llvm]))?;
        }
        let parts =
            [format!("rustc{suffix}"), library, format!("libstd-rust{suffix}-dev"), format!("rust{suffix}-src")];
        let wanted = parts.iter().map(|part| format!("{part}={version}")).chain([llvm]);
        toolchain.unpack(steps, &folder, wanted)?;
        ensure!(toolchain.is_right(), "what was unpacked in {} does not run", toolchain.root.display());
        Ok(toolchain)
    }

    fn unpack(&self, steps: &Steps<'_>, folder: &Path, wanted: impl Iterator<Item = String>) -> Result<()> {
        let packages = folder.join("packages");
        std::fs::create_dir_all(&packages)?;
        let mut download = Command::new("apt-get");
        steps.run("download of the oldest compiler", download.current_dir(&packages).arg("download").args(wanted))?;
        for entry in std::fs::read_dir(&packages)? {
            let package = entry?.path();
            process::output(Command::new("dpkg-deb").arg("--extract").arg(&package).arg(&self.root))?;
        }
        Ok(std::fs::remove_dir_all(&packages)?)
    }

    fn compiler(&self) -> PathBuf {
        self.root.join("usr/bin/rustc")
    }

    fn is_right(&self) -> bool {
        let mut command = Command::new(self.compiler());
        self.compile_with(&mut command);
        let version = process::output(command.arg("--version")).unwrap_or_default();
        version.starts_with(&format!("rustc {OLDEST}."))
    }

    /// Lets a cargo use this compiler.
    pub(super) fn compile_with(&self, cargo: &mut Command) {
        let libraries = format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH);
        cargo.env("RUSTC", self.compiler()).env("LD_LIBRARY_PATH", self.root.join(libraries));
    }
}

/// The version of `rustc` with this suffix that is of the oldest compiler, if Debian has one.
fn version_of(suffix: &str) -> Option<String> {
    version_in(&process::output(Command::new("apt-cache").args(["madison", &format!("rustc{suffix}")])).ok()?)
}

/// In the lines of `apt-cache madison`: package, version, where.
fn version_in(madison: &str) -> Option<String> {
    let versions = madison.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim);
    versions.into_iter().find(|version| version.starts_with(&format!("{OLDEST}."))).map(str::to_string)
}

/// The package of LLVM among the lines of `apt-cache depends`.
fn llvm_of(depends: &str) -> Option<String> {
    let names = depends.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    names.into_iter().find(|name| name.starts_with("libllvm")).map(str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_version_is_found_among_others() {
        let newer = " rustc-web | 1.96.0+dfsg1-1 | http://deb.debian.org/debian-security x/main amd64 Packages\n";
        let older = " rustc-web | 1.85.0+dfsg3-1 | http://deb.debian.org/debian bookworm/main amd64 Packages\n";
        assert_eq!(version_in(&format!("{newer}{older}")).as_deref(), Some("1.85.0+dfsg3-1"));
        assert_eq!(version_in(newer), None);
    }

    #[test]
    fn llvm_is_found_among_what_a_compiler_needs() {
        let depends = "libstd-rust-web-1.85\n  Depends: libc6\n  Depends: libllvm19\n  Conflicts: <rustup>\n";
        assert_eq!(llvm_of(depends).as_deref(), Some("libllvm19"));
        assert_eq!(llvm_of("x\n  Depends: libc6\n"), None);
    }

    #[test]
    fn the_library_promises_what_is_tested() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for package in ["wire", "model", "sys", "inspect", "monitor"] {
            let manifest = root.join(format!("crates/squirrel-{package}/Cargo.toml"));
            let text = std::fs::read_to_string(&manifest).expect("is there");
            assert!(text.contains(&format!("\nrust-version = \"{OLDEST}\"\n")), "{}", manifest.display());
        }
    }
}
