//! The top of the page: what the run comes to, the most important figures, and what had to hold.

use std::fmt::Write;

use super::number::{self, Place};
use super::top::{self, Top};
use crate::escaped::Escaped;
use crate::run::threshold::{Threshold, Unit};
use crate::run::{Judgement, Kind, Run};

pub fn header(run: &Run) -> String {
    let judgement = run.judgement();
    let word = judgement.name();
    let kind = match run.kind {
        Kind::Load => "load test",
        Kind::Simulation => "simulation",
    };
    let elapsed = Place::of("elapsed_us");
    let origin = format!(
        "{} · seed {} · {} · {} long",
        top::made_by(kind, &run.program),
        Place::of("seed").number(i128::from(run.seed), run.seed.to_string()),
        top::date(&run.date),
        elapsed.number(i128::from(run.elapsed_us), number::moment(run.elapsed_us)),
    );
    let top = Top {
        name: &run.name,
        origin,
        class: &word.to_lowercase(),
        word,
        sentence: sentence(run, judgement),
        lead: String::new(),
        warnings: &run.warnings,
        command: &run.command,
    };
    top.header()
}

/// What it comes to, in one sentence.
fn sentence(run: &Run, judgement: Judgement) -> String {
    let broken = || {
        let checks = run.verdicts.iter().filter(|it| !it.holds);
        let checks = checks.map(|it| it.name.clone());
        let thresholds = run.thresholds.iter().filter(|it| !it.holds);
        let broken: Vec<_> = thresholds.map(was).chain(checks).collect();
        let all = run.verdicts.len() + run.thresholds.len();
        format!(
            "{} of {all} did not hold: {}",
            broken.len(),
            broken.join(", ")
        )
    };
    match judgement {
        Judgement::Invalid => {
            format!("It says nothing of the cluster: {}", run.invalid.join("; "))
        }
        Judgement::Fail => broken(),
        Judgement::Partial => String::from("All held until it was stopped before its end"),
        Judgement::Unchecked => String::from("Nothing was checked"),
        Judgement::Pass => match run.latencies.get("broadcast.last") {
            Some(last) => format!(
                "All held: 99 of 100 broadcasts reached their last recipient within {}",
                number::time(last.latency_us_p99)
            ),
            None => String::from("All held"),
        },
    }
}

/// How a threshold was broken.
fn was(threshold: &Threshold) -> String {
    let shown = |value| shown(threshold, value);
    let Threshold {
        metric,
        comparison,
        bound,
        ..
    } = threshold;
    let bound = shown(*bound);
    match threshold.measured {
        Some(measured) => format!(
            "{metric} was {} (has to be {comparison} {bound})",
            shown(measured)
        ),
        None => format!("{metric} could not be measured"),
    }
}

fn shown(threshold: &Threshold, value: u64) -> String {
    match threshold.unit {
        Unit::Us => number::time(value),
        Unit::Count => number::count(value),
    }
}

/// The most important figures.
pub fn tiles(run: &Run) -> String {
    let mut tiles = String::new();
    let mut tile = |name: &str, value: String, below: String| {
        tiles += &top::tile(name, &value, &below);
    };
    let counts = Place::of("counts");
    let seconds = run.elapsed_us as f64 / 1e6;
    let rate = |count: u64| {
        format!(
            "{} per second",
            number::count((count as f64 / seconds).round() as u64)
        )
    };
    for (metric, name) in [
        ("broadcast.last", "Last recipient, p99"),
        ("request", "Answer to a send, p99"),
        ("send_lateness", "Sent late, p99"),
    ] {
        if let Some(figures) = run.latencies.get(metric) {
            let place = Place::of("latencies").at(metric);
            let value = place.time("latency_us_p99", figures.latency_us_p99);
            let median = place.time("latency_us_p50", figures.latency_us_p50);
            let max = place.time("latency_us_max", figures.latency_us_max);
            tile(name, value.to_string(), format!("p50 {median} · max {max}"));
        }
    }
    for (count, name) in [
        ("users_entered", "Users who entered"),
        ("sends_accepted", "Sends accepted"),
        ("deliveries_total", "Deliveries"),
    ] {
        if let Some(value) = run.counts.get(count) {
            let below = if count == "users_entered" {
                String::new()
            } else {
                rate(*value)
            };
            tile(name, counts.count(count, *value).to_string(), below);
        }
    }
    if let Some(load) = &run.load {
        let faults: u64 = load.audit.values().map(|faults| faults.count).sum();
        let kinds = load.audit.iter().filter(|(_, faults)| faults.count > 0);
        let kinds: Vec<_> = kinds.map(|(name, _)| name.replace('_', " ")).collect();
        let below = match kinds.len() {
            0 => String::from("each message exactly once"),
            _ => Escaped(kinds.join(", ")).to_string(),
        };
        tile("Not as promised", number::count(faults), below);
    }
    top::tiles(&tiles)
}

