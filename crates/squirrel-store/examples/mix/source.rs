//! The mix of series that a busy host has: counters of bytes and packets that wander, mostly idle ones, round-trip times,
//! gauges, constants. The same numbers on every machine.

/// splitmix64: the same figures on every machine.
pub(crate) struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// About normal: the sum of twelve uniform numbers.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    BusyBytes,
    BusyPackets,
    IdleCounter,
    Zero,
    RoundTrip,
    FullPrecision,
    SmallGauge,
    Constant,
    Percent,
}

impl Shape {
    pub(crate) fn of(series: usize) -> Self {
        match series % 100 {
            0..20 => Self::BusyBytes,
            20..35 => Self::BusyPackets,
            35..60 => Self::IdleCounter,
            60..70 => Self::Zero,
            70..80 => Self::RoundTrip,
            80..82 => Self::FullPrecision,
            82..92 => Self::SmallGauge,
            92..97 => Self::Constant,
            _ => Self::Percent,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BusyBytes => "busy_bytes",
            Self::BusyPackets => "busy_packets",
            Self::IdleCounter => "idle_counter",
            Self::Zero => "zero",
            Self::RoundTrip => "rtt_us",
            Self::FullPrecision => "full_f64",
            Self::SmallGauge => "small_int",
            Self::Constant => "constant",
            Self::Percent => "percent",
        }
    }
}

/// One series of the mix, a value a second.
pub(crate) struct Source {
    pub(crate) shape: Shape,
    random: Random,
    value: f64,
    rate: f64,
}

impl Source {
    pub(crate) fn new(series: usize) -> Self {
        let mut random = Random(series as u64 * 77 + 1);
        let shape = Shape::of(series);
        let rate = match shape {
            Shape::BusyBytes => 1e5 * (random.unit() * 4.0).exp(),
            Shape::BusyPackets => 100.0 * (random.unit() * 3.0).exp(),
            _ => random.unit(),
        };
        let value = match shape {
            Shape::Zero => 0.0,
            Shape::Constant => (random.unit() * 1e9).floor(),
            Shape::Percent => 50.0,
            Shape::SmallGauge => 20.0,
            Shape::RoundTrip | Shape::FullPrecision => random.unit(),
            _ => (random.unit() * 1e12).floor(),
        };
        Self { shape, random, value, rate }
    }

    pub(crate) fn next(&mut self) -> f64 {
        let random = &mut self.random;
        match self.shape {
            Shape::BusyBytes | Shape::BusyPackets => {
                // The load wanders, and each second differs from it by an eighth.
                self.rate *= (random.normal() * 0.01).exp();
                self.value += (self.rate * (1.0 + 0.12 * random.normal()).max(0.0)).floor();
            }
            Shape::IdleCounter => {
                if random.unit() < 0.012 {
                    self.value += (random.unit() * 10.0).ceil();
                }
            }
            Shape::Zero | Shape::Constant => {}
            Shape::RoundTrip => {
                let ms = 12.0 + random.normal().abs() * 2.0 + if random.unit() < 0.01 { 30.0 } else { 0.0 };
                self.value = (ms * 1000.0).round() / 1e6;
            }
            Shape::FullPrecision => self.value = 0.98 * self.value + 0.02 * random.unit(),
            Shape::SmallGauge => {
                if random.unit() < 0.24 {
                    self.value = (self.value + (random.normal() * 2.0).round()).max(0.0);
                }
            }
            Shape::Percent => {
                self.value = ((self.value + random.normal() * 0.5).clamp(0.0, 100.0) * 100.0).round() / 100.0;
            }
        }
        self.value
    }
}
