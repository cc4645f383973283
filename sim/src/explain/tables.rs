//! What the users concerned did and saw, what the messages concerned owed to whom, and the faults.

use std::fmt::Write;
use std::time::Duration;

use super::Explained;
use super::{trouble, words};
use crate::clock::clock;
use crate::guarantees::{self, Demand};
use reports::escaped::Escaped;

/// As many rows of history are shown, the nearest to the broken promise.
const ROWS_MAX: usize = 1500;
/// As many faults.
const FAULTS_MAX: usize = 500;

/// The history of the users concerned.
pub fn history(explained: &Explained) -> String {
    let focus = &explained.focus;
    let history = explained.record.history.iter();
    let mut rows: Vec<_> = history
        .filter(|event| focus.users.contains(&event.user))
        .collect();
    let count = rows.len();
    rows.sort_by_key(|event| event.at.abs_diff(focus.at));
    rows.truncate(ROWS_MAX);
    rows.sort_by_key(|event| event.at);
    let mut table = String::from(
        "<thead><tr><th scope=\"col\">time<th scope=\"col\">session<th scope=\"col\">\
         <abbr title=\"did or saw\">↔</abbr><th scope=\"col\">what</tr></thead><tbody>",
    );
    let mut wrong = Some(wrong_row(explained));
    for event in rows {
        if event.at > focus.at {
            table.extend(wrong.take());
        }
        let (class, arrow, way) = match words::is_deed(&event.what) {
            true => ("did", "→", "did"),
            false => ("saw", "←", "saw"),
        };
        let is_it = event.at == focus.at && focus.users.first() == Some(&event.user);
        let class = if is_it { "it" } else { class };
        let moment = if focus.is_moment(event) {
            " moment"
        } else {
            ""
        };
        let _ = write!(
            table,
            "<tr class=\"{class}{moment}\"><td>{}<td>{}<td title=\"{way}\">{arrow}<td>{}</tr>",
            clock(event.at),
            Escaped(explained.session(event.user, event.login)),
            Escaped(words::told(&event.what)),
        );
    }
    table.extend(wrong.take());
    let left_out = match count.saturating_sub(ROWS_MAX) {
        0 => String::new(),
        more => format!("<p class=\"note\">{more} more, far from what matters, are left out.</p>"),
    };
    format!(
        "<div class=\"scroll tall\"><table class=\"history\">{table}</tbody></table></div>{left_out}"
    )
}

fn wrong_row(explained: &Explained) -> String {
    format!(
        "<tr class=\"broken\" id=\"broken\"><td>{}<td>{}<td title=\"broken\">✕<td>{}</tr>",
        clock(explained.focus.at),
        Escaped(explained.title()),
        Escaped(explained.wrong()),
    )
}

/// What each message that is named owed to whom; nothing if none is.
pub fn obligations(explained: &Explained) -> String {
    let mut text = String::new();
    for message in &explained.focus.messages {
        let mut owed = guarantees::owed(explained.record, *message);
        // What is not as it had to be first, and what nobody doubts last.
        owed.sort_by_key(|it| (it.is_kept(), it.demand));
        if owed.is_empty() {
            continue;
        }
        let _ = write!(
            text,
            "<h3>Message {message}</h3><div class=\"scroll tall\"><table class=\"owed\"><thead><tr>\
             <th scope=\"col\">session<th scope=\"col\">verdict<th scope=\"col\">heard\
             <th scope=\"col\">because</tr></thead><tbody>"
        );
        for it in owed {
            let (demand, name) = match it.demand {
                Demand::Must => ("must", "must hear it"),
                Demand::May => ("may", "may hear it"),
                Demand::MustNot => ("must-not", "must not"),
            };
            let row = if it.is_kept() { "kept" } else { "it" };
            let heard = if it.heard { "yes" } else { "no" };
            let _ = write!(
                text,
                "<tr class=\"{row}\"><td>{}<td><span class=\"demand {demand}\">{name}</span>\
                 <td>{heard}<td>{}</tr>",
                Escaped(it.session),
                Escaped(it.reason),
            );
        }
        text.push_str("</tbody></table></div>");
    }
    text
}

/// All faults of the run, those that concern the lanes marked.
pub fn faults(explained: &Explained) -> String {
    if explained.troubles.is_empty() {
        return String::from("<p>Nothing was done to this cluster: it had no faults.</p>");
    }
    let mut table = String::from(
        "<thead><tr><th scope=\"col\">from<th scope=\"col\">until<th scope=\"col\">for\
         <th scope=\"col\">kind<th scope=\"col\">what happens</tr></thead><tbody>",
    );
    for it in explained.troubles.iter().take(FAULTS_MAX) {
        let touched = explained.focus.is_touched(it, &explained.record.user_hosts);
        let class = if touched { "touched" } else { "away" };
        let kind = it.planned.kind();
        let kind = kind.map_or(String::from("latency"), |kind| kind.name().to_owned());
        let (until, time) = match it.until - it.planned.at {
            Duration::ZERO => (String::from("–"), String::from("a moment")),
            time => (clock(it.until), words::span(time)),
        };
        let _ = write!(
            table,
            "<tr class=\"{class}\"><td>{}<td>{until}<td class=\"number\">{time}<td>{kind}<td>{}</tr>",
            clock(it.planned.at),
            Escaped(words::fault(&it.planned)),
        );
    }
    let left_out = match explained.troubles.len().saturating_sub(FAULTS_MAX) {
        0 => String::new(),
        more => format!("<p class=\"note\">{more} more are left out.</p>"),
    };
    format!(
        "<div class=\"scroll tall\"><table class=\"faults\">{table}</tbody></table></div>{left_out}\
         <p class=\"note\">Bold: what is on the lanes above, or between two of them. {}</p>",
        again_and_again(explained),
    )
}

fn again_and_again(explained: &Explained) -> String {
    let groups = trouble::grouped(&explained.troubles).len();
    let count = explained.troubles.len();
    match groups == count {
        true => String::new(),
        false => {
            format!("{count} faults that make {groups} kinds of trouble, some again and again.")
        }
    }
}
