//! The page of a search for a capacity: the answer, how each trial bears on it, what follows.

pub mod beside;
mod plots;

use super::number::{self, Place};
use super::tables::{self, table};
use super::top::{self, Top};
use super::{document, section};
use crate::capacity::{Capacity, End, Outcome, Trial, Verdict, text};
use crate::escaped::Escaped;

/// The page of `search`.
pub fn page(search: &Capacity) -> String {
    let place = Place::whole();
    let mut page = header(search, &place);
    page += &tiles(search, &place);
    let searches = std::slice::from_ref(search);
    page += &section("steps", "What each rate came to", &plots::latency(searches));
    page += &section("scaling", "Throughput", &scaling(search));
    page += &section("trials", "All trials", &trials(search, &place));
    page += &section("cost", "What it costs", &cost(search, &place));
    page += &section("run", "The search", &environment(search));
    page += &section("method", "How it was measured", METHOD);
    document(&format!("Capacity · {}", search.name), &page)
}

/// What a search comes to, in one word, and how it is coloured.
pub fn word(search: &Capacity) -> (&'static str, &'static str) {
    match search.answer.outcome {
        _ if search.partial => ("PARTIAL", "partial"),
        Outcome::Found | Outcome::AtLeast => ("FOUND", "pass"),
        Outcome::Below => ("FAIL", "fail"),
        Outcome::Generator | Outcome::Undecided => ("INCONCLUSIVE", "invalid"),
    }
}

fn header(search: &Capacity, place: &Place) -> String {
    let (word, class) = word(search);
    let because = search.answer.because.as_ref().map(|because| {
        format!(
            "<p class=\"lead\"><b>What broke first:</b> {}</p>",
            Escaped(because)
        )
    });
    let top = Top {
        name: &search.name,
        origin: origin(search, place),
        class,
        word,
        sentence: sentence(search),
        lead: because.unwrap_or_default(),
        warnings: &search.warnings,
        command: &search.command,
    };
    top.header()
}

/// The sentence of the summary, as the first of a page.
fn sentence(search: &Capacity) -> String {
    let sentence = text::sentence(search);
    // That it is inconclusive stands before it.
    top::capitalized(sentence.strip_prefix("inconclusive: ").unwrap_or(&sentence))
}

/// What made it, and when.
fn origin(search: &Capacity, place: &Place) -> String {
    let elapsed = place.at("elapsed_us");
    let seed = place
        .at("seed")
        .number(i128::from(search.seed), search.seed.to_string());
    format!(
        "{} · seed {seed} · {} · {} long",
        top::made_by("search for a capacity", &search.program),
        top::date(&search.date),
        elapsed.number(
            i128::from(search.elapsed_us),
            number::moment(search.elapsed_us)
        ),
    )
}

/// The most important figures.
fn tiles(search: &Capacity, place: &Place) -> String {
    let place = place.at("answer");
    let answer = &search.answer;
    let mut tiles = String::new();
    let mut tile = |name: &str, value: String, below: String| {
        tiles += &top::tile(name, &value, &below);
    };
    for (name, key, end) in [
        ("Held, sends per second", "held", answer.held),
        ("Broke, sends per second", "broke", answer.broke),
    ] {
        if let Some(end) = end {
            let place = place.at(key);
            tile(name, rate(&place, end.rate_per_s), votes(&place, &end, key));
        }
    }
    if let Some(at_held) = answer.at_held {
        let place = place.at("at_held");
        let deliveries = at_held.deliveries_per_s;
        let shown = number::rate(deliveries);
        let shown = place
            .decimal("deliveries_per_s", deliveries, shown)
            .to_string();
        tile(
            "Deliveries per second there",
            shown,
            "to all members together".to_owned(),
        );
        if let Some(cpu) = at_held.cpu {
            let place = place.at("cpu");
            let seconds = |name: &str, value: f64| {
                place
                    .decimal(name, value, format!("{value:.1}"))
                    .to_string()
            };
            let generator = seconds("generator_s_per_million", cpu.generator_s_per_million);
            if let Some(servers) = cpu.servers_s_per_million {
                tile(
                    "CPU seconds per million deliveries",
                    seconds("servers_s_per_million", servers),
                    format!("of the servers · generator {generator}"),
                );
            } else {
                tile(
                    "CPU seconds per million deliveries",
                    generator,
                    "of the generator".to_owned(),
                );
            }
        }
    }
    let count = search.trials.len();
    let told = search
        .trials
        .iter()
        .filter(|it| it.verdict == Verdict::Unknown)
        .count();
    let below = match told {
        0 => "all of them could tell".to_owned(),
        _ => format!("{told} could not tell"),
    };
    tile("Trials", number::count(count as u64), below);
    top::tiles(&tiles)
}

