//! The trials of one or several searches as plots.

use crate::capacity::{Capacity, Trial, Verdict, text};
use crate::escaped::cut;
use crate::page::number;
use crate::page::plot::{Axis, Plot, legend};
use crate::run::threshold::{Threshold, Unit};

/// As many searches have a colour of their own.
const COLOURS: [&str; 4] = ["run-1", "run-2", "run-3", "run-4"];

/// How finely a law is drawn.
const POINTS: u32 = 120;

/// The judged latency against the rate, with the line that it must not reach.
pub fn latency(searches: &[Capacity]) -> String {
    let all = searches.iter().flat_map(|it| &it.trials);
    let latencies = all.clone().filter_map(Trial::judged_us);
    let bound = searches.iter().find_map(demand);
    let (Some(min), Some(max)) = (latencies.clone().min(), latencies.max()) else {
        return String::new();
    };
    let bound_us = bound.map_or(max, |it| it.bound);
    let y = Axis::latencies(min.min(bound_us), max.max(bound_us));
    let mut plot = Plot::new(rates(searches), y);
    let with = |_: &Capacity, trial: &Trial| Some((trial.rate_per_s, trial.judged_us()? as f64));
    draw(&mut plot, searches, with);
    if let Some(bound) = bound {
        let name = format!(
            "{} {} {}",
            bound.metric,
            bound.comparison,
            number::time(bound.bound)
        );
        plot.level("bound", bound_us as f64, &name);
    }
    let metric = bound.map_or("latency", |it| it.metric.as_str());
    let label = format!("{metric} against the rate of sends, each trial a dot");
    plot.figure(
        "tall",
        "Judged latency against sends per second",
        &keys(searches),
        &label,
    )
}

/// Answers against sends: what is offered is carried as long as the dots are on the line.
pub fn throughput(searches: &[Capacity]) -> String {
    let all = searches.iter().flat_map(|it| &it.trials);
    let most = all
        .map(|it| it.rate_per_s.max(it.figures.accepted_per_s))
        .fold(1.0, f64::max);
    let mut plot = Plot::new(Axis::counts(most), Axis::counts(most));
    plot.line("raw", [Some((0.0, 0.0)), Some((most, most))]);
    draw(&mut plot, searches, |_, trial| {
        Some((trial.rate_per_s, trial.figures.accepted_per_s))
    });
    for search in searches.iter().filter(|it| it.curve.meaningless.is_none()) {
        let peak = search.curve.fit.as_ref().and_then(|fit| fit.peak);
        if let Some(peak) = peak.filter(|peak| peak.per_s <= most) {
            let name = format!(
                "at most {} by the scalability law",
                number::rate(peak.per_s)
            );
            plot.level("peak", peak.per_s, &name);
        }
    }
    let label = "answers per second against planned sends per second";
    plot.figure(
        "tall",
        "Answered per second against sends per second",
        &keys(searches),
        label,
    )
}

/// Answers against what was under way, with the Universal Scalability Law.
pub fn law(searches: &[Capacity]) -> String {
    let points = searches.iter().flat_map(|it| &it.trials).filter_map(point);
    let points: Vec<(f64, f64)> = points.collect();
    let min = points.iter().map(|it| it.0).fold(f64::INFINITY, f64::min);
    let (most, top) = points.iter().fold((0.0_f64, 1.0_f64), |most, it| {
        (most.0.max(it.0), most.1.max(it.1))
    });
    if points.is_empty() || most <= 0.0 {
        return String::new();
    }
    let mut plot = Plot::new(Axis::logarithmic(min, most), Axis::counts(top * 1.05));
    for (search, colour) in searches.iter().zip(COLOURS.iter().cycle()) {
        if let Some(law) = search.curve.law {
            let curve = (0..=POINTS).map(|step| {
                let n = min * (most / min).powf(f64::from(step) / f64::from(POINTS));
                let per_s = law.throughput(n);
                (per_s.is_finite() && per_s >= 0.0).then_some((n, per_s))
            });
            let doubt = if search.curve.meaningless.is_some() {
                " doubtful"
            } else {
                ""
            };
            plot.line(&format!("law {colour}{doubt}"), curve);
        }
    }
    dots(&mut plot, searches, |_, trial| point(trial));
    let label = "answers per second against requests under way, with the Universal Scalability Law";
    plot.figure(
        "tall",
        "Answered per second against requests under way",
        &keys(searches),
        label,
    )
}

