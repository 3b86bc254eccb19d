//! What can be typed behind `squirrel throughput`. Where iperf3 has a letter for something, it is the same here.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use squirrel_throughput::protocol::DEFAULT_PORT;

/// `squirrel throughput`.
#[derive(Debug, Subcommand)]
pub(crate) enum Throughput {
    /// Answer clients, Squirrel's and iperf3's, many at once.
    #[command(before_help = "\
Examples:
  squirrel throughput server
  squirrel throughput server --listen 192.0.2.1:5201 --max-rate 1G --max-duration 60s
  squirrel throughput server --rsa-private-key-path private.pem --authorized-users-path users.csv
  squirrel throughput server --one-off --json")]
    Server(ThroughputServer),
    /// Measure what a path carries, which part limits it, and how it answers while it is loaded.
    #[command(before_help = "\
Examples:
  squirrel throughput client iperf.example
  squirrel throughput client iperf.example -R -P 4 -t 30s
  squirrel throughput client iperf.example -u -b 500M --json
  squirrel throughput client 192.0.2.1 --bidir --dscp ef
  squirrel throughput client 192.0.2.1 --username ann --password-file secret --rsa-public-key-path public.pem")]
    Client(Box<ThroughputClient>),
}

/// `squirrel throughput server`.
#[derive(Debug, Args)]
pub(crate) struct ThroughputServer {
    /// Address and port to listen on, or a port alone [default: every address, port 5201]
    #[arg(short, long, value_name = "ADDR:PORT", value_parser = listen)]
    pub(crate) listen: Option<SocketAddr>,
    /// Runs at once; who comes then is told that the server is busy
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) max_clients: u16,
    /// The longest run
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub(crate) max_duration: String,
    /// Bits a second that one run may have in one direction, such as 500M; without it, what the path carries
    #[arg(long, value_name = "RATE")]
    pub(crate) max_rate: Option<String>,
    /// End after one run
    #[arg(short = '1', long)]
    pub(crate) one_off: bool,
    /// Serve only those that log in: the key of RSA in PEM, not encrypted, that logins are encrypted to
    #[arg(long, value_name = "FILE", requires = "authorized_users_path")]
    pub(crate) rsa_private_key_path: Option<PathBuf>,
    /// Who may log in: a line NAME,HASH for each, the hash by `echo -n '{NAME}PASSWORD' | sha256sum`
    #[arg(long, value_name = "FILE", requires = "rsa_private_key_path")]
    pub(crate) authorized_users_path: Option<PathBuf>,
    /// By how much a client's clock may differ at a login
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub(crate) time_skew_threshold: String,
    /// Print a JSON document a line for each run, with iperf3's names
    #[arg(long)]
    pub(crate) json: bool,
}

