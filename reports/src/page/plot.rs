//! Plots as static SVG. A plot is as wide as its place: what stands at shares of its width and height
//! is placed in percent, so that text is never stretched, and curves are in a drawing of their own
//! that is.

use std::fmt::Write;

use super::number;
use crate::escaped::Escaped;

/// The size of the drawing that is stretched: whole numbers are fine enough and short.
const WIDTH: f64 = 4000.0;
const HEIGHT: f64 = 1000.0;

/// One axis: what it goes from and to, and what is marked on it.
#[derive(Clone, Debug)]
pub struct Axis {
    from: f64,
    to: f64,
    is_log: bool,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// How many, from 0 to at least `max`.
    pub fn counts(max: f64) -> Self {
        let max = max.max(1.0);
        let step = round_step(max / 3.0).max(1.0);
        let steps = (max / step).ceil();
        let ticks = (0..=steps as u64).map(|tick| {
            let value = tick as f64 * step;
            (value, number::count(value as u64))
        });
        Self {
            from: 0.0,
            to: steps * step,
            is_log: false,
            ticks: ticks.collect(),
        }
    }

    /// The time of a run, from its start.
    pub fn run(elapsed_us: u64) -> Self {
        const STEPS_S: [u64; 15] = [
            1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 21_600,
        ];
        let wanted_us = elapsed_us / 6;
        let step = STEPS_S.into_iter().map(|step| step * 1_000_000);
        let step = step
            .clone()
            .find(|step| *step >= wanted_us)
            .unwrap_or(86_400_000_000);
        let ticks = (0..=elapsed_us / step).map(|tick| (tick * step) as f64);
        Self {
            from: 0.0,
            to: elapsed_us.max(1) as f64,
            is_log: false,
            ticks: ticks.map(|at| (at, number::moment(at as u64))).collect(),
        }
    }

    /// Latencies in microseconds, by their logarithms.
    pub fn latencies(min_us: u64, max_us: u64) -> Self {
        let (min_us, max_us) = (min_us.max(1), max_us.max(2));
        let decades = (0..11).map(|power| 10_u64.pow(power));
        let ticks: Vec<_> = decades
            .flat_map(|decade| [1, 2, 5].map(|it| it * decade))
            .collect();
        let from = ticks.iter().rev().find(|tick| **tick <= min_us);
        let from = from.copied().unwrap_or(1);
        let to = ticks.iter().find(|tick| **tick >= max_us);
        let to = to.copied().unwrap_or(max_us);
        // Over more than two decades there is no room for all.
        let is_shown = |us: u64| to / from <= 200 || us == 10_u64.pow(us.ilog10());
        let ticks = ticks
            .into_iter()
            .filter(|us| (from..=to).contains(us) && is_shown(*us));
        Self {
            from: from as f64,
            to: to as f64,
            is_log: true,
            ticks: ticks
                .map(|us| (us as f64, number::round_time(us as f64)))
                .collect(),
        }
    }

    /// Anything that is more than nothing, by its logarithm.
    pub fn logarithmic(min: f64, max: f64) -> Self {
        let (min, max) = (min.max(1e-6), max.max(min.max(1e-6) * 1.01));
        let first = min.log10().floor() as i32;
        let last = max.log10().ceil() as i32;
        let ticks =
            (first..=last).flat_map(|power| [1.0, 2.0, 5.0].map(|it| it * 10_f64.powi(power)));
        let ticks: Vec<f64> = ticks.collect();
        let from = ticks.iter().rev().find(|tick| **tick <= min * 1.000_001);
        let to = ticks.iter().find(|tick| **tick >= max * 0.999_999);
        let (from, to) = (from.copied().unwrap_or(min), to.copied().unwrap_or(max));
        let is_decade = |tick: f64| (tick.log10() - tick.log10().round()).abs() < 1e-6;
        // Over more than two decades there is no room for all.
        let is_shown = |tick: f64| to / from <= 201.0 || is_decade(tick);
        let ticks = ticks
            .iter()
            .filter(|tick| (from..=to).contains(*tick) && is_shown(**tick));
        Self {
            from,
            to,
            is_log: true,
            ticks: ticks.map(|tick| (*tick, short_number(*tick))).collect(),
        }
    }

    /// Anything, with what is marked.
    pub fn new(from: f64, to: f64, is_log: bool, ticks: Vec<(f64, String)>) -> Self {
        Self {
            from,
            to,
            is_log,
            ticks,
        }
    }

    /// What is marked: how far along the axis, and its name.
    pub fn marks(&self) -> impl Iterator<Item = (f64, &str)> {
        let marks = self.ticks.iter();
        marks.map(|(value, name)| (self.share(*value), name.as_str()))
    }

