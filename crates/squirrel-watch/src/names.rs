//! From a target's name to the address that is asked.

use std::net::IpAddr;

use squirrel_check::IpVersion;
use squirrel_outbound::Resolve;

/// Looks a name up; an address is itself. An address of another version than `ip` says will not do. `before` stays if
/// it is still one of the answers: a name with several addresses is told in another order each time, and that is no
/// change.
pub(crate) async fn address_of(
    resolver: &dyn Resolve,
    name: &str,
    ip: Option<IpVersion>,
    before: Option<IpAddr>,
    can_ask: impl Fn(IpAddr) -> bool,
) -> Result<IpAddr, String> {
    if let Some(address) = literal(name) {
        return Ok(address);
    }
    let found = resolver.resolve(name, 0).await.map_err(|error| {
        let text = squirrel_model::without_numbers(&error.to_string()).to_lowercase();
        let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
        format!("the name has no address: {text}")
    })?;
    let mut found: Vec<IpAddr> = found.into_iter().map(|address| address.ip()).collect();
    if let Some(wanted) = ip
        && let Some(first) = found.first().copied()
    {
        found.retain(|address| IpVersion::of(*address) == wanted);
        if found.is_empty() {
            let other = IpVersion::of(first);
            return Err(format!(
                "the name has no address of {wanted}, by which it is to be asked, but of {other} alone"
            ));
        }
        if !found.iter().any(|address| can_ask(*address)) {
            return Err(format!("it is to be asked by {wanted}, and this host may not ask by that"));
        }
    }
    let usual = || found.iter().find(|address| can_ask(**address)).or(found.first());
    let chosen = before.as_ref().filter(|before| found.contains(before)).or_else(usual);
    chosen.copied().ok_or_else(|| "the name has no address".to_owned())
}

/// The address that a target is, if it is one.
pub(crate) fn literal(name: &str) -> Option<IpAddr> {
    name.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::SocketAddr;

    use squirrel_outbound::Resolving;

    use super::*;

    /// Answers each name with the addresses that are written in it, separated by `_`.
    struct Written;

    impl Resolve for Written {
        fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a> {
            let found: Vec<SocketAddr> =
                host.split('_').filter_map(literal).map(|address| SocketAddr::new(address, port)).collect();
            let refused = host == "refused";
            Box::pin(
                async move { if refused { Err(io::Error::other("No such NAME (os error 5)")) } else { Ok(found) } },
            )
        }
    }

    fn address(name: &str, before: Option<&str>, v6: bool) -> Result<String, String> {
        address_by(None, name, before, v6)
    }

    fn address_by(ip: Option<IpVersion>, name: &str, before: Option<&str>, v6: bool) -> Result<String, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let before = before.and_then(literal);
        let found = runtime.block_on(address_of(&Written, name, ip, before, |address| v6 || address.is_ipv4()));
        found.map(|address| address.to_string())
    }

    #[test]
    fn an_address_stays_as_long_as_the_name_has_it() {
        let is = |text: &str| Ok(text.to_owned());
        assert_eq!(address("192.0.2.1", None, true), is("192.0.2.1"));
        assert_eq!(address("10.0.0.1_10.0.0.2", None, true), is("10.0.0.1"));
        assert_eq!(address("10.0.0.1_10.0.0.2", Some("10.0.0.2"), true), is("10.0.0.2"));
        assert_eq!(address("10.0.0.1_10.0.0.2", Some("10.0.0.9"), true), is("10.0.0.1"));
        assert_eq!(address("2001:db8::1_10.0.0.2", None, true), is("2001:db8::1"));
        assert_eq!(address("2001:db8::1_10.0.0.2", None, false), is("10.0.0.2"), "one that can be asked");
    }

    #[test]
    fn a_name_is_asked_by_the_version_that_is_wanted_and_by_no_other() {
        let (four, six) = (Some(IpVersion::V4), Some(IpVersion::V6));
        let both = "2001:db8::1_10.0.0.2_10.0.0.3";
        for (ip, name, before, expected) in [
            (four, both, None, "10.0.0.2"),
            (six, both, None, "2001:db8::1"),
            (four, both, Some("10.0.0.3"), "10.0.0.3"),
            (four, both, Some("2001:db8::1"), "10.0.0.2"),
        ] {
            assert_eq!(address_by(ip, name, before, true).as_deref(), Ok(expected), "{ip:?} {before:?}");
        }
        for (ip, name, v6, expected) in [
            (six, "10.0.0.2", true, Ok("10.0.0.2")),
            (six, "10.0.0.2_10.0.0.3", true, Err("no address of IPv6, by which it is to be asked, but of IPv4 alone")),
            (four, "2001:db8::1_2001:db8::2", true, Err("no address of IPv4, by which it is to be asked, but of IPv6")),
            (six, both, false, Err("by IPv6, and this host may not ask by that")),
            (six, "nothing", true, Err("the name has no address")),
        ] {
            let found = address_by(ip, name, None, v6);
            match expected {
                Ok(expected) => assert_eq!(found.as_deref(), Ok(expected), "an address is what it is"),
                Err(words) => assert!(found.as_ref().is_err_and(|why| why.contains(words)), "{ip:?} {name}: {found:?}"),
            }
        }
    }

    #[test]
    fn a_name_without_an_address_says_so_without_numbers() {
        assert_eq!(address("nothing", None, true), Err("the name has no address".to_owned()));
        assert_eq!(address("refused", None, true), Err("the name has no address: no such name".to_owned()));
    }
}
