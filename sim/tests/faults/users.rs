//! What users do to a cluster, as the other one in their room sees it.

use std::time::Duration;

use cluster::options::DuplicateLogin;
use loadgen::history::{Target, What};
use loadgen::script::{Action, Do};
use sim::case::Case;
use sim::kinds::FaultKind;
use sim::run::{self, Outcome};
use sim::scenario::Scenario;

use crate::world::Result;

/// Two users in one room. Servers notice after one to three heartbeats that nobody is there.
const TWO: &str = "\
cluster.connectors = 2
cluster.chats = 1
network.latency = '20ms'
users.count = 2
users.rooms = 1
settings.heartbeat = '1s'
";
const HEARTBEAT_MS: u64 = 1000;
/// Longer than news takes from one user to the other.
const SOON_MS: u64 = 300;

/// The user who does it, and the one who is there before it and sees what comes of it.
const ONE: u32 = 0;
const OTHER: u32 = 1;

/// When each logs in.
const LOGIN_MS: [u64; 2] = [1500, 200];

fn case() -> std::result::Result<Case, Box<dyn std::error::Error>> {
    let mut case = Case::draw(&Scenario::read(TWO, "two.toml")?, 1);
    case.scripts.retain(|script| script.user <= OTHER);
    for (script, at_ms) in case.scripts.iter_mut().zip(LOGIN_MS) {
        script.actions = vec![action(at_ms, Do::Login)];
        script.reconnect = None;
    }
    case.times.ended_at = Duration::from_secs(9);
    Ok(case)
}

fn action(at_ms: u64, what: Do) -> Action {
    let at = Duration::from_millis(at_ms);
    Action { at, what }
}

/// What comes of it if the one does this.
fn one(deeds: &[(u64, Do)]) -> std::result::Result<Outcome, Box<dyn std::error::Error>> {
    let mut case = case()?;
    let deeds = deeds.iter().cloned();
    let actions = &mut case.scripts[ONE as usize].actions;
    actions.extend(deeds.map(|(at_ms, what)| action(at_ms, what)));
    actions.sort_by_key(|action| action.at);
    Ok(run::run(&case, false))
}

/// When `user` first saw or did this, in milliseconds.
fn first(outcome: &Outcome, user: u32, is_it: impl Fn(&What) -> bool) -> Option<u64> {
    let mut events = outcome.record.history.iter();
    let event = events.find(|event| event.user == user && is_it(&event.what));
    event.map(|event| event.at.as_millis() as u64)
}

fn is_entered(what: &What) -> bool {
    matches!(what, What::Entered { .. })
}

fn is_left(what: &What) -> bool {
    matches!(what, What::Left { .. })
}

fn is_heard(what: &What) -> bool {
    matches!(what, What::Heard { message: Some(message), .. } if message.user == ONE)
}

/// A time at which the one has asked to enter and has no answer yet.
fn while_it_enters() -> std::result::Result<u64, Box<dyn std::error::Error>> {
    let outcome = one(&[])?;
    let asked = first(&outcome, ONE, |what| matches!(what, What::Entering { .. }));
    let entered = first(&outcome, ONE, is_entered);
    let (asked, entered) = asked.zip(entered).ok_or("it did not enter")?;
    assert!(asked + 10 < entered, "{asked} to {entered}");
    Ok(u64::midpoint(asked, entered))
}

fn fired(outcome: &Outcome) -> Vec<(FaultKind, u32)> {
    let fired = outcome.record.fired.iter();
    fired.map(|(kind, count)| (*kind, *count)).collect()
}

#[test]
fn a_deaf_user_hears_nothing_more_and_is_heard_and_stays() -> Result {
    let mut case = case()?;
    let say = Do::Send(Target::Room);
    let [of_one, of_other] = &mut case.scripts[..] else {
        return Err("there are two".into());
    };
    of_one.actions.push(action(3000, Do::Deafen));
    of_one.actions.push(action(4000, say.clone()));
    of_other.actions.push(action(2500, say.clone()));
    of_other.actions.push(action(3500, say));
    let outcome = run::run(&case, false);

    let history = outcome.record.history.iter();
    let heard = history.filter(|event| event.user == ONE);
    let heard = heard.filter(|event| matches!(event.what, What::Heard { .. }));
    let heard: Vec<_> = heard.map(|event| event.at.as_millis()).collect();
    assert!(matches!(heard[..], [2500..2800]), "{heard:?}");
    assert!(first(&outcome, OTHER, is_heard).is_some_and(|at_ms| at_ms >= 4000));
    // Its heartbeats come, for more than three of them.
    assert_eq!(first(&outcome, OTHER, is_left), None);
    assert_eq!(fired(&outcome), [(FaultKind::DeafReader, 1)]);
    Ok(())
}

