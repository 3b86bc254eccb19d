//! From `ExportConfig` to an exporter at work.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
#[cfg(feature = "push")]
use std::time::Duration;

use squirrel_monitor::{ExportConfig, ExportContext, ExportFormat, ExportTask, Exporter, MonitorError, NetworkMonitor};

use crate::options::Options;
#[cfg(feature = "push")]
use crate::{
    endpoint::{Endpoint, bearer},
    push::{Push, Target},
    push_format::PushFormat,
};

/// Exports over HTTP what a configuration asks for.
///
/// Hand it to [`NetworkMonitorBuilder::exporter`](squirrel_monitor::NetworkMonitorBuilder::exporter), or use
/// [`install`] on a monitor that exists.
#[derive(Clone, Debug, Default)]
pub struct HttpExporter {
    config: Option<ExportConfig>,
    listening: Arc<Mutex<Option<SocketAddr>>>,
}

impl HttpExporter {
    /// One that does what the monitor's own [`NetworkConfig::export`](squirrel_monitor::NetworkConfig::export) says.
    pub fn new() -> Self {
        Self::default()
    }

    /// One with a configuration of its own: several may work for one monitor, such as Prometheus'
    /// listener and the push of alerts to Squirrel's daemon.
    pub fn with(config: ExportConfig) -> Self {
        Self { config: Some(config), listening: Arc::default() }
    }

    /// Where Prometheus' listener listens, once the monitor runs: with port 0 the system chose one.
    pub fn listening(&self) -> Option<SocketAddr> {
        *self.listening.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exporter for HttpExporter {
    fn prepare(
        &self,
        configured: Option<&ExportConfig>,
        context: ExportContext,
    ) -> Result<ExportTask, Box<dyn Error + Send + Sync>> {
        let config =
            self.config.as_ref().or(configured).ok_or("NetworkConfig::export is None: nothing says where to")?;
        let options = Options::read(&config.options)?;
        match config.format {
            #[cfg(feature = "prometheus")]
            ExportFormat::Prometheus => {
                let listener = crate::listen::Listener::bind(config, options)?;
                *self.listening.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener.address());
                Ok(Box::pin(listener.run(context)))
            }
            #[cfg(feature = "push")]
            ExportFormat::Otlp | ExportFormat::RemoteWrite => Ok(Box::pin(push(config, options, context)?.run())),
            #[cfg(feature = "squirrel")]
            ExportFormat::Squirrel => Ok(Box::pin(push(config, options, context)?.run())),
            format => {
                let _ = (options, context);
                let reason = format!("{format:?}: squirrel-monitor-export was built without the feature for it");
                Err(reason.into())
            }
        }
    }
}

#[cfg(feature = "push")]
fn push(config: &ExportConfig, options: Options, context: ExportContext) -> Result<Push, String> {
    let interval = interval(config)?;
    let (path, port, queue) = match config.format {
        ExportFormat::Otlp => (squirrel_exchange::otlp::PATH, 4318, options.queue),
        ExportFormat::RemoteWrite => ("/api/v1/write", 80, options.queue),
        // Only the newest report is of use to the daemon, which keeps the time itself.
        _ => ("/api/applications", 7775, 1),
    };
    let endpoint = Endpoint::read(&config.endpoint, path, port)?;
    let token = config.auth_token.as_deref().map(bearer).transpose()?;
    if token.is_some() && !endpoint.is_local() && !options.allow_plain_auth {
        let reason = "auth_token: it would cross the network in the clear; send to this machine, or set the option \
                      allow_plain_auth to true";
        return Err(reason.to_owned());
    }
    let format = match config.format {
        ExportFormat::Otlp => PushFormat::otlp(options),
        #[cfg(feature = "squirrel")]
        ExportFormat::Squirrel => PushFormat::squirrel(options, interval),
        _ => PushFormat::remote_write(options),
    };
    Ok(Push::new(Target { endpoint, token, interval, queue }, format, context))
}

#[cfg(feature = "push")]
fn interval(config: &ExportConfig) -> Result<Duration, String> {
    match config.interval {
        seconds @ 1..=squirrel_monitor::MAX_INTERVAL_SECONDS => Ok(Duration::from_secs(seconds)),
        seconds => Err(format!("interval is {seconds} s: set it to a number from 1 to a day")),
    }
}

/// Exports a monitor's numbers as its [`NetworkConfig::export`](squirrel_monitor::NetworkConfig::export) says,
/// whenever it runs. Call it before the start.
///
/// # Errors
/// When the configuration has no export. On a running monitor also what [`NetworkMonitor::start`] would
/// say: an option that is not known, an address that is taken.
pub fn install(monitor: &NetworkMonitor) -> Result<HttpExporter, MonitorError> {
    if monitor.config().export.is_none() {
        let reason = "NetworkConfig::export is None: fill it, or use install_with".to_owned();
        return Err(MonitorError::Export { reason });
    }
    attach(monitor, HttpExporter::new())
}

/// As [`install`], by a configuration that the monitor was not made with.
///
/// # Errors
/// As [`install`].
pub fn install_with(monitor: &NetworkMonitor, config: ExportConfig) -> Result<HttpExporter, MonitorError> {
    attach(monitor, HttpExporter::with(config))
}

fn attach(monitor: &NetworkMonitor, exporter: HttpExporter) -> Result<HttpExporter, MonitorError> {
    monitor.attach_exporter(exporter.clone())?;
    Ok(exporter)
}
