//! Broadcasts: what is kept of all by the size of their rooms, and of the slowest each.

use serde::{Deserialize, Serialize};

use crate::buckets::Buckets;

/// How many of the slowest broadcasts are kept.
pub const WORST_MAX: usize = 20;

/// One message to all members of a room, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Broadcast {
    /// Which message, as it is called everywhere: `u3.1.7`.
    pub message: String,
    /// The room it was sent to.
    pub room: String,
    /// How many members the room had.
    pub members: u32,
    /// How many had to hear it.
    pub expected: u32,
    /// How many of these heard it.
    pub got: u32,
    /// When it was due by the plan, since the start of the run.
    pub due_us: u64,
    /// When it was sent, since the start of the run.
    pub sent_us: u64,
    /// When the server accepted it, since the start of the run; absent if it never answered.
    pub answered_us: Option<u64>,
    /// When it was heard; absent if nobody heard it.
    pub delays: Option<Delays>,
}

/// How long after it was due a broadcast was heard, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Delays {
    /// By the first recipient.
    pub first_us: u64,
    /// By half of them (the lower of two).
    pub median_us: u64,
    /// By 99 of 100.
    pub p99_us: u64,
    /// By the last.
    pub last_us: u64,
}

/// The broadcasts to rooms of about one size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// How many broadcasts.
    pub broadcasts: u64,
    /// How many of them all had heard that had to.
    pub complete: u64,
    /// How many had to hear one, over all broadcasts.
    pub recipients_expected: u64,
    /// How many of these heard it.
    pub recipients_got: u64,
    /// Delays of the first recipients. Like the others in `latencies.hdr`, not in JSON.
    #[serde(skip)]
    pub first: Buckets,
    /// Delays of the median recipients.
    #[serde(skip)]
    pub median: Buckets,
    /// Delays of the recipients number 99 of 100.
    #[serde(skip)]
    pub p99: Buckets,
    /// Delays of the last recipients.
    #[serde(skip)]
    pub last: Buckets,
}

/// The broadcasts that took longest until the last recipient heard them: at most [`WORST_MAX`],
/// the slowest first. The order is total, so that the same are kept in whatever order they come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Worst(Vec<Broadcast>);

/// The class of a room: the smallest size that belongs to it, which is a power of two (1, 2, 4, 8 ...).
pub fn class_of(members: u32) -> u32 {
    1 << members.max(1).ilog2()
}

impl Broadcast {
    /// Whether all heard it that had to.
    pub fn is_complete(&self) -> bool {
        self.got == self.expected
    }

    /// What the slowest are sorted by: the others decide between equally slow ones.
    fn slowness(&self) -> (u64, &str, &str, &Self) {
        let last_us = self.delays.map_or(0, |delays| delays.last_us);
        (u64::MAX - last_us, &self.room, &self.message, self)
    }
}

impl Class {
    pub(super) fn note(&mut self, broadcast: &Broadcast) {
        self.broadcasts += 1;
        self.complete += u64::from(broadcast.is_complete());
        self.recipients_expected += u64::from(broadcast.expected);
        self.recipients_got += u64::from(broadcast.got);
        if let Some(delays) = &broadcast.delays {
            self.first.add(delays.first_us, 1);
            self.median.add(delays.median_us, 1);
            self.p99.add(delays.p99_us, 1);
            self.last.add(delays.last_us, 1);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.broadcasts += other.broadcasts;
        self.complete += other.complete;
        self.recipients_expected += other.recipients_expected;
        self.recipients_got += other.recipients_got;
        self.first.merge(&other.first);
        self.median.merge(&other.median);
        self.p99.merge(&other.p99);
        self.last.merge(&other.last);
    }
}

impl Worst {
    /// The slowest first.
    pub fn broadcasts(&self) -> &[Broadcast] {
        &self.0
    }

    pub(super) fn note(&mut self, broadcast: &Broadcast) {
        let slowness = broadcast.slowness();
        let index = self.0.partition_point(|other| other.slowness() < slowness);
        if index < WORST_MAX {
            self.0.insert(index, broadcast.clone());
            self.0.truncate(WORST_MAX);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|broadcast| self.note(broadcast));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_start_at_powers_of_two() {
        let sizes = [0, 1, 2, 3, 4, 7, 8, 1000, 1024, u32::MAX];
        let classes = sizes.map(class_of);
        assert_eq!(classes, [1, 1, 2, 2, 4, 4, 8, 512, 1024, 1 << 31]);
    }
}
