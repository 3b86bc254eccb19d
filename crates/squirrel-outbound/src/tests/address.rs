//! Names that lead where they should not, or somewhere else the second time.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use super::server::{Server, ok};
use super::{SHORT, get, to};
use crate::{AddressClass, AddressRules, Client, Phase, Request, Resolve, Resolving, SendError, Timeouts};

/// A resolver whose answers are written down, one for each question.
struct Answers(Mutex<Vec<Vec<&'static str>>>);

impl Answers {
    fn new(mut answers: Vec<Vec<&'static str>>) -> Arc<Self> {
        answers.reverse();
        Arc::new(Self(Mutex::new(answers)))
    }

    fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Resolve for Answers {
    fn resolve<'a>(&'a self, _host: &'a str, port: u16) -> Resolving<'a> {
        let answer = self.0.lock().unwrap().pop().unwrap();
        Box::pin(async move { Ok(answer.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), port)).collect()) })
    }
}

#[tokio::test]
async fn a_name_that_changes_its_address_leads_nowhere_else() {
    let server = Server::start(None, ok("hello")).await;
    let answers = Answers::new(vec![vec!["127.0.0.1"], vec!["169.254.169.254"]]);
    let client = Client::with_resolver(Arc::clone(&answers) as Arc<dyn Resolve>);
    let to = to(&server.url("http", "rebinding.example")).without_reuse();
    assert!(client.send(&to, Request::get()).await.is_ok());
    assert_eq!(answers.left(), 1, "checked and connected to by one answer");
    let error = client.send(&to, Request::get()).await.unwrap_err();
    let expected = "169.254.169.254 is the address where clouds give credentials, to which nothing is sent from here";
    assert_eq!((error.to_string().as_str(), error.word()), (expected, "forbidden"));
}

#[tokio::test]
async fn addresses_that_are_not_allowed_are_passed_over() {
    let server = Server::start(None, ok("hello")).await;
    let answers = Answers::new(vec![vec!["169.254.169.254", "fd00:ec2::254", "127.0.0.1"]]);
    let client = Client::with_resolver(answers);
    assert!(client.send(&to(&server.url("http", "mixed.example")), Request::get()).await.is_ok());
}

#[tokio::test]
async fn addresses_that_are_written_down_are_checked_too() {
    let server = Server::start(None, ok("hello")).await;
    let public = to(&server.url("http", "127.0.0.1")).with_rules(AddressRules::public());
    let expected = SendError::Forbidden { address: "127.0.0.1".parse().unwrap(), class: AddressClass::Loopback };
    assert_eq!(get(&public).await.unwrap_err(), expected);
    for url in ["http://169.254.169.254/latest", "http://[fd00:ec2::254]/", "http://[::ffff:169.254.169.254]/"] {
        assert_eq!(get(&to(url)).await.unwrap_err().word(), "forbidden", "{url}");
    }
    // The system's resolver reads more ways to write an address than ours; what it makes of them is checked.
    let odd = public.clone();
    for host in ["127.1", "2130706433", "0x7f.1", "localhost"] {
        let to = crate::Destination::parse(&server.url("http", host)).unwrap().with_rules(odd.rules.clone());
        let error = get(&to).await.unwrap_err();
        assert!(matches!(error, SendError::Forbidden { .. } | SendError::NotFound(_)), "{host}: {error:?}");
    }
    let except = AddressRules::public().and("127.0.0.0/8".parse().unwrap());
    assert!(get(&to(&server.url("http", "127.0.0.1")).with_rules(except)).await.is_ok());
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_second_address_is_tried_when_the_first_refuses() {
    let server = Server::start(None, ok("hello")).await;
    let client = Client::with_resolver(Answers::new(vec![vec!["127.0.0.9", "127.0.0.1"]]));
    assert!(client.send(&to(&server.url("http", "two.example")), Request::get()).await.is_ok());
    let client = Client::with_resolver(Answers::new(vec![vec![]]));
    let error = client.send(&to(&server.url("http", "none.example")), Request::get()).await.unwrap_err();
    assert_eq!(error.to_string(), "the name was not found: it has no address");
}

/// A resolver that never answers.
struct Silence;

impl Resolve for Silence {
    fn resolve<'a>(&'a self, _host: &'a str, _port: u16) -> Resolving<'a> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_resolver_has_its_time() {
    let client = Client::with_resolver(Arc::new(Silence));
    let to = to("http://slow.example").with_timeouts(Timeouts { resolve: SHORT, ..Timeouts::default() });
    let error = client.send(&to, Request::get()).await.unwrap_err();
    assert_eq!(error, SendError::Timeout { phase: Phase::Resolve, after: SHORT });
}
