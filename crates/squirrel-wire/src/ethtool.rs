//! What drivers tell through the ethtool `ioctl`: their name and their own counters.
//!
//! Source: `include/uapi/linux/ethtool.h`. A caller fills a buffer with a `…_request`, makes the call,
//! and reads the same buffer. Counting first ([`string_set_info_request`]) gives the size of the others:
//!
//! 1. `ETHTOOL_GSSET_INFO` answers how many statistics there are;
//! 2. `ETHTOOL_GSTRINGS` answers their names, 32 octets each;
//! 3. `ETHTOOL_GSTATS` answers their values, 8 octets each, in the same order.

mod link_settings;

pub use link_settings::{
    GLINKSETTINGS, LINK_MODES, LinkMode, LinkModes, LinkSettings, LinkSettingsAnswer, MASK_WORDS, PORTS,
    link_settings_len, link_settings_request,
};

use crate::{Malformed, Reader, Text};

/// `ETHTOOL_GDRVINFO`: driver and device.
pub const GDRVINFO: u32 = 0x03;
/// `ETHTOOL_GSTRINGS`: the names of a set of strings.
pub const GSTRINGS: u32 = 0x1b;
/// `ETHTOOL_GSTATS`: the values of the statistics.
pub const GSTATS: u32 = 0x1d;
/// `ETHTOOL_GSSET_INFO`: how many strings a set has.
pub const GSSET_INFO: u32 = 0x37;

/// `ETH_SS_STATS`: the set of the statistics' names.
pub const STATISTICS_SET: u32 = 1;

/// Octets of a name.
pub const NAME_LEN: usize = 32;
/// Octets of `struct ethtool_drvinfo`.
pub const DRIVER_INFO_LEN: usize = 196;
/// Octets of the question for one set's size.
pub const STRING_SET_INFO_LEN: usize = 20;

/// Most statistics that we believe a driver has; the largest known have some ten thousand. A larger
/// count is taken for a fault instead of being allocated.
pub const MAX_STATISTICS: u32 = 65_536;

/// The name of a command, for messages and recorded folders.
pub fn command_name(command: u32) -> Option<&'static str> {
    Some(match command {
        GDRVINFO => "gdrvinfo",
        GSTRINGS => "gstrings",
        GSTATS => "gstats",
        GSSET_INFO => "gsset_info",
        GLINKSETTINGS => "glinksettings",
        _ => return None,
    })
}

/// `ETHTOOL_GDRVINFO`: a whole buffer, ready for the call.
pub fn driver_info_request() -> [u8; DRIVER_INFO_LEN] {
    let mut request = [0; DRIVER_INFO_LEN];
    if let Some(command) = request.first_chunk_mut() {
        *command = GDRVINFO.to_ne_bytes();
    }
    request
}

/// `ETHTOOL_GSSET_INFO` for one set: a whole buffer, ready for the call.
#[expect(clippy::many_single_char_names, reason = "the eight octets of one number")]
pub fn string_set_info_request(set: u32) -> [u8; STRING_SET_INFO_LEN] {
    let mask = 1u64.wrapping_shl(set).to_ne_bytes();
    let [a, b, c, d, e, f, g, h] = mask;
    words([GSSET_INFO.to_ne_bytes(), [0; 4], [a, b, c, d], [e, f, g, h], [0; 4]])
}

/// The first octets of `ETHTOOL_GSTRINGS` for `count` names of a set; the buffer must be
/// [`strings_len`] long.
pub fn strings_request(set: u32, count: u32) -> [u8; 12] {
    words([GSTRINGS.to_ne_bytes(), set.to_ne_bytes(), count.to_ne_bytes()])
}

/// Octets of the whole buffer for `count` names.
pub fn strings_len(count: u32) -> usize {
    (count as usize).saturating_mul(NAME_LEN).saturating_add(12)
}

