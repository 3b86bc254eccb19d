//! Connections over several collections: ages, rates, what is gone, and the sample.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::sockets::{SocketState, TrackedConnection, Transport};

const SECOND: Duration = Duration::from_secs(1);
const GAP: Duration = Duration::from_secs(4);

fn connection(id: u64, port: u16, received: u64) -> SocketConnection {
    let (local, remote) = (([127, 0, 0, 1], 80).into(), ([127, 0, 0, 1], port).into());
    let bare = SocketConnection::new(id, Transport::Tcp, SocketState::Established, local, remote);
    SocketConnection { bytes_received: Some(received), ..bare }
}

/// One collection; the ids of those that are gone.
fn collection(book: &mut Book, now: Duration, limit: usize, connections: &[SocketConnection]) -> Vec<u64> {
    book.begin(now, limit, GAP);
    for connection in connections {
        book.offer(connection);
    }
    let mut closed = Vec::new();
    book.end(|row| closed.push(row.id));
    closed.sort_unstable();
    closed
}

/// Id, age in seconds, receive rate.
fn told(book: &Book) -> Vec<(u64, u64, Option<f64>)> {
    let tracked = book.rows().iter().map(|row| TrackedConnection::told(row, book.last()));
    let mut told: Vec<_> = tracked.map(|t| (t.connection.id, t.known_for.as_secs(), t.receive_rate)).collect();
    told.sort_unstable_by_key(|(id, ..)| *id);
    told
}

#[test]
fn rates_and_ages_grow_and_what_is_gone_is_told() {
    let mut book = Book::new();
    assert_eq!(collection(&mut book, 10 * SECOND, 9, &[connection(1, 1, 100), connection(2, 2, 0)]), []);
    assert_eq!(told(&book), [(1, 0, None), (2, 0, None)]);
    assert_eq!(collection(&mut book, 12 * SECOND, 9, &[connection(1, 1, 500), connection(3, 3, 9)]), [2]);
    assert_eq!(told(&book), [(1, 2, Some(200.0)), (3, 0, None)]);
    let unknown = SocketConnection { bytes_received: None, ..connection(1, 1, 0) };
    assert_eq!(collection(&mut book, 13 * SECOND, 9, &[unknown]), [3]);
    assert_eq!(told(&book), [(1, 3, None)], "a source that knows no bytes has no rate");
}

#[test]
fn an_id_that_is_used_again_is_another_connection() {
    let mut book = Book::new();
    collection(&mut book, SECOND, 9, &[connection(1, 1, 100), connection(2, 2, 100)]);
    collection(&mut book, 2 * SECOND, 9, &[connection(1, 9, 200), connection(2, 2, 50)]);
    assert_eq!(told(&book), [(1, 0, None), (2, 0, None)]);
}

#[test]
fn a_udp_socket_that_is_connected_elsewhere_is_the_same_socket() {
    let mut book = Book::new();
    let udp = |port| SocketConnection { transport: Transport::Udp, bytes_received: None, ..connection(1, port, 0) };
    collection(&mut book, SECOND, 9, &[udp(1)]);
    collection(&mut book, 3 * SECOND, 9, &[udp(2)]);
    assert_eq!(told(&book), [(1, 2, None)]);
    assert_eq!(book.rows()[0].connection().remote.port(), 2);
}

#[test]
fn after_a_gap_there_is_no_rate_and_the_age_goes_on() {
    let mut book = Book::new();
    collection(&mut book, SECOND, 9, &[connection(1, 1, 100)]);
    collection(&mut book, 100 * SECOND, 9, &[connection(1, 1, 200)]);
    assert_eq!(told(&book), [(1, 99, None)]);
    collection(&mut book, 100 * SECOND, 9, &[connection(1, 1, 300)]);
    assert_eq!(told(&book), [(1, 99, None)], "no time has passed");
}

