//! The way of a message through the cluster, told by its times: bytes are not looked into. What a
//! server writes when it has just read is taken for what it passes on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use loadgen::history::{Event, MessageId, What};

use super::wires::Message;
use super::{Explained, words};

/// A server passes on what it read within this time.
const PASSES_ON: Duration = Duration::from_millis(2);

/// What carried the messages that are named, by index: from the sender to its connector, to the chat
/// server, to the connectors; to those concerned who heard it, and back with the answer.
pub fn all(explained: &Explained) -> BTreeSet<usize> {
    let mut way = BTreeSet::new();
    for message in &explained.focus.messages {
        way.extend(first_steps(explained, *message));
        way.extend(last_steps(explained, *message));
    }
    way
}

/// What brought what should not have been to the first user who is named, if anything did.
pub fn offending(explained: &Explained) -> Option<usize> {
    let focus = &explained.focus;
    let user = focus.users.first()?;
    let mut history = explained.record.history.iter();
    let seen = history
        .find(|event| event.user == *user && event.at == focus.at && !words::is_deed(&event.what));
    came_with(explained, seen?)
}

/// What carried a message, by index: to the sender's connector, to the chat server, and to each
/// connector; as far as it came.
pub fn first_steps(explained: &Explained, wanted: MessageId) -> Vec<usize> {
    let messages = &explained.wires.messages;
    let mut history = explained.record.history.iter();
    let sent = history
        .find(|event| matches!(event.what, What::Sending { message, .. } if message == wanted));
    let connection = explained.wires.connection(wanted.user, wanted.login);
    let (Some(sent), Some(connection)) = (sent, connection) else {
        return Vec::new();
    };
    let home = explained.record.user_hosts.get(&wanted.user);
    let first = messages.iter().rposition(|it| {
        it.connection == connection && it.sent_at == sent.at && Some(&it.from) == home
    });
    let mut steps: Vec<usize> = first.into_iter().collect();
    let to_chat = steps.first().and_then(|first| {
        passed_on(messages, *first, |host| explained.is_chat(host))
            .into_values()
            .next()
    });
    steps.extend(to_chat);
    if let Some(to_chat) = to_chat {
        steps.extend(passed_on(messages, to_chat, |host| !explained.is_chat(host)).into_values());
    }
    steps
}

/// What the receiver of message `index` wrote right after it had read it, by whom it is for. Of
/// several it is the longest: the others acknowledge, or are heartbeats.
fn passed_on(
    messages: &[Message],
    index: usize,
    is_next: impl Fn(&str) -> bool,
) -> BTreeMap<&str, usize> {
    let came = &messages[index];
    let mut next = BTreeMap::new();
    let Some(at) = came.read_at else { return next };
    let start = messages.partition_point(|it| it.sent_at < at);
    let soon = messages.iter().enumerate().skip(start);
    for (index, it) in soon.take_while(|(_, it)| it.sent_at <= at + PASSES_ON) {
        if it.from == came.to && is_next(&it.to) {
            let longest = next.entry(&*it.to).or_insert(index);
            if it.len > messages[*longest].len {
                *longest = index;
            }
        }
    }
    next
}

/// From a connector to each user concerned who heard it, and to the sender with the answer.
fn last_steps(explained: &Explained, wanted: MessageId) -> Vec<usize> {
    let history = explained.record.history.iter();
    let arrivals = history.filter(|event| match event.what {
        What::Heard { message, .. } => message == Some(wanted),
        What::Answered { message, .. } => message == wanted,
        _ => false,
    });
    arrivals
        .filter_map(|event| came_with(explained, event))
        .collect()
}

/// What a user had read when it saw something.
fn came_with(explained: &Explained, seen: &Event) -> Option<usize> {
    let connection = explained.wires.connection(seen.user, seen.login)?;
    let home = explained.record.user_hosts.get(&seen.user);
    explained.wires.messages.iter().rposition(|it| {
        it.connection == connection && it.read_at == Some(seen.at) && Some(&it.to) == home
    })
}
