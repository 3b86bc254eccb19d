//! `squirrel alerts`: what fires now, and rule files judged, tested and tried on the past.

mod args;
mod backtest;
mod check;
mod list;
mod test;
mod watch;

use args::AlertsCommand;
pub(crate) use args::{AlertsArgs, EXAMPLES};

use crate::config::Environment;

/// Does what was asked for.
pub(crate) fn run(args: &AlertsArgs, environment: &Environment) -> anyhow::Result<()> {
    match &args.command {
        None => list::run(&args.list),
        Some(AlertsCommand::Check(args)) => check::run(args),
        Some(AlertsCommand::Test(args)) => test::run(args),
        Some(AlertsCommand::Watch(args)) => watch::run(args),
        Some(AlertsCommand::Backtest(args)) => backtest::run(args, environment),
    }
}

/// Six digits that count.
fn number(value: f64) -> String {
    let magnitude = value.abs();
    if value == value.trunc() && magnitude < 1e9 {
        format!("{value:.0}")
    } else if (1e-3..1e9).contains(&magnitude) {
        let digits = (5 - magnitude.log10().floor() as i32).clamp(0, 9) as usize;
        let text = format!("{value:.digits$}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{value:.3e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_the_digits_that_count() {
        for (value, text) in
            [(1.0, "1"), (0.123_456_789, "0.123457"), (1234.5678, "1234.57"), (1e12, "1.000e12"), (0.0, "0")]
        {
            assert_eq!(number(value), text);
        }
    }
}
