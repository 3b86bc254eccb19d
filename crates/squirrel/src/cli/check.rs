//! What can be typed behind `squirrel check`.

use std::path::PathBuf;

use clap::Args;

/// `squirrel check`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that a person types")]
pub(crate) struct Check {
    /// What is looked at (http, tcp, tls, icmp, dns, ntp, smtp, plugin) and the targets; with --module targets alone.
    /// A plugin of Nagios and its arguments stand behind --
    #[arg(value_name = "KIND|TARGET")]
    pub(crate) words: Vec<String>,
    /// Look by this module in place of a kind
    #[arg(short, long, value_name = "NAME")]
    pub(crate) module: Option<String>,
    /// Modules of this file too, in blackbox_exporter's form
    #[arg(long, value_name = "FILE")]
    pub(crate) modules: Option<PathBuf>,
    /// List the modules that there are
    #[arg(long)]
    pub(crate) list: bool,
    /// The time for each target, from its name to the last octet; a bare number is seconds [default: 10s, or the
    /// module's]
    #[arg(short = 'W', long, value_name = "TIME")]
    pub(crate) timeout: Option<String>,
    /// A pattern that has to be found: in the page of http, in a line of tcp and tls, in each record of dns's answer
    #[arg(short, long, value_name = "PATTERN")]
    pub(crate) expect: Option<String>,
    /// A status of http that is good, in place of 2xx; may be given several times
    #[arg(long, value_name = "CODE", value_parser = clap::value_parser!(u16).range(100..=999))]
    pub(crate) status: Vec<u16>,
    /// The name that the servers of dns are asked about [default: the root]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// What they are asked of it, such as A, AAAA, MX, SOA [default: A, of the root NS]
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) record: Option<String>,
    /// How they are asked: udp, tcp or tls [default: udp]
    #[arg(long, value_name = "TRANSPORT", value_parser = ["udp", "tcp", "tls"])]
    pub(crate) over: Option<String>,
    /// The largest difference of a clock of ntp that is good, such as 100ms
    #[arg(long, value_name = "TIME")]
    pub(crate) max_offset: Option<String>,
    /// IPv4 where a name has it [default: IPv6]
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub(crate) ipv4: bool,
    /// IPv6 alone
    #[arg(short = '6', long)]
    pub(crate) ipv6: bool,
    /// Take any certificate from anybody
    #[arg(short = 'k', long)]
    pub(crate) insecure: bool,
    /// Also tell what happened, line by line
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the JSON schema of --json
    #[arg(long)]
    pub(crate) schema: bool,
}
