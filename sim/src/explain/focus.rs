//! Whom and what a broken promise concerns: the names in its text that the run knows, and what
//! belongs to them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use loadgen::history::{Event, MessageId, What};

use super::trouble::{Place, Trouble};
use super::wires::host_in;
use super::words;
use crate::case::Case;
use crate::passages::Passage;
use crate::record::Record;

/// As many users have a lane.
const USERS_MAX: usize = 5;
/// As many moments are told and drawn, the nearest to the broken promise.
const MOMENTS_MAX: usize = 110;
/// A smaller latency is no fault that is worth to be told.
const SLOW_FROM: Duration = Duration::from_millis(50);
/// As much of the run is shown after the broken promise.
const AFTERMATH: Duration = Duration::from_millis(600);

/// Whom and what it concerns.
#[derive(Clone, Debug, Default)]
pub struct Focus {
    /// When the promise was seen to be broken.
    pub at: Duration,
    /// By number, those named first.
    pub users: Vec<u32>,
    /// Names of users that are named.
    pub names: BTreeSet<String>,
    /// Messages that are named.
    pub messages: BTreeSet<MessageId>,
    /// Rooms that are named, or that the users were in.
    pub rooms: BTreeSet<String>,
    /// Servers that are named, own one of the rooms, held one of the users' sessions, passed one of the
    /// messages on, or were in trouble when it was sent or the promise broken; in the order of the
    /// topology.
    pub servers: Vec<String>,
    /// What is shown of the run.
    pub from: Duration,
    /// Until when.
    pub until: Duration,
    /// Logins that came to nothing again and again; all but the first and the last of each row are no
    /// moments.
    pub repeats: Vec<Repeat>,
    /// Moments before that concern it too, and are left out.
    pub left_out: usize,
}

/// Logins of one user in a row that ended in the same way.
#[derive(Clone, Debug)]
pub struct Repeat {
    /// Whose.
    pub user: u32,
    /// The logins that are not told one by one.
    pub logins: RangeInclusive<u32>,
    /// When the first of these began.
    pub from: Duration,
    /// When the last of these ended.
    pub until: Duration,
    /// How each ended.
    pub end: What,
}

impl Focus {
    /// What `text` concerns, a broken promise or why the run broke off, seen at `at`.
    pub fn of(
        text: &str,
        at: Duration,
        case: &Case,
        record: &Record,
        passages: &[Passage],
        troubles: &[Trouble],
    ) -> Self {
        let mut focus = Self {
            at,
            ..Self::default()
        };
        focus.read_ids(text);
        focus.read_names(text, case, record);
        focus.find_servers(text, case, record, passages, troubles);
        focus.find_repeats(record);
        focus.frame(record, troubles);
        focus
    }

    /// Whether what a user did or saw is one of the moments that the story is made of.
    pub fn is_moment(&self, event: &Event) -> bool {
        let mut repeats = self.repeats.iter();
        let is_repeat = repeats.any(|it| it.user == event.user && it.logins.contains(&event.login));
        if !self.users.contains(&event.user) || event.at > self.until || is_repeat {
            return false;
        }
        match &event.what {
            What::Sending { message, .. } | What::Answered { message, .. } => {
                self.messages.contains(message)
            }
            What::Heard { message, .. } => {
                message.is_some_and(|message| self.messages.contains(&message))
                    || event.at == self.at && self.messages.is_empty()
            }
            What::Added { name } | What::Left { name } => self.names.contains(name),
            what => words::is_of_life(what),
        }
    }

    /// Whether a fault is on a lane or between two.
    pub fn is_touched(&self, trouble: &Trouble, hosts: &BTreeMap<u32, String>) -> bool {
        let is_here = |host: &String| {
            let mut homes = self.users.iter().filter_map(|user| hosts.get(user));
            self.servers.contains(host) || homes.any(|home| home == host)
        };
        let latency = trouble.planned.fault.latency();
        if latency.is_some_and(|latency| latency < SLOW_FROM) {
            return false;
        }
        match &trouble.place {
            Place::Host(host) => is_here(host),
            Place::Link(a, b) => is_here(a) && is_here(b),
            Place::User(user) => self.users.contains(user),
        }
    }

