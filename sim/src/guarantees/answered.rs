//! G8: each request is answered once, in time, or its session ends.
//!
//! Demanded:
//!
//! - every `enter` and every send has its answer within [`answer`](crate::record::Bounds): the
//!   servers' deadline and the way there and back; or its session has ended by then, however;
//! - what was asked of a chat server that then crashed, or while it was down, has its answer once
//!   that is back and the connector has dialled it, if that is sooner: it will never be answered,
//!   and the connector knows;
//! - no second answer, and no answer to what was not asked;
//! - success only for a session in a room: a send from nowhere is answered with an error;
//! - a login comes to `enter` within the time that its few round trips can take, and fails only
//!   if a fault touched its way.
//!
//! Let pass: if a fault touched the user's host, its connector (the gate, for a login) or the way
//! between, then the answer may come, or the session end, later: when that is over and the
//! cluster had its time to recover, plus the deadline. Nothing that happens between connector and
//! chat server is an excuse: the deadline is there for that. Deaf users see no answers.

use std::time::Duration;

use loadgen::history::What;

use super::sessions::{End, Session};
use super::trouble::Span;
use super::view::View;
use super::{Findings, clock};

/// Checks the guarantee.
pub fn check(view: &View) -> Findings {
    let mut findings = Findings::new();
    let trouble: Vec<_> = view
        .sessions
        .iter()
        .map(|session| view.trouble_of(session))
        .collect();
    for (session, spans) in view.sessions.iter().zip(&trouble) {
        findings.extend(login(view, session));
        findings.extend(enters(view, session, spans));
        findings.extend(unasked(session));
    }
    for (message, sent) in &view.messages.sent {
        let session = &view.sessions[sent.session];
        let answered_at = sent.answer.map(|(at, _)| at);
        let what = format!("message {message}");
        let spans = &trouble[sent.session];
        let answer_by = answer_by(view, session, spans, sent.at);
        findings.extend(late(view, session, answer_by, sent.at, answered_at, &what));
        if let (Some(at), true) = (sent.accepted_at(), sent.places.is_empty()) {
            let what = format!("{session} was in no room, but {what} was answered with success");
            findings.push((at, what));
        }
    }
    findings
}

fn enters(view: &View, session: &Session, spans: &[Span]) -> Findings {
    let mut findings = Findings::new();
    for enter in &session.enters {
        let answered_at = enter.answer.map(|(at, _)| at);
        let what = format!("enter {}", enter.room);
        let answer_by = answer_by(view, session, spans, enter.asked_at);
        let late = late(view, session, answer_by, enter.asked_at, answered_at, &what);
        findings.extend(late);
    }
    findings
}

/// Answers to requests that had theirs already, or were never sent.
fn unasked(session: &Session) -> Findings {
    let events = session.events.iter();
    let unasked = events.filter_map(|event| match event.what {
        What::Unasked { id } => {
            let what = format!("{session} had an answer to request {id}, which was not open");
            Some((event.at, what))
        }
        _ => None,
    });
    unasked.collect()
}

/// When a request is to be answered at the latest; `spans` is what touched its session.
fn answer_by(view: &View, session: &Session, spans: &[Span], asked_at: Duration) -> Duration {
    let answer = view.bounds.answer();
    match view.recovered_after(spans, asked_at) {
        Some(recovered_at) => recovered_at.max(asked_at) + answer,
        None => refused_by(view, session, asked_at)
            .unwrap_or(Duration::MAX)
            .min(asked_at + answer),
    }
}

