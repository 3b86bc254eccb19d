//! Debian's `promtool` as a client that we did not write.

use std::process::{Command, Output};

use super::support::{Running, start, traffic};

async fn promtool(arguments: &[&str]) -> std::io::Result<Output> {
    let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
    tokio::task::spawn_blocking(move || Command::new("promtool").args(arguments).output()).await.expect("no panic")
}

async fn query(server: &Running, arguments: &[&str]) -> Output {
    let address = format!("http://{}", server.address);
    let arguments: Vec<&str> = arguments.iter().map(|a| if *a == "SERVER" { address.as_str() } else { a }).collect();
    promtool(&[&["query"], arguments.as_slice()].concat()).await.expect("promtool runs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promtool_reads_our_answers() {
    if let Err(error) = promtool(&["--version"]).await {
        squirrel_testkit::skip("promtool_reads_our_answers", &format!("promtool cannot be started: {error}"));
        return;
    }
    let server = start(traffic()).await;
    let rate = "rate(node_network_receive_bytes_total[1m])";
    let cases: [(&[&str], &str); 6] = [
        (&["instant", "--time=4", "SERVER", "1 + 1"], "scalar: 2 @[4]\n"),
        (
            &["instant", "--time=1700000000", "SERVER", rate],
            "{device=\"eth0\", job=\"squirrel\"} => 1000 @[1700000000]\n{device=\"lo\", job=\"squirrel\"} => 0 @[1700000000]\n",
        ),
        (
            &[
                "range",
                "--start=1699999998",
                "--end=1700000000",
                "--step=1s",
                "SERVER",
                "node_network_receive_bytes_total{device=\"eth0\"}",
            ],
            "node_network_receive_bytes_total{device=\"eth0\", job=\"squirrel\"} =>\n598000 @[1699999998]\n599000 @[1699999999]\n600000 @[1700000000]\n",
        ),
        (
            &[
                "series",
                "--match=node_network_receive_bytes_total{device=~\"e.*\"}",
                "--start=1699999990",
                "--end=1700000000",
                "SERVER",
            ],
            "{__name__=\"node_network_receive_bytes_total\", device=\"eth0\", job=\"squirrel\"}\n",
        ),
        (&["labels", "--start=1699999990", "--end=1700000000", "SERVER", "device"], "eth0\nlo\n"),
        (&["labels", "--start=1699999990", "--end=1700000000", "SERVER", "nothing"], ""),
    ];
    for (arguments, expected) in cases {
        let output = query(&server, arguments).await;
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(text.trim_end(), expected.trim_end(), "{arguments:?}");
    }
    let output = query(&server, &["instant", "SERVER", "sum("]).await;
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("bad_data") && said.contains("parse error"), "{said}");
}
