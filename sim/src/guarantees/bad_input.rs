//! G12: bad input harms nobody.
//!
//! A server that panics or ends by itself breaks off the run, which fails before any promise is
//! looked at. Demanded besides, of what vandals got back, whatever faults there were:
//!
//! - no request of a vandal is answered with success, but for a gate's answer to where a user of a
//!   strange name would have to go; none is answered twice, and nothing is pushed to a vandal;
//! - no chat server welcomes a stranger who does not know the cluster's token;
//!
//! and if no fault touched the way:
//!
//! - what a vandal asks of a gate or a connector that leads to any handler is refused at once, or
//!   its connection ends: it needs no other server for that;
//! - who sends a gate or a connector what is no message is hung up on at once;
//! - a connection that is left open without a handshake, or without the hello of a link, is closed
//!   by the server when its patience is over.
//!
//! And of the servers and all users: whoever is in a room, in a table or in the list that answers an
//! `enter`, is somebody who asked for that room and is no vandal.
//!
//! Let pass: a gate's clients that have shaken hands and are silent, which it keeps for longer than
//! a run lasts. That nothing of it is left in any table in the end is G11.

use std::collections::BTreeSet;
use std::time::Duration;

use cluster::limits::{CLOSE_PATIENCE, HELLO_PATIENCE};

use super::messages::Place;
use super::view::View;
use super::{Findings, clock};
use crate::vandal::visit::{Reply, Visit};
use crate::vandal::{self, Attack};

/// Checks the guarantee.
pub fn check(view: &View) -> Findings {
    let mut findings = Findings::new();
    for visit in &view.record.visits {
        findings.extend(let_in(view, visit));
        findings.extend(unrefused(view, visit));
        findings.extend(borne(view, visit));
        findings.extend(kept(view, visit));
    }
    findings.extend(strangers(view));
    findings
}

/// What a server said to a vandal that it should not have.
fn let_in(view: &View, visit: &Visit) -> Findings {
    let mut answered = BTreeSet::new();
    let gates = &view.record.topology.gates;
    let is_gate = gates.iter().any(|gate| gate.id == visit.server);
    let wrong = visit.replies.iter().filter_map(|reply| match reply {
        Reply::Refused { id } | Reply::Granted { id } if !answered.insert(*id) => {
            Some(format!("answered request {id} twice"))
        }
        Reply::Granted { id } if !(is_gate && vandal::is_for_gate(*id)) => {
            Some(format!("answered request {id} with success"))
        }
        Reply::Pushed { route } => Some(format!("pushed {route}")),
        Reply::Welcomed => Some(String::from(
            "welcomed it as a connector, without the token",
        )),
        Reply::Refused { .. } | Reply::Granted { .. } => None,
    });
    wrong
        .map(|what| told(visit, visit.watched_until, &what))
        .collect()
}

/// What a vandal asked and did not have refused in time.
fn unrefused(view: &View, visit: &Visit) -> Findings {
    let (Attack::Nonsense, Some(spoke_at)) = (visit.attack, visit.spoke_at) else {
        return Findings::new();
    };
    let refused_by = spoke_at + view.bounds.round();
    let is_chat = is_chat(view, visit);
    if is_chat || visit.watched_until < refused_by || is_touched(view, visit, refused_by) {
        // Also if the connection ended before.
        return Findings::new();
    }
    let is_answered = |id: u32| {
        let mut replies = visit.replies.iter();
        replies.any(|reply| {
            matches!(reply, Reply::Refused { id: it } | Reply::Granted { id: it } if *it == id)
        })
    };
    let swallowed = vandal::to_be_answered().filter(|id| !is_answered(*id));
    swallowed
        .map(|id| told(visit, refused_by, &format!("had not answered request {id}")))
        .collect()
}

/// A connection that went on after something that is no message.
fn borne(view: &View, visit: &Visit) -> Option<(Duration, String)> {
    let (Attack::NoMessage, Some(spoke_at)) = (visit.attack, visit.spoke_at) else {
        return None;
    };
    let closed_by = spoke_at + CLOSE_PATIENCE + view.bounds.round();
    let closed_at = visit.closed_at.unwrap_or(Duration::MAX);
    let is_seen = closed_at > closed_by && visit.watched_until >= closed_by;
    if !is_seen || is_chat(view, visit) || is_touched(view, visit, closed_by) {
        return None;
    }
    Some(told(visit, closed_by, "did not hang up"))
}

