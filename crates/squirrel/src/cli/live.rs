//! What can be typed behind `squirrel top` and `squirrel sockets`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// A table of `squirrel top`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TopTable {
    /// Who moves the bytes
    #[default]
    Processes,
    /// Over which connections
    Connections,
    /// With which remote hosts
    Hosts,
    /// Through which interfaces, and where each byte of theirs belongs
    Interfaces,
}

/// What `squirrel top` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TopLevel {
    /// The bytes of each socket; what interfaces carry beyond them is estimated
    Sockets,
    /// Each packet of this namespace's interfaces too, so that their books are exact (Linux 6.6, root)
    Packets,
}

/// Which end of an order comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Direction {
    /// The smallest first
    Asc,
    /// The largest first
    Desc,
}

/// `squirrel top`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that a person types")]
pub(crate) struct Top {
    /// What to show
    #[arg(value_enum, value_name = "TABLE", default_value_t)]
    pub(crate) table: TopTable,
    /// Measure for this long, such as 10s, then print once; an interrupt ends it early, with exit code 130
    #[arg(long = "for", value_name = "TIME", conflicts_with_all = ["once", "interval", "server"])]
    pub(crate) period: Option<String>,
    /// Print once: the totals, and the rates of one second
    #[arg(long, conflicts_with = "interval")]
    pub(crate) once: bool,
    /// Print each time this has passed, until interrupted, which is its usual end: exit code 0 [default: 1s]
    #[arg(long, value_name = "TIME")]
    pub(crate) interval: Option<String>,
    /// Stop after so many prints
    #[arg(long, value_name = "N", conflicts_with_all = ["once", "period"])]
    pub(crate) count: Option<u64>,
    /// Print one JSON document with all tables (without --for or --interval: as with --once)
    #[arg(long, conflicts_with = "json_lines")]
    pub(crate) json: bool,
    /// Print one JSON document a line, each interval
    #[arg(long)]
    pub(crate) json_lines: bool,
    /// Only rows that fulfil this, such as 'user:www-data rate:>1Mbit', or of connections 'port:443 rtt:>50ms'
    #[arg(long, value_name = "FILTER", default_value = "")]
    pub(crate) filter: String,
    /// Order by this field [default: rate, then bytes]
    #[arg(long, value_name = "FIELD")]
    pub(crate) sort: Option<String>,
    /// Which end comes first [default: the largest number, the first text]
    #[arg(long, value_enum)]
    pub(crate) order: Option<Direction>,
    /// Most rows [default: what fits on the terminal; all with --json]
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Ask the daemon at this address; without one that answers, the command measures by itself
    #[arg(long, value_name = "ADDR:PORT", value_parser = super::server_address)]
    pub(crate) server: Option<String>,
    /// Say nothing on standard error but what goes wrong
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Measure without asking a daemon
    #[arg(long, conflicts_with = "server")]
    pub(crate) no_daemon: bool,
    /// What is counted, by the command itself or, with --server, by the daemon while this view is open [default: the
    /// daemon's level, or sockets]
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(crate) level: Option<TopLevel>,
    /// The data directory of the daemon, where its token is, which --level packets shows to it [default: as for
    /// `squirrel serve`]
    #[arg(long, value_name = "DIR", env = "SQUIRREL_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Print the JSON schema of --json
    #[arg(long)]
    pub(crate) schema: bool,
}

/// `squirrel sockets`.
#[derive(Debug, Args)]
#[command(disable_help_flag = false)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that a person types, most of them known from ss")]
pub(crate) struct Sockets {
    /// Which sockets, in the language of ss: state established '( sport = :ssh or dst 10.0.0.0/8 )'
    #[arg(value_name = "FILTER", allow_hyphen_values = false)]
    pub(crate) expression: Vec<String>,
    /// TCP sockets; without -t and -u both kinds
    #[arg(short, long)]
    pub(crate) tcp: bool,
    /// UDP sockets
    #[arg(short, long)]
    pub(crate) udp: bool,
    /// Sockets that listen, and only these
    #[arg(short, long)]
    pub(crate) listening: bool,
    /// Sockets in every state
    #[arg(short, long)]
    pub(crate) all: bool,
    /// IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub(crate) ipv4: bool,
    /// IPv6 only
    #[arg(short = '6', long)]
    pub(crate) ipv6: bool,
    /// Numbers instead of names; that is always so, the flag is for fingers that know ss
    #[arg(short, long)]
    pub(crate) numeric: bool,
    /// Who has the socket open
    #[arg(short, long)]
    pub(crate) processes: bool,
    /// User, inode, cookie and control group
    #[arg(short, long)]
    pub(crate) extended: bool,
    /// Memory and drops
    #[arg(short, long)]
    pub(crate) memory: bool,
    /// What TCP knows: round-trip times, windows, retransmissions, rates
    #[arg(short, long)]
    pub(crate) info: bool,
    /// Timers
    #[arg(short, long)]
    pub(crate) options: bool,
    /// No heading
    #[arg(short = 'H', long)]
    pub(crate) no_header: bool,
    /// In the network namespace of this name, as `ip netns` has it
    #[arg(short = 'N', long = "net", value_name = "NAME")]
    pub(crate) net: Option<String>,
    /// In all network namespaces of the host, each with its name and its container
    #[arg(long, conflicts_with_all = ["net", "kill"])]
    pub(crate) namespaces: bool,
    /// Only sockets that fulfil this, such as 'process:nginx rtt:>50ms'
    #[arg(long, value_name = "FILTER", default_value = "")]
    pub(crate) filter: String,
    /// Order by this field, such as rtt or send_queue
    #[arg(long, value_name = "FIELD")]
    pub(crate) sort: Option<String>,
    /// Which end comes first [default: the largest number, the first text]
    #[arg(long, value_enum)]
    pub(crate) order: Option<Direction>,
    /// Most sockets to print
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Print again each time this has passed, with rates
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "1s", require_equals = true)]
    pub(crate) watch: Option<String>,
    /// Stop after so many prints of --watch
    #[arg(long, value_name = "N", requires = "watch")]
    pub(crate) count: Option<u64>,
    /// Print one JSON document with everything that is known
    #[arg(long)]
    pub(crate) json: bool,
    /// Print one JSON document a line, each time of --watch
    #[arg(long, requires = "watch")]
    pub(crate) json_lines: bool,
    /// Close the sockets that a filter chooses: their programs see a broken connection. Shows them; --yes does it
    #[arg(short = 'K', long, conflicts_with_all = ["watch", "json", "json_lines", "limit"])]
    pub(crate) kill: bool,
    /// Close what --kill shows
    #[arg(long, requires = "kill")]
    pub(crate) yes: bool,
    /// Print the JSON schema of --json
    #[arg(long)]
    pub(crate) schema: bool,
}
