//! Real processes that are killed under load: one server each, as in production, and users who
//! talk all the time. Nobody gets to say goodbye.

#[path = "../support/program.rs"]
mod program;
mod servers;
mod users;

use std::collections::BTreeMap;
use std::time::Duration;

use program::Result;
use tokio::time::Instant;

use servers::{SLACK, Servers};
use users::{Crowd, Seen, USERS_EACH, User, of_room};

const LEASE: Duration = Duration::from_secs(2);

/// So many messages go to and fro before and after the blow.
const WARM: usize = 30;

#[tokio::test]
async fn when_a_connector_dies_its_users_leave_once_and_nobody_else_misses_anything() -> Result {
    let mut servers = Servers::start(LEASE).await?;
    let mut crowd = Crowd::enter(&servers).await?;
    crowd.talk();
    crowd.all_heard(WARM).await?;

    servers.kill("connector-server-2").await?;
    let killed_at = Instant::now();
    let lost = crowd.part_with(&servers, "connector-server-2");
    assert_eq!(lost.len(), crowd.rooms().len() * USERS_EACH);
    for user in &mut crowd.users {
        let room = user.room.clone();
        for other in of_room(&lost, &room) {
            let went = Seen::Went(other.name.clone());
            let what = format!("departure of {} at {}", other.name, user.name);
            user.until(&what, killed_at + LEASE + SLACK, |log| {
                log.seen.contains(&went)
            })
            .await?;
        }
    }

    // Who comes now sees the living only, and counts as one of them.
    let mut late = Crowd::default();
    for room in crowd.rooms() {
        let name = servers.name_at("connector-server-1", &format!("late in {room}"));
        late.add(User::enter(&servers, &name, &room).await?);
        let mut expected: Vec<_> = crowd.in_room(&room).map(|user| user.name.clone()).collect();
        expected.push(name);
        expected.sort();
        assert_eq!(late.users[late.users.len() - 1].members, expected);
    }
    crowd.all_heard(2 * WARM).await?;
    crowd.hush().await?;

    for user in &crowd.users {
        let log = user.log.borrow();
        assert_eq!(log.over, None, "{} was cut off", user.name);
        assert_eq!(log.refused(), [""; 0], "refused to {}", user.name);
        for other in of_room(&lost, &user.room) {
            let departures = log.count(&Seen::Went(other.name.clone()));
            assert_eq!(departures, 1, "{} of {}", user.name, other.name);
        }
    }
    for room in crowd.rooms() {
        // The lost had some answers too; what was promised to them holds as well.
        let promised = answered(crowd.in_room(&room).chain(of_room(&lost, &room)));
        assert_heard_once(&promised, crowd.in_room(&room));
        assert_same_story(crowd.in_room(&room));
    }
    Ok(())
}

#[tokio::test]
async fn when_a_chat_server_is_back_within_the_lease_its_rooms_go_on_and_nobody_is_cut_off()
-> Result {
    // Longer than usual: a busy machine may take its time to start a process.
    let lease = 3 * LEASE;
    let mut servers = Servers::start(lease).await?;
    let mut crowd = Crowd::enter(&servers).await?;
    crowd.talk();
    crowd.all_heard(WARM).await?;

    servers.kill("chat-server-1").await?;
    let killed_at = Instant::now();
    servers.run("chat-server-1").await?;
    let back_at = crowd.users.iter().map(User::said).collect::<Vec<_>>();
    for (user, said) in crowd.users.iter_mut().zip(back_at) {
        let what = format!("success for {} after the restart", user.name);
        user.until(&what, killed_at + lease, |log| log.is_answered_after(said))
            .await?;
    }
    crowd.all_heard(2 * WARM).await?;
    crowd.hush().await?;

    let struck = servers.room_of("chat-server-1");
    for user in &crowd.users {
        let log = user.log.borrow();
        assert_eq!(log.over, None, "{} was cut off", user.name);
        let goings = log.seen.iter().filter(|seen| matches!(seen, Seen::Went(_)));
        assert_eq!(goings.count(), 0, "{} saw somebody go", user.name);
        if user.room != struck {
            assert_eq!(log.refused(), [""; 0], "refused to {}", user.name);
        }
    }
    for room in crowd.rooms() {
        let promised = answered(crowd.in_room(&room));
        assert_heard_once(&promised, crowd.in_room(&room));
        if room == struck {
            assert_same_order(crowd.in_room(&room));
        } else {
            assert_same_story(crowd.in_room(&room));
        }
    }
    // Whoever comes now finds everybody.
    let name = servers.name_at("connector-server-3", "late");
    let late = User::enter(&servers, &name, &struck).await?;
    let mut expected: Vec<_> = crowd.in_room(&struck).map(|u| u.name.clone()).collect();
    expected.push(name);
    expected.sort();
    assert_eq!(late.members, expected);
    Ok(())
}

/// All sends of `users` that were answered with success.
fn answered<'a>(users: impl Iterator<Item = &'a User>) -> Vec<String> {
    let mut promised = Vec::new();
    for user in users {
        let log = user.log.borrow();
        promised.extend(log.seen.iter().filter_map(|seen| match seen {
            Seen::Answered { text, ok: true } => Some(text.clone()),
            _ => None,
        }));
    }
    promised
}

/// Everything `promised` was heard by each of `users`, and nothing was heard twice.
fn assert_heard_once<'a>(promised: &[String], users: impl Iterator<Item = &'a User>) {
    assert!(promised.len() > WARM, "only {} answers", promised.len());
    for user in users {
        let log = user.log.borrow();
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for text in log.heard() {
            *times.entry(text).or_default() += 1;
        }
        let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "{} heard again: {twice:?}", user.name);
        let missed = promised.iter().filter(|t| !times.contains_key(t.as_str()));
        let missed: Vec<_> = missed.collect();
        assert!(missed.is_empty(), "{} missed: {missed:?}", user.name);
    }
}

/// All of `users` saw the same room events in the same order, from the first message on.
fn assert_same_story<'a>(mut users: impl Iterator<Item = &'a User>) {
    let story = |user: &User| {
        let log = user.log.borrow();
        let events = log.seen.iter().filter(|seen| seen.is_of_the_room());
        let from_first_message = events.skip_while(|seen| !matches!(seen, Seen::Heard(_)));
        from_first_message.cloned().collect::<Vec<_>>()
    };
    let first = users.next().expect("somebody is in the room");
    let expected = story(first);
    for user in users {
        assert!(
            story(user) == expected,
            "{} and {} saw different things, or in another order",
            first.name,
            user.name
        );
    }
}

/// What two of `users` both heard, they heard in one order. Unlike [`assert_same_story`] it lets
/// one hear what another does not: nobody was promised the messages that died with the process.
fn assert_same_order<'a>(users: impl Iterator<Item = &'a User>) {
    let heard: Vec<Vec<String>> = users
        .map(|user| user.log.borrow().heard().map(str::to_owned).collect())
        .collect();
    let (first, others) = heard.split_first().expect("somebody is in the room");
    let place: BTreeMap<_, _> = first.iter().zip(0..).collect();
    for other in others {
        let places: Vec<i32> = other.iter().filter_map(|t| place.get(t).copied()).collect();
        assert!(places.is_sorted(), "two users heard in different orders");
    }
}
