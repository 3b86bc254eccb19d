//! `squirrel check`, and `/probe` as a Prometheus scrapes it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use serde_json::Value;
use squirrel_outbound::{Client, Destination, Request};
use squirrel_testkit::{Peer, skip, until};

use super::support::{Daemon, squirrel};

/// A web server that answers everything with this status; it ends with the test.
fn web(status: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
        }
    });
    address
}

#[test]
fn good_and_bad_servers_are_told_apart_for_people_and_programs() {
    let (good, bad) = (format!("http://{}/", web("200 OK")), format!("http://{}/", web("503 Busy")));
    let (code, text, said) = squirrel(&["check", "http", "--expect", "^hel{2}o$", &good]);
    assert_eq!(code, 0, "{text}{said}");
    assert!(text.starts_with(&format!("{good}: good after ")), "{text}");
    assert!(
        text.contains("  connect ") && text.contains(" ms  █") && text.contains("status 200 by HTTP/1.1, 5 octets")
    );
    let (code, text, _) = squirrel(&["check", "http", &good, &bad, "--verbose"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains(&format!("{bad}: FAILED after ")) && text.contains("it answered 503, and 2xx is wanted"));
    let (code, text, _) = squirrel(&["check", "http", "--status", "503", &bad, "--json"]);
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let target = &document["targets"][0];
    assert_eq!((code, &document["schema"], &target["success"]), (0, &"squirrel.check/1".into(), &true.into()));
    assert_eq!((&target["target"], &target["kind"]), (&bad.as_str().into(), &"http".into()));
    let phases: Vec<&str> =
        target["phases"].as_array().unwrap().iter().filter_map(|one| one["phase"].as_str()).collect();
    assert!(phases.contains(&"connect") && phases.contains(&"processing"), "{phases:?}");
    let samples = target["samples"].as_array().unwrap();
    let status = samples.iter().find(|sample| sample["series"] == "probe_http_status_code").expect("its status");
    assert_eq!(status["value"], 503.0);
}

#[test]
fn every_kind_and_module_can_be_asked_by_name() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(b"SSH-2.0-test\x1b[2J\r\n");
        }
    });
    let (code, text, said) = squirrel(&["check", "tcp", "--expect", "^SSH-2", "-v", &address]);
    assert!(code == 0 && text.contains("it says: SSH-2.0-test\\u{1b}[2J") && !text.contains('\x1b'), "{text}{said}");
    let (code, text, said) = squirrel(&["check", "--module", "tcp_connect", &address]);
    assert_eq!(code, 0, "{text}{said}");
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("blackbox.yml");
    let modules = "modules:\n  mine: {prober: tcp, tcp: {query_response: [{expect: ^FTP}]}}\n  rpc: {prober: grpc}\n";
    std::fs::write(&file, modules).expect("written");
    let file = file.to_str().expect("UTF-8");
    let (code, text, said) = squirrel(&["check", "--modules", file, "--module", "mine", "-W", "60s", &address]);
    assert!(code == 1 && text.contains("no line matches ^FTP"), "{code} {text}");
    assert!(said.contains(":3:8: the module rpc cannot be carried out"), "{said}");
    let (_, text, _) = squirrel(&["check", "--modules", file, "--list"]);
    assert!(text.contains("mine           tcp\n") && text.contains("smtp_starttls  tcp\n"), "{text}");
    let (code, text, _) = squirrel(&["check", "plugin", "--", "/bin/sh", "-c", "echo 'OK - fine | load=0.5'"]);
    assert!(code == 0 && text.contains("load 0.5"), "{text}");
    let (code, text, _) = squirrel(&["check", "icmp", "127.0.0.1"]);
    if text.contains("may not send echoes") {
        skip("every_kind_and_module_can_be_asked_by_name", "echoes need net.ipv4.ping_group_range or CAP_NET_RAW");
    } else {
        assert!(code == 0 && text.contains("answered with ttl 64") && text.contains("  rtt "), "{text}");
    }
}

#[test]
fn what_cannot_be_asked_is_a_mistake_of_usage() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("blackbox.yml");
    std::fs::write(&file, "modules: {a: {prober: tcp, tcp: {tsl: true}}}\n").expect("written");
    let file = file.to_str().expect("UTF-8");
    for (arguments, expected) in [
        (&["check"][..], "name what is looked at"),
        (&["check", "ftp", "a"], "\"ftp\" is nothing that can be looked at"),
        (&["check", "http"], "name at least one target for http"),
        (&["check", "icmp", "--expect", "a", "b"], "a pattern is looked for by http, tcp, tls and dns, and not icmp's"),
        (&["check", "tcp", "--expect", "(", "a:1"], "the pattern cannot be read"),
        (&["check", "--module", "nothing", "a"], "there is no module \"nothing\"; there are dns_tcp"),
        (&["check", "http", "-W", "1h", "a"], "--timeout is above zero and at most 120 s"),
        (&["check", "plugin"], "name the plugin behind --"),
        (&["check", "--modules", file, "--module", "a", "b"], ":1:34: \"tsl\" is no field of tcp"),
    ] {
        let (code, text, said) = squirrel(arguments);
        assert!(code == 2 && text.is_empty() && said.contains(expected), "{arguments:?}: {code} {said}");
    }
}

