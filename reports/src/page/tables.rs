//! What is read line by line: the way of a user, the audit, the slowest, connectors, health, the run.

use std::fmt::Write;

use serde_json::Value;

use super::number::{self, Place};
use crate::escaped::Escaped;
use crate::run::load::Load;
use crate::run::{Measure, Run};

/// Where users were lost.
pub fn funnel(load: &Load) -> String {
    let most = load.funnel.iter().map(|step| step.tried).max().unwrap_or(0);
    let mut rows = String::new();
    for (index, step) in load.funnel.iter().enumerate() {
        let place = Place::of("load").at("funnel").at(index);
        let failed = step.failed.iter().map(|(reason, count)| {
            let count = place.at("failed").count(reason, *count);
            format!("<li>{count} × {}", Escaped(reason))
        });
        let failed: String = failed.collect();
        let latency = step.latency.as_ref().map(|figures| {
            let place = place.at("latency");
            let (p50, p99) = (figures.latency_us_p50, figures.latency_us_p99);
            let (p50, p99) = (
                place.time("latency_us_p50", p50),
                place.time("latency_us_p99", p99),
            );
            format!("<td class=\"number\">{p50}<td class=\"number\">{p99}")
        });
        let _ = write!(
            rows,
            "<tr><td class=\"name\">{}<td class=\"wide\">{}<td class=\"number\">{} of {}<td class=\"number\">{}{}<td>{}</tr>",
            Escaped(step.name.replace('_', " ")),
            bar(step.succeeded, step.tried, most),
            place.count("succeeded", step.succeeded),
            place.count("tried", step.tried),
            number::percent(step.succeeded, step.tried),
            latency.unwrap_or_else(|| String::from("<td><td>")),
            if failed.is_empty() {
                failed
            } else {
                format!("<ul class=\"cases\">{failed}</ul>")
            },
        );
    }
    table(
        "<th>step<th class=\"wide\"><th class=\"number\">done<th><th class=\"number\">p50<th class=\"number\">p99<th>failed",
        &rows,
    )
}

/// A part of a whole as a bar; the rest of the whole shows as missing.
fn bar(part: u64, whole: u64, most: u64) -> String {
    let percent = |value: u64| value as f64 / most.max(1) as f64 * 100.0;
    format!(
        "<svg class=\"gauge\" aria-hidden=\"true\"><rect class=\"missing\" width=\"{:.2}%\" height=\"8\" y=\"4\"/>\
         <rect class=\"bar\" width=\"{:.2}%\" height=\"8\" y=\"4\"/></svg>",
        percent(whole),
        percent(part)
    )
}

/// What was not as promised, with the first cases.
pub fn audit(load: &Load) -> String {
    let mut rows = String::new();
    for (name, faults) in &load.audit {
        let place = Place::of("load").at("audit").at(name);
        let cases = faults.cases().iter().enumerate().map(|(index, case)| {
            let at = place.at("cases").at(index).at("at_us");
            let at = at.number(i128::from(case.at_us), number::moment(case.at_us));
            format!("<li>{at} {}", Escaped(&case.text))
        });
        let cases: String = cases.collect();
        let outcome = if faults.count == 0 { "held" } else { "broken" };
        let mark = if faults.count == 0 { "✓" } else { "✗" };
        let _ = write!(
            rows,
            "<tr class=\"{outcome}\"><td class=\"sign\"><span class=\"mark\">{mark}</span><td class=\"name\">{}<td class=\"number\">{}<td>{}</tr>",
            Escaped(name.replace('_', " ")),
            place.count("count", faults.count),
            if cases.is_empty() {
                cases
            } else {
                format!("<ul class=\"cases\">{cases}</ul>")
            },
        );
    }
    table(
        "<th class=\"sign\"><th>what<th class=\"number\">cases<th class=\"most\">the first of them",
        &rows,
    )
}