    /// How far along the axis `value` is, 0 to 1.
    pub fn share(&self, value: f64) -> f64 {
        let place = |value: f64| {
            if self.is_log {
                value.max(1e-6).ln()
            } else {
                value
            }
        };
        let (from, to) = (place(self.from), place(self.to));
        ((place(value) - from) / (to - from)).clamp(0.0, 1.0)
    }
}

/// A plot that is being drawn.
#[derive(Clone, Debug)]
pub struct Plot {
    x: Axis,
    y: Axis,
    /// Behind the curves, in percent.
    behind: String,
    /// The curves.
    curves: String,
    /// What shaded times are called, over the curves.
    names: String,
    /// Before them, in percent.
    before: String,
}

impl Plot {
    /// Starts an empty one.
    pub fn new(x: Axis, y: Axis) -> Self {
        Self {
            x,
            y,
            behind: String::new(),
            curves: String::new(),
            names: String::new(),
            before: String::new(),
        }
    }

    /// Draws a line through `points`, broken where there is none.
    pub fn line(&mut self, class: &str, points: impl IntoIterator<Item = Option<(f64, f64)>>) {
        let mut path = String::new();
        let mut is_drawing = false;
        for point in points {
            if let Some(point) = point {
                let (x, y) = self.stretched(point);
                let _ = write!(path, "{}{x} {y}", if is_drawing { 'L' } else { 'M' });
                if !is_drawing {
                    // A point alone is seen as one.
                    path.push_str("h0");
                }
            }
            is_drawing = point.is_some();
        }
        let _ = write!(self.curves, "<path class=\"line {class}\" d=\"{path}\"/>");
    }

    /// Fills what is between two values over time, column by column: `(from, to, low, high)`.
    pub fn fill(&mut self, class: &str, columns: impl IntoIterator<Item = (f64, f64, f64, f64)>) {
        let mut path = String::new();
        for (from, to, low, high) in columns {
            let (left, bottom) = self.stretched((from, low));
            let (right, top) = self.stretched((to, high));
            if top < bottom && left < right {
                let _ = write!(path, "M{left} {bottom}V{top}H{right}V{bottom}z");
            }
        }
        if !path.is_empty() {
            let _ = write!(self.curves, "<path class=\"fill {class}\" d=\"{path}\"/>");
        }
    }

    /// Shades a time, with its name at line `line` if that is to be written.
    pub fn shade(&mut self, class: &str, from: f64, to: f64, name: &str, line: Option<u32>) {
        let (from, to) = (percent(self.x.share(from)), percent(self.x.share(to)));
        let _ = write!(
            self.behind,
            "<g class=\"{class}\"><title>{}</title><rect x=\"{from}%\" y=\"0\" width=\"{:.2}%\" height=\"100%\"/>",
            Escaped(name),
            to - from,
        );
        if let Some(line) = line {
            let y = 14 + 15 * line;
            // A name may be longer than its time.
            let _ = write!(
                self.names,
                "<svg x=\"{from}%\" y=\"0\" width=\"{:.2}%\" height=\"100%\" class=\"name {class}\"><text x=\"5\" y=\"{y}\">{}</text></svg>",
                to - from,
                Escaped(name)
            );
        }
        self.behind.push_str("</g>");
    }

    /// Draws a level over the whole width, with what it is.
    pub fn level(&mut self, class: &str, y: f64, name: &str) {
        let y = percent(1.0 - self.y.share(y));
        let _ = write!(
            self.before,
            "<g class=\"level {class}\"><line x1=\"0\" x2=\"100%\" y1=\"{y}%\" y2=\"{y}%\"/>\
             <svg y=\"{y}%\" overflow=\"visible\"><text x=\"100%\" dx=\"-6\" y=\"-5\">{}</text></svg></g>",
            Escaped(name)
        );
    }

    /// Draws a dot.
    pub fn dot(&mut self, class: &str, point: (f64, f64), title: &str) {
        let (x, y) = (
            percent(self.x.share(point.0)),
            percent(1.0 - self.y.share(point.1)),
        );
        let _ = write!(
            self.before,
            "<circle class=\"{class}\" cx=\"{x}%\" cy=\"{y}%\" r=\"4\"><title>{}</title></circle>",
            Escaped(title)
        );
    }

