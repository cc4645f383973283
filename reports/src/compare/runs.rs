//! Two runs of one scenario and seed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::text::{clock, ms};
use super::ways::{Parted, Step, parted};
use crate::ways::{Message, Run};

/// Two runs, compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// The scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// They are the same, event by event.
    pub identical: bool,
    /// They are not, and not the same was asked of both.
    pub drawn_otherwise: bool,
    /// Where they part first; absent if all deliveries are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Divergence>,
    /// Hops between servers that messages make on the new build only, by their ends, with how many times.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hops_more: BTreeMap<String, u64>,
    /// Hops between servers that messages make on base only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hops_fewer: BTreeMap<String, u64>,
    /// Deliveries that are later on the new build.
    pub deliveries_later: u64,
    /// Deliveries that are earlier on the new build.
    pub deliveries_earlier: u64,
    /// Deliveries that base has, and the new build has not.
    pub deliveries_lost: u64,
    /// Deliveries that the new build has, and base has not.
    pub deliveries_new: u64,
    /// The command lines that do both runs again and keep their traces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replay: Vec<String>,
}

/// Where two runs part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Divergence {
    /// The message.
    pub message: String,
    /// To whom, if the step is for one user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The step, such as `chat-server-2 -> connector-server-1`.
    pub hop: String,
    /// When it is on base, if it is.
    pub base_us: Option<u64>,
    /// When it is on the new build, if it is.
    pub new_us: Option<u64>,
    /// All of it as a sentence.
    pub told: String,
}

/// Compares two runs of one scenario and seed.
pub fn compare(base: &Run, new: &Run) -> Compared {
    let identical = (&base.hash, base.events) == (&new.hash, new.events);
    let mut compared = Compared {
        scenario: base.scenario.clone(),
        seed: base.seed,
        identical,
        drawn_otherwise: !identical && base.drawn != new.drawn,
        first: None,
        hops_more: BTreeMap::new(),
        hops_fewer: BTreeMap::new(),
        deliveries_later: 0,
        deliveries_earlier: 0,
        deliveries_lost: 0,
        deliveries_new: 0,
        replay: Vec::new(),
    };
    if identical {
        return compared;
    }
    let mut first_us = u64::MAX;
    for (name, messages) in &paired(base, new) {
        let parted = parted(messages.0, messages.1);
        for step in &parted {
            compared.count(step);
        }
        let Some(at_us) = parted.first().map(Parted::at_us) else {
            continue;
        };
        if at_us < first_us {
            compared.first = Some(divergence(name, &parted));
            first_us = at_us;
        }
    }
    let trace = |run: &Run, side| format!("{} --trace {side}.jsonl", run.command);
    compared.replay = vec![trace(base, "base"), trace(new, "new")];
    compared
}

type Pairs<'a> = BTreeMap<&'a str, (Option<&'a Message>, Option<&'a Message>)>;

/// The messages of both runs by name.
pub fn paired<'a>(base: &'a Run, new: &'a Run) -> Pairs<'a> {
    let mut pairs = Pairs::new();
    for message in &base.messages {
        pairs.entry(&message.message).or_default().0 = Some(message);
    }
    for message in &new.messages {
        pairs.entry(&message.message).or_default().1 = Some(message);
    }
    pairs
}

impl Compared {
    fn count(&mut self, parted: &Parted) {
        let times = (parted.base_us, parted.new_us);
        match (&parted.step, times) {
            (Step::Hop { from, to, .. }, (None, Some(_))) => {
                *self.hops_more.entry(hop(from, to)).or_default() += 1;
            }
            (Step::Hop { from, to, .. }, (Some(_), None)) => {
                *self.hops_fewer.entry(hop(from, to)).or_default() += 1;
            }
            (Step::Heard { .. }, (Some(_), None)) => self.deliveries_lost += 1,
            (Step::Heard { .. }, (None, Some(_))) => self.deliveries_new += 1,
            (Step::Heard { .. }, (Some(base), Some(new))) if base < new => {
                self.deliveries_later += 1;
            }
            (Step::Heard { .. }, _) => self.deliveries_earlier += 1,
            _ => {}
        }
    }
}

fn hop(from: &str, to: &str) -> String {
    format!("{from} -> {to}")
}

/// The first of the steps of a message that part, with the hops that only one build makes.
fn divergence(message: &str, parted: &[Parted]) -> Divergence {
    let first = &parted[0];
    let (hop_name, user) = match &first.step {
        Step::Sent => ("its sender".to_owned(), None),
        Step::Hop { from, to, .. } => (hop(from, to), None),
        Step::Told { from, user, .. } => (hop(from, user), Some(user.clone())),
        Step::Heard { user, .. } => (format!("receipt by {user}"), Some(user.clone())),
        Step::Answered => ("answer".to_owned(), None),
        Step::Refused => ("refusal".to_owned(), None),
    };
    let to = whom(parted, user.as_deref());
    let mut told = format!("message {message}{to}: {hop_name} {}", when(first));
    for it in parted {
        if let Step::Hop { from, to, .. } = &it.step
            && it.step != first.step
        {
            match (it.base_us, it.new_us) {
                (None, Some(us)) => {
                    told += &format!("; one hop more: {} at {}", hop(from, to), clock(us));
                }
                (Some(us), None) => {
                    told += &format!("; one hop fewer: {} at {}", hop(from, to), clock(us));
                }
                _ => {}
            }
        }
    }
    Divergence {
        message: message.to_owned(),
        user,
        hop: hop_name,
        base_us: first.base_us,
        new_us: first.new_us,
        told,
    }
}

/// Whom it concerns: the user of the step, else the first whose receipt is another.
fn whom(parted: &[Parted], user: Option<&str>) -> String {
    let mut heard = parted.iter().filter_map(|it| match &it.step {
        Step::Heard { user, .. } => Some(user.as_str()),
        _ => None,
    });
    let user = user.or_else(|| heard.next());
    user.map_or_else(String::new, |user| format!(" to {user}"))
}

/// When a step is on both builds.
fn when(parted: &Parted) -> String {
    let verb = match parted.step {
        Step::Hop { .. } | Step::Told { .. } => "left",
        _ => "was",
    };
    match (parted.base_us, parted.new_us) {
        (Some(base), Some(new)) => {
            let (by, direction) = match new > base {
                true => (new - base, "later"),
                false => (base - new, "earlier"),
            };
            let (base, new) = (clock(base), clock(new));
            format!("{verb} {} {direction} (base {base}, new {new})", ms(by))
        }
        (Some(base), None) => format!("is not there (base {}), one less", clock(base)),
        (None, Some(new)) => format!("is one more (new {})", clock(new)),
        (None, None) => String::from("is not there"),
    }
}