/// The first octets of `ETHTOOL_GSTATS` for `count` values; the buffer must be [`statistics_len`] long.
pub fn statistics_request(count: u32) -> [u8; 8] {
    words([GSTATS.to_ne_bytes(), count.to_ne_bytes()])
}

/// Octets of the whole buffer for `count` values.
pub fn statistics_len(count: u32) -> usize {
    (count as usize).saturating_mul(8).saturating_add(8)
}

fn words<const WORDS: usize, const OCTETS: usize>(words: [[u8; 4]; WORDS]) -> [u8; OCTETS] {
    let mut octets = [0; OCTETS];
    for (place, word) in octets.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word);
    }
    octets
}

/// Driver and device: `struct ethtool_drvinfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DriverInfo<'a> {
    /// The driver's name.
    pub driver: Text<'a>,
    /// The driver's version; mostly the kernel's.
    pub version: Text<'a>,
    /// The firmware's version.
    pub firmware: Text<'a>,
    /// Where the device is plugged in, such as `0000:00:03.0`.
    pub bus_info: Text<'a>,
    /// Version of the expansion ROM.
    pub expansion_rom: Text<'a>,
    /// How many statistics the driver has.
    pub statistics: u32,
}

impl<'a> DriverInfo<'a> {
    /// Reads an answer to [`driver_info_request`].
    ///
    /// # Errors
    /// When it is cut short or answers another command.
    pub fn parse(answer: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = answer_to(GDRVINFO, "ethtool driver info", answer)?;
        let mut text = || reader.take(NAME_LEN).map(Text::until_nul);
        let (driver, version, firmware, bus_info, expansion_rom) = (text()?, text()?, text()?, text()?, text()?);
        reader.skip(16)?;
        Ok(Self { driver, version, firmware, bus_info, expansion_rom, statistics: reader.u32()? })
    }
}

/// Reads an answer to [`string_set_info_request`]: how many strings the set has. A driver without the
/// set clears its bit, which means none.
///
/// # Errors
/// When it is cut short or answers another command.
pub fn parse_string_set_info(answer: &[u8]) -> Result<u32, Malformed> {
    let mut reader = answer_to(GSSET_INFO, "ethtool string set info", answer)?;
    reader.skip(4)?;
    if reader.u64()? == 0 { Ok(0) } else { reader.u32() }
}

/// Reads an answer to [`strings_request`]. The kernel may answer fewer names than were asked for.
///
/// # Errors
/// When it is cut short or answers another command.
pub fn parse_strings(answer: &[u8]) -> Result<impl Iterator<Item = Text<'_>>, Malformed> {
    let mut reader = answer_to(GSTRINGS, "ethtool strings", answer)?;
    reader.skip(4)?;
    let count = reader.u32()? as usize;
    let names = reader.take(count.saturating_mul(NAME_LEN))?;
    Ok(names.chunks_exact(NAME_LEN).map(Text::until_nul))
}

/// Reads an answer to [`statistics_request`]. The kernel may answer fewer values than were asked for.
///
/// # Errors
/// When it is cut short or answers another command.
pub fn parse_statistics(answer: &[u8]) -> Result<impl Iterator<Item = u64>, Malformed> {
    let mut reader = answer_to(GSTATS, "ethtool statistics", answer)?;
    let count = reader.u32()? as usize;
    let values = reader.take(count.saturating_mul(8))?;
    Ok(values.chunks_exact(8).filter_map(|value| value.first_chunk().copied().map(u64::from_ne_bytes)))
}

/// The first four octets of an `ethtool_*` structure: its command.
pub fn command_of(octets: &[u8]) -> Option<u32> {
    octets.first_chunk().map(|command| u32::from_ne_bytes(*command))
}

