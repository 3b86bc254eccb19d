//! Requests to servers on this machine, with certificates made for each test.

mod address;
mod answers;
mod server;
mod tls;

use std::time::Duration;

use crate::{Client, Destination, Request, SendError, Timeouts};

/// For tests in which nothing is to be late.
const LONG: Duration = Duration::from_mins(1);

/// For tests in which something is.
const SHORT: Duration = Duration::from_millis(200);

fn to(url: &str) -> Destination {
    Destination::parse(url).unwrap().with_timeouts(Timeouts { resolve: LONG, connect: LONG, whole: LONG })
}

async fn get(to: &Destination) -> Result<crate::Answer, SendError> {
    Client::new().send(to, Request::get()).await
}
