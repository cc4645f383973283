//! The latencies that the users of a history saw, besides those of deliveries (see
//! [`crate::audit`]).

use std::collections::BTreeMap;

use reports::latency::Latencies;

use crate::history::{Event, What};

/// Latencies of a history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// From the first connect to the gate to the answer of the first enter, by successful login.
    pub login: Latencies,
    /// From when a send was due by the plan to its answer, with success or an error.
    pub request: Latencies,
    /// From when a send was due to when it was sent: what the generator itself added. It is part of
    /// `request` and of all broadcast latencies.
    pub lateness: Latencies,
}

/// Reads `history`.
pub fn figures(history: &[Event]) -> Figures {
    let mut figures = Figures::default();
    let mut logins = BTreeMap::new();
    let mut dues = BTreeMap::new();
    for event in history {
        let login = (event.user, event.login);
        match &event.what {
            What::Login => {
                logins.insert(login, event.at);
            }
            What::Entered { .. } => {
                // The second enter of a session is a switch, not a login.
                if let Some(began_at) = logins.remove(&login) {
                    figures.login.record(event.at - began_at);
                }
            }
            What::Sending { message, due, .. } => {
                dues.insert(*message, *due);
                figures.lateness.record(event.at.saturating_sub(*due));
            }
            What::Answered { message, .. } => {
                if let Some(due) = dues.remove(message) {
                    figures.request.record(event.at.saturating_sub(due));
                }
            }
            _ => {}
        }
    }
    figures
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::history::{MessageId, Target};

    #[test]
    fn logins_count_from_the_gate_and_requests_from_when_they_were_due() {
        let message = MessageId {
            user: 1,
            login: 1,
            number: 1,
        };
        let event = |at_ms, what| Event {
            at: Duration::from_millis(at_ms),
            user: 1,
            login: 1,
            what,
        };
        let sending = What::Sending {
            message,
            due: Duration::from_millis(100),
            target: Target::Room,
        };
        let entered = || What::Entered { users: Vec::new() };
        let figures = figures(&[
            event(10, What::Login),
            event(40, entered()),
            event(50, entered()),
            event(102, sending),
            event(107, What::Answered { message, ok: false }),
        ]);
        let seen = |latencies: Latencies| {
            let figures = latencies.figures().expect("there is one");
            (figures.count, figures.latency_us_max.div_ceil(100))
        };
        assert_eq!(seen(figures.login), (1, 301));
        assert_eq!(seen(figures.request), (1, 71));
        assert_eq!(seen(figures.lateness), (1, 20));
    }
}
