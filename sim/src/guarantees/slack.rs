//! How late a thing may be, and why.

use std::time::Duration;

use cluster::limits;

use crate::record::Bounds;

/// Simulated time moves in ticks of a millisecond, and a message passes up to a dozen tasks on its
/// way. Fifty is far above both and far below every timer.
pub const MARGIN: Duration = Duration::from_millis(50);

impl Bounds {
    /// The time from a user to its connector, or back.
    pub(super) fn one_way(&self) -> Duration {
        self.latency_max + MARGIN
    }

    /// The longest way that news takes in a sound network: a user to its connector, the chat
    /// server, another connector, another user.
    pub(super) fn news(&self) -> Duration {
        4 * self.latency_max + MARGIN
    }

    /// The longest time that a dead connection goes unnoticed at either of its ends. A user waits
    /// one interval before its own heartbeat and two for the next package; a connector waits two
    /// for a heartbeat, and one more if it stood still itself. Then comes the news of it.
    pub(super) fn unnoticed(&self) -> Duration {
        3 * self.heartbeat + self.news()
    }

    /// The longest time, after whatever disturbed a session is over, until that session has
    /// either caught up or ended. Its connection may turn out to be dead without anybody noticing;
    /// the link behind it may hang in a dial that was lost, and then find its lease gone, or wait
    /// for a lease to run out.
    pub(super) fn recovery(&self) -> Duration {
        self.unnoticed() + self.lease + self.relink()
    }

    /// The longest time, after whatever broke a link is over, until both its ends go on with it:
    /// an attempt to dial that hangs (to be accepted, then for the welcome), the pause before the
    /// next, and its three round trips: dial, hello, report.
    pub(super) fn relink(&self) -> Duration {
        let dial_and_welcome = 2 * limits::dial_patience(self.lease);
        dial_and_welcome + limits::REDIAL_PAUSE + 6 * self.latency_max + MARGIN
    }

    /// The shortest trouble after which the lease of a link can have run out. Of the rest of it,
    /// some had passed before, since the latest ping that was answered, and some passes after.
    pub(super) fn breaks_lease(&self) -> Duration {
        let since_ping = limits::ping_interval(self.lease) + 2 * self.latency_max;
        self.lease.saturating_sub(since_ping + self.relink())
    }

    /// The longest time until a user has its answer in a sound network: the server's deadline
    /// counts from the arrival of the request to the leaving of the answer.
    pub(super) fn answer(&self) -> Duration {
        self.request_deadline + 2 * self.latency_max + MARGIN
    }

    /// The longest time for a whole round in a settled cluster, where nothing waits for a timer:
    /// a user to its connector, to the chat server, to the other connectors, their
    /// acknowledgement, and the answer. That is six ways; two to spare.
    pub(super) fn round(&self) -> Duration {
        8 * self.latency_max + MARGIN
    }

    /// The longest login in a sound network, from asking the gate to sending `enter`: the round
    /// trips of [`Self::round_trips_in`], and the deadline at either server.
    pub(super) fn login(&self) -> Duration {
        2 * self.request_deadline + self.round_trips_in()
    }

    /// What a login takes if nobody hesitates. At each of the two servers: connect, upgrade,
    /// handshake, one request; four times there and back.
    pub(super) fn round_trips_in(&self) -> Duration {
        16 * self.latency_max + MARGIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::story::{Story, ms};

    #[test]
    fn a_longer_lease_is_waited_for_and_its_dials_too() {
        let bounds = Story::new().record().bounds;
        let longer = Bounds {
            lease: bounds.lease + ms(4000),
            ..bounds.clone()
        };
        assert_eq!(longer.relink() - bounds.relink(), ms(2000));
        assert_eq!(longer.recovery() - bounds.recovery(), ms(6000));
    }

    #[test]
    fn the_dials_of_a_short_lease_are_short() {
        let bounds = Story::new().record().bounds;
        let short = Bounds {
            lease: ms(400),
            ..bounds
        };
        let lost = short.recovery() - short.unnoticed() - short.lease;
        assert!(lost < limits::HELLO_PATIENCE, "{lost:?}");
    }
}
