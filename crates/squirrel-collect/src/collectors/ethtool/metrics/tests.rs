//! Names that drivers have for their counters, and the families that they belong to.

use super::*;

#[test]
fn statistics_are_named_as_node_exporter_names_them() {
    let cases = [
        ("rx_kicks", "received_kicks"),
        ("tx_tx_timeouts", "transmitted_tx_timeouts"),
        ("tx0_tx_timeouts", "tx0_transmitted_timeouts"),
        ("tx_xdp_tx", "transmitted_xdp_transmitted"),
        ("tx_xdp_tx_drops", "transmitted_xdp_transmitted_drops"),
        ("rx_queue_0_bytes", "received_queue_0_bytes"),
        ("prxy", "prxy"),
        ("RX", "received"),
        ("Queue[1]: rx-bytes", "queue_1_received_bytes"),
        ("__a_%_b", "a_b"),
        ("a_-_-b", "a__b"),
        ("port.tx_size_64", "port_transmitted_size_64"),
        ("größe", "gr_e"),
        ("rx_rx_rx", "received_rx_received"),
    ];
    for (statistic, expected) in cases {
        assert_eq!(name(statistic), format!("node_ethtool_{expected}"), "{statistic}");
    }
}

#[test]
fn common_statistics_have_the_names_that_node_exporter_gives_them_alone() {
    assert_eq!(metric("rx_bytes").unwrap().name, "node_ethtool_received_bytes_total");
    assert_eq!(metric("rx_drops").unwrap().why, DROPS_WHY);
    assert!(metric("info").is_none() && metric("").is_none() && metric("___").is_none());
    assert!(metric("%").is_none(), "nothing is left of it");
}
