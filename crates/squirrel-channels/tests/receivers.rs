//! Messages to real receivers: servers on loopback that take, refuse, put off, hang and cut, a mail server with TLS and
//! authentication, and Prometheus' Alertmanager.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "receivers/alertmanager.rs"]
mod alertmanager;
#[path = "receivers/mail.rs"]
mod mail;
#[path = "receivers/support.rs"]
mod support;

use squirrel_channels::{Accepted, Channels, State};
use squirrel_notify::Reason;
use support::{Answer, Receiver, message, start, until};

#[tokio::test]
async fn what_a_receiver_puts_off_breaks_or_cuts_arrives_in_the_end() {
    let put_off = async |first: Answer| {
        let receiver = Receiver::start(vec![first, Answer::Status(200, None)]).await;
        let channels = start(&format!("[[webhook]]\nname = \"hook\"\nurl = \"{}\"", receiver.url()));
        assert_eq!(channels.tell(vec![message(1, "hook", "g", Reason::New)]).await, [Accepted::Queued]);
        let delivery = until(&channels, |delivery| delivery.state == State::Delivered).await;
        assert_eq!((delivery.attempts, delivery.answer.as_deref()), (2, Some("HTTP 200: taken")), "{first:?}");
        let bodies = receiver.bodies();
        assert_eq!(bodies.len(), 2, "{first:?}");
        assert_eq!(bodies[1]["groupKey"], "g");
        channels.stop().await;
    };
    tokio::join!(
        put_off(Answer::Status(429, Some(1))),
        put_off(Answer::Status(500, None)),
        put_off(Answer::Cut),
        put_off(Answer::Close)
    );
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_nobody_else() {
    let (slow, quick) = (Receiver::start(vec![Answer::Hang; 200]).await, Receiver::start(vec![]).await);
    let channels = start(&format!(
        "[[webhook]]\nname = \"slow\"\nurl = \"{}\"\n[[webhook]]\nname = \"quick\"\nurl = \"{}\"",
        slow.url(),
        quick.url()
    ));
    let messages = (0..20).flat_map(|i| ["slow", "quick"].map(|name| message(i, name, &format!("g{i}"), Reason::New)));
    channels.tell(messages.collect()).await;
    quick.until(20).await;
    let status = channels.status().await.unwrap();
    let waiting = |name: &str| status.backlog.iter().find(|one| one.channel == name).unwrap().waiting;
    assert_eq!(waiting("slow"), 20);
    channels.stop().await;
}

#[tokio::test]
async fn a_signed_webhook_is_alertmanagers_body_with_a_signature() {
    let receiver = Receiver::start(vec![]).await;
    let channels = start(&format!(
        "[[webhook]]\nname = \"hook\"\nurl = \"{}?a=b\"\nsecret = \"sesame\"\nheaders = {{ X-Team = \"net\" }}",
        receiver.url()
    ));
    channels.tell(vec![message(1, "hook", "g", Reason::New)]).await;
    receiver.until(1).await;
    let head = receiver.heads().remove(0).to_lowercase();
    assert!(head.starts_with("post /in?a=b http/1.1"), "{head}");
    assert!(head.contains("\r\nx-squirrel-signature: t=") && head.contains("\r\nx-team: net\r\n"), "{head}");
    assert_eq!(receiver.bodies()[0]["version"], "4");
    channels.stop().await;
}

#[tokio::test]
async fn the_journal_gets_an_entry_by_its_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let journal = tokio::net::UnixDatagram::bind(&path).unwrap();
    let channels = start(&format!("[[journal]]\nname = \"journal\"\nsocket = \"{}\"", path.display()));
    channels.tell(vec![message(1, "journal", "g", Reason::New)]).await;
    let mut entry = vec![0; 65_536];
    let length = tokio::time::timeout(support::BOUND, journal.recv(&mut entry)).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&entry[..length]);
    assert!(text.starts_with("MESSAGE\n") && text.contains("PRIORITY\n"), "{text}");
    until(&channels, |delivery| delivery.state == State::Delivered).await;
    channels.stop().await;
}

#[tokio::test]
async fn the_fallback_is_told_when_a_receiver_refuses_and_the_record_says_so() {
    let (shut, open) = (Receiver::start(vec![Answer::Status(404, None); 9]).await, Receiver::start(vec![]).await);
    let channels = start(&format!(
        "[[webhook]]\nname = \"first\"\nurl = \"{}\"\nfallback = \"second\"\n[[slack]]\nname = \"second\"\nurl = \"{}\"",
        shut.url(),
        open.url()
    ));
    channels.tell(vec![message(1, "first", "g", Reason::New)]).await;
    let delivery = until(&channels, |delivery| delivery.state == State::Delivered).await;
    assert_eq!((delivery.channel.as_str(), delivery.instead_of.as_deref()), ("second", Some("first")));
    assert!(open.bodies()[0].to_string().contains("Told here because the channel first does not take its messages."));
    let first = until(&channels, |delivery| delivery.channel == "first").await;
    assert_eq!((first.state, first.answer.as_deref()), (State::Replaced, Some("second delivered it")));
    channels.stop().await;
}

#[tokio::test]
async fn a_new_configuration_takes_what_waits_along() {
    let receiver = Receiver::start(vec![]).await;
    // A port that is held and not listened on.
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let channels = start(&format!("[[webhook]]\nname = \"hook\"\nurl = \"http://{}/\"", held.local_addr().unwrap()));
    channels.tell(vec![message(1, "hook", "g", Reason::New)]).await;
    until(&channels, |delivery| delivery.attempts >= 1).await;
    let text = format!("[[webhook]]\nname = \"hook\"\nurl = \"{}\"", receiver.url());
    channels.replace(support::channels(&text), squirrel_channels::Protected::loopback()).await;
    let delivery = until(&channels, |delivery| delivery.state == State::Delivered).await;
    assert!(delivery.attempts >= 2, "{delivery:?}");
    channels.stop().await;
}

#[tokio::test]
async fn ten_thousand_alerts_at_once_are_all_told() {
    let receiver = Receiver::start(vec![]).await;
    let text = format!("[[webhook]]\nname = \"hook\"\nurl = \"{}\"\nrate = \"100000/s\"", receiver.url());
    let channels: Channels = start(&text);
    // In a hundred groups of a hundred, as they come from grouping.
    let groups = (0..100).map(|group| {
        let mut message = message(group, "hook", &format!("g{group}"), Reason::New);
        let alert = message.alerts[0].clone();
        message.alerts = (0..100)
            .map(|i| {
                let mut alert = alert.clone();
                alert.labels.insert("number".to_owned(), format!("{group}/{i}"));
                alert
            })
            .collect();
        message
    });
    assert!(channels.tell(groups.collect()).await.iter().all(|accepted| *accepted == Accepted::Queued));
    receiver.until(100).await;
    let mut told: Vec<String> = receiver
        .bodies()
        .iter()
        .flat_map(|body| body["alerts"].as_array().unwrap().clone())
        .map(|alert| alert["labels"]["number"].as_str().unwrap().to_owned())
        .collect();
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 10_000);
    until(&channels, |delivery| delivery.state == State::Delivered).await;
    channels.stop().await;
}
