//! Where the time goes: the way of each message to its last recipient, cut into steps, on both builds.

use serde::{Deserialize, Serialize};

use super::runs::paired;
use crate::ways::{Delivery, Message, Run};

/// A step of the way, over all messages that have a last recipient on both builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What it is.
    pub step: String,
    /// How long it takes on base.
    pub base: Times,
    /// How long it takes on the new build.
    pub new: Times,
}

/// How long something takes, exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// How many there are.
    pub count: u64,
    /// Their mean.
    pub mean_us: u64,
    /// Half of them are at most this.
    pub p50_us: u64,
    /// 99 of 100 are at most this.
    pub p99_us: u64,
    /// The longest.
    pub max_us: u64,
}

/// What the steps are, the whole way last.
const STEPS: [&str; 7] = [
    "sender -> its connector -> on to the chat server",
    "-> left the chat server for the last recipient's connector",
    "-> left that connector",
    "-> the last recipient",
    "between the first and the last push to a connector",
    "sender -> answer",
    "sender -> last recipient",
];

/// The place of the answer in [`STEPS`].
const ANSWER: usize = 5;

/// Collects the steps of messages.
#[derive(Debug, Default)]
pub struct Steps {
    base: [Vec<u64>; STEPS.len()],
    new: [Vec<u64>; STEPS.len()],
}

impl Steps {
    /// Adds two runs of one scenario and seed.
    pub fn add(&mut self, base: &Run, new: &Run) {
        for (of_base, of_new) in paired(base, new).values() {
            let ways = of_base.and_then(steps).zip(of_new.and_then(steps));
            let Some((base, new)) = ways else { continue };
            for (index, (base, new)) in base.into_iter().zip(new).enumerate() {
                // An answer that only one of both has cannot be compared.
                if let (Some(base), Some(new)) = (base, new) {
                    self.base[index].push(base);
                    self.new[index].push(new);
                }
            }
        }
    }

    /// The steps, the whole way last; none if no message was delivered on both builds.
    pub fn told(self) -> Vec<Step> {
        if self.base[0].is_empty() {
            return Vec::new();
        }
        let both = self.base.into_iter().zip(self.new);
        let named = STEPS.iter().zip(both);
        named
            .map(|(step, (base, new))| Step {
                step: (*step).to_owned(),
                base: Times::of(base),
                new: Times::of(new),
            })
            .collect()
    }
}

impl Times {
    fn of(mut times_us: Vec<u64>) -> Self {
        times_us.sort_unstable();
        let Some(max_us) = times_us.last().copied() else {
            return Self::default();
        };
        let count = times_us.len();
        let sum: u64 = times_us.iter().sum();
        // The smallest value that so many percent do not exceed.
        let quantile = |percent: usize| times_us[(count * percent).div_ceil(100) - 1];
        Self {
            count: count as u64,
            mean_us: sum / count as u64,
            p50_us: quantile(50),
            p99_us: quantile(99),
            max_us,
        }
    }
}

/// How long each step of a message took; `None` if nobody got it by a way that is known.
fn steps(message: &Message) -> Option<[Option<u64>; STEPS.len()]> {
    let heard = |delivery: &&Delivery| delivery.3.is_some() && delivery.2.is_some();
    let last = message
        .deliveries
        .iter()
        .filter(heard)
        .max_by_key(|it| it.3)?;
    let (connector, told_us, heard_us) = (&last.1, last.2?, last.3?);
    let is_connector = |host: &str| message.deliveries.iter().any(|it| it.1 == host);
    // Of several from one server to another, the last before it was told is what brought it.
    let mut back = message.hops.iter().rev();
    let pushed = back.find(|hop| hop.2 == *connector && hop.0 <= told_us)?;
    let forwarded = back.find(|hop| hop.2 == pushed.1)?;
    let pushes = message
        .hops
        .iter()
        .filter(|hop| hop.1 == pushed.1 && is_connector(&hop.2));
    // After what was forwarded last, it was told; before, it was passed to and fro.
    let pushes = || {
        pushes
            .clone()
            .map(|hop| hop.0)
            .filter(|at_us| *at_us >= forwarded.0)
    };
    let spread = pushes()
        .max()
        .zip(pushes().min())
        .map(|(last, first)| last - first);
    let since = |later: u64, earlier: u64| Some(later.saturating_sub(earlier));
    let mut steps = [None; STEPS.len()];
    steps[0] = since(forwarded.0, message.sent_us);
    steps[1] = since(pushed.0, forwarded.0);
    steps[2] = since(told_us, pushed.0);
    steps[3] = since(heard_us, told_us);
    steps[4] = spread;
    steps[ANSWER] = message
        .answered_us
        .and_then(|us| since(us, message.sent_us));
    steps[6] = since(heard_us, message.sent_us);
    Some(steps)
}
