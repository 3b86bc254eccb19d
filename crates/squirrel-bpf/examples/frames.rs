//! Counts the frames of the interfaces that are named, in the namespace where it runs: `frames INTERFACE…`. It says
//! `ready`, waits for a line, and prints each row and what each interface counted itself meanwhile. For tests, and
//! for a look by hand.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "the lines are what it is for")]

use std::error::Error;

use squirrel_bpf::{PacketOptions, Packets};
use squirrel_sys::PacketLedger as _;

/// A frame that a device has counted may still wait for the processor that hands it to the programs, and neighbours
/// speak at any time: rows and counters are read again, so many times at most, until they are of one moment.
const TRIES: u32 = 20_000;

/// Received and transmitted packets and bytes, by the interface's own counters.
fn counters(interface: &str) -> Result<[u64; 4], Box<dyn Error>> {
    let mut values = [0; 4];
    for (value, name) in values.iter_mut().zip(["rx_packets", "rx_bytes", "tx_packets", "tx_bytes"]) {
        *value = std::fs::read_to_string(format!("/sys/class/net/{interface}/statistics/{name}"))?.trim().parse()?;
    }
    Ok(values)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    let mut options = PacketOptions::default();
    if let Some(rows) = names.first().and_then(|word| word.parse().ok()) {
        options.rows = rows;
        names.remove(0);
    }
    let mut ledger = Packets::open(&options)?;
    let mut before = Vec::new();
    for name in &names {
        before.push(counters(name)?);
        let index = std::fs::read_to_string(format!("/sys/class/net/{name}/ifindex"))?.trim().parse()?;
        ledger.attach(index, name)?;
    }
    println!("ready");
    std::io::stdin().read_line(&mut String::new())?;
    let mut rows = Vec::new();
    let mut now = Vec::new();
    for _ in 0..TRIES {
        rows.clear();
        ledger.each(&mut |record| rows.push(record))?;
        now = names.iter().map(|name| counters(name)).collect::<Result<Vec<_>, _>>()?;
        let grown = now.iter().flatten().sum::<u64>() - before.iter().flatten().sum::<u64>();
        if grown == rows.iter().map(|row| row.frames + row.bytes).sum::<u64>() {
            break;
        }
    }
    for row in rows {
        println!(
            "row {:?} {:?} {} {} {} {} {} {} {}",
            row.direction,
            row.class,
            row.interface,
            row.cookie,
            row.protocol,
            row.frames,
            row.bytes,
            row.wire_frames,
            row.wire_bytes
        );
    }
    for ((name, before), now) in names.iter().zip(before).zip(now) {
        let index = std::fs::read_to_string(format!("/sys/class/net/{name}/ifindex"))?;
        let grown: Vec<String> = now.iter().zip(before).map(|(now, before)| (now - before).to_string()).collect();
        println!("counter {} {}", index.trim(), grown.join(" "));
    }
    Ok(())
}
