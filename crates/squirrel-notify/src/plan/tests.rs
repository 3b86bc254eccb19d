//! What can be written in the settings, and what is said of what cannot.

use super::*;

fn faults(text: &str) -> Vec<String> {
    let settings: Settings = toml::from_str(text).expect("good TOML");
    settings.check(&["mail".to_owned(), "pager".to_owned()]).err().map(|error| error.0).unwrap_or_default()
}

#[test]
fn everything_can_be_written_and_nothing_has_to_be() {
    assert_eq!(faults(""), [""; 0]);
    let all = r#"
        [grouping]
        by = ["alertname", "site"]
        wait = "30s"
        interval = "5m"
        repeat = "4h"
        max_alerts = 20
        [[route]]
        match = ['team="net"', 'severity=~"critical|error"']
        channels = ["pager"]
        continue = true
        group_by = ["..."]
        group_wait = "0s"
        group_interval = "1m"
        repeat_interval = "1h"
        [[route.route]]
        match = ["site=lab"]
        channels = []
        [[inhibit]]
        source = ["severity=critical"]
        target = ["severity=warning"]
        equal = ["instance"]
        [[dependency]]
        parent = ["alertname=GatewayDown"]
        child = ["job=ping"]
        equal = ["site"]
        settle = "1m"
        [[maintenance]]
        name = "updates"
        match = ["site=lab"]
        days = ["sat", "mon-wed"]
        from = "22:00"
        to = "02:00"
        time_zone = "Europe/Berlin"
        [[maintenance]]
        start = "2026-12-01T22:00:00+01:00"
        end = "2026-12-02T02:00:00+01:00"
        [quiet_hours]
        from = "22:00"
        to = "07:00"
        days = ["mon-fri"]
        time_zone = "America/New_York"
        through = ["critical", "error"]
        [[escalation]]
        match = ["severity=critical"]
        [[escalation.step]]
        after = "15m"
        channels = ["pager"]
        [[escalation.step]]
        after = "1h"
        channels = ["mail", "pager"]
        [flapping]
        enabled = true
        high = 40
        low = 20
    "#;
    assert_eq!(faults(all), [""; 0]);
}

#[test]
fn each_fault_is_said_with_its_place_and_what_to_write() {
    for (text, place, hint) in [
        ("[[route]]\nchannels = [\"phone\"]", "[[route]] number 1", "there are mail, pager"),
        (
            "[[route]]\n[[route.route]]\ngroup_by = [\"a-b\"]",
            "[[route]] number 1 [[route]] number 1",
            "no label's name",
        ),
        ("[grouping]\nby = [\"...\", \"a\"]", "[grouping]", "alone groups by all labels"),
        ("[grouping]\ninterval = \"0s\"", "[grouping]", "at least 1s"),
        ("[grouping]\nrepeat = \"1s\"", "[grouping]", "at least 1m"),
        ("[grouping]\nmax_alerts = 0", "[grouping]", "1 to 1000"),
        ("[[inhibit]]\nsource = []\ntarget = [\"a=b\"]", "[[inhibit]] number 1", "source has no condition"),
        ("[[dependency]]\nparent = [\"a=b\"]\nchild = []", "[[dependency]] number 1", "child has no condition"),
        ("[[maintenance]]\nfrom = \"01:00\"", "[[maintenance]] \"maintenance 1\"", "either from and to"),
        (
            "[[maintenance]]\nstart = \"2026-01-02T00:00:00Z\"\nend = \"2026-01-01T00:00:00Z\"",
            "maintenance 1",
            "not after",
        ),
        ("[[maintenance]]\nstart = \"now\"\nend = \"later\"", "maintenance 1", "RFC"),
        ("[quiet_hours]\nfrom = \"22:00\"\nto = \"07:00\"\ntime_zone = \"CEST\"", "[quiet_hours]", "no time zone"),
        ("[[escalation]]", "[[escalation]] number 1", "has no step"),
        (
            "[[escalation]]\nstep = [{after = \"1h\", channels = []}, {after = \"1h\", channels = []}]",
            "number 1",
            "longer",
        ),
        ("[flapping]\nhigh = 20", "[flapping]", "low is below high"),
    ] {
        let found = faults(text);
        let hint = if hint == "RFC" { "with its offset" } else { hint };
        assert!(found.iter().any(|fault| fault.contains(place) && fault.contains(hint)), "{text}: {found:?}");
    }
}

#[test]
fn what_toml_cannot_mean_is_said_in_words_and_with_its_line() {
    for (text, hint) in [
        ("[[route]]\nmatch = ['severity']", "write name="),
        ("[grouping]\nwait = \"soon\"", "write a number and a unit"),
        ("[quiet_hours]\nfrom = \"7\"\nto = \"8\"", "\"22:00\""),
        ("[[route]]\nchanels = []", "chanels"),
    ] {
        let said = toml::from_str::<Settings>(text).expect_err(text).to_string();
        assert!(said.contains(hint) && said.contains("line 2"), "{said}");
    }
}

#[test]
fn routes_with_the_same_conditions_are_two() {
    let settings: Settings =
        toml::from_str("[[route]]\nmatch = [\"a=b\"]\ncontinue = true\n[[route]]\nmatch = [\"a=b\"]")
            .expect("good TOML");
    let plan = settings.plan(&["mail".to_owned()]).expect("good settings");
    let keys: Vec<_> = plan.routes.iter().map(|route| route.key.as_str()).collect();
    assert_eq!(keys, ["{}", "{}/{a=\"b\"}", "{}/{a=\"b\"}#2"]);
}
