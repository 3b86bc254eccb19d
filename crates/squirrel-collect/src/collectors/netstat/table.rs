//! What the kernel's protocol counters mean: those that a person would ask about, each with its
//! own words. All others are emitted too, under [`FAMILY`].
//!
//! Sources: RFC 1213, RFC 4113, RFC 4293 for the standard ones; `net/ipv4/proc.c` and the places
//! where `include/uapi/linux/snmp.h` names are counted for the rest.

use squirrel_model::{Kind, Metric, Unit};

/// Every counter that has no line of its own below.
pub(super) static FAMILY: Metric = Metric::new(
    "node_netstat_<protocol>_<counter>",
    Kind::Untyped,
    Unit::None,
    "A protocol counter of the kernel, under the kernel's own names of protocol and counter.",
)
.why("The kernel counts nearly every unusual event of its protocols; the name says which.")
.check(&[
    "Look at its rate: most of these counters rise a little on a healthy host.",
    "Find the name in the kernel's documentation of SNMP counters, or in `nstat -az`.",
]);

/// A line is: the counters that share a meaning, their unit, what is counted, why it matters, and
/// what to check first.
macro_rules! counters {
    ($([$($name:literal),+] $unit:ident, $help:literal, $why:literal, $check:tt;)*) => {
        &[$($(
            &Metric::new(concat!("node_netstat_", $name), Kind::Untyped, Unit::$unit, $help)
                .why($why)
                .check(&$check),
        )+)* &FAMILY]
    };
}

