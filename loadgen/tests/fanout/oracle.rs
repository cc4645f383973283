//! What was promised against what was heard, from a whole history: the plain way, which the audit that
//! forgets as it goes has to agree with.

use std::collections::BTreeMap;
use std::time::Duration;

use loadgen::fanout::limits::{ANSWER_PATIENCE, LEAVE_SLACK, LOSS_SLACK};
use loadgen::history::{Event, MessageId, Target, What};

use crate::presence::{End, Login, Presence, Presences};

/// What became of all the sends of a run.
#[derive(Debug, Default)]
pub struct Audit {
    pub sent: u64,
    pub accepted: u64,
    pub refused: u64,
    pub unanswered: u64,
    pub delivered: u64,
    pub expected: u64,
    pub missing: u64,
    pub doubled: u64,
    pub stray: u64,
}

/// Audits `history`, which ends at `until`.
pub fn audit(history: &[Event], until: Duration) -> Audit {
    let presences = Presences::of(history, until);
    let sends = sends_of(history);
    let receipts = receipts_of(history);
    let mut audit = Audit {
        sent: sends.len() as u64,
        delivered: receipts.len() as u64,
        ..Audit::default()
    };
    for send in &sends {
        let heard = receipts.iter().filter(|it| it.message == send.message);
        let heard: Vec<_> = heard.copied().collect();
        match send.answer {
            Some((_, true)) => audit.accepted += 1,
            Some((_, false)) => audit.refused += 1,
            None if send.sent_at + ANSWER_PATIENCE > until => {}
            None => audit.unanswered += 1,
        }
        let first = audit.note_receipts(send, &heard, &presences);
        audit.note_owed(send, &first, &presences);
    }
    let is_sent = |receipt: &&Receipt| sends.iter().any(|send| send.message == receipt.message);
    audit.stray += receipts.iter().filter(|it| !is_sent(it)).count() as u64;
    audit
}

/// One send and its answer.
struct Sent<'a> {
    message: MessageId,
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

impl Audit {
    /// Counts what came of one send; returns the first receipt of each connection, by login.
    fn note_receipts(
        &mut self,
        send: &Sent,
        heard: &[Receipt],
        presences: &Presences,
    ) -> Vec<Receipt> {
        let same = heard.chunk_by(|a, b| a.login == b.login);
        let first: Vec<_> = same.map(|same| same[0]).collect();
        self.doubled += (heard.len() - first.len()) as u64;
        let is_stray = |it: &&Receipt| !is_addressed(send, it.login, presences);
        self.stray += first.iter().filter(is_stray).count() as u64;
        first
    }

    /// Compares with what was owed.
    fn note_owed(&mut self, send: &Sent, first: &[Receipt], presences: &Presences) {
        let Some((answered_at, true)) = send.answer else {
            return;
        };
        for member in presences.in_room(send.room) {
            if member.from >= send.sent_at || !is_addressed_to(member, send.target) {
                continue;
            }
            let receipt = first.iter().find(|receipt| receipt.login == member.login);
            // Who heard it while it was there has got what was due, however soon it went.
            let in_time = receipt.is_some_and(|receipt| receipt.at <= member.until);
            if in_time || is_owed(member, answered_at) {
                self.expected += 1;
                self.missing += u64::from(receipt.is_none());
            }
        }
    }
}

fn is_addressed_to(member: &Presence, target: &Target) -> bool {
    match target {
        Target::Room => true,
        Target::User(name) => member.name == *name,
    }
}

fn is_owed(member: &Presence, answered_at: Duration) -> bool {
    let slack = match member.end {
        End::OwnWill => LEAVE_SLACK,
        End::Lost => LOSS_SLACK,
    };
    member.until >= answered_at + slack
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
                message, target, ..
            } => sends.push(Sent {
                message: *message,
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
