//! The page of a comparison of two builds: the verdict, each pair, and the interval that decides.

mod axis;
mod chart;
mod pairs;

use std::fmt::Write;

use super::number::Place;
use super::top::{self, Top};
use super::{document, section, tables};
use crate::ab::{Ab, Decision, Metric, Unit, Verdict, sentence};
use crate::escaped::Escaped;
use crate::page::number;

/// The page of `ab`.
pub fn page(ab: &Ab) -> String {
    let mut page = header(ab);
    page += &top::tiles(&tiles(ab));
    page += &section("compared", "What was compared", &compared(ab));
    for (index, metric) in ab.metrics.iter().enumerate() {
        let title = Escaped(&metric.metric).to_string();
        let content = format!("{}{}", decided(ab, index), chart::figure(ab, metric));
        page += &section(&format!("metric-{index}"), &title, &content);
    }
    page += &section("pairs", "All pairs", &pairs::table(ab));
    page += &section("discarded", "Pairs that were thrown away", &discarded(ab));
    page += &section("method", "How it was decided", METHOD);
    document(&format!("{} · {}", ab.verdict.name(), ab.name), &page)
}

fn header(ab: &Ab) -> String {
    let kind = top::made_by("comparison of two builds", &ab.program);
    let mut lead = String::new();
    for reason in &ab.reasons {
        let _ = write!(lead, "<p class=\"lead\">{}</p>", Escaped(reason));
    }
    if ab.verdict == Verdict::Invalid && !ab.metrics.is_empty() {
        lead += "<p class=\"lead\">What the pairs came to is shown all the same, and decides nothing.</p>";
    }
    let top = Top {
        name: &ab.name,
        origin: format!("{kind} · {}", top::date(&ab.date)),
        class: match ab.verdict {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Invalid | Verdict::Inconclusive => "invalid",
        },
        word: ab.verdict.name(),
        sentence: told(ab),
        lead,
        warnings: &[],
        command: &ab.command,
    };
    top.header()
}

/// What it comes to, with the metrics that it comes from.
fn told(ab: &Ab) -> String {
    let sentence = top::capitalized(&sentence(ab));
    let decides = |metric: &&Metric| match ab.verdict {
        _ if !ab.reasons.is_empty() => false,
        Verdict::Fail => metric.decision == Decision::Fail,
        Verdict::Inconclusive => matches!(metric.decision, Decision::Inconclusive { .. }),
        Verdict::Pass => true,
        Verdict::Invalid => false,
    };
    let metrics = ab.metrics.iter().filter(decides).map(|metric| {
        let shown = |value| number::difference(metric.unit, value);
        let interval = &metric.interval;
        let (estimate, low, high) = (interval.estimate, interval.low, interval.high);
        format!(
            "{} {} ({} to {})",
            metric.metric,
            shown(estimate),
            shown(low),
            shown(high)
        )
    });
    let metrics: Vec<String> = metrics.collect();
    match metrics.is_empty() {
        true => sentence,
        // A number is not parted from its unit.
        false => format!(
            "{sentence}: {}",
            metrics.join(", ").replace(" %", "\u{a0}%")
        ),
    }
}

/// A number of the interval of metric `index`.
fn of_interval(index: usize, unit: Unit, name: &str, value: f64) -> String {
    let place = Place::of("metrics").at(index).at("interval");
    let shown = number::difference(unit, value);
    place.decimal(name, value, shown).to_string()
}

/// What `metric` comes to, in one word: nothing where the comparison does not.
fn word(ab: &Ab, metric: &Metric) -> &'static str {
    match ab.verdict {
        Verdict::Invalid => ab.verdict.name(),
        _ => metric.decision.name(),
    }
}