/// A connection that was left open for longer than a server's patience.
fn kept(view: &View, visit: &Visit) -> Option<(Duration, String)> {
    let patience = match is_chat(view, visit) {
        true => HELLO_PATIENCE,
        false => view.bounds.handshake_patience,
    };
    let closed_by = visit.connected_at + patience + CLOSE_PATIENCE + view.bounds.round();
    let closed_at = visit.closed_at.unwrap_or(Duration::MAX);
    let is_late = visit.is_kept && closed_at > closed_by && closed_by <= view.record.ended_at;
    if !is_late || is_touched(view, visit, closed_by) {
        return None;
    }
    let what = format!(
        "kept its connection, open since {}, without a handshake",
        clock(visit.connected_at)
    );
    Some(told(visit, closed_by, &what))
}

/// Who is in a room and never asked for it.
fn strangers(view: &View) -> Findings {
    let enters = view.sessions.iter().flat_map(|session| &session.enters);
    let asked: BTreeSet<Place> = enters
        .map(|enter| Place {
            room: enter.room,
            name: enter.name,
        })
        .collect();
    let mut told = BTreeSet::new();
    let mut findings = Findings::new();
    let mut look = |at: Duration, whose: &str, room: &str, name: &str| {
        let is_known = asked.contains(&Place { room, name });
        if !is_known && told.insert((whose.to_owned(), room.to_owned(), name.to_owned())) {
            let what = format!("{whose} has {name} in {room}, who never asked for it");
            findings.push((at, what));
        }
    };
    for sample in &view.record.samples {
        for (server, census) in &sample.servers {
            for (room, name) in &census.entered {
                look(sample.at, server, room, name);
            }
            for (room, names) in &census.rooms {
                names
                    .iter()
                    .for_each(|name| look(sample.at, server, room, name));
            }
        }
    }
    for session in &view.sessions {
        for stay in &session.stays {
            let whose = session.to_string();
            stay.users
                .iter()
                .for_each(|name| look(stay.since, &whose, stay.room, name));
        }
    }
    findings
}

fn is_chat(view: &View, visit: &Visit) -> bool {
    let mut chats = view.record.topology.chats.iter();
    chats.any(|chat| chat.id == visit.server)
}

/// Whether a fault was near the way between vandals and the server.
fn is_touched(view: &View, visit: &Visit, until: Duration) -> bool {
    let spans = view.trouble.among(&[&visit.host, &visit.server]);
    let mut near = spans.iter();
    near.any(|span| {
        span.touches(
            visit.connected_at.saturating_sub(view.bounds.round()),
            until,
        )
    })
}

fn told(visit: &Visit, at: Duration, what: &str) -> (Duration, String) {
    let Visit {
        vandal,
        attack,
        server,
        ..
    } = visit;
    let what = format!("vandal {vandal} did {attack:?} to {server}, which {what}");
    (at, what)
}

#[cfg(test)]
mod tests {
    use cluster::census::Census;

    use super::*;
    use crate::guarantees::story::{
        ALICE, BOB, CHAT, CONNECTOR_1, GATE, Story, USERS, in_red, ms, names, partition, repair,
    };

    fn findings(story: Story) -> usize {
        check(&View::new(&story.record())).len()
    }

    /// A vandal at `server` from 1 s on, which is there for five seconds.
    fn visit(attack: Attack, server: &str) -> Visit {
        Visit {
            vandal: 0,
            host: USERS.to_owned(),
            attack,
            server: server.to_owned(),
            connected_at: ms(1000),
            spoke_at: Some(ms(1010)),
            is_kept: false,
            watched_until: ms(6000),
            closed_at: None,
            replies: Vec::new(),
        }
    }

    fn refused() -> Vec<Reply> {
        vandal::to_be_answered()
            .map(|id| Reply::Refused { id })
            .collect()
    }

    /// The id of what is for a gate.
    fn for_gate() -> u32 {
        let mut ids = vandal::to_be_answered();
        ids.find(|id| vandal::is_for_gate(*id)).unwrap()
    }

    #[test]
    fn nonsense_is_refused_once_and_only_a_gate_knows_better() {
        let asks = |server, replies| {
            let visit = visit(Attack::Nonsense, server);
            findings(Story::new().visit(Visit { replies, ..visit }))
        };
        assert_eq!(asks(CONNECTOR_1, refused()), 0);
        let twice = [refused(), refused()[..1].to_vec()].concat();
        assert_eq!(asks(CONNECTOR_1, twice), 1);
        let mut granted = refused();
        granted.pop();
        granted.push(Reply::Granted { id: for_gate() });
        assert_eq!(asks(GATE, granted.clone()), 0);
        assert_eq!(asks(CONNECTOR_1, granted), 1);
    }

