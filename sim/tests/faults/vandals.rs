//! What comes back to vandals, and that users do not notice them.

use std::time::Duration;

use loadgen::history::What;
use sim::case::Case;
use sim::kinds::FaultKind;
use sim::run;
use sim::scenario::Scenario;
use sim::vandal::visit::{Reply, Visit};
use sim::vandal::{self, Attack};

use crate::world::Result;

const VANDALS: &str = "\
cluster.connectors = 2
cluster.chats = 1
network.latency = '2ms'
users.count = 4
users.rooms = 1
users.vandals = 6
settings.handshake-patience = '1s'
";
const PATIENCE: Duration = Duration::from_secs(1);
/// For the way there and back, and for an end of the stream that nobody answers.
const SLACK: Duration = Duration::from_millis(1200);
/// For the way there and back.
const AT_ONCE: Duration = Duration::from_millis(500);

/// What vandals who know nothing else than `kind` did, and what became of it. No user lost its
/// connection over it.
fn visits(kind: FaultKind) -> std::result::Result<Vec<Visit>, Box<dyn std::error::Error>> {
    let mut case = Case::draw(&Scenario::read(VANDALS, "vandals.toml")?, 1);
    case.kinds = [kind].into();
    case.times.ended_at = Duration::from_secs(11);
    let record = run::run(&case, false).record;
    let lost = record
        .history
        .iter()
        .filter(|event| matches!(event.what, What::Closed { .. } | What::Kicked { .. }));
    assert_eq!(lost.count(), 0);
    let count = u32::try_from(record.visits.len())?;
    assert_eq!(record.fired, [(kind, count)].into());
    Ok(record.visits)
}

/// How long the server bore it, if the vandal saw that end.
fn borne(visit: &Visit) -> Option<Duration> {
    visit.closed_at.map(|at| at - visit.connected_at)
}

fn is_for_clients(visit: &&Visit) -> bool {
    !visit.server.starts_with("chat")
}

/// Whether all connections like that, of which there are some, were ended after their patience.
fn outlast_patience(visits: &[Visit], attack: Attack) {
    let visits = visits.iter().filter(is_for_clients);
    let kept = visits.filter(|visit| visit.attack == attack && visit.is_kept);
    let kept: Vec<_> = kept.collect();
    assert!(!kept.is_empty());
    for visit in kept {
        let is_right = |borne| (PATIENCE..=PATIENCE + SLACK).contains(&borne);
        assert!(borne(visit).is_some_and(is_right), "{visit:?}");
        assert_eq!(visit.replies, [], "{visit:?}");
    }
}

#[test]
fn who_sends_random_bytes_is_hung_up_on_and_gets_nothing() -> Result {
    let visits = visits(FaultKind::Garbage)?;
    let garbage = visits.iter().filter(|it| it.attack == Attack::Garbage);
    let ended: Vec<_> = garbage.filter_map(borne).collect();
    assert!(ended.iter().any(|borne| *borne < AT_ONCE), "{ended:?}");
    let mut replies = visits.iter().flat_map(|visit| &visit.replies);
    assert!(replies.all(|reply| matches!(reply, Reply::Refused { .. })));
    Ok(())
}

#[test]
fn who_never_sends_the_rest_is_borne_as_long_as_a_handshake_may_take() -> Result {
    outlast_patience(&visits(FaultKind::Truncated)?, Attack::Cut);
    Ok(())
}

#[test]
fn who_never_begins_its_handshake_is_borne_as_long_as_one_may_take() -> Result {
    outlast_patience(&visits(FaultKind::UnfinishedHandshake)?, Attack::Silence);
    Ok(())
}

#[test]
fn a_stranger_is_not_welcomed_and_hung_up_on() -> Result {
    let visits = visits(FaultKind::Stranger)?;
    let at_chats = || visits.iter().filter(|visit| !is_for_clients(visit));
    assert!(at_chats().all(|visit| visit.replies.is_empty()));
    let mut ended = at_chats().filter_map(borne);
    assert!(ended.any(|borne| borne < AT_ONCE));
    Ok(())
}

#[test]
fn what_makes_no_sense_is_refused_question_by_question() -> Result {
    let visits = visits(FaultKind::Nonsense)?;
    let of_connectors = visits.iter().filter(|visit| {
        let is_connector = visit.server.starts_with("connector");
        is_connector && visit.attack == Attack::Nonsense
    });
    let whole = of_connectors.filter(|visit| {
        let refused = |id| visit.replies.contains(&Reply::Refused { id });
        vandal::to_be_answered().all(refused)
    });
    assert!(whole.count() > 0, "{visits:?}");
    Ok(())
}