/// A rate at its member.
fn rate(place: &Place, per_s: f64) -> String {
    place
        .decimal("rate_per_s", per_s, number::rate(per_s))
        .to_string()
}

/// How sure an end is.
fn votes(place: &Place, end: &End, key: &str) -> String {
    let times = if key == "held" { end.held } else { end.broke };
    let times = place.count(key, times.into());
    let sure = place.at("sure_percent");
    let sure = sure.number(
        i128::from(end.sure_percent),
        format!("{} %", end.sure_percent),
    );
    let doubt = if end.confirmed {
        ""
    } else {
        " · not confirmed"
    };
    format!(
        "{times} of {} trials · {sure} sure{doubt}",
        end.held + end.broke
    )
}

/// Throughput against what was offered and what was under way.
fn scaling(search: &Capacity) -> String {
    let said: String = text::law(search)
        .iter()
        .map(|sentence| format!("{}. ", Escaped(top::capitalized(sentence))))
        .collect();
    let searches = std::slice::from_ref(search);
    format!(
        "<p class=\"lead\">{said}</p><div class=\"pair\">{}{}</div>",
        plots::throughput(searches),
        plots::law(searches)
    )
}

/// Each trial in a row.
fn trials(search: &Capacity, place: &Place) -> String {
    let mut rows = String::new();
    for (index, trial) in search.trials.iter().enumerate() {
        rows += &row(index, trial, &place.at("trials").at(index));
    }
    table(
        "<th class=\"sign\"><th>trial<th class=\"number\">sends/s<th class=\"number\">sent<th class=\"number\">deliveries/s\
         <th class=\"number\">judged latency<th class=\"number\" title=\"requests under way: counted\">L\
         <th class=\"number\" title=\"requests under way: rate times mean latency\">λ·W<th class=\"number\">CPU s/M\
         <th class=\"why\">why not",
        &rows,
    )
}

