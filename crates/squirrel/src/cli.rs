//! What can be typed. Only words are judged here; what they mean is decided by each command.

mod check;
mod config;
mod keeper;
mod live;
mod mcp;
mod path;
mod ping;
mod questions;
mod throughput;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

pub(crate) use check::Check;
pub(crate) use config::{ConfigCommand, ConfigSource, Serve};
pub(crate) use keeper::KeeperRole;
pub(crate) use live::{Direction, Sockets, Top, TopLevel, TopTable};
pub(crate) use mcp::{Mcp, Proxy, Wrap};
pub(crate) use path::Path;
pub(crate) use ping::Ping;
pub(crate) use questions::{Explain, Query, Status};
pub(crate) use throughput::{Throughput, ThroughputClient, ThroughputServer, every_address};

const EXAMPLES: &str = "\
Examples:
  squirrel serve                                   watch this host, show it at http://127.0.0.1:7775
  squirrel top                                     who uses the network now: every byte has an owner
  squirrel top --json --for 10s                    the same over ten seconds, for scripts
  squirrel sockets -tp state established           the sockets, in the language of ss
  squirrel status                                  is all well, and what is not
  squirrel ping --json -c 10 192.0.2.1 example.org whether they answer, and how fast, by the kernel's clock
  squirrel path example.org                        who stands on the way, and where packets are lost
  squirrel check http https://example.org          whether a server does what it should, and which part is slow
  squirrel throughput client iperf.example         what the path carries, which part limits it, latency under load
  squirrel probes                                  what is probed on a schedule, and how it stands
  squirrel query 'rate(node_network_receive_bytes_total[10s])'
  squirrel alerts                                  what fires now, and rule files judged and tried
  squirrel explain node_netstat_Tcp_RetransSegs    what a metric means and what to check first
  squirrel record /tmp/host                        keep what the kernel answers, for a bug report
  squirrel mcp wrap -- my-server                   methods, tools and latencies of an MCP server
  squirrel config init > squirrel.toml             a commented configuration to start from";

/// A network monitor for Linux: every byte, every second, kept.
#[derive(Debug, Parser)]
#[command(name = "squirrel", version = env!("SQUIRREL_VERSION"), before_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch this host: collectors, store, API and dashboard.
    #[command(before_help = "\
Examples:
  squirrel serve
  squirrel serve --data-dir /tmp/squirrel --listen 127.0.0.1:8000
  squirrel serve --config /etc/squirrel/squirrel.toml")]
    Serve(Serve),
    /// Who uses the network: processes, connections, hosts, interfaces with their bytes.
    #[command(before_help = "\
Examples:
  squirrel top                                     processes, refreshed each second
  squirrel top connections --filter 'port:443 rtt:>50ms'
  squirrel top --json --for 10s                    what was moved in ten seconds, as one document
  squirrel top hosts --once --limit 20
  squirrel top interfaces --interval 5s --json-lines")]
    Top(Top),
    /// List, watch or close sockets, with the filters of ss.
    #[command(before_help = "\
Examples:
  squirrel sockets -t state established            connections of TCP
  squirrel sockets -lp                             who listens where
  squirrel sockets -ti dst 10.0.0.0/8 and dport = :443
  squirrel sockets --watch --filter 'process:nginx' --sort transmit_rate
  squirrel sockets --kill dst 192.0.2.7            shows what would be closed; --yes closes it")]
    Sockets(Sockets),
    /// Whether targets answer, and how fast: echoes of ICMP, timed by the kernel.
    #[command(before_help = "\
Examples:
  squirrel ping 192.0.2.1
  squirrel ping -i 10ms -c 1000 --quiet router.example
  squirrel ping --json -c 5 192.0.2.0/24           every host of a subnet, as one document
  squirrel ping --fail-on loss=1%,p95=50ms -c 100 example.org && echo good
  squirrel ping --path-mtu example.org             the largest packet that the way there takes whole")]
    Ping(Ping),
    /// Which hosts stand on the way to a target, where packets are lost, and where time is spent.
    #[command(before_help = "\
Examples:
  squirrel path example.org                        a table that is kept up, until interrupted
  squirrel path --json -c 30 192.0.2.1             one document, with a verdict in words
  squirrel path -T -p 443 example.org              by connections, where echoes are filtered
  squirrel path --heat example.org                 hop by time: when was it slow, when was it lost
  squirrel path --mtu --ecn example.org            how large packets may be, and who changes their class
  squirrel path --flows 8 -c 10 --dot example.org  all ways of equal cost, as a graph
  squirrel path --json-lines -c 60 example.org > before.jsonl
  squirrel path --replay before.jsonl
  squirrel path --compare before.jsonl after.jsonl what is different")]
    Path(Path),
    /// Whether servers do what they should: web, mail, names, time, any TCP, and Nagios' plugins.
    #[command(before_help = "\
Examples:
  squirrel check http https://example.org https://example.net
  squirrel check http --status 401 --expect 'sign in' https://intranet.example/
  squirrel check tls --verbose example.org         versions, chain and expiry; port 443 unless one is named
  squirrel check dns --name example.org --type MX 192.0.2.53
  squirrel check smtp mail.example                 greeting, STARTTLS and certificate
  squirrel check ntp --max-offset 100ms ntp.example
  squirrel check --module ssh_banner host.example:22
  squirrel check --modules blackbox.yml --module my_page --json https://example.org
  squirrel check plugin -- /usr/lib/nagios/plugins/check_load -r -w 2 -c 4")]
    Check(Check),
    /// What a path carries: iperf3's protocol, both ends.
    #[command(
        subcommand,
        before_help = "\
Examples:
  squirrel throughput server                       answer clients, Squirrel's and iperf3's, many at once
  squirrel throughput client iperf.example -t 5s
  squirrel throughput client iperf.example -u -b 500M -R --json"
    )]
    Throughput(Throughput),
    /// What the daemon probes on a schedule: targets with their state and past. Exit code 1 when one is down.
    #[command(before_help = crate::probes_command::EXAMPLES)]
    Probes(crate::probes_command::ProbesArgs),
    /// Ask a running daemon a question in PromQL.
    #[command(before_help = "\
