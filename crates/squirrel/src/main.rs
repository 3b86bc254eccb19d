//! `squirrel`, the program: it reads the kernel each second, keeps the record, and shows it.
//!
//! This crate only wires the others together: configuration, the loop, subcommands.
#![forbid(unsafe_code)]

mod accounting;
mod alert_actions;
mod alerts_command;
mod check;
mod cli;
mod config;
mod config_command;
mod explain;
mod failure;
mod fault_log;
mod frames;
mod interrupts;
mod keeper;
mod live_client;
mod logging;
mod manners;
mod marks;
mod mcp;
mod output;
mod own_metrics;
mod path;
mod ping;
mod pipeline;
mod probes_command;
mod query;
mod record;
mod rule_files;
mod serve;
mod sockets;
mod status;
mod status_command;
mod store_command;
mod table;
mod throughput;
mod token;
mod top;
mod units;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command, ConfigCommand};
use config::Environment;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::usage(&error),
    };
    let result = match &cli.command {
        Command::Serve(args) => serve::run(args, &environment()),
        Command::Keeper { role } => keeper::run(*role),
        Command::Top(args) => top::run(args, &environment()),
        Command::Sockets(args) => sockets::run(args),
        Command::Status(args) => status_command::run(args),
        Command::Completions { shell } => manners::completions(*shell),
        Command::Man { command } => manners::man(command),
        Command::Ping(args) => ping::run(args),
        Command::Check(args) => check::run(args),
        Command::Path(args) => path::run(args),
        Command::Throughput(command) => throughput::run(command),
        Command::Probes(args) => probes_command::run(args),
        Command::Query(args) => query::run(args),
        Command::Alerts(args) => alerts_command::run(args, &environment()),
        Command::Silence(command) => alert_actions::silence(command, &environment()),
        Command::Ack(args) => alert_actions::ack(args, &environment()),
        Command::Notify(command) => alert_actions::notify(command, &environment()),
        Command::Record(args) => record::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Mcp(args) => return mcp::run(args).unwrap_or_else(|error| failure::report(&error)),
        Command::Config(ConfigCommand::Init) => config_command::init(),
        Command::Config(ConfigCommand::Check { file }) => config_command::check(file.as_deref(), &environment()),
        Command::Config(ConfigCommand::Show { source }) => config_command::show(source, &environment()),
        Command::Store(command) => store_command::run(command, &environment()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error),
    }
}

/// What the environment says; the only place that asks it.
fn environment() -> Environment {
    let path =
        |name: &str| std::env::var_os(name).map(std::path::PathBuf::from).filter(|path| !path.as_os_str().is_empty());
    Environment {
        root: squirrel_sys::privilege::effective_uid() == 0,
        state_home: path("XDG_STATE_HOME"),
        home: path("HOME"),
        user: ["SUDO_USER", "USER", "LOGNAME"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()))
            .or_else(|| Some(squirrel_account::user_name(squirrel_sys::privilege::effective_uid()))),
    }
}
