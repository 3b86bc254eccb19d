//! The repository's own commands, run as `cargo xtask COMMAND`.
//!
//! This is the first thing that a fresh machine builds, so it needs two small crates and no more.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "these commands talk to a person on standard output")]

mod audit;
mod bench;
mod bpf;
mod conformance;
mod daemon;
mod digest;
mod http;
mod metadata;
mod namespace;
mod package;
mod process;
mod repository;
mod rust_text;
mod steps;
mod stopwatch;
mod test;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

/// One command: its name, what it is for, and what it does with the arguments after its name.
struct Command {
    name: &'static str,
    usage: &'static str,
    run: fn(&std::path::Path, &[String]) -> Result<bool>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        usage: "[--fast|--library]  everything that must hold before a change is merged; --fast leaves out what \
                installs, rustdoc, the library elsewhere, the examples and the browser; --library does only the library elsewhere: \
                under loom, with its oldest compiler, for Windows",
        run: test::run,
    },
    Command { name: "tidy", usage: "the rules of the repository that no compiler knows", run: tidy::run },
    Command {
        name: "audit",
        usage: "[--seconds N] [advisories|fuzz|miri]  what is slow or needs the net; N is for each fuzz target",
        run: audit::run,
    },
    Command {
        name: "bench",
        usage: "[--minutes N] [collection|daemon|store|library|page|accounting|build]  the README's figures, as a table",
        run: bench::run,
    },
    Command {
        name: "promql-conformance",
        usage: "[--verbose] DIR [FILE…]  judges our PromQL by the promqltest files of a folder, such as those of \
                Prometheus' source; they are not part of this repository",
        run: conformance::run,
    },
    Command {
        name: "bpf",
        usage: "builds the committed eBPF objects anew from their sources; needs clang 14",
        run: bpf::run,
    },
    Command {
        name: "package",
        usage: "builds the dashboard, makes the packages with it, and checks that they build and serve it \
                without Node",
        run: package::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.is_empty() || arguments.iter().any(|word| matches!(word.as_str(), "help" | "-h" | "--help")) {
        print_usage();
        return if arguments.is_empty() { ExitCode::from(2) } else { ExitCode::SUCCESS };
    }
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // The causes in words; a backtrace of this program helps nobody who called it.
            eprintln!("cargo xtask: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Runs the command that is named first; false when it found something wrong.
fn run(arguments: &[String]) -> Result<bool> {
    let (name, rest) = arguments.split_first().context("name a command")?;
    let Some(command) = COMMANDS.iter().find(|c| c.name == name) else {
        let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
        bail!("no command is named `{name}`; there are {}", names.join(", "));
    };
    (command.run)(&root()?, rest)
}

fn print_usage() {
    println!("cargo xtask COMMAND\n");
    for command in COMMANDS {
        println!("  {:8} {}", command.name, command.usage);
    }
}

/// The top of the repository that this command was built in.
fn root() -> Result<PathBuf> {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask …`")?;
    let directory = PathBuf::from(manifest);
    Ok(directory.parent().context("xtask stands in a folder of the repository")?.to_path_buf())
}
