//! The books closed: each interface's counter divided without a remainder.

use std::time::Duration;

use super::Parts;
use super::evidence::{
    HEADERS, KERNEL_PACKETS, NOT_READ, OUTSIDE_OF_TUNNELS, PASSED_THROUGH, PAYLOAD, ROUTED, Rest, UNKNOWN, Why, allot,
    kinds, outside_of_tunnels, scale,
};
use crate::links::{Interface, Links};
use crate::picture::{BookEntry, BookPart, InterfaceRow, Source, Traffic};

/// The books of one interface while they are made.
struct Book<'a> {
    link: &'a Interface,
    parts: Parts,
    /// What the parts are made of, but for payload and headers, and the unexplained that has a name.
    entries: Vec<(Why, Traffic)>,
    exact: bool,
    passed_through: bool,
}

impl Book<'_> {
    fn wire(&self) -> Traffic {
        self.link.wire.total
    }

    /// Bytes that have no entry yet.
    fn rest(&self) -> Traffic {
        let named = self.entries.iter().filter(|(why, _)| why.part == BookPart::Unexplained);
        let named = named.fold(Traffic::default(), |sum, (_, bytes)| sum.plus(*bytes));
        self.wire().minus(self.parts.sum()).minus(named)
    }

    /// Whether what no socket tells of has to be guessed from counters of protocols.
    fn is_open(&self) -> bool {
        !self.exact && !self.passed_through
    }

    fn enter(&mut self, why: Why, bytes: Traffic) {
        if bytes.is_zero() {
            return;
        }
        match why.part {
            BookPart::Forwarded => self.parts.forwarded = self.parts.forwarded.plus(bytes),
            BookPart::Kernel => self.parts.kernel = self.parts.kernel.plus(bytes),
            _ => {}
        }
        match self.entries.iter_mut().find(|(entered, _)| *entered == why) {
            Some((_, sum)) => *sum = sum.plus(bytes),
            None => self.entries.push((why, bytes)),
        }
    }

    /// Takes what is more than the interface carried from the headers, whose length is an estimate, and only then from
    /// what was counted: it is still on its way.
    fn fit(&mut self) {
        let wire = self.wire();
        for part in
            [&mut self.parts.attributed, &mut self.parts.forwarded, &mut self.parts.kernel, &mut self.parts.headers]
                .into_iter()
                .scan(wire, |left, part| {
                    let fitting = Traffic::new(part.receive.min(left.receive), part.transmit.min(left.transmit));
                    *left = left.minus(fitting);
                    Some((part, fitting))
                })
        {
            *part.0 = part.1;
        }
    }

    /// What goes out by the loopback comes in by it: what was sent to a socket and not read is the kernel's.
    fn mirror(&mut self) {
        let unread = self.parts.attributed.transmit.saturating_sub(self.parts.attributed.receive);
        let headers = self.parts.headers.transmit.saturating_sub(self.parts.headers.receive);
        let rest = self.rest().receive;
        let headers = headers.min(rest);
        self.parts.headers.receive += headers;
        self.enter(NOT_READ, Traffic::new(unread.min(rest - headers), 0));
    }

    fn row(mut self, links: &Links, namespace: u64, uplink_elsewhere: bool, span: Duration) -> InterfaceRow {
        let rest = self.rest();
        self.enter(UNKNOWN, rest);
        let unexplained = self.wire().minus(self.parts.sum());
        let own = [(PAYLOAD, self.parts.attributed), (HEADERS, self.parts.headers)];
        let entries = own.into_iter().chain(self.entries).filter(|(_, bytes)| !bytes.is_zero());
        InterfaceRow {
            namespace,
            namespace_name: None,
            index: self.link.index,
            name: self.link.name.clone(),
            wire: self.link.wire.total.figures(self.link.wire.before, span),
            attributed: self.parts.attributed,
            headers: self.parts.headers,
            forwarded: self.parts.forwarded,
            kernel: self.parts.kernel,
            unexplained,
            entries: entries
                .map(|(why, bytes)| BookEntry { part: why.part, reason: why.reason, meaning: why.meaning, bytes })
                .collect(),
            counted_elsewhere: links.counted_elsewhere(self.link, uplink_elsewhere),
            source: if self.exact { Source::Exact } else { Source::Sampled },
        }
    }
}

