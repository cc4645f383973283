//! One metric of a comparison as a chart: a row for each pair, and below them what they come to.

use std::fmt::Write;

use super::{axis, word};
use crate::ab::{Ab, Build, Metric, Pair};
use crate::escaped::Escaped;
use crate::page::number;
use crate::page::plot::{Axis, legend, percent};

/// How high a row is, in pixels.
const ROW: usize = 24;
/// How high the interval's part is, in pixels.
const INTERVAL: usize = 66;

/// The chart of `metric`.
pub fn figure(ab: &Ab, metric: &Metric) -> String {
    let name = &metric.metric;
    let pairs = ab.pairs.iter().zip(1..);
    let pairs: Vec<Shown> = pairs
        .filter_map(|(pair, number)| Shown::of(pair, number, name))
        .collect();
    if pairs.is_empty() {
        return String::new();
    }
    let keys = legend(&[("base", "base"), ("new", "new"), ("ring", "ran first")]);
    let below = legend(&[
        ("interval", "interval"),
        ("estimate", "best guess"),
        ("rug", "each pair"),
    ]);
    format!(
        "<figure class=\"plot\"><figcaption><b>Each pair, in its order</b>{keys}</figcaption>{}\
         <figcaption><b>Difference, new − base</b>{below}</figcaption>{}</figure>\n",
        rows(name, &pairs, metric),
        interval(metric, &pairs, word(ab, metric)),
    )
}

/// A pair that has the metric.
struct Shown<'a> {
    pair: &'a Pair,
    number: usize,
    base_us: u64,
    new_us: u64,
}

impl<'a> Shown<'a> {
    fn of(pair: &'a Pair, number: usize, metric: &str) -> Option<Self> {
        let us = |build| pair.latency_us(build, metric);
        Some(Self {
            pair,
            number,
            base_us: us(Build::Base)?,
            new_us: us(Build::New)?,
        })
    }
}

fn rows(name: &str, pairs: &[Shown], metric: &Metric) -> String {
    let all = pairs.iter().flat_map(|it| [it.base_us, it.new_us]);
    let (min, max) = (all.clone().min(), all.max());
    let axis = axis::latencies(min.unwrap_or(0), max.unwrap_or(1), metric.unit);
    let height = pairs.len() * ROW;
    let mut marks = String::new();
    for (index, shown) in pairs.iter().enumerate() {
        let y = index * ROW + ROW / 2;
        let [base, new] = [shown.base_us, shown.new_us].map(|us| percent(axis.share(us as f64)));
        let Shown { pair, number, .. } = shown;
        let (first, class) = match pair.first {
            Build::Base => (base, "base"),
            Build::New => (new, "new"),
        };
        let _ = write!(
            marks,
            "<g class=\"row\"><title>{}</title><text x=\"-12\" y=\"{y}\" dy=\"4\">{number}</text>\
             <line x1=\"{base}%\" x2=\"{new}%\" y1=\"{y}\" y2=\"{y}\" class=\"{}\"/>\
             <circle class=\"base\" cx=\"{base}%\" cy=\"{y}\" r=\"5\"/><circle class=\"new\" cx=\"{new}%\" cy=\"{y}\" r=\"5\"/>\
             <circle class=\"ring {class}\" cx=\"{first}%\" cy=\"{y}\" r=\"8.5\"/></g>",
            Escaped(title(shown, metric)),
            if shown.new_us > shown.base_us {
                "slower"
            } else {
                "quicker"
            },
        );
    }
    let label = format!("{name} of base and new, a row for each pair");
    drawing(&axis, height, &marks, &label)
}

/// What is said of a pair where it is pointed at.
fn title(shown: &Shown, metric: &Metric) -> String {
    let Shown {
        pair,
        number,
        base_us,
        new_us,
    } = shown;
    format!(
        "pair {number}, {} first: base {}, new {}, {}",
        pair.first.name(),
        number::time(*base_us),
        number::time(*new_us),
        number::difference(metric.unit, metric.unit.between(*base_us, *new_us)),
    )
}

fn interval(metric: &Metric, pairs: &[Shown], word: &str) -> String {
    let interval = &metric.interval;
    let between = |it: &Shown| metric.unit.between(it.base_us, it.new_us);
    let ends = [0.0, interval.limit, interval.low, interval.high];
    let all = pairs.iter().map(between).chain(ends);
    let (min, max) = all.fold((0.0_f64, 0.0_f64), |(min, max), it| {
        (min.min(it), max.max(it))
    });
    let axis = axis::differences(min, max, metric.unit);
    let at = |value: f64| percent(axis.share(value));
    let (zero, limit) = (at(0.0), at(interval.limit));
    let (low, high) = (at(interval.low), at(interval.high));
    let shown = |value| number::difference(metric.unit, value);
    let mut marks = String::new();
    // Where there is room for it.
    let (anchor, dx) = if limit < 55.0 {
        ("start", 6)
    } else {
        ("end", -6)
    };
    let _ = write!(
        marks,
        "<line class=\"zero\" x1=\"{zero}%\" x2=\"{zero}%\" y1=\"0\" y2=\"{INTERVAL}\"/>\
         <g class=\"limit\"><line x1=\"{limit}%\" x2=\"{limit}%\" y1=\"0\" y2=\"{INTERVAL}\"/>\
         <text x=\"{limit}%\" dx=\"{dx}\" y=\"12\" text-anchor=\"{anchor}\">counts from {}</text></g>\
         <g class=\"interval {}\"><title>{word}: {}, from {} to {}</title>\
         <rect x=\"{low}%\" width=\"{:.2}%\" y=\"24\" height=\"16\" rx=\"3\"/>\
         <circle cx=\"{}%\" cy=\"32\" r=\"5\"/></g>",
        shown(interval.limit),
        word.to_lowercase(),
        shown(interval.estimate),
        shown(interval.low),
        shown(interval.high),
        (high - low).max(0.3),
        at(interval.estimate),
    );
    for pair in pairs {
        let x = at(between(pair));
        let _ = write!(
            marks,
            "<g class=\"rug\"><title>{}</title><line x1=\"{x}%\" x2=\"{x}%\" y1=\"48\" y2=\"60\"/></g>",
            Escaped(title(pair, metric))
        );
    }
    let label = format!(
        "{}: {} to {}, counts from {}: {word}",
        metric.metric,
        shown(interval.low),
        shown(interval.high),
        shown(interval.limit)
    );
    drawing(&axis, INTERVAL, &marks, &label)
}

/// A drawing as wide as its place and so many pixels high, with an axis below it.
fn drawing(axis: &Axis, height: usize, marks: &str, label: &str) -> String {
    let (mut columns, mut names) = (String::new(), String::new());
    for (share, name) in axis.marks() {
        let x = percent(share);
        let _ = write!(
            columns,
            "<line x1=\"{x}%\" x2=\"{x}%\" y1=\"0\" y2=\"{height}\"/>"
        );
        let y = height + 15;
        let _ = write!(
            names,
            "<text x=\"{x}%\" y=\"{y}\" text-anchor=\"middle\">{}</text>",
            Escaped(name)
        );
    }
    format!(
        "<svg class=\"rowed\" height=\"{height}\" role=\"img\" aria-label=\"{}\"><g class=\"columns\">{columns}</g>{marks}{names}</svg>",
        Escaped(label)
    )
}
