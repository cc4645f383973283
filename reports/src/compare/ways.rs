//! The way of one message on two builds: its steps by what they are, and which are not at the same time.

use std::collections::{BTreeMap, BTreeSet};

use crate::ways::{Delivery, Message};

/// A step on the way of a message. Ordered as a message goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Its sender sent it.
    Sent,
    /// It left one server for another.
    Hop {
        /// Where it left.
        from: String,
        /// Where it went.
        to: String,
        /// The how many-th time, from 1.
        time: u32,
    },
    /// It left a connector for a user.
    Told {
        /// The connector.
        from: String,
        /// The user.
        user: String,
        /// The how many-th time, from 1.
        time: u32,
    },
    /// A user had it.
    Heard {
        /// The user.
        user: String,
        /// The how many-th time, from 1.
        time: u32,
    },
    /// Its sender had the answer of success.
    Answered,
    /// Its sender had another answer.
    Refused,
}

/// A step that is not the same on both builds: when it was on each, in microseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parted {
    /// Which.
    pub step: Step,
    /// On base, if it was there.
    pub base_us: Option<u64>,
    /// On the new build, if it was there.
    pub new_us: Option<u64>,
}

impl Parted {
    /// When the builds are known to part.
    pub fn at_us(&self) -> u64 {
        let times = [self.base_us, self.new_us].into_iter().flatten();
        times.min().unwrap_or(u64::MAX)
    }
}

/// The steps of a message with their times.
pub fn steps(message: &Message) -> BTreeMap<Step, u64> {
    let mut counts = BTreeMap::new();
    let mut again = |what: (&str, &str, &str)| {
        let what = (what.0.to_owned(), what.1.to_owned(), what.2.to_owned());
        let count: &mut u32 = counts.entry(what).or_default();
        *count += 1;
        *count
    };
    let mut steps = BTreeMap::from([(Step::Sent, message.sent_us)]);
    for hop in &message.hops {
        let time = again(("hop", &hop.1, &hop.2));
        let (from, to) = (hop.1.clone(), hop.2.clone());
        steps.insert(Step::Hop { from, to, time }, hop.0);
    }
    for Delivery(user, from, left_us, heard_us) in &message.deliveries {
        if let Some(left_us) = left_us {
            let time = again(("told", from, user));
            let (from, user) = (from.clone(), user.clone());
            steps.insert(Step::Told { from, user, time }, *left_us);
        }
        if let Some(heard_us) = heard_us {
            let time = again(("heard", "", user));
            let user = user.clone();
            steps.insert(Step::Heard { user, time }, *heard_us);
        }
    }
    steps.extend(message.answered_us.map(|us| (Step::Answered, us)));
    steps.extend(message.refused_us.map(|us| (Step::Refused, us)));
    steps
}

/// The steps that are not the same, in the order in which the builds part there.
pub fn parted(base: Option<&Message>, new: Option<&Message>) -> Vec<Parted> {
    let [base, new] = [base, new].map(|message| message.map(steps).unwrap_or_default());
    let all: BTreeSet<&Step> = base.keys().chain(new.keys()).collect();
    let mut parted: Vec<Parted> = all
        .into_iter()
        .map(|step| Parted {
            step: step.clone(),
            base_us: base.get(step).copied(),
            new_us: new.get(step).copied(),
        })
        .filter(|it| it.base_us != it.new_us)
        .collect();
    parted.sort_by_key(|it| (it.at_us(), it.step.clone()));
    parted
}
