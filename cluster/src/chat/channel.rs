//! One room: who is in it, and which of its events are still on their way.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::state::ConnectorIndex;
use crate::limits::ROOM_MEMBERS_MAX;
use crate::link::message::{Position, SessionId, ToConnector};

/// The members of one room and its unfinished deliveries.
#[derive(Debug, Default)]
pub struct Channel {
    members: BTreeMap<Arc<str>, Member>,
    /// The members again, by connector: connectors in the order in which they got their first
    /// member, members in order of joining. Pomelo answers `enter` in this order.
    groups: Vec<Group>,
    /// With the flaw for it: who is no member any more, and still listed.
    left: Option<(Arc<str>, ConnectorIndex)>,
    deliveries: VecDeque<Delivery>,
    /// The ticket of the first delivery in the queue.
    first_ticket: Ticket,
    stable: Position,
}

/// Where a member's connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The connector.
    pub connector: ConnectorIndex,
    /// The session there.
    pub session: SessionId,
}

#[derive(Debug)]
struct Group {
    connector: ConnectorIndex,
    names: Vec<Arc<str>>,
}

/// Names a delivery within its channel.
pub type Ticket = u64;

/// One event on its way to the connectors.
#[derive(Debug)]
pub struct Delivery {
    /// The event's place in the order; `None` for a private message, which has none.
    pub position: Option<Position>,
    /// Connectors that have not acknowledged it.
    pub waits: usize,
    /// Those among them that the answer waits for: all but the asker's own, whose link brings
    /// the event before the answer anyway.
    pub answer_waits: usize,
    /// The answer, and the connector it goes to.
    pub answer: Option<(ConnectorIndex, ToConnector)>,
}

impl Channel {
    /// Makes `name` a member; false if it is one already.
    pub fn insert(&mut self, name: Arc<str>, member: Member) -> bool {
        if self.members.contains_key(&name) {
            return false;
        }
        self.list(name, member);
        true
    }

    /// Lists `name`, once more if it is listed, and makes `member` who holds it.
    pub fn list(&mut self, name: Arc<str>, member: Member) {
        self.strike_left();
        let connector = member.connector;
        self.members.insert(name.clone(), member);
        match self.groups.iter_mut().find(|g| g.connector == connector) {
            Some(group) => group.names.push(name),
            None => self.groups.push(Group {
                connector,
                names: vec![name],
            }),
        }
    }

    /// Removes `name` if `member` is who holds it; false, and nothing changed, otherwise.
    pub fn remove(&mut self, name: &str, member: Member) -> bool {
        if self.members.get(name) != Some(&member) {
            return false;
        }
        self.strike(name, member.connector);
        true
    }

    /// Removes `name` as [`Self::remove`] does, and leaves it on the list until the next change; the last
    /// member is not left there.
    pub fn remove_later(&mut self, name: &Arc<str>, member: Member) -> bool {
        if self.members.get(name) != Some(&member) {
            return false;
        }
        self.strike_left();
        self.members.remove(name);
        self.left = Some((name.clone(), member.connector));
        if self.members.is_empty() {
            self.strike_left();
        }
        true
    }

    fn strike_left(&mut self) {
        if let Some((name, connector)) = self.left.take() {
            self.strike(&name, connector);
        }
    }

    /// Takes `name` from whoever holds it, and strikes it once from the list of `connector`.
    pub fn strike(&mut self, name: &str, connector: ConnectorIndex) {
        self.members.remove(name);
        let mut groups = self.groups.iter_mut();
        if let Some(group) = groups.find(|group| group.connector == connector)
            && let Some(index) = group.names.iter().position(|other| **other == *name)
        {
            group.names.remove(index);
        }
        self.groups.retain(|group| !group.names.is_empty());
    }

    /// Removes all members that came through `connector`, and returns them in order of joining.
    pub fn remove_all(&mut self, connector: ConnectorIndex) -> Vec<Arc<str>> {
        self.strike_left();
        let position = self.groups.iter().position(|g| g.connector == connector);
        let names = position.map_or_else(Vec::new, |index| self.groups.remove(index).names);
        for name in &names {
            self.members.remove(name);
        }
        names
    }

    /// The member called `name`.
    pub fn member(&self, name: &str) -> Option<Member> {
        self.members.get(name).copied()
    }

    /// How often `name` is listed among those who came through `connector`.
    pub fn listings(&self, name: &str, connector: ConnectorIndex) -> usize {
        let group = self.groups.iter().find(|g| g.connector == connector);
        let names = group.map_or(&[][..], |group| &group.names);
        names.iter().filter(|other| ***other == *name).count()
    }

    /// Whether it holds as many members as it may.
    pub fn is_full(&self) -> bool {
        self.members.len() >= ROOM_MEMBERS_MAX
    }

    /// All names, in the order of Pomelo's answer to `enter`.
    pub fn users(&self) -> Vec<Arc<str>> {
        let names = self.groups.iter().flat_map(|group| &group.names);
        names.cloned().collect()
    }

    /// The connectors with members.
    pub fn connectors(&self) -> Vec<ConnectorIndex> {
        self.groups.iter().map(|group| group.connector).collect()
    }

    /// Whether there is nothing left to remember.
    pub fn is_over(&self) -> bool {
        self.groups.is_empty() && self.deliveries.is_empty()
    }

    /// Every connector with members has all events up to here.
    pub fn stable(&self) -> Position {
        self.stable
    }

    /// Answers that wait for an acknowledgement.
    pub fn unanswered(&self) -> usize {
        self.deliveries
            .iter()
            .filter(|d| d.answer.is_some())
            .count()
    }

