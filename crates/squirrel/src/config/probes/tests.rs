//! What `[[probe]]` means, and what is said of mistakes.

use std::time::Duration;

use squirrel_check::IpVersion;
use squirrel_model::Labels;
use squirrel_watch::Work;

use super::Line;
use crate::config::Config;
use crate::config::file::File;

fn complaint(text: &str) -> String {
    format!("{:#}", Config::of_wrong_text(text))
}

#[test]
fn a_probe_needs_no_more_than_a_name_and_targets() {
    let config = Config::of_text("[[probe]]\nname = \"gateways\"\ntargets = [\"192.0.2.1\", \"gw.example.net\"]");
    let targets = config.probes.targets().expect("good");
    let seen: Vec<_> =
        targets.iter().map(|one| (one.job.as_str(), one.instance.as_str(), one.kind(), one.interval)).collect();
    let ten = Duration::from_secs(10);
    assert_eq!(seen, [("gateways", "192.0.2.1", "ping", ten), ("gateways", "gw.example.net", "ping", ten)]);
    assert!(config.probes.pings());
    assert!(!Config::of_text("").probes.pings());
}

#[test]
fn each_kind_is_understood() {
    let text = "
        [[probe]]
        name = 'way'
        kind = 'path'
        targets = ['2001:db8::1']
        interval = '30s'
        packets = 20
        timeout = '1s'
        group = 'office'
        objective = 0.999
        window = '7d'
        labels = { site = 'a' }
        [[probe]]
        name = 'site'
        kind = 'http'
        targets = ['https://example.net/']
        parents = ['2001:db8::1']
        [[probe]]
        name = 'ssh'
        kind = 'tcp'
        targets = ['[2001:db8::1]:22', 'example.net:22']
        [[probe]]
        name = 'names'
        kind = 'dns'
        query = 'example.net'
        targets = ['192.0.2.53']
        [[probe]]
        name = 'clock'
        kind = 'ntp'
        targets = ['192.0.2.123']
        [[probe]]
        name = 'disk'
        kind = 'plugin'
        command = ['/usr/lib/nagios/plugins/check_disk', '-p', '{target}']
        targets = ['/', '/var']";
    let targets = Config::of_text(text).probes.targets().expect("good");
    let kinds: Vec<_> = targets.iter().map(|one| one.kind()).collect();
    assert_eq!(kinds, ["path", "http", "tcp", "tcp", "dns", "ntp", "plugin", "plugin"]);
    let path = &targets[0];
    assert!(matches!(path.work, Work::Path { packets: 20, timeout } if timeout == Duration::from_secs(1)));
    assert_eq!((path.objective, path.window), (Some(0.999), Duration::from_hours(7 * 24)));
    assert_eq!(path.labels, Labels::new([("site", "a")]).expect("labels"));
    assert_eq!((path.group.as_deref(), &targets[1].parents), (Some("office"), &vec!["2001:db8::1".to_owned()]));
    let Work::Check(module) = &targets[7].work else { panic!("a plugin is a check") };
    assert!(format!("{module:?}").contains("\"/var\""), "the target stands in its arguments: {module:?}");
}

