//! The table of all pairs.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::ab::{Ab, Build, Pair, Unit};
use crate::escaped::Escaped;
use crate::page::number::{self, Place};
use crate::page::tables;

/// A row for each pair: what was measured, which runs those were, and what did not hold.
pub fn table(ab: &Ab) -> String {
    let metrics = metrics(ab);
    let is_broken = ab.pairs.iter().any(is_broken);
    let mut head = String::from(
        "<th rowspan=\"2\" class=\"number\">pair<th rowspan=\"2\" class=\"number\">seed<th rowspan=\"2\">first",
    );
    let mut below = String::new();
    for (metric, _) in &metrics {
        let _ = write!(
            head,
            "<th colspan=\"3\" class=\"group\">{}",
            Escaped(metric)
        );
        below += "<th class=\"number\">base<th class=\"number\">new<th class=\"number\">change";
    }
    head += "<th rowspan=\"2\">runs";
    if is_broken {
        head += "<th rowspan=\"2\" class=\"why\">did not hold";
    }
    let pairs = ab.pairs.iter().enumerate();
    let rows: String = pairs
        .map(|(index, pair)| row(index, pair, &metrics, is_broken))
        .collect();
    let table = tables::table(&format!("{head}</tr><tr>{below}"), &rows);
    match table.is_empty() {
        true => table,
        false => format!("{table}{FOLDERS}"),
    }
}

const FOLDERS: &str = "<p class=\"note\">Each run has a folder of its own beside ab.json. <code>reports html</code> with that \
    folder makes its page, and its log is what the servers said.</p>\n";

/// The metrics that pairs have, those that decide first, and in what their differences are.
fn metrics(ab: &Ab) -> Vec<(&str, Unit)> {
    let deciding = ab.metrics.iter().map(|it| (it.metric.as_str(), it.unit));
    let mut metrics: Vec<(&str, Unit)> = deciding.collect();
    let trials = ab.pairs.iter().flat_map(|pair| [&pair.base, &pair.new]);
    let names: BTreeSet<&String> = trials.flat_map(|trial| trial.latencies_us.keys()).collect();
    for name in names {
        if metrics.iter().all(|(metric, _)| metric != name) {
            metrics.push((name, Unit::Percent));
        }
    }
    metrics
}

fn is_broken(pair: &Pair) -> bool {
    !pair.base.broken.is_empty() || !pair.new.broken.is_empty()
}

fn row(index: usize, pair: &Pair, metrics: &[(&str, Unit)], with_broken: bool) -> String {
    let place = Place::of("pairs").at(index);
    let seed = place.at("seed");
    let class = if is_broken(pair) { "broken" } else { "" };
    let mut row = format!(
        "<tr class=\"{class}\"><td class=\"number\">{}<td class=\"number\">{}<td class=\"short\">{}",
        index + 1,
        seed.number(i128::from(pair.seed), pair.seed.to_string()),
        pair.first.name(),
    );
    for (metric, unit) in metrics {
        let us = |build| pair.latency_us(build, metric);
        for build in [Build::Base, Build::New] {
            let place = place.at(build.name()).at("latencies_us");
            let shown = us(build).map(|us| place.time(metric, us).to_string());
            let _ = write!(
                row,
                "<td class=\"number\">{}",
                shown.as_deref().unwrap_or("–")
            );
        }
        let change = us(Build::Base).zip(us(Build::New));
        let change = change.map(|(base, new)| number::difference(*unit, unit.between(base, new)));
        let _ = write!(
            row,
            "<td class=\"number\">{}",
            change.as_deref().unwrap_or("–")
        );
    }
    let in_order = match pair.first {
        Build::Base => [&pair.base, &pair.new],
        Build::New => [&pair.new, &pair.base],
    };
    let [first, second] = in_order.map(|trial| Escaped(&trial.run).to_string());
    let _ = write!(row, "<td class=\"runs\">{first}, {second}");
    if with_broken {
        let cases = in_order.into_iter().flat_map(|trial| {
            let of =
                move |broken: &String| format!("<li>{}: {}", Escaped(&trial.run), Escaped(broken));
            trial.broken.iter().map(of)
        });
        let _ = write!(
            row,
            "<td class=\"why\"><ul class=\"cases\">{}</ul>",
            cases.collect::<String>()
        );
    }
    row + "</tr>"
}