/// The slowest broadcasts, each as it spread.
pub fn worst(load: &Load) -> String {
    let longest = load.worst.iter().filter_map(|it| it.delays.as_ref());
    let longest = longest.map(|delays| delays.last_us).max().unwrap_or(1);
    let mut rows = String::new();
    for (index, broadcast) in load.worst.iter().enumerate() {
        let place = Place::of("load").at("worst").at(index);
        let due = place.at("due_us");
        let due = due.number(
            i128::from(broadcast.due_us),
            number::moment(broadcast.due_us),
        );
        let _ = write!(
            rows,
            "<tr><td class=\"number\">{due}<td class=\"name\">{}<td class=\"name\">{}<td class=\"number\">{} of {}",
            Escaped(&broadcast.message),
            Escaped(&broadcast.room),
            place.count("got", broadcast.got.into()),
            place.count("expected", broadcast.expected.into()),
        );
        let Some(delays) = &broadcast.delays else {
            rows.push_str("<td colspan=\"4\">nobody heard it</tr>");
            continue;
        };
        let at = place.at("delays");
        let percent = |us: u64| us as f64 / longest.max(1) as f64 * 100.0;
        let (first, median, last) = (delays.first_us, delays.median_us, delays.last_us);
        let _ = write!(
            rows,
            "<td class=\"number\">{}<td class=\"number\">{}<td class=\"number\">{}<td class=\"wide\">\
             <svg class=\"gauge\" aria-hidden=\"true\"><rect class=\"bar\" x=\"{:.1}%\" width=\"{:.1}%\" height=\"8\" y=\"4\"/>\
             <line x1=\"{:.1}%\" x2=\"{:.1}%\" y1=\"1\" y2=\"15\"/></svg></tr>",
            at.time("first_us", first),
            at.time("median_us", median),
            at.time("last_us", last),
            percent(first),
            percent(last.saturating_sub(first)).max(0.5),
            percent(median),
            percent(median),
        );
    }
    table(
        "<th class=\"number\">due<th>message<th>room<th class=\"number\">heard by<th class=\"number\">first\
         <th class=\"number\">median<th class=\"number\">last<th class=\"wide\">first to last",
        &rows,
    )
}

/// Whether all connectors had the same.
pub fn connectors(load: &Load) -> String {
    let users = load
        .connectors
        .values()
        .map(|share| share.users)
        .max()
        .unwrap_or(0);
    let deliveries = load
        .connectors
        .values()
        .map(|share| share.deliveries)
        .max()
        .unwrap_or(0);
    let mut rows = String::new();
    for (name, share) in &load.connectors {
        let place = Place::of("load").at("connectors").at(name);
        let _ = write!(
            rows,
            "<tr><td class=\"name\">{}<td class=\"number\">{}<td class=\"wide\">{}<td class=\"number\">{}<td class=\"wide\">{}</tr>",
            Escaped(name),
            place.count("users", share.users),
            bar(share.users, share.users, users),
            place.count("deliveries", share.deliveries),
            bar(share.deliveries, share.deliveries, deliveries),
        );
    }
    table(
        "<th>connector<th class=\"number\">users<th class=\"wide\"><th class=\"number\">deliveries<th class=\"wide\">",
        &rows,
    )
}

pub fn latencies(run: &Run) -> String {
    let mut rows = String::new();
    for (name, figures) in &run.latencies {
        let place = Place::of("latencies").at(name);
        let count = place.count("count", figures.count);
        let _ = write!(
            rows,
            "<tr><td class=\"name\">{}<td class=\"number\">{count}",
            Escaped(name)
        );
        for (name, us) in [
            ("latency_us_min", figures.latency_us_min),
            ("latency_us_mean", figures.latency_us_mean),
            ("latency_us_p50", figures.latency_us_p50),
            ("latency_us_p90", figures.latency_us_p90),
            ("latency_us_p99", figures.latency_us_p99),
            ("latency_us_p99_9", figures.latency_us_p99_9),
            ("latency_us_max", figures.latency_us_max),
        ] {
            let _ = write!(rows, "<td class=\"number\">{}", place.time(name, us));
        }
        rows.push_str("</tr>");
    }
    let heads = [
        "count", "shortest", "mean", "p50", "p90", "p99", "p99.9", "longest",
    ];
    let heads: String = heads
        .map(|head| format!("<th class=\"number\">{head}"))
        .concat();
    table(&format!("<th>latency{heads}"), &rows)
}

