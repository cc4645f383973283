//! What all users of a plan do, one by one and together.

use std::time::Duration;

use super::counts::{Counts, StageCounts};
use super::file::{Overrides, PlanFile};
use super::short::{ShortPlan, USERS};
use super::*;
use crate::document::FileError;

mod files;
mod shapes;

/// The plan of a file with this text.
fn plan(text: &str) -> LoadPlan {
    let read = PlanFile::read(text, "mine.toml", &Overrides::default());
    read.unwrap_or_else(|error| panic!("{error}"))
}

fn default_plan() -> LoadPlan {
    LoadPlan::new(USERS, 7)
}

fn actions(plan: &LoadPlan, user: u32) -> Vec<Action> {
    plan.script(user).actions.collect()
}

fn sends(plan: &LoadPlan, user: u32) -> Vec<Duration> {
    times(plan, user, |what| matches!(what, Do::Send(_)))
}

/// When `user` does what `is_meant`.
fn times(plan: &LoadPlan, user: u32, is_meant: impl Fn(&Do) -> bool) -> Vec<Duration> {
    let actions = plan.script(user).actions;
    let meant = actions.filter(|action| is_meant(&action.what));
    meant.map(|action| action.at).collect()
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A plan in which everything happens that can.
const ALL: &str = "
message-len = 100
duplicate-logins = 5
rooms = { count = 9, zipf = 1.0 }
slow-readers = { percent = 20, pause = '1s', every = '7s' }

[[stage]]
duration = '5s'
arrivals = { users = 200, rate = { shape = 'ramp', from = 0, to = 1 }, spacing = 'poisson' }

[[stage]]
duration = '20s'
arrivals = { users = 100 }
sends = { think = { law = 'exponential', mean = '2s' } }
churn = { leave = 1, rejoin = 4, away = '3s', switch = 4 }

[[stage]]
duration = '20s'
sends = { rate = { shape = 'spike', base = 50, peak = 200, after = '5s', lasts = '5s' } }
storm = { after = '8s', percent = 50, within = '2s' }
";

#[test]
fn a_script_is_a_login_sends_in_their_time_and_a_leave() {
    let plan = default_plan();
    for user in [0, 1, 999] {
        let actions = actions(&plan, user);
        let (first, rest) = actions.split_first().expect("a login");
        let (last, _) = rest.split_last().expect("a leave");
        assert_eq!(first.what, Do::Login);
        assert!(first.at < s(2));
        assert_eq!(last.what, Do::Leave);
        // In turn, ten thousand a second.
        assert!(last.at >= plan.leave_at() && last.at < plan.leave_at() + s(1) / 10);
        for at in sends(&plan, user) {
            assert!(at >= s(3) && at < s(33), "{at:?}");
        }
        assert!(actions.is_sorted_by_key(|action| action.at));
    }
}

#[test]
fn the_same_seed_gives_the_same_script_and_another_seed_another() {
    for (plan, other) in [
        (default_plan(), LoadPlan::new(USERS, 8)),
        (plan(ALL), plan(&format!("seed = 2\n{ALL}"))),
    ] {
        assert_eq!(actions(&plan, 3), actions(&plan, 3));
        assert_ne!(sends(&plan, 3), sends(&other, 3));
        assert_ne!(sends(&plan, 3), sends(&plan, 4));
    }
}

#[test]
fn users_that_are_drawn_in_any_order_or_none_but_one_do_the_same() {
    let whole = plan(ALL);
    let forwards: Vec<_> = (0..whole.connections())
        .map(|user| actions(&whole, user))
        .collect();
    for user in (0..whole.connections()).rev() {
        // Another plan, of which nobody else was ever drawn, as in another process.
        assert_eq!(
            actions(&plan(ALL), user),
            forwards[user as usize],
            "user {user}"
        );
    }
    // And drawn by turns, as all users of a run are.
    let mut lives: Vec<_> = (0..whole.connections())
        .map(|user| whole.script(user).actions)
        .collect();
    let mut drawn: Vec<Vec<Action>> = vec![Vec::new(); lives.len()];
    let mut is_any = true;
    while is_any {
        is_any = false;
        for (life, drawn) in lives.iter_mut().zip(&mut drawn) {
            if let Some(action) = life.next() {
                drawn.push(action);
                is_any = true;
            }
        }
    }
    assert_eq!(drawn, forwards);
}

#[test]
fn a_user_that_sends_for_a_day_takes_no_more_memory_than_one_for_a_minute() {
    // The generator of its sends is a third of a KiB, and names and moves are a few hundred bytes.
    assert!(size_of::<Script<Actions>>() < 1024);
    let lives = |duration: &str| {
        let text = format!(
            "[[stage]]\nduration = '1s'\narrivals.users = 1\n\
             [[stage]]\nduration = '{duration}'\nsends.think = {{ law = 'constant', time = '1s' }}\n"
        );
        let plan = plan(&text);
        let life = moves::life(&plan, 0);
        (life.moves.len(), life.silences.len(), sends(&plan, 0).len())
    };
    assert_eq!(lives("1m"), (2, 0, 60));
    assert_eq!(lives("23h"), (2, 0, 82_800));
}

#[test]
fn more_users_at_the_same_rate_each_move_no_send_of_the_others() -> Result<(), short::PlanError> {
    let few = ShortPlan {
        ramp: s(4),
        ..ShortPlan::new(USERS, 7)
    };
    let many = ShortPlan {
        users: 2 * few.users,
        rate_per_s: 2.0 * few.rate_per_s,
        ..few.clone()
    };
    assert_eq!(sends(&few.plan()?, 3), sends(&many.plan()?, 3));
    Ok(())
}

#[test]
fn users_that_come_in_a_later_stage_change_nothing_for_those_before() {
    let few = "[[stage]]\nduration = '5s'\narrivals.users = 100\n[[stage]]\nduration = '9s'\n\
               sends.think = { law = 'exponential', mean = '1s' }\nchurn.rejoin = 3\n";
    let (few, many) = (plan(few), plan(&format!("{few}arrivals.users = 50\n")));
    for user in 0..100 {
        let of = |plan: &LoadPlan| {
            let mut actions = actions(plan, user);
            // All leave later, since the second stage is followed by a pause now.
            actions.retain(|action| action.at < s(15));
            (plan.script(user).room, actions)
        };
        assert_eq!(of(&few), of(&many), "user {user}");
    }
    let coming = (100..150).map(|user| many.arrival(user).1);
    for (number, at) in coming.enumerate() {
        let evenly = s(6) + Duration::from_millis(180 * number as u64);
        // Times are cut to whole microseconds.
        assert!(
            evenly.abs_diff(at) <= Duration::from_micros(1),
            "{number}: {at:?}"
        );
    }
}

#[test]
fn all_users_together_send_at_the_rate() {
    let plan = default_plan();
    let total: usize = (0..plan.users).map(|user| sends(&plan, user).len()).sum();
    // 6,000 on average; four standard deviations of a Poisson count are 310.
    assert!(total.abs_diff(6000) < 310, "{total}");
}

#[test]
fn a_rate_of_zero_sends_nothing() -> Result<(), short::PlanError> {
    let short = ShortPlan {
        rate_per_s: 0.0,
        ..ShortPlan::new(USERS, 7)
    };
    assert_eq!(sends(&short.plan()?, 0), []);
    Ok(())
}

#[test]
fn users_are_spread_over_the_rooms_in_turn() {
    let plan = default_plan();
    assert_eq!(plan.script(0).room, plan.script(50).room);
    assert_ne!(plan.script(0).room, plan.script(1).room);
}

#[test]
fn whoever_logs_in_under_a_name_in_use_finds_its_owner_there_and_comes_another_way() {
    let plan = plan(ALL);
    assert_eq!((plan.users, plan.connections()), (300, 305));
    let mut owners = Vec::new();
    for user in 300..305 {
        let script = plan.script(user);
        let owner = plan.namesake(user).expect("it has the name of another");
        assert_eq!(script.name, plan.script(owner).name);
        assert_eq!(script.room, plan.script(owner).room);
        assert!(script.gate_key.is_some() && script.reconnect.is_none());
        let logins = times(&plan, user, |what| *what == Do::Login);
        let whens = times(&plan, owner, |what| !matches!(what, Do::Send(_)));
        // The owner comes once and leaves once, and in between the other one tries.
        assert!(matches!(whens[..], [came, left] if came < logins[0] && logins[0] < left));
        owners.push(owner);
    }
    let known = (0..300).filter(|user| plan.has_namesake(*user));
    assert!(known.eq(owners));
    assert!(!(0..1000).any(|user| default_plan().has_namesake(user)));
}

#[test]
fn what_is_counted_is_what_all_users_do() {
    let plan = plan(ALL);
    let total = Counts::of(&plan).total();
    let all: Vec<Action> = (0..plan.connections())
        .flat_map(|user| actions(&plan, user))
        .collect();
    let count = |is_meant: fn(&Do) -> bool| {
        all.iter().filter(|action| is_meant(&action.what)).count() as u64
    };
    assert_eq!(total.logins, count(|what| *what == Do::Login));
    // Those under a name in use are let in by nobody, so they do not leave.
    assert_eq!(total.leaves, count(|what| *what == Do::Leave) - 5);
    assert_eq!(
        total.switches,
        count(|what| matches!(what, Do::Enter { .. }))
    );
    assert_eq!(total.sends, count(|what| matches!(what, Do::Send(_))));
    assert!(total.switches > 0 && total.leaves > 300);
}

#[test]
fn each_send_is_delivered_to_all_who_are_in_the_room_then() {
    // Two in one room and one in the other, and each sends once while all are there.
    let text = "rooms.members = 2\n\
                [[stage]]\nduration = '3s'\narrivals.users = 3\n\
                [[stage]]\nduration = '3s'\nsends = { rate = 1, spacing = 'even' }\n\
                [[stage]]\nduration = '2s'\nstorm = { after = '1s', percent = 100, within = '1s' }\n";
    let counts = Counts::of(&plan(text));
    let stage = |logins, leaves, sends, deliveries| StageCounts {
        logins,
        leaves,
        switches: 0,
        sends,
        deliveries,
    };
    let expected = [
        stage(3, 0, 0, 0),
        stage(0, 0, 3, 2 + 2 + 1),
        stage(3, 3, 0, 0),
        stage(0, 3, 0, 0),
    ];
    assert_eq!(counts.stages, expected);
    assert_eq!(counts.room_max, 2);
    // One in each of the first three seconds; gone and back within the ninth, and away after 14 s.
    assert_eq!(counts.connected[..4], [1, 2, 3, 3]);
    assert_eq!(counts.connected[7..15], [3, 3, 3, 3, 3, 3, 3, 0]);
}

#[test]
fn who_goes_is_silent_before_and_after_and_comes_back() {
    let plan = plan(ALL);
    let (mut rejoins, mut leaves, mut switches, mut pauses) = (0, 0, 0, 0);
    for user in 0..plan.users {
        let actions = actions(&plan, user);
        assert!(actions.is_sorted_by_key(|action| action.at), "user {user}");
        assert_eq!(actions.last().map(|it| &it.what), Some(&Do::Leave));
        let mut is_in = false;
        let mut is_deaf = false;
        for (index, action) in actions.iter().enumerate() {
            let near = actions.iter().filter(|other| {
                let apart = other.at.abs_diff(action.at);
                matches!(other.what, Do::Send(_)) && apart < plan.settle
            });
            match action.what {
                Do::Login => {
                    assert!(
                        !std::mem::replace(&mut is_in, true),
                        "user {user} is twice there"
                    );
                    assert_eq!(near.count(), 0, "user {user} sends before it has entered");
                    rejoins += u32::from(index > 0);
                }
                Do::Leave => {
                    assert!(
                        std::mem::replace(&mut is_in, false),
                        "user {user} leaves twice"
                    );
                    assert_eq!(
                        near.count(),
                        0,
                        "user {user} goes before the answer can come"
                    );
                    leaves += u32::from(action.at < plan.leave_at());
                }
                Do::Enter { .. } => {
                    assert!(is_in && !is_deaf);
                    assert_eq!(near.count(), 0, "user {user} sends on the way to a room");
                    switches += 1;
                }
                Do::Send(_) => assert!(is_in && !is_deaf, "user {user} is not there to send"),
                Do::Deafen => {
                    assert!(is_in && !std::mem::replace(&mut is_deaf, true));
                    pauses += 1;
                }
                Do::Listen => assert!(is_in && std::mem::replace(&mut is_deaf, false)),
                Do::SendAtOnce(_) | Do::Vanish => panic!("nobody plans that"),
            }
        }
    }
    // All of it did happen; the last leave of each is at the end.
    assert!(rejoins > 100 && leaves > rejoins && switches > 20 && pauses > 50);
}

#[test]
fn nobody_comes_back_when_it_is_time_to_leave() {
    let text = "drain = '1s'\n[[stage]]\nduration = '4s'\narrivals.users = 300\n\
                [[stage]]\nduration = '20s'\nchurn = { rejoin = 30, away = '500ms' }\n";
    let plan = plan(text);
    let back = (0..plan.users).flat_map(|user| times(&plan, user, |what| *what == Do::Login));
    let last = back.max().expect("they come");
    // One of the 30 in the last second would be back too late for a settle of 1 s.
    assert!(last <= plan.leave_at() - plan.settle, "{last:?}");
    assert!(last > s(22), "{last:?}");
}
