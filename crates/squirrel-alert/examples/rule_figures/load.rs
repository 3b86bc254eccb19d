//! The rules and the series that both sides have.

use squirrel_model::Labels;

/// Devices of a host, each with a gauge and a counter.
const DEVICES: usize = 5;
/// Rules of a group.
const IN_GROUP: usize = 100;

/// The name of the group that the rule of a host is in.
pub(crate) fn group_of(host: usize) -> String {
    format!("g{}", host / IN_GROUP)
}

/// A rule file: thresholds, rates, and records of both, a quarter each.
pub(crate) fn rules(hosts: usize, seconds: u64) -> String {
    let mut text = String::from("groups:\n");
    for host in 0..hosts {
        if host % IN_GROUP == 0 {
            text += &format!("- name: {}\n  interval: {seconds}s\n  rules:\n", group_of(host));
        }
        let (load, bytes) =
            (format!("bench_load{{host=\"h{host}\"}}"), format!("bench_bytes_total{{host=\"h{host}\"}}"));
        text += &match host % 4 {
            0 => format!(
                "  - {{alert: Load{host}, expr: '{load} > 90', for: 30s, annotations: {{summary: 'at {{{{ $value }}}}'}}}}\n"
            ),
            1 => format!("  - {{alert: Rate{host}, expr: 'max by (host, device) (rate({bytes}[1m])) > 4e6'}}\n"),
            2 => format!("  - {{record: host:bench_load:avg, expr: 'avg without (device) ({load})'}}\n"),
            _ => format!("  - {{record: host:bench_bytes:rate1m, expr: 'sum by (host) (rate({bytes}[1m]))'}}\n"),
        };
    }
    text
}

/// The metrics that the rules yield.
pub(crate) const YIELDED: [&str; 4] = ["host:bench_load:avg", "host:bench_bytes:rate1m", "ALERTS", "ALERTS_FOR_STATE"];

/// All series.
pub(crate) fn series(hosts: usize) -> Vec<Labels> {
    let each = (0..hosts).flat_map(|host| (0..2 * DEVICES).map(move |n| (host, n)));
    let labels = each.map(|(host, n)| {
        let name = if n < DEVICES { "bench_load" } else { "bench_bytes_total" };
        let pairs = [
            ("__name__", name.to_owned()),
            ("device", format!("d{}", n % DEVICES)),
            ("host", format!("h{host}")),
            ("job", "bench".to_owned()),
        ];
        Labels::new(pairs).unwrap_or_default()
    });
    labels.collect()
}

/// The value of the `n`th series at the `tick`th interval: loads that swing, of which a tenth is high, and counters that
/// rise, a fifth of them fast.
pub(crate) fn value(n: usize, tick: usize) -> f64 {
    if n % (2 * DEVICES) < DEVICES {
        ((n * 37 + tick * 3) % 100) as f64
    } else {
        (tick * (1 + n % 5) * 15_000_000) as f64
    }
}
