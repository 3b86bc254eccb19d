//! Running other programs.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// A call of cargo at the top of the repository, without what the cargo that started us left behind
/// in the environment for this program alone.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What it prints is read by `digest`, which knows no colours.
    command.current_dir(root).stdin(Stdio::null()).env("CARGO_TERM_COLOR", "never");
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command
}

/// Whether a program of this name stands in `PATH` or where administrators' programs stand.
pub(crate) fn exists(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let administrators = ["/usr/sbin", "/sbin", "/usr/local/sbin"].map(std::path::PathBuf::from);
    std::env::split_paths(&path).chain(administrators).any(|folder| folder.join(program).is_file())
}

/// Runs a command to its end and returns what it printed.
///
/// # Errors
/// The command could not be started or did not succeed; what it wrote to standard error is told.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let output = command.output().with_context(|| format!("`{shown}` cannot be started"))?;
    if !output.status.success() {
        bail!("`{shown}` failed ({}):\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{shown}` printed something that is not UTF-8"))
}

/// Runs a command to its end, with all that it prints going to the file `log`; whether it succeeded.
pub(crate) fn logged(command: &mut Command, log: &Path) -> Result<bool> {
    let file = File::create(log).with_context(|| format!("{} cannot be written", log.display()))?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let status = command.status().with_context(|| format!("`{}` cannot be started", shown(command)))?;
    Ok(status.success())
}

/// A command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words = vec![program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()];
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        let plain = !argument.contains([' ', '"', '\'', '$', '*', '{']) && !argument.is_empty();
        words.push(if plain { argument.into_owned() } else { format!("'{argument}'") });
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["test", "--", "two words"]);
        assert_eq!(shown(&command), "cargo test -- 'two words'");
    }

    #[test]
    fn a_failing_command_tells_its_own_words() {
        let error = output(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).expect_err("fails");
        assert!(error.to_string().contains("why"), "{error}");
    }

    #[test]
    fn a_program_is_found_or_not() {
        assert!(exists("sh"));
        assert!(!exists("no-such-program-as-this"));
    }
}