    /// The ticket that [`Self::dispatch`] will give to the next delivery.
    pub fn next_ticket(&self) -> Ticket {
        self.first_ticket + self.deliveries.len() as Ticket
    }

    /// Notes a delivery that has just been put on the links. Returns the answer if it need not wait.
    pub fn dispatch(&mut self, delivery: Delivery) -> Option<(ConnectorIndex, ToConnector)> {
        self.deliveries.push_back(delivery);
        let delivery = self.deliveries.back_mut().expect("just pushed");
        let answer = delivery.answer.take_if(|_| delivery.answer_waits == 0);
        self.advance();
        answer
    }

    /// Notes that one connector has the delivery `ticket`, or is gone and will never have it;
    /// `for_answer` as it was counted. Returns the answer if that was the last it waited for.
    pub fn arrived(
        &mut self,
        ticket: Ticket,
        for_answer: bool,
    ) -> Option<(ConnectorIndex, ToConnector)> {
        let index = usize::try_from(ticket - self.first_ticket).expect("an index in memory");
        let delivery = &mut self.deliveries[index];
        delivery.waits -= 1;
        delivery.answer_waits -= usize::from(for_answer);
        let answer = delivery.answer.take_if(|_| delivery.answer_waits == 0);
        self.advance();
        answer
    }

    /// Forgets the deliveries at the front that every connector has.
    fn advance(&mut self) {
        while let Some(done) = self.deliveries.pop_front_if(|d| d.waits == 0) {
            self.first_ticket += 1;
            self.stable = done.position.unwrap_or(self.stable);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(connector: ConnectorIndex, session: SessionId) -> Member {
        Member { connector, session }
    }

    fn join(channel: &mut Channel, name: &str, connector: ConnectorIndex) {
        assert!(channel.insert(name.into(), through(connector, 1)), "{name}");
    }

    fn listed(channel: &Channel) -> String {
        channel.users().join(",")
    }

    // The example of BEHAVIOUR 3.2, observed at the original.
    #[test]
    fn users_are_listed_by_connector_in_the_originals_order() {
        let mut channel = Channel::default();
        for (name, connector) in [
            ("u1", 1),
            ("u2", 2),
            ("u3", 1),
            ("u4", 3),
            ("u5", 2),
            ("u6", 1),
        ] {
            join(&mut channel, name, connector);
        }
        assert_eq!(listed(&channel), "u1,u3,u6,u2,u5,u4");
        assert!(channel.remove("u1", through(1, 1)));
        join(&mut channel, "u1", 1);
        assert_eq!(listed(&channel), "u3,u6,u1,u2,u5,u4");
    }

    #[test]
    fn a_connector_that_ran_empty_comes_back_last() {
        let mut channel = Channel::default();
        join(&mut channel, "a", 1);
        join(&mut channel, "b", 2);
        assert!(channel.remove("a", through(1, 1)));
        join(&mut channel, "c", 1);
        assert_eq!(listed(&channel), "b,c");
    }

    #[test]
    fn all_that_came_through_one_connector_go_together() {
        let mut channel = Channel::default();
        for (name, connector) in [("c", 1), ("b", 2), ("a", 1)] {
            join(&mut channel, name, connector);
        }
        assert_eq!(channel.remove_all(1), ["c".into(), "a".into()]);
        assert_eq!(channel.remove_all(1), []);
        assert_eq!(listed(&channel), "b");
        assert_eq!(channel.member("a"), None);
        assert_eq!(channel.connectors(), [2]);
    }

    #[test]
    fn a_late_leave_does_not_remove_the_next_session_of_that_name() {
        let mut channel = Channel::default();
        assert!(channel.insert("a".into(), through(1, 8)));
        assert!(!channel.remove("a", through(1, 7)));
        assert!(!channel.remove("a", through(2, 8)));
        assert_eq!(channel.member("a"), Some(through(1, 8)));
    }

    #[test]
    fn a_name_is_held_by_one_session() {
        let mut channel = Channel::default();
        assert!(channel.insert("a".into(), through(1, 7)));
        assert!(!channel.insert("a".into(), through(2, 1)));
        assert_eq!(listed(&channel), "a");
    }

    fn delivery(position: Position, waits: usize, answer_waits: usize) -> Delivery {
        let (session, request) = (1, position);
        Delivery {
            position: Some(position),
            waits,
            answer_waits,
            answer: Some((0, ToConnector::Confirmed { session, request })),
        }
    }

    #[test]
    fn an_answer_waits_for_the_other_connectors_and_stability_for_all() {
        let mut channel = Channel::default();
        assert_eq!(channel.next_ticket(), 0);
        assert_eq!(channel.dispatch(delivery(5, 2, 1)), None);
        assert!(channel.arrived(0, true).is_some());
        assert_eq!(channel.stable(), 0);
        assert_eq!(channel.arrived(0, false), None);
        assert_eq!(channel.stable(), 5);
        assert!(channel.is_over());
    }

    #[test]
    fn an_event_is_stable_only_when_all_before_it_are() {
        let mut channel = Channel::default();
        channel.dispatch(delivery(5, 1, 1));
        channel.dispatch(delivery(6, 1, 1));
        assert!(
            channel.arrived(1, true).is_some(),
            "answers do not wait for each other"
        );
        assert_eq!(channel.stable(), 0);
        assert!(channel.arrived(0, true).is_some());
        assert_eq!(channel.stable(), 6);
        assert_eq!(channel.next_ticket(), 2);
    }
}