/// What was under way, and answers per second.
fn point(trial: &Trial) -> Option<(f64, f64)> {
    let little = trial.figures.little?;
    (little.in_flight > 0.0).then_some((little.in_flight, little.per_s))
}

/// The demand on a latency that trials were judged by first.
fn demand(search: &Capacity) -> Option<&Threshold> {
    let thresholds = search.trials.iter().flat_map(|it| &it.figures.thresholds);
    thresholds.into_iter().find(|it| it.unit == Unit::Us)
}

fn rates(searches: &[Capacity]) -> Axis {
    let rates = searches
        .iter()
        .flat_map(|it| &it.trials)
        .map(|it| it.rate_per_s);
    let (min, max) = (
        rates.clone().fold(f64::INFINITY, f64::min),
        rates.fold(0.0, f64::max),
    );
    Axis::logarithmic(min, max)
}

/// Draws the median of each rate as a line, and each trial as a dot.
fn draw(
    plot: &mut Plot,
    searches: &[Capacity],
    point: impl Fn(&Capacity, &Trial) -> Option<(f64, f64)>,
) {
    for (search, colour) in searches.iter().zip(COLOURS.iter().cycle()) {
        let points = search
            .trials
            .iter()
            .filter_map(|trial| point(search, trial));
        let mut points: Vec<(f64, f64)> = points.collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
        let medians = points.chunk_by(|one, other| one.0 == other.0);
        let medians = medians.map(|same| Some(same[(same.len() - 1) / 2]));
        plot.line(colour, medians);
    }
    dots(plot, searches, point);
}

fn dots(
    plot: &mut Plot,
    searches: &[Capacity],
    point: impl Fn(&Capacity, &Trial) -> Option<(f64, f64)>,
) {
    for (search, colour) in searches.iter().zip(COLOURS.iter().cycle()) {
        for (trial, number) in search.trials.iter().zip(1..) {
            let Some(at) = point(search, trial) else {
                continue;
            };
            let verdict = text::verdict(trial.verdict);
            let judged = trial
                .judged_us()
                .map_or_else(String::new, |us| format!(", {}", number::time(us)));
            let title = format!(
                "{}, trial {number}: {verdict} at {} sends per second{judged}",
                cut(&search.name, 40),
                text::rate(trial.rate_per_s)
            );
            let class = match searches {
                [_] => verdict.to_owned(),
                _ => format!("{verdict} {colour}"),
            };
            plot.dot(&format!("trial {class}"), at, &title);
        }
    }
}

/// What the dots are.
fn keys(searches: &[Capacity]) -> String {
    if searches.len() == 1 {
        let all = [
            (Verdict::Held, "held"),
            (Verdict::Broke, "broke"),
            (Verdict::Unknown, "unknown"),
        ];
        let is_there = |verdict: Verdict| {
            let mut trials = searches.iter().flat_map(|it| &it.trials);
            trials.any(|trial| trial.verdict == verdict)
        };
        let all = all.into_iter().filter(|(verdict, _)| is_there(*verdict));
        let all: Vec<_> = all.map(|(_, name)| (name, name)).collect();
        return legend(&all);
    }
    let names: Vec<String> = searches.iter().map(|it| cut(&it.name, 30)).collect();
    let entries = COLOURS.iter().cycle().zip(&names);
    let mut entries: Vec<(&str, &str)> = entries
        .map(|(colour, name)| (*colour, name.as_str()))
        .collect();
    entries.push(("hollow", "broke"));
    legend(&entries)
}
