//! What can be typed about the configuration: behind `squirrel config`, and in its place behind `squirrel serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Subcommand;

/// Where the configuration comes from; shared by several commands.
#[derive(Debug, clap::Args)]
pub(crate) struct ConfigSource {
    /// Configuration file [default: /etc/squirrel/squirrel.toml where it exists]
    #[arg(long, value_name = "FILE", env = "SQUIRREL_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

/// `squirrel serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) source: ConfigSource,
    /// Where samples are kept [default: /var/lib/squirrel as root, else ~/.local/state/squirrel]
    #[arg(long, value_name = "DIR", env = "SQUIRREL_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Address and port to answer on; may be given several times [default: port 7775 of 127.0.0.1 and ::1]
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Vec<SocketAddr>,
    /// Answer on addresses that other machines can reach: whoever reaches them reads everything
    #[arg(long)]
    pub(crate) allow_remote: bool,
}

/// `squirrel config …`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print a commented configuration with every setting at its default.
    Init,
    /// Read the configuration and say what is wrong with it, or that it is good.
    Check {
        /// The file [default: as for `squirrel serve`]
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Print the configuration in force and where each value comes from.
    Show {
        #[command(flatten)]
        source: ConfigSource,
    },
}
