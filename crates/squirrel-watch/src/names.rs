//! From a target's name to the address that is asked.

use std::net::IpAddr;

use squirrel_outbound::Resolve;

/// Looks a name up; an address is itself. `before` stays if it is still one of the answers: a name with several
/// addresses is told in another order each time, and that is no change.
pub(crate) async fn address_of(
    resolver: &dyn Resolve,
    name: &str,
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
    let found: Vec<IpAddr> = found.into_iter().map(|address| address.ip()).collect();
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
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let before = before.and_then(literal);
        let found = runtime.block_on(address_of(&Written, name, before, |address| v6 || address.is_ipv4()));
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
    fn a_name_without_an_address_says_so_without_numbers() {
        assert_eq!(address("nothing", None, true), Err("the name has no address".to_owned()));
        assert_eq!(address("refused", None, true), Err("the name has no address: no such name".to_owned()));
    }
}
