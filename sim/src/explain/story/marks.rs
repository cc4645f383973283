//! The rare paths that servers took, as far as they may concern the story.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cluster::marks::Mark;

use super::{Kind, Sentence};
use crate::explain::Explained;
use crate::explain::wires::Passed;
use crate::guarantees::Guarantee;

/// Marks of one kind that come so soon after another are one.
const AGAIN: Duration = Duration::from_secs(1);
/// A mark of some session that is so near to a moment of a user concerned may well be of that user.
const NEAR: Duration = Duration::from_millis(30);

/// The rare paths that the servers concerned took; each group is of one server and one mark.
pub fn marks<'a>(explained: &'a Explained) -> Vec<Vec<&'a Passed>> {
    let mut groups: Vec<Vec<&Passed>> = Vec::new();
    let mut last: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let moments = moments(explained);
    let guarantee = explained.violation.map(|violation| violation.guarantee);
    let tells_strangers = guarantee == Some(Guarantee::BadInput);
    let shown = explained.wires.marks.iter().filter(|mark| {
        let is_here = explained.focus.servers.contains(&mark.host);
        let near = moments.range(mark.at.saturating_sub(NEAR)..=mark.at + NEAR);
        let concerns = is_of_all(&mark.mark)
            || tells_strangers
            || !is_of_strangers(&mark.mark) && near.count() > 0;
        explained.is_shown(mark.at) && is_here && concerns
    });
    for mark in shown {
        let key = (&*mark.host, &*mark.mark);
        let group = last.get(&key).copied();
        match group.filter(|group| mark.at <= groups[*group][groups[*group].len() - 1].at + AGAIN) {
            Some(group) => groups[group].push(mark),
            None => {
                last.insert(key, groups.len());
                groups.push(vec![mark]);
            }
        }
    }
    groups
}

/// When something happened to the users concerned.
fn moments(explained: &Explained) -> BTreeSet<Duration> {
    let history = explained.record.history.iter();
    let moments = history.filter(|event| explained.focus.is_moment(event));
    moments.map(|event| event.at).collect()
}

/// Whether a mark is of a link or of a whole server, and not of one session, which may be of
/// anybody.
fn is_of_all(name: &str) -> bool {
    let mark = Mark::ALL.iter().find(|mark| mark.name() == name);
    mark.is_some_and(|mark| {
        matches!(
            mark,
            Mark::StoppedWithSessions
                | Mark::LinkResumed
                | Mark::Resent
                | Mark::ChatRestarted
                | Mark::LinkForgotten
                | Mark::LeaseRanOut
                | Mark::SessionsGivenUp
                | Mark::PingUnanswered
                | Mark::DialHung
                | Mark::ConnectorRestarted
                | Mark::OldProcessRefused
                | Mark::CutOffRefused
                | Mark::ConnectorExpired
                | Mark::ConnectorSaidGoodbye
                | Mark::FellBehind
                | Mark::CutOff
                | Mark::AnsweredWithoutDead
                | Mark::AllReported
                | Mark::ReportsOverdue
                | Mark::ReportTooLate
                | Mark::ReportForgotten
                | Mark::NoticesRepeated
                | Mark::WentMeanwhile
        )
    })
}

/// Whether a mark is of a client that never gets in.
fn is_of_strangers(name: &str) -> bool {
    let strangers = [
        Mark::HandshakeTimedOut,
        Mark::HandshakeRefused,
        Mark::HandshakeBroken,
        Mark::BadBytes,
    ];
    strangers.iter().any(|mark| mark.name() == name)
}

/// What a mark means.
pub fn about(name: &str) -> &'static str {
    let mark = Mark::ALL.iter().find(|mark| mark.name() == name);
    mark.map_or("a rare path", |mark| mark.about())
}

/// A group as a sentence.
pub fn told(group: &[&Passed]) -> Sentence {
    let first = group[0];
    let times = match group.len() {
        1 => String::new(),
        count => format!(", {count} times"),
    };
    Sentence {
        at: first.at,
        kind: Kind::Mark,
        text: format!(
            "{}: {} ({}{times}).",
            first.host,
            about(&first.mark),
            first.mark
        ),
    }
}
