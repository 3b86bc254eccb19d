//! Builds the dashboard (`web/`) with Node and npm, and writes the table from which `src/assets.rs`
//! serves it.
//!
//! Three ways, in this order:
//!
//! 1. `web/dist/` without `web/src/`: a packaged crate, which carries the built files.
//! 2. Node 20 or newer with npm: `npm ci` and `build.mjs`, both inside `OUT_DIR`, so that the
//!    source tree is only read.
//! 3. Otherwise a page that says how to get the dashboard, and a warning. A missing dashboard never
//!    fails a build: the rest of the program does not need it.
//!
//! `SQUIRREL_NO_WEB=1` asks for the third way.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `npm` and the bundler read. Cargo builds again when one of these changes, and only then.
const SOURCES: [&str; 6] = ["package.json", "package-lock.json", ".npmrc", "tsconfig.json", "build.mjs", "index.html"];

/// The oldest Node that the bundler and `build.mjs` run on.
const NODE_OLDEST: u32 = 20;

fn main() -> io::Result<()> {
    let manifest_dir = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let web = manifest_dir.join("web");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=SQUIRREL_NO_WEB");
    watch(&web.join("fallback"));

    let built = match choose(&web, &out_dir) {
        Ok(dist) => dist,
        Err(missing) => {
            if missing.unexpected {
                println!("cargo::warning=the dashboard is not built: {}", missing.reason);
                println!(
                    "cargo::warning=install Node.js {NODE_OLDEST} or newer with npm, and build again; the rest of Squirrel works without it"
                );
            }
            fallback(&web.join("fallback"), &out_dir.join("web-fallback"), &missing.reason)?
        }
    };
    fs::write(out_dir.join("assets_table.rs"), table(&built)?)
}

/// Why there is no dashboard, and whether the user should be warned of it.
struct Missing {
    reason: String,
    unexpected: bool,
}

impl Missing {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), unexpected: true }
    }
}

/// The folder that holds the built dashboard.
fn choose(web: &Path, out_dir: &Path) -> Result<PathBuf, Missing> {
    if env::var_os("SQUIRREL_NO_WEB").is_some_and(|value| !value.is_empty() && value != "0") {
        return Err(Missing { reason: "SQUIRREL_NO_WEB was set".into(), unexpected: false });
    }
    let packaged = web.join("dist");
    if !web.join("src").exists() && packaged.join("assets.tsv").exists() {
        watch(&packaged);
        return Ok(packaged);
    }
    for source in SOURCES {
        watch(&web.join(source));
    }
    watch(&web.join("src"));
    if !web.join("src").exists() {
        return Err(Missing::new("this package carries no dashboard: it was not made by `cargo xtask package`"));
    }
    find_node()?;
    bundle(web, &out_dir.join("web-build"), &out_dir.join("web-dist")).map_err(|reason| {
        // The cause may be gone at the next build (no network, say), and no file would tell: a path
        // that does not exist makes cargo try again.
        println!("cargo::rerun-if-changed={}", out_dir.join("try-again").display());
        Missing::new(reason)
    })
}

/// Succeeds where a Node that is new enough and npm can be started.
fn find_node() -> Result<(), Missing> {
    let fail = |reason: String| {
        // Installing Node changes either PATH or a folder on it.
        println!("cargo::rerun-if-env-changed=PATH");
        for folder in env::split_paths(&env::var_os("PATH").unwrap_or_default()).filter(|folder| folder.is_dir()) {
            watch(&folder);
        }
        Err(Missing::new(reason))
    };
    let Ok(answer) = Command::new("node").arg("--version").output() else {
        return fail("Node.js was not found".into());
    };
    let version = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= NODE_OLDEST => {}
        _ => return fail(format!("Node.js {NODE_OLDEST} or newer is needed and this is {version}")),
    }
    match Command::new("npm").arg("--version").output() {
        Ok(answer) if answer.status.success() => Ok(()),
        _ => fail("Node.js was found, npm was not".into()),
    }
}

