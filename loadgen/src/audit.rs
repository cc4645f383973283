//! What was promised against what was heard: a pure function over the history.
//!
//! A send that was answered with success is owed to every member whose presence in the room spans
//! it: entered (by its own knowledge) before the send was sent, and still there, with a connection
//! that lived, a while after it was answered. A private one is owed to the name it is for. What was
//! not answered with success is owed to nobody, but may be heard. Nothing may be heard twice on one
//! connection, nor by one that was never in the room.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use reports::latency::Latencies;
use reports::run::CASES_MAX;

use crate::history::{Event, MessageId, Target, What};
use crate::presence::{End, Login, Presence, Presences};

/// A member that leaves this soon after the answer is owed nothing: the message may still be on
/// its way from the connector, which has acknowledged it.
const LEAVE_SLACK: Duration = Duration::from_secs(1);

/// The same for a connection that was lost: it may have been dead for as long as the heartbeats
/// allow (two intervals of 3 s by default) before anybody noticed.
const LOSS_SLACK: Duration = Duration::from_secs(10);

/// A send that has waited for so long counts as unanswered. The cluster answers within 3 s by
/// default.
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);

/// What became of all the sends of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Audit {
    /// Messages sent.
    pub sent: u64,
    /// Sends that were due while the user was in no room.
    pub unsent: Faults,
    /// Answered with success.
    pub accepted: u64,
    /// Answered with an error.
    pub refused: Faults,
    /// Not answered, though there was time.
    pub unanswered: Faults,
    /// Responses to no open request: to one that had its answer, or was never sent.
    pub unasked: Faults,
    /// Pushes that no user of a chat understands.
    pub strange: Faults,
    /// Messages heard, by each member that heard them; doubled and stray ones too.
    pub delivered: u64,
    /// Deliveries that were owed.
    pub expected: u64,
    /// Of these, those that never came.
    pub missing: Faults,
    /// Deliveries beyond the first on one connection.
    pub doubled: Faults,
    /// Deliveries of what nobody sent, or to a connection that was never in the room, or of a
    /// private message to somebody else.
    pub stray: Faults,
    /// From when a send was due to its receipt at each member.
    pub broadcast: Latencies,
    /// The same, the first member of each accepted broadcast only.
    pub broadcast_first: Latencies,
    /// The same, the median member (the lower of two).
    pub broadcast_median: Latencies,
    /// The same, the last member.
    pub broadcast_last: Latencies,
}

/// Cases of one fault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// How many.
    pub count: u64,
    /// The first [`CASES_MAX`], as sentences that say who, what and when.
    pub cases: Vec<String>,
}

impl Faults {
    fn add(&mut self, case: impl FnOnce() -> String) {
        self.count += 1;
        if self.cases.len() < CASES_MAX {
            self.cases.push(case());
        }
    }
}

/// Audits `history`, which ends at `until`. It takes n log n time for n events, and a moment for
/// each delivery that is owed.
pub fn audit(history: &[Event], until: Duration) -> Audit {
    let presences = Presences::of(history, until);
    let sends = sends_of(history);
    let receipts = receipts_of(history);
    let mut audit = Audit {
        sent: sends.len() as u64,
        delivered: receipts.len() as u64,
        ..Audit::default()
    };
    history.iter().for_each(|event| audit.note_amiss(event));
    let mut receipts = receipts.chunk_by(|a, b| a.message == b.message).peekable();
    for send in &sends {
        while let Some(unsent) = receipts.next_if(|group| group[0].message < send.message) {
            audit.note_unknown(unsent);
        }
        let heard = receipts.next_if(|group| group[0].message == send.message);
        let heard = heard.unwrap_or_default();
        audit.note_answer(send, until);
        let first = audit.note_receipts(send, heard, &presences);
        audit.note_owed(send, &first, &presences);
    }
    receipts.for_each(|unsent| audit.note_unknown(unsent));
    audit
}

/// One send and its answer.
struct Sent<'a> {
    message: MessageId,
    due: Duration,
    sent_at: Duration,
    target: &'a Target,
    room: &'a str,
    answer: Option<(Duration, bool)>,
}

/// One message heard on one connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Receipt {
    message: MessageId,
    login: Login,
    at: Duration,
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, login, at } = *self;
        write!(f, "{} heard {message} at {}", who(login), seconds(at))
    }
}

impl Audit {
    /// Counts what the user itself knew to be wrong.
    fn note_amiss(&mut self, event: &Event) {
        let who = || who((event.user, event.login));
        match &event.what {
            What::Unsent { due } => self.unsent.add(|| {
                let (who, due) = (who(), seconds(*due));
                format!("{who} was in no room to send what was due at {due}")
            }),
            What::Unasked { id } => self.unasked.add(|| {
                let (who, at) = (who(), seconds(event.at));
                format!("{who} had an answer at {at} to request {id}, which was not open")
            }),
            What::Strange { route } => self.strange.add(|| {
                let (who, at) = (who(), seconds(event.at));
                format!("{who} could make nothing of the {route} pushed at {at}")
            }),
            _ => {}
        }
    }

