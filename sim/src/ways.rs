//! A run as the ways that its messages took: what two builds are compared by.

use std::collections::BTreeMap;
use std::time::Duration;

use cluster::policy::Policy;
use loadgen::history::{MessageId, What};
use reports::ways::{DELIVERIES_MAX, Delivery, Hop, Message, Run, SCHEMA};

use crate::run::Outcome;
use crate::trace::Fnv;

/// The ways of the messages of a run.
pub fn of(outcome: &Outcome) -> Run {
    let mut ways = BTreeMap::new();
    for event in &outcome.record.history {
        let at_us = micros(event.at);
        match &event.what {
            What::Sending { message, .. } => {
                let way: &mut Way = ways.entry(*message).or_default();
                way.sent_us = Some(at_us);
            }
            What::Answered { message, ok } => {
                let way = ways.entry(*message).or_default();
                let answer = if *ok {
                    &mut way.answered_us
                } else {
                    &mut way.refused_us
                };
                *answer = Some(at_us);
            }
            What::Heard {
                message: Some(message),
                ..
            } => {
                let way = ways.entry(*message).or_default();
                way.heard.entry(event.user).or_default().push(at_us);
            }
            _ => {}
        }
    }
    for passage in &outcome.passages {
        let way = ways.entry(passage.message).or_default();
        let at_us = micros(passage.at);
        match passage.user {
            Some(user) => {
                let told = (passage.from.to_string(), at_us);
                way.told.entry(user).or_default().push(told);
            }
            None => {
                let (from, to) = (passage.from.to_string(), passage.to.to_string());
                way.hops.push(Hop(at_us, from, to));
            }
        }
    }
    run(outcome, ways)
}

/// What is known of one message.
#[derive(Default)]
struct Way {
    sent_us: Option<u64>,
    answered_us: Option<u64>,
    refused_us: Option<u64>,
    hops: Vec<Hop>,
    /// By user: from where, and when, in the order of time.
    told: BTreeMap<u32, Vec<(String, u64)>>,
    heard: BTreeMap<u32, Vec<u64>>,
}

fn run(outcome: &Outcome, ways: BTreeMap<MessageId, Way>) -> Run {
    let mut messages: Vec<(MessageId, Message)> = ways
        .into_iter()
        .filter_map(|(id, way)| Some((id, message(id, way)?)))
        .collect();
    messages.sort_by_key(|(id, message)| (message.sent_us, *id));
    let (mut deliveries, total) = (0, messages.len());
    let told: Vec<Message> = messages
        .into_iter()
        .map(|(_, message)| message)
        .take_while(|message| {
            deliveries += message.deliveries.len();
            deliveries <= DELIVERIES_MAX
        })
        .collect();
    Run {
        schema: SCHEMA,
        scenario: outcome.scenario.clone(),
        seed: outcome.seed,
        command: format!("sim run {}", outcome.name()),
        drawn: format!("{:016x}", drawn(outcome)),
        hash: format!("{:016x}", outcome.chain.hash),
        events: outcome.chain.events,
        broke_off: outcome.broke_off.clone(),
        left_out: (total - told.len()) as u64,
        messages: told,
    }
}

/// `None` if it was never sent: its text is that of another run.
fn message(id: MessageId, mut way: Way) -> Option<Message> {
    let mut deliveries = Vec::new();
    for (user, told) in &way.told {
        let mut heard = way.heard.remove(user).unwrap_or_default().into_iter();
        let name = format!("u{user}");
        for (connector, at_us) in told {
            let heard_us = heard.next();
            deliveries.push(Delivery(
                name.clone(),
                connector.clone(),
                Some(*at_us),
                heard_us,
            ));
        }
        deliveries.extend(heard.map(|at_us| unseen(&name, at_us)));
    }
    for (user, heard) in &way.heard {
        let name = format!("u{user}");
        deliveries.extend(heard.iter().map(|at_us| unseen(&name, *at_us)));
    }
    deliveries.sort_by_key(|Delivery(_, _, left_us, heard_us)| (*left_us, *heard_us));
    Some(Message {
        message: id.to_string(),
        sent_us: way.sent_us?,
        answered_us: way.answered_us,
        refused_us: way.refused_us,
        hops: way.hops,
        deliveries,
    })
}

/// A user had what no connector was seen to write.
fn unseen(user: &str, heard_us: u64) -> Delivery {
    Delivery(user.to_owned(), String::new(), None, Some(heard_us))
}

/// What was drawn for the run, whatever its servers are like: as it is printed before it.
fn drawn(outcome: &Outcome) -> u64 {
    let Some(case) = &outcome.case else {
        return 0;
    };
    let mut case = case.clone();
    case.settings.policy = Policy::hardened();
    case.settings.drag = None;
    Fnv::of(case.to_string().as_bytes())
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).expect("a run lasts less than 500,000 years")
}