/// When a request is refused that was under way to a chat server as that crashed: if nothing else
/// was wrong between the session's connector and the chat servers of all its rooms.
fn refused_by(view: &View, session: &Session, asked_at: Duration) -> Option<Duration> {
    let enters = session.enters.iter();
    let mut hosts: Vec<&str> = enters.map(|enter| view.chat_of(enter.room)).collect();
    hosts.sort_unstable();
    hosts.dedup();
    // With two chat servers the one that is asked may be the one that lives.
    let [chat] = hosts[..] else { return None };
    let spans = view.trouble.among(&[chat, session.connector?]);
    let deadline = asked_at + view.bounds.answer();
    let from = asked_at.saturating_sub(view.bounds.recovery());
    let mut near = spans.iter().filter(|span| span.touches(from, deadline));
    let (Some(crash), None) = (near.next(), near.next()) else {
        return None;
    };
    let is_crash = view.trouble.down_spans(chat).contains(crash);
    let is_under_way = asked_at < crash.until && crash.from < deadline;
    // A machine without power does not say so: it is missed after half a lease.
    let dialled_from = crash.until.max(crash.from + view.bounds.lease / 2);
    let refused_at = dialled_from + view.bounds.relink() + view.bounds.one_way();
    (is_crash && is_under_way).then_some(refused_at)
}

/// What is wrong if a request had no answer by its time, and its session had not ended.
fn late(
    view: &View,
    session: &Session,
    answer_by: Duration,
    asked_at: Duration,
    answered_at: Option<Duration>,
    what: &str,
) -> Option<(Duration, String)> {
    let settled_by = answered_at
        .unwrap_or(Duration::MAX)
        .min(session.attentive_until());
    if settled_by <= answer_by || answer_by > view.record.ended_at {
        return None;
    }
    let told = match answered_at {
        Some(at) => format!("was answered only at {}", clock(at)),
        None => String::from("was never answered"),
    };
    let what = format!("{session}: {what}, asked at {}, {told}", clock(asked_at));
    Some((answer_by, what))
}

