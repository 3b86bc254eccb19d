//! The modules that are there without a file.

/// The modules that are there without a file, in the file's own form and, where it has them, by the names of
/// blackbox_exporter's sample.
pub const BUILT_IN: &str = r#"modules:
  http_2xx:
    prober: http
  http_post_2xx:
    prober: http
    http:
      method: POST
  https_2xx:
    prober: http
    http:
      fail_if_not_ssl: true
  tcp_connect:
    prober: tcp
  tls_connect:
    prober: tcp
    tcp:
      tls: true
  ssh_banner:
    prober: tcp
    tcp:
      query_response:
      - expect: "^SSH-2.0-"
      - send: "SSH-2.0-squirrel-check"
  smtp_banner:
    prober: tcp
    tcp:
      query_response:
      - expect: "^220[ -]"
        send: "QUIT\r"
  smtp_starttls:
    prober: tcp
    tcp:
      query_response:
      - expect: "^220 "
        send: "EHLO squirrel.invalid\r"
      - expect: "^250[ -]STARTTLS"
        send: "STARTTLS\r"
      - expect: "^220 "
        starttls: true
      - send: "EHLO squirrel.invalid\r"
      - expect: "^250 "
        send: "QUIT\r"
  imap_starttls:
    prober: tcp
    tcp:
      query_response:
      - expect: "OK.*STARTTLS"
        send: ". STARTTLS\r"
      - expect: "OK"
        starttls: true
      - send: ". CAPABILITY\r"
      - expect: "CAPABILITY IMAP4rev1"
  pop3s_banner:
    prober: tcp
    tcp:
      tls: true
      query_response:
      - expect: "^\\+OK"
  irc_banner:
    prober: tcp
    tcp:
      query_response:
      - send: "NICK prober"
      - send: "USER prober prober prober :prober"
      - expect: "PING :([^ ]+)"
        send: "PONG ${1}"
      - expect: "^:[^ ]+ 001"
  icmp:
    prober: icmp
  icmp_ttl5:
    prober: icmp
    timeout: 5s
    icmp:
      ttl: 5
  dns_udp:
    prober: dns
    dns:
      query_name: "."
      query_type: NS
  dns_tcp:
    prober: dns
    dns:
      query_name: "."
      query_type: NS
      transport_protocol: tcp
  dns_tls:
    prober: dns
    dns:
      query_name: "."
      query_type: NS
      transport_protocol: tcp
      dns_over_tls: true
  ntp:
    prober: ntp
"#;
