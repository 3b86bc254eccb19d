//! Where the targets of a driver are, and which of them has an address.

use std::collections::HashMap;
use std::net::IpAddr;

/// Why a target is not asked whose address was not set.
const NOWHERE: &str = "nobody said where it is";

/// The addresses that are asked.
#[derive(Default)]
pub(super) struct Targets {
    pub(super) addresses: Vec<Result<IpAddr, String>>,
    /// The target of an address, for answers that are too short to say which they are of: the last, if it is asked
    /// twice.
    by_address: HashMap<IpAddr, u32>,
}

impl Targets {
    pub(super) fn set(&mut self, target: u32, address: Result<IpAddr, String>) {
        while self.addresses.len() <= target as usize {
            self.addresses.push(Err(NOWHERE.to_owned()));
        }
        let Some(place) = self.addresses.get_mut(target as usize) else { return };
        if let Ok(before) = place
            && self.by_address.get(before) == Some(&target)
        {
            self.by_address.remove(before);
        }
        if let Ok(address) = address {
            self.by_address.insert(address, target);
        }
        *place = address;
    }

    pub(super) fn get(&self, target: u32) -> Result<IpAddr, &str> {
        match self.addresses.get(target as usize) {
            Some(Ok(address)) => Ok(*address),
            Some(Err(why)) => Err(why),
            None => Err(NOWHERE),
        }
    }

    pub(super) fn address(&self, target: u32) -> Option<IpAddr> {
        self.get(target).ok()
    }

    pub(super) fn at(&self, address: IpAddr) -> Option<u32> {
        self.by_address.get(&address).copied()
    }
}
