//! Faults that happen not at a time but when something happens in the run: the third time that a
//! send is answered with success to a user of one connector, say. The run resolves them; what
//! happened then stands in its record with its time, as every fault.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use cluster::options;
use loadgen::history::{Event, What};
use loadgen::time_text;
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Planned};

/// A fault that waits for something to happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchored {
    /// What it waits for.
    pub when: Anchor,
    /// From that to the fault. It is at the next tick at the earliest.
    #[serde(default, with = "time_text")]
    pub after: Duration,
    /// The fault.
    pub fault: Fault,
    /// How long it lasts, until everything is healed at the longest.
    #[serde(
        default = "until_the_heal",
        skip_serializing_if = "is_until_the_heal",
        with = "time_text"
    )]
    pub lasts: Duration,
}

fn until_the_heal() -> Duration {
    Duration::MAX
}

fn is_until_the_heal(lasts: &Duration) -> bool {
    *lasts == until_the_heal()
}

/// The `nth` time that something happens, to users as restricted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// Counted from 1.
    #[serde(default = "first")]
    pub nth: u32,
    /// What.
    pub event: Moment,
    /// Only to users of this connector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<String>,
    /// Only to users of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Only to users who are in this room, or entering it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
}

fn first() -> u32 {
    1
}

/// What a user does or sees, as far as faults can wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// Begins a login.
    Login,
    /// Has its handshake done.
    Connected,
    /// Asks to enter a room.
    Entering,
    /// Is let in.
    Entered,
    /// Is not let in.
    Refused,
    /// Sends a message.
    Sending,
    /// Has a send answered with success.
    Accepted,
    /// Hears a message.
    Heard,
    /// Is told that somebody came.
    Added,
    /// Is told that somebody went.
    Left,
    /// Is kicked.
    Kicked,
    /// Loses its connection.
    Closed,
}

impl Moment {
    fn of(what: &What) -> Option<Self> {
        match what {
            What::Login { .. } => Some(Moment::Login),
            What::Connected => Some(Moment::Connected),
            What::Entering { .. } => Some(Moment::Entering),
            What::Entered { .. } => Some(Moment::Entered),
            What::Refused { .. } => Some(Moment::Refused),
            What::Sending { .. } => Some(Moment::Sending),
            What::Answered { ok: true, .. } => Some(Moment::Accepted),
            What::Heard { .. } => Some(Moment::Heard),
            What::Added { .. } => Some(Moment::Added),
            What::Left { .. } => Some(Moment::Left),
            What::Kicked { .. } => Some(Moment::Kicked),
            What::Closed { .. } => Some(Moment::Closed),
            _ => None,
        }
    }
}

/// Looks at what happens in a run and tells which faults are due.
pub struct Lookout<'a> {
    /// Those that wait, each with how often it has to happen yet.
    waiting: Vec<(u32, &'a Anchored)>,
    users: BTreeMap<u32, Whereabouts>,
    /// In the order in which they became due.
    due: Vec<Planned>,
    healed_at: Duration,
    heal: &'a dyn Fn(&Fault) -> Option<Fault>,
}

/// Where a user is, by its own knowledge.
#[derive(Debug, Default)]
struct Whereabouts {
    connector: String,
    name: String,
    room: String,
}

impl<'a> Lookout<'a> {
    /// Waits for `anchored`, whose faults are ended by what `heal` says, at `healed_at` at the latest.
    pub fn new(
        anchored: &'a [Anchored],
        healed_at: Duration,
        heal: &'a dyn Fn(&Fault) -> Option<Fault>,
    ) -> Self {
        let waiting = anchored.iter().map(|it| (it.when.nth.max(1), it));
        Self {
            waiting: waiting.collect(),
            users: BTreeMap::new(),
            due: Vec::new(),
            healed_at,
            heal,
        }
    }

    /// Takes note of `event`, which was seen at `now`.
    pub fn see(&mut self, event: &Event, now: Duration) {
        if self.waiting.is_empty() {
            return;
        }
        let user = self.users.entry(event.user).or_default();
        user.take(&event.what);
        let Some(moment) = Moment::of(&event.what) else {
            return;
        };
        for (left, anchored) in &mut self.waiting {
            if user.is_meant(&anchored.when, moment) {
                *left -= 1;
                if *left == 0 {
                    self.due
                        .extend(anchored.plan(now, self.healed_at, self.heal));
                }
            }
        }
        self.waiting.retain(|(left, _)| *left > 0);
    }

    /// Those that wait for what has not happened.
    pub fn unmet(&self) -> Vec<Anchored> {
        let waiting = self.waiting.iter();
        waiting.map(|(_, anchored)| (*anchored).clone()).collect()
    }

    /// What is due at `now`.
    pub fn due(&mut self, now: Duration) -> Vec<Planned> {
        let is_due = |planned: &mut Planned| planned.at <= now;
        self.due.extract_if(.., is_due).collect()
    }
}

