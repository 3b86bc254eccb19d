//! Carries checks out.

use std::sync::Arc;
use std::time::Duration;

use squirrel_outbound::{AddressRules, Resolve, SystemResolver, SystemRoots};
use tokio::time::{Instant, timeout};

use crate::finding::{Failed, Finding, Notes};
use crate::reach::Way;
use crate::{IpVersion, Module, Prober, metrics};

/// The longest time that a check may take, whatever its module says.
pub const LONGEST_TIMEOUT: Duration = Duration::from_mins(2);

/// Carries checks out. One for a program is enough: it keeps this machine's trusted roots, and its copies share them.
///
/// The rules for addresses are those for targets that the machine's administrator wrote down, unless others are given:
/// for targets that come from the network, [`AddressRules::public`] with the networks that may be looked at.
#[derive(Clone)]
pub struct Checker {
    resolver: Arc<dyn Resolve>,
    pub(crate) roots: Arc<SystemRoots>,
    rules: AddressRules,
    /// The one version of IP that is asked by; none for what each module prefers.
    only: Option<IpVersion>,
}

/// What is asked of a module.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The target.
    pub target: &'a str,
    /// The name that the target goes by, where it is named by an address: the `Host` of HTTP, and the name of TLS where
    /// the module has none of its own.
    pub hostname: Option<&'a str>,
    /// What whoever asks will wait, when that is less than the module's time.
    pub limit: Option<Duration>,
}

impl Default for Checker {
    fn default() -> Self {
        Self {
            resolver: Arc::new(SystemResolver::default()),
            roots: Arc::default(),
            rules: AddressRules::default(),
            only: None,
        }
    }
}

impl std::fmt::Debug for Checker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checker").field("rules", &self.rules).field("only", &self.only).finish_non_exhaustive()
    }
}

impl Checker {
    /// One that asks this machine's resolver.
    pub fn new() -> Self {
        Self::default()
    }

    /// With another resolver.
    #[must_use]
    pub fn with_resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = resolver;
        self
    }

    /// With other rules for addresses.
    #[must_use]
    pub fn with_rules(mut self, rules: AddressRules) -> Self {
        self.rules = rules;
        self
    }

    /// One that asks by this version of IP alone, whatever a module prefers; none for what it prefers.
    #[must_use]
    pub fn only_by(mut self, version: Option<IpVersion>) -> Self {
        self.only = version;
        self
    }

    pub(crate) fn way(&self) -> Way<'_> {
        Way { resolver: &*self.resolver, rules: &self.rules, only: self.only }
    }

    /// Carries a check out. It takes the module's time at most, and not more than [`LONGEST_TIMEOUT`]; what was found by
    /// then stays in the finding.
    pub async fn check(&self, module: &Module, target: &str) -> Finding {
        self.ask(module, &Asked { target, hostname: None, limit: None }).await
    }

    /// As [`Self::check`], for one who says more than the target.
    pub async fn ask(&self, module: &Module, asked: &Asked<'_>) -> Finding {
        let limit = module.timeout.min(asked.limit.unwrap_or(LONGEST_TIMEOUT)).min(LONGEST_TIMEOUT);
        let begin = Instant::now();
        let mut notes = Notes::default();
        notes.set(&metrics::SUCCESS, 0.0);
        notes.set(&metrics::DURATION, 0.0);
        notes.set(&metrics::TIMEOUT, limit.as_secs_f64());
        let part = async {
            match &module.prober {
                Prober::Http(check) => check.run(self, asked, &mut notes).await,
                Prober::Tcp(check) => check.run(self, asked, &mut notes).await,
                Prober::Icmp(check) => check.run(self, asked.target, limit, &mut notes).await,
                Prober::Dns(check) => check.run(self, asked.target, &mut notes).await,
                Prober::Ntp(check) => check.run(self, asked.target, &mut notes).await,
                Prober::Plugin(check) => check.run(limit, &mut notes).await,
            }
        };
        let result = timeout(limit, part).await;
        let result = result.unwrap_or_else(|_| {
            Err(Failed::new(format!("{}: not done within {} s", module.prober.word(), limit.as_secs_f64())))
        });
        notes.finish(result, begin.elapsed())
    }
}
