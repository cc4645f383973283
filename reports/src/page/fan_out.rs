//! How broadcasts reached their recipients: the whole distribution, over time, and by size of room.

use std::fmt::Write;

use super::number::{self, Place};
use super::plot::{Axis, Plot, legend};
use crate::latency::Figures;
use crate::run::fan_out::{ClassFigures, FanOut, Heat, LineFigures, METRICS_IN_WHOLE};
use crate::run::load::Load;

/// How dark the fields of the heat map get.
const SHADES: usize = 8;

pub fn plots(load: &Load) -> String {
    let fan_out = &load.fan_out;
    if fan_out.classes.is_empty() {
        return String::new();
    }
    let line = fan_out.line.as_ref().map_or_else(String::new, cost);
    format!(
        "{line}<div class=\"pair\">{}{}</div>{}{}",
        sizes(fan_out),
        spectrum(fan_out),
        heat(&fan_out.heat),
        classes(&fan_out.classes)
    )
}

/// What the fit says, as a sentence.
fn cost(line: &LineFigures) -> String {
    let place = Place::of("load").at("fan_out").at("line");
    let signed = |name: &str, us| {
        place
            .at(name)
            .number(i128::from(us), number::signed_time(us))
    };
    let b = place.at("b_ns");
    let b = b.number(
        i128::from(line.b_ns),
        format!("{:.2} µs", line.b_ns as f64 / 1000.0),
    );
    let explained = place.at("explained_permille");
    let percent = format!("{:.1} %", f64::from(line.explained_permille) / 10.0);
    let explained = explained.number(i128::from(line.explained_permille), percent);
    format!(
        "<p class=\"lead\">A broadcast costs {} and {b} more for each recipient. This line explains {explained} of \
         the variance of {} complete broadcasts, which are {} off it (one standard deviation).{}</p>",
        signed("a_us", line.a_us),
        place.count("broadcasts", line.broadcasts),
        place.time("residual_us", line.residual_us),
        match line.explained_permille {
            ..500 => " Something else than the size of the room weighs more.",
            _ => "",
        },
    )
}

/// The last recipient against the size of the room.
fn sizes(fan_out: &FanOut) -> String {
    let heard = fan_out
        .classes
        .iter()
        .filter_map(|class| Some((class, class.last.as_ref()?)));
    let heard: Vec<(&ClassFigures, &Figures)> = heard.collect();
    let min = heard.iter().map(|(_, last)| last.latency_us_min).min();
    let max = heard.iter().map(|(_, last)| last.latency_us_max).max();
    let (Some(min), Some(max), Some((largest, _))) = (min, max, heard.last()) else {
        return String::new();
    };
    let end = f64::from(largest.members_max) + 1.0;
    let step = if end > 64.0 { 2 } else { 1 };
    let ticks = (0..=32).step_by(step).map(|power| 1_u64 << power);
    let ticks = ticks.take_while(|size| *size as f64 <= end);
    let ticks = ticks.map(|size| (size as f64, number::count(size)));
    let x = Axis::new(1.0, end, true, ticks.collect());
    let mut plot = Plot::new(x, Axis::latencies(min, max));
    let bars = |part: fn(&Figures) -> (u64, u64), inset: f64| {
        heard.iter().map(move |(class, last)| {
            let (low, high) = part(last);
            let (from, to) = (
                f64::from(class.members_min),
                f64::from(class.members_max) + 1.0,
            );
            let ratio = (to / from).powf(inset);
            (from * ratio, to / ratio, low as f64, high as f64)
        })
    };
    plot.fill(
        "to-max",
        bars(|it| (it.latency_us_min, it.latency_us_max), 0.36),
    );
    plot.fill(
        "to-p90",
        bars(|it| (it.latency_us_p50, it.latency_us_p99), 0.22),
    );
    if let Some(line) = &fan_out.line {
        let steps = (0..=60).map(|step| end.powf(f64::from(step) / 60.0));
        let fitted = steps.map(|n| {
            let us = line.a_us as f64 + line.b_ns as f64 / 1000.0 * n;
            (us >= 1.0).then_some((n, us))
        });
        plot.line("fit", fitted);
    }
    for (class, last) in &heard {
        let middle = (f64::from(class.members_min) * (f64::from(class.members_max) + 1.0)).sqrt();
        let title = format!(
            "{}: median {}",
            members(class),
            number::time(last.latency_us_p50)
        );
        plot.dot("p50", (middle, last.latency_us_p50 as f64), &title);
    }
    let legend = legend(&[
        ("p50", "median"),
        ("to-p90", "to p99"),
        ("to-max", "all"),
        ("fit", "fit"),
    ]);
    plot.figure(
        "tall",
        "Last recipient by members of the room",
        &legend,
        "delay of the last recipient against the size of the room, with the fitted line",
    )
}

