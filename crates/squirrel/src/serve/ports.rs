//! Where this host's ephemeral ports lead to, for whoever reads that they are near exhausted.

use std::sync::Arc;

use squirrel_api::live::{EphemeralPorts, LIVE_SCHEMA, PortsTo};
use squirrel_api::{ApiError, ErrorType};
use squirrel_sys::Kernel;

/// Most destinations of an answer.
const MOST: usize = 20;

/// Counts them when it is asked.
pub(super) fn reader(kernel: &Arc<dyn Kernel>) -> Arc<dyn Fn() -> Result<EphemeralPorts, ApiError> + Send + Sync> {
    let kernel = Arc::clone(kernel);
    Arc::new(move || {
        let unavailable = |why: String| ApiError::new(ErrorType::Unavailable, why);
        let found = squirrel_collect::ephemeral_ports(&*kernel, MOST)
            .map_err(|error| unavailable(format!("TCP sockets cannot be listed: {error}")))?;
        found.map(|found| document(&found)).ok_or_else(|| {
            unavailable("the kernel does not tell its range of ports (net.ipv4.ip_local_port_range)".to_owned())
        })
    })
}

fn document(found: &squirrel_collect::EphemeralPorts) -> EphemeralPorts {
    let (first, last) = (*found.range.start(), *found.range.end());
    let row = |one: &squirrel_collect::PortsTo| PortsTo {
        local_address: one.local.to_string(),
        remote_address: one.remote.to_string(),
        remote_port: one.port,
        used: one.used,
        time_wait: one.time_wait,
        ratio: f64::from(one.used) / (f64::from(last) - f64::from(first) + 1.0),
    };
    let destinations = found.destinations.iter().map(row).collect();
    EphemeralPorts { schema: LIVE_SCHEMA.into(), first, last, destinations }
}