/// The value of an expression at a Prometheus; none before there is one.
fn value(prometheus: &Peer, expr: &str) -> Option<f64> {
    let url = format!("http://127.0.0.1:{}/api/v1/query?query={expr}", prometheus.port());
    let to = Destination::parse(&url).expect("a URL");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let answer = runtime.block_on(Client::new().send(&to, Request::get())).ok()?;
    let document: Value = serde_json::from_slice(&answer.body).ok()?;
    document["data"]["result"][0]["value"][1].as_str()?.parse().ok()
}

#[test]
fn a_prometheus_scrapes_squirrel_in_place_of_blackbox_exporter() {
    let test = "a_prometheus_scrapes_squirrel_in_place_of_blackbox_exporter";
    let modules = "modules:\n  page: {prober: http, timeout: 5s, http: {preferred_ip_protocol: ip4, valid_status_codes: [503]}}\n";
    let exporter = match Peer::blackbox_exporter(modules) {
        Ok(exporter) => exporter,
        Err(reason) => return skip(test, &reason),
    };
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("blackbox.yml"), modules).expect("written");
    let config = dir.path().join("squirrel.toml");
    std::fs::write(&config, "[checks]\nmodules_file = \"blackbox.yml\"\nallow = [\"127.0.0.0/8\"]\n").expect("written");
    let daemon = Daemon::start(&dir.path().join("data"), &["--config", config.to_str().expect("UTF-8")]);
    let target = format!("http://{}/", web("503 Busy"));
    let job = |name: &str, address: &str| {
        format!(
            "- job_name: {name}\n  metrics_path: /probe\n  params: {{module: [page]}}\n  static_configs: \
             [{{targets: ['{target}']}}]\n  relabel_configs:\n  - {{source_labels: [__address__], target_label: __param_target}}\n  \
             - {{source_labels: [__param_target], target_label: instance}}\n  - {{target_label: __address__, replacement: '{address}'}}\n"
        )
    };
    let jobs = job("ours", &daemon.address) + &job("theirs", &format!("127.0.0.1:{}", exporter.port()));
    let scraping = format!("global: {{scrape_interval: 5s, scrape_timeout: 5s}}\nscrape_configs:\n{jobs}");
    let prometheus = match Peer::prometheus_with(&scraping) {
        Ok(prometheus) => prometheus,
        Err(reason) => return skip(test, &reason),
    };
    let there = |job: &str| value(&prometheus, &format!("probe_success%7Bjob=%22{job}%22%7D"));
    assert!(until(Duration::from_mins(1), || there("ours").is_some() && there("theirs").is_some()), "both are scraped");
    for metric in [
        "probe_success",
        "probe_http_status_code",
        "probe_http_content_length",
        "probe_http_uncompressed_body_length",
        "probe_http_version",
        "probe_http_redirects",
        "probe_http_ssl",
        "probe_failed_due_to_regex",
        "probe_ip_protocol",
        "probe_ip_addr_hash",
        "up",
    ] {
        let of = |job: &str| value(&prometheus, &format!("{metric}%7Bjob=%22{job}%22,instance=%22{target}%22%7D"));
        // A scrape may take too long where much else goes on; the next one is another.
        assert!(
            until(Duration::from_mins(1), || of("ours").is_some() && of("ours") == of("theirs")),
            "{metric}: {:?} and {:?}",
            of("ours"),
            of("theirs")
        );
    }
    let debug = daemon.text(&format!("/probe?module=page&debug=true&target={target}"));
    assert!(debug.contains("answered 503") && debug.contains("probe_success 1"), "{debug}");
    let refused = daemon.text("/probe?module=page&debug=true&target=http://169.254.169.254/latest/meta-data/");
    assert!(refused.contains("where clouds give credentials") && refused.contains("probe_success 0"), "{refused}");
    daemon.wait_until("squirrel_check_requests_total{outcome=\"success\"}", |count| count >= 1.0);
    assert_eq!(daemon.get("/probe?module=nothing&target=a").status, 400);
}
