//! What a scraper is answered, for a listener of our own or a route of the user's server.

use squirrel_exchange::text::{Format, write};
use squirrel_monitor::MonitorSource;

use crate::families::families;
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
    let _ = write(&mut body, format, &families(&snapshot, options));
    Some(Page { content_type: format.content_type(), body })
}