#[test]
fn of_a_user_who_is_gone_the_others_learn_after_some_heartbeats_and_of_one_who_leaves_at_once()
-> Result {
    let at_ms = 3000;
    let left = |what| -> std::result::Result<_, Box<dyn std::error::Error>> {
        let outcome = one(&[(at_ms, what)])?;
        let left = first(&outcome, OTHER, is_left).ok_or("the other was not told")?;
        Ok((left - at_ms, fired(&outcome)))
    };
    let (gone, kinds) = left(Do::Vanish)?;
    assert!(
        (HEARTBEAT_MS..=3 * HEARTBEAT_MS + SOON_MS).contains(&gone),
        "after {gone} ms"
    );
    assert_eq!(kinds, [(FaultKind::Gone, 1)]);
    let (leaving, kinds) = left(Do::Leave)?;
    assert!(leaving < SOON_MS, "after {leaving} ms");
    assert_eq!(kinds, []);
    Ok(())
}

#[test]
fn who_goes_or_leaves_while_it_enters_is_in_the_room_until_that_is_noticed() -> Result {
    let at_ms = while_it_enters()?;
    for (what, kind, noticed_ms) in [
        (
            Do::Vanish,
            FaultKind::GoneEntering,
            HEARTBEAT_MS..3 * HEARTBEAT_MS + SOON_MS,
        ),
        (Do::Leave, FaultKind::Hasty, 0..SOON_MS),
    ] {
        let outcome = one(&[(at_ms, what)])?;
        assert_eq!(first(&outcome, ONE, is_entered), None, "{kind}");
        let added = first(&outcome, OTHER, |what| matches!(what, What::Added { .. }));
        let left = first(&outcome, OTHER, is_left);
        let (added, left) = added.zip(left).ok_or("the other was not told")?;
        assert!(added < left, "{kind}: {added} and {left}");
        assert!(noticed_ms.contains(&(left - at_ms)), "{kind}: at {left}");
        assert_eq!(fired(&outcome), [(kind, 1)]);
    }
    Ok(())
}

#[test]
fn who_speaks_before_it_asks_to_enter_is_refused_and_behind_that_is_heard_once_it_is_in() -> Result
{
    let say = Do::SendAtOnce(Target::Room);
    for (at_ms, is_behind) in [(LOGIN_MS[0] - 100, false), (while_it_enters()?, true)] {
        let outcome = one(&[(at_ms, say.clone())])?;
        let answered = |wanted| {
            let is_it = |what: &What| matches!(what, What::Answered { ok, .. } if *ok == wanted);
            first(&outcome, ONE, is_it)
        };
        assert_eq!(answered(true).is_some(), is_behind, "{at_ms}");
        assert_eq!(answered(false).is_some(), !is_behind, "{at_ms}");
        let heard = first(&outcome, OTHER, is_heard);
        let added = first(&outcome, OTHER, |what| matches!(what, What::Added { .. }));
        assert_eq!(heard.is_some(), is_behind, "{at_ms}");
        assert!(heard.is_none_or(|heard| Some(heard) >= added));
        assert_eq!(fired(&outcome), [(FaultKind::Eager, 1)]);
    }
    Ok(())
}

#[test]
fn of_two_logins_of_one_name_one_is_turned_away() -> Result {
    for duplicate_login in [DuplicateLogin::Refuse, DuplicateLogin::Replace] {
        let mut case = case()?;
        case.settings.duplicate_login = duplicate_login;
        case.scripts[ONE as usize].name = case.scripts[OTHER as usize].name.clone();
        let outcome = run::run(&case, false);
        let refused = first(&outcome, ONE, |what| {
            matches!(what, What::Refused { duplicate: true })
        });
        let kicked = first(&outcome, OTHER, |what| matches!(what, What::Kicked { .. }));
        let is_replaced = duplicate_login == DuplicateLogin::Replace;
        assert_eq!(refused.is_some(), !is_replaced, "{refused:?}");
        assert_eq!(kicked.is_some(), is_replaced, "{kicked:?}");
        assert_eq!(fired(&outcome), [(FaultKind::DuplicateLogin, 1)]);
    }
    Ok(())
}
