//! The latencies that the users of a history saw, besides those of deliveries (see
//! [`crate::audit`]).

use std::collections::BTreeMap;

use reports::latency::Latencies;

use crate::history::{Event, What};

/// Latencies of a history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// From when a login was first due, attempts that failed included, to the answer of the first
    /// enter of the one that succeeded.
    pub login: Latencies,
    /// From when a send was due by the plan to its answer, of those that were accepted: a refusal is
    /// quick, and a cluster that refuses most would look best.
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
            What::Login { due } => {
                logins.insert(login, *due);
            }
            What::Entered { .. } => {
                // The second enter of a session is a switch, not a login.
                if let Some(due) = logins.remove(&login) {
                    figures.login.record(event.at.saturating_sub(due));
                }
            }
            What::Sending { message, due, .. } => {
                dues.insert(*message, *due);
                figures.lateness.record(event.at.saturating_sub(*due));
            }
            What::Answered { message, ok: true } => {
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
    fn logins_and_accepted_requests_count_from_when_they_were_due() {
        let message = |number| MessageId {
            user: 1,
            login: 1,
            number,
        };
        let (accepted, refused) = (message(1), message(2));
        let event = |at_ms, what| Event {
            at: Duration::from_millis(at_ms),
            user: 1,
            login: 1,
            what,
        };
        let sending = |message| What::Sending {
            message,
            due: Duration::from_millis(100),
            target: Target::Room,
        };
        let answered = |message, ok| What::Answered { message, ok };
        let due = Duration::from_millis(10);
        let entered = || What::Entered { users: Vec::new() };
        let figures = figures(&[
            event(11, What::Login { due }),
            event(40, entered()),
            event(50, entered()),
            event(102, sending(accepted)),
            event(107, answered(accepted, true)),
            event(108, sending(refused)),
            event(109, answered(refused, false)),
        ]);
        let seen = |latencies: Latencies| {
            let figures = latencies.figures().expect("there is one");
            (figures.count, figures.latency_us_max.div_ceil(100))
        };
        assert_eq!(seen(figures.login), (1, 301));
        assert_eq!(seen(figures.request), (1, 71));
        assert_eq!(seen(figures.lateness), (2, 81));
    }
}
