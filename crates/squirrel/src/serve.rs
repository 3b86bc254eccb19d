//! `squirrel serve`: open what needs privilege, drop the privilege, then run until told to stop.

pub(crate) mod alerting;
mod assembled;
pub(crate) mod checks;
pub(crate) mod doors;
mod parts;
mod ports;
pub(crate) mod probes;
mod reload;
pub(crate) mod remote;
mod run;

use anyhow::Context as _;

use crate::cli;
use crate::config::{Config, Environment, Flags};
use crate::failure::{Class, classed};
use crate::logging::Logging;

/// Runs the daemon until SIGTERM or SIGINT.
pub(crate) fn run(args: &cli::Serve, environment: &Environment) -> anyhow::Result<()> {
    // A hangup means "read the configuration again", from the first moment on.
    squirrel_sys::signals::ignore_hangup();
    let flags = Flags::from(args);
    let config = Config::load(&flags, environment).map_err(|error| classed(Class::Usage, &error))?;
    let logging = Logging::start(&config.log.value).map_err(|error| classed(Class::Usage, &error))?;

    // Order matters: everything that needs a privilege is opened before any is dropped, and all are
    // dropped while there is a single thread and before the first request is parsed.
    let monotonic = squirrel_sys::clock::Monotonic::start();
    let trimmer = squirrel_sys::memory::Trimmer::start();
    let doors = doors::open(&config, monotonic)?;
    let dropped = squirrel_sys::privilege::drop_all().context("cannot drop privileges")?;
    if !dropped.capabilities.is_empty() {
        tracing::info!("gave up all {} capabilities", dropped.capabilities.names().count());
        tracing::debug!("they were {}", dropped.capabilities);
    }

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // The loop and its like, and one for each question that is answered.
        .max_blocking_threads(12 + config.query.max_concurrency.value)
        .thread_name("squirrel")
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let reloader = reload::Reloader { flags, environment: environment.clone(), logging };
    runtime.block_on(run::run(config, doors, monotonic, trimmer, reloader))
}
