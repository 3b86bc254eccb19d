//! Sockets from the kernel: asked, chosen while they come, and turned into rows.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use anyhow::Context as _;
use squirrel_api::live::{Socket, SocketMemory, SocketTcp};
use squirrel_filter::ss::{SsFilter, Subject};
use squirrel_sys::{Kernel, Netlink};
use squirrel_wire::link::{DUMP_LINKS, Link, RTM_GETLINK};
use squirrel_wire::sock_diag::{
    self, IPPROTO_TCP, IPPROTO_UDP, InetRequest, InetSocket, ONLY_AUTOBOUND, SOCK_DIAG_BY_FAMILY, TCPDIAG_GETSOCK,
    TcpInfo, TcpRequest, TcpState, extension,
};
use squirrel_wire::{AF_INET, AF_INET6};

/// What to ask for.
#[expect(clippy::struct_excessive_bools, reason = "two protocols and two families, each wanted or not")]
pub(super) struct Selection {
    pub(super) tcp: bool,
    pub(super) udp: bool,
    pub(super) ipv4: bool,
    pub(super) ipv6: bool,
    /// Bits of states by the kernel's numbers.
    pub(super) states: u32,
    pub(super) expression: SsFilter,
    /// Whether details of TCP and memory are needed, which cost the kernel most of a dump.
    pub(super) details: bool,
}

impl Selection {
    /// The same with another expression.
    pub(super) fn with(&self, expression: SsFilter) -> Self {
        let Self { tcp, udp, ipv4, ipv6, states, details, .. } = *self;
        Self { tcp, udp, ipv4, ipv6, states, expression, details }
    }
}

/// One socket with what filters look at.
pub(super) struct Row {
    pub(super) socket: Socket,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    /// The request that names it, for closing it.
    pub(super) request: [u8; 56],
}

/// Names of interfaces by their index.
pub(super) type Interfaces = HashMap<u32, String>;

/// The interfaces of the kernel's namespace.
pub(super) fn interfaces(kernel: &dyn Kernel) -> anyhow::Result<Interfaces> {
    let mut interfaces = Interfaces::new();
    kernel
        .dump(Netlink::Route, RTM_GETLINK, &DUMP_LINKS, &mut |_, payload| {
            if let Ok(link) = Link::parse(payload) {
                interfaces.insert(link.index, link.name.to_string());
            }
        })
        .context("cannot list the interfaces")?;
    Ok(interfaces)
}

/// Hands over the sockets that are selected while the kernel lists them, each once.
pub(super) fn each(
    kernel: &dyn Kernel,
    selection: &Selection,
    interfaces: &Interfaces,
    take: &mut dyn FnMut(Row),
) -> anyhow::Result<()> {
    let autobound = if selection.expression.needs_autobound() { cookies(kernel, selection)? } else { HashSet::new() };
    let mut seen = HashSet::new();
    ask(kernel, selection, &[], &mut |protocol, socket| {
        let wanted = if socket.family == AF_INET { selection.ipv4 } else { selection.ipv6 };
        if !wanted || selection.states & state(socket.state).bit() == 0 {
            return;
        }
        let subject = Subject {
            local: socket.local,
            local_port: socket.local_port,
            remote: socket.remote,
            remote_port: socket.remote_port,
            interface: socket.interface,
            autobound: autobound.contains(&socket.cookie),
        };
        // Tables change while they are dumped: a socket may come twice.
        if selection.expression.matches(&subject) && seen.insert(socket.cookie) {
            take(row(protocol, socket, interfaces));
        }
    })
}

