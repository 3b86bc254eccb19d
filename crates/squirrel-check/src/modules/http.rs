//! `http`: the request, and what the answer has to be.

use squirrel_outbound::Secret;
use squirrel_yaml::{Fields, Node};

use super::read::Reader;
use crate::{Compression, HeaderRule, HttpCheck};

const KNOWN: &[&str] = &[
    "valid_status_codes",
    "valid_http_versions",
    "preferred_ip_protocol",
    "ip_protocol_fallback",
    "skip_resolve_phase_with_proxy",
    "no_follow_redirects",
    "follow_redirects",
    "fail_if_ssl",
    "fail_if_not_ssl",
    "method",
    "headers",
    "fail_if_body_matches_regexp",
    "fail_if_body_not_matches_regexp",
    "fail_if_header_matches",
    "fail_if_header_not_matches",
    "body",
    "body_file",
    "compression",
    "body_size_limit",
    "basic_auth",
    "authorization",
    "bearer_token",
    "bearer_token_file",
    "tls_config",
    "enable_http2",
    "oauth2",
    "proxy_url",
    "no_proxy",
    "proxy_from_environment",
    "proxy_connect_header",
    "enable_http3",
    "fail_if_body_json_matches_cel",
    "fail_if_body_json_not_matches_cel",
];

/// What there is not, and why not or what instead.
const MISSING: [(&str, &str); 5] = [
    ("oauth2", "oauth2: tokens are not fetched here; write bearer_token_file, and let something else renew the file"),
    ("proxy_url", "proxy_url: proxies are not gone through, since what they answer says little of the server"),
    ("enable_http3", "enable_http3: HTTP/3 is not spoken here"),
    ("fail_if_body_json_matches_cel", "expressions of CEL are not evaluated here; patterns on the body are"),
    ("fail_if_body_json_not_matches_cel", "expressions of CEL are not evaluated here; patterns on the body are"),
];