    /// Sessions and messages: `u7`, `u7.1`, `u7.1.3`.
    fn read_ids(&mut self, text: &str) {
        for word in text.split(|it: char| !it.is_ascii_alphanumeric() && it != '.') {
            let Some(numbers) = word.trim_end_matches('.').strip_prefix('u') else {
                continue;
            };
            let numbers: Result<Vec<u32>, _> = numbers.split('.').map(str::parse).collect();
            match numbers.as_deref() {
                Ok([user]) | Ok([user, _]) => self.add_user(*user),
                Ok([user, login, number]) => {
                    self.messages.insert(MessageId {
                        user: *user,
                        login: *login,
                        number: *number,
                    });
                }
                _ => {}
            }
        }
        let senders: Vec<_> = self.messages.iter().map(|it| it.user).collect();
        senders.into_iter().for_each(|user| self.add_user(user));
    }

    fn add_user(&mut self, user: u32) {
        if !self.users.contains(&user) && self.users.len() < USERS_MAX {
            self.users.push(user);
        }
    }

    fn read_names(&mut self, text: &str, case: &Case, record: &Record) {
        let rooms = record.history.iter().filter_map(|event| match &event.what {
            What::Entering { room, .. } => Some(room),
            _ => None,
        });
        self.rooms = rooms.filter(|room| mentions(text, room)).cloned().collect();
        let named = case.scripts.iter();
        for script in named.filter(|script| mentions(text, &script.name)) {
            self.add_user(script.user);
            self.names.insert(script.name.clone());
        }
        if self.users.is_empty() {
            self.take_whom_it_may_concern(record);
        }
        if self.rooms.is_empty() {
            for user in &self.users {
                let room = record.history.iter().rfind(|event| {
                    let entering = matches!(event.what, What::Entering { .. });
                    event.user == *user && event.at <= self.at && entering
                });
                if let Some(What::Entering { room, .. }) = room.map(|event| &event.what) {
                    self.rooms.insert(room.clone());
                }
            }
        }
    }

    /// Nobody is named: those who last came to one of the rooms, or to any, or went.
    fn take_whom_it_may_concern(&mut self, record: &Record) {
        let at = self.at;
        let before = record.history.iter().rev();
        for event in before.filter(|event| event.at <= at) {
            let concerns = match &event.what {
                What::Entering { room, .. } => self.rooms.is_empty() || self.rooms.contains(room),
                _ => false,
            };
            if concerns && self.users.len() < 3 {
                self.add_user(event.user);
            }
        }
    }

    fn find_servers(
        &mut self,
        text: &str,
        case: &Case,
        record: &Record,
        passages: &[Passage],
        troubles: &[Trouble],
    ) {
        let located = record.history.iter().filter_map(|event| match &event.what {
            What::Located { connector } if self.users.contains(&event.user) => {
                Some(host_in(connector))
            }
            _ => None,
        });
        let mut wanted: BTreeSet<&str> = located.collect();
        let chats = &case.topology.chats;
        let owners = self
            .rooms
            .iter()
            .filter_map(|room| case.topology.chat_of(room));
        wanted.extend(owners.map(|chat| &*chats[chat].id));
        let ways = passages
            .iter()
            .filter(|it| it.user.is_none() && self.messages.contains(&it.message));
        wanted.extend(ways.flat_map(|passage| [&*passage.from, &*passage.to]));
        let then = self.times(record);
        let lasted = |trouble: &&Trouble| {
            let mut then = then.iter();
            then.any(|at| (trouble.planned.at..=trouble.until).contains(at))
        };
        wanted.extend(troubles.iter().filter(lasted).filter_map(Trouble::host));
        let addresses = case.addresses();
        self.servers = addresses
            .into_iter()
            .map(|(id, _)| id)
            .filter(|id| wanted.contains(&**id) || mentions(text, id))
            .collect();
    }

    /// When the promise was broken, and when the messages were sent that are named: what was wrong then
    /// is told, wherever it was.
    fn times(&self, record: &Record) -> Vec<Duration> {
        let sent = record.history.iter().filter(|event| match &event.what {
            What::Sending { message, .. } => self.messages.contains(message),
            _ => false,
        });
        sent.map(|event| event.at).chain([self.at]).collect()
    }

    fn find_repeats(&mut self, record: &Record) {
        for user in &self.users {
            let mut logins: BTreeMap<u32, (Duration, Duration, Option<&What>)> = BTreeMap::new();
            let mine = record.history.iter().filter(|event| event.user == *user);
            for event in mine.filter(|event| event.at <= self.at) {
                let fresh = (event.at, event.at, None);
                let (_, until, end) = logins.entry(event.login).or_insert(fresh);
                *until = event.at;
                match &event.what {
                    // Whatever comes after it, it did not come to nothing.
                    What::Entered { .. } => *end = Some(&event.what),
                    What::Refused { .. } | What::LoginFailed { .. } if end.is_none() => {
                        *end = Some(&event.what);
                    }
                    _ => {}
                }
            }
            let logins: Vec<_> = logins.into_iter().collect();
            for row in logins.chunk_by(|(_, (.., a)), (_, (.., b))| a == b) {
                if let [_, (first, (from, ..)), .., (_, _)] = row
                    && let [.., (last, (_, until, Some(end))), _] = row
                    && !matches!(end, What::Entered { .. })
                {
                    self.repeats.push(Repeat {
                        user: *user,
                        logins: *first..=*last,
                        from: *from,
                        until: *until,
                        end: (*end).clone(),
                    });
                }
            }
        }
    }

