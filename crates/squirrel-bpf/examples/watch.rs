//! Opens the ledger, says which parts work and what memory it took, and prints what it holds after a line on
//! standard input: for a look by hand.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "prints figures for a person")]

use squirrel_bpf::{Ledger, Options};
use squirrel_sys::{SocketLedger, memory};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let before = memory::resident_bytes().unwrap_or(0);
    let mut ledger = Ledger::open(&Options::default())?;
    let after = memory::resident_bytes().unwrap_or(0);
    for (part, missing) in ledger.parts() {
        println!("{part}: {}", missing.as_deref().unwrap_or("works"));
    }
    println!("resident: {before} bytes before, {after} after");
    std::io::stdin().read_line(&mut String::new())?;
    let lost = ledger.ended(&mut |record| println!("ended {record:?}"))?;
    ledger.living(&mut |record| println!("living {record:?}"))?;
    println!("lost {lost}, missed {:?}", ledger.missed()?);
    Ok(())
}
