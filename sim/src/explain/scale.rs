//! Where a time is drawn. Time runs down, and not evenly: each moment that matters has its row, and
//! the longer it takes to the next, the less is each millisecond of it.

use std::collections::BTreeSet;
use std::time::Duration;

/// Above the first moment and below the last.
const MARGIN: f64 = 24.0;
/// The least distance of two moments: a line of text.
const ROW: f64 = 17.0;
/// What is added each time that the distance doubles.
const DOUBLING: f64 = 5.0;
/// Longer times without anything that matters are marked.
const IDLE: Duration = Duration::from_millis(400);

/// The moments of a diagram, and how far down each is.
pub struct Scale {
    points: Vec<(Duration, f64)>,
}

impl Scale {
    /// Makes room for `moments`; there is at least one.
    pub fn new(moments: &BTreeSet<Duration>) -> Self {
        let mut points: Vec<(Duration, f64)> = Vec::new();
        for at in moments {
            let y = points.last().map_or(MARGIN, |(before, y)| {
                let passed_ms = (*at - *before).as_secs_f64() * 1000.0;
                y + ROW + DOUBLING * passed_ms.max(1.0).log2()
            });
            points.push((*at, y));
        }
        Self { points }
    }

    /// How far down `at` is.
    pub fn y(&self, at: Duration) -> f64 {
        let next = self.points.partition_point(|(point, _)| *point < at);
        let Some((until, below)) = self.points.get(next) else {
            return self.height() - MARGIN / 2.0;
        };
        let Some((from, above)) = next.checked_sub(1).map(|index| self.points[index]) else {
            return if at == *until { *below } else { MARGIN / 2.0 };
        };
        let share = (at - from).as_secs_f64() / (*until - from).as_secs_f64();
        above + share * (below - above)
    }

    /// How high the diagram is.
    pub fn height(&self) -> f64 {
        self.points.last().map_or(0.0, |(_, y)| *y) + MARGIN
    }

    /// The moments, each with how far down it is.
    pub fn moments(&self) -> &[(Duration, f64)] {
        &self.points
    }

    /// Whether `at` is a moment.
    pub fn has(&self, at: Duration) -> bool {
        self.points.binary_search_by_key(&at, |(at, _)| *at).is_ok()
    }

    /// How far `at` is from the nearest moment.
    pub fn distance(&self, at: Duration) -> Duration {
        let next = self.points.partition_point(|(point, _)| *point < at);
        let around = next.saturating_sub(1)..(next + 1).min(self.points.len());
        let distances = self.points[around].iter().map(|(it, _)| it.abs_diff(at));
        distances.min().unwrap_or(Duration::MAX)
    }

    /// The times in which nothing happens that matters: how long each is, and how far down its middle.
    pub fn idle(&self) -> impl Iterator<Item = (Duration, f64)> {
        self.points.windows(2).filter_map(|pair| {
            let [(from, above), (until, below)] = *pair else {
                return None;
            };
            let time = until - from;
            (time >= IDLE).then_some((time, (above + below) / 2.0))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_their_rows_and_what_is_between_them_keeps_its_order() {
        let ms = Duration::from_millis;
        let scale = Scale::new(&BTreeSet::from([ms(100), ms(101), ms(5101)]));
        let [(_, first), (_, second), (_, third)] = scale.moments()[..] else {
            panic!("{:?}", scale.moments())
        };
        assert!(second - first >= ROW && third - second > second - first);
        assert!(
            third - second < 10.0 * (second - first),
            "time is compressed"
        );
        assert_eq!(scale.y(ms(2601)), (second + third) / 2.0);
        assert!(scale.y(ms(50)) < first && scale.y(ms(6000)) > third);
        assert!(scale.y(ms(6000)) < scale.height());
        assert_eq!(scale.distance(ms(103)), ms(2));
        let idle: Vec<_> = scale.idle().map(|(time, _)| time).collect();
        assert_eq!(idle, [ms(5000)]);
    }
}
