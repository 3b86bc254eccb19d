//! A socket as the kernel describes it: `squirrel sockets --json`.

use std::borrow::Cow;

use super::shape::twin;

twin! {
    /// The sockets of a network namespace, or of all of the host: `squirrel sockets --json`.
    Sockets {
        /// The version of this document's form: squirrel.sockets/1.
        schema: Cow<'static, str>,
        /// When they were read, in seconds since 1970.
        time: f64,
        /// The seconds over which rates are; null when there was one reading only.
        seconds: Option<f64>,
        /// Sockets that the filters chose.
        matched: usize,
        /// The sockets.
        sockets: Vec<Socket>,
    }
}

twin! {
    /// A process that has a socket open.
    SocketOwner {
        /// The process id.
        pid: u32,
        /// Its name, as the kernel has it: up to 15 bytes.
        name: String,
        /// The number of the descriptor.
        fd: u32,
    }
}

twin! {
    /// A socket of TCP or UDP.
    Socket {
        /// tcp or udp.
        protocol: Cow<'static, str>,
        /// The state, as ss writes it, such as ESTAB.
        state: Cow<'static, str>,
        /// This side, as address:port.
        local: String,
        /// The other side, as address:port; the unspecified address and port 0 when there is none.
        remote: String,
        /// The interface that it is bound to; null for none.
        interface: Option<String>,
        /// Bytes that the program has not read yet; for a listener the connections that it has not accepted yet.
        receive_queue: u32,
        /// Bytes not yet acknowledged; for a listener the most connections that may wait.
        send_queue: u32,
        /// The number of the user who made it.
        uid: u32,
        /// The inode of its file; 0 when no program has it open.
        inode: u32,
        /// The kernel's own identity of the socket, never used twice until the next boot.
        cookie: u64,
        /// The identity of the control group (version 2) in which it was made.
        cgroup_id: Option<u64>,
        /// Its network namespace, as ip netns has it, else its inode as the kernel writes it; null when only one was asked.
        namespace: Option<String>,
        /// The container whose network namespace that is; null when there is none, or only one namespace was asked.
        container: Option<String>,
        /// Who has it open; null when that was not asked for.
        processes: Option<Vec<SocketOwner>>,
        /// The timer that runs: on (retransmission), keepalive, timewait, persist; null for none.
        timer: Option<Cow<'static, str>>,
        /// Milliseconds until the timer fires.
        timer_ms: Option<u32>,
        /// How often the timer has fired in a row.
        timer_retransmits: Option<u8>,
        /// Payload received per second, in bytes; null when there was one reading only.
        receive_rate: Option<f64>,
        /// Payload transmitted per second, in bytes; null when there was one reading only.
        transmit_rate: Option<f64>,
        /// Memory and drops.
        memory: Option<SocketMemory>,
        /// The books of a TCP connection.
        tcp: Option<SocketTcp>,
    }
}

twin! {
    /// Memory of a socket, in bytes.
    SocketMemory {
        /// Memory that holds received data.
        receive_allocated: Option<u32>,
        /// Limit of the receive buffer.
        receive_buffer: Option<u32>,
        /// Memory that holds data on its way out.
        send_allocated: Option<u32>,
        /// Limit of the send buffer.
        send_buffer: Option<u32>,
        /// Memory set aside for data to come.
        forward_allocated: Option<u32>,
        /// Data that is queued to be sent.
        send_queued: Option<u32>,
        /// Memory for socket options.
        option_memory: Option<u32>,
        /// Packets that wait while the program holds the socket.
        backlog: Option<u32>,
        /// Packets dropped by this socket, as a count.
        drops: Option<u32>,
    }
}

twin! {
    /// What the kernel knows of a TCP connection (tcp_info). What a kernel does not tell is null.
    SocketTcp {
        /// The algorithm that controls congestion.
        congestion: Option<String>,
        /// Retransmission timeout, in microseconds.
        rto_us: Option<u32>,
        /// Smoothed round-trip time, in microseconds.
        rtt_us: Option<u32>,
        /// Mean deviation of the round-trip time, in microseconds.
        rtt_variation_us: Option<u32>,
        /// Smallest round-trip time of late, in microseconds.
        min_rtt_us: Option<u32>,
        /// Round-trip time estimated by the receiver, in microseconds.
        receive_rtt_us: Option<u32>,
        /// Largest segment that is sent, in bytes.
        send_mss: Option<u32>,
        /// Largest segment that was received, in bytes.
        receive_mss: Option<u32>,
        /// Path MTU, in bytes.
        path_mtu: Option<u32>,
        /// Congestion window, in segments.
        congestion_window: Option<u32>,
        /// Slow start threshold, in segments; null while none is set.
        slow_start_threshold: Option<u32>,
        /// Payload sent, retransmissions among it, in bytes.
        sent_bytes: Option<u64>,
        /// Payload sent again, in bytes.
        retransmitted_bytes: Option<u64>,
        /// Bytes acknowledged by the other side; SYN and FIN count one each.
        acknowledged_bytes: Option<u64>,
        /// Bytes received in order; a FIN counts one.
        received_bytes: Option<u64>,
        /// Segments sent.
        segments_out: Option<u32>,
        /// Segments received.
        segments_in: Option<u32>,
        /// Segments with data sent.
        data_segments_out: Option<u32>,
        /// Segments with data received.
        data_segments_in: Option<u32>,
        /// Segments sent and not acknowledged.
        unacknowledged: Option<u32>,
        /// Segments taken for lost.
        lost: Option<u32>,
        /// Segments sent again since the start.
        retransmits: Option<u32>,
        /// Retransmissions in vain, as the other side reported.
        duplicates: Option<u32>,
        /// Segments received out of order.
        out_of_order: Option<u32>,
        /// Times that reordering was seen.
        reordering_seen: Option<u32>,
        /// Segments delivered.
        delivered: Option<u32>,
        /// Segments delivered with a congestion mark.
        delivered_marked: Option<u32>,
        /// Bytes that the program wrote and that are not sent yet.
        unsent_bytes: Option<u32>,
        /// Latest measured rate of delivery, in bytes per second.
        delivery_rate: Option<u64>,
        /// Rate at which segments are spread, in bytes per second; null for no limit.
        pacing_rate: Option<u64>,
        /// Milliseconds since data was sent.
        last_sent_ms: Option<u32>,
        /// Milliseconds since data was received.
        last_received_ms: Option<u32>,
        /// Time with data to send, in microseconds.
        busy_us: Option<u64>,
        /// Of that, held up by the other side's receive window.
        receiver_limited_us: Option<u64>,
        /// Of that, held up by this side's send buffer.
        buffer_limited_us: Option<u64>,
        /// The other side's receive window, in bytes.
        send_window: Option<u32>,
        /// This side's receive window, in bytes.
        receive_window: Option<u32>,
        /// Receive buffer that the receiver aims at, in bytes.
        receive_space: Option<u32>,
        /// Times that the path was chosen anew after trouble.
        rehashes: Option<u32>,
    }
}
