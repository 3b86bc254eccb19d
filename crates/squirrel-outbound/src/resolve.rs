//! From a name to the addresses that may be connected to.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::secret::in_words;
use crate::{AddressRules, SendError};

/// Addresses that are tried, at most; names with more are spread over many machines.
const MOST: usize = 8;

/// An answer that is waited for.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>>;

/// Who says which addresses a name has.
pub trait Resolve: Send + Sync {
    /// The addresses, the one to be tried first in front.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a>;
}

/// Questions that this machine's resolver is asked at one time. It cannot be told to give up: each holds a thread
/// until it has an answer, which takes half a minute when no name server answers.
const AT_ONCE: usize = 2;

/// This machine's own resolver (`getaddrinfo(3)`), on threads for calls that wait.
#[derive(Clone, Debug)]
pub struct SystemResolver {
    turns: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a> {
        let (turns, host) = (Arc::clone(&self.turns), host.to_owned());
        Box::pin(async move {
            let turn = turns.acquire_owned().await.map_err(io::Error::other)?;
            let asking = tokio::task::spawn_blocking(move || {
                // Held until the answer is here, also when nobody waits for it any more.
                let _turn = turn;
                (host.as_str(), port).to_socket_addrs().map(Iterator::collect)
            });
            asking.await.map_err(io::Error::other)?
        })
    }
}

/// The addresses of a name, or an address itself, that the rules allow. Connect to these and to no others:
/// a second question may be answered otherwise.
///
/// # Errors
/// When there are none, or none that is allowed.
pub async fn allowed_addresses(
    resolver: &dyn Resolve,
    host: &str,
    port: u16,
    rules: &AddressRules,
) -> Result<Vec<SocketAddr>, SendError> {
    let found = match host.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, port)],
        Err(_) => resolver.resolve(host, port).await.map_err(|error| SendError::NotFound(reason(&error)))?,
    };
    let mut allowed = Vec::new();
    let mut first_denied = None;
    for address in found {
        match rules.check(address.ip()) {
            Ok(()) if allowed.len() < MOST && !allowed.contains(&address) => allowed.push(address),
            Ok(()) => {}
            Err(class) => first_denied = first_denied.or(Some((address.ip(), class))),
        }
    }
    match (allowed.is_empty(), first_denied) {
        (false, _) => Ok(allowed),
        (true, Some((address, class))) => Err(SendError::Forbidden { address, class }),
        (true, None) => Err(SendError::NotFound("it has no address".to_owned())),
    }
}

/// glibc's words without the prefix that the standard library puts before them.
fn reason(error: &io::Error) -> String {
    let text = in_words(error);
    text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned()
}
