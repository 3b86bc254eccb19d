//! The words of `squirrel status`, `squirrel query` and `squirrel explain`: what is asked and answered once.

/// `squirrel status`.
#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
    /// The daemon's address
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:7775", value_parser = super::server_address)]
    pub(crate) server: String,
}

/// `squirrel query`.
#[derive(Debug, clap::Args)]
pub(crate) struct Query {
    /// The question, in PromQL
    #[arg(value_name = "EXPR")]
    pub(crate) expr: String,
    /// Print the answer of the API as one JSON document
    #[arg(long)]
    pub(crate) json: bool,
    /// The daemon's address
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:7775", value_parser = super::server_address)]
    pub(crate) server: String,
    /// Ask for this moment instead of now (seconds since 1970, or RFC 3339)
    #[arg(long, value_name = "TIME", conflicts_with = "since")]
    pub(crate) time: Option<String>,
    /// Ask for a range that began this long ago, such as 10m
    #[arg(long, value_name = "DURATION")]
    pub(crate) since: Option<String>,
    /// Distance of the points of a range
    #[arg(long, value_name = "DURATION", default_value = "15s", requires = "since")]
    pub(crate) step: String,
}

/// `squirrel explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// A metric's name; without one, all are listed
    #[arg(value_name = "METRIC")]
    pub(crate) metric: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
