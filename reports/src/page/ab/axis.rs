//! What the charts of a comparison are measured by.

use crate::ab::Unit;
use crate::page::number;
use crate::page::plot::{Axis, round_step};

/// So many steps there are at least, if they come out even.
const STEPS: f64 = 5.0;
/// A name needs so much of an axis that is narrow.
const ROOM: f64 = 0.13;
/// From here on latencies are marked by decades.
const WIDE: f64 = 5.0;

/// Latencies in microseconds: equal shares are equally long if `unit` is a share, else equal times.
pub fn latencies(min_us: u64, max_us: u64, unit: Unit) -> Axis {
    let is_log = unit == Unit::Percent;
    if is_log && max_us as f64 > min_us.max(1) as f64 * WIDE {
        return Axis::latencies(min_us, max_us);
    }
    let (first, last, marks) = even(min_us as f64, max_us as f64);
    let (from, to) = match is_log {
        // A logarithm has no nought, and what is below the least takes much room.
        true => (min_us.max(1) as f64 * 0.97, max_us.max(2) as f64 * 1.03),
        false => (first, last),
    };
    let bare = Axis::new(from, to, is_log, Vec::new());
    let mut named: Vec<(f64, String)> = Vec::new();
    for us in marks.into_iter().filter(|us| (from..=to).contains(us)) {
        // Marks on a logarithmic axis are ever closer.
        let before = named.last().map(|(before, _)| bare.share(*before));
        if before.is_none_or(|before| bare.share(us) - before > ROOM) {
            named.push((us, number::round_time(us)));
        }
    }
    Axis::new(from, to, is_log, named)
}

/// Differences between `min` and `max`, which may be negative.
pub fn differences(min: f64, max: f64, unit: Unit) -> Axis {
    let (from, to, marks) = even(min, max);
    let marks = marks
        .into_iter()
        .map(|value| (value, number::round_difference(unit, value)));
    Axis::new(from, to, false, marks.collect())
}

/// From where to where an axis goes so that `min` and `max` are on it, and round numbers between.
fn even(min: f64, max: f64) -> (f64, f64, Vec<f64>) {
    let step = round_step((max - min) / STEPS).max(1.0);
    let (first, last) = ((min / step).floor(), (max / step).ceil());
    let count = (last - first).max(1.0);
    let marks = (0..=count as u32).map(|mark| (first + f64::from(mark)) * step);
    (first * step, (first + count) * step, marks.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(axis: &Axis) -> Vec<String> {
        axis.marks().map(|(_, name)| name.to_owned()).collect()
    }

    #[test]
    fn an_axis_of_differences_has_round_marks_on_both_sides_of_nought() {
        let axis = differences(-3.0, 93.4, Unit::Percent);
        assert_eq!(
            names(&axis),
            ["−20 %", "0 %", "+20 %", "+40 %", "+60 %", "+80 %", "+100 %"]
        );
        let axis = differences(-400.0, 1400.0, Unit::Us);
        assert_eq!(
            names(&axis),
            ["−500 µs", "0 µs", "+500 µs", "+1 ms", "+1.5 ms"]
        );
    }

    #[test]
    fn latencies_that_are_close_have_the_axis_to_themselves() {
        let axis = latencies(19_263, 27_615, Unit::Percent);
        assert_eq!(names(&axis), ["20 ms", "22 ms", "24 ms", "26 ms", "28 ms"]);
        // Halves and doubles are equally far from a value.
        let (half, one, twice) = (axis.share(19e3), axis.share(20e3), axis.share(400e3 / 19.0));
        assert!(((one - half) - (twice - one)).abs() < 1e-9);
        let axis = latencies(7, 7, Unit::Us);
        assert_eq!(names(&axis), ["7 µs", "8 µs"]);
    }
}
