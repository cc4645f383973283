//! G5: once whole again, a room's list is the set of its live sessions.
//!
//! Demanded, of every sample after the run has settled and before everybody leaves, of the chat
//! servers' lists and of the connectors' sessions alike, and of every answer to `enter` in that
//! time:
//!
//! - everybody is in it who had seen the answer to `enter` by then and had not begun to go;
//! - nobody is in it who had not asked to enter, or who is known to have gone: a user who left,
//!   was kicked or cut off longer ago than news travels, or who vanished three heartbeats ago;
//! - no name is in it twice, and no room is on two chat servers.
//!
//! Let pass: either state while an `enter`, a switch or an end is under way, and for deaf users,
//! who may be kicked without ever knowing.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Findings;
use super::view::View;
use crate::record::Sample;

/// Checks the guarantee.
pub fn check(view: &View) -> Findings {
    let record = view.record;
    let whole = record.settled_at..record.leaving_at;
    // A ghost is in every sample from now on: the first one tells.
    let mut told = BTreeSet::new();
    let mut findings = Findings::new();
    for sample in &record.samples {
        if whole.contains(&sample.at) {
            let wrong = wrong_in_sample(view, sample).into_iter();
            let new = wrong.filter(|what| told.insert(what.clone()));
            findings.extend(new.map(|what| (sample.at, what)));
        }
    }
    findings.extend(wrong_answers(view, |at| whole.contains(&at)));
    findings
}

fn wrong_in_sample(view: &View, sample: &Sample) -> Vec<String> {
    let mut wrong = Vec::new();
    for room in rooms(view, sample) {
        let mut owners = Vec::new();
        let mut listed = Vec::new();
        let mut entered = Vec::new();
        for (server, census) in &sample.servers {
            if let Some(members) = census.rooms.get(room) {
                owners.push(server.as_str());
                listed.extend(members.iter().map(String::as_str));
            }
            let here = census.entered.iter().filter(|(rid, _)| rid == room);
            entered.extend(here.map(|(_, name)| name.as_str()));
        }
        if owners.len() > 1 {
            wrong.push(format!("{room} is on {}", owners.join(" and on ")));
        }
        let at = sample.at;
        wrong.extend(differences(
            view,
            room,
            &listed,
            at,
            at,
            "the chat server's list",
        ));
        wrong.extend(differences(
            view,
            room,
            &entered,
            at,
            at,
            "the connectors' sessions",
        ));
    }
    wrong
}

/// All rooms that anybody asked for or that a server knows.
fn rooms<'v>(view: &'v View, sample: &'v Sample) -> BTreeSet<&'v str> {
    let enters = view.sessions.iter().flat_map(|session| &session.enters);
    let lists = sample
        .servers
        .values()
        .flat_map(|census| census.rooms.keys());
    let entered = sample.servers.values().flat_map(|census| &census.entered);
    let mut rooms: BTreeSet<&str> = enters.map(|enter| enter.room).collect();
    rooms.extend(lists.map(String::as_str));
    rooms.extend(entered.map(|(room, _)| room.as_str()));
    rooms
}

fn wrong_answers(view: &View, is_whole: impl Fn(Duration) -> bool) -> Findings {
    let mut findings = Findings::new();
    for session in &view.sessions {
        for stay in &session.stays {
            if !is_whole(stay.asked_at) || !is_whole(stay.since) {
                continue;
            }
            let users: Vec<&str> = stay.users.iter().map(String::as_str).collect();
            let whose = format!("the answer to {session}");
            let (from, until) = (stay.asked_at, stay.since);
            let wrong = differences(view, stay.room, &users, from, until, &whose);
            findings.extend(wrong.into_iter().map(|what| (until, what)));
        }
    }
    findings
}