#[test]
fn mistakes_are_told_with_the_probe_the_key_and_what_to_write() {
    for (rest, words) in [
        ("", &["\"p\"", "targets", "192.0.2.1"][..]),
        ("targets = ['a b']", &["targets", "a b", "address or the name"]),
        ("targets = ['-f']", &["targets"]),
        ("targets = ['x', 'x']", &["\"x\"", "twice"]),
        ("targets = ['x']\ninterval = '500ms'", &["interval", "1s to 4m", "500ms"]),
        ("targets = ['x']\ninterval = '5m'", &["interval", "five minutes back"]),
        ("targets = ['x']\ninterval = '1s'\ntimeout = '2s'", &["timeout", "interval (1s)"]),
        ("targets = ['x']\npackets = 3", &["packets", "kind = \"path\""]),
        ("targets = ['x']\nkind = 'path'\ninterval = '10s'", &["a trace of 10 packets", "14s", "lower packets"]),
        ("targets = ['x']\nkind = 'path'\npackets = 0", &["packets is 1 to 100"]),
        ("targets = ['x']\nobjective = 99.9", &["objective", "0.999"]),
        ("targets = ['x']\nwindow = '30d'", &["window", "objective too"]),
        ("targets = ['x']\nparents = ['y']", &["parents", "\"y\"", "add it to one"]),
        ("targets = ['x']\nlabels = { job = 'a' }", &["labels", "job"]),
        ("targets = ['x']\nlabels = { 'a-b' = 'a' }", &["labels", "a-b"]),
        ("targets = ['x']\ncommand = ['/bin/true']", &["command is for kind = \"plugin\""]),
        ("targets = ['x']\nkind = 'plugin'", &["needs its command"]),
        ("targets = ['x']\nkind = 'plugin'\ncommand = ['check']", &["from the root on"]),
        ("targets = ['x']\nkind = 'plugin'\ncommand = []", &["command is empty"]),
        ("targets = ['x']\nkind = 'http'", &["whole URL"]),
        ("targets = ['http://u:p@x/']\nkind = 'http'", &["password"]),
        ("targets = ['x']\nkind = 'tcp'", &["host:port"]),
        ("targets = ['x:0']\nkind = 'tcp'", &["host:port"]),
        ("targets = ['x']\nkind = 'dns'", &["query is missing"]),
        ("targets = ['x']\nmodule = 'no'", &["module", "no module \"no\"", "http_2xx"]),
        ("targets = ['x']\nmodule = 'http_2xx'\nkind = 'tcp'", &["either kind or module"]),
        ("targets = ['x']\nmodule = 'http_2xx'\ntimeout = '1s'", &["timeout", "module"]),
        ("targets = ['x', '192.0.2.1']\nip = 6", &["\"192.0.2.1\"", "ip = 6 asks by IPv6", "an address of IPv4"]),
        ("targets = ['2001:db8::1']\nkind = 'path'\nip = 4", &["\"2001:db8::1\"", "an address of IPv6"]),
        ("targets = ['http://[2001:db8::1]/']\nkind = 'http'\nip = 4", &["an address of IPv6", "of its own"]),
        ("targets = ['192.0.2.1:22']\nmodule = 'tcp_connect'\nip = 6", &["an address of IPv4"]),
        ("targets = ['x']\nkind = 'plugin'\ncommand = ['/bin/true']\nip = 4", &["ip is not for plugins", "-4"]),
        ("targets = ['x']\nquery = 'y'", &["query is for kind = \"dns\""]),
        ("targets = ['x']\n[[probe]]\nname = 'p'\ntargets = ['y']", &["\"p\"", "two tables"]),
        ("targets = ['\\u001b[31m']\nkind = 'ntp'", &["control character", "\"\\u{1b}[31m\""]),
    ] {
        let said = complaint(&format!("[[probe]]\nname = \"p\"\n{}", rest.replace("'\\u001b[31m'", "\"\\u001b[31m\"")));
        for word in words {
            assert!(said.contains(word), "{rest:?} must mention {word:?}, but says: {said}");
        }
        assert!(!said.contains('\u{1b}'), "{said:?}");
    }
    for name in ["", "a b", "squirrel"] {
        assert!(complaint(&format!("[[probe]]\nname = {name:?}\ntargets = ['x']")).contains("name"), "{name}");
    }
    let circle = "[[probe]]\nname = 'a'\ntargets = ['x']\nparents = ['y']\n[[probe]]\nname = 'b'\ntargets = ['y']\nparents = ['x']";
    assert!(complaint(circle).contains("circle"));
}

