//! What a scraper is answered, for a listener of our own or a route of the user's server.

use squirrel_exchange::text::{Format, write};
use squirrel_monitor::MonitorSource;

use crate::families::{families, target};
use crate::options::Options;

/// An answer to a scrape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// The numbers of a monitor as text, in the format that the `Accept` of the request asks for (an empty one is
/// answered in Prometheus' own). `None` when the monitor is gone.
pub fn page(source: &MonitorSource, options: &Options, accept: &str) -> Option<Page> {
    let snapshot = source.snapshot()?;
    let format = Format::of_accept(accept);
    let mut body = String::with_capacity(8_192);
    // What is refused would be two names that become one: ours are not.
    let families: Vec<_> = families(&snapshot, options).into_iter().chain(target(options)).collect();
    let _ = write(&mut body, format, &families);
    Some(Page { content_type: format.content_type(), body })
}

#[cfg(test)]
mod tests {
    use super::*;
    use squirrel_monitor::{NetworkConfig, NetworkMonitor};

    #[test]
    fn what_is_known_of_the_service_is_on_the_page() {
        let monitor = NetworkMonitor::new(NetworkConfig::default());
        let given = [("service.version".to_owned(), "1.2".to_owned())].into();
        let page = |options: &Options| page(&monitor.source(), options, "").unwrap().body;
        assert!(page(&Options::read(&given).unwrap()).contains("\ntarget_info{service_version=\"1.2\"} 1\n"));
        assert!(!page(&Options::default()).contains("target_info"));
    }

    #[test]
    fn a_monitor_that_is_gone_has_no_page() {
        let source = NetworkMonitor::new(NetworkConfig::default()).source();
        assert_eq!(page(&source, &Options::default(), ""), None);
    }
}