pub fn counts(run: &Run) -> String {
    let place = Place::of("counts");
    let counts = run.counts.iter().map(|(name, count)| {
        let number = place.count(name, *count);
        format!(
            "<div><dt>{}<dd>{number}</div>",
            Escaped(name.replace('_', " "))
        )
    });
    let counts: String = counts.collect();
    match counts.is_empty() {
        true => counts,
        false => format!("<dl class=\"counts\">{counts}</dl>\n"),
    }
}

/// Whether the generator, or the machine, was the limit.
pub fn health(run: &Run) -> String {
    let mut rows = String::new();
    for (index, health) in run.health.iter().enumerate() {
        for (number, measure) in health.measures.iter().enumerate() {
            let place = Place::of("health").at(index).at("measures").at(number);
            let holds = measure.limit.is_none_or(|limit| measure.value <= limit);
            let shown = |name: &str, value: u64| {
                let shown = with_unit(measure, value);
                place.at(name).number(i128::from(value), shown).to_string()
            };
            let limit = measure.limit.map(|limit| {
                let bar = bar(measure.value.min(limit), limit, limit);
                format!(
                    "<td class=\"number\">{}<td class=\"wide\">{bar}",
                    shown("limit", limit)
                )
            });
            let _ = write!(
                rows,
                "<tr class=\"{}\"><td class=\"sign\"><span class=\"mark\">{}</span><td class=\"name\">{}<td>{}<td class=\"number\">{}{}</tr>",
                if holds { "held" } else { "broken" },
                if holds { "✓" } else { "✗" },
                Escaped(&health.process),
                Escaped(called(&measure.name)),
                shown("value", measure.value),
                limit.unwrap_or_else(|| String::from("<td><td>")),
            );
        }
    }
    table(
        "<th class=\"sign\"><th>process<th>what<th class=\"number\">was<th class=\"number\">at most<th class=\"wide\">",
        &rows,
    )
}

/// The parts of a name that are units.
const UNITS: [&str; 3] = ["us", "bytes", "permille"];

fn called(name: &str) -> String {
    let words = name.split('_').filter(|word| !UNITS.contains(word));
    words.collect::<Vec<_>>().join(" ")
}

fn with_unit(measure: &Measure, value: u64) -> String {
    let unit = measure.name.split('_').find(|word| UNITS.contains(word));
    match unit {
        Some("us") => number::time(value),
        Some("bytes") => format!("{:.1} MiB", value as f64 / (1024.0 * 1024.0)),
        Some("permille") => format!("{:.1} %", value as f64 / 10.0),
        _ => number::count(value),
    }
}

/// Where it ran, and what was planned.
pub fn environment(run: &Run) -> String {
    let environment = run.environment.iter();
    let environment = environment.map(|(name, value)| (name.as_str(), value.clone()));
    let options = run.plan.options.iter();
    let options = options.map(|(name, value)| (name.as_str(), option(value)));
    let stages = run.plan.stages.iter().map(|span| {
        let (from, to) = (number::moment(span.starts_us), number::moment(span.ends_us));
        ("stage", format!("{from} to {to}  {}", span.name))
    });
    let mut entries: Vec<_> = environment.chain(options).chain(stages).collect();
    if !run.plan.steps.is_empty() {
        entries.push(("planned", run.plan.steps.join("\n")));
    }
    list(&entries)
}

/// An option of a plan in words.
pub fn option(value: &Value) -> String {
    let text = value.as_str().map(str::to_owned);
    text.unwrap_or_else(|| value.to_string())
}

/// Names and what they are, as a list.
pub fn list(entries: &[(&str, String)]) -> String {
    let entries = entries.iter();
    let entries: String = entries
        .map(|(name, value)| format!("<dt>{}<dd>{}", Escaped(name), Escaped(value)))
        .collect();
    match entries.is_empty() {
        true => entries,
        false => format!("<dl>{entries}</dl>\n"),
    }
}

pub fn table(head: &str, rows: &str) -> String {
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<div class=\"scroll\"><table><thead><tr>{head}</thead><tbody>{rows}</tbody></table></div>\n"
    )
}
