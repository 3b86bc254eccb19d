//! The dashboard's files, embedded by the build script, each ready in the forms that browsers ask
//! for: plain, gzip and brotli.
//!
//! Names below `/assets/` hold a hash of their content and never change; the page itself is asked
//! for again each time and answered by its entity tag.

/// One file in one encoding, as it goes on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    /// The bytes, in `encoding`.
    pub body: &'static [u8],
    /// For the `Content-Type` header.
    pub content_type: &'static str,
    /// For the `Content-Encoding` header; none for plain bytes.
    pub encoding: Option<&'static str>,
    /// For the `ETag` header, quotes included. Strong, and so different for each encoding.
    pub etag: &'static str,
    /// Whether the bytes behind this path can never change: then a cache may keep them for ever
    /// (RFC 8246), else it must ask each time.
    pub immutable: bool,
}

/// One file in all its encodings; the build script writes these.
struct Stored {
    path: &'static str,
    content_type: &'static str,
    immutable: bool,
    body: &'static [u8],
    etag: &'static str,
    gzip: Option<&'static [u8]>,
    etag_gzip: &'static str,
    brotli: Option<&'static [u8]>,
    etag_brotli: &'static str,
}

static STORED: &[Stored] = include!(concat!(env!("OUT_DIR"), "/assets_table.rs"));

/// The file at `path` in the best encoding that `accept_encoding` (the request's header, empty when
/// there is none) allows. The dashboard's own addresses (`/`, `/interfaces`, `/interfaces/NAME`, and
/// the same of applications, alerts and probes) all give the page, which then shows what the address says. None: no such
/// file.
pub fn find(path: &str, accept_encoding: &str) -> Option<Asset> {
    let path = if is_page(path) { "/" } else { path };
    let stored = STORED.iter().find(|stored| stored.path == path)?;
    let (body, encoding, etag) = match (stored.brotli, stored.gzip) {
        (Some(brotli), _) if accepts(accept_encoding, "br") => (brotli, Some("br"), stored.etag_brotli),
        (_, Some(gzip)) if accepts(accept_encoding, "gzip") => (gzip, Some("gzip"), stored.etag_gzip),
        _ => (stored.body, None, stored.etag),
    };
    Some(Asset { body, content_type: stored.content_type, encoding, etag, immutable: stored.immutable })
}

/// Whether `path` is an address that the dashboard itself routes.
fn is_page(path: &str) -> bool {
    /// Each list of the dashboard, and how many names stand behind it in the address of one of its things.
    const LISTS: [(&str, usize); 4] = [("/interfaces", 1), ("/applications", 1), ("/alerts", 1), ("/probes", 2)];
    match LISTS.iter().find_map(|(list, names)| Some((path.strip_prefix(list)?, *names))) {
        Some((rest, names)) => {
            rest.is_empty() || rest == "/" || rest.starts_with('/') && rest.matches('/').count() == names
        }
        None => path == "/" || path == "/index.html",
    }
}

/// Whether an `Accept-Encoding` header (RFC 9110, 12.5.3) allows `coding`: named, or covered by
/// `*`, and not with a weight of zero.
fn accepts(header: &str, coding: &str) -> bool {
    let mut by_wildcard = false;
    for item in header.split(',') {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let refused = parts
            .filter_map(|parameter| parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")))
            .any(|weight| weight.trim().parse::<f64>().is_ok_and(|weight| weight <= 0.0));
        if name.eq_ignore_ascii_case(coding) {
            return !refused;
        }
        by_wildcard |= name == "*" && !refused;
    }
    by_wildcard
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_follows_the_header() {
        for (header, coding, expected) in [
            ("gzip, deflate, br", "br", true),
            ("gzip, deflate", "br", false),
            ("", "gzip", false),
            ("br;q=0, gzip", "br", false),
            ("br; q=0.000, *", "br", false),
            ("*", "br", true),
            ("*;q=0", "br", false),
            ("GZIP;q=0.5", "gzip", true),
            ("brotli", "br", false),
            (";;,,q=1", "br", false),
        ] {
            assert_eq!(accepts(header, coding), expected, "{header:?} for {coding}");
        }
    }

    #[test]
    fn the_dashboards_addresses_give_the_page_and_others_nothing() {
        let page = find("/", "").expect("there is always a page");
        assert!(page.content_type.starts_with("text/html") && !page.immutable && page.encoding.is_none());
        for path in [
            "/index.html",
            "/interfaces",
            "/interfaces/eth0",
            "/interfaces/%3Cb%3E",
            "/interfaces/",
            "/probes",
            "/probes/",
            "/probes/edge/192.0.2.1%3A443",
            "/applications",
            "/applications/a",
            "/alerts",
            "/alerts/2bc3230c7abc61ae",
        ] {
            assert_eq!(find(path, ""), Some(page), "{path}");
        }
        for path in [
            "",
            "/interfacesx",
            "/interfaces/a/b",
            "/probes/edge",
            "/probes/edge/a/b",
            "/probesx/a/b",
            "/applications/a/b",
            "/alerts/a/b",
            "/assets/",
            "/../Cargo.toml",
            "/assets/none.js",
        ] {
            assert_eq!(find(path, ""), None, "{path}");
        }
    }

    #[test]
    fn every_reference_of_the_page_is_embedded_and_no_other_host_is_named() {
        let page = find("/", "").expect("there is always a page");
        let html = std::str::from_utf8(page.body).expect("the page is UTF-8");
        let references: Vec<&str> = html
            .split("href=\"")
            .chain(html.split("src=\""))
            .filter_map(|after| after.split_once('"').map(|(address, _)| address))
            .filter(|address| address.starts_with("/assets/"))
            .collect();
        assert!(!references.is_empty(), "the page refers to no file: {html}");
        for address in references {
            assert!(find(address, "br, gzip").is_some(), "{address} is referred to and not embedded");
        }
        assert!(!html.contains("https://") && !html.contains("http://"), "the page names another host: {html}");
    }

    #[test]
    fn forms_of_one_file_have_different_tags() {
        for stored in STORED {
            let plain = find(stored.path, "").expect("stored");
            let compressed = find(stored.path, "br").expect("stored");
            assert_eq!(plain.etag == compressed.etag, plain.body == compressed.body, "{}", stored.path);
            assert!(plain.etag.starts_with('"') && plain.etag.ends_with('"'), "{}", plain.etag);
        }
    }
}
