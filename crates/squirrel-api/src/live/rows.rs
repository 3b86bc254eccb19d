//! The rows of the tables.

use std::borrow::Cow;

use super::shape::twin;

twin! {
    /// A process and the payload that it moved.
    Process {
        /// The process id, as seen from the initial namespace of processes.
        pid: u32,
        /// When it started, in clock ticks since boot: with `pid` it names one process for good.
        started: u64,
        /// Its name, as the kernel has it: up to 15 bytes.
        name: String,
        /// Its command line; null when it could not be read, and of threads of the kernel.
        command: Option<String>,
        /// The user's name, or the number when there is none.
        user: String,
        /// The user's number.
        uid: u32,
        /// The systemd unit.
        unit: Option<String>,
        /// The container's name, or its short id when the name is not known.
        container: Option<String>,
        /// What runs the container: docker, podman, lxc, kubernetes.
        container_runtime: Option<String>,
        /// The runtime's whole id of the container.
        container_id: Option<String>,
        /// The path of its control group.
        cgroup: Option<String>,
        /// The process id of its parent; null when it is not known.
        parent: Option<u32>,
        /// Payload received, in bytes.
        receive_bytes: u64,
        /// Payload transmitted, in bytes.
        transmit_bytes: u64,
        /// Payload received per second, in bytes.
        receive_rate: f64,
        /// Payload transmitted per second, in bytes.
        transmit_rate: f64,
        /// Connections that are open now.
        connections: u32,
        /// When it ended, in seconds since 1970; null while it runs.
        ended: Option<f64>,
        /// How its bytes are known: exact, sampled, or unavailable (then they are zero and mean nothing).
        source: Cow<'static, str>,
    }
}

twin! {
    /// A socket that talks: a connection or listener of TCP, or a socket of another protocol.
    Connection {
        /// The kernel's own identity of the socket, never used twice until the next boot.
        cookie: u64,
        /// The inode of its network namespace; 0 when it is not known.
        namespace: u64,
        /// tcp, mptcp, udp, icmp, raw, packet, or other. What an mptcp socket moves travels by tcp connections, its paths,
        /// which have rows too: a process has the bytes of the first, a host those of the second.
        protocol: Cow<'static, str>,
        /// This side, as address:port; of a raw socket the number of the protocol stands in the place of the port.
        local: String,
        /// The other side, as address:port; the unspecified address and port 0 when there is none.
        remote: String,
        /// The state, as ss writes it, such as ESTAB.
        state: Cow<'static, str>,
        /// Its owner's process id.
        pid: Option<u32>,
        /// Its owner's name.
        process: Option<String>,
        /// Its owner's user.
        user: Option<String>,
        /// Its owner's systemd unit.
        unit: Option<String>,
        /// Its owner's container.
        container: Option<String>,
        /// Payload received, in bytes.
        receive_bytes: u64,
        /// Payload transmitted, in bytes, without retransmissions.
        transmit_bytes: u64,
        /// Payload received per second, in bytes.
        receive_rate: f64,
        /// Payload transmitted per second, in bytes.
        transmit_rate: f64,
        /// Bytes that the program has not read yet; for a listener the connections that it has not accepted yet.
        receive_queue: u32,
        /// Bytes not yet acknowledged; for a listener the most connections that may wait.
        send_queue: u32,
        /// Packets that this socket dropped.
        drops: Option<u32>,
        /// Smoothed round-trip time, in microseconds.
        rtt_us: Option<u32>,
        /// Mean deviation of the round-trip time, in microseconds.
        rtt_variation_us: Option<u32>,
        /// Smallest round-trip time of late, in microseconds.
        min_rtt_us: Option<u32>,
        /// Bytes that had to be sent again.
        retransmitted_bytes: Option<u64>,
        /// Segments that had to be sent again.
        retransmits: Option<u32>,
        /// Congestion window, in segments.
        congestion_window: Option<u32>,
        /// The algorithm that controls congestion.
        congestion: Option<String>,
        /// What reaches the other side by the kernel's latest measurement, in bytes per second.
        delivery_rate: Option<u64>,
        /// Time with data to send, in microseconds.
        busy_us: Option<u64>,
        /// Of that, held up by the other side's receive window.
        receiver_limited_us: Option<u64>,
        /// Of that, held up by this side's send buffer.
        buffer_limited_us: Option<u64>,
        /// Whether the latest delivery rate was limited by the application.
        application_limited: Option<bool>,
        /// When it was first seen, in seconds since 1970.
        opened: f64,
        /// When it ended, in seconds since 1970; null while it is open.
        closed: Option<f64>,
        /// How its bytes are known: exact, sampled, or unavailable (then they are zero and mean nothing).
        source: Cow<'static, str>,
        /// Why they are not exact, in a sentence; null when they are.
        caveat: Option<Cow<'static, str>>,
        /// How many connections the row stands for: 1, or several that are half open and have no other side here.
        count: u64,
    }
}