#[test]
fn a_clock_that_goes_back_makes_no_rate_and_no_age() {
    let mut book = Book::new();
    collection(&mut book, 10 * SECOND, 9, &[connection(1, 1, 100)]);
    collection(&mut book, 5 * SECOND, 9, &[connection(1, 1, 200)]);
    assert_eq!(told(&book), [(1, 0, None)]);
    collection(&mut book, 12 * SECOND, 9, &[connection(1, 1, 300)]);
    assert_eq!(told(&book), [(1, 2, None)], "seven seconds are more than the longest gap");
    collection(&mut book, Duration::MAX, 9, &[connection(1, 1, 300)]);
    assert_eq!(told(&book).len(), 1);
}

#[test]
fn after_a_collection_that_broke_off_there_is_no_rate_and_nobody_is_gone() {
    let mut book = Book::new();
    let at = |received| [connection(1, 1, received), connection(2, 2, received)];
    collection(&mut book, SECOND, 9, &at(100));
    book.begin(2 * SECOND, 9, GAP);
    book.offer(&at(200)[0]);
    assert_eq!(collection(&mut book, 3 * SECOND, 9, &at(300)), []);
    assert_eq!(told(&book), [(1, 2, None), (2, 2, None)], "one is known of two seconds ago, and one of one");
    collection(&mut book, 4 * SECOND, 9, &at(400));
    assert_eq!(told(&book), [(1, 3, Some(100.0)), (2, 3, Some(100.0))]);
}

#[test]
fn who_leaves_the_sample_is_not_gone() {
    let mut book = Book::new();
    let all: Vec<_> = (0..1_000).map(|id| connection(id, 1, 0)).collect();
    assert_eq!(collection(&mut book, SECOND, 1_000, &all), []);
    assert_eq!(collection(&mut book, 2 * SECOND, 10, &all), []);
    assert_eq!(book.rows().len(), 10);
    let sample: Vec<u64> = told(&book).iter().map(|(id, ..)| *id).collect();
    let rest: Vec<_> = all.iter().filter(|connection| connection.id != sample[3]).copied().collect();
    assert_eq!(collection(&mut book, 3 * SECOND, 10, &rest), [sample[3]]);
    assert_eq!(told(&book).iter().filter(|(_, age, _)| *age == 2).count(), 9, "the others stay, one comes");
    assert_eq!(collection(&mut book, 4 * SECOND, 1_000, &all), []);
    assert_eq!(book.rows().len(), 1_000, "and with room for all, all are listed again");
}

#[test]
fn what_a_flood_has_taken_is_given_back() {
    let mut book = Book::new();
    let all: Vec<_> = (0..50_000).map(|id| connection(id, 1, 0)).collect();
    collection(&mut book, SECOND, 100_000, &all);
    let full = book.bytes();
    assert_eq!(collection(&mut book, 2 * SECOND, 100_000, &all[..10]).len(), 49_990);
    assert!(book.bytes() < full / 100, "{} of {full}", book.bytes());
}

proptest! {
    /// However connections come, twice or not, the book has those of lowest rank, tells each that is gone once,
    /// and takes no more than is promised.
    #[test]
    fn the_book_is_the_sample_of_the_last_collection(
        collections in prop::collection::vec((prop::collection::vec(0u64..60, 0..80), 0usize..70), 1..12),
    ) {
        let mut book = Book::new();
        let mut before: HashSet<u64> = HashSet::new();
        for (second, (ids, limit)) in collections.into_iter().enumerate() {
            let rows: Vec<_> = ids.iter().map(|id| connection(*id, 1, 0)).collect();
            let now = SECOND * (second as u32 + 1);
            let closed: HashSet<u64> = collection(&mut book, now, limit, &rows).into_iter().collect();
            let mut present: Vec<u64> = ids.into_iter().collect::<HashSet<u64>>().into_iter().collect();
            let gone: HashSet<u64> = before.iter().copied().filter(|id| !present.contains(id)).collect();
            prop_assert_eq!(closed, gone);
            present.sort_unstable_by_key(|id| rank(*id));
            present.truncate(limit);
            before = book.rows().iter().map(|row| row.id).collect();
            prop_assert_eq!(&before, &present.into_iter().collect::<HashSet<u64>>());
            prop_assert_eq!(book.places.len(), book.rows.len());
        }
    }
}
