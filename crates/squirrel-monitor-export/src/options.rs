//! The words of `ExportConfig::options`.

use std::collections::HashMap;

use squirrel_exchange::remote_write::Version;

/// Bounds of histograms in seconds unless told otherwise: a local call to a long wait, 1, 2.5, 5 in each decade.
const BUCKETS: [f64; 21] = [
    1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    10.0, 30.0, 100.0,
];

/// Most bounds of a histogram.
const MAX_BUCKETS: usize = 200;

/// Which names the latencies of messages have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Any.
    #[default]
    Any,
    /// `mcp.server.operation.duration`.
    McpServer,
    /// `mcp.client.operation.duration`.
    McpClient,
}

/// How numbers are named and sent; read from [`ExportConfig::options`](squirrel_monitor::ExportConfig::options).
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// `service.*` attributes, name and instance always among them.
    pub(crate) service: Vec<(String, String)>,
    pub(crate) protocol: Protocol,
    pub(crate) buckets: Vec<f64>,
    pub(crate) exponential: bool,
    pub(crate) queue: usize,
    /// Of remote write; `None` is to be found out.
    pub(crate) version: Option<Version>,
    pub(crate) allow_plain_auth: bool,
}

/// Why options were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("option {name:?}: {reason}")]
pub struct OptionsError {
    /// The option's name.
    pub name: String,
    /// What it may be.
    pub reason: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        let service = [("service.name", program()), ("service.instance.id", instance())];
        Self {
            service: service.map(|(name, value)| (name.to_owned(), value)).into(),
            protocol: Protocol::Any,
            buckets: BUCKETS.into(),
            exponential: false,
            queue: 20,
            version: None,
            allow_plain_auth: false,
        }
    }
}

impl Options {
    /// Reads options by their names.
    ///
    /// # Errors
    /// The first, by name, that is not known or has a value that it cannot have.
    pub fn read(options: &HashMap<String, String>) -> Result<Self, OptionsError> {
        let mut read = Self::default();
        let mut sorted: Vec<(&String, &String)> = options.iter().collect();
        sorted.sort();
        for (name, value) in sorted {
            read.set(name, value).map_err(|reason| OptionsError { name: name.clone(), reason })?;
        }
        Ok(read)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        match name {
            "service.name" | "service.version" | "service.namespace" | "service.instance.id" => {
                if value.is_empty() || value.len() > 256 {
                    return Err("it has 1 to 256 octets");
                }
                self.service.retain(|(known, _)| known != name);
                self.service.push((name.to_owned(), value.to_owned()));
            }
            "protocol" => {
                self.protocol = match value {
                    "mcp.server" => Protocol::McpServer,
                    "mcp.client" => Protocol::McpClient,
                    _ => return Err("`mcp.server` or `mcp.client`"),
                }
            }
            "buckets" => {
                self.buckets = buckets(value).ok_or("rising numbers above zero, separated by commas, at most 200")?;
            }
            "histogram" => {
                self.exponential = match value {
                    "exponential" => true,
                    "classic" => false,
                    _ => return Err("`classic` or `exponential`"),
                }
            }
            "queue" => {
                let known = value.parse().ok().filter(|queue| (1..=1_000).contains(queue));
                self.queue = known.ok_or("a number from 1 to 1000")?;
            }
            "protocol_version" => {
                self.version = match value {
                    "1.0" => Some(Version::V1),
                    "2.0" => Some(Version::V2),
                    _ => return Err("`1.0` or `2.0`"),
                }
            }
            "allow_plain_auth" => self.allow_plain_auth = value.parse().map_err(|_| "`true` or `false`")?,
            _ => return Err("it is not known; the documentation of squirrel-monitor-export lists those that are"),
        }
        Ok(())
    }

    #[cfg(any(feature = "squirrel", test))]
    pub(crate) fn service(&self, name: &str) -> &str {
        self.service.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

fn buckets(text: &str) -> Option<Vec<f64>> {
    let bounds: Option<Vec<f64>> = text.split(',').map(|bound| bound.trim().parse().ok()).collect();
    let sound = |bounds: &Vec<f64>| {
        bounds.len() <= MAX_BUCKETS
            && bounds.iter().all(|bound: &f64| bound.is_finite() && *bound > 0.0)
            && bounds.is_sorted_by(|low, high| low < high)
    };
    bounds.filter(sound)
}

/// The program's name.
fn program() -> String {
    let path = std::env::current_exe().ok();
    let name = path.as_deref().and_then(|path| path.file_stem()).and_then(|name| name.to_str());
    name.unwrap_or("application").to_owned()
}

/// Host and process: in a container the process is often 1, and its host's name is its own.
fn instance() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    format!("{}:{}", if host.is_empty() { "localhost" } else { host }, std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Result<Options, OptionsError> {
        Options::read(&[(name.to_owned(), value.to_owned())].into())
    }

    #[test]
    fn options_are_read_and_mistakes_are_named() {
        assert_eq!(read("buckets", "0.1, 1,10").unwrap().buckets, [0.1, 1.0, 10.0]);
        assert_eq!(read("service.name", "shop").unwrap().service("service.name"), "shop");
        assert_eq!(read("protocol_version", "1.0").unwrap().version, Some(Version::V1));
        let wrong = [
            ("bucket", "1"),
            ("buckets", "1,1"),
            ("buckets", "0,1"),
            ("buckets", "1,inf"),
            ("buckets", ""),
            ("queue", "0"),
            ("queue", "1001"),
            ("service.name", ""),
            ("protocol", "mcp"),
            ("histogram", "native"),
        ];
        for (name, value) in wrong {
            assert_eq!(read(name, value).map_err(|error| error.name), Err(name.to_owned()), "{value}");
        }
    }

    #[test]
    fn without_options_the_process_has_a_name() {
        let options = Options::read(&HashMap::new()).unwrap();
        assert!(options.service("service.instance.id").ends_with(&format!(":{}", std::process::id())));
        assert!(!options.service("service.name").is_empty());
    }
}