/// The books of one namespace.
pub(crate) fn rows(links: &Links, namespace: u64, uplink_elsewhere: bool, span: Duration) -> Vec<InterfaceRow> {
    let mut books: Vec<Book<'_>> = links.iter().map(|link| book(links, link)).collect();
    spread_unplaced(links, &mut books);
    for book in &mut books {
        book.fit();
        if book.is_open() && book.link.is_loopback() {
            book.mirror();
        } else if book.is_open() {
            let unread = book.link.unread.min(book.rest().receive);
            book.enter(NOT_READ, Traffic::new(unread, 0));
        }
    }
    enter_tunnels(links, &mut books);
    explain(links, &mut books);
    let mut rows: Vec<InterfaceRow> =
        books.into_iter().map(|book| book.row(links, namespace, uplink_elsewhere, span)).collect();
    rows.sort_by_key(|row| row.index);
    rows
}

fn book<'a>(links: &Links, link: &'a Interface) -> Book<'a> {
    let wire = link.wire.total;
    let estimate = links.carried(link);
    let parts = link.counted.nearest(estimate.parts(link.packets.total), wire);
    let exact = link.exact_since_start();
    let passed_through = !exact && links.is_passed_through(link);
    let mut book = Book { link, parts, entries: Vec::new(), exact, passed_through };
    book.fit();
    let counted = [(ROUTED, book.parts.forwarded), (KERNEL_PACKETS, book.parts.kernel)];
    book.entries.extend(counted.into_iter().filter(|(_, bytes)| !bytes.is_zero()));
    if passed_through {
        // Nothing here has an address on it, so all that is not this host's own is others'.
        book.enter(PASSED_THROUGH, book.rest());
    }
    book
}

/// Unconnected UDP sockets do not tell by which interface their datagrams went. Their bytes are spread over those with
/// an unexplained rest, by its size, and never beyond it.
fn spread_unplaced(links: &Links, books: &mut [Book<'_>]) {
    let unplaced = links.unplaced.parts(Traffic::new(u64::MAX, u64::MAX));
    if unplaced.sum().is_zero() {
        return;
    }
    let all = books.iter().filter(|book| book.is_open()).fold(Traffic::default(), |all, book| all.plus(book.rest()));
    for book in books.iter_mut().filter(|book| book.is_open()) {
        let rest = book.rest();
        let of = |bytes: Traffic| {
            Traffic::new(
                scale(bytes.receive, rest.receive, all.receive.into()),
                scale(bytes.transmit, rest.transmit, all.transmit.into()),
            )
        };
        book.parts.attributed = book.parts.attributed.plus(of(unplaced.attributed));
        book.parts.headers = book.parts.headers.plus(of(unplaced.headers));
    }
}

/// Gives the outside of tunnels to the interfaces that are none themselves.
fn enter_tunnels(links: &Links, books: &mut [Book<'_>]) {
    let carries = |book: &&mut Book<'_>| book.is_open() && !book.link.is_loopback() && !book.link.is_tunnel();
    let all = books.iter_mut().filter(carries).fold(Traffic::default(), |all, book| all.plus(book.rest()));
    for book in books.iter_mut().filter(carries) {
        let (rest, packets) = (book.rest(), book.link.packets.total);
        let of = |way: fn(Traffic) -> u64| {
            let outside = outside_of_tunnels(links, way, way(packets));
            scale(outside, way(rest), way(all).into()).min(way(rest))
        };
        book.enter(OUTSIDE_OF_TUNNELS, Traffic::new(of(|way| way.receive), of(|way| way.transmit)));
    }
}

/// Gives the rests to what the kernel's counters of protocols show.
fn explain(links: &Links, books: &mut [Book<'_>]) {
    let Some(protocols) = links.protocols() else { return };
    let open = |book: &&mut Book<'_>| book.is_open();
    let [receive, transmit] = kinds(protocols, links.told, links.waiting);
    let all = books.iter_mut().filter(open).fold(Traffic::default(), |all, book| all.plus(book.rest()));
    for book in books.iter_mut().filter(open) {
        let (rest, header, loopback) = (book.rest(), book.link.header(), book.link.is_loopback());
        let looked_at = |bytes, of_all| Rest { bytes, of_all, header, loopback };
        for (why, bytes) in allot(&transmit, looked_at(rest.transmit, all.transmit)) {
            // On the loopback the same has arrived.
            let arrived = if loopback { bytes.min(book.rest().receive) } else { 0 };
            book.enter(why, Traffic::new(arrived, bytes));
        }
        for (why, bytes) in allot(&receive, looked_at(book.rest().receive, all.receive)) {
            book.enter(why, Traffic::new(bytes, 0));
        }
    }
}
