//! A room as one connector sees it: which of its own sessions are in it, and what it has told them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::state::ChatIndex;
use crate::link::message::{Notice, Position, Report, SessionId};
use crate::queue::Queue;

/// A room with at least one session of this connector.
///
/// Besides its own members the connector remembers whom it has told them of, and the latest
/// notices: when the chat server comes back without memory, it learns the room from these.
#[derive(Debug)]
pub struct Room {
    /// The chat server that owns it.
    pub chat: ChatIndex,
    members: BTreeMap<SessionId, Member>,
    /// Members that are listed more than once, as often as they are besides the first time.
    listed_again: Vec<SessionId>,
    position: Position,
    announced: BTreeSet<Arc<str>>,
    notices: VecDeque<(Position, Notice)>,
}

/// One of this connector's sessions in a room.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name there.
    pub name: Arc<str>,
    /// Where it is told what happens in the room.
    pub ear: Ear,
}

/// Where a session is told what happens in a room.
#[derive(Clone, Debug)]
pub enum Ear {
    /// It is in the room: this is its queue.
    Open(Arc<Queue>),
    /// It is about to be: here it waits for the answer to `enter`, which it may not overtake.
    Waiting(Arc<Queue>),
}

impl Room {
    /// The room as it was when this connector's first session entered, at `position`.
    pub fn new(chat: ChatIndex, position: Position, users: &[Arc<str>]) -> Self {
        Self {
            chat,
            members: BTreeMap::new(),
            listed_again: Vec::new(),
            position,
            announced: users.iter().cloned().collect(),
            notices: VecDeque::new(),
        }
    }

    /// Adds one of this connector's sessions.
    pub fn join(&mut self, session: SessionId, member: Member) {
        self.members.insert(session, member);
    }

    /// Notes where one of this connector's sessions in the room is told what happens from now on.
    pub fn listen(&mut self, session: SessionId, ear: Ear) {
        if let Some(member) = self.members.get_mut(&session) {
            member.ear = ear;
        }
    }

    /// Removes one of this connector's sessions. True if it was the last.
    pub fn part(&mut self, session: SessionId) -> bool {
        self.members.remove(&session);
        self.listed_again.retain(|other| *other != session);
        self.members.is_empty()
    }

    /// The name of one of this connector's sessions in the room.
    pub fn name_of(&self, session: SessionId) -> Option<&Arc<str>> {
        self.members.get(&session).map(|member| &member.name)
    }

    /// This connector's sessions in the room, with their names.
    pub fn members(&self) -> impl Iterator<Item = (SessionId, &Arc<str>)> {
        let members = self.members.iter();
        members.map(|(session, member)| (*session, &member.name))
    }

    /// Where this connector's sessions in the room are told what happens, each as often as it is
    /// listed there.
    pub fn ears(&self) -> impl Iterator<Item = (SessionId, &Ear)> {
        let again = self.listed_again.iter();
        let again = again.filter_map(|session| self.members.get_key_value(session));
        let ears = self.members.iter().chain(again);
        ears.map(|(session, member)| (*session, &member.ear))
    }

    /// Where one of this connector's sessions in the room is told what happens.
    pub fn ear_of(&self, session: SessionId) -> Option<&Ear> {
        self.members.get(&session).map(|member| &member.ear)
    }

    /// Notes that one of this connector's sessions in the room is listed `times` times.
    pub fn set_listings(&mut self, session: SessionId, times: usize) {
        if self.members.contains_key(&session) {
            self.listed_again.retain(|other| *other != session);
            let again = times.saturating_sub(1);
            self.listed_again
                .extend(std::iter::repeat_n(session, again));
        }
    }

    /// Notes that an event at `position` is being told; false if it was told before. Everything
    /// up to `stable` has reached all connectors and need not be remembered.
    pub fn advance(&mut self, position: Position, stable: Position) -> bool {
        while self.notices.pop_front_if(|(at, _)| *at <= stable).is_some() {}
        let is_new = position > self.position;
        self.position = self.position.max(position);
        is_new
    }

    /// Notes an arrival or departure at the present position.
    pub fn notice(&mut self, notice: Notice) {
        match &notice {
            Notice::Add(name) => self.announced.insert(name.clone()),
            Notice::Leave(name) => self.announced.remove(name),
        };
        self.notices.push_back((self.position, notice));
    }

    /// What a chat server without memory has to know of the room, which is called `room`.
    pub fn report(&self, room: &Arc<str>) -> Report {
        Report {
            room: room.clone(),
            position: self.position,
            announced: self.announced.iter().cloned().collect(),
            notices: self.notices.iter().cloned().collect(),
            members: self
                .members
                .iter()
                .map(|(session, member)| (*session, member.name.clone()))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(name: &str) -> Notice {
        Notice::Add(name.into())
    }

    fn report(room: &Room) -> Report {
        room.report(&"lobby".into())
    }

    #[test]
    fn an_event_that_comes_again_is_not_told_again() {
        let mut room = Room::new(0, 5, &["a".into()]);
        assert!(room.advance(6, 0));
        assert!(!room.advance(6, 0));
        assert!(!room.advance(4, 0));
    }

    #[test]
    fn only_notices_that_some_connector_may_lack_are_remembered() {
        let mut room = Room::new(0, 5, &["a".into()]);
        for (position, name) in [(6, "b"), (7, "c")] {
            room.advance(position, 0);
            room.notice(add(name));
        }
        room.advance(9, 6);
        assert_eq!(report(&room).notices, [(7, add("c"))]);
        assert_eq!(
            report(&room).announced,
            ["a".into(), "b".into(), "c".into()]
        );
        assert_eq!(report(&room).position, 9);
    }

    #[test]
    fn who_is_listed_more_than_once_hears_as_often_until_it_parts() {
        let mut room = Room::new(0, 5, &["a".into(), "b".into()]);
        let member = |name: &str| Member {
            name: name.into(),
            ear: Ear::Open(Arc::new(Queue::new(1, 1))),
        };
        room.join(1, member("a"));
        room.join(2, member("b"));
        room.set_listings(1, 3);
        room.set_listings(2, 3);
        room.set_listings(2, 2);
        let sessions = |room: &Room| room.ears().map(|(id, _)| id).collect::<Vec<_>>();
        assert_eq!(sessions(&room), [1, 2, 1, 1, 2]);
        assert!(!room.part(2));
        assert_eq!(sessions(&room), [1, 1, 1]);
        assert!(room.part(1));
        assert_eq!(room.ears().count(), 0);
    }
}