twin! {
    /// A remote address and the payload exchanged with it.
    Host {
        /// The address; * for what cannot be told apart by address.
        address: String,
        /// What the row is when it is no host.
        note: Option<Cow<'static, str>>,
        /// Payload received from it, in bytes.
        receive_bytes: u64,
        /// Payload transmitted to it, in bytes.
        transmit_bytes: u64,
        /// Payload received per second, in bytes.
        receive_rate: f64,
        /// Payload transmitted per second, in bytes.
        transmit_rate: f64,
        /// Connections that are open now.
        connections: u32,
        /// How the bytes are known: exact, sampled, or unavailable (then they are zero and mean nothing).
        source: Cow<'static, str>,
    }
}

twin! {
    /// The books of an interface: its wire bytes are the sum of the parts that follow, in each direction.
    Interface {
        /// Its name.
        name: String,
        /// Its index in its namespace.
        index: u32,
        /// The inode of its network namespace; 0 when it is not known.
        namespace: u64,
        /// The name of that namespace or of its container, else its inode as the kernel writes it; null for the own.
        namespace_name: Option<String>,
        /// Wire bytes received, by the kernel's counter of the interface.
        receive_bytes: u64,
        /// Wire bytes transmitted, by the kernel's counter of the interface.
        transmit_bytes: u64,
        /// Wire bytes received per second.
        receive_rate: f64,
        /// Wire bytes transmitted per second.
        transmit_rate: f64,
        /// Received payload that belongs to processes.
        attributed_receive_bytes: u64,
        /// Transmitted payload that belongs to processes.
        attributed_transmit_bytes: u64,
        /// Headers of those packets, and retransmissions, received.
        headers_receive_bytes: u64,
        /// Headers of those packets, and retransmissions, transmitted.
        headers_transmit_bytes: u64,
        /// Received packets that only passed through this host.
        forwarded_receive_bytes: u64,
        /// Transmitted packets that only passed through this host.
        forwarded_transmit_bytes: u64,
        /// Received by the kernel itself: ICMP, ARP, neighbour discovery, tunnels, its own sockets.
        kernel_receive_bytes: u64,
        /// Transmitted by the kernel itself.
        kernel_transmit_bytes: u64,
        /// Received and not explained.
        unexplained_receive_bytes: u64,
        /// Transmitted and not explained.
        unexplained_transmit_bytes: u64,
        /// What the parts are made of, with the reason of each: their sum is the counter, to the byte.
        entries: Vec<BookEntry>,
        /// Why this interface is left out of the host's total, such as being the port of a bridge; null when it counts.
        counted_elsewhere: Option<Cow<'static, str>>,
        /// How the parts are known: exact, sampled, or unavailable (then they are zero and mean nothing).
        source: Cow<'static, str>,
    }
}

twin! {
    /// Wire bytes of an interface, and why they stand in their part of the books.
    BookEntry {
        /// The part: attributed, headers, forwarded, kernel or unexplained.
        part: Cow<'static, str>,
        /// A word for scripts, such as icmp, not_read or routed.
        reason: Cow<'static, str>,
        /// The reason as a sentence.
        meaning: Cow<'static, str>,
        /// Bytes received.
        receive_bytes: u64,
        /// Bytes transmitted.
        transmit_bytes: u64,
    }
}

twin! {
    /// A network namespace that is watched.
    Namespace {
        /// The inode number that connections and interfaces name.
        inode: u64,
        /// Its name, as ip netns has it.
        name: Option<String>,
        /// The container whose namespace it is.
        container: Option<String>,
        /// Why its sockets could not be read the last time; null when they were.
        failure: Option<String>,
    }
}

twin! {
    /// Bytes that belong to no process, and why.
    Unattributed {
        /// A word for scripts, such as owner_gone.
        reason: Cow<'static, str>,
        /// The reason as a sentence.
        meaning: Cow<'static, str>,
        /// Payload received, in bytes.
        receive_bytes: u64,
        /// Payload transmitted, in bytes.
        transmit_bytes: u64,
    }
}

twin! {
    /// A part of the accounting that cannot work here.
    MissingPart {
        /// The part.
        part: String,
        /// Why it is missing.
        reason: String,
    }
}

twin! {
    /// How the figures were got.
    LevelReport {
        /// A word for scripts: packets, sockets, counters, own, off.
        name: Cow<'static, str>,
        /// What this level gives, in a sentence.
        meaning: String,
        /// What the next level would need; null when there is none.
        next: Option<String>,
        /// Parts that cannot work here.
        missing: Vec<MissingPart>,
    }
}
