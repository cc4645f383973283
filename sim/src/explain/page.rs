//! The page itself.

use std::fmt::{Display, Write};

use super::Explained;
use super::diagram::{self, Diagram};
use super::story::{self, Kind};
use super::tables;
use super::words;
use crate::clock::clock;
use reports::escaped::Escaped;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// What the page may do: its own style and its own script, known by their SHA-256, and no more.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; \
    style-src 'sha256-ctUj1B/nLP+pmQFLMa0hfY8LSMn/Ej6seqOj6opWqac='; \
    script-src 'sha256-gYhJaRWIqRAo4T4ulEwRuVPbk68zGakMHe1KhSln3Q0='";

/// As many other broken promises are listed.
const OTHERS_MAX: usize = 30;

/// Writes it.
pub fn write(explained: &Explained) -> String {
    let diagram = diagram::draw(explained);
    let case = explained.case;
    let title = format!(
        "{} · {} seed {}",
        explained.title(),
        case.scenario,
        case.seed
    );
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>{}</title><style>{STYLE}</style></head><body><main>\n",
        Escaped(title)
    );
    page += &header(explained);
    page += &section("story", "What happened", &story(explained, &diagram));
    page += &section("diagram", "Who sent what to whom", &figure(&diagram));
    let owed = tables::obligations(explained);
    if !owed.is_empty() {
        page += &section("owed", "To whom it was owed", &owed);
    }
    let history = tables::history(explained);
    page += &section("history", "What the users concerned did and saw", &history);
    page += &section(
        "faults",
        "What was done to the cluster",
        &tables::faults(explained),
    );
    page += &section("run", "The run", &run(explained));
    let _ = writeln!(page, "</main><script>{SCRIPT}</script></body></html>");
    page
}

fn section(id: &str, title: &str, content: &str) -> String {
    format!("<section id=\"{id}\"><h2>{title}</h2>\n{content}</section>\n")
}

fn header(explained: &Explained) -> String {
    let case = explained.case;
    let at = clock(explained.focus.at);
    let seed = case.seed;
    let scenario = Escaped(&case.scenario);
    let headline = match explained.violation {
        Some(violation) => {
            let name = violation.guarantee.to_string();
            let (number, name) = name.split_once(' ').unwrap_or((&name, ""));
            format!(
                "<p class=\"where\">{scenario} <span>seed {seed}</span></p>\
                 <h1><span class=\"number\">{number}</span> {name} <span class=\"at\">broken at {at}</span></h1>\
                 <p class=\"demands\">The promise: {}.</p>",
                violation.guarantee.demands()
            )
        }
        None => {
            let (what, note) = match &explained.capsule.verdict.missed {
                Some(_) => (
                    "Nothing was broken",
                    "It should have been: the run is of a canary.",
                ),
                None => (
                    "The run broke off",
                    "No promise was checked: what is cut short would look like promises broken.",
                ),
            };
            format!(
                "<p class=\"where\">{scenario} <span>seed {seed}</span></p>\
                 <h1>{what} <span class=\"at\">at {at}</span></h1>\
                 <p class=\"demands\">{note}</p>"
            )
        }
    };
    format!(
        "<header>{headline}<p class=\"wrong\">{}</p>{}{}{}</header>\n",
        Escaped(explained.wrong()),
        warning(explained),
        command(explained),
        identity(explained),
    )
}

/// Said at the top if what follows is not what the capsule is about.
fn warning(explained: &Explained) -> String {
    if explained.replay.difference.is_none() {
        return String::new();
    }
    let now = match explained.replay.outcome.held() {
        true => "it does not fail any more",
        false => "it is not the one that failed, or is judged in another way",
    };
    format!(
        "<div class=\"warning\" role=\"alert\"><strong>The code or the capsule has changed since: what \
         follows is the run as it is now, and {now}.</strong><pre>{}</pre></div>",
        Escaped(explained.replay.told(explained.capsule))
    )
}

fn command(explained: &Explained) -> String {
    format!(
        "<div class=\"command\"><span class=\"label\">Again</span><code id=\"command\">{}</code>\
         <button type=\"button\" id=\"copy\" hidden>Copy</button></div>",
        Escaped(&explained.capsule.command)
    )
}

/// By what the run is recognised.
fn identity(explained: &Explained) -> String {
    let (chain, versions) = (&explained.capsule.chain, &explained.capsule.versions);
    let versions: Vec<_> = versions
        .iter()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    format!(
        "<p class=\"note\">trace <code>{:016x}</code>, {} events; {}</p>",
        chain.hash,
        chain.events,
        Escaped(versions.join(", "))
    )
}