    fn note_answer(&mut self, send: &Sent, until: Duration) {
        match send.answer {
            Some((_, true)) => self.accepted += 1,
            Some((at, false)) => self.refused.add(|| {
                let (sent_at, at) = (seconds(send.sent_at), seconds(at));
                format!("{}, sent at {sent_at}, was refused at {at}", send.message)
            }),
            None if send.sent_at + ANSWER_PATIENCE > until => {}
            None => self.unanswered.add(|| {
                let sent_at = seconds(send.sent_at);
                format!("{}, sent at {sent_at}, was not answered", send.message)
            }),
        }
    }

    /// Counts what came of one send; returns the first receipt of each connection, by login.
    fn note_receipts(
        &mut self,
        send: &Sent,
        heard: &[Receipt],
        presences: &Presences,
    ) -> Vec<Receipt> {
        let mut first = Vec::new();
        for same in heard.chunk_by(|a, b| a.login == b.login) {
            let receipt = same[0];
            for again in &same[1..] {
                self.doubled
                    .add(|| format!("{receipt} and again at {}", seconds(again.at)));
            }
            if !is_addressed(send, receipt.login, presences) {
                self.stray
                    .add(|| format!("{receipt}, sent to {}", send.room));
            }
            self.broadcast.record(receipt.at.saturating_sub(send.due));
            first.push(receipt);
        }
        first
    }

    /// Compares with what was owed.
    fn note_owed(&mut self, send: &Sent, first: &[Receipt], presences: &Presences) {
        let Some((answered_at, true)) = send.answer else {
            return;
        };
        for member in presences.in_room(send.room) {
            if member.from >= send.sent_at {
                // The others came later still.
                break;
            }
            if !is_owed(member, send.target, answered_at) {
                continue;
            }
            self.expected += 1;
            let search = first.binary_search_by_key(&member.login, |receipt| receipt.login);
            if search.is_err() {
                self.missing.add(|| {
                    format!(
                        "{}, in {} since {}, never heard {}, sent at {} and accepted at {}",
                        who(member.login),
                        send.room,
                        seconds(member.from),
                        send.message,
                        seconds(send.sent_at),
                        seconds(answered_at),
                    )
                });
            }
        }
        if *send.target == Target::Room {
            self.note_fan_out(send.due, first);
        }
    }

    fn note_fan_out(&mut self, due: Duration, first: &[Receipt]) {
        let mut delays: Vec<_> = first
            .iter()
            .map(|receipt| receipt.at.saturating_sub(due))
            .collect();
        delays.sort_unstable();
        if let (Some(first), Some(last)) = (delays.first(), delays.last()) {
            self.broadcast_first.record(*first);
            self.broadcast_median.record(delays[(delays.len() - 1) / 2]);
            self.broadcast_last.record(*last);
        }
    }

    fn note_unknown(&mut self, receipts: &[Receipt]) {
        for receipt in receipts {
            self.stray.add(|| format!("{receipt}, which nobody sent"));
        }
    }
}

fn is_owed(member: &Presence, target: &Target, answered_at: Duration) -> bool {
    let slack = match member.end {
        End::OwnWill => LEAVE_SLACK,
        End::Lost => LOSS_SLACK,
    };
    let addressed = match target {
        Target::Room => true,
        Target::User(name) => member.name == *name,
    };
    addressed && member.until >= answered_at + slack
}

fn is_addressed(send: &Sent, login: Login, presences: &Presences) -> bool {
    match send.target {
        Target::Room => presences.was_in(login, send.room),
        Target::User(name) => presences
            .in_room(send.room)
            .iter()
            .any(|member| member.login == login && member.name == *name),
    }
}

/// All sends by message, each with its answer and the room that its sender was in.
fn sends_of(history: &[Event]) -> Vec<Sent<'_>> {
    let mut rooms = BTreeMap::new();
    let mut sends = Vec::new();
    let mut answers = Vec::new();
    for event in history {
        let login = (event.user, event.login);
        match &event.what {
            // Nobody sends between asking for a room and being in it.
            What::Entering { room, .. } => {
                rooms.insert(login, room.as_str());
            }
            What::Sending {
                message,
                due,
                target,
            } => sends.push(Sent {
                message: *message,
                due: *due,
                sent_at: event.at,
                target,
                room: rooms.get(&login).copied().unwrap_or_default(),
                answer: None,
            }),
            What::Answered { message, ok } => answers.push((*message, event.at, *ok)),
            _ => {}
        }
    }
    sends.sort_by_key(|send| send.message);
    for (message, at, ok) in answers {
        if let Ok(index) = sends.binary_search_by_key(&message, |send| send.message) {
            sends[index].answer = Some((at, ok));
        }
    }
    sends
}

/// All receipts by message, then by login, then by time.
fn receipts_of(history: &[Event]) -> Vec<Receipt> {
    let receipt = |event: &Event| match event.what {
        What::Heard { message, .. } => message.map(|message| Receipt {
            message,
            login: (event.user, event.login),
            at: event.at,
        }),
        _ => None,
    };
    let mut receipts: Vec<_> = history.iter().filter_map(receipt).collect();
    receipts.sort_unstable();
    receipts
}

fn who((user, login): Login) -> String {
    match login {
        1 => format!("user {user}"),
        _ => format!("user {user} (login {login})"),
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.3}s", time.as_secs_f64())
}