impl Whereabouts {
    fn take(&mut self, what: &What) {
        match what {
            What::Login { .. } => *self = Self::default(),
            What::Located { connector } => {
                let host = connector.rsplit_once(':').map_or("", |(host, _)| host);
                self.connector = host.to_owned();
            }
            What::Entering { name, room } => {
                self.name.clone_from(name);
                self.room.clone_from(room);
            }
            _ => {}
        }
    }

    fn is_meant(&self, anchor: &Anchor, moment: Moment) -> bool {
        let is = |wanted: &Option<String>, own: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == own)
        };
        anchor.event == moment
            && is(&anchor.connector, &self.connector)
            && is(&anchor.user, &self.name)
            && is(&anchor.room, &self.room)
    }
}

/// As in its file.
impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(out)
    }
}

/// As in `at accepted number 3 of connector-server-2, 5ms later, for 1s  hold       a | b`: what it
/// waits for, then the fault.
impl fmt::Display for Anchored {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Anchor {
            nth,
            event,
            connector,
            user,
            room,
        } = &self.when;
        write!(out, "at {event} number {nth}")?;
        for whose in [connector, user, room].into_iter().flatten() {
            write!(out, " of {whose}")?;
        }
        if !self.after.is_zero() {
            write!(out, ", {} later", options::written(self.after))?;
        }
        if !is_until_the_heal(&self.lasts) {
            write!(out, ", for {}", options::written(self.lasts))?;
        }
        write!(out, "  {}", self.fault)
    }
}

impl Anchored {
    /// The fault and its end; nothing, once everything is healed.
    fn plan(
        &self,
        now: Duration,
        healed_at: Duration,
        heal: &dyn Fn(&Fault) -> Option<Fault>,
    ) -> Vec<Planned> {
        let at = now.saturating_add(self.after);
        if at >= healed_at {
            return Vec::new();
        }
        let mut plan = vec![Planned::new(at, self.fault.clone())];
        let heal_at = at.saturating_add(self.lasts).min(healed_at);
        plan.extend(heal(&self.fault).map(|heal| Planned::new(heal_at, heal)));
        plan
    }
}

#[cfg(test)]
mod tests {
    use loadgen::history::MessageId;

    use super::*;

    const HEALED_AT: Duration = Duration::from_secs(8);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn pause(connector: Option<&str>, nth: u32) -> Anchored {
        Anchored {
            when: Anchor {
                nth,
                event: Moment::Accepted,
                connector: connector.map(str::to_owned),
                user: None,
                room: None,
            },
            after: ms(5),
            fault: Fault::Pause {
                host: String::from("chat-server-1"),
            },
            lasts: ms(100),
        }
    }

    /// Users 1 and 2 come through two connectors and speak in turn, at 10, 20, 30 ... ms.
    fn due_times(anchored: &Anchored, accepted: u32) -> Vec<u64> {
        let anchored = [anchored.clone()];
        let mut lookout = Lookout::new(&anchored, HEALED_AT, &Fault::heal);
        let mut see = |at, user, what| {
            let event = Event {
                at: ms(at),
                user,
                login: 1,
                what,
            };
            lookout.see(&event, ms(at));
        };
        for user in [1, 2] {
            let connector = format!("connector-server-{user}:3014");
            see(0, user, What::Located { connector });
        }
        for number in 1..=accepted {
            let user = 2 - number % 2;
            let message = MessageId {
                user,
                login: 1,
                number,
            };
            let at = 10 * u64::from(number);
            see(at, user, What::Answered { message, ok: false });
            see(at, user, What::Answered { message, ok: true });
        }
        let due = lookout.due(Duration::MAX);
        due.iter().map(|it| it.at.as_millis() as u64).collect()
    }

    #[test]
    fn the_third_time_is_the_third_time() {
        assert_eq!(due_times(&pause(None, 3), 2), [0; 0]);
        assert_eq!(due_times(&pause(None, 3), 9), [35, 135]);
    }

    #[test]
    fn only_what_is_meant_counts() {
        let anchored = pause(Some("connector-server-2"), 3);
        assert_eq!(due_times(&anchored, 9), [65, 165]);
    }

    #[test]
    fn what_has_no_end_is_healed_with_all_else_and_nothing_begins_after_that() {
        let endless = Anchored {
            lasts: Duration::MAX,
            ..pause(None, 1)
        };
        assert_eq!(due_times(&endless, 1), [15, 8000]);
        let late = Anchored {
            after: HEALED_AT,
            ..pause(None, 1)
        };
        assert_eq!(due_times(&late, 1), [0; 0]);
    }

    #[test]
    fn it_is_written_down_and_read_again() {
        let anchored = pause(Some("connector-server-2"), 3);
        let written = serde_json::to_string(&anchored).unwrap();
        let read: Anchored = serde_json::from_str(&written).unwrap();
        assert_eq!(read, anchored);
        let short = r#"{"when":{"event":"accepted"},"fault":{"kind":"stop","host":"a"}}"#;
        let short: Anchored = serde_json::from_str(short).unwrap();
        assert_eq!((short.when.nth, short.lasts), (1, Duration::MAX));
    }
}
