//! Service checks: TCP, TLS, HTTP, DNS, NTP, SMTP and Nagios' plugins, with blackbox_exporter's modules and metrics.
#![forbid(unsafe_code)]
