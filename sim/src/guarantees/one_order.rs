//! G3: the members of a room see its events in one common order.
//!
//! Demanded: there is one order of the room's events that agrees with what every session saw
//! there, in all its stays, and with the order in which every session sent. Events are the
//! messages to the whole room, and the coming and going of names that asked for the room exactly
//! once in the run: of any other name, one `onAdd` cannot be told from the next. The one who
//! comes or goes is a witness too: it came before all that it saw there, and went after.
//!
//! Who went while the chat server was away, or before it had its rooms again, is no witness of its
//! going if it was the last of its connector in the room: that forgets a room with the last member,
//! and what only they knew. Others are then told of it and of the departure in any order.
//!
//! Each session gives a chain of sightings; the chains form a graph with an edge from each
//! sighting to the next, and a common order exists exactly if that graph has no cycle. A cycle is
//! the evidence: "one saw A before B, another B before A", if need be around several corners.
//!
//! Let pass: anything about private messages, which only one member sees; and two events that no
//! chain of witnesses connects. A second sighting of the same event is left to G2 and G7.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use loadgen::history::{Event, Target, What};

use super::Findings;
use super::messages::Place;
use super::sessions::{Session, Stay};
use super::view::View;
use graph::{Graph, Happening};

mod graph;

/// Checks the guarantee.
pub fn check(view: &View) -> Findings {
    let once = names_that_entered_once(view);
    let mut rooms: BTreeMap<&str, Graph> = BTreeMap::new();
    for session in &view.sessions {
        for stay in &session.stays {
            let graph = rooms.entry(stay.room).or_default();
            graph.add(format!("{session} saw"), seen(view, &once, session, stay));
        }
    }
    for ((session, room), sent) in sent_in_order(view) {
        let graph = rooms.entry(room).or_default();
        graph.add(format!("{} sent", view.sessions[session]), sent);
    }
    let cycles = rooms.iter().filter_map(|(room, graph)| {
        let (at, steps) = graph.cycle()?;
        let what = format!("{room}: no common order, since {}", steps.join("; "));
        Some((at, what))
    });
    cycles.collect()
}

fn names_that_entered_once<'a>(view: &View<'a>) -> BTreeSet<Place<'a>> {
    let mut count: BTreeMap<Place, usize> = BTreeMap::new();
    for enter in view.sessions.iter().flat_map(|session| &session.enters) {
        let place = Place {
            room: enter.room,
            name: enter.name,
        };
        *count.entry(place).or_default() += 1;
    }
    let once = count.into_iter().filter(|(_, count)| *count == 1);
    once.map(|(place, _)| place).collect()
}

/// A session's sightings during one stay, in order, each event only the first time.
fn seen<'a>(
    view: &View,
    once: &BTreeSet<Place<'a>>,
    session: &Session<'a>,
    stay: &Stay<'a>,
) -> Vec<(Happening<'a>, Duration)> {
    let is_known = |name| {
        once.contains(&Place {
            room: stay.room,
            name,
        })
    };
    let mut chain = Vec::new();
    let mut before = BTreeSet::new();
    if is_known(stay.name) {
        before.extend([Happening::Came(stay.name), Happening::Went(stay.name)]);
        chain.push((Happening::Came(stay.name), stay.since));
    }
    for event in session.events_of(stay) {
        if let Some(happening) = happening(event, is_known)
            && before.insert(happening)
        {
            chain.push((happening, event.at));
        }
    }
    if let Some(until) = stay.until
        && is_known(stay.name)
        && !was_last_to_know(view, session, stay, until)
    {
        chain.push((Happening::Went(stay.name), until));
    }
    chain
}

/// Whether a session that went `at` this time may have taken with it what the chat server, which was
/// down or had not yet heard who is where, had told its connector alone.
fn was_last_to_know(view: &View, session: &Session, stay: &Stay, at: Duration) -> bool {
    let news = view.bounds.news();
    let mut crashes = view.trouble.down_spans(view.chat_of(stay.room)).iter();
    crashes.any(|crash| {
        let hears_by = crash.until + view.bounds.lease + news;
        let mut stays = view.stays_in(stay.room);
        let is_told_by_others = stays.any(|(other, stay)| {
            other.connector == session.connector && stay.spans(at.saturating_sub(news), hears_by)
        });
        crash.from <= at + news && at <= hears_by && !is_told_by_others
    })
}