impl Reader<'_> {
    pub(super) fn http(&mut self, node: Option<&Node>) -> HttpCheck {
        let Some(node) = node else { return HttpCheck::default() };
        let fields = self.problems.named(node, "http", KNOWN);
        let reach = self.reach(fields.get("preferred_ip_protocol"), fields.get("ip_protocol_fallback"), None);
        let mut check = HttpCheck { reach, ..HttpCheck::default() };
        let mut flag = |name: &str, usual| self.flag(fields.get(name), name, usual);
        let not_followed = flag("no_follow_redirects", false);
        check.follow_redirects = flag("follow_redirects", true) && !not_followed;
        check.fail_if_tls = flag("fail_if_ssl", false);
        check.fail_if_not_tls = flag("fail_if_not_ssl", false);
        check.http2 = flag("enable_http2", true);
        for name in ["skip_resolve_phase_with_proxy", "proxy_from_environment"] {
            flag(name, false);
        }
        let method = self.problems.text(fields.get("method"), "method").filter(|text| !text.is_empty());
        check.method = method.unwrap_or(check.method);
        self.request(&fields, &mut check);
        self.credentials(node, &fields, &mut check);
        for item in self.problems.items(fields.get("valid_status_codes"), "valid_status_codes") {
            let status = self.number(Some(item), "a status", 100..=999);
            check.valid_statuses.extend(status.and_then(|status| u16::try_from(status).ok()));
        }
        for item in self.problems.items(fields.get("valid_http_versions"), "valid_http_versions") {
            check.valid_versions.extend(self.problems.text(Some(item), "a version"));
        }
        let mut patterns = |name: &str| self.patterns(fields.get(name), name);
        check.fail_if_body_matches = patterns("fail_if_body_matches_regexp");
        check.fail_if_body_not_matches = patterns("fail_if_body_not_matches_regexp");
        let mut rules = |name: &str| self.header_rules(fields.get(name), name);
        check.fail_if_header_matches = rules("fail_if_header_matches");
        check.fail_if_header_not_matches = rules("fail_if_header_not_matches");
        let limit = self.size(fields.get("body_size_limit"), "body_size_limit").filter(|limit| *limit > 0);
        check.body_limit = limit.unwrap_or(check.body_limit);
        self.compression(&fields, &mut check);
        check.tls = self.tls(fields.get("tls_config"));
        for (name, why) in MISSING {
            let is_off = |node: &&Node| matches!(node.text(), Some("" | "false"));
            if fields.get(name).is_some_and(|node| !is_off(&node)) {
                self.cannot(why);
            }
        }
        check
    }

    /// Headers and body of the request.
    fn request(&mut self, fields: &Fields<'_>, check: &mut HttpCheck) {
        for (key, _, value) in self.problems.texts(fields.get("headers"), "header") {
            check.headers.push((key.text().unwrap_or_default().to_owned(), Secret::new(value)));
        }
        let text = self.secret(fields.get("body"), "body");
        let file = fields.get("body_file").filter(|node| node.text() != Some(""));
        if let (Some(node), Some(_)) = (file, &text) {
            self.problems.add(node, "body and body_file are two words for one thing: keep one");
        }
        let read = self.file(file, "body_file");
        check.body = text.or(read.map(|octets| Secret::new(String::from_utf8_lossy(&octets))));
    }

    /// Who asks: at most one way of saying so.
    fn credentials(&mut self, http: &Node, fields: &Fields<'_>, check: &mut HttpCheck) {
        let ways = ["basic_auth", "authorization", "bearer_token", "bearer_token_file", "oauth2"];
        let is_given = |name: &&&str| fields.get(name).is_some_and(|node| node.text() != Some(""));
        let given: Vec<_> = ways.iter().filter(is_given).copied().collect();
        if given.len() > 1 {
            let node = fields.get(given[1]).unwrap_or(http);
            self.problems.add(node, format!("{} say twice who asks: keep one", given.join(" and ")));
        }
        let token = self.secret(fields.get("bearer_token"), "bearer_token");
        let token = token.or_else(|| self.secret_file(fields.get("bearer_token_file"), "bearer_token_file"));
        check.authorization = token.map(|token| Secret::new(format!("Bearer {}", token.expose())));
        if let Some(node) = fields.get("basic_auth") {
            let known = ["username", "username_file", "password", "password_file"];
            let [user, user_file, password, password_file] = self.problems.fields(node, "basic_auth", known);
            let user = self.either([user, user_file], ["username", "username_file"]);
            let password = self.either([password, password_file], ["password", "password_file"]);
            let user = user.map_or_else(String::new, |user| user.expose().to_owned());
            check.basic_auth = Some((user, password.unwrap_or_else(|| Secret::new(""))));
        }
        if let Some(node) = fields.get("authorization") {
            let known = ["type", "credentials", "credentials_file"];
            let [kind, here, there] = self.problems.fields(node, "authorization", known);
            let kind = self.problems.text(kind, "type").filter(|kind| !kind.trim().is_empty());
            if kind.as_deref().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("basic")) {
                self.problems.add(node, "authorization of type basic is written as basic_auth");
            }
            let kind = kind.unwrap_or_else(|| "Bearer".to_owned());
            let credentials = self.either([here, there], ["credentials", "credentials_file"]);
            check.authorization = credentials.map(|secret| Secret::new(format!("{} {}", kind.trim(), secret.expose())));
        }
    }

    /// A secret that stands here, or in a file; not both.
    fn either(&mut self, nodes: [Option<&Node>; 2], names: [&str; 2]) -> Option<Secret> {
        let here = self.secret(nodes[0], names[0]);
        let named = nodes[1].filter(|node| node.text() != Some(""));
        if let (Some(node), Some(_)) = (named, &here) {
            self.problems.add(node, format!("{} and {} are two words for one thing: keep one", names[0], names[1]));
        }
        here.or_else(|| self.secret_file(named, names[1]))
    }

    fn header_rules(&mut self, node: Option<&Node>, what: &str) -> Vec<HeaderRule> {
        let mut rules = Vec::new();
        for item in self.problems.items(node, what) {
            let [header, pattern, missing] =
                self.problems.fields(item, "a rule for a header", ["header", "regexp", "allow_missing"]);
            let header = self.problems.text(header, "header").filter(|header| !header.is_empty());
            let pattern = pattern.filter(|node| node.text() != Some(""));
            let (Some(header), Some(pattern)) = (header, pattern) else {
                self.problems.add(item, "a rule for a header needs header: with its name and regexp: with a pattern");
                continue;
            };
            let allow_missing = self.flag(missing, "allow_missing", false);
            rules.extend(self.pattern(pattern).map(|pattern| HeaderRule { header, pattern, allow_missing }));
        }
        rules
    }

    fn compression(&mut self, fields: &Fields<'_>, check: &mut HttpCheck) {
        let node = fields.get("compression");
        let word = self.problems.text(node, "compression").unwrap_or_default();
        check.compression = match word.to_ascii_lowercase().as_str() {
            "" => return,
            "gzip" => Some(Compression::Gzip),
            "deflate" => Some(Compression::Deflate),
            "identity" => Some(Compression::Identity),
            "br" => {
                self.cannot("compression: br: Brotli is not unpacked here");
                None
            }
            _ => {
                self.add(node, "compression is gzip, deflate or identity");
                None
            }
        };
        let asks_for = check.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("accept-encoding"));
        if let Some((_, value)) = asks_for
            && !accepts(value.expose(), &word)
        {
            self.add(node, "the header Accept-Encoding does not ask for this compression: let both say the same");
        }
    }
}

/// Whether an `Accept-Encoding` asks for this way of packing: the best of those that name it, or everything, counts.
fn accepts(header: &str, compression: &str) -> bool {
    if header.is_empty() {
        return true;
    }
    let mut offers: Vec<(&str, f32)> = header
        .split(',')
        .map(|offer| match offer.rsplit_once(';') {
            None => (offer.trim(), 1.0),
            Some((name, weight)) => {
                let weight = weight.trim().trim_start_matches("q=").parse().unwrap_or(0.0);
                (name.trim(), weight)
            }
        })
        .collect();
    offers.sort_by(|one, other| other.1.total_cmp(&one.1));
    offers.iter().find(|(name, _)| *name == compression || *name == "*").is_some_and(|(_, weight)| *weight > 0.0)
}

#[cfg(test)]
mod tests {
    use super::accepts;

    #[test]
    fn what_is_asked_for_has_to_be_what_is_unpacked() {
        for (header, compression, expected) in [
            ("", "gzip", true),
            ("gzip", "gzip", true),
            ("br, gzip", "gzip", true),
            ("br;q=1.0, gzip;q=0.9", "gzip", true),
            ("*", "gzip", true),
            ("br, identity", "gzip", false),
            ("gzip;q=0", "gzip", false),
            ("*;q=0", "gzip", false),
            ("gzip;q=0, *;q=1", "gzip", true),
            ("gzip;q=x", "gzip", false),
        ] {
            assert_eq!(accepts(header, compression), expected, "{header} for {compression}");
        }
    }
}
