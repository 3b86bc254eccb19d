//! What other programs and machines wrote: runtimes of containers, servers, senders, an earlier run of this one.

use squirrel_exchange::Limits;
use squirrel_model::Timestamp;
use squirrel_notify::{Notifier, Settings, parse_matcher};
use squirrel_outbound::{Destination, Network, retry_after};
use squirrel_remote::frames::{Frames, received};
use squirrel_sys::containers::{ContainerId, docker_name, kubernetes_name, podman_name};

use crate::show;

/// Descriptions and lists of containers, and names of links to their logs.
pub(super) fn containers(octets: &[u8]) {
    let id = ContainerId([0xab; 32]);
    show(&(docker_name(octets), podman_name(octets, id)));
    let text = String::from_utf8_lossy(octets);
    show(&(kubernetes_name(&text, id), ContainerId::parse(&text)));
    // What a link says before the id is told in another order, and nothing is added.
    if let Some(name) = kubernetes_name(&format!("{text}-{id}.log"), id) {
        assert_eq!(name.len(), text.len());
    }
}

/// The state of a notifier as a file holds it, and conditions on labels.
pub(super) fn restored(text: &str) {
    show(&parse_matcher(text));
    let channels = ["ops".to_owned()];
    let new = || Notifier::new(&Settings::default(), &channels).expect("the defaults are good");
    let mut notifier = new();
    notifier.restore(text);
    show(&notifier.due(Timestamp(1_000_000)));
    show(&notifier.views(Timestamp(1_000_000)));
    show(&notifier.silences(Timestamp(1_000_000)));
    assert_eq!(new().restore(&notifier.save()), [""; 0], "what it writes is read without a complaint");
}

/// What servers and configurations say to the door out.
pub(super) fn outbound(text: &str) {
    show(&retry_after(text, Timestamp(1_795_275_000_000)));
    show(&text.parse::<Network>());
    if let Ok(to) = Destination::parse(text) {
        // What is shown of it is a URL, and leads to the same place.
        let again = Destination::parse(&to.to_string()).expect("what we write we read");
        assert_eq!((again.host(), again.port(), again.is_tls()), (to.host(), to.port(), to.is_tls()));
    }
}

/// Files of bodies of remote write.
pub(super) fn bodies(octets: &[u8]) {
    show(&received(octets, &Limits::default()));
    let mut frames = Frames::new(octets);
    while let Ok(Some(received)) = frames.received(&Limits::default()) {
        show(&received);
    }
}

/// What a plugin of Nagios says in its first line.
pub(super) fn performance(text: &str) {
    let (figures, strange) = squirrel_check::parse_performance(text);
    std::hint::black_box((&figures, strange));
    assert!(figures.iter().all(|one| one.value.is_none_or(f64::is_finite)));
}
