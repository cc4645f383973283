//! Several searches for a capacity side by side, against the first.

use std::fmt::Write;

use super::{METHOD, plots, trials, word};
use crate::capacity::{Capacity, Cpu};
use crate::escaped::Escaped;
use crate::page::number::{self, Place};
use crate::page::{document, section};

/// What must be the same, for capacities to be compared.
const CONDITIONS: [&str; 7] = [
    "measure_us",
    "message_len",
    "must_hold",
    "plan",
    "rooms",
    "transport",
    "users",
];

/// The page of all of them.
pub fn page(searches: &[Capacity]) -> String {
    let mut page = header(searches);
    page += &section("beside", "The answers", &answers(searches));
    page += &section("steps", "What each rate came to", &plots::latency(searches));
    let scaling = format!(
        "<div class=\"pair\">{}{}</div>",
        plots::throughput(searches),
        plots::law(searches)
    );
    page += &section("scaling", "Throughput", &scaling);
    for (index, search) in searches.iter().enumerate() {
        let title = format!("Trials of {}", Escaped(&search.name));
        let trials = trials(search, &Place::of(&index.to_string()));
        page += &section(&format!("trials-{index}"), &title, &trials);
    }
    page += &section("method", "How it was measured", METHOD);
    document("Capacities side by side", &page)
}

fn header(searches: &[Capacity]) -> String {
    let mut header = format!(
        "<header><p class=\"where\">{} searches for a capacity <span>side by side, against the first</span></p><h1>{}</h1>",
        searches.len(),
        Escaped(sentence(searches)),
    );
    for condition in CONDITIONS {
        let value = |search: &Capacity| search.options.get(condition).cloned();
        let first = searches.first().and_then(value);
        if searches.iter().any(|search| value(search) != first) {
            let _ = write!(
                header,
                "<p class=\"warning\">They differ in {}: what they found is not of the same load.</p>",
                Escaped(condition.replace('_', " "))
            );
        }
    }
    for search in searches {
        let _ = write!(
            header,
            "<div class=\"command\"><span class=\"label\">{}</span><code>{}</code></div>",
            Escaped(&search.name),
            Escaped(&search.command)
        );
    }
    header + "</header>\n"
}

/// By how much the best is better than the first.
fn sentence(searches: &[Capacity]) -> String {
    let held = |search: &Capacity| search.answer.held.map(|end| end.rate_per_s);
    let told = searches.iter().map(|search| {
        let rate = held(search).map(number::rate);
        format!(
            "{} carries {}",
            search.name,
            rate.unwrap_or_else(|| "nothing".to_owned())
        )
    });
    let told: Vec<String> = told.collect();
    format!("{} sends per second", told.join(", "))
}

/// A line for each figure, a column for each search.
fn answers(searches: &[Capacity]) -> String {
    let mut rows = String::new();
    let names = searches
        .iter()
        .map(|it| format!("<th class=\"number\">{}", Escaped(&it.name)));
    let names: String = names.collect();
    let mut row = |name: &str, cells: Vec<String>| {
        let cells = cells
            .into_iter()
            .map(|cell| format!("<td class=\"number\">{cell}"));
        let _ = write!(
            rows,
            "<tr><td class=\"name\">{name}{}</tr>",
            cells.collect::<String>()
        );
    };
    row(
        "came to",
        searches.iter().map(|it| word(it).0.to_owned()).collect(),
    );
    for (name, key) in [
        ("held, sends per second", "held"),
        ("broke, sends per second", "broke"),
    ] {
        row(
            name,
            figures(searches, |search| {
                let end = if key == "held" {
                    search.answer.held
                } else {
                    search.answer.broke
                };
                let value = end?.rate_per_s;
                Some((
                    vec!["answer", key],
                    "rate_per_s",
                    value,
                    number::rate(value),
                ))
            }),
        );
    }
    row("sure", searches.iter().map(sure).collect());
    row(
        "deliveries per second there",
        figures(searches, |search| {
            let value = search.answer.at_held?.deliveries_per_s;
            Some((
                vec!["answer", "at_held"],
                "deliveries_per_s",
                value,
                number::rate(value),
            ))
        }),
    );
    let cpu = |search: &Capacity| -> Option<Cpu> { search.answer.at_held?.cpu };
    row(
        "CPU seconds per million deliveries, servers",
        figures(searches, |search| {
            let value = cpu(search)?.servers_s_per_million?;
            Some((
                vec!["answer", "at_held", "cpu"],
                "servers_s_per_million",
                value,
                format!("{value:.1}"),
            ))
        }),
    );
    row(
        "CPU seconds per million deliveries, generator",
        figures(searches, |search| {
            let value = cpu(search)?.generator_s_per_million;
            Some((
                vec!["answer", "at_held", "cpu"],
                "generator_s_per_million",
                value,
                format!("{value:.1}"),
            ))
        }),
    );
    for (name, key) in [
        ("a broadcast at all", "a_us"),
        ("each recipient more", "b_us"),
    ] {
        row(
            name,
            figures(searches, |search| {
                let line = search.cost?;
                let value = if key == "a_us" { line.a_us } else { line.b_us };
                Some((vec!["cost"], key, value, format!("{value:.1} µs")))
            }),
        );
    }
    row(
        "broke first",
        searches
            .iter()
            .map(|search| {
                let what = search.answer.broke_first.as_deref();
                Escaped(what.unwrap_or("–")).to_string()
            })
            .collect(),
    );
    format!(
        "<div class=\"scroll\"><table><thead><tr><th>{names}</thead><tbody>{rows}</tbody></table></div>\n"
    )
}

/// How sure both ends are.
fn sure(search: &Capacity) -> String {
    let ends = [search.answer.held, search.answer.broke];
    let ends =
        ends.map(|end| end.map_or_else(|| "–".to_owned(), |end| format!("{} %", end.sure_percent)));
    ends.join(" · ")
}

/// Where a figure is, its name, its value, and how it is shown.
type Figure = (Vec<&'static str>, &'static str, f64, String);

/// A figure of each search, with how many times that of the first it is.
fn figures(searches: &[Capacity], of: impl Fn(&Capacity) -> Option<Figure>) -> Vec<String> {
    let first = searches.first().and_then(&of).map(|(_, _, value, _)| value);
    let cells = searches.iter().enumerate().map(|(index, search)| {
        let Some((path, name, value, shown)) = of(search) else {
            return "–".to_owned();
        };
        let place = path
            .iter()
            .fold(Place::of(&index.to_string()), |place, part| place.at(part));
        let shown = place.decimal(name, value, shown);
        match first.filter(|first| index > 0 && *first > 0.0) {
            Some(first) => format!(
                "{shown} <span class=\"ratio\">× {:.2}</span>",
                value / first
            ),
            None => shown.to_string(),
        }
    });
    cells.collect()
}
