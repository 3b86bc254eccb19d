//! The conversation without a socket: both halves with each other, cut anywhere, and with peers that lie.

use proptest::prelude::*;
use squirrel_throughput::protocol::{
    ClientAction, ClientMachine, Cookie, Parameters, ProtocolError, Results, ServerAction, ServerMachine, State,
    StreamResults,
};

fn parameters() -> Parameters {
    Parameters { tcp: true, time: 10, parallel: 2, len: 1000, client_version: "test".into(), ..Parameters::default() }
}

fn results(octets: u64) -> Results {
    let streams = vec![StreamResults { id: 1, bytes: octets, ..StreamResults::default() }];
    Results { streams, ..Results::default() }
}

/// Carries a whole conversation, in which what either side sends arrives in pieces of so many octets.
fn converse(piece: usize) -> (Parameters, Results, Results) {
    let (mut client, cookie) = ClientMachine::new(&Cookie::new([1; 36]), &parameters());
    assert_eq!(cookie.len(), Cookie::LEN);
    let (mut server, greeting) = ServerMachine::new();
    let (mut to_client, mut to_server) = (greeting, Vec::new());
    let (mut asked, mut at_client, mut at_server) = (None, None, None);
    while !to_client.is_empty() || !to_server.is_empty() {
        let now: Vec<u8> = to_client.drain(..piece.min(to_client.len())).collect();
        for action in client.receive(&now).expect("the server is right") {
            match action {
                ClientAction::Send(octets) => to_server.extend(octets),
                ClientAction::GiveResults => to_server.extend(client.results(&results(7))),
                ClientAction::Run => to_server.extend(client.end()),
                ClientAction::Finished(results) => at_client = Some(*results),
                ClientAction::CreateStreams => to_client.extend(server.begin()),
                ClientAction::Prepare | ClientAction::ServerIsSquirrel => {}
            }
        }
        let now: Vec<u8> = to_server.drain(..piece.min(to_server.len())).collect();
        for action in server.receive(&now).expect("the client is right") {
            match action {
                ServerAction::Parameters(parameters) => {
                    asked = Some(*parameters);
                    to_client.extend(server.accept(true));
                }
                ServerAction::End => to_client.extend(server.exchange()),
                ServerAction::PeerResults(peer) => {
                    at_server = Some(*peer);
                    to_client.extend(server.results(&results(5)));
                }
                ServerAction::Done => {}
                ServerAction::Abandoned => panic!("nobody gave up"),
            }
        }
    }
    (asked.expect("parameters"), at_client.expect("results"), at_server.expect("results"))
}

#[test]
fn a_conversation_is_the_same_however_it_is_cut() {
    for piece in [1, 2, 3, 5, 7, 100, 10_000] {
        assert_eq!(converse(piece), (parameters(), results(5), results(7)), "pieces of {piece}");
    }
}

#[test]
fn a_server_may_say_only_what_is_its_turn() {
    let all: Vec<u8> = (0..=255).collect();
    // What may be said at the beginning: the parameters, or that there will be no run.
    let welcome = [State::ParamExchange, State::AccessDenied, State::ServerTerminate, State::ServerError];
    for said in all {
        let (mut client, _) = ClientMachine::new(&Cookie::new([1; 36]), &parameters());
        let order = matches!(client.receive(&[said]), Err(ProtocolError::OutOfOrder { .. }));
        assert_eq!(order, State::of(said).is_none_or(|state| !welcome.contains(&state)), "{said}");
    }
}

#[test]
fn a_client_may_say_only_what_is_its_turn() {
    for said in 0..=255_u8 {
        let (mut server, _) = ServerMachine::new();
        server.begin();
        let heard = server.receive(&[said]);
        match State::of(said) {
            Some(State::TestEnd) => assert_eq!(heard, Ok(vec![ServerAction::End])),
            Some(State::ClientTerminate) => assert_eq!(heard, Ok(vec![ServerAction::Abandoned])),
            _ => assert!(matches!(heard, Err(ProtocolError::OutOfOrder { .. })), "{said}"),
        }
    }
}

#[test]
fn what_is_too_long_or_too_deep_is_refused_before_it_is_kept() {
    let (mut server, _) = ServerMachine::new();
    let long = server.receive(&0x0010_0001_u32.to_be_bytes());
    assert_eq!(long, Err(ProtocolError::TooLong { what: "parameters", octets: 0x0010_0001 }));
    let (mut server, _) = ServerMachine::new();
    let deep = format!("{{\"extra\":{}", "[".repeat(100_000));
    let mut octets = u32::try_from(deep.len()).unwrap().to_be_bytes().to_vec();
    octets.extend(deep.as_bytes());
    assert!(matches!(server.receive(&octets), Err(ProtocolError::NotRead { .. })));
}

#[test]
fn parameters_that_cannot_be_are_refused() {
    let cases: [(&str, Parameters); 9] = [
        ("neither protocol", Parameters { tcp: false, ..parameters() }),
        ("both protocols", Parameters { udp: true, ..parameters() }),
        ("no stream", Parameters { parallel: 0, ..parameters() }),
        ("too many streams", Parameters { parallel: 129, ..parameters() }),
        ("no bound", Parameters { time: 0, ..parameters() }),
        ("more than a day", Parameters { time: 86_401, ..parameters() }),
        ("a long omission", Parameters { omit: 61, ..parameters() }),
        ("no block", Parameters { len: 0, ..parameters() }),
        ("a datagram without room for its number", Parameters { tcp: false, udp: true, len: 11, ..parameters() }),
    ];
    assert_eq!(parameters().check(), Ok(()));
    for (name, parameters) in cases {
        assert!(parameters.check().is_err(), "{name}");
    }
}

proptest! {
    #[test]
    fn any_octets_are_survived(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..12)) {
        let (mut client, _) = ClientMachine::new(&Cookie::new([1; 36]), &parameters());
        let (mut server, _) = ServerMachine::new();
        for (turn, piece) in pieces.iter().enumerate() {
            let _ = client.receive(piece);
            let _ = server.receive(piece);
            if turn % 3 == 1 {
                server.begin();
                client.end();
            }
            if turn % 3 == 2 {
                server.exchange();
            }
        }
    }

    #[test]
    fn results_arrive_as_they_were_sent(octets: u32, jitter in 0.0..10.0, retransmits in -1_i64..1000) {
        let mut sent = results(u64::from(octets));
        sent.streams[0].jitter = jitter;
        sent.streams[0].retransmits = retransmits;
        let (mut client, _) = ClientMachine::new(&Cookie::new([1; 36]), &parameters());
        let (server, _) = ServerMachine::new();
        client.receive(&[9, 10, 1, 2]).unwrap();
        client.end();
        client.receive(&[13]).unwrap();
        let finished = client.receive(&server.results(&sent)).unwrap();
        let Some(ClientAction::Finished(came)) = finished.last() else { panic!("no results") };
        prop_assert!((came.streams[0].jitter - jitter).abs() < 1e-12);
        prop_assert_eq!((came.streams[0].bytes, came.streams[0].retransmits), (u64::from(octets), retransmits));
    }
}
