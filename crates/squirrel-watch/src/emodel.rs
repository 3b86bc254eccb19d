//! What a call would sound like: the E-model of ITU-T G.107 (06/2015), by delay, jitter and loss alone.
//!
//! Everything that a network does not decide has the recommendation's default value (its table 2: loudness, noise at
//! both ends, echo loss of 65 dB), which without delay and loss gives R = 93.2. The call is one of G.711 in packets of
//! 20 ms with concealment of lost ones (G.711 appendix I): Ie = 0, Bpl = 25.1 (ITU-T G.113 appendix I). Losses are
//! taken for random. Its delay is half of the round trip, the packet of 20 ms, and a buffer of twice the jitter.

use std::time::Duration;

/// Basic signal-to-noise ratio with all defaults: 15 - 1.5 (SLR + No), SLR = 8 dB, No = -61.18 dBm0p.
const RO: f64 = 94.768_8;
/// Simultaneous impairments with all defaults.
const IS: f64 = 1.413_6;
/// Talker echo loudness rating, dB.
const TELR: f64 = 65.0;
/// Weighted echo path loss, dB.
const WEPL: f64 = 110.0;
/// Room noise and receiver: Roe = -1.5 (No - RLR), RLR = 2 dB.
const ROE: f64 = 94.768_8;
/// Equipment impairment of the codec.
const IE: f64 = 0.0;
/// How robust the codec is against lost packets.
const BPL: f64 = 25.1;
/// Length of a packet.
const PACKET: Duration = Duration::from_millis(20);

/// What a call would sound like, from 1 (impossible) to 4.5 (as if there were no network), with this median round
/// trip, this jitter, and this share of packets lost.
pub fn mean_opinion_score(round_trip: Duration, jitter: Duration, loss: f64) -> f64 {
    score(rating(round_trip / 2 + jitter * 2 + PACKET, loss))
}

/// The transmission rating R for a delay of one way from mouth to ear and a share of lost packets.
pub fn rating(delay: Duration, loss: f64) -> f64 {
    let ms = delay.as_secs_f64() * 1000.0;
    RO - IS - talker_echo(ms) - listener_echo(ms) - long_delay(ms) - loss_impairment(loss)
}

/// Idte: the talker hears himself.
fn talker_echo(ms: f64) -> f64 {
    if ms < 1.0 {
        return 0.0;
    }
    let loudness = TELR - 40.0 * ((1.0 + ms / 10.0) / (1.0 + ms / 150.0)).log10() + 6.0 * (-0.3 * ms * ms).exp();
    let re = 80.0 + 2.5 * (loudness - 14.0);
    let half = (ROE - re) / 2.0;
    (half + (half * half + 100.0).sqrt() - 1.0) * (1.0 - (-ms).exp())
}

/// Idle: the listener hears the talker twice. The delay around is twice that of one way.
fn listener_echo(ms: f64) -> f64 {
    let rle = 10.5 * (WEPL + 7.0) * (2.0 * ms + 1.0).powf(-0.25);
    let half = (RO - rle) / 2.0;
    half + (half * half + 169.0).sqrt()
}

/// Idd: both wait for each other.
fn long_delay(ms: f64) -> f64 {
    if ms <= 100.0 {
        return 0.0;
    }
    let x = (ms / 100.0).log2();
    25.0 * ((1.0 + x.powi(6)).powf(1.0 / 6.0) - 3.0 * (1.0 + (x / 3.0).powi(6)).powf(1.0 / 6.0) + 2.0)
}

/// Ie-eff, for random losses (BurstR = 1).
fn loss_impairment(loss: f64) -> f64 {
    let percent = loss.clamp(0.0, 1.0) * 100.0;
    IE + (95.0 - IE) * percent / (percent + BPL)
}

/// MOS of a rating (G.107 annex B).
pub fn score(rating: f64) -> f64 {
    match rating {
        r if r <= 0.0 => 1.0,
        r if r >= 100.0 => 4.5,
        // Between 0 and 6.5 the cubic falls below 1.
        r => (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).max(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn ratings_become_the_scores_of_the_recommendation() {
        // G.107 table B.1, and its default rating.
        for (rating, expected) in [
            (93.2, 4.41),
            (90.0, 4.34),
            (80.0, 4.03),
            (70.0, 3.60),
            (60.0, 3.10),
            (50.0, 2.58),
            (0.0, 1.0),
            (100.0, 4.5),
        ] {
            assert!((score(rating) - expected).abs() < 0.01, "R = {rating}: {}", score(rating));
        }
        assert!(score(3.0) >= 1.0 && score(-20.0) == 1.0 && score(120.0) == 4.5);
    }

    #[test]
    fn without_delay_and_loss_the_rating_is_the_default_one() {
        assert!((rating(Duration::ZERO, 0.0) - 93.2).abs() < 0.05, "{}", rating(Duration::ZERO, 0.0));
    }

    #[test]
    fn delay_costs_what_is_published() {
        // The fit of Cole and Rosenbluth ("Voice over IP performance monitoring", 2001) to the model's default values:
        // 0.024 of each millisecond, and 0.11 of each above 177.3. Between its two lines it is off by some points.
        let fit = |ms: f64| 93.2 - 0.024 * ms - 0.11 * (ms - 177.3).max(0.0);
        for (delay, off_by) in [(50, 1.0), (100, 1.0), (150, 1.0), (250, 2.0), (300, 2.0), (400, 3.5)] {
            let found = rating(ms(delay), 0.0);
            assert!((found - fit(delay as f64)).abs() <= off_by, "{delay} ms: {found}, not {}", fit(delay as f64));
        }
    }

    #[test]
    fn loss_costs_what_the_codec_is_known_for() {
        // Ie-eff of G.711 with appendix I and random losses of 1, 5 and 20 %.
        for (loss, expected) in [(0.01, 3.64), (0.05, 15.78), (0.2, 42.13)] {
            let cost = rating(Duration::ZERO, 0.0) - rating(Duration::ZERO, loss);
            assert!((cost - expected).abs() < 0.01, "{loss}: {cost}");
        }
    }

    #[test]
    fn a_call_never_sounds_better_on_a_worse_network() {
        let best = mean_opinion_score(Duration::ZERO, Duration::ZERO, 0.0);
        assert!((4.38..4.41).contains(&best), "{best}");
        let mut last = best;
        for step in 1..60 {
            let worse = mean_opinion_score(ms(step * 20), ms(step), 0.005 * step as f64);
            assert!(worse <= last, "{step}: {worse} after {last}");
            last = worse;
        }
        assert!((1.0..1.1).contains(&last), "{last}");
        assert!(mean_opinion_score(ms(40), ms(60), 0.0) < mean_opinion_score(ms(40), ms(1), 0.0), "jitter counts");
    }
}
