//! `tls_config`: whom to believe, whom to be, and which versions to speak.

use squirrel_outbound::{TlsError, TlsOptions, TlsVersion};
use squirrel_yaml::{Fields, Node};

use super::read::Reader;

const KNOWN: &[&str] = &[
    "ca_file",
    "cert_file",
    "key_file",
    "ca",
    "cert",
    "key",
    "server_name",
    "insecure_skip_verify",
    "min_version",
    "max_version",
];

impl Reader<'_> {
    /// The options, for those probers that speak TLS.
    pub(super) fn tls(&mut self, node: Option<&Node>) -> TlsOptions {
        let mut options = TlsOptions::new();
        let Some(node) = node else { return options };
        let fields = self.problems.named(node, "tls_config", KNOWN);
        // A file of roots takes the place of this machine's own, as in Go.
        if let Some(roots) = self.pem(&fields, "ca") {
            options = self.taken(&fields, "ca", options.with_roots(&roots)).without_system_roots();
        }
        match (self.pem(&fields, "cert"), self.pem(&fields, "key")) {
            (Some(certificate), Some(key)) => {
                options = self.taken(&fields, "cert", options.with_client(&certificate, &key));
            }
            (None, None) => {}
            _ => self.problems.add(node, "cert and key go together: name both, or neither"),
        }
        let name = fields.get("server_name");
        if let Some(text) = self.problems.text(name, "server_name").filter(|text| !text.is_empty()) {
            options = self.taken(&fields, "server_name", options.with_server_name(&text));
        }
        if let Some(version) = self.version(&fields, "min_version") {
            options = options.with_minimum(version);
        }
        if let Some(version) = self.version(&fields, "max_version") {
            options = options.with_maximum(version);
        }
        if self.flag(fields.get("insecure_skip_verify"), "insecure_skip_verify", false) {
            options = options.insecure_skip_verify();
        }
        options
    }

    /// PEM that stands in the file itself or in another.
    fn pem(&mut self, fields: &Fields<'_>, what: &'static str) -> Option<Vec<u8>> {
        let file = format!("{what}_file");
        let (here, there) = (fields.get(what), fields.get(&file));
        if let (Some(node), Some(_)) = (here, there) {
            self.problems.add(node, format!("{what} and {file} are two words for one thing: keep one"));
        }
        let text = self.problems.text(here, what).filter(|text| !text.is_empty());
        text.map(String::into_bytes).or_else(|| self.file(there, &file))
    }

    fn taken(&mut self, fields: &Fields<'_>, what: &str, options: Result<TlsOptions, TlsError>) -> TlsOptions {
        options.unwrap_or_else(|error| {
            if let Some(node) = fields.get(what).or_else(|| fields.get(&format!("{what}_file"))) {
                self.problems.add(node, error.to_string());
            }
            TlsOptions::new()
        })
    }

    fn version(&mut self, fields: &Fields<'_>, what: &str) -> Option<TlsVersion> {
        let node = fields.get(what)?;
        match node.text().unwrap_or_default() {
            "TLS13" => return Some(TlsVersion::V1_3),
            "TLS12" => return Some(TlsVersion::V1_2),
            "TLS10" | "TLS11" => {
                self.cannot(format!("{what} of its tls_config is below TLS 1.2, and nothing older is spoken here"));
            }
            _ => self.problems.add(node, format!("{what} is TLS12 or TLS13 (TLS10 and TLS11 are not spoken here)")),
        }
        None
    }
}
