//! What the tests of all inspectors share.

use std::time::Duration;

use crate::{Counts, Direction, Event, INSPECTORS, Limits};

/// One event in a line, for expectations.
pub(crate) fn line(event: &Event<'_>) -> String {
    match event {
        Event::Message(message) => {
            let arrow = if message.direction == Direction::ToServer { '>' } else { '<' };
            let detail = message.detail.map(|detail| format!("({detail})")).unwrap_or_default();
            let latency = message.latency.map(|latency| format!(" {}ms", latency.as_millis())).unwrap_or_default();
            let matched = if message.matched { " matched" } else { "" };
            format!("{arrow} {:?} {}{detail}{matched}{latency}", message.kind, message.label)
        }
        Event::Failure(failure) => {
            let detail = failure.detail.map(|detail| format!("({detail})")).unwrap_or_default();
            format!("! {} {}{detail}", failure.kind.name(), failure.label)
        }
        Event::Field(field) => format!("{} = {:?}", field.path, field.value),
        Event::Version(version) => format!("version {}", version.version),
    }
}

/// The events, with sizes, of a server's stream that is cut into pieces of these lengths, over and
/// over; and the counts, the work apart.
pub(crate) fn told_in_pieces(name: &str, limits: Limits, octets: &[u8], lengths: &[usize]) -> (Vec<String>, Counts) {
    let builder = INSPECTORS.iter().find(|builder| builder.name == name).expect("an inspector of that name");
    let mut inspector = (builder.build)(&limits);
    let mut told = Vec::new();
    let mut events = |event: Event<'_>| {
        let size = if let Event::Message(message) = &event { message.size } else { 0 };
        told.push(format!("{} {size}", line(&event)));
    };
    let (mut rest, mut lengths) = (octets, lengths.iter().cycle());
    while !rest.is_empty() {
        let (piece, more) = rest.split_at(lengths.next().copied().unwrap_or(usize::MAX).min(rest.len()));
        inspector.stream(Direction::ToClient, piece, Duration::ZERO, &mut events);
        rest = more;
    }
    inspector.end(Direction::ToClient, Duration::ZERO, &mut events);
    let counts = inspector.counts();
    (told, Counts { work: 0, ..counts })
}