/// The distributions, ever nearer to all.
fn spectrum(fan_out: &FanOut) -> String {
    let points = fan_out.spectrum.values().flatten();
    let min = points.clone().map(|point| point.latency_us).min();
    let max = points.clone().map(|point| point.latency_us).max();
    let finest = points
        .filter(|point| point.share < 1.0)
        .map(|point| point.share)
        .fold(0.5, f64::max);
    let (Some(min), Some(max)) = (min, max) else {
        return String::new();
    };
    // Half a decade beyond the last share that is not all.
    let nines = |share: f64| -(1.0 - share).log10();
    let end = nines(finest) + 0.5;
    let ticks = [
        (0.0, "0"),
        (0.5, "50"),
        (0.9, "90"),
        (0.99, "99"),
        (0.999, "99.9"),
        (0.9999, "99.99"),
        (0.99999, "99.999"),
    ];
    let ticks = ticks.into_iter().filter(|(share, _)| *share <= finest);
    let mut ticks: Vec<_> = ticks
        .map(|(share, name)| (nines(share), name.to_owned()))
        .collect();
    ticks.push((end, String::from("all")));
    let mut plot = Plot::new(Axis::new(0.0, end, false, ticks), Axis::latencies(min, max));
    let mut entries = Vec::new();
    for metric in METRICS_IN_WHOLE {
        if let Some(points) = fan_out.spectrum.get(metric) {
            let (class, name) = match metric {
                "broadcast.first" => ("first", "first"),
                "broadcast.median" => ("median", "median"),
                "broadcast.last.raw" => ("raw", "last, from the actual send"),
                _ => ("last", "last"),
            };
            let at = |share: f64| if share < 1.0 { nines(share) } else { end };
            plot.line(
                class,
                points
                    .iter()
                    .map(|point| Some((at(point.share), point.latency_us as f64))),
            );
            entries.push((class, name));
        }
    }
    plot.figure(
        "tall",
        "Share of the broadcasts by recipient",
        &legend(&entries),
        "percentile spectrum of the first, median and last recipients' delays",
    )
}

/// When how many last recipients heard, over time.
fn heat(heat: &Heat) -> String {
    let (Some(lowest), Some(highest)) = (heat.latency_us_from.first(), heat.latency_us_from.last())
    else {
        return String::new();
    };
    let most = heat.columns.iter().flatten().copied().max().unwrap_or(1) as f64;
    let elapsed_us = heat.interval_us * heat.columns.len() as u64;
    let top = (*highest as f64 * std::f64::consts::SQRT_2).ceil() as u64;
    let y = Axis::latencies(*lowest, top);
    let mut plot = Plot::new(Axis::run(elapsed_us), y);
    for shade in 0..SHADES {
        let fields = heat
            .columns
            .iter()
            .enumerate()
            .flat_map(|(column, counts)| {
                let from = column as u64 * heat.interval_us;
                counts.iter().enumerate().filter_map(move |(line, count)| {
                    // As the eye does, by the logarithm: few are seen beside many.
                    let depth = (*count as f64 + 1.0).ln() / (most + 1.0).ln();
                    let is_so_dark =
                        *count > 0 && (depth * (SHADES as f64 - 0.01)) as usize == shade;
                    let low = heat.latency_us_from[line] as f64;
                    let high = heat
                        .latency_us_from
                        .get(line + 1)
                        .map_or(top as f64, |it| *it as f64);
                    let to = from + heat.interval_us;
                    is_so_dark.then_some((from as f64, to as f64, low, high))
                })
            });
        plot.fill(&format!("heat shade-{shade}"), fields);
    }
    plot.figure(
        "tall",
        "Last recipients over time: the stronger the colour, the more",
        "",
        "heat map of the last recipients' delays over time",
    )
}

fn members(class: &ClassFigures) -> String {
    match class.members_min == class.members_max {
        true => class.members_min.to_string(),
        false => format!(
            "{} to {}",
            number::count(class.members_min.into()),
            number::count(class.members_max.into())
        ),
    }
}

fn classes(classes: &[ClassFigures]) -> String {
    let mut rows = String::new();
    for (index, class) in classes.iter().enumerate() {
        let place = Place::of("load").at("fan_out").at("classes").at(index);
        let latency =
            |part: &str, figures: &Option<Figures>, name: &str, of: fn(&Figures) -> u64| {
                let number = figures
                    .as_ref()
                    .map(|figures| place.at(part).time(name, of(figures)));
                number.map_or_else(String::new, |number| number.to_string())
            };
        let _ = write!(
            rows,
            "<tr><td class=\"short\">{}<td class=\"number\">{}<td class=\"number\">{}<td class=\"number\">{} of {}",
            members(class),
            place.count("broadcasts", class.broadcasts),
            number::percent(class.complete, class.broadcasts),
            place.count("recipients_got", class.recipients_got),
            place.count("recipients_expected", class.recipients_expected),
        );
        for number in [
            latency("first", &class.first, "latency_us_p50", |it| {
                it.latency_us_p50
            }),
            latency("median", &class.median, "latency_us_p50", |it| {
                it.latency_us_p50
            }),
            latency("last", &class.last, "latency_us_p50", |it| {
                it.latency_us_p50
            }),
            latency("last", &class.last, "latency_us_p99", |it| {
                it.latency_us_p99
            }),
            latency("last", &class.last, "latency_us_max", |it| {
                it.latency_us_max
            }),
        ] {
            let _ = write!(rows, "<td class=\"number\">{number}");
        }
        rows.push_str("</tr>");
    }
    format!(
        "<div class=\"scroll\"><table><thead><tr><th>members<th class=\"number\">broadcasts<th class=\"number\">complete\
         <th class=\"number\">recipients<th class=\"number\">first, p50<th class=\"number\">median, p50\
         <th class=\"number\">last, p50<th class=\"number\">last, p99<th class=\"number\">last, longest</thead>\
         <tbody>{rows}</tbody></table></div>\n"
    )
}
