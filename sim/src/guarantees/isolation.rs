//! G1: a session sees only the room that it is in, and what is private to it there.
//!
//! Demanded of every `onChat`, `onAdd` and `onLeave` that a user saw:
//!
//! - the session was in a room: after `enter` was answered with success, and before its end. At a
//!   switch the old room counts until the new one's answer, and not one event longer;
//! - a message was sent before, word for word by whom and to whom it claims, and is not one that
//!   must not be heard in that stay, by [`obligations`](super::obligations): it was sent to this
//!   room, or to this name in it, and had not had its effect before the stay was asked for;
//! - a notice names somebody who had asked to enter this room before.
//!
//! And of every push: that it is one of these three. What nobody can understand is of no room.
//!
//! Let pass: a sender whose switch was never answered may mean either room; whoever asked to enter
//! may be announced even if the answer was an error in the end (whether that adds up is G7).

use std::collections::BTreeMap;
use std::time::Duration;

use loadgen::history::{Event, MessageId, Target, What};

use super::messages::Place;
use super::obligations::{self, Ban};
use super::sessions::{Session, Stay};
use super::view::View;
use super::{Findings, clock};

/// When each name first asked for each room.
type Asked<'a> = BTreeMap<Place<'a>, Duration>;

/// Checks the guarantee.
pub fn check(view: &View) -> Findings {
    let asked = asked(view);
    let mut findings = Findings::new();
    for session in &view.sessions {
        findings.extend(outside_any_room(session));
        findings.extend(nonsense(session));
        for stay in &session.stays {
            let events = session.events_of(stay).iter();
            let strange = events.filter_map(|event| {
                let what = stranger(view, &asked, stay, event)?;
                Some((event.at, format!("{session} in {}: {what}", stay.room)))
            });
            findings.extend(strange);
        }
    }
    findings
}

fn asked<'a>(view: &View<'a>) -> Asked<'a> {
    let mut asked = Asked::new();
    for enter in view.sessions.iter().flat_map(|session| &session.enters) {
        let place = Place {
            room: enter.room,
            name: enter.name,
        };
        let first = asked.entry(place).or_insert(enter.asked_at);
        *first = enter.asked_at.min(*first);
    }
    asked
}

/// What a session saw of a room before it was in one, or after its end.
fn outside_any_room(session: &Session) -> Findings {
    let in_a_room = |index| session.stays.iter().any(|stay| stay.range.contains(&index));
    let events = session.events.iter().enumerate();
    let seen = events.filter(|(index, event)| is_of_a_room(&event.what) && !in_a_room(*index));
    seen.map(|(_, event)| {
        let what = format!("{session} was in no room, but saw {:?}", event.what);
        (event.at, what)
    })
    .collect()
}

/// What a session was pushed and could not understand.
fn nonsense(session: &Session) -> Findings {
    let events = session.events.iter();
    let nonsense = events.filter_map(|event| match &event.what {
        What::Strange { route } => {
            let what = format!("{session} was pushed {route}, of which it could make nothing");
            Some((event.at, what))
        }
        _ => None,
    });
    nonsense.collect()
}

fn is_of_a_room(what: &What) -> bool {
    matches!(
        what,
        What::Heard { .. } | What::Added { .. } | What::Left { .. }
    )
}

/// What is wrong with an event seen during a stay.
fn stranger(view: &View, asked: &Asked, stay: &Stay, event: &Event) -> Option<String> {
    match &event.what {
        What::Heard {
            message: Some(message),
            from,
            target,
        } => strange_message(view, stay, event.at, *message, from, target),
        What::Heard {
            message: None,
            from,
            ..
        } => Some(format!("heard a message from {from} that no user wrote")),
        What::Added { name } | What::Left { name } => {
            let place = Place {
                room: stay.room,
                name,
            };
            let known = asked.get(&place).is_some_and(|first| *first <= event.at);
            (!known).then(|| format!("saw a notice about {name}, who never asked to enter"))
        }
        _ => None,
    }
}