/// What figures had to be, with margins.
pub fn thresholds(run: &Run) -> String {
    if run.thresholds.is_empty() {
        return String::new();
    }
    let mut rows = String::new();
    for (index, threshold) in run.thresholds.iter().enumerate() {
        let place = Place::of("thresholds").at(index);
        let number = |name: &str, value: u64| {
            place
                .at(name)
                .number(i128::from(value), shown(threshold, value))
                .to_string()
        };
        let measured = threshold.measured.map(|value| number("measured", value));
        let margin = threshold.margin.map(|margin| {
            let shown = match threshold.unit {
                Unit::Us => number::signed_time(margin),
                Unit::Count if margin < 0 => format!("−{}", number::count(margin.unsigned_abs())),
                Unit::Count => number::count(margin.unsigned_abs()),
            };
            place
                .at("margin")
                .number(i128::from(margin), shown)
                .to_string()
        });
        let _ = write!(
            rows,
            "<tr class=\"{}\"><td class=\"sign\">{}<td class=\"name\">{}<td class=\"number\">{} {}<td class=\"number\">{}<td class=\"number\">{}<td>{}</tr>",
            outcome(threshold.holds),
            mark(threshold.holds),
            Escaped(&threshold.metric),
            Escaped(threshold.comparison),
            number("bound", threshold.bound),
            measured.unwrap_or_else(|| String::from("nothing to measure")),
            margin.unwrap_or_default(),
            gauge(threshold),
        );
    }
    format!(
        "<div class=\"scroll\"><table><thead><tr><th class=\"sign\"><th>figure<th class=\"number\">has to be\
         <th class=\"number\">was<th class=\"number\">margin<th class=\"wide\"></thead><tbody>{rows}</tbody></table></div>\n"
    )
}

/// The figure as a bar, with the bound as a mark on it.
fn gauge(threshold: &Threshold) -> String {
    let (Some(measured), bound) = (threshold.measured, threshold.bound) else {
        return String::new();
    };
    let whole = measured.max(bound).max(1) as f64 * 1.1;
    let (value, bound) = (
        measured as f64 / whole * 100.0,
        bound as f64 / whole * 100.0,
    );
    format!(
        "<svg class=\"gauge\" aria-hidden=\"true\"><rect class=\"track\" width=\"100%\" height=\"8\" y=\"4\" rx=\"4\"/>\
         <rect class=\"bar\" width=\"{value:.1}%\" height=\"8\" y=\"4\" rx=\"4\"/>\
         <line x1=\"{bound:.1}%\" x2=\"{bound:.1}%\" y1=\"0\" y2=\"16\"/></svg>"
    )
}

/// What had to hold, and what shows that it did not.
pub fn checks(run: &Run) -> String {
    if run.verdicts.is_empty() {
        return String::new();
    }
    let mut rows = String::new();
    // What did not hold first.
    for holds in [false, true] {
        for verdict in run.verdicts.iter().filter(|verdict| verdict.holds == holds) {
            let evidence = verdict.evidence.iter();
            let evidence: String = evidence.map(|it| format!("<li>{}", Escaped(it))).collect();
            let evidence = match evidence.is_empty() {
                true => evidence,
                false => format!("<ul class=\"cases\">{evidence}</ul>"),
            };
            let _ = write!(
                rows,
                "<tr class=\"{}\"><td class=\"sign\">{}<td class=\"name\">{}<td>{}{evidence}</tr>",
                outcome(holds),
                mark(holds),
                Escaped(&verdict.name),
                Escaped(&verdict.demands),
            );
        }
    }
    format!("<div class=\"scroll\"><table><tbody>{rows}</tbody></table></div>\n")
}

fn outcome(holds: bool) -> &'static str {
    if holds { "held" } else { "broken" }
}

fn mark(holds: bool) -> &'static str {
    match holds {
        true => "<span class=\"mark\" title=\"held\">✓</span>",
        false => "<span class=\"mark\" title=\"did not hold\">✗</span>",
    }
}