/// The cookies of the sockets whose port the kernel chose. It does not say so of a connection that was accepted, whose
/// port is the listener's: as `ss` does, only ports of the range from which it chooses count.
fn cookies(kernel: &dyn Kernel, selection: &Selection) -> anyhow::Result<HashSet<u64>> {
    const RANGE: &str = "/proc/sys/net/ipv4/ip_local_port_range";
    let mut text = Vec::new();
    // Without the file (the namespace is another one) the kernel's usual range.
    let read = kernel.read(RANGE, &mut text).map(|()| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
    let mut numbers = read.split_ascii_whitespace().filter_map(|number| number.parse::<u16>().ok());
    let range = numbers.next().unwrap_or(32_768)..=numbers.next().unwrap_or(60_999);
    let mut cookies = HashSet::new();
    ask(kernel, selection, &ONLY_AUTOBOUND, &mut |_, socket| {
        if range.contains(&socket.local_port) {
            cookies.insert(socket.cookie);
        }
    })?;
    Ok(cookies)
}

/// The kernel's own state for requests half way is one that users know as SYN-RECV.
fn state(state: TcpState) -> TcpState {
    if state == TcpState::NEW_SYN_RECV { TcpState::SYN_RECV } else { state }
}

fn ask(
    kernel: &dyn Kernel,
    selection: &Selection,
    condition: &[u8],
    each: &mut dyn FnMut(u8, &InetSocket<'_>),
) -> anyhow::Result<()> {
    let extensions = if selection.details { extension::INFO | extension::CONGESTION | extension::MEMORY } else { 0 };
    // The kernel keeps half-open connections under a number of its own as well.
    let states = selection.states
        | if selection.states & TcpState::SYN_RECV.bit() == 0 { 0 } else { TcpState::NEW_SYN_RECV.bit() };
    let mut dump = |message_type: u16, protocol: u8, payload: &[u8]| {
        let payload = [payload, condition].concat();
        let mut take = |_: u16, octets: &[u8]| {
            if let Ok(socket) = InetSocket::parse(octets) {
                each(protocol, &socket);
            }
        };
        kernel.dump(Netlink::SockDiag, message_type, &payload, &mut take).context(
            "the kernel does not list its sockets (is the module inet_diag there? `modprobe tcp_diag udp_diag`)",
        )
    };
    if selection.tcp && selection.ipv4 && selection.ipv6 && condition.is_empty() {
        // One walk through the kernel's tables for both families.
        dump(TCPDIAG_GETSOCK, IPPROTO_TCP, &TcpRequest { extensions, states }.payload())?;
    }
    let families = [(AF_INET, selection.ipv4), (AF_INET6, selection.ipv6)].into_iter().filter(|(_, wanted)| *wanted);
    for (family, _) in families {
        let request = |protocol| InetRequest { family, protocol, extensions, states }.payload();
        if selection.tcp && !(selection.ipv4 && selection.ipv6 && condition.is_empty()) {
            dump(SOCK_DIAG_BY_FAMILY, IPPROTO_TCP, &request(IPPROTO_TCP))?;
        }
        if selection.udp {
            dump(SOCK_DIAG_BY_FAMILY, IPPROTO_UDP, &request(IPPROTO_UDP))?;
        }
    }
    Ok(())
}

fn row(protocol: u8, socket: &InetSocket<'_>, interfaces: &Interfaces) -> Row {
    let local = SocketAddr::new(socket.local, socket.local_port);
    let remote = SocketAddr::new(socket.remote, socket.remote_port);
    let timer = match socket.timer {
        1 => Some("on"),
        2 => Some("keepalive"),
        3 => Some("timewait"),
        4 => Some("persist"),
        _ => None,
    };
    let tcp = socket.tcp.as_ref().filter(|_| protocol == IPPROTO_TCP).map(|info| tcp(info, socket));
    Row {
        local,
        remote,
        request: socket.request(protocol),
        socket: Socket {
            protocol: Cow::Borrowed(if protocol == IPPROTO_TCP { "tcp" } else { "udp" }),
            state: Cow::Borrowed(word(socket.state)),
            local: local.to_string(),
            remote: remote.to_string(),
            interface: (socket.interface != 0).then(|| match interfaces.get(&socket.interface) {
                Some(name) => name.clone(),
                None => format!("if{}", socket.interface),
            }),
            receive_queue: socket.receive_queue,
            send_queue: socket.send_queue,
            uid: socket.uid,
            inode: socket.inode,
            cookie: socket.cookie,
            cgroup_id: socket.cgroup,
            namespace: None,
            container: None,
            processes: None,
            timer: timer.map(Cow::Borrowed),
            timer_ms: timer.map(|_| socket.expires_ms),
            timer_retransmits: timer.map(|_| socket.retransmits),
            receive_rate: None,
            transmit_rate: None,
            memory: socket.memory.as_ref().map(memory),
            tcp,
        },
    }
}

/// The state as `ss` writes it.
fn word(state: TcpState) -> &'static str {
    match state {
        TcpState::ESTABLISHED => "ESTAB",
        TcpState::SYN_SENT => "SYN-SENT",
        TcpState::SYN_RECV | TcpState::NEW_SYN_RECV => "SYN-RECV",
        TcpState::FIN_WAIT1 => "FIN-WAIT-1",
        TcpState::FIN_WAIT2 => "FIN-WAIT-2",
        TcpState::TIME_WAIT => "TIME-WAIT",
        TcpState::CLOSE => "UNCONN",
        TcpState::CLOSE_WAIT => "CLOSE-WAIT",
        TcpState::LAST_ACK => "LAST-ACK",
        TcpState::LISTEN => "LISTEN",
        TcpState::CLOSING => "CLOSING",
        _ => "UNKNOWN",
    }
}

fn memory(memory: &sock_diag::SocketMemory<'_>) -> SocketMemory {
    SocketMemory {
        receive_allocated: memory.receive_allocated(),
        receive_buffer: memory.receive_buffer(),
        send_allocated: memory.send_allocated(),
        send_buffer: memory.send_buffer(),
        forward_allocated: memory.forward_allocated(),
        send_queued: memory.send_queued(),
        option_memory: memory.option_memory(),
        backlog: memory.backlog(),
        drops: memory.drops(),
    }
}

fn tcp(info: &TcpInfo<'_>, socket: &InetSocket<'_>) -> SocketTcp {
    SocketTcp {
        congestion: socket.congestion.map(|name| name.to_string()),
        rto_us: info.rto_us(),
        // Zero means that none was measured yet.
        rtt_us: info.rtt_us().filter(|us| *us > 0),
        rtt_variation_us: info.rttvar_us().filter(|_| info.rtt_us().is_some_and(|us| us > 0)),
        min_rtt_us: info.min_rtt_us().filter(|us| *us > 0 && *us != u32::MAX),
        receive_rtt_us: info.receive_rtt_us().filter(|us| *us > 0),
        send_mss: info.send_mss(),
        receive_mss: info.receive_mss(),
        path_mtu: info.path_mtu(),
        congestion_window: info.send_cwnd(),
        slow_start_threshold: info.send_ssthresh().filter(|segments| *segments < 0x7FFF_FFFF),
        sent_bytes: info.bytes_sent(),
        retransmitted_bytes: info.bytes_retrans(),
        acknowledged_bytes: info.bytes_acked(),
        received_bytes: info.bytes_received(),
        segments_out: info.segs_out(),
        segments_in: info.segs_in(),
        data_segments_out: info.data_segs_out(),
        data_segments_in: info.data_segs_in(),
        unacknowledged: info.unacked(),
        lost: info.lost(),
        retransmits: info.total_retrans(),
        duplicates: info.dsack_dups(),
        out_of_order: info.rcv_ooopack(),
        reordering_seen: info.reord_seen(),
        delivered: info.delivered(),
        delivered_marked: info.delivered_ce(),
        unsent_bytes: info.notsent_bytes(),
        delivery_rate: info.delivery_rate(),
        pacing_rate: info.pacing_rate().filter(|rate| *rate != u64::MAX),
        last_sent_ms: info.last_data_sent_ms(),
        last_received_ms: info.last_data_received_ms(),
        busy_us: info.busy_us(),
        receiver_limited_us: info.receive_window_limited_us(),
        buffer_limited_us: info.send_buffer_limited_us(),
        send_window: info.send_window(),
        receive_window: info.receive_window(),
        receive_space: info.receive_space(),
        rehashes: info.rehash(),
    }
}