fn strange_message(
    view: &View,
    stay: &Stay,
    at: Duration,
    message: MessageId,
    from: &str,
    target: &Target,
) -> Option<String> {
    let heard = format!("heard {message} from {from}");
    let Some(sent) = view.messages.sent.get(&message) else {
        return Some(format!("{heard}, which nobody sent"));
    };
    if sent.at > at {
        return Some(format!("{heard} before it was sent at {}", clock(sent.at)));
    }
    let ban = obligations::ban(view, sent, stay).map(|ban| match ban {
        Ban::OtherRoom => format!("it was sent {}", sent.origin()),
        Ban::Private => format!("it is private: {:?}", sent.target),
        Ban::Over => format!("it was sent only at {}", clock(sent.at)),
        Ban::Later => format!(
            "it asked to enter only at {}, when that was over",
            clock(stay.asked_at)
        ),
    });
    if let Some(why) = ban {
        return Some(format!("{heard}, but {why}"));
    }
    let mut here = sent.places.iter().filter(|place| place.room == stay.room);
    if !here.any(|place| place.name == from) {
        return Some(format!("{heard}, but it was sent {}", sent.origin()));
    }
    (sent.target != target).then(|| format!("{heard}, sent to {:?}, as {target:?}", sent.target))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::story::{ALICE, BOB, CAROL, Story, name};

    fn findings(story: Story) -> usize {
        check(&View::new(&story.record())).len()
    }

    /// Alice and Bob are in red, Carol is in blue.
    fn two_rooms() -> Story {
        Story::new()
            .enters(100, ALICE, "red", &[ALICE])
            .enters(200, BOB, "red", &[ALICE, BOB])
            .adds(201, ALICE, BOB)
            .enters(300, CAROL, "blue", &[CAROL])
    }

    #[test]
    fn what_is_said_in_a_room_is_heard_there() {
        let story = two_rooms().says(400, ALICE, 1).hears(410, BOB, ALICE, 1);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn what_is_said_in_a_room_is_not_heard_in_another() {
        let story = two_rooms().says(400, ALICE, 1).hears(410, CAROL, ALICE, 1);
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn a_private_message_is_heard_by_nobody_else() {
        let story = two_rooms()
            .whispers(400, ALICE, 1, BOB)
            .overhears(410, BOB, ALICE, 1, BOB);
        assert_eq!(findings(story), 0);
        let story = two_rooms()
            .whispers(400, ALICE, 1, BOB)
            .overhears(410, ALICE, ALICE, 1, BOB);
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn a_private_message_does_not_turn_into_a_public_one() {
        let story = two_rooms()
            .whispers(400, ALICE, 1, BOB)
            .hears(410, BOB, ALICE, 1);
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn nothing_is_heard_before_the_answer_to_enter() {
        let story = Story::new()
            .enters(100, ALICE, "red", &[ALICE])
            .says(150, ALICE, 1)
            .asks(160, BOB, "red")
            .hears(170, BOB, ALICE, 1)
            .gets_in(180, BOB, &[ALICE, BOB]);
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn a_switch_counts_from_its_answer() {
        let switching = || two_rooms().says(400, ALICE, 1).asks(405, BOB, "blue");
        let before = switching()
            .hears(410, BOB, ALICE, 1)
            .gets_in(420, BOB, &[BOB, CAROL]);
        assert_eq!(findings(before), 0);
        let after = switching()
            .gets_in(420, BOB, &[BOB, CAROL])
            .hears(430, BOB, ALICE, 1);
        assert_eq!(findings(after), 1);
    }

    #[test]
    fn what_is_said_behind_a_switch_is_for_the_room_that_the_switch_leads_to() {
        let says = || two_rooms().asks(400, BOB, "blue").says(401, BOB, 1);
        let heard_by = |story: Story, user| findings(story.hears(430, user, BOB, 1));
        let let_in = || says().gets_in(420, BOB, &[BOB, CAROL]);
        assert_eq!(heard_by(let_in(), CAROL), 0);
        assert_eq!(heard_by(let_in(), ALICE), 1);
        let refused = || says().gets_refused(420, BOB, false);
        assert_eq!(heard_by(refused(), CAROL), 1);
        assert_eq!(heard_by(refused(), ALICE), 0);
        assert_eq!(heard_by(says(), CAROL), 0);
        assert_eq!(heard_by(says(), ALICE), 0);
    }

    #[test]
    fn what_is_said_behind_two_switches_waits_for_both() {
        let story = || {
            two_rooms()
                .asks(400, BOB, "green")
                .asks(400, BOB, "blue")
                .says(401, BOB, 1)
                .gets_in(410, BOB, &[BOB])
                .gets_in(420, BOB, &[BOB, CAROL])
        };
        assert_eq!(findings(story().hears(430, CAROL, BOB, 1)), 0);
        assert_eq!(findings(story().hears(430, ALICE, BOB, 1)), 1);
    }

    #[test]
    fn a_refused_switch_changes_nothing() {
        let story = two_rooms()
            .asks(400, BOB, "blue")
            .gets_refused(420, BOB, false)
            .says(430, ALICE, 1)
            .hears(440, BOB, ALICE, 1);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn nothing_is_seen_after_the_end() {
        let story = two_rooms()
            .leaves(400, BOB)
            .says(410, ALICE, 1)
            .hears(420, BOB, ALICE, 1);
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn nobody_is_announced_who_never_asked_for_the_room() {
        let story = two_rooms().adds(310, ALICE, CAROL);
        assert_eq!(findings(story), 1);
        let story = two_rooms().drops(310, BOB, CAROL);
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn a_push_that_nobody_understands_is_found_in_a_room_and_out_of_it() {
        assert_eq!(findings(two_rooms().gets_nonsense(400, BOB)), 1);
        let story = two_rooms().leaves(400, BOB).gets_nonsense(410, BOB);
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn a_message_comes_from_whom_it_claims() {
        let mut story = two_rooms().says(400, ALICE, 1).hears(410, BOB, ALICE, 1);
        for event in &mut story.history {
            if let What::Heard { from, .. } = &mut event.what {
                *from = name(CAROL);
            }
        }
        assert_eq!(findings(story), 1);
    }
}