fn story(explained: &Explained, diagram: &Diagram) -> String {
    let (sentences, left_out) = story::tell(explained);
    let mut text = format!("<p class=\"setting\">{}</p>", Escaped(setting(explained)));
    if left_out > 0 {
        let _ = write!(
            text,
            "<p class=\"note\">{left_out} earlier moments are left out; the tables below have them.</p>"
        );
    }
    text.push_str("<ol class=\"story\">");
    for sentence in sentences {
        let time = clock(sentence.at);
        let time = match diagram.scale.has(sentence.at) {
            true => format!("<a href=\"#t{}\">{time}</a>", sentence.at.as_millis()),
            false => time,
        };
        let kind = sentence.kind.name();
        let _ = write!(
            text,
            "<li class=\"{kind}\"><span class=\"time\">{time}</span><span class=\"kind\">{kind}</span>\
             <span class=\"text\">{}</span></li>",
            Escaped(sentence.text)
        );
        if let (Kind::Wrong, Some(violation)) = (sentence.kind, explained.violation) {
            let _ = write!(
                text,
                "<li class=\"instead\"><span class=\"time\"></span><span class=\"kind\">instead</span>\
                 <span class=\"text\">{}</span></li>",
                words::instead(violation.guarantee)
            );
        }
    }
    text + "</ol>"
}

/// Where it happened.
fn setting(explained: &Explained) -> String {
    let case = explained.case;
    let described = case.to_string();
    let cluster = described.lines().next().unwrap_or_default();
    let cluster = cluster
        .split_once(": ")
        .map_or(cluster, |(_, cluster)| cluster);
    let mut text = format!("The cluster: {cluster}.");
    for room in &explained.focus.rooms {
        if let Some(chat) = case.topology.chat_of(room) {
            let _ = write!(text, " {room} lives on {}.", case.topology.chats[chat].id);
        }
    }
    if let Some(flaws) = described
        .lines()
        .find_map(|line| line.strip_prefix("flaws: "))
    {
        let _ = write!(text, " The servers were given flaws on purpose: {flaws}.");
    }
    let _ = write!(
        text,
        " Faults come until {}, when all is healed; from {} on all must be as ever.",
        clock(case.times.healed_at),
        clock(case.times.settled_at)
    );
    text
}

fn figure(diagram: &Diagram) -> String {
    format!(
        "<div class=\"controls\" hidden>\
         <label>Zoom <input type=\"range\" id=\"zoom\" min=\"40\" max=\"250\" value=\"100\"></label>\
         <label><input type=\"checkbox\" id=\"show-servers\" checked> between servers</label>\
         <label><input type=\"checkbox\" id=\"show-users\" checked> other traffic of users</label>\
         <a href=\"#broken-here\" id=\"jump\">to the broken promise</a></div>\
         {LEGEND}\
         <div class=\"scroll lanes\" id=\"lanes\" tabindex=\"0\" aria-label=\"diagram\">{}{}</div>\
         <p class=\"detail\" id=\"detail\" hidden>Point at anything to read it in words.</p>\
         <p class=\"note\">Time runs down, not evenly: moments that matter have a row each, idle time is \
         compressed. An arrow goes from when bytes were written to when they were read; what is in them is \
         not looked into, so the way of a message is told by its times. {}</p>",
        diagram.head, diagram.body, diagram.note
    )
}

const LEGEND: &str = "<ul class=\"legend\"><li class=\"way\">the way of the message</li>\
    <li class=\"users\">users concerned</li><li class=\"servers\">between servers</li>\
    <li class=\"lost\">never read</li><li class=\"mark\">rare path</li>\
    <li class=\"trouble\">fault</li><li class=\"wrong\">broken promise</li></ul>";

fn run(explained: &Explained) -> String {
    let (capsule, outcome) = (explained.capsule, &explained.replay.outcome);
    let mut list = String::new();
    let mut add = |name: &str, value: &dyn Display| {
        let _ = write!(list, "<dt>{name}<dd>{}", Escaped(value));
    };
    add("scenario", &explained.case.scenario);
    add("seed", &explained.case.seed);
    add("simulated", &words::span(capsule.simulated));
    add("deliveries", &outcome.deliveries);
    add("replayed", &explained.replay.told(capsule));
    format!("<dl>{list}</dl>{}", others(explained))
}

/// What else was broken in this run.
fn others(explained: &Explained) -> String {
    let verdict = &explained.capsule.verdict;
    let others = verdict.violations.iter();
    let others: Vec<_> = others
        .filter(|it| Some(*it) != explained.violation)
        .collect();
    if others.is_empty() {
        return String::new();
    }
    let mut list = String::new();
    for violation in others.iter().take(OTHERS_MAX) {
        let _ = write!(list, "<li>{}</li>", Escaped(violation));
    }
    // Whoever changes a capsule by hand may forget the total.
    let count = verdict.violations_total.saturating_sub(1);
    let count = count.max(others.len());
    let more = count - others.len().min(OTHERS_MAX);
    let more = match more {
        0 => String::new(),
        more => format!("<p class=\"note\">and {more} more</p>"),
    };
    format!(
        "<details><summary>What else was broken in this run ({count})</summary><ul>{list}</ul>{more}</details>"
    )
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_policy_knows_the_style_and_the_script_of_the_page() {
        for (what, text) in [("style", STYLE), ("script", SCRIPT)] {
            let hash = STANDARD.encode(Sha256::digest(text));
            let directive = format!("{what}-src 'sha256-{hash}'");
            assert!(POLICY.contains(&directive), "{directive}");
        }
    }
}
