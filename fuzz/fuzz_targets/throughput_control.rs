//! Both halves of iperf3's conversation with a peer that says anything, in pieces, at any time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_throughput::protocol::{ClientMachine, Cookie, Parameters, ServerAction, ServerMachine};

fuzz_target!(|pieces: Vec<Vec<u8>>| {
    let (mut client, _) = ClientMachine::new(&Cookie::new([1; 36]), &Parameters::default());
    let (mut server, _) = ServerMachine::new();
    for piece in &pieces {
        match piece.split_first() {
            // What the driver does, at a moment that it did not choose.
            Some((0xF0, _)) => drop(client.end()),
            Some((0xF1, _)) => drop(server.begin()),
            Some((0xF2, _)) => drop(server.exchange()),
            _ => {
                let _ = client.receive(piece);
                for action in server.receive(piece).unwrap_or_default() {
                    if let ServerAction::Parameters(parameters) = action {
                        assert_eq!(parameters.check(), Ok(()));
                        assert!(parameters.time > 0 || parameters.octets().is_some(), "a run without a bound");
                    }
                }
            }
        }
    }
});