fn row(index: usize, trial: &Trial, place: &Place) -> String {
    let at = place.at("figures");
    let figures = &trial.figures;
    let (outcome, mark) = match trial.verdict {
        Verdict::Held => ("held", "✓"),
        Verdict::Broke => ("broken", "✗"),
        Verdict::Unknown => ("unknown", "?"),
    };
    let per_s = |name: &str, value: f64| at.decimal(name, value, number::rate(value)).to_string();
    let mut judged = figures.thresholds.iter().enumerate();
    let judged = judged.find_map(|(index, threshold)| {
        let is_time = threshold.unit == crate::run::threshold::Unit::Us;
        let us = threshold.measured.filter(|_| is_time)?;
        Some(
            at.at("thresholds")
                .at(index)
                .time("measured", us)
                .to_string(),
        )
    });
    let little = figures.little.map(|little| {
        let place = at.at("little");
        let counted = little.in_flight;
        let counted = place.decimal("in_flight", counted, format!("{counted:.2}"));
        format!("{counted}<td class=\"number\">{:.2}", little.product())
    });
    let cpu = figures.cpu.map(|cpu| {
        let place = at.at("cpu");
        let generator = cpu.generator_s_per_million;
        let generator = place.decimal(
            "generator_s_per_million",
            generator,
            format!("{generator:.1}"),
        );
        match cpu.servers_s_per_million {
            Some(servers) => {
                let servers =
                    place.decimal("servers_s_per_million", servers, format!("{servers:.1}"));
                format!("{servers} + {generator}")
            }
            None => format!("? + {generator}"),
        }
    });
    let reasons = trial
        .reasons
        .iter()
        .map(|it| format!("<li>{}", Escaped(&it.text)));
    let reasons: String = reasons.collect();
    format!(
        "<tr class=\"{outcome}\"><td class=\"sign\"><span class=\"mark\" title=\"{}\">{mark}</span><td class=\"short\">{} {}\
         <td class=\"number\">{}<td class=\"number\">{}<td class=\"number\">{}<td class=\"number\">{}<td class=\"number\">{}\
         <td class=\"number\">{}<td class=\"why\">{}</tr>",
        text::verdict(trial.verdict),
        index + 1,
        text::phase(trial.phase),
        rate(place, trial.rate_per_s),
        per_s("sends_per_s", figures.sends_per_s),
        per_s("deliveries_per_s", figures.deliveries_per_s),
        judged.unwrap_or_else(|| "–".to_owned()),
        little.unwrap_or_else(|| "–<td class=\"number\">–".to_owned()),
        cpu.unwrap_or_else(|| "–".to_owned()),
        if reasons.is_empty() {
            reasons
        } else {
            format!("<ul class=\"cases\">{reasons}</ul>")
        },
    )
}

/// What one more recipient costs.
fn cost(search: &Capacity, place: &Place) -> String {
    let Some(line) = search.cost else {
        return "<p class=\"lead\">All rooms were of one size, so it is not known what one more recipient costs.</p>"
            .to_owned();
    };
    let place = place.at("cost");
    let us = |name: &str, value: f64| {
        let shown = match value.abs() {
            10_000.0.. => format!("{:.1} ms", value / 1000.0),
            _ => format!("{value:.1} µs"),
        };
        place.decimal(name, value, shown)
    };
    let explained = place.decimal(
        "r_squared",
        line.r_squared,
        format!("{:.3}", line.r_squared),
    );
    format!(
        "<p class=\"lead\">At the highest rate that held, the last recipient of a broadcast had it after {} and {} more for \
         each recipient. The line has r² {explained}; broadcasts are {} off it (one standard \
         deviation).{}</p>",
        us("a_us", line.a_us),
        us("b_us", line.b_us),
        us("residual_us", line.residual_us),
        match line.r_squared {
            ..0.5 =>
                " Something else than the size of the room weighs more: mostly what else was under way.",
            _ => "",
        },
    )
}

fn environment(search: &Capacity) -> String {
    let environment = search.environment.iter();
    let environment = environment.map(|(name, value)| (name.as_str(), value.clone()));
    let options = search.options.iter();
    let options = options.map(|(name, value)| (name.as_str(), tables::option(value)));
    tables::list(&environment.chain(options).collect::<Vec<_>>())
}

pub const METHOD: &str = "<p class=\"note\">Each trial is a whole load test at one rate: all users log in, send at \
    planned times, hear and leave, and all that a load test checks is checked. Latencies count from when a send was planned; \
    the warm-up is not in the figures. A trial is one vote: the interval is where the fewest votes are on the wrong side, and \
    each end is tried again until it is confirmed, so that no single lucky or unlucky trial decides. <b>Sure</b> is how much of \
    the weight lies above one half, of the chance that a trial at this rate ends so, if all chances were equally likely before. \
    A trial that broke though it would have held without the generator’s own delay is <b>unknown</b>, and no vote. \
    <b>L = λ·W</b> is Little’s law: requests under way, counted by the events’ times, against answers per second times \
    their mean latency; where they disagree, the latencies are not those of all requests, and the trial is unknown. \
    <b>The Universal Scalability Law</b> is X(N) = γN / (1 + σ(N − 1) + κN(N − 1)), fitted by least squares.</p>\n";