/// The declared counters, the family last.
pub(super) static METRICS: &[&Metric] = counters! {
    // IP
    ["Ip_Forwarding"] None,
        "1 when this host forwards IPv4 packets, 2 when it does not.",
        "A router or container host that stopped forwarding cuts off everything behind it.",
        ["Read `sysctl net.ipv4.ip_forward`, and see what changed it: a network manager often does."];
    ["Ip_InReceives", "Ip6_InReceives"] Packets,
        "IP packets received, with those in error.",
        "The whole of what arrived at the IP layer; shares of errors are of this.",
        ["Compare with node_network_receive_packets_total: frames that are not IP make the difference."];
    ["Ip_InDelivers", "Ip6_InDelivers"] Packets,
        "IP packets handed to a protocol of this host, such as TCP.",
        "What arrived and is neither delivered nor forwarded was discarded on the way.",
        ["Compare with InReceives minus ForwDatagrams of the same protocol; then look at the In… counters beside it."];
    ["Ip_ForwDatagrams", "Ip6_OutForwDatagrams"] Packets,
        "IP packets that this host forwarded for others.",
        "It is the work of a router; on a host that should not route, it is a surprise.",
        ["See `ip route` and which interfaces the traffic passes."];
    ["Ip_InHdrErrors", "Ip6_InHdrErrors"] Packets,
        "IP packets discarded for a bad header, or because their hop limit ran out while being forwarded.",
        "A steady rise on a router is a routing loop or somebody tracing routes.",
        ["Run `mtr` or traceroute to a destination behind this router and look for a repeated hop.",
         "Compare with the Icmp OutTimeExcds counter."];
    ["Ip_InAddrErrors", "Ip6_InAddrErrors"] Packets,
        "IP packets discarded because they were not for this host and it does not forward.",
        "On a router or container host it means that forwarding is off; elsewhere that somebody sends to the wrong place.",
        ["Read `sysctl net.ipv4.ip_forward` and `net.ipv6.conf.all.forwarding`.",
         "Capture a few packets to see who sends them."];
    ["Ip_InUnknownProtos", "Ip6_InUnknownProtos"] Packets,
        "IP packets for a protocol that this kernel does not handle.",
        "Mostly harmless; after an upgrade it can be a tunnel whose module is not loaded.",
        ["Capture a few packets to see the protocol's number, then load its module."];
    ["Ip_InDiscards", "Ip6_InDiscards"] Packets,
        "Good IP packets discarded on arrival for lack of memory or by a policy.",
        "These packets were fine and the host lost them.",
        ["Look at free memory and at the kernel log for allocation failures."];
    ["Ip_OutDiscards", "Ip6_OutDiscards"] Packets,
        "IP packets to be sent that were discarded, mostly for lack of buffer space or by the queueing discipline.",
        "Applications sent these and they never left the host.",
        ["Look at node_qdisc_drops_total of the outgoing interface.", "Look at free memory and the kernel log."];
    ["Ip_OutNoRoutes", "Ip6_OutNoRoutes"] Packets,
        "IP packets discarded because no route led to their destination.",
        "A part of the network cannot be reached from here at all.",
        ["See `ip route` and `ip -6 route`: is the default route there?",
         "See `ip rule` when several routing tables are used."];
    ["IpExt_InNoRoutes", "Ip6_InNoRoutes"] Packets,
        "Received IP packets that could not be forwarded because no route led to their destination.",
        "The router was asked to carry these and had nowhere to send them.",
        ["See `ip route get ADDRESS from SOURCE iif INTERFACE` for a destination that fails."];
    ["Ip_ReasmFails", "Ip6_ReasmFails"] Packets,
        "Failures to put a fragmented packet together again.",
        "A fragment was lost or filtered, and so the whole packet was lost.",
        ["Look for a firewall that drops fragments, and for UDP senders with packets above the path's MTU.",
         "Compare node_sockstat_FRAG_memory with `sysctl net.ipv4.ipfrag_high_thresh`."];
    ["Ip_ReasmTimeout", "Ip6_ReasmTimeout"] Packets,
        "Fragmented packets given up because a fragment did not come in time.",
        "Somewhere on the path single fragments are lost.",
        ["Look for a firewall that drops fragments.", "Lower the MTU of the tunnel or the size of the datagrams."];
    ["Ip_FragFails", "Ip6_FragFails"] Packets,
        "Packets that did not fit the next link and must not be fragmented.",
        "Normal while a path's MTU is being discovered; when the answer by ICMP is lost, connections hang.",
        ["See `ip route get ADDRESS` for the MTU learned.", "Look for a firewall that drops ICMP `fragmentation needed` or `packet too big`."];
    ["Ip6_InTooBigErrors"] Packets,
        "IPv6 packets that could not be forwarded because they exceed the next link's MTU.",
        "The sender must be told by ICMPv6; where that is filtered, its connections hang.",
        ["Look for a firewall that drops ICMPv6 `packet too big`."];
    ["IpExt_InOctets", "Ip6_InOctets"] Bytes,
        "Bytes in IP packets received, headers included.",
        "The volume per protocol version, all interfaces together, loopback included.",
        ["Compare with node_network_receive_bytes_total to see how much is not this protocol."];
    ["IpExt_OutOctets", "Ip6_OutOctets"] Bytes,
        "Bytes in IP packets sent, headers included.",
        "The volume per protocol version, all interfaces together, loopback included.",
        ["Compare with node_network_transmit_bytes_total to see how much is not this protocol."];
    ["IpExt_InCsumErrors"] Packets,
        "IPv4 packets with a wrong header checksum.",
        "Packets are damaged on the way: a cable, a network card, or memory of a switch.",
        ["Look at node_network_receive_errs_total and the ethtool statistics of each interface.",
         "Switch receive checksum offload off for a test (`ethtool -K IF rx off`)."];
    ["IpExt_InCEPkts", "Ip6_InCEPkts"] Packets,
        "Packets received that a router marked: congestion experienced (RFC 3168).",
        "Congestion on the path was signalled without losing anything.",
        ["Compare with InECT0Pkts and InECT1Pkts: the share that is marked says how full the path is."];
    ["IpExt_InECT0Pkts", "Ip6_InECT0Pkts"] Packets,
        "Packets received that announce classic ECN (codepoint ECT(0)).",
        "It shows that peers and path let congestion marks through.",
        ["Read `sysctl net.ipv4.tcp_ecn` on both ends when none arrive."];
    ["IpExt_InECT1Pkts", "Ip6_InECT1Pkts"] Packets,
        "Packets received with codepoint ECT(1), used by low-latency congestion control (RFC 9331).",
        "It shows traffic of a congestion control that expects frequent marks.",
        ["See which congestion control the senders use (`ss -ti`)."];
    ["IpExt_InNoECTPkts", "Ip6_InNoECTPkts"] Packets,
        "Packets received whose sender does not take congestion marks.",
        "For these, loss is the only signal of congestion; GRO and LSO make one of several frames.",
        ["Nothing needs checking by itself; compare with InECT0Pkts."];
    ["TcpExt_IPReversePathFilter"] Packets,
        "IPv4 packets dropped because their source would not be reached through the interface they came from.",
        "With asymmetric routing these are honest packets, lost without a word.",
        ["Read `sysctl net.ipv4.conf.all.rp_filter` and that of the interface; 2 is the loose check.",
         "Compare `ip route get SOURCE` with the interface the packets come in on."];

    // ICMP
    ["Icmp_InMsgs", "Icmp6_InMsgs"] Packets,
        "ICMP messages received, with those in error.",
        "A burst is a ping flood, or a path telling many flows about a problem.",
        ["See the counters by type beside it: echo, destination unreachable, time exceeded."];
    ["Icmp_OutMsgs", "Icmp6_OutMsgs"] Packets,
        "ICMP messages that this host sent.",
        "A burst of errors sent means that many packets arrive that this host cannot serve.",
        ["See the counters by type beside it."];
    ["Icmp_InErrors", "Icmp6_InErrors"] Packets,
        "ICMP messages received with an error, or that could not be matched to anything.",
        "Messages about the path are being lost with them.",
        ["Capture ICMP for a while and look at what arrives."];
    ["Icmp_InDestUnreachs", "Icmp6_InDestUnreachs"] Packets,
        "ICMP destination unreachable messages received.",
        "Routers or hosts say that something this host sends to cannot be reached.",
        ["Capture ICMP: each message names the reporter and quotes the packet it is about.",
         "Code 13 is a firewall, code 4 a path with a smaller MTU, code 3 a closed UDP port."];
    ["Icmp_OutDestUnreachs", "Icmp6_OutDestUnreachs"] Packets,
        "ICMP destination unreachable messages sent.",
        "Others send to closed UDP ports or unreachable places through this host.",
        ["Compare with node_netstat_Udp_NoPorts.", "Capture ICMP to see who is told what."];
    ["Icmp_InTimeExcds", "Icmp6_InTimeExcds"] Packets,
        "ICMP time exceeded messages received.",
        "Packets of this host run out of hops: a routing loop, or somebody runs traceroute here.",
        ["Run `mtr` to the destination quoted in a captured message."];
    ["Icmp_InRedirects", "Icmp6_InRedirects"] Packets,
        "ICMP redirects received: a router says that another is nearer.",
        "It hints at a wrong gateway in the configuration, or at somebody trying to divert traffic.",
        ["See `ip route` and `ip route show cache`.", "Read `sysctl net.ipv4.conf.all.accept_redirects`; 0 ignores them."];
    ["Icmp_OutRateLimitGlobal", "Icmp_OutRateLimitHost", "Icmp6_OutRateLimitHost"] Packets,
        "ICMP messages not sent because of the rate limit.",
        "Missing answers to pings of this host may be this limit and not loss.",
        ["Read `sysctl net.ipv4.icmp_ratelimit` and `net.ipv4.icmp_msgs_per_sec`.",
         "See who sends so much that needs an answer."];

    // TCP
    ["Tcp_ActiveOpens"] None,
        "TCP connections that this host began to open.",
        "The rate of new outgoing connections; each costs a local port for a while.",
        ["When the rate is high, see whether the client could reuse connections."];
    ["Tcp_PassiveOpens"] None,
        "TCP connections that others opened to this host.",
        "The rate of new incoming connections.",
        ["Compare with node_netstat_TcpExt_ListenDrops: how many did not get in."];
    ["Tcp_AttemptFails"] None,
        "TCP connections that failed while being opened.",
        "Clients here cannot reach a service, or clients elsewhere give up on ours.",
        ["See node_netstat_TcpExt_TCPSynRetrans: repeated SYNs mean silence, without them the peer refuses.",
         "List sockets in SYN_SENT (`ss -tn state syn-sent`)."];
    ["Tcp_EstabResets"] None,
        "Established TCP connections that ended with a reset.",
        "A reset throws away what was on the way; applications see `connection reset`.",
        ["See node_netstat_Tcp_OutRsts and the TCPAbort… counters: is it this host that resets, and why."];
    ["Tcp_CurrEstab"] None,
        "TCP connections in state ESTABLISHED or CLOSE_WAIT now.",
        "How many connections this host holds.",
        ["See node_tcp_connection_states for each state.", "Many in CLOSE_WAIT: an application does not close its sockets."];
    ["Tcp_InSegs"] Packets,
        "TCP segments received, with those in error.",
        "The traffic that shares of errors are measured against.",
        ["Nothing needs checking by itself."];
    ["Tcp_OutSegs"] Packets,
        "TCP segments sent, without retransmissions.",
        "The traffic that the share of retransmissions is measured against.",
        ["Divide node_netstat_Tcp_RetransSegs by it, both as rates."];
    ["Tcp_RetransSegs"] Packets,
        "TCP segments sent again.",
        "Each waits at least a round trip; above about 1 % of segments sent, users feel it.",
        ["Divide its rate by that of node_netstat_Tcp_OutSegs.",
         "See whether node_netstat_TcpExt_TCPTimeouts rises too: then whole windows or peers vanish, else single segments.",
         "See which sockets retransmit (`ss -tinmp`) and whether they share a network or an interface.",
         "Look at node_network_receive_errs_total and the drops of the outgoing interface's qdisc."];
    ["Tcp_InErrs"] Packets,
        "TCP segments received with an error, such as a wrong checksum.",
        "Segments are damaged on the way, or something forges them.",
        ["See node_netstat_Tcp_InCsumErrors.", "Look at the ethtool statistics of the receiving interface."];
    ["Tcp_InCsumErrors"] Packets,
        "TCP segments received with a wrong checksum.",
        "Damage that the link layer did not notice: a network card, a switch's memory, or broken offload.",
        ["Switch receive checksum offload off for a test (`ethtool -K IF rx off`).", "See whether it comes with one interface."];
    ["Tcp_OutRsts"] Packets,
        "TCP resets that this host sent.",
        "Others connect to closed ports, or applications here close with data unread.",
        ["See node_netstat_TcpExt_TCPAbortOnData and TCPAbortOnClose.",
         "Without those: somebody connects to a port where nothing listens."];
    ["TcpExt_TCPTimeouts"] None,
        "Times a retransmission timer ran out without an answer.",
        "Much worse for users than a fast retransmission: at least 200 ms of silence, doubled each time.",
        ["See the sockets with a backoff (`ss -tinmp`): one peer, one network, or all.",
         "Look for an outage or a firewall that forgot its connections."];
    ["TcpExt_TCPLossProbes"] None,
        "Tail loss probes sent (RFC 8985).",
        "Some are normal on idle connections; many mean that the ends of transfers get lost.",
        ["Compare with node_netstat_TcpExt_TCPLossProbeRecovery."];
    ["TcpExt_TCPLostRetransmit"] Packets,
        "Retransmissions that were lost too.",
        "Loss is heavy or lasting.",
        ["See node_netstat_Tcp_RetransSegs and the path (`mtr`)."];
    ["TcpExt_TCPFastRetrans"] Packets,
        "Segments repaired by fast retransmission.",
        "Single losses that cost one round trip and no silence.",
        ["Compare with node_netstat_TcpExt_TCPTimeouts for the other kind."];
    ["TcpExt_TCPSlowStartRetrans"] Packets,
        "Segments sent again in slow start, after a timeout.",
        "Whole windows were lost.",
        ["See node_netstat_TcpExt_TCPTimeouts."];
    ["TcpExt_TCPSpuriousRTOs"] None,
        "Timeouts that turned out to be needless: the answer was only late.",
        "The path has sudden delays, not losses.",
        ["Look for a full queue, a sleeping radio, or a stalled virtual machine."];
    ["TcpExt_TCPSynRetrans"] Packets,
        "SYN and SYN-ACK segments sent again.",
        "Connections take one, three or seven seconds longer to open, or fail: a peer is silent, filtered or full.",
        ["List sockets in SYN_SENT: which peers do not answer.",
         "For our own services see node_netstat_TcpExt_ListenOverflows: a full accept queue ignores SYNs."];
    ["TcpExt_TCPOrigDataSent"] Packets,
        "TCP segments with data sent for the first time.",
        "The best measure to divide retransmissions by.",
        ["Divide node_netstat_Tcp_RetransSegs by it, both as rates."];
    ["TcpExt_TCPDSACKRecv"] None,
        "Reports of peers that they got a segment twice.",
        "Some retransmissions were needless: reordering or lost acknowledgements, not lost data.",
        ["Compare with node_netstat_Tcp_RetransSegs.", "Look for bonding or several paths (reordering)."];
    ["TcpExt_TCPSACKReorder", "TcpExt_TCPTSReorder"] None,
        "Times a connection found that the path reorders segments.",
        "Reordering looks like loss and slows connections down.",
        ["Look for bonding in round-robin mode, several paths, or a network card that steers one flow to several queues."];
    ["TcpExt_TCPOFOQueue"] Packets,
        "Segments received out of order and kept.",
        "Something before them was lost or overtaken on the way to this host.",
        ["See which peers send them; the cause lies on the path towards this host."];
    ["TcpExt_TCPOFODrop"] Packets,
        "Segments received out of order and dropped because the socket's buffer was full.",
        "Data that had arrived must be sent again.",
        ["Read `sysctl net.ipv4.tcp_rmem`: the third number is the largest buffer."];
    ["TcpExt_TCPDeliveredCE"] Packets,
        "Segments that a router on the way marked as having met congestion, as the peer reports it.",
        "Congestion on the way out was signalled without loss.",
        ["Divide by the rate of node_netstat_TcpExt_TCPDelivered: how full is the path."];

    // TCP: listening sockets
    ["TcpExt_ListenOverflows"] None,
        "Connection attempts dropped because a listening socket's accept queue was full.",
        "Clients wait a second or more and try again: the application does not accept fast enough.",
        ["See which listener is full: `ss -ltn`, Recv-Q at or above Send-Q.",
         "Look at that process: stuck, out of descriptors, or short of CPU.",
         "Only then raise the backlog of `listen` and `sysctl net.core.somaxconn`."];
    ["TcpExt_ListenDrops"] None,
        "Connection attempts dropped by a listening socket, for any reason.",
        "Clients wait a second or more and try again.",
        ["Subtract node_netstat_TcpExt_ListenOverflows: the rest is the SYN queue or memory.",
         "See node_netstat_TcpExt_TCPReqQFullDrop."];
    ["TcpExt_TCPReqQFullDrop"] None,
        "Connection attempts dropped because the SYN queue was full and SYN cookies are off.",
        "Either a SYN flood or a burst of honest clients that could not get in.",
        ["Set `sysctl net.ipv4.tcp_syncookies=1`.", "Raise the listener's backlog."];
    ["TcpExt_TCPReqQFullDoCookies"] None,
        "Times the SYN queue was full and a SYN cookie was sent instead.",
        "A SYN flood or a burst of clients; nobody was turned away.",
        ["See whether node_netstat_TcpExt_SyncookiesRecv rises as well: then they are real clients."];
    ["TcpExt_SyncookiesSent"] Packets,
        "SYN cookies sent.",
        "A listener's SYN queue overflows: a SYN flood or a backlog that is too small.",
        ["Compare with node_netstat_TcpExt_SyncookiesRecv: real clients answer, a flood does not."];
    ["TcpExt_SyncookiesRecv"] Packets,
        "Valid SYN cookies that came back.",
        "Real clients came in through cookies, without some TCP options.",
        ["Raise the listener's backlog and `sysctl net.ipv4.tcp_max_syn_backlog`."];
    ["TcpExt_SyncookiesFailed"] Packets,
        "Invalid SYN cookies that came back.",
        "An ACK flood, or clients that answered too late.",
        ["Compare with node_netstat_TcpExt_SyncookiesSent."];
    ["TcpExt_EmbryonicRsts"] Packets,
        "Resets received for connections that were not yet open.",
        "Port scans and health checks do this.",
        ["See who connects and hangs up (`tcpdump`)."];
    ["TcpExt_TCPDeferAcceptDrop"] Packets,
        "Acknowledgements dropped because the listener waits for data (TCP_DEFER_ACCEPT).",
        "Normal where the option is set.",
        ["See whether the service sets TCP_DEFER_ACCEPT when its clients complain about slow opening."];
    ["TcpExt_TCPFastOpenListenOverflow"] None,
        "TCP Fast Open requests beyond the listener's limit.",
        "Those connections open the slow way.",
        ["Raise the queue length that the service gives to TCP_FASTOPEN."];

    // TCP: receiving
    ["TcpExt_PruneCalled"] None,
        "Times a socket's receive buffer was full and the kernel squeezed it.",
        "The application reads too slowly, or the buffer is too small for the path.",
        ["See which sockets have a full receive queue (`ss -tnp`, Recv-Q).", "Read `sysctl net.ipv4.tcp_rmem`."];
    ["TcpExt_RcvPruned"] Packets,
        "Segments dropped because squeezing the receive buffer did not help.",
        "Data that had arrived must be sent again.",
        ["See which sockets have a full receive queue (`ss -tnp`, Recv-Q)."];
    ["TcpExt_OfoPruned"] Packets,
        "Segments received out of order and thrown away to make room.",
        "Data that had arrived must be sent again.",
        ["See node_netstat_TcpExt_PruneCalled."];
    ["TcpExt_TCPRcvCollapsed"] Packets,
        "Segments merged in a full receive buffer to save memory.",
        "It costs CPU; peers send tiny segments or the application reads slowly.",
        ["See node_netstat_TcpExt_PruneCalled."];
    ["TcpExt_TCPRcvQDrop"] Packets,
        "Segments dropped because the receive queue could not take them.",
        "Data that had arrived must be sent again.",
        ["See which sockets have a full receive queue (`ss -tnp`, Recv-Q).",
         "Compare node_sockstat_TCP_mem with `sysctl net.ipv4.tcp_mem`."];
    ["TcpExt_TCPBacklogDrop"] Packets,
        "Segments dropped because the socket was busy and its backlog full.",
        "A process holds its socket for long while segments pour in.",
        ["Look for a process with a core of its own at 100 %, or very large reads."];
    ["TcpExt_TCPZeroWindowDrop"] Packets,
        "Segments dropped because this host had announced a window of zero.",
        "The application here does not read what it is sent.",
        ["Look at the process that owns the socket with the full receive queue."];
    ["TcpExt_TCPToZeroWindowAdv"] None,
        "Times this host told a peer to stop sending: its window went to zero.",
        "The application here reads too slowly; one now and then is a burst.",
        ["Compare with node_netstat_TcpExt_TCPFromZeroWindowAdv: the difference is connections still stopped."];
    ["TcpExt_TCPFromZeroWindowAdv"] None,
        "Times this host let a stopped peer send again.",
        "The counterpart of TCPToZeroWindowAdv.",
        ["See node_netstat_TcpExt_TCPToZeroWindowAdv."];
    ["TcpExt_TCPWinProbe"] Packets,
        "Probes sent to peers that announced a window of zero.",
        "A peer does not read what this host sends.",
        ["See squirrel_tcp_zero_window_sockets, and which peers they belong to (`ss -tinmp`)."];

    // TCP: ends of connections
    ["TcpExt_TCPAbortOnData"] None,
        "Connections reset because data came after the application had closed.",
        "The application leaves before its peer has finished.",
        ["Read the application's log: timeouts on its side close early."];
    ["TcpExt_TCPAbortOnClose"] None,
        "Connections reset because the application closed with data unread.",
        "The peer sees `connection reset` instead of a clean end.",
        ["Look at which service closes without reading to the end."];
    ["TcpExt_TCPAbortOnMemory"] None,
        "Connections reset for lack of memory, or because too many had lost their process.",
        "Connections are killed to save the host.",
        ["Compare node_sockstat_TCP_mem with `sysctl net.ipv4.tcp_mem`.",
         "Compare node_sockstat_TCP_orphan with `sysctl net.ipv4.tcp_max_orphans`."];
    ["TcpExt_TCPAbortOnTimeout"] None,
        "Connections given up because retransmissions or keepalives were never answered.",
        "Peers vanished, or a firewall forgot the connections.",
        ["Compare the idle timeout of firewalls on the way with `sysctl net.ipv4.tcp_keepalive_time`."];
    ["TcpExt_TCPAbortOnLinger"] None,
        "Connections reset because their linger time after closing ran out.",
        "The peer did not take the end of the data in time.",
        ["See which service sets TCP_LINGER2."];
    ["TcpExt_TCPAbortFailed"] None,
        "Resets that could not be sent for lack of memory.",
        "Peers keep connections that are gone here.",
        ["Look at free memory and the kernel log."];
    ["TcpExt_TW"] None,
        "Sockets that entered TIME_WAIT.",
        "The rate at which this host closes connections first; TIME_WAIT itself is harmless and lasts 60 s.",
        ["See node_sockstat_TCP_tw for how many there are now.",
         "Only outgoing connections to one address and port can run out of local ports: reuse connections there."];
    ["TcpExt_TWRecycled"] None,
        "Sockets in TIME_WAIT that were reused for a new connection before their time.",
        "It shows that tcp_tw_reuse is at work.",
        ["Nothing needs checking by itself."];
    ["TcpExt_TWKilled"] None,
        "Sockets in TIME_WAIT that were removed early.",
        "Rare on current kernels.",
        ["Nothing needs checking by itself."];
    ["TcpExt_TCPTimeWaitOverflow"] None,
        "Sockets not kept in TIME_WAIT because there were too many.",
        "Late segments of those connections may disturb new ones.",
        ["Compare node_sockstat_TCP_tw with `sysctl net.ipv4.tcp_max_tw_buckets`."];
    ["TcpExt_TCPMemoryPressures"] None,
        "Times TCP began to save memory.",
        "All sockets of the host get smaller buffers until it is over.",
        ["Compare node_sockstat_TCP_mem with `sysctl net.ipv4.tcp_mem`.",
         "Find the sockets with large queues (`ss -tinmp`)."];
    ["TcpExt_TCPMemoryPressuresChrono"] None,
        "Milliseconds that TCP spent saving memory.",
        "All sockets of the host had smaller buffers for that long.",
        ["See node_netstat_TcpExt_TCPMemoryPressures."];
    ["TcpExt_TCPKeepAlive"] Packets,
        "Keepalive probes sent.",
        "It shows how many connections are idle and watched.",
        ["Nothing needs checking by itself."];
    ["TcpExt_TCPChallengeACK"] Packets,
        "Challenge acknowledgements sent for segments that look out of place (RFC 5961).",
        "Old duplicates, a NAT that changed its mind, or somebody injecting resets.",
        ["See which connections are affected (`tcpdump`)."];
    ["TcpExt_PAWSEstab"] Packets,
        "Segments dropped because their time stamp was older than one already seen.",
        "Old duplicates, or several hosts behind one address.",
        ["See whether the peers are behind NAT."];
    ["TcpExt_TCPMTUPFail"] None,
        "Probes for a larger MTU that failed.",
        "The path drops large packets without a word; MTU probing found out.",
        ["Look for a tunnel with a smaller MTU and a firewall that drops ICMP."];

    // UDP
    ["Udp_InDatagrams", "Udp6_InDatagrams"] Packets,
        "UDP datagrams delivered to applications.",
        "What arrived and was of use.",
        ["Compare with InErrors and NoPorts beside it."];
    ["Udp_OutDatagrams", "Udp6_OutDatagrams"] Packets,
        "UDP datagrams that this host sent.",
        "The rate of sending.",
        ["Nothing needs checking by itself."];
    ["Udp_NoPorts", "Udp6_NoPorts"] Packets,
        "UDP datagrams for a port where nobody listens.",
        "A service is down, or somebody scans.",
        ["Capture to see which port, then whether its service runs (`ss -uln`)."];
    ["Udp_InErrors", "Udp6_InErrors", "UdpLite_InErrors", "UdpLite6_InErrors"] Packets,
        "UDP datagrams that could not be delivered, for all reasons but a missing listener.",
        "They had arrived at this host and were lost in it.",
        ["See RcvbufErrors beside it: mostly that is all of it.", "See InCsumErrors and MemErrors for the rest."];
    ["Udp_RcvbufErrors", "Udp6_RcvbufErrors", "UdpLite_RcvbufErrors", "UdpLite6_RcvbufErrors"] Packets,
        "UDP datagrams dropped because the socket's receive buffer was full.",
        "The application reads too slowly; DNS, syslog and media lose data this way without any error.",
        ["Find the socket that drops: `ss -uanm`, the number after `d`.",
         "Raise its SO_RCVBUF and `sysctl net.core.rmem_max`, or give the process more CPU."];
    ["Udp_SndbufErrors", "Udp6_SndbufErrors", "UdpLite_SndbufErrors", "UdpLite6_SndbufErrors"] Packets,
        "UDP datagrams that could not be sent for lack of buffer space.",
        "The application sends faster than the host or its link can.",
        ["Look at node_qdisc_drops_total and node_qdisc_backlog of the outgoing interface.",
         "Raise SO_SNDBUF and `sysctl net.core.wmem_max`."];
    ["Udp_InCsumErrors", "Udp6_InCsumErrors"] Packets,
        "UDP datagrams received with a wrong checksum.",
        "Damage that the link layer did not notice: a network card, a switch's memory, or broken offload.",
        ["Switch receive checksum offload off for a test (`ethtool -K IF rx off`)."];
    ["Udp_MemErrors", "Udp6_MemErrors"] Packets,
        "UDP datagrams dropped because all UDP sockets together use too much memory.",
        "All UDP services of the host lose data.",
        ["Compare node_sockstat_UDP_mem with `sysctl net.ipv4.udp_mem`.", "Find the socket with the large queue (`ss -uanm`)."];
};
