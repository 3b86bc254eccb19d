//! What is inspected, and from which side.

use std::fmt;
use std::sync::Arc;

use squirrel_inspect::{Inspectors, Limits};

/// Sessions of MCP over HTTP that are kept, unless told otherwise.
const DEFAULT_MAX_SESSIONS: usize = 1_024;

/// Which way a message went, seen from this application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageDirection {
    /// It came from the network.
    Received,
    /// It goes to the network.
    Sent,
}

/// What this application is in a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// It opened the conversation.
    Client,
    /// It was opened to it.
    #[default]
    Server,
}

/// How a monitor inspects messages: handed to
/// [`NetworkMonitorBuilder::inspection`](crate::NetworkMonitorBuilder::inspection).
///
/// ```
/// use squirrel_monitor::{InspectionOptions, NetworkConfig, NetworkMonitor, Role};
///
/// let options = InspectionOptions::new("mcp-http").role(Role::Client);
/// let monitor = NetworkMonitor::builder(NetworkConfig::default()).inspection(options).build();
/// let mut connection = monitor.inspection()?;
/// # let _ = &mut connection;
/// # Ok::<(), squirrel_monitor::MonitorError>(())
/// ```
#[derive(Clone)]
#[must_use = "options do nothing before a monitor has them"]
pub struct InspectionOptions {
    pub(super) protocol: String,
    pub(super) role: Role,
    pub(super) limits: Limits,
    pub(super) inspectors: Arc<Inspectors>,
    pub(super) max_sessions: usize,
    pub(super) fields: Vec<String>,
}

impl InspectionOptions {
    /// Inspects a protocol: one of `http`, `jsonrpc`, `mcp` (over stdio), `mcp-http` (over streamable HTTP),
    /// `websocket`, or the name of an inspector of your own. An unknown name is told when a conversation
    /// begins, and when the monitor is started.
    pub fn new(protocol: &str) -> Self {
        Self { protocol: protocol.to_owned(), ..Self::default() }
    }

    /// What this application is in its conversations.
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// What one conversation may use of memory and patience.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How many sessions of MCP over HTTP are kept, instead of 1,024; for a new one that which was silent for
    /// longest is forgotten. Each takes about 5 KB and its waiting requests.
    pub fn max_sessions(mut self, sessions: usize) -> Self {
        self.max_sessions = sessions;
        self
    }

    /// Makes statistics of these fields, of none unless told: names of members from the message inwards with dots
    /// between, such as `params.arguments.size`, in protocols of JSON. At most 16. Numbers have count, least,
    /// greatest, sum and percentiles; texts are counted one by one, up to
    /// [`MAX_FIELD_TEXTS`](crate::MAX_FIELD_TEXTS): they are kept as they came. A path that cannot be
    /// followed is told when a conversation begins, and when the monitor is started.
    pub fn fields<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.fields = paths.into_iter().map(Into::into).collect();
        self
    }

    /// The table of inspectors: the built-in ones with those of your own.
    pub fn inspectors(mut self, inspectors: Inspectors) -> Self {
        self.inspectors = Arc::new(inspectors);
        self
    }
}

impl Default for InspectionOptions {
    /// A server of the Model Context Protocol over stdio, with the default limits.
    fn default() -> Self {
        Self {
            protocol: "mcp".to_owned(),
            role: Role::default(),
            limits: Limits::default(),
            inspectors: Arc::default(),
            max_sessions: DEFAULT_MAX_SESSIONS,
            fields: Vec::new(),
        }
    }
}

impl fmt::Debug for InspectionOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("InspectionOptions");
        fields.field("protocol", &self.protocol).field("role", &self.role).field("limits", &self.limits);
        fields.finish_non_exhaustive()
    }
}
