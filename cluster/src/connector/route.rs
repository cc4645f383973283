//! Which chat server what concerns a room goes to.

use std::sync::Arc;

use super::state::{ChatIndex, Place, State};
use crate::link::Connection;
use crate::link::message::SessionId;
use crate::policy::Flaw;
use crate::topology::index_of;

impl State {
    /// The chat server that owns `room`; `None` if there is none.
    pub(super) fn chat_of(&self, room: &str) -> Option<ChatIndex> {
        if self.routes_by_registration() {
            let index = index_of(room, self.registered.len())?;
            return Some(self.registered[index]);
        }
        self.topology.chat_of(room)
    }

    /// The chat server that hears of a session that is in `place`.
    pub(super) fn owner_of(&self, place: &Place) -> Option<ChatIndex> {
        if self.routes_by_registration() {
            return self.chat_of(&place.room);
        }
        Some(place.chat)
    }

    /// With the flaw for it: the sessions of the user `name*room`, each with its own room.
    pub(super) fn bound_to(&self, name: &str, room: &str) -> Vec<(SessionId, Arc<str>)> {
        let uid = format!("{name}*{room}");
        let rooms = self.rooms.iter();
        let members = rooms.flat_map(|(room, view)| view.members().map(move |m| (room, m)));
        let bound = members.filter(|(room, (_, name))| format!("{name}*{room}") == uid);
        bound
            .map(|(room, (session, _))| (session, room.clone()))
            .collect()
    }

    fn routes_by_registration(&self) -> bool {
        let policy = self.options.policy;
        policy.has(Flaw::SplitRoomByRegistrationOrder)
    }

    /// Notes that a connection of a link has begun.
    pub(super) fn note_linked(&mut self, chat: ChatIndex) {
        if !self.registered.contains(&chat) {
            self.registered.push(chat);
        }
    }

    /// Notes that `connection` has ended. Nothing follows from it but by flaws: the link lives on
    /// until its lease runs out.
    pub fn unlinked(&mut self, connection: &Connection) {
        let chat = connection.peer;
        let link = &mut self.links[chat];
        if link.connection_number() == connection.number {
            link.go_down();
            self.registered.retain(|other| *other != chat);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::link::LinkError;
    use crate::link::frame::Welcome;
    use crate::options::Options;
    use crate::policy::Policy;
    use crate::topology::{Backend, Topology};

    fn connector(policy: Policy) -> State {
        let chats = ["chat-server-1", "chat-server-2", "chat-server-3"];
        let backend = |id: &str| Backend {
            id: id.to_owned(),
            host: String::new(),
            port: 1,
        };
        let topology = Topology {
            chats: chats.map(backend).to_vec(),
            ..Topology::default()
        };
        let options = Options {
            policy,
            ..Options::default()
        };
        State::new(
            Arc::new(topology),
            "connector-server-1",
            options,
            1,
            Instant::now(),
        )
    }

    fn link(state: &mut State, chat: ChatIndex) -> Result<Connection, LinkError> {
        let welcome = Welcome {
            incarnation: 7,
            resumed: None,
        };
        let now = Instant::now();
        state.welcomed(chat, welcome, now, now)
    }

    /// The chat servers of three rooms, of which the configuration gives one to each.
    fn owners(state: &State) -> [Option<ChatIndex>; 3] {
        let rooms = (0..).map(|number| format!("room-{number}"));
        let mut rooms = rooms.skip_while(|room| state.topology.chat_of(room) != Some(0));
        let mut of = |chat| rooms.find(|room| state.topology.chat_of(room) == Some(chat));
        [0, 1, 2].map(|chat| state.chat_of(&of(chat).expect("the hash spreads rooms")))
    }

    #[test]
    fn split_room_by_registration_order() -> Result<(), LinkError> {
        let flawed = Policy::hardened().with(Flaw::SplitRoomByRegistrationOrder);
        for policy in [Policy::hardened(), flawed] {
            let mut state = connector(policy);
            let configured = [Some(0), Some(1), Some(2)];
            let connections = [0, 1, 2].map(|chat| link(&mut state, chat));
            assert_eq!(owners(&state), configured);
            let [first, second, _] = connections;
            state.unlinked(&first?);
            link(&mut state, 0)?;
            let order = if policy == flawed {
                [Some(1), Some(2), Some(0)]
            } else {
                configured
            };
            assert_eq!(owners(&state), order);
            // One that has been replaced says nothing of the link.
            let second = second?;
            state.hello(1);
            let again = link(&mut state, 1)?;
            state.unlinked(&second);
            assert_eq!(owners(&state), order);
            state.unlinked(&again);
            assert_ne!(owners(&state) == configured, policy == flawed);
        }
        Ok(())
    }

    #[test]
    fn a_request_waits_for_the_chat_server_that_it_was_passed_on_to() {
        let mut state = connector(Policy::hardened());
        let (session, _queue) = state.open();
        let now = Instant::now();
        let [first, second] =
            [0, 1].map(|chat| state.open_request(session, 1, "a.b.c", Some(chat), now));
        let waiting = |state: &State, chat| state.sessions[&session].unanswered_by(chat);
        assert_eq!(waiting(&state, 0), [first]);
        assert_eq!(waiting(&state, 1), [second]);
        // Its answer waits for the first one's.
        state.refuse(session, second);
        assert_eq!(waiting(&state, 1).len(), 0);
    }
}