/// `squirrel throughput client`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that a person types, most of them known from iperf3")]
pub(crate) struct ThroughputClient {
    /// Name or address of the server, Squirrel's or iperf3's
    #[arg(value_name = "HOST")]
    pub(crate) host: String,
    /// Its port
    #[arg(short, long, value_name = "PORT", default_value_t = DEFAULT_PORT, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: u16,
    /// How long, in whole seconds [default: 10s]
    #[arg(short, long, value_name = "TIME", conflicts_with_all = ["bytes", "blocks"])]
    pub(crate) time: Option<String>,
    /// Until so many octets were moved, such as 1G
    #[arg(short = 'n', long, value_name = "OCTETS", conflicts_with = "blocks")]
    pub(crate) bytes: Option<String>,
    /// Until so many blocks or datagrams were moved
    #[arg(short = 'k', long, value_name = "N")]
    pub(crate) blocks: Option<String>,
    /// Time at the beginning that does not count
    #[arg(short = 'O', long, value_name = "TIME")]
    pub(crate) omit: Option<String>,
    /// Datagrams of UDP in place of TCP
    #[arg(short, long)]
    pub(crate) udp: bool,
    /// The server sends
    #[arg(short = 'R', long)]
    pub(crate) reverse: bool,
    /// Both send at once
    #[arg(long, conflicts_with = "reverse")]
    pub(crate) bidir: bool,
    /// Streams in each direction
    #[arg(short = 'P', long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=128))]
    pub(crate) parallel: u32,
    /// Bits a second of each stream, such as 500M; 0 is without a limit [default: 1M with UDP, else 0]
    #[arg(short, long, value_name = "RATE")]
    pub(crate) bitrate: Option<String>,
    /// Octets of a write or a datagram [default: 256K, or what fits the path whole]
    #[arg(short, long, value_name = "OCTETS")]
    pub(crate) length: Option<String>,
    /// Octets of the sockets' buffers, and so of the window
    #[arg(short, long, value_name = "OCTETS")]
    pub(crate) window: Option<String>,
    /// Largest segment of TCP
    #[arg(short = 'M', long = "set-mss", value_name = "OCTETS", value_parser = clap::value_parser!(u32).range(88..=65_495))]
    pub(crate) mss: Option<u32>,
    /// Small writes are sent at once
    #[arg(short = 'N', long)]
    pub(crate) no_delay: bool,
    /// Congestion control of TCP, such as cubic or bbr
    #[arg(short = 'C', long, value_name = "NAME")]
    pub(crate) congestion: Option<String>,
    /// Octet of the type of service or traffic class
    #[arg(short = 'S', long, value_name = "NUMBER", conflicts_with = "dscp")]
    pub(crate) tos: Option<String>,
    /// Class: a number from 0 to 63, or a name such as ef, af41, cs1
    #[arg(long, value_name = "DSCP")]
    pub(crate) dscp: Option<String>,
    /// Send without copying (sendfile)
    #[arg(short = 'Z', long)]
    pub(crate) zerocopy: bool,
    /// Send from this address
    #[arg(short = 'B', long, value_name = "ADDR")]
    pub(crate) bind: Option<IpAddr>,
    /// IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub(crate) ipv4: bool,
    /// IPv6 only
    #[arg(short = '6', long)]
    pub(crate) ipv6: bool,
    /// Time between figures; 0 for the summary alone
    #[arg(short, long, value_name = "TIME", default_value = "1s")]
    pub(crate) interval: String,
    /// Log in under this name; the password is in --password-file or the environment's IPERF3_PASSWORD
    #[arg(long, value_name = "NAME", requires = "rsa_public_key_path")]
    pub(crate) username: Option<String>,
    /// A file with the password and nothing else
    #[arg(long, value_name = "FILE", requires = "username")]
    pub(crate) password_file: Option<PathBuf>,
    /// The server's public key of RSA in PEM
    #[arg(long, value_name = "FILE", requires = "username")]
    pub(crate) rsa_public_key_path: Option<PathBuf>,
    /// Pad the login as iperf3 before 3.17 does
    #[arg(long, requires = "username")]
    pub(crate) use_pkcs1_padding: bool,
    /// Send no echoes beside the run
    #[arg(long)]
    pub(crate) no_latency: bool,
    /// Print one JSON document at the end, with iperf3's names
    #[arg(short = 'J', long, conflicts_with = "json_lines")]
    pub(crate) json: bool,
    /// Print a JSON document a line: the start, each interval, the end
    #[arg(long)]
    pub(crate) json_lines: bool,
}

/// An address with a port, or a port.
fn listen(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix(':').unwrap_or(text).parse().map(every_address);
    let address = text.parse().map(|address: IpAddr| SocketAddr::new(address, DEFAULT_PORT));
    text.parse().or(port).or(address).map_err(|_| "it is no address and port such as 192.0.2.1:5201".to_owned())
}

/// Every address of this host, of IPv4 and IPv6.
pub(crate) fn every_address(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::Ipv6Addr::UNSPECIFIED.into(), port)
}
