//! G11: when all have gone, nothing is left.
//!
//! Demanded of the last sample, taken when everybody has left for longer than any of it may go
//! unnoticed: every configured server is there, and its tables of connections (those that never
//! shook hands too), sessions, members, rooms, requests, unacknowledged frames and waiting packages
//! are empty. A room without members is a row too: it must be gone. At a chat server's port there is
//! no connection but those of the connectors.
//!
//! That goes for a gate too, although it has no heartbeats and waits long for a silent client:
//! no fault cuts a client off from it. One that crashed has forgotten its clients.
//!
//! Let pass: high-water marks.

use cluster::census::Census;

use super::Findings;
use super::view::View;

/// Checks the guarantee.
pub fn check(view: &View) -> Findings {
    let Some(last) = view.record.samples.last() else {
        return vec![(view.record.ended_at, String::from("there is no sample"))];
    };
    let topology = &view.record.topology;
    let frontends = topology.gates.iter().chain(&topology.connectors);
    let ids = frontends
        .map(|frontend| &frontend.id)
        .chain(topology.chats.iter().map(|chat| &chat.id));
    let mut findings = Findings::new();
    for id in ids {
        let wrong = match last.servers.get(id) {
            Some(census) => leftovers(census, topology.connectors.len()),
            None => vec![String::from("does not run")],
        };
        findings.extend(
            wrong
                .into_iter()
                .map(|what| (last.at, format!("{id} {what}"))),
        );
    }
    findings
}

fn leftovers(census: &Census, connectors: usize) -> Vec<String> {
    let strangers = census.link_connections.saturating_sub(connectors);
    let tables = [
        ("connections of strangers", strangers),
        ("views of rooms", census.views),
        ("connections", census.tasks),
        ("sessions", census.sessions),
        ("requests without an answer", census.in_flight),
        ("frames without an acknowledgement", census.outbox_len),
        ("packages for clients", census.queued),
    ];
    let full = tables.into_iter().filter(|(_, len)| *len > 0);
    let mut leftovers: Vec<String> = full
        .map(|(table, len)| format!("still has {len} {table}"))
        .collect();
    for (room, name) in &census.entered {
        leftovers.push(format!("still has {name} in {room}"));
    }
    for (room, members) in &census.rooms {
        leftovers.push(format!("still has room {room} with members {members:?}"));
    }
    leftovers
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::guarantees::story::{
        ALICE, CHAT, CONNECTOR_1, CONNECTOR_2, GATE, Story, USERS, in_red, partition, repair,
    };

    /// The last sample, with this at the chat server and at a connector.
    fn findings(chat: Census, connector: Census) -> usize {
        let servers = [
            (GATE, Census::default()),
            (CONNECTOR_1, connector),
            (CONNECTOR_2, Census::default()),
            (CHAT, chat),
        ];
        let story = Story::new().lists(39_000, &[ALICE]);
        check(&View::new(&story.sample(60_000, &servers).record())).len()
    }

    #[test]
    fn empty_tables_are_clean() {
        let busy_once = Census {
            queue_len_max: 3,
            outbox_len_max: 3,
            ..Census::default()
        };
        assert_eq!(findings(busy_once.clone(), busy_once), 0);
    }

    #[test]
    fn a_session_that_is_left_is_found_in_both_tables() {
        assert_eq!(findings(Census::default(), in_red(&[ALICE])), 2);
    }

    #[test]
    fn every_other_row_that_is_left_is_found() {
        let connector = Census {
            in_flight: 1,
            outbox_len: 1,
            queued: 1,
            tasks: 1,
            views: 1,
            ..Census::default()
        };
        assert_eq!(findings(Census::default(), connector), 5);
    }

    #[test]
    fn only_connectors_are_still_connected_to_a_chat_server() {
        let with = |link_connections| Census {
            link_connections,
            ..Census::default()
        };
        assert_eq!(findings(with(2), Census::default()), 0);
        assert_eq!(findings(with(3), Census::default()), 1);
    }

    #[test]
    fn a_room_without_members_is_left_over() {
        let chat = Census {
            rooms: BTreeMap::from([(String::from("red"), Vec::new())]),
            ..Census::default()
        };
        assert_eq!(findings(chat, Census::default()), 1);
    }

    #[test]
    fn a_gate_has_no_excuse() {
        let gate = Census {
            sessions: 1,
            tasks: 1,
            ..Census::default()
        };
        let servers = [
            (GATE, gate),
            (CONNECTOR_1, Census::default()),
            (CONNECTOR_2, Census::default()),
            (CHAT, Census::default()),
        ];
        let story = Story::new()
            .fault(1000, partition(USERS, CONNECTOR_1))
            .fault(2000, repair(USERS, CONNECTOR_1))
            .sample(60_000, &servers);
        assert_eq!(check(&View::new(&story.record())).len(), 2);
    }

    #[test]
    fn a_server_that_does_not_run_is_found() {
        let story = Story::new().sample(60_000, &[]);
        assert_eq!(check(&View::new(&story.record())).len(), 4);
    }
}
