//! What a link could do and offers to do: `ETHTOOL_GLINKSETTINGS`.
//!
//! Source: `struct ethtool_link_settings` in `include/uapi/linux/ethtool.h` (Linux 4.6). Three bit masks
//! follow it. Their size is the kernel's choice: a caller who guesses wrong is told the right number of
//! words, as a negative number, and asks again.

use super::{answer_to, words};
use crate::{Malformed, Reader};

/// `ETHTOOL_GLINKSETTINGS`.
pub const GLINKSETTINGS: u32 = 0x4c;

/// Octets before the masks.
const HEAD_LEN: usize = 48;

/// Words of each mask on current kernels; the first guess.
pub const MASK_WORDS: u8 = 4;

/// The first octets of a request with room for masks of `mask_words` words; the buffer must be
/// [`link_settings_len`] long.
pub fn link_settings_request(mask_words: u8) -> [u8; HEAD_LEN] {
    let mut request = [[0; 4]; HEAD_LEN / 4];
    let [command, _, _, counts, ..] = &mut request;
    *command = GLINKSETTINGS.to_ne_bytes();
    // mdio_support, eth_tp_mdix, eth_tp_mdix_ctrl, link_mode_masks_nwords
    *counts = [0, 0, 0, mask_words.min(i8::MAX as u8)];
    words(request)
}

/// Octets of the whole buffer for masks of `mask_words` words.
pub fn link_settings_len(mask_words: u8) -> usize {
    HEAD_LEN + 3 * 4 * usize::from(mask_words)
}

/// An answer to [`link_settings_request`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkSettingsAnswer<'a> {
    /// The settings.
    Settings(LinkSettings<'a>),
    /// The guess was wrong: ask again with masks of so many words.
    AskAgain(u8),
}

/// How a link is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkSettings<'a> {
    /// Speed in Mbit/s; 2³²−1 when unknown.
    pub mbit: u32,
    /// 0 half, 1 full, 255 unknown.
    pub duplex: u8,
    /// Whether the speed is agreed with the other end: 0 no, 1 yes.
    pub autonegotiation: u8,
    /// What the device can do.
    pub supported: LinkModes<'a>,
    /// What it offers to the other end.
    pub advertised: LinkModes<'a>,
}

impl<'a> LinkSettingsAnswer<'a> {
    /// Reads an answer.
    ///
    /// # Errors
    /// When it is cut short or answers another command.
    pub fn parse(answer: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader: Reader<'a> = answer_to(GLINKSETTINGS, "ethtool link settings", answer)?;
        let mbit = reader.u32()?;
        let (duplex, _port, _phy, autonegotiation) = (reader.u8()?, reader.u8()?, reader.u8()?, reader.u8()?);
        reader.skip(3)?;
        let mask_words = reader.u8()? as i8;
        if mask_words <= 0 {
            return Ok(Self::AskAgain(mask_words.unsigned_abs()));
        }
        reader.skip(HEAD_LEN - 16)?;
        let mask = usize::from(mask_words.unsigned_abs()) * 4;
        let (supported, advertised) = (LinkModes(reader.take(mask)?), LinkModes(reader.take(mask)?));
        Ok(Self::Settings(LinkSettings { mbit, duplex, autonegotiation, supported, advertised }))
    }
}

/// A set of link modes and properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkModes<'a>(&'a [u8]);

impl LinkModes<'_> {
    /// The other end is asked what it can do.
    pub const AUTONEGOTIATION: u32 = 6;
    /// Pause frames are honoured.
    pub const PAUSE: u32 = 13;
    /// Pause frames are honoured in one direction.
    pub const ASYMMETRIC_PAUSE: u32 = 14;

    /// Whether bit number `bit` is set; bits beyond the mask are not.
    pub fn has(&self, bit: u32) -> bool {
        let word = self.0.chunks_exact(4).nth(bit as usize / 32).and_then(<[u8]>::first_chunk);
        word.is_some_and(|word| u32::from_ne_bytes(*word) & 1u32.wrapping_shl(bit % 32) != 0)
    }
}