/// Copies the sources to `work`, fetches what the lock file names, and bundles into `dist`.
fn bundle(web: &Path, work: &Path, dist: &Path) -> Result<PathBuf, String> {
    let told = |what: &'static str| move |error: io::Error| format!("{what}: {error}");
    fs::create_dir_all(work).map_err(told("the build folder cannot be made"))?;
    for source in SOURCES {
        fs::copy(web.join(source), work.join(source))
            .map_err(|error| format!("web/{source} cannot be read: {error}"))?;
    }
    let src = work.join("src");
    if src.exists() {
        fs::remove_dir_all(&src).map_err(told("the old sources cannot be removed"))?;
    }
    copy_folder(&web.join("src"), &src).map_err(told("web/src cannot be copied"))?;

    // npm writes this file last; equal content means that its work for this lock file is done.
    let lock = fs::read(work.join("package-lock.json")).map_err(told("the lock file cannot be read"))?;
    let done = work.join("installed-lock.json");
    if fs::read(&done).ok().as_ref() != Some(&lock) || !work.join("node_modules").is_dir() {
        run(
            Command::new("npm").current_dir(work).args([
                "ci",
                "--omit=dev",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--prefer-offline",
                "--fetch-retries=1",
            ]),
            "npm ci",
        )?;
        fs::write(&done, &lock).map_err(told("the build folder cannot be written"))?;
    }
    run(Command::new("node").current_dir(work).args(["build.mjs", "--out"]).arg(dist), "the bundler")?;
    Ok(dist.to_owned())
}

/// Runs a command; the error holds the lines of its output that say why it failed.
fn run(command: &mut Command, name: &str) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{name} cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let said: Vec<&str> = text.lines().filter(|line| line.contains("rror")).take(3).map(str::trim).collect();
    Err(format!("{name} failed ({}): {}", output.status, said.join("; ")))
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Writes the page that stands in for the dashboard, and its table.
fn fallback(from: &Path, to: &Path, reason: &str) -> io::Result<PathBuf> {
    fs::create_dir_all(to)?;
    let escaped = reason.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let page = fs::read_to_string(from.join("index.html"))?.replace("{{reason}}", &escaped);
    let style = fs::read_to_string(from.join("fallback.css"))?;
    let mut rows = String::new();
    for (url, file, content_type, body) in [
        ("/", "index.html", "text/html; charset=utf-8", &page),
        ("/assets/fallback.css", "fallback.css", "text/css; charset=utf-8", &style),
    ] {
        fs::write(to.join(file), body)?;
        let _ = writeln!(rows, "{url}\t{file}\t{content_type}\t{:016x}\t0", fnv1a(body.as_bytes()));
    }
    fs::write(to.join("assets.tsv"), rows)?;
    Ok(to.to_owned())
}

/// FNV-1a, 64 bits: an entity tag needs only to change with the content.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The Rust source of the table: one row of `assets.tsv` gives one entry.
fn table(dist: &Path) -> io::Result<String> {
    let mut source = String::from("&[\n");
    // A Rust string literal of the file's path.
    let literal = |file: &str| format!("{:?}", dist.join(file).to_string_lossy());
    for row in fs::read_to_string(dist.join("assets.tsv"))?.lines() {
        let columns: Vec<&str> = row.split('\t').collect();
        let [url, file, content_type, hash, immutable] = columns.as_slice() else {
            return Err(io::Error::other(format!("assets.tsv has a row without five columns: {row}")));
        };
        let variant = |suffix: &str| {
            let name = format!("{file}{suffix}");
            if dist.join(&name).exists() { format!("Some(include_bytes!({}))", literal(&name)) } else { "None".into() }
        };
        let _ = writeln!(
            source,
            "    Stored {{ path: {url:?}, content_type: {content_type:?}, immutable: {}, body: include_bytes!({}), etag: {:?},\n      \
             gzip: {}, etag_gzip: {:?}, brotli: {}, etag_brotli: {:?} }},",
            *immutable == "1",
            literal(file),
            format!("\"{hash}\""),
            variant(".gz"),
            format!("\"{hash}-gz\""),
            variant(".br"),
            format!("\"{hash}-br\""),
        );
    }
    source.push_str("]\n");
    Ok(source)
}

fn watch(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}