    /// Chooses how much of the run is shown.
    fn frame(&mut self, record: &Record, troubles: &[Trouble]) {
        self.until = (self.at + AFTERMATH).min(record.ended_at.max(self.at));
        let moments = record.history.iter().filter(|event| self.is_moment(event));
        let mut times: BTreeSet<_> = moments.map(|event| event.at).collect();
        let touching = troubles
            .iter()
            .filter(|trouble| self.is_touched(trouble, &record.user_hosts));
        for trouble in touching.filter(|trouble| trouble.planned.at <= self.until) {
            times.insert(trouble.planned.at);
        }
        self.left_out = times.len().saturating_sub(MOMENTS_MAX);
        self.from = times.into_iter().nth(self.left_out).unwrap_or(self.at);
    }
}

/// Whether `name` stands in `text` as a word.
fn mentions(text: &str, name: &str) -> bool {
    let is_part = |it: char| it.is_alphanumeric() || it == '-' || it == '_';
    !name.is_empty()
        && text.match_indices(name).any(|(start, _)| {
            let before = text[..start].chars().next_back();
            let mut after = text[start + name.len()..].chars();
            !before.is_some_and(is_part) && !after.next().is_some_and(is_part)
        })
}

#[cfg(test)]
mod tests {
    use loadgen::history::Target;

    use super::*;
    use crate::fault::{Fault, Planned};
    use crate::scenario;

    #[test]
    fn ids_of_sessions_and_messages_are_read_from_a_sentence() {
        let mut focus = Focus::default();
        focus.read_ids("user-5 (u5.2) in room-1 never heard u7.1.3, sent at 00:04.200 by u12.");
        assert_eq!(focus.users, [5, 12, 7]);
        let message = MessageId {
            user: 7,
            login: 1,
            number: 3,
        };
        assert_eq!(focus.messages, BTreeSet::from([message]));
    }

    #[test]
    fn who_passed_a_message_on_and_who_was_down_then_has_a_lane() {
        let at = Duration::from_millis;
        let case = Case::draw(&scenario::built_in()[0], 7);
        let message = MessageId {
            user: 1,
            login: 1,
            number: 2,
        };
        let crash = |host: &str| Fault::Crash {
            host: host.to_owned(),
            goodbye: true,
        };
        let record = Record {
            history: vec![Event {
                at: at(3000),
                user: 1,
                login: 1,
                what: What::Sending {
                    message,
                    target: Target::Room,
                    due: at(3000),
                },
            }],
            faults: vec![
                Planned::new(at(1000), crash("chat-server-3")),
                Planned::new(at(1500), crash("chat-server-3").heal().expect("a restart")),
                Planned::new(at(2500), crash("chat-server-2")),
                Planned::new(at(3500), crash("chat-server-2").heal().expect("a restart")),
            ],
            ended_at: at(9000),
            ..Record::default()
        };
        let passage = |from: &str, to: &str, number| Passage {
            at: at(3001),
            from: from.into(),
            to: to.into(),
            user: None,
            message: MessageId { number, ..message },
        };
        let passages = [
            passage("connector-server-2", "chat-server-1", 2),
            passage("connector-server-3", "chat-server-3", 3),
        ];
        let troubles = super::super::trouble::of(&record);
        let text = "u1.1.2 never came";
        let focus = Focus::of(text, at(8000), &case, &record, &passages, &troubles);
        let lanes = ["connector-server-2", "chat-server-1", "chat-server-2"];
        assert_eq!(focus.servers, lanes);
        let is_told = |it: &Trouble| focus.is_touched(it, &record.user_hosts);
        assert_eq!(troubles.iter().filter(|it| is_told(it)).count(), 1);
    }

    #[test]
    fn a_name_is_a_word_and_not_a_part_of_one() {
        assert!(mentions("the list of room-1 has user-1, who", "user-1"));
        assert!(mentions("(user-1)", "user-1"));
        assert!(!mentions("the list of room-1 has user-12, who", "user-1"));
        assert!(!mentions("room-1", "m-1"));
        assert!(!mentions("anything", ""));
    }
}
