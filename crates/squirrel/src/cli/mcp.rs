//! What can be typed behind `squirrel mcp`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Subcommand;

/// `squirrel mcp …`.
#[derive(Debug, Subcommand)]
pub(crate) enum Mcp {
    /// Start a server and stand between it and its client, on stdio: octets, signals and the exit status
    /// pass unchanged, and a summary of methods and tools comes on standard error at the end.
    #[command(before_help = "\
Examples:
  squirrel mcp wrap -- my-server --flag            in a client's configuration, instead of: my-server --flag
  squirrel mcp wrap --report /tmp/mcp.txt -- my-server
  squirrel mcp wrap --json --report /tmp/mcp.json --interval 2s -- my-server")]
    Wrap(Wrap),
    /// Listen for requests of streamable HTTP and pass them on to a server: answers and event streams come
    /// back unchanged, and a summary comes on standard error at the end.
    #[command(before_help = "\
Examples:
  squirrel mcp proxy --to http://127.0.0.1:3001/mcp
  squirrel mcp proxy --listen 127.0.0.1:9000 --to http://mcp.internal:8080/mcp
  squirrel mcp proxy --to http://127.0.0.1:3001/mcp --json-lines --events | jq -c 'select(.error)'")]
    Proxy(Proxy),
}

/// `squirrel mcp proxy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Proxy {
    /// The server, such as http://127.0.0.1:3001/mcp. Requests for / go to that path, others to the path they name
    #[arg(long, value_name = "URL")]
    pub(crate) to: String,
    /// Address and port to answer on; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Answer on an address that other machines can reach: whoever reaches it uses the server
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// Print the summary as one JSON document in a line, at each interval and at the end
    #[arg(long)]
    pub(crate) json_lines: bool,
    /// Print a line for each message and failure too, as it passes
    #[arg(long, requires = "json_lines")]
    pub(crate) events: bool,
    /// How often the summary is printed
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub(crate) interval: String,
}

/// `squirrel mcp wrap`.
#[derive(Debug, clap::Args)]
pub(crate) struct Wrap {
    /// Write the summary to a file, again and again and at the end, instead of standard error
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Write it as one JSON document
    #[arg(long)]
    pub(crate) json: bool,
    /// How often the file is written
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub(crate) interval: String,
    /// The server and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}
