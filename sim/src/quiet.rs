//! What some scenarios demand besides the promises: that no user loses its connection.
//!
//! A session that can't be kept may be kicked, so a cluster that kicks too soon breaks no promise.
//! But where nothing lasts as long as a lease, and no connector dies, nothing has to be kicked.

use loadgen::history::{Event, What};

use crate::guarantees::{Guarantee, Violation};

/// Finds the users that lost their connection, or did not get one, though nothing called for it.
pub fn check(history: &[Event]) -> Vec<Violation> {
    let lost = history.iter().filter_map(|event| {
        let (what, reason) = match &event.what {
            What::Kicked { reason } => ("was kicked", reason),
            What::Closed { reason } => ("was cut off", reason),
            What::LoginFailed { reason } => ("could not log in", reason),
            _ => return None,
        };
        let (user, login) = (event.user, event.login);
        Some(Violation {
            guarantee: Guarantee::NoFalseKill,
            at: event.at,
            what: format!("u{user}.{login} {what} though nothing called for it: {reason}"),
        })
    });
    lost.collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn event(what: What) -> Event {
        Event {
            at: Duration::from_secs(3),
            user: 7,
            login: 2,
            what,
        }
    }

    #[test]
    fn who_leaves_is_not_missed_and_who_is_kicked_is() {
        assert_eq!(
            check(&[event(What::Leaving {
                due: Duration::ZERO
            })]),
            []
        );
        let reason = String::from("too slow");
        let found = check(&[event(What::Kicked { reason })]);
        assert_eq!(
            found[0].to_string(),
            "00:03.000 G13 no false kill: u7.2 was kicked though nothing called for it: too slow"
        );
    }
}
