//! A question to the live tables of a daemon.

use std::time::Duration;

use anyhow::anyhow;
use serde::de::DeserializeOwned;
use squirrel_api::client::{Client, ClientError};
use squirrel_api::live::Question;

use crate::failure::{Class, classed};

/// Where a daemon is looked for when none is named.
pub(crate) const USUAL_ADDRESS: &str = "127.0.0.1:7775";

/// The daemon at this address, with the patience of a command that a person waits for.
pub(crate) fn client(address: &str) -> Client {
    let mut client = Client::new(address);
    client.connect_timeout = Duration::from_millis(500);
    client
}

/// What a person is told of a daemon that does not do as asked.
pub(crate) fn explained(error: ClientError) -> anyhow::Error {
    match error {
        ClientError::NotRunning { .. } => classed(Class::Unreachable, &error.into()),
        ClientError::Refused { status: 401, .. } => classed(
            Class::Forbidden,
            &anyhow!(
                "{error:#}\nThe token of another data directory was sent: name that of this daemon with --data-dir DIR"
            ),
        ),
        error => error.into(),
    }
}

/// Asks one of the paths below `/api/live/`.
///
/// # Errors
/// No daemon, no answer, or a refusal with its words.
pub(crate) async fn ask<T: DeserializeOwned>(
    client: &Client,
    path: &str,
    question: &Question,
    more: &[(&str, String)],
) -> Result<T, ClientError> {
    let mut parameters = vec![
        ("filter", question.filter.clone()),
        ("offset", question.offset.to_string()),
        ("limit", question.limit.to_string()),
    ];
    parameters.extend(question.sort.clone().map(|sort| ("sort", sort)));
    let order = question.descending.map(|descending| if descending { "desc" } else { "asc" });
    parameters.extend(order.map(|order| ("order", order.to_owned())));
    parameters.extend_from_slice(more);
    client.get_resource(path, &parameters).await
}
