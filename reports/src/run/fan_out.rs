//! How broadcasts reached their recipients: by size of room, over all, and over time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::latency::Figures;
use crate::measured::Measured;
use crate::measured::broadcasts::Class;

/// The metrics whose whole distribution is told.
pub const METRICS_IN_WHOLE: [&str; 4] = [
    "broadcast.first",
    "broadcast.median",
    "broadcast.last",
    "broadcast.last.raw",
];

/// Of which shares of the values the spectrum tells the latency: ever nearer to all.
const SHARES: [f64; 16] = [
    0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99995,
    0.99999, 1.0,
];

/// As many columns a heat map has at most.
const COLUMNS_MAX: u32 = 120;

/// What a heat map shows the counts of.
const HEAT_METRIC: &str = "broadcast.last";

/// How broadcasts reached their recipients.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FanOut {
    /// By the size of the rooms, the smallest first.
    pub classes: Vec<ClassFigures>,
    /// What one more recipient costs; absent if all rooms were of one size.
    pub line: Option<LineFigures>,
    /// The distributions of [`METRICS_IN_WHOLE`]; one without a single value is absent.
    pub spectrum: BTreeMap<String, Vec<SpectrumPoint>>,
    /// When the last recipients heard the broadcasts, over time.
    pub heat: Heat,
}

/// The broadcasts to rooms of about one size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassFigures {
    /// The smallest size of room.
    pub members_min: u32,
    /// The largest.
    pub members_max: u32,
    /// How many broadcasts.
    pub broadcasts: u64,
    /// How many of them all had heard that had to.
    pub complete: u64,
    /// How many had to hear one, over all broadcasts.
    pub recipients_expected: u64,
    /// How many of these heard it.
    pub recipients_got: u64,
    /// Delays of the first recipients; absent, like the others, if nobody heard any.
    pub first: Option<Figures>,
    /// Delays of the median recipients.
    pub median: Option<Figures>,
    /// Delays of the recipients number 99 of 100.
    pub p99: Option<Figures>,
    /// Delays of the last recipients.
    pub last: Option<Figures>,
}

/// `last = a + b * n`: the delay of the last of n recipients, by least squares over all complete
/// broadcasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineFigures {
    /// How many broadcasts it is of.
    pub broadcasts: u64,
    /// What a broadcast costs at all, in microseconds.
    pub a_us: i64,
    /// What each recipient adds, in nanoseconds.
    pub b_ns: i64,
    /// How far off the line a broadcast is, in microseconds: the standard deviation from it.
    pub residual_us: u64,
    /// How much of the variance of the delays the line explains, of 1000.
    pub explained_permille: u16,
}

/// One point of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpectrumPoint {
    /// This share of the values, 0 to 1 ...
    pub share: f64,
    /// ... is at most so long.
    pub latency_us: u64,
}

/// How many values of which length, over time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heat {
    /// How long the time of a column is.
    pub interval_us: u64,
    /// The smallest latency of each line, ascending; each line ends where the next begins, the last at
    /// √2 times its start.
    pub latency_us_from: Vec<u64>,
    /// For each column of time the counts by line.
    pub columns: Vec<Vec<u64>>,
}

impl FanOut {
    pub(super) fn of(measured: &Measured) -> Self {
        let classes = measured.classes.iter();
        let spectrum = METRICS_IN_WHOLE
            .iter()
            .filter_map(|metric| Some((String::from(*metric), spectrum(measured, metric)?)));
        Self {
            classes: classes.map(|(size, class)| figures(*size, class)).collect(),
            line: line(measured),
            spectrum: spectrum.collect(),
            heat: Heat::of(measured),
        }
    }
}

fn figures(size: u32, class: &Class) -> ClassFigures {
    ClassFigures {
        members_min: size,
        members_max: size.saturating_mul(2).saturating_sub(1),
        broadcasts: class.broadcasts,
        complete: class.complete,
        recipients_expected: class.recipients_expected,
        recipients_got: class.recipients_got,
        first: class.first.figures(),
        median: class.median.figures(),
        p99: class.p99.figures(),
        last: class.last.figures(),
    }
}

fn line(measured: &Measured) -> Option<LineFigures> {
    let line = measured.fit.line()?;
    Some(LineFigures {
        broadcasts: measured.fit.count,
        a_us: line.a_us.round() as i64,
        b_ns: (line.b_us * 1000.0).round() as i64,
        residual_us: line.residual_us.round() as u64,
        explained_permille: (line.r_squared * 1000.0).round() as u16,
    })
}

