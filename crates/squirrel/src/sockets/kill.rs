//! `squirrel sockets --kill`: closes sockets on behalf of their owners.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow, bail};
use squirrel_model::Elapsed;
use squirrel_sys::privilege::drop_all;
use squirrel_sys::{SysError, terminal};

use super::places::Place;
use super::{Plan, show};
use crate::failure::{Class, classed};
use crate::output;

/// `EPERM`, `ENOENT`, `EOPNOTSUPP`.
const NOT_PERMITTED: i32 = 1;
const GONE: i32 = 2;
const NOT_SUPPORTED: i32 = 95;

/// Shows what a filter chooses, and closes it when that was confirmed.
pub(super) fn run(place: &Place, plan: &Plan<'_>) -> anyhow::Result<()> {
    let kernel = &place.kernel;
    let expression = &plan.selection.expression;
    if expression.states.is_none() && !expression.has_expression() && plan.args.filter.is_empty() {
        let why =
            "--kill closes nothing without a filter: say which sockets, such as `squirrel sockets --kill dport = :443`";
        return Err(classed(Class::Usage, &anyhow!(why)));
    }
    let (rows, _) = plan.read(std::slice::from_ref(place), Elapsed::default(), None)?;
    if rows.is_empty() {
        bail!("no socket fulfils the filter; nothing was closed");
    }
    let width = terminal::size().map(|(_, columns)| columns);
    output::print_lines(&show::blocks(&rows, plan.args, width).lines())?;
    if !plan.args.yes {
        let count = counted(rows.len());
        output::complain(&format!(
            "squirrel: nothing was closed. --yes closes {count}; their programs see a broken connection"
        ));
        return Ok(());
    }
    let mut closed = 0;
    let mut failures: BTreeMap<Failure, usize> = BTreeMap::new();
    for row in &rows {
        match kernel.destroy_socket(&row.request) {
            Ok(()) => closed += 1,
            Err(error) => *failures.entry(failure(&error)).or_default() += 1,
        }
    }
    drop_all().context("cannot drop privileges")?;
    output::complain(&format!("squirrel: closed {} of {}", closed, counted(rows.len())));
    let Some(worst) = failures.keys().next_back().cloned() else { return Ok(()) };
    let text: Vec<String> =
        failures.iter().map(|(failure, count)| format!("{}: {}", counted(*count), failure.text())).collect();
    let error = anyhow!(text.join("\n"));
    match worst {
        Failure::Gone => Ok(()),
        Failure::NotPermitted => Err(classed(Class::Forbidden, &error)),
        Failure::NotSupported | Failure::Other(_) => Err(error),
    }
}

fn counted(count: usize) -> String {
    if count == 1 { "1 socket".to_owned() } else { format!("{count} sockets") }
}

/// Why a socket was not closed, the least bad first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Failure {
    Gone,
    Other(String),
    NotSupported,
    NotPermitted,
}

fn failure(error: &SysError) -> Failure {
    match error.source.raw_os_error() {
        Some(NOT_PERMITTED) => Failure::NotPermitted,
        Some(GONE) => Failure::Gone,
        Some(NOT_SUPPORTED) => Failure::NotSupported,
        _ => Failure::Other(error.to_string()),
    }
}

impl Failure {
    fn text(&self) -> String {
        match self {
            Self::Gone => "had ended before".to_owned(),
            Self::NotPermitted => {
                "closing sockets of a namespace needs CAP_NET_ADMIN: run it as root, such as with sudo".to_owned()
            }
            Self::NotSupported => {
                "this kernel cannot close them (it was built without CONFIG_INET_DIAG_DESTROY)".to_owned()
            }
            Self::Other(text) => text.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_sentence_and_the_worst_counts() {
        let of = |errno| failure(&SysError::new("netlink request", "x", std::io::Error::from_raw_os_error(errno)));
        assert_eq!((of(1), of(2), of(95)), (Failure::NotPermitted, Failure::Gone, Failure::NotSupported));
        assert!(of(1).text().contains("CAP_NET_ADMIN"));
        let mut all = [of(1), of(22), of(2), of(95)];
        all.sort();
        assert_eq!((all[0].clone(), all[3].clone()), (Failure::Gone, Failure::NotPermitted));
    }
}
