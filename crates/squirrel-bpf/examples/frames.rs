//! Counts the frames of the interfaces that are named, in the namespace where it runs: `frames INTERFACE…`. It says
//! `ready`, waits for a line, and prints each row and what each interface counted itself meanwhile. For tests, and
//! for a look by hand.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "the lines are what it is for")]

use std::error::Error;

use squirrel_bpf::{PacketOptions, Packets};
use squirrel_sys::PacketLedger as _;

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
        ledger.attach(name)?;
    }
    println!("ready");
    std::io::stdin().read_line(&mut String::new())?;
    let all = || names.iter().map(|name| counters(name)).collect::<Result<Vec<_>, _>>();
    // Neighbours may speak at any time: rows and counters are of one moment when nothing was counted in between.
    let (rows, now) = loop {
        let first = all()?;
        let mut rows = Vec::new();
        ledger.each(&mut |record| rows.push(record))?;
        if all()? == first {
            break (rows, first);
        }
    };
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