fn spectrum(measured: &Measured, metric: &str) -> Option<Vec<SpectrumPoint>> {
    let latencies = measured.latencies(metric);
    // A share nearer to all than one value of all is the largest again.
    let finest = 1.0 - 1.0 / latencies.count() as f64;
    let shares = SHARES
        .into_iter()
        .filter(|share| *share <= finest || *share == 1.0);
    let points = shares.map(|share| SpectrumPoint {
        share,
        latency_us: latencies.quantile_us(share),
    });
    (!latencies.is_empty()).then(|| points.collect())
}

impl Heat {
    fn of(measured: &Measured) -> Self {
        let rows = measured.rows.iter().filter_map(|(number, row)| {
            let latencies = row.latencies.get(HEAT_METRIC)?;
            (!latencies.is_empty()).then_some((*number, latencies))
        });
        let rows: Vec<_> = rows.collect();
        let Some((last, _)) = measured.rows.last_key_value() else {
            return Self::default();
        };
        let lines = rows.iter().flat_map(|(_, latencies)| {
            let ends = [latencies.quantile_us(0.0), latencies.quantile_us(1.0)];
            ends.map(line_of)
        });
        let (Some(lowest), Some(highest)) = (lines.clone().min(), lines.max()) else {
            return Self::default();
        };
        let together = last / COLUMNS_MAX + 1;
        let height = (highest - lowest + 1) as usize;
        let mut columns = vec![vec![0; height]; (last / together + 1) as usize];
        for (number, latencies) in rows {
            let column = &mut columns[(number / together) as usize];
            for (us, count) in latencies.iter() {
                column[(line_of(us) - lowest) as usize] += count;
            }
        }
        Self {
            interval_us: measured.interval().as_micros() as u64 * u64::from(together),
            latency_us_from: (lowest..=highest).map(start_of).collect(),
            columns,
        }
    }
}

/// The line of a heat map that a latency is in: two for each doubling.
fn line_of(us: u64) -> u32 {
    let doublings = us.max(1).ilog2();
    let line = 2 * doublings;
    if us >= start_of(line + 1) {
        line + 1
    } else {
        line
    }
}

/// The smallest latency of a line.
fn start_of(line: u32) -> u64 {
    2_f64.powf(f64::from(line) / 2.0).ceil() as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_latency_is_in_the_line_that_starts_at_or_below_it() {
        for us in (1..5000).chain([1 << 20, (1 << 20) - 1, 3_600_809_983]) {
            let line = line_of(us);
            assert!(
                start_of(line) <= us && us < start_of(line + 2),
                "{us}: {line}"
            );
            // The lines of 1 and 2 microseconds have no number in their upper halves.
            assert!(
                us < start_of(line + 1) || start_of(line) == start_of(line + 1),
                "{us}"
            );
        }
        assert_eq!(line_of(0), 0);
    }

    #[test]
    fn the_heat_map_has_every_value_in_its_time_and_line() {
        let mut measured = Measured::new(Duration::from_secs(1));
        for (second, us) in [(0, 100), (0, 100), (1, 1000), (239, 64)] {
            let row = measured.row_at(Duration::from_secs(second));
            row.record(HEAT_METRIC, Duration::from_micros(us));
        }
        let heat = Heat::of(&measured);
        assert_eq!(heat.interval_us, 2_000_000);
        assert_eq!((heat.columns.len(), heat.latency_us_from[0]), (120, 64));
        let (first, last) = (&heat.columns[0], &heat.columns[119]);
        // 64, 91, 128, 182, 256, 363, 512, 725: in the second and the last.
        assert_eq!(heat.latency_us_from, [64, 91, 128, 182, 256, 363, 512, 725]);
        assert_eq!(first, &[0, 2, 0, 0, 0, 0, 0, 1]);
        assert_eq!(last, &[1, 0, 0, 0, 0, 0, 0, 0]);
        let counts = heat.columns.iter().flatten();
        assert_eq!(counts.sum::<u64>(), 4);
    }

    #[test]
    fn a_spectrum_goes_as_near_to_all_as_there_are_values() {
        let mut measured = Measured::new(Duration::from_secs(1));
        for us in 1..=100 {
            let row = measured.row_at(Duration::ZERO);
            row.record(HEAT_METRIC, Duration::from_micros(us));
        }
        let points = spectrum(&measured, HEAT_METRIC).expect("there are values");
        let [.., before, last] = &points[..] else {
            panic!("{points:?}");
        };
        assert_eq!((before.share, before.latency_us), (0.99, 99));
        assert_eq!((last.share, last.latency_us), (1.0, 100));
        assert_eq!(spectrum(&measured, "login"), None);
    }
}