fn login(view: &View, session: &Session) -> Option<(Duration, String)> {
    let began_at = session.login_at?;
    let enter_by = began_at + view.bounds.login();
    let came_at = session.enters.first().map(|enter| enter.asked_at);
    let ended_at = came_at.unwrap_or(Duration::MAX).min(session.end_at());
    let has_failed = matches!(session.end, Some((_, End::Failed)));
    let is_late = ended_at > enter_by && enter_by <= view.record.ended_at;
    if !(has_failed || is_late) {
        return None;
    }
    let gates = view.record.topology.gates.iter();
    let mut way: Vec<&str> = gates.map(|gate| gate.id.as_str()).collect();
    way.push(session.host);
    way.extend(session.connector);
    let spans = view.trouble_on(session, &way);
    if view.recovered_after(&spans, began_at).is_some() {
        return None;
    }
    let at = ended_at.min(enter_by);
    let what = if has_failed {
        "failed"
    } else {
        "took too long"
    };
    let what = format!("{session}: the login begun at {} {what}", clock(began_at));
    Some((at, what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::story::{
        ALICE, CHAT, CONNECTOR_1, GATE, Story, USERS, hold, partition, pause, power_cut, release,
        repair, restart, resume,
    };

    fn findings(story: Story) -> usize {
        check(&View::new(&story.record())).len()
    }

    fn alice() -> Story {
        Story::new().enters(100, ALICE, "red", &[ALICE])
    }

    #[test]
    fn an_answer_in_time_is_an_answer_with_success_or_without() {
        let story = alice()
            .says(1000, ALICE, 1)
            .says(1001, ALICE, 2)
            .gets_answer(1010, ALICE, 1, true)
            .gets_answer(4060, ALICE, 2, false);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn a_message_that_is_never_answered_is_found() {
        assert_eq!(findings(alice().says(1000, ALICE, 1)), 1);
    }

    #[test]
    fn a_message_that_is_answered_too_late_is_found() {
        let story = alice()
            .says(1000, ALICE, 1)
            .gets_answer(4200, ALICE, 1, true);
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn a_session_that_ends_in_time_owes_no_answer() {
        assert_eq!(
            findings(alice().says(1000, ALICE, 1).gets_kicked(4000, ALICE)),
            0
        );
        assert_eq!(
            findings(alice().says(1000, ALICE, 1).leaves(1001, ALICE)),
            0
        );
        assert_eq!(
            findings(alice().says(1000, ALICE, 1).closes(4500, ALICE)),
            1
        );
    }

    #[test]
    fn a_deaf_user_sees_no_answer() {
        assert_eq!(
            findings(alice().goes_deaf(900, ALICE).says(1000, ALICE, 1)),
            0
        );
    }

    #[test]
    fn a_second_answer_is_found() {
        let story = alice()
            .says(1000, ALICE, 1)
            .gets_answer(1010, ALICE, 1, true)
            .gets_unasked_answer(1020, ALICE, 2);
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn an_answer_to_nothing_is_found() {
        assert_eq!(findings(alice().gets_unasked_answer(1010, ALICE, 7)), 1);
    }

    #[test]
    fn an_enter_that_is_never_answered_is_found() {
        let story = Story::new().logs_in(1000, ALICE).asks(1000, ALICE, "red");
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn success_for_a_message_from_nowhere_is_found() {
        let story = |ok| {
            Story::new()
                .logs_in(1000, ALICE)
                .asks(1000, ALICE, "red")
                .gets_refused(1010, ALICE, true)
                .says(1011, ALICE, 1)
                .gets_answer(1020, ALICE, 1, ok)
        };
        assert_eq!(findings(story(false)), 0);
        assert_eq!(findings(story(true)), 1);
    }

    #[test]
    fn a_dead_chat_server_is_no_excuse() {
        let story = alice()
            .fault(900, pause(CHAT))
            .fault(8000, resume(CHAT))
            .says(1000, ALICE, 1)
            .gets_answer(8010, ALICE, 1, true);
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn what_a_chat_server_forgot_is_refused_when_it_is_back() {
        let crashed = || {
            alice()
                .says(1000, ALICE, 1)
                .fault(1001, power_cut(CHAT))
                .fault(1200, restart(CHAT))
        };
        assert_eq!(findings(crashed().gets_answer(3200, ALICE, 1, false)), 0);
        assert_eq!(findings(crashed().gets_answer(3300, ALICE, 1, false)), 1);
        let cut = crashed().fault(900, partition(CONNECTOR_1, CHAT));
        assert_eq!(findings(cut.gets_answer(4000, ALICE, 1, false)), 0);
    }

    #[test]
    fn a_connector_that_stands_still_answers_when_it_goes_on() {
        let story = alice()
            .fault(900, pause(CONNECTOR_1))
            .fault(5500, resume(CONNECTOR_1))
            .says(1000, ALICE, 1)
            .gets_answer(5510, ALICE, 1, true);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn a_request_into_a_connection_that_died_before_ends_with_it() {
        let story = alice()
            .fault(500, partition(USERS, CONNECTOR_1))
            .fault(600, repair(USERS, CONNECTOR_1))
            .says(1000, ALICE, 1)
            .closes(7000, ALICE);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn a_hold_delays_the_answer_but_does_not_swallow_it() {
        let held = || {
            alice()
                .fault(900, hold(USERS, CONNECTOR_1))
                .fault(5500, release(USERS, CONNECTOR_1))
                .says(1000, ALICE, 1)
        };
        assert_eq!(findings(held().gets_answer(5520, ALICE, 1, true)), 0);
        assert_eq!(findings(held()), 1);
    }

    #[test]
    fn a_login_fails_only_if_something_was_in_its_way() {
        let reason = String::from("no answer from the gate");
        let failed = |story: Story| {
            story.begins_login(1000, ALICE).note(
                4000,
                ALICE,
                What::LoginFailed {
                    reason: reason.clone(),
                },
            )
        };
        assert_eq!(findings(failed(Story::new())), 1);
        let story = Story::new()
            .fault(500, power_cut(GATE))
            .fault(3000, restart(GATE));
        assert_eq!(findings(failed(story)), 0);
    }

    #[test]
    fn a_login_that_hangs_is_found() {
        assert_eq!(findings(Story::new().begins_login(1000, ALICE)), 1);
    }
}
