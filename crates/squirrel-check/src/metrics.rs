//! The metrics of checks, by the names that blackbox_exporter gave them; what it does not have follows its manner.

use squirrel_model::{Kind, Metric, Unit};

const fn gauge(name: &'static str, unit: Unit, help: &'static str) -> Metric {
    Metric::new(name, Kind::Gauge, unit, help)
}

const fn info(name: &'static str, help: &'static str) -> Metric {
    Metric::new(name, Kind::Info, Unit::None, help)
}

const PHASE: &[&str] = &["phase"];
const PLUGIN: &[&str] = &["label", "unit"];

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident = $metric:expr, $why:literal, $check:literal;)*) => {
        $($(#[$doc])* pub(crate) static $name: Metric = $metric.why($why).check(&[$check]);)*

        /// All of them, for the catalogue.
        pub static METRICS: &[&Metric] = &[$(&$name),*];
    };
}

metrics! {
    SUCCESS = gauge("probe_success", Unit::None, "1 when everything that the check looks at was as it should be."),
        "It is what alerts on a service watch.", "Run the same check by hand: it says why it fails.";
    DURATION = gauge("probe_duration_seconds", Unit::Seconds, "How long the check took."),
        "A service that slows down shows here before it fails.", "Look which phase grew.";
    TIMEOUT = gauge("probe_timeout_seconds", Unit::Seconds, "How long the check might have taken."),
        "A check that took as long was cut off.", "Compare with probe_duration_seconds.";
    DNS_LOOKUP_TIME = gauge("probe_dns_lookup_time_seconds", Unit::Seconds, "How long the target's name took to be found."),
        "Slow name servers slow everything down.", "Look at the name servers of this machine.";
    IP_PROTOCOL = gauge("probe_ip_protocol", Unit::None, "4 or 6: the version of IP that was used."),
        "A service may work over one version only.", "Check the other version by a check of its own.";
    IP_ADDR_HASH = gauge("probe_ip_addr_hash", Unit::None, "A number made of the address (FNV-1a), which changes with it."),
        "Changes of an address explain changes of what is measured.", "Look the name up.";
    HTTP_STATUS_CODE = gauge("probe_http_status_code", Unit::None, "Status of the last answer; 0 without one."),
        "It says in the server's words what is wrong.", "Read the server's log.";
    HTTP_DURATION = gauge("probe_http_duration_seconds", Unit::Seconds, "Time of each phase, all redirects together.").labels(PHASE),
        "It tells the network (connect, tls) from the server (processing) and the link (transfer).",
        "Compare connect with a ping.";
    HTTP_CONTENT_LENGTH = gauge("probe_http_content_length", Unit::Bytes, "Length of the body by the server's word; -1 without one."),
        "A page that shrank may be an error page.", "Look at the page.";
    HTTP_UNCOMPRESSED_BODY_LENGTH = gauge("probe_http_uncompressed_body_length", Unit::Bytes, "Octets of the body that were read, unpacked."),
        "As probe_http_content_length, for bodies without a stated length.", "Look at the page.";
    HTTP_REDIRECTS = gauge("probe_http_redirects", Unit::None, "Redirects that the server answered with."),
        "Each costs a connection.", "Name the last address as the target.";
    HTTP_SSL = gauge("probe_http_ssl", Unit::None, "1 when the last answer came by TLS."),
        "A page that is no longer encrypted shows here.", "Look where redirects lead.";
    HTTP_VERSION = gauge("probe_http_version", Unit::None, "Version of HTTP of the last answer, such as 1.1."),
        "It says what the server speaks.", "Nothing needs checking by itself.";
    HTTP_LAST_MODIFIED = gauge("probe_http_last_modified_timestamp_seconds", Unit::Seconds, "The Last-Modified header, since 1970."),
        "A page that should change and does not shows here.", "Look at what makes the page.";
    FAILED_DUE_TO_REGEX = gauge("probe_failed_due_to_regex", Unit::None, "1 when a pattern was the reason for the failure."),
        "The server answers, but not with what it should.", "Run the same check by hand: it names the pattern.";
    FAILED_DUE_TO_BYTES = gauge("probe_failed_due_to_bytes", Unit::None, "1 when expected octets did not come."),
        "The server answers, but not with what it should.", "Run the same check by hand.";
    SSL_EARLIEST_CERT_EXPIRY = gauge("probe_ssl_earliest_cert_expiry", Unit::Seconds,
        "When the first of the certificates that the server showed ends, since 1970."),
        "After that moment clients refuse the server.", "Renew the certificate, and see that the server took it.";
    SSL_LAST_CHAIN_EXPIRY = gauge("probe_ssl_last_chain_expiry_timestamp_seconds", Unit::Seconds,
        "When the first certificate of the chain that was believed ends, since 1970."),
        "Certificates that are shown but not needed do not count here.", "Renew the certificate.";
    SSL_LAST_CHAIN_INFO = info("probe_ssl_last_chain_info", "The server's own certificate.")
        .labels(&["fingerprint_sha256", "subject", "issuer", "subjectalternative", "serialnumber"]),
        "A changed fingerprint is another certificate.", "Compare with the one that was rolled out.";
    TLS_VERSION_INFO = info("probe_tls_version_info", "The version of TLS that was agreed on.").labels(&["version"]),
        "An old version is one that will be turned off.", "Look at the server's settings.";
    TLS_CIPHER_INFO = info("probe_tls_cipher_info", "The cipher suite that was agreed on.").labels(&["cipher"]),
        "It says what the server prefers.", "Look at the server's settings.";
    ICMP_DURATION = gauge("probe_icmp_duration_seconds", Unit::Seconds, "Time of each phase of an echo.").labels(PHASE),
        "Its phase rtt is the network itself, by the kernel's clock where there is one.", "Trace the path.";
    ICMP_REPLY_HOP_LIMIT = gauge("probe_icmp_reply_hop_limit", Unit::None, "Time to live with which the answer came."),
        "It changes when the way back does.", "Trace the path.";
    DNS_DURATION = gauge("probe_dns_duration_seconds", Unit::Seconds, "Time of each phase.").labels(PHASE),
        "It tells the way to the name server from its own work.", "Compare connect with a ping.";
    DNS_ANSWER_RRS = gauge("probe_dns_answer_rrs", Unit::None, "Records in the answer."),
        "A name that lost an address shows here.", "Ask the responsible server.";
    DNS_AUTHORITY_RRS = gauge("probe_dns_authority_rrs", Unit::None, "Records of who is responsible."),
        "It tells a referral from an answer.", "Nothing needs checking by itself.";
    DNS_ADDITIONAL_RRS = gauge("probe_dns_additional_rrs", Unit::None, "Additional records."),
        "It tells whether the server says more than it was asked.", "Nothing needs checking by itself.";
    DNS_QUERY_SUCCEEDED = gauge("probe_dns_query_succeeded", Unit::None, "1 when an answer came, whatever it says."),
        "It tells a silent server from one with another answer.", "Look whether the server can be reached.";
    DNS_SERIAL = gauge("probe_dns_serial", Unit::None, "Serial number of the zone, when its start was asked for."),
        "Servers of one zone that differ do not follow the primary.", "Look at the transfers of the zone.";
    EXPECT_INFO = info("probe_expect_info", "What a pattern found, as the labels that the module names."),
        "It carries versions and names out of banners.", "Nothing needs checking by itself.";
    NTP_OFFSET = gauge("probe_ntp_offset_seconds", Unit::Seconds, "How far the server's clock is ahead of this machine's."),
        "One of both clocks is wrong by this much.", "Ask a third server which one.";
    NTP_ROUND_TRIP = gauge("probe_ntp_round_trip_seconds", Unit::Seconds, "The way to the time server and back."),
        "The offset may be wrong by half of it.", "Compare with a ping.";
    NTP_STRATUM = gauge("probe_ntp_stratum", Unit::None, "Steps from the server to a clock: 1 has one; 0 is a refusal, 16 knows no time."),
        "A server that lost its sources climbs.", "Look at the server's own sources.";
    NTP_LEAP = gauge("probe_ntp_leap", Unit::None, "The server's warning: 0 none, 1 and 2 a leap second, 3 it does not know the time."),
        "A server that says 3 must not be believed.", "Look at the server's own sources.";
    NTP_ROOT_DELAY = gauge("probe_ntp_root_delay_seconds", Unit::Seconds, "The way from the server to its clock and back, by its word."),
        "Its half is part of the error.", "Look at the server's own sources.";
    NTP_ROOT_DISPERSION = gauge("probe_ntp_root_dispersion_seconds", Unit::Seconds, "The largest error against the clock, by the server's word."),
        "It grows while a server has no source.", "Look at the server's own sources.";
    PLUGIN_STATUS = gauge("probe_plugin_status", Unit::None, "The plugin's verdict: 0 good, 1 warning, 2 critical, 3 unknown."),
        "It is what Nagios would alert on.", "Read the plugin's first line.";
    PLUGIN_VALUE = gauge("probe_plugin_value", Unit::None, "A figure of the plugin's, in the unit of the label.").labels(PLUGIN),
        "It is the history that the verdict lacks.", "Read what the plugin says of it.";
    PLUGIN_WARNING = gauge("probe_plugin_warning", Unit::None, "From which value on the plugin warns, where that is one number.").labels(PLUGIN),
        "It is the line to draw in a chart of the value.", "Look at the plugin's arguments.";
    PLUGIN_CRITICAL = gauge("probe_plugin_critical", Unit::None, "From which value on the plugin calls it critical, where that is one number.").labels(PLUGIN),
        "It is the line to draw in a chart of the value.", "Look at the plugin's arguments.";
    PLUGIN_MINIMUM = gauge("probe_plugin_minimum", Unit::None, "The smallest value there can be.").labels(PLUGIN),
        "It is the scale of the value.", "Nothing needs checking by itself.";
    PLUGIN_MAXIMUM = gauge("probe_plugin_maximum", Unit::None, "The largest value there can be.").labels(PLUGIN),
        "It is the scale of the value.", "Nothing needs checking by itself.";
}
