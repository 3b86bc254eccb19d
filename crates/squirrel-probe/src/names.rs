//! Names of addresses, asked of DNS beside other work: nobody waits for them.
//!
//! ```text
//! /etc/hosts ─► Names (what to ask whom, what answers mean) ◄──► Asker (sockets; never waits)
//! ```
//!
//! Whoever owns an address writes its name: it is shown with its strange octets escaped, as DNS's own files do, and
//! says nothing certain.

mod drive;
mod system;

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use squirrel_model::Elapsed;
use squirrel_wire::dns::{Class, Data, LONGEST_QUERY, Message, Name, Rcode, RecordType, Section, write_query};

pub use drive::Asker;
pub use system::{hosts, servers};

/// Addresses whose names are known or asked for at most.
const MOST: usize = 4096;
/// Questions under way at most; servers limit who asks more.
const MOST_UNDER_WAY: usize = 16;
/// How long a server is waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often each server is asked for one name.
const ROUNDS: usize = 2;
/// Names that stand for others, followed within an answer (RFC 2317).
const MOST_ALIASES: usize = 4;

/// What is asked for, what may stand in for it, and what answers are said to mean.
const POINTER: RecordType = RecordType(12);
const ALIAS: RecordType = RecordType(5);
const INTERNET: Class = Class(1);
const NO_ERROR: Rcode = Rcode(0);
const NO_SUCH_NAME: Rcode = Rcode(3);

/// What is known of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Known {
    Asking,
    Name(String),
    Nothing,
}

#[derive(Clone, Debug)]
struct UnderWay {
    address: IpAddr,
    id: u16,
    /// How often it was asked, over all servers.
    tries: usize,
    /// When it is given up; none before it was sent.
    until: Option<Duration>,
}

/// A question to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// To whom.
    pub server: SocketAddr,
    /// The datagram.
    pub octets: Vec<u8>,
}

/// Names of addresses: those that are known, and what is asked for the others.
#[derive(Clone, Debug)]
pub struct Names {
    known: BTreeMap<IpAddr, Known>,
    waiting: VecDeque<IpAddr>,
    under_way: Vec<UnderWay>,
    servers: Vec<SocketAddr>,
    random: u64,
}

impl Names {
    /// Names that are known already, and whom to ask for others: in turn, each twice. `seed` is random, so that nobody
    /// guesses the numbers of questions.
    pub fn new(known: BTreeMap<IpAddr, String>, servers: Vec<SocketAddr>, seed: u64) -> Self {
        let known = known.into_iter().map(|(address, name)| (address, Known::Name(name))).collect();
        Self { known, waiting: VecDeque::new(), under_way: Vec::new(), servers, random: seed | 1 }
    }

    /// The name of an address, if it is known.
    pub fn name(&self, address: IpAddr) -> Option<&str> {
        match self.known.get(&address)? {
            Known::Name(name) => Some(name),
            Known::Asking | Known::Nothing => None,
        }
    }

    /// Asks for the name of an address from now on, unless that was done.
    pub fn want(&mut self, address: IpAddr) {
        if self.servers.is_empty() || self.known.contains_key(&address) || self.known.len() >= MOST {
            return;
        }
        self.known.insert(address, Known::Asking);
        self.waiting.push_back(address);
    }

    /// Whether nothing is asked for or about to be.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_empty()
    }

    /// The next question to send at `now`; none for now.
    pub fn step(&mut self, now: Elapsed) -> Option<Query> {
        while self.under_way.len() < MOST_UNDER_WAY {
            let Some(address) = self.waiting.pop_front() else { break };
            let id = self.number();
            self.under_way.push(UnderWay { address, id, tries: 0, until: None });
        }
        loop {
            let due = |one: &UnderWay| one.until.is_none_or(|until| until <= now.0);
            let index = self.under_way.iter().position(due)?;
            if self.under_way[index].tries >= self.servers.len() * ROUNDS {
                let given_up = self.under_way.swap_remove(index);
                self.known.insert(given_up.address, Known::Nothing);
                continue;
            }
            let id = self.number();
            let one = &mut self.under_way[index];
            let server = self.servers[one.tries % self.servers.len()];
            one.id = id;
            one.tries += 1;
            one.until = Some(now.0 + PATIENCE);
            let mut octets = vec![0; LONGEST_QUERY];
            let len = write_query(id, &reverse(one.address), POINTER, INTERNET, true, &mut octets)?;
            octets.truncate(len);
            return Some(Query { server, octets });
        }
    }

    /// A datagram came. One that is no answer of who was asked to what was asked changes nothing.
    pub fn answered(&mut self, from: SocketAddr, octets: &[u8]) {
        let Ok(message) = Message::parse(octets) else { return };
        let Some(question) = message.question.filter(|_| message.header.is_answer) else { return };
        let asked = question.name.to_string();
        let is_it = |one: &UnderWay| {
            let last = one.tries.checked_sub(1).map(|tries| self.servers[tries % self.servers.len()]);
            one.id == message.header.id && last == Some(from) && is_reverse(&asked, one.address)
        };
        let Some(index) = self.under_way.iter().position(is_it) else { return };
        if question.record_type != POINTER {
            return;
        }
        let known = match message.header.rcode {
            NO_ERROR => pointer(&message, question.name).map_or(Known::Nothing, Known::Name),
            NO_SUCH_NAME => Known::Nothing,
            // This server does not know; another may.
            _ => {
                self.under_way[index].until = Some(Duration::ZERO);
                return;
            }
        };
        let one = self.under_way.swap_remove(index);
        self.known.insert(one.address, known);
    }

    /// A number that others cannot guess (xorshift64*).
    fn number(&mut self) -> u16 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 48) as u16
    }
}

/// The name that an answer gives: of what was asked, or of what it says stands for that.
fn pointer(message: &Message<'_>, asked: Name<'_>) -> Option<String> {
    let answers = || message.records().map_while(Result::ok).filter(|record| record.section == Section::Answer);
    let mut wanted = asked;
    for _ in 0..=MOST_ALIASES {
        let of_wanted = |kind| {
            let found = answers().find(|record| record.record_type == kind && record.name.is_same(&wanted));
            found.and_then(|record| if let Data::Name(name) = record.data { Some(name) } else { None })
        };
        if let Some(name) = of_wanted(POINTER) {
            let text = name.to_string();
            return Some(text.trim_end_matches('.').to_owned()).filter(|text| !text.is_empty());
        }
        wanted = of_wanted(ALIAS)?;
    }
    None
}

fn is_reverse(asked: &str, address: IpAddr) -> bool {
    asked.trim_end_matches('.').eq_ignore_ascii_case(&reverse(address))
}

/// The name under which DNS keeps the name of an address (RFC 1035, section 3.5; RFC 3596, section 2.5).
fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, third, fourth] = v4.octets();
            format!("{fourth}.{third}.{second}.{first}.in-addr.arpa")
        }
        IpAddr::V6(v6) => {
            let digits = v6.octets().into_iter().rev().flat_map(|octet| [octet & 0xF, octet >> 4]);
            let labels = digits.flat_map(|digit| [char::from_digit(digit.into(), 16).unwrap_or('0'), '.']);
            labels.chain("ip6.arpa".chars()).collect()
        }
    }
}

#[cfg(test)]
mod tests;