    #[test]
    fn nonsense_that_is_swallowed_is_found_unless_the_connection_ends_or_a_fault_is_near() {
        let swallowed = || Visit {
            replies: refused()[1..].to_vec(),
            ..visit(Attack::Nonsense, CONNECTOR_1)
        };
        assert_eq!(findings(Story::new().visit(swallowed())), 1);
        let closed = Visit {
            closed_at: Some(ms(1020)),
            watched_until: ms(1020),
            ..swallowed()
        };
        assert_eq!(findings(Story::new().visit(closed)), 0);
        let gone = Visit {
            watched_until: ms(1020),
            ..swallowed()
        };
        assert_eq!(findings(Story::new().visit(gone)), 0);
        let cut = Story::new()
            .fault(1005, partition(USERS, CONNECTOR_1))
            .fault(1500, repair(USERS, CONNECTOR_1));
        assert_eq!(findings(cut.visit(swallowed())), 0);
        // A chat server understands nothing that clients say.
        let elsewhere = visit(Attack::Nonsense, CHAT);
        assert_eq!(findings(Story::new().visit(elsewhere)), 0);
    }

    #[test]
    fn who_sends_no_message_is_hung_up_on_at_once() {
        let hung_up = |server, closed_at: Option<u64>, watched_until| Visit {
            closed_at: closed_at.map(ms),
            watched_until: ms(watched_until),
            ..visit(Attack::NoMessage, server)
        };
        let found = |visit| findings(Story::new().visit(visit));
        assert_eq!(found(hung_up(CONNECTOR_1, Some(1030), 1030)), 0);
        assert_eq!(found(hung_up(CONNECTOR_1, Some(3000), 3000)), 1);
        assert_eq!(found(hung_up(GATE, None, 5000)), 1);
        assert_eq!(found(hung_up(GATE, None, 1500)), 0);
        assert_eq!(found(hung_up(CHAT, None, 5000)), 0);
    }

    #[test]
    fn nobody_is_welcome_without_the_token_and_nothing_is_pushed_to_a_vandal() {
        let gets = |attack, reply| {
            let visit = visit(attack, CHAT);
            let replies = vec![reply];
            findings(Story::new().visit(Visit { replies, ..visit }))
        };
        assert_eq!(gets(Attack::Stranger, Reply::Welcomed), 1);
        let route = String::from("onChat");
        assert_eq!(gets(Attack::Disorder, Reply::Pushed { route }), 1);
    }

    #[test]
    fn what_is_left_open_is_closed_when_patience_is_over() {
        let kept = |server, closed_at| Visit {
            is_kept: true,
            closed_at,
            ..visit(Attack::Silence, server)
        };
        let found = |visit| findings(Story::new().visit(visit));
        assert_eq!(found(kept(CONNECTOR_1, Some(ms(11_010)))), 0);
        assert_eq!(found(kept(CONNECTOR_1, Some(ms(14_000)))), 1);
        assert_eq!(found(kept(GATE, None)), 1);
        assert_eq!(found(kept(CHAT, Some(ms(2010)))), 0);
        assert_eq!(found(kept(CHAT, Some(ms(4000)))), 1);
        assert_eq!(found(visit(Attack::Silence, GATE)), 0);
        let cut = Story::new()
            .fault(5000, partition(USERS, CONNECTOR_1))
            .fault(5500, repair(USERS, CONNECTOR_1));
        assert_eq!(findings(cut.visit(kept(CONNECTOR_1, None))), 0);
    }

    #[test]
    fn who_is_in_a_room_has_asked_for_it() {
        let alice = || Story::new().enters(100, ALICE, "red", &[ALICE]);
        assert_eq!(findings(alice().lists(1000, &[ALICE])), 0);
        // The chat server and the connector have one each, time and again.
        let strange = alice()
            .lists(1000, &[ALICE, BOB])
            .lists(1100, &[ALICE, BOB]);
        assert_eq!(findings(strange), 2);
        let entered = alice().sample(1000, &[(CONNECTOR_1, in_red(&[BOB]))]);
        assert_eq!(findings(entered), 1);
        let rooms = [(String::from("blue"), names(&[ALICE]))].into();
        let listed = Census {
            rooms,
            ..Census::default()
        };
        assert_eq!(findings(alice().sample(1000, &[(CHAT, listed)])), 1);
        let told = Story::new().enters(100, ALICE, "red", &[ALICE, BOB]);
        assert_eq!(findings(told), 1);
    }
}