fn answer_to<'a>(command: u32, layer: &'static str, answer: &'a [u8]) -> Result<Reader<'a>, Malformed> {
    let mut reader = Reader::new(layer, answer);
    let at = reader.malformed();
    if reader.u32()? == command { Ok(reader) } else { Err(at) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::truncated_everywhere;
    use proptest::prelude::*;
    use std::string::{String, ToString as _};
    use std::vec::Vec;

    fn strings(names: &[&str]) -> Vec<u8> {
        let mut octets = strings_request(STATISTICS_SET, names.len() as u32).to_vec();
        for name in names {
            octets.extend(name.as_bytes());
            octets.resize(octets.len() - name.len() + NAME_LEN, 0);
        }
        octets
    }

    #[test]
    fn names_and_values_are_read_in_order() {
        let octets = strings(&["rx_packets", "tx_queue_0_bytes", "exactly_thirty_two_octets_long__"]);
        assert_eq!(octets.len(), strings_len(3));
        let names: Vec<String> = parse_strings(&octets).unwrap().map(|name| name.to_string()).collect();
        assert_eq!(names, ["rx_packets", "tx_queue_0_bytes", "exactly_thirty_two_octets_long__"]);

        let mut octets = statistics_request(2).to_vec();
        octets.extend([7u64.to_ne_bytes(), u64::MAX.to_ne_bytes()].concat());
        assert_eq!(octets.len(), statistics_len(2));
        assert_eq!(parse_statistics(&octets).unwrap().collect::<Vec<_>>(), [7, u64::MAX]);
    }

    #[test]
    fn a_driver_that_claims_more_than_it_sent_is_malformed() {
        let mut octets = statistics_request(3).to_vec();
        octets.extend([0; 16]);
        assert_eq!(
            parse_statistics(&octets).map(Iterator::count),
            Err(Malformed { layer: "ethtool statistics", offset: 8 })
        );
        assert!(parse_strings(&strings_request(1, u32::MAX)).is_err());
    }

    #[test]
    fn driver_info_is_read() {
        let mut octets = driver_info_request().to_vec();
        octets[4..14].copy_from_slice(b"virtio_net");
        octets[100..112].copy_from_slice(b"0000:00:03.0");
        octets[180..184].copy_from_slice(&42u32.to_ne_bytes());
        let info = DriverInfo::parse(&octets).unwrap();
        assert_eq!(
            (info.driver, info.bus_info, info.statistics),
            (Text::until_nul(b"virtio_net"), Text::until_nul(b"0000:00:03.0"), 42)
        );
        assert_eq!(truncated_everywhere(&octets, |cut| DriverInfo::parse(cut).map(|_| ())), 196 - 184);
    }

    #[test]
    fn a_set_that_the_driver_lacks_has_no_strings() {
        let mut octets = string_set_info_request(STATISTICS_SET);
        assert_eq!(octets[8..16], 2u64.to_ne_bytes());
        octets[16..20].copy_from_slice(&9u32.to_ne_bytes());
        assert_eq!(parse_string_set_info(&octets), Ok(9));
        octets[8..16].fill(0);
        assert_eq!(parse_string_set_info(&octets), Ok(0));
    }

    #[test]
    fn an_answer_to_another_command_is_refused() {
        assert!(DriverInfo::parse(&[0xFF; 196]).is_err());
        assert!(parse_string_set_info(&statistics_request(1)).is_err());
        assert_eq!(command_of(&statistics_request(1)).and_then(command_name), Some("gstats"));
        assert_eq!((command_of(&[1, 2, 3]), command_name(0)), (None, None));
    }

    proptest! {
        #[test]
        fn any_octets_are_survived(octets in prop::collection::vec(any::<u8>(), 0..300), command in prop::sample::select(std::vec![GDRVINFO, GSTRINGS, GSTATS, GSSET_INFO])) {
            let answer = [command.to_ne_bytes().to_vec(), octets].concat();
            let _ = DriverInfo::parse(&answer);
            let _ = parse_string_set_info(&answer);
            prop_assert!(parse_strings(&answer).map_or(0, Iterator::count) <= answer.len() / NAME_LEN);
            prop_assert!(parse_statistics(&answer).map_or(0, Iterator::count) <= answer.len() / 8);
        }
    }
}