/// The kinds of port, by bit number.
pub static PORTS: &[(u32, &str)] = &[(7, "TP"), (8, "AUI"), (9, "MII"), (10, "FIBRE"), (11, "BNC"), (16, "Backplane")];

/// A speed over a kind of medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkMode {
    /// Its bit number.
    pub bit: u32,
    /// Its name, such as `1000baseT`.
    pub name: &'static str,
    /// Its speed in Mbit/s.
    pub mbit: u32,
    /// Whether both ends may send at once.
    pub full_duplex: bool,
}

const fn mode(bit: u32, name: &'static str, mbit: u32, full_duplex: bool) -> LinkMode {
    LinkMode { bit, name, mbit, full_duplex }
}

/// The modes that have a speed: `enum ethtool_link_mode_bit_indices` without ports and properties.
pub static LINK_MODES: &[LinkMode] = &[
    mode(0, "10baseT", 10, false),
    mode(1, "10baseT", 10, true),
    mode(2, "100baseT", 100, false),
    mode(3, "100baseT", 100, true),
    mode(4, "1000baseT", 1000, false),
    mode(5, "1000baseT", 1000, true),
    mode(12, "10000baseT", 10000, true),
    mode(15, "2500baseX", 2500, true),
    mode(17, "1000baseKX", 1000, true),
    mode(18, "10000baseKX4", 10000, true),
    mode(19, "10000baseKR", 10000, true),
    mode(20, "10000baseR_FEC", 10000, true),
    mode(21, "20000baseMLD2", 20000, true),
    mode(22, "20000baseKR2", 20000, true),
    mode(23, "40000baseKR4", 40000, true),
    mode(24, "40000baseCR4", 40000, true),
    mode(25, "40000baseSR4", 40000, true),
    mode(26, "40000baseLR4", 40000, true),
    mode(27, "56000baseKR4", 56000, true),
    mode(28, "56000baseCR4", 56000, true),
    mode(29, "56000baseSR4", 56000, true),
    mode(30, "56000baseLR4", 56000, true),
    mode(31, "25000baseCR", 25000, true),
    mode(32, "25000baseKR", 25000, true),
    mode(33, "25000baseSR", 25000, true),
    mode(34, "50000baseCR2", 50000, true),
    mode(35, "50000baseKR2", 50000, true),
    mode(36, "100000baseKR4", 100_000, true),
    mode(37, "100000baseSR4", 100_000, true),
    mode(38, "100000baseCR4", 100_000, true),
    mode(39, "100000baseLR4_ER4", 100_000, true),
    mode(40, "50000baseSR2", 50000, true),
    mode(41, "1000baseX", 1000, true),
    mode(42, "10000baseCR", 10000, true),
    mode(43, "10000baseSR", 10000, true),
    mode(44, "10000baseLR", 10000, true),
    mode(45, "10000baseLRM", 10000, true),
    mode(46, "10000baseER", 10000, true),
    mode(47, "2500baseT", 2500, true),
    mode(48, "5000baseT", 5000, true),
    mode(52, "50000baseKR", 50000, true),
    mode(53, "50000baseSR", 50000, true),
    mode(54, "50000baseCR", 50000, true),
    mode(55, "50000baseLR_ER_FR", 50000, true),
    mode(56, "50000baseDR", 50000, true),
    mode(57, "100000baseKR2", 100_000, true),
    mode(58, "100000baseSR2", 100_000, true),
    mode(59, "100000baseCR2", 100_000, true),
    mode(60, "100000baseLR2_ER2_FR2", 100_000, true),
    mode(61, "100000baseDR2", 100_000, true),
    mode(62, "200000baseKR4", 200_000, true),
    mode(63, "200000baseSR4", 200_000, true),
    mode(64, "200000baseLR4_ER4_FR4", 200_000, true),
    mode(65, "200000baseDR4", 200_000, true),
    mode(66, "200000baseCR4", 200_000, true),
    mode(67, "100baseT1", 100, true),
    mode(68, "1000baseT1", 1000, true),
    mode(69, "400000baseKR8", 400_000, true),
    mode(70, "400000baseSR8", 400_000, true),
    mode(71, "400000baseLR8_ER8_FR8", 400_000, true),
    mode(72, "400000baseDR8", 400_000, true),
    mode(73, "400000baseCR8", 400_000, true),
    mode(75, "100000baseKR", 100_000, true),
    mode(76, "100000baseSR", 100_000, true),
    mode(77, "100000baseLR_ER_FR", 100_000, true),
    mode(78, "100000baseCR", 100_000, true),
    mode(79, "100000baseDR", 100_000, true),
    mode(80, "200000baseKR2", 200_000, true),
    mode(81, "200000baseSR2", 200_000, true),
    mode(82, "200000baseLR2_ER2_FR2", 200_000, true),
    mode(83, "200000baseDR2", 200_000, true),
    mode(84, "200000baseCR2", 200_000, true),
    mode(85, "400000baseKR4", 400_000, true),
    mode(86, "400000baseSR4", 400_000, true),
    mode(87, "400000baseLR4_ER4_FR4", 400_000, true),
    mode(88, "400000baseDR4", 400_000, true),
    mode(89, "400000baseCR4", 400_000, true),
    mode(90, "100baseFX", 100, false),
    mode(91, "100baseFX", 100, true),
    mode(92, "10baseT1L", 10, true),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::truncated_everywhere;
    use std::vec::Vec;

    fn answer() -> Vec<u8> {
        let mut octets = link_settings_request(2).to_vec();
        octets[4..8].copy_from_slice(&1000u32.to_ne_bytes());
        octets[8] = 1;
        octets[11] = 1;
        for mask in [[1u32 << 5 | 1 << 6 | 1 << 7, 1 << (47 - 32)], [1 << 5, 0], [0, 0]] {
            octets.extend(mask.map(u32::to_ne_bytes).concat());
        }
        assert_eq!(octets.len(), link_settings_len(2));
        octets
    }

    #[test]
    fn speeds_and_ports_are_read_from_all_words_of_the_masks() {
        let octets = answer();
        let Ok(LinkSettingsAnswer::Settings(settings)) = LinkSettingsAnswer::parse(&octets) else {
            panic!("the settings are there")
        };
        assert_eq!((settings.mbit, settings.duplex, settings.autonegotiation), (1000, 1, 1));
        let names = |modes: LinkModes<'_>| -> Vec<&str> {
            LINK_MODES.iter().filter(|mode| modes.has(mode.bit)).map(|mode| mode.name).collect()
        };
        assert_eq!(names(settings.supported), ["1000baseT", "2500baseT"]);
        assert_eq!(names(settings.advertised), ["1000baseT"]);
        assert!(settings.supported.has(LinkModes::AUTONEGOTIATION) && !settings.supported.has(u32::MAX));
        assert_eq!(truncated_everywhere(&octets, |cut| LinkSettingsAnswer::parse(cut).map(|_| ())), 8);
    }

    #[test]
    fn a_wrong_guess_is_answered_with_the_right_size() {
        let mut octets = link_settings_request(0).to_vec();
        octets[15] = -4i8 as u8;
        assert_eq!(LinkSettingsAnswer::parse(&octets), Ok(LinkSettingsAnswer::AskAgain(4)));
    }

    #[test]
    fn modes_are_sorted_and_none_is_a_port_or_property() {
        assert!(LINK_MODES.windows(2).all(|pair| pair[0].bit < pair[1].bit));
        assert!(PORTS.iter().all(|(bit, _)| LINK_MODES.iter().all(|mode| mode.bit != *bit)));
    }
}
