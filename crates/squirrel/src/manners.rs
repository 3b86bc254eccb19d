//! What shells and manuals want to know of the command line.

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::{self, Cli};
use crate::output;

/// Prints the completions of a shell.
pub(crate) fn completions(shell: cli::Shell) -> anyhow::Result<()> {
    let shell = match shell {
        cli::Shell::Bash => Shell::Bash,
        cli::Shell::Zsh => Shell::Zsh,
        cli::Shell::Fish => Shell::Fish,
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "squirrel", &mut text);
    Ok(output::print(&String::from_utf8(text).context("the completions are no text")?)?)
}

/// Prints a page of the manual: of the program, or of a command such as `config check`.
pub(crate) fn man(words: &[String]) -> anyhow::Result<()> {
    let command = described(words)
        .with_context(|| format!("there is no command {:?}; `squirrel --help` lists them", words.join(" ")));
    let command = command.map_err(|error| crate::failure::classed(crate::failure::Class::Usage, &error))?;
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    Ok(output::print(&String::from_utf8(page).context("the page is no text")?)?)
}

/// The command of these words, with its examples as a part of the page.
fn described(words: &[String]) -> Option<Command> {
    let mut command = Cli::command();
    command.build();
    for word in words {
        let found = command.get_subcommands().find(|sub| sub.get_name() == word && !sub.is_hide_set()).cloned();
        command = found?;
    }
    let examples = command.get_before_help().map(ToString::to_string);
    Some(match examples {
        Some(examples) => command.after_help(examples),
        None => command,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(words: &[&str]) -> Option<String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let mut page = Vec::new();
        clap_mangen::Man::new(described(&words)?).render(&mut page).unwrap();
        Some(String::from_utf8(page).unwrap())
    }

    #[test]
    fn each_command_has_a_page_and_what_is_hidden_has_none() {
        let whole = page(&[]).unwrap();
        assert!(whole.contains(".TH squirrel 1") && whole.contains("squirrel serve"), "{whole}");
        for words in [["top"].as_slice(), &["config", "check"], &["mcp", "wrap"], &["status"]] {
            let page = page(words).unwrap_or_else(|| panic!("{words:?}"));
            assert!(page.contains(&format!(".TH squirrel-{} 1", words.join("-"))), "{page}");
        }
        assert_eq!((page(&["keeper"]), page(&["nonsense"])), (None, None));
    }
}