/// Where a list, made at some time in `from..=until`, differs from what the users know.
fn differences(
    view: &View,
    room: &str,
    list: &[&str],
    from: Duration,
    until: Duration,
    whose: &str,
) -> Vec<String> {
    let must = view.must_be_in(room, from, until);
    let may = view.may_be_in(room, from, until);
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for name in list {
        if !seen.insert(*name) {
            wrong.push(format!("{whose} of {room} has {name} twice"));
        } else if !may.contains(name) {
            wrong.push(format!("{whose} of {room} has {name}, who is not there"));
        }
    }
    let missing = must.difference(&seen);
    wrong.extend(missing.map(|name| format!("{whose} of {room} lacks {name}, who is there")));
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::story::{ALICE, BOB, CAROL, CHAT, CONNECTOR_1, Story, in_red, names};
    use cluster::census::Census;
    use std::collections::BTreeMap;

    fn findings(story: Story) -> usize {
        check(&View::new(&story.record())).len()
    }

    fn alice_and_bob() -> Story {
        Story::new()
            .enters(100, ALICE, "red", &[ALICE])
            .enters(200, BOB, "red", &[ALICE, BOB])
    }

    #[test]
    fn a_list_of_those_who_are_there_is_whole() {
        assert_eq!(findings(alice_and_bob().lists(31_000, &[ALICE, BOB])), 0);
    }

    #[test]
    fn a_member_who_is_missing_is_found_once_in_each_table() {
        let story = alice_and_bob()
            .lists(31_000, &[ALICE])
            .lists(31_100, &[ALICE]);
        assert_eq!(findings(story), 2);
    }

    #[test]
    fn a_ghost_is_found_once_in_each_table() {
        let story = alice_and_bob()
            .leaves(5000, BOB)
            .lists(31_000, &[ALICE, BOB])
            .lists(31_100, &[ALICE, BOB]);
        assert_eq!(findings(story), 2);
    }

    #[test]
    fn a_name_in_the_list_twice_is_found() {
        let story = alice_and_bob().lists(31_000, &[ALICE, BOB, BOB]);
        assert_eq!(findings(story), 2);
    }

    #[test]
    fn a_room_on_two_chat_servers_is_found() {
        let census = |users: &[u32]| Census {
            rooms: BTreeMap::from([(String::from("red"), names(users))]),
            ..Census::default()
        };
        let servers = [
            (CONNECTOR_1, in_red(&[ALICE, BOB])),
            (CHAT, census(&[ALICE])),
            ("chat-server-2", census(&[BOB])),
        ];
        assert_eq!(findings(alice_and_bob().sample(31_000, &servers)), 1);
    }

    #[test]
    fn what_the_servers_hold_while_faults_run_is_their_own_affair() {
        assert_eq!(findings(alice_and_bob().lists(20_000, &[CAROL])), 0);
    }

    #[test]
    fn who_leaves_is_known_to_be_gone_when_the_news_has_arrived() {
        let story = || alice_and_bob().leaves(31_000, BOB);
        assert_eq!(findings(story().lists(31_080, &[ALICE, BOB])), 0);
        assert_eq!(findings(story().lists(31_080, &[ALICE])), 0);
        assert_eq!(findings(story().lists(31_200, &[ALICE, BOB])), 2);
    }

    #[test]
    fn who_vanishes_is_noticed_after_three_heartbeats() {
        let story = || alice_and_bob().vanishes(30_000, BOB);
        assert_eq!(findings(story().lists(39_000, &[ALICE, BOB])), 0);
        assert_eq!(findings(story().lists(39_200, &[ALICE, BOB])), 2);
    }

    #[test]
    fn who_was_kicked_was_gone_before_he_saw_it() {
        let story = alice_and_bob()
            .gets_kicked(31_000, BOB)
            .lists(30_990, &[ALICE]);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn who_is_entering_may_be_listed_or_not() {
        let story = || {
            alice_and_bob()
                .logs_in(31_000, CAROL)
                .asks(31_000, CAROL, "red")
        };
        assert_eq!(findings(story().lists(31_010, &[ALICE, BOB])), 0);
        assert_eq!(findings(story().lists(31_010, &[ALICE, BOB, CAROL])), 0);
    }

    #[test]
    fn who_does_not_read_may_be_kicked_or_not() {
        let story = || alice_and_bob().goes_deaf(5000, BOB);
        assert_eq!(findings(story().lists(31_000, &[ALICE])), 0);
        assert_eq!(findings(story().lists(31_000, &[ALICE, BOB])), 0);
    }

    #[test]
    fn who_switched_is_in_the_new_room_only() {
        let story = alice_and_bob()
            .asks(5000, BOB, "blue")
            .gets_in(5020, BOB, &[BOB])
            .lists(31_000, &[ALICE, BOB]);
        // Bob is a ghost in red and missing in blue, for the chat server and the connectors.
        assert_eq!(findings(story), 4);
    }

    #[test]
    fn an_answer_to_enter_that_lacks_a_member_is_found() {
        let story = |users: &[u32]| alice_and_bob().enters(31_000, CAROL, "red", users);
        assert_eq!(findings(story(&[ALICE, BOB, CAROL])), 0);
        assert_eq!(findings(story(&[ALICE, CAROL])), 1);
    }
}