    /// The figure: `label` says what it shows to those who can't see it, `legend` is markup. What can be
    /// zoomed says so by `class`.
    pub fn figure(&self, class: &str, title: &str, legend: &str, label: &str) -> String {
        let mut rows = String::new();
        for (value, name) in &self.y.ticks {
            let y = percent(1.0 - self.y.share(*value));
            let _ = write!(
                rows,
                "<line x1=\"0\" x2=\"100%\" y1=\"{y}%\" y2=\"{y}%\"/><text x=\"-8\" y=\"{y}%\" dy=\"4\">{}</text>",
                Escaped(name)
            );
        }
        let (mut columns, mut names) = (String::new(), String::new());
        for (value, name) in &self.x.ticks {
            let x = percent(self.x.share(*value));
            let _ = write!(
                columns,
                "<line x1=\"{x}%\" x2=\"{x}%\" y1=\"0\" y2=\"100%\"/>"
            );
            let anchor = match x {
                ..2.0 => "start",
                98.0.. => "end",
                _ => "middle",
            };
            let _ = write!(
                names,
                "<text x=\"{x}%\" y=\"15\" text-anchor=\"{anchor}\">{}</text>",
                Escaped(name)
            );
        }
        let Self {
            behind,
            curves,
            names: spans,
            before,
            ..
        } = self;
        format!(
            "<figure class=\"plot {class}\"><figcaption><b>{title}</b>{legend}</figcaption>\
             <svg class=\"frame\" role=\"img\" aria-label=\"{}\">\
             <g class=\"rows\">{rows}</g>\
             <svg class=\"window\" width=\"100%\" height=\"100%\"><svg class=\"canvas\" width=\"100%\" height=\"100%\">\
             {behind}<g class=\"columns\">{columns}</g>\
             <svg class=\"curves\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" width=\"100%\" height=\"100%\">{curves}</svg>{spans}\
             </svg></svg>{before}\
             <svg class=\"window\" y=\"100%\" width=\"100%\" height=\"20\"><svg class=\"canvas names\" width=\"100%\">{names}</svg></svg>\
             </svg></figure>\n",
            Escaped(label)
        )
    }

    fn stretched(&self, (x, y): (f64, f64)) -> (i64, i64) {
        let x = self.x.share(x) * WIDTH;
        let y = (1.0 - self.y.share(y)) * HEIGHT;
        (x.round() as i64, y.round() as i64)
    }
}

/// A legend: classes and their names.
pub fn legend(entries: &[(&str, &str)]) -> String {
    let entries = entries
        .iter()
        .map(|(class, name)| format!("<span class=\"key {class}\">{}</span>", Escaped(name)));
    format!(
        "<span class=\"legend\">{}</span>",
        entries.collect::<String>()
    )
}

/// A share in percent with two digits.
pub fn percent(share: f64) -> f64 {
    (share * 10_000.0).round() / 100.0
}

/// A power of ten, twice or five times it, that is at least `least`.
pub fn round_step(least: f64) -> f64 {
    let decade = 10_f64.powf(least.max(1e-9).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * decade);
    steps
        .into_iter()
        .find(|step| *step >= least)
        .unwrap_or(10.0 * decade)
}

/// A round number.
fn short_number(value: f64) -> String {
    match value {
        1.0.. => number::count(value.round() as u64),
        _ => format!("{:.*}", (-value.log10()).ceil() as usize, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_round_ticks_and_room_for_all() {
        let names =
            |axis: Axis| -> Vec<String> { axis.ticks.into_iter().map(|(_, it)| it).collect() };
        assert_eq!(names(Axis::counts(47.0)), ["0", "20", "40", "60"]);
        assert_eq!(names(Axis::counts(0.0)), ["0", "1"]);
        assert_eq!(
            names(Axis::latencies(700, 56_000)),
            [
                "500 µs", "1 ms", "2 ms", "5 ms", "10 ms", "20 ms", "50 ms", "100 ms"
            ]
        );
        assert_eq!(
            names(Axis::latencies(90, 20_000)),
            ["100 µs", "1 ms", "10 ms"]
        );
        assert_eq!(
            names(Axis::run(65_000_000)),
            ["0:00", "0:15", "0:30", "0:45", "1:00"]
        );
    }

    #[test]
    fn a_line_is_broken_where_there_is_no_point() {
        let mut plot = Plot::new(Axis::run(4_000_000), Axis::counts(10.0));
        let second = |s: f64, y: f64| Some((s * 1e6, y));
        plot.line(
            "a",
            [second(0.0, 0.0), second(1.0, 6.0), None, second(3.0, 12.0)],
        );
        let expected = "<path class=\"line a\" d=\"M0 1000h0L1000 400M3000 0h0\"/>";
        assert_eq!(plot.curves, expected);
    }
}