Examples:
  squirrel query node_network_up
  squirrel query --json 'sum by (device) (rate(node_network_transmit_bytes_total[1m]))'
  squirrel query --since 10m --step 30s 'node_sockstat_TCP_inuse'")]
    Query(Query),
    /// What fires now; check, test and try rule files.
    #[command(before_help = crate::alerts_command::EXAMPLES)]
    Alerts(crate::alerts_command::AlertsArgs),
    /// Silence alerts for a time.
    #[command(subcommand, before_help = crate::alert_actions::SILENCE_EXAMPLES)]
    Silence(crate::alert_actions::SilenceCommand),
    /// Say that you take care of alerts: they are not repeated, and nobody else is told.
    #[command(before_help = crate::alert_actions::ACK_EXAMPLES)]
    Ack(crate::alert_actions::Ack),
    /// Try the channels by which people are told.
    #[command(subcommand, before_help = crate::alert_actions::NOTIFY_EXAMPLES)]
    Notify(crate::alert_actions::NotifyCommand),
    /// Write what the kernel answers to every collector into a folder: a support bundle that replays.
    #[command(before_help = "\
Example:
  squirrel record /tmp/host && tar czf host.tar.gz -C /tmp host")]
    Record(Record),
    /// Say what a metric means, why it matters and what to check first.
    #[command(before_help = "\
Examples:
  squirrel explain node_netstat_TcpExt_ListenOverflows
  squirrel explain --json node_network_up
  squirrel explain                                 list all metrics")]
    Explain(Explain),
    /// Watch a client and a server of the Model Context Protocol from between them.
    #[command(
        subcommand,
        before_help = "\
Examples:
  squirrel mcp wrap -- npx -y @modelcontextprotocol/server-everything
  squirrel mcp proxy --to http://127.0.0.1:3001/mcp"
    )]
    Mcp(Mcp),
    /// Make, check or show the configuration.
    #[command(
        subcommand,
        before_help = "\
Examples:
  squirrel config init > squirrel.toml
  squirrel config check squirrel.toml
  squirrel config show                             what is in force, and where each value comes from"
    )]
    Config(ConfigCommand),
    /// Look after what is stored: check, measure, back up, delete, export, import.
    #[command(subcommand, before_help = crate::store_command::EXAMPLES)]
    Store(crate::store_command::StoreCommand),
    /// Is the daemon well, and the network with it: exit code 0 if so, 1 if not, 4 if no daemon answers.
    #[command(before_help = "\
Examples:
  squirrel status
  squirrel status --json --server 127.0.0.1:8000
  squirrel status >/dev/null || echo 'look at squirrel'")]
    Status(Status),
    /// Print the completions of a shell.
    #[command(before_help = "\
Examples:
  squirrel completions bash > /etc/bash_completion.d/squirrel
  squirrel completions zsh > /usr/local/share/zsh/site-functions/_squirrel
  squirrel completions fish > ~/.config/fish/completions/squirrel.fish")]
    Completions {
        /// Which shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print a page of the manual, for man(1).
    #[command(before_help = "\
Examples:
  squirrel man | man -l -
  squirrel man top > /usr/local/share/man/man1/squirrel-top.1")]
    Man {
        /// The command that it is about; without one it is about the program
        #[arg(value_name = "COMMAND")]
        command: Vec<String>,
    },
    /// The parts of the program that keep privileges; it starts them by itself.
    #[command(hide = true)]
    Keeper {
        /// Which part
        #[arg(value_enum)]
        role: KeeperRole,
    },
}

/// A shell that completes commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// GNU's
    Bash,
    /// The Z shell
    Zsh,
    /// The friendly interactive shell
    Fish,
}

/// The address of a daemon, as it was typed.
fn server_address(text: &str) -> Result<String, String> {
    squirrel_api::client::check_address(text).map(|()| text.to_owned())
}

/// `squirrel record`.
#[derive(Debug, clap::Args)]
pub(crate) struct Record {
    /// Folder to write; it must not exist or be empty
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        let command = Cli::command();
        command.clone().debug_assert();
        assert!(command.find_subcommand("serve").is_some());
    }

    #[test]
    fn help_begins_with_examples() {
        let help = Cli::command().render_help().to_string();
        assert!(help.starts_with("Examples:\n"), "{help}");
        for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            let name = command.get_name();
            assert!(help.contains(&format!("  {name} ")), "{name} is not listed");
            assert!(command.get_before_help().is_some(), "the help of {name} has no examples");
        }
    }

    #[test]
    fn the_contract_of_serve_holds() {
        let cli = Cli::try_parse_from([
            "squirrel",
            "serve",
            "--config",
            "c.toml",
            "--data-dir",
            "d",
            "--listen",
            "127.0.0.1:1",
            "--listen",
            "[::1]:1",
        ])
        .unwrap();
        let Command::Serve(serve) = cli.command else { panic!("serve") };
        assert_eq!(serve.listen.len(), 2);
        assert_eq!(serve.data_dir, Some(PathBuf::from("d")));
        assert_eq!(serve.source.config, Some(PathBuf::from("c.toml")));
    }
}