#[test]
fn a_module_says_what_is_checked() {
    let config = Config::of_text("[[probe]]\nname = 'p'\nmodule = 'tcp_connect'\ntargets = ['example.net:22']");
    let targets = config.probes.targets().expect("good");
    assert_eq!((targets[0].kind(), targets[0].module.as_deref()), ("tcp", Some("tcp_connect")));
    let line = Line { name: "p", kind: ["module", "tcp_connect"], ip: None, targets: 1 };
    assert_eq!(config.probes.lines().next(), Some(line));
    assert!(!config.probes.pings());
}

#[test]
fn a_probe_may_say_by_which_ip_names_are_asked() {
    let text = "
        [[probe]]
        name = 'new'
        ip = 6
        targets = ['example.net', '2001:db8::1']
        [[probe]]
        name = 'old'
        kind = 'path'
        ip = 4
        targets = ['example.net']
        [[probe]]
        name = 'mail'
        module = 'tcp_connect'
        ip = 4
        targets = ['mail.example.net:25', '192.0.2.1:25']
        [[probe]]
        name = 'any'
        targets = ['example.net', '2001:db8::1', '192.0.2.1']";
    let probes = Config::of_text(text).probes;
    let (four, six) = (Some(IpVersion::V4), Some(IpVersion::V6));
    let seen: Vec<_> = probes.targets().expect("good").iter().map(|target| target.ip).collect();
    assert_eq!(seen, [six, six, four, four, four, None, None, None]);
    assert_eq!(probes.lines().map(|line| line.ip).collect::<Vec<_>>(), [Some(6), Some(4), Some(4), None]);
    for (written, words) in [("5", "not 5"), ("'6'", "string"), ("-4", "not -4")] {
        let wrong = format!("[[probe]]\nname = 'p'\ntargets = ['x']\nip = {written}");
        let said = format!("{:#}", File::parse(&wrong).expect_err("it is refused"));
        assert!(said.contains("line 4") && said.contains(words), "{said}");
    }
}

#[test]
fn ten_thousand_targets_are_taken_and_one_more_is_refused() {
    let of = |count: usize| {
        let names: Vec<String> = (0..count).map(|number| format!("'h{number}.example.net'")).collect();
        format!("[[probe]]\nname = 'all'\ntargets = [{}]", names.join(","))
    };
    assert_eq!(Config::of_text(&of(10_000)).probes.targets().expect("good").len(), 10_000);
    assert!(complaint(&of(10_001)).contains("more than 10000"));
    let paths = of(501).replace("name = 'all'", "name = 'all'\nkind = 'path'");
    assert!(complaint(&paths).contains("500"));
}

#[test]
fn parents_hold_back_the_alerts_of_what_lies_behind_them() {
    let config = Config::of_text(
        "[[probe]]\nname = 'a'\ntargets = ['gw.example.net']\n\
         [[probe]]\nname = 'b'\nkind = 'http'\ntargets = ['http://x.example.net/?a=(b)', 'http://y/']\nparents = ['gw.example.net']",
    );
    let dependencies = &config.notify.settings.dependencies;
    assert_eq!(dependencies.len(), 1);
    let labels = |name: &str, instance: &str| {
        Labels::new([("alertname", name), ("instance", instance), ("job", "b")]).expect("labels")
    };
    let (parent, child) = (&dependencies[0].parent, &dependencies[0].child);
    assert!(
        parent.matches(&labels("ProbeFailing", "gw.example.net"))
            && parent.matches(&labels("HostDown", "gw.example.net"))
    );
    assert!(
        !parent.matches(&labels("LatencyHigh", "gw.example.net"))
            && !parent.matches(&labels("ProbeFailing", "gwxexample.net"))
    );
    assert!(
        child.matches(&labels("ProbeFailing", "http://x.example.net/?a=(b)"))
            && child.matches(&labels("Any", "http://y/"))
    );
    assert!(
        !child.matches(&labels("ProbeFailing", "gw.example.net"))
            && !child.matches(&labels("ProbeFailing", "http://y/z"))
    );
}