fn tiles(ab: &Ab) -> String {
    let mut tiles = String::new();
    for (index, metric) in ab.metrics.iter().enumerate() {
        let number = |name, value| of_interval(index, metric.unit, name, value);
        let interval = &metric.interval;
        let (low, high) = (number("low", interval.low), number("high", interval.high));
        tiles += &top::tile(
            &metric.metric,
            &number("estimate", interval.estimate),
            &format!("{low} to {high} · {}", word(ab, metric)),
        );
    }
    let below = match ab.discarded.len() {
        0 => String::from("none thrown away"),
        count => format!("{count} more thrown away"),
    };
    tiles + &top::tile("Pairs", &number::count(ab.pairs.len() as u64), &below)
}

/// What the interval of metric `index` says, in sentences.
fn decided(ab: &Ab, index: usize) -> String {
    let metric = &ab.metrics[index];
    let number = |name, value| of_interval(index, metric.unit, name, value);
    let interval = &metric.interval;
    let confidence = ab.confidence_percent;
    let confidence =
        Place::whole().decimal("confidence_percent", confidence, format!("{confidence} %"));
    let decision = match metric.decision {
        _ if ab.verdict == Verdict::Invalid => {
            String::from("As all of it is invalid, that decides nothing.")
        }
        Decision::Pass => String::from(
            "All of the interval is below that: the new build is not slower by as much as counts.",
        ),
        Decision::Fail => String::from(
            "All of the interval is above that: the new build is slower by more than counts.",
        ),
        Decision::Inconclusive {
            pairs_needed: Some(pairs),
        } => {
            let place = Place::of("metrics").at(index).at("decision");
            format!(
                "That is inside the interval: these pairs do not tell. If the noise stays as it is, it takes {} pairs in all.",
                place.count("pairs_needed", pairs.into())
            )
        }
        Decision::Inconclusive { pairs_needed: None } => String::from(
            "That is inside the interval, and so near to the best guess that no number of pairs would tell.",
        ),
    };
    let word = word(ab, metric);
    format!(
        "<p class=\"lead\"><b class=\"decision {}\">{word}</b> New − base is {}, and with {confidence} confidence from {} to {}. \
         It counts from {}. {decision}</p>",
        word.to_lowercase(),
        number("estimate", interval.estimate),
        number("low", interval.low),
        number("high", interval.high),
        number("limit", interval.limit),
    )
}

/// What was done to which builds.
fn compared(ab: &Ab) -> String {
    let mut entries = vec![
        ("base", ab.base.clone()),
        ("new", ab.new.clone()),
        ("counts from", ab.effect.clone()),
        (
            "confidence",
            format!("{} %, all figures together", ab.confidence_percent),
        ),
    ];
    for (name, value) in &ab.plan {
        entries.push((name, tables::option(value)));
    }
    tables::list(&entries)
}

fn discarded(ab: &Ab) -> String {
    if ab.discarded.is_empty() {
        return String::new();
    }
    let discarded = ab.discarded.iter();
    let discarded: String = discarded.map(|it| format!("<li>{}", Escaped(it))).collect();
    format!(
        "<p class=\"lead\">The generator or the machine was the limit in them, so they say nothing of either build. \
         They were done again.</p><ul class=\"cases\">{discarded}</ul>\n"
    )
}

const METHOD: &str = "<p class=\"note\">Both builds run the same plan with the same seed, one right after the other: a \
    <b>pair</b>. The order turns from pair to pair (base new, new base, base new …), so that neither what differs between \
    pairs nor a steady drift within them is taken for a difference of the builds. Each pair gives one difference, new − base: \
    of logarithms if a share counts, else of times. The interval is Student’s, with the variance within either order of \
    running; where several figures decide, the doubt is shared out among them, so that the confidence is that of all together. \
    The number of pairs is fixed before the first. <b>PASS</b>: all of the interval is below what counts. <b>FAIL</b>: all of \
    it is above, or the new build does not do what base does. <b>INCONCLUSIVE</b>: what counts lies inside. <b>INVALID</b>: \
    the generator or the machine was the limit, or base itself did not hold.</p>\n";