fn happening<'a>(event: &'a Event, is_known: impl Fn(&'a str) -> bool) -> Option<Happening<'a>> {
    match &event.what {
        What::Heard {
            message: Some(message),
            target: Target::Room,
            ..
        } => Some(Happening::Said(*message)),
        What::Added { name } if is_known(name) => Some(Happening::Came(name)),
        What::Left { name } if is_known(name) => Some(Happening::Went(name)),
        _ => None,
    }
}

/// What each session sent to each room, in the order of sending (which is that of the numbers).
fn sent_in_order<'a>(
    view: &View<'a>,
) -> BTreeMap<(usize, &'a str), Vec<(Happening<'a>, Duration)>> {
    let mut chains: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (message, sent) in &view.messages.sent {
        if let ([place], Target::Room) = (sent.places.as_slice(), sent.target) {
            let chain = chains.entry((sent.session, place.room)).or_default();
            chain.push((Happening::Said(*message), sent.at));
        }
    }
    chains
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::story::{
        ALICE, BOB, CAROL, CHAT, CONNECTOR_1, CONNECTOR_2, Story, power_cut, restart,
    };

    fn findings(story: Story) -> Findings {
        check(&View::new(&story.record()))
    }

    /// Three in a room, and two of them speak.
    fn two_speak() -> Story {
        Story::new()
            .enters(100, ALICE, "red", &[ALICE])
            .enters(200, BOB, "red", &[ALICE, BOB])
            .enters(300, CAROL, "red", &[ALICE, BOB, CAROL])
            .says(400, ALICE, 1)
            .says(400, BOB, 1)
    }

    #[test]
    fn all_see_two_messages_in_the_same_order() {
        let story = two_speak()
            .hears(410, ALICE, BOB, 1)
            .hears(411, ALICE, ALICE, 1)
            .hears(415, CAROL, BOB, 1)
            .hears(500, CAROL, ALICE, 1);
        assert_eq!(findings(story), []);
    }

    #[test]
    fn two_who_see_two_messages_in_opposite_order_are_found() {
        let story = two_speak()
            .hears(410, BOB, BOB, 1)
            .hears(411, BOB, ALICE, 1)
            .hears(415, CAROL, ALICE, 1)
            .hears(416, CAROL, BOB, 1);
        let findings = findings(story);
        assert_eq!(findings.len(), 1);
        let told = &findings[0].1;
        assert!(told.contains("bob (u2.1) saw message u2.1.1 (00:00.410) before message u1.1.1"));
        assert!(told.contains("carol (u3.1) saw message u1.1.1 (00:00.415) before message u2.1.1"));
    }

    #[test]
    fn an_order_that_contradicts_itself_around_three_corners_is_found() {
        let story = two_speak()
            .says(400, CAROL, 1)
            .hears(410, ALICE, ALICE, 1)
            .hears(411, ALICE, BOB, 1)
            .hears(410, BOB, BOB, 1)
            .hears(411, BOB, CAROL, 1)
            .hears(410, CAROL, CAROL, 1)
            .hears(411, CAROL, ALICE, 1);
        assert_eq!(findings(story).len(), 1);
    }

    #[test]
    fn one_who_missed_a_message_still_agrees() {
        let story = two_speak()
            .hears(410, ALICE, BOB, 1)
            .hears(411, ALICE, ALICE, 1)
            .hears(415, CAROL, ALICE, 1);
        assert_eq!(findings(story), []);
    }

    #[test]
    fn a_sender_is_a_witness_of_what_it_sent_first() {
        let story = two_speak()
            .says(420, ALICE, 2)
            .hears(430, CAROL, ALICE, 2)
            .hears(431, CAROL, ALICE, 1);
        assert_eq!(findings(story).len(), 1);
    }

    #[test]
    fn a_notice_has_its_place_among_the_messages() {
        let story = || {
            two_speak()
                .leaves(405, CAROL)
                .hears(410, ALICE, ALICE, 1)
                .drops(411, ALICE, CAROL)
        };
        let agreed = story().hears(410, BOB, ALICE, 1).drops(411, BOB, CAROL);
        assert_eq!(findings(agreed), []);
        let crossed = story().drops(410, BOB, CAROL).hears(411, BOB, ALICE, 1);
        assert_eq!(findings(crossed).len(), 1);
    }

    #[test]
    fn who_came_back_has_two_comings_that_cannot_be_told_apart() {
        let story = two_speak()
            .leaves(405, CAROL)
            .drops(411, ALICE, CAROL)
            .enters(420, CAROL, "red", &[ALICE, BOB, CAROL])
            .adds(421, ALICE, CAROL)
            .hears(422, ALICE, BOB, 1)
            .hears(410, BOB, BOB, 1)
            .drops(411, BOB, CAROL);
        assert_eq!(findings(story), []);
    }

    #[test]
    fn who_hears_what_was_said_before_the_others_saw_it_come_is_found() {
        let story = two_speak()
            .hears(210, ALICE, BOB, 1)
            .adds(301, ALICE, CAROL)
            .hears(410, CAROL, BOB, 1);
        assert_eq!(findings(story).len(), 1);
    }

    #[test]
    fn who_goes_saw_the_others_go_first_unless_it_was_the_last_to_know() {
        let story = |carols| {
            Story::new()
                .enters(100, ALICE, "red", &[ALICE])
                .enters(200, BOB, "red", &[ALICE, BOB])
                .enters_through(300, CAROL, carols, "red", &[ALICE, BOB, CAROL])
                .leaves(900, BOB)
                .drops(910, ALICE, BOB)
                .leaves(1000, ALICE)
        };
        let chat_away = |story: Story, from| {
            story
                .fault(from, power_cut(CHAT))
                .fault(2900, restart(CHAT))
        };
        let crossed = |story: Story| {
            let crossed = story.drops(3000, CAROL, ALICE).drops(3000, CAROL, BOB);
            findings(crossed).len()
        };
        assert_eq!(crossed(story(CONNECTOR_2)), 1);
        assert_eq!(crossed(chat_away(story(CONNECTOR_2), 905)), 0);
        assert_eq!(crossed(chat_away(story(CONNECTOR_2), 2000)), 1);
        // Its connector still knew, as another member is there.
        assert_eq!(crossed(chat_away(story(CONNECTOR_1), 905)), 1);
    }

    #[test]
    fn two_rooms_have_two_orders() {
        let story = two_speak()
            .hears(410, BOB, BOB, 1)
            .hears(411, BOB, ALICE, 1)
            .asks(500, CAROL, "blue")
            .gets_in(510, CAROL, &[CAROL])
            .hears(515, CAROL, ALICE, 1)
            .hears(516, CAROL, BOB, 1);
        assert_eq!(findings(story), []);
    }
}
