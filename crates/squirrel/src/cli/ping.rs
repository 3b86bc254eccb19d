//! What can be typed behind `squirrel ping`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

/// `squirrel ping`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that a person types, most of them known from ping")]
pub(crate) struct Ping {
    /// Names, addresses, or subnets such as 192.0.2.0/24
    #[arg(value_name = "TARGET")]
    pub(crate) targets: Vec<String>,
    /// Ask each target so often [default: until interrupted; with --json 5]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: Option<u32>,
    /// Time between two questions to one target, from 1ms on; a bare number is seconds
    #[arg(short, long, value_name = "TIME", default_value = "1s")]
    pub(crate) interval: String,
    /// How long an answer is waited for
    #[arg(short = 'W', long, value_name = "TIME", default_value = "2s")]
    pub(crate) timeout: String,
    /// Ask for this long, such as 10m
    #[arg(short = 'w', long = "for", value_name = "TIME")]
    pub(crate) period: Option<String>,
    /// Octets of payload
    #[arg(short, long, value_name = "OCTETS", default_value_t = 56, value_parser = clap::value_parser!(u16).range(..=65_507))]
    pub(crate) size: u16,
    /// Time to live of the questions
    #[arg(short, long, value_name = "HOPS", value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) ttl: Option<u8>,
    /// Class of the questions: a number from 0 to 63, or a name such as ef, af41, cs1
    #[arg(long, value_name = "DSCP")]
    pub(crate) dscp: Option<String>,
    /// Send from this address
    #[arg(short = 'S', long, value_name = "ADDR")]
    pub(crate) source: Option<IpAddr>,
    /// Send through this interface
    #[arg(short = 'I', long, value_name = "NAME")]
    pub(crate) interface: Option<String>,
    /// Mark the packets for policy routing (CAP_NET_ADMIN)
    #[arg(long, value_name = "NUMBER")]
    pub(crate) fwmark: Option<u32>,
    /// Routers may not cut the packets
    #[arg(short = 'M', long)]
    pub(crate) dont_fragment: bool,
    /// Search the largest packet that the path takes whole
    #[arg(long, conflicts_with_all = ["size", "count", "period", "json_lines", "fail_on"])]
    pub(crate) path_mtu: bool,
    /// IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub(crate) ipv4: bool,
    /// IPv6 only
    #[arg(short = '6', long)]
    pub(crate) ipv6: bool,
    /// Every address of each name, not only the first
    #[arg(short = 'm', long)]
    pub(crate) all_addresses: bool,
    /// Targets from a file, one a line, # begins a comment; - is standard input
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The recent figures tell of so many questions
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) window: u16,
    /// Exit with 1 if a target is worse than this, such as loss=1%,p95=50ms
    #[arg(long, value_name = "LIMITS")]
    pub(crate) fail_on: Option<String>,
    /// Only the table at the end
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Print one JSON document at the end
    #[arg(long, conflicts_with = "json_lines")]
    pub(crate) json: bool,
    /// Print a JSON document a line: each question's outcome, at the end the figures
    #[arg(long)]
    pub(crate) json_lines: bool,
    /// Print the JSON schema of --json
    #[arg(long)]
    pub(crate) schema: bool,
}
