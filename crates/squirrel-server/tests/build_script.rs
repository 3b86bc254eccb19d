//! The build script's ways, run as cargo runs it: compiled, started with the environment, and asked
//! what it wrote.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Held by each test: a process that is being started holds, for a moment, a copy of every descriptor of this one, and
/// a program that another test has just written cannot be run while such a copy is open for writing.
static ALONE: Mutex<()> = Mutex::new(());

/// The compiled build script.
fn script() -> &'static Path {
    static SCRIPT: OnceLock<PathBuf> = OnceLock::new();
    SCRIPT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        fs::create_dir_all(folder).unwrap();
        let program = folder.join("build-script");
        let rustc = option_env!("RUSTC").unwrap_or("rustc");
        let built = Command::new(rustc)
            .args(["--edition=2024", "-o"])
            .arg(&program)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("build.rs"))
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        program
    })
}

/// A crate's folder and an `OUT_DIR` of their own for one test.
struct Place {
    root: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

impl Place {
    fn new(name: &str) -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("out")).unwrap();
        fs::create_dir_all(root.join("bin")).unwrap();
        let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
        for file in ["fallback/index.html", "fallback/fallback.css", "package.json", "package-lock.json", ".npmrc"] {
            place(&root.join("crate/web").join(file), &fs::read(web.join(file)).unwrap());
        }
        Self { root, _alone: alone }
    }

    /// Adds what the bundler would read.
    fn with_sources(self) -> Self {
        for file in ["tsconfig.json", "build.mjs", "index.html", "src/main.tsx"] {
            place(&self.root.join("crate/web").join(file), b"x");
        }
        self
    }

    /// Adds a program to the only folder on `PATH`.
    fn with_program(self, name: &str, body: &str) -> Self {
        let file = self.root.join("bin").join(name);
        place(&file, format!("#!/bin/sh\n{body}\n").as_bytes());
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    fn run(&self, no_web: &str) -> Output {
        Command::new(script())
            .env_clear()
            .env("CARGO_MANIFEST_DIR", self.root.join("crate"))
            .env("OUT_DIR", self.root.join("out"))
            .env("PATH", self.root.join("bin"))
            .env("SQUIRREL_NO_WEB", no_web)
            .output()
            .unwrap()
    }

    fn table(&self) -> String {
        fs::read_to_string(self.root.join("out/assets_table.rs")).unwrap()
    }

    fn fallback_page(&self) -> String {
        fs::read_to_string(self.root.join("out/web-fallback/index.html")).unwrap()
    }
}

fn place(file: &Path, content: &[u8]) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, content).unwrap();
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "the build failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn without_node_there_is_a_page_that_says_how_to_get_the_dashboard_and_a_warning() {
    let place = Place::new("without-node").with_sources();
    let said = said(&place.run(""));
    assert!(said.contains("cargo::warning=the dashboard is not built: Node.js was not found"), "{said}");
    assert!(place.table().contains("web-fallback/index.html"));
    let page = place.fallback_page();
    assert!(page.contains("Node.js was not found") && page.contains("Install Node.js 20"), "{page}");
    assert!(said.contains(&format!("rerun-if-changed={}", place.root.join("bin").display())), "{said}");
}

#[test]
fn a_node_that_is_too_old_is_named() {
    let place = Place::new("old-node").with_sources().with_program("node", "echo v18.19.0");
    let said = said(&place.run(""));
    assert!(said.contains("Node.js 20 or newer is needed and this is v18.19.0"), "{said}");
}

#[test]
fn an_npm_that_fails_is_told_and_tried_again_at_the_next_build() {
    let place = Place::new("npm-fails")
        .with_sources()
        .with_program("node", "echo v20.1.0")
        .with_program("npm", "[ \"$1\" = --version ] && exit 0; echo 'npm error network <down> & out' >&2; exit 1");
    let said = said(&place.run(""));
    assert!(said.contains("npm ci failed") && said.contains("npm error network <down> & out"), "{said}");
    assert!(place.fallback_page().contains("npm error network &lt;down&gt; &amp; out"));
    assert!(said.contains("try-again"), "{said}");
}

#[test]
fn asking_for_no_dashboard_gives_the_page_without_a_warning_and_without_node() {
    let place = Place::new("no-web").with_sources().with_program("node", "exit 9");
    let said = said(&place.run("1"));
    assert!(!said.contains("cargo::warning"), "{said}");
    assert!(place.fallback_page().contains("SQUIRREL_NO_WEB was set"));
    assert!(said.contains("rerun-if-env-changed=SQUIRREL_NO_WEB"));
}

#[test]
fn a_packaged_crate_embeds_the_files_that_it_carries() {
    let here = Place::new("packaged");
    place(
        &here.root.join("crate/web/dist/assets.tsv"),
        b"/\tindex.html\ttext/html\tabc\t0\n/assets/a.js\ta.js\ttext/javascript\tdef\t1\n",
    );
    place(&here.root.join("crate/web/dist/a.js.br"), b"compressed");
    let said = said(&here.run(""));
    assert!(!said.contains("cargo::warning"), "{said}");
    let table = here.table();
    assert!(table.contains("web/dist/index.html") && table.contains("web/dist/a.js.br"), "{table}");
    assert!(table.contains("etag_brotli: \"\\\"def-br\\\"\"") && table.contains("immutable: true"), "{table}");
}

#[test]
fn a_package_made_without_the_dashboard_says_so() {
    let place = Place::new("packaged-without").with_program("node", "echo v22.0.0").with_program("npm", "exit 0");
    let said = said(&place.run(""));
    assert!(said.contains("cargo::warning=the dashboard is not built: this package carries no dashboard"), "{said}");
    assert!(place.fallback_page().contains("cargo xtask package"));
}

#[test]
fn the_bundler_runs_once_for_one_lock_file_and_every_source_is_watched() {
    let log = "echo \"$0 $*\" >> \"$OUT_DIR/calls\"";
    let place = Place::new("bundles")
        .with_sources()
        .with_program("npm", &format!("[ \"$1\" = --version ] && exit 0; {log}; /bin/mkdir node_modules"))
        .with_program(
            "node",
            "[ \"$1\" = --version ] && { echo v22.0.0; exit 0; }\n/bin/mkdir -p \"$3\"; \
             printf '/\\tindex.html\\ttext/html\\tabc\\t0\\n' > \"$3/assets.tsv\"",
        );
    for _ in 0..2 {
        let said = said(&place.run(""));
        for source in ["web/src", "web/package-lock.json", "web/build.mjs", "web/index.html", "web/tsconfig.json"] {
            assert!(
                said.contains(&format!("rerun-if-changed={}", place.root.join("crate").join(source).display())),
                "{said}"
            );
        }
        assert!(!said.contains("try-again"), "{said}");
    }
    let calls = fs::read_to_string(place.root.join("out/calls")).unwrap();
    assert_eq!(calls.lines().count(), 1, "npm ci ran again though the lock file is the same: {calls}");
    assert!(calls.contains("ci --omit=dev --ignore-scripts"), "{calls}");
    assert!(place.table().contains("web-dist/index.html"));
}
