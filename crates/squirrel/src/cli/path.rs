//! What can be typed behind `squirrel path`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

/// `squirrel path`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that a person types, most of them known from mtr")]
pub(crate) struct Path {
    /// A name or an address
    #[arg(value_name = "TARGET", required_unless_present_any = ["replay", "compare", "schema"])]
    pub(crate) target: Option<String>,
    /// Rounds, each of which asks every hop [default: until interrupted; 10 where the output comes at the end]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: Option<u32>,
    /// Time from one round to the next, from 100ms on; a bare number is seconds
    #[arg(short, long, value_name = "TIME", default_value = "1s")]
    pub(crate) interval: String,
    /// How long an answer is waited for
    #[arg(short = 'W', long, value_name = "TIME", default_value = "2s")]
    pub(crate) timeout: String,
    /// Begin rounds for this long, such as 10m
    #[arg(short = 'w', long = "for", value_name = "TIME")]
    pub(crate) period: Option<String>,
    /// The nearest hop that is asked
    #[arg(short, long, value_name = "HOP", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) first: u8,
    /// The farthest hop that is asked
    #[arg(short, long, value_name = "HOP", default_value_t = 30, value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) max: u8,
    /// Flows, each of which may take a way of its own where there are several
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) flows: u16,
    /// Ask by echoes of ICMP, and by nothing else [default: by datagrams where these are not permitted]
    #[arg(long, group = "carrier")]
    pub(crate) icmp: bool,
    /// Ask by datagrams of UDP, which need no privilege
    #[arg(short, long, group = "carrier")]
    pub(crate) udp: bool,
    /// Ask for connections of TCP, which filters let pass where the service is offered; none is kept
    #[arg(short = 'T', long, group = "carrier")]
    pub(crate) tcp: bool,
    /// Port that datagrams go to, at which nobody should listen [default: 33434], or connections [default: 443]
    #[arg(short, long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,
    /// Search the largest packet that comes whole to each hop, before the first round
    #[arg(long, conflicts_with = "tcp")]
    pub(crate) mtu: bool,
    /// Class of the questions: a number from 0 to 63, or a name such as ef, af41, cs1
    #[arg(long, value_name = "DSCP")]
    pub(crate) dscp: Option<String>,
    /// Mark the questions as able to carry ECN, to see which hop takes that away
    #[arg(long)]
    pub(crate) ecn: bool,
    /// Send from this address
    #[arg(short = 'S', long, value_name = "ADDR")]
    pub(crate) source: Option<IpAddr>,
    /// Send through this interface
    #[arg(short = 'I', long, value_name = "NAME")]
    pub(crate) interface: Option<String>,
    /// Mark the packets for policy routing (CAP_NET_ADMIN)
    #[arg(long, value_name = "NUMBER")]
    pub(crate) fwmark: Option<u32>,
    /// IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub(crate) ipv4: bool,
    /// IPv6 only
    #[arg(short = '6', long)]
    pub(crate) ipv6: bool,
    /// The recent loss tells of so many questions
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) window: u16,
    /// Show no names of hops, and ask nobody for them
    #[arg(short, long)]
    pub(crate) no_names: bool,
    /// Ask this server of DNS for names [default: those of /etc/resolv.conf]
    #[arg(long, value_name = "ADDR[:PORT]", conflicts_with = "no_names")]
    pub(crate) resolver: Option<String>,
    /// Show each hop's rounds as a row of marks: how slow, and where lost
    #[arg(long, conflicts_with_all = ["form", "compare"])]
    pub(crate) heat: bool,
    /// Autonomous systems from a file with a line for each prefix: prefix,number,name (commas or tabs)
    #[arg(long, value_name = "FILE")]
    pub(crate) as_file: Option<PathBuf>,
    /// Show a recording that --json-lines or --json made
    #[arg(long, value_name = "FILE", conflicts_with = "target")]
    pub(crate) replay: Option<PathBuf>,
    /// Show what is different between two recordings
    #[arg(long, value_names = ["BEFORE", "AFTER"], num_args = 2, conflicts_with_all = ["target", "replay"])]
    pub(crate) compare: Option<Vec<PathBuf>>,
    /// Print one JSON document at the end
    #[arg(long, group = "form")]
    pub(crate) json: bool,
    /// Print a JSON document a line: each question's outcome, at the end the figures; a recording for --replay
    #[arg(long, group = "form")]
    pub(crate) json_lines: bool,
    /// Print comma-separated values at the end
    #[arg(long, group = "form")]
    pub(crate) csv: bool,
    /// Print a table of Markdown at the end
    #[arg(long, group = "form")]
    pub(crate) markdown: bool,
    /// Print a graph for Graphviz at the end
    #[arg(long, group = "form")]
    pub(crate) dot: bool,
    /// Print the JSON schema of --json
    #[arg(long)]
    pub(crate) schema: bool,
}
