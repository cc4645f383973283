//! The network between connectors and chat servers, and between users and connectors, breaks.

use std::time::Duration;

use crate::chaos::Faults;
use crate::incident::{Ends, Incident, Kind, LinkTrouble};
use crate::scenario::{Scenario, Shape, Span};
use crate::settings::Settings;
use crate::workload::{Habit, Workload};

/// Any time in the first third of the faults.
const EARLY_MS: Span = Span::of(0..=2000);
/// Shorter than the lease of 2 s.
const SHORT_MS: Span = Span::of(100..=1500);
/// Longer than the lease, and still before everything is healed.
const LONG_MS: Span = Span::of(2500..=4000);

pub(super) fn scenarios() -> Vec<Scenario> {
    let one = |name, about, kind, lasts_ms| Scenario {
        name: String::from(name),
        about: String::from(about),
        seeds: 8,
        // Few servers, so that most rooms are touched by the one link.
        shape: Shape {
            connectors: Span::just(2),
            chats: Span::just(2),
            ..Shape::default()
        },
        workload: Workload {
            habits: vec![(Habit::Rejoin, 20), (Habit::Switch, 10)],
            ..Workload::default()
        },
        faults: Faults::Listed(vec![Incident {
            kind,
            after_ms: EARLY_MS,
            lasts_ms,
        }]),
        settings: Settings::default(),
        quiet: false,
    };
    vec![
        Scenario {
            quiet: true,
            ..one(
                "link-hold",
                "a link between connector and chat stalls for less than the lease",
                Kind::Link(LinkTrouble::Hold, Ends::Backend),
                SHORT_MS,
            )
        },
        one(
            "link-hold-long",
            "a link between connector and chat stalls for longer than the lease",
            Kind::Link(LinkTrouble::Hold, Ends::Backend),
            LONG_MS,
        ),
        one(
            "link-partition",
            "a link between connector and chat loses everything, then works again",
            Kind::Link(LinkTrouble::Partition, Ends::Backend),
            Span::of(SHORT_MS.min..=LONG_MS.max),
        ),
        one(
            "link-one-way",
            "a link between connector and chat loses everything in one direction",
            Kind::Link(LinkTrouble::OneWay, Ends::Backend),
            Span::of(SHORT_MS.min..=LONG_MS.max),
        ),
        flapping(one(
            "link-flapping",
            "",
            Kind::Link(LinkTrouble::Hold, Ends::Backend),
            SHORT_MS,
        )),
        held_past_deadline(),
        overrun(),
    ]
}

/// Requests are refused while what they asked for is still on its way. An `enter` that is given up
/// must be undone, and only that: the name may be somebody else's.
fn held_past_deadline() -> Scenario {
    Scenario {
        name: String::from("link-hold-deadline"),
        about: String::from(
            "a link stalls for longer than a request may take, and less than the lease",
        ),
        seeds: 8,
        shape: Shape {
            connectors: Span::just(2),
            chats: Span::just(1),
            users: Span::just(12),
            rooms: Span::just(2),
            ..Shape::default()
        },
        workload: Workload {
            habits: vec![(Habit::Rejoin, 40), (Habit::Switch, 30)],
            twins: Span::of(2..=5),
            ..Workload::default()
        },
        faults: Faults::Listed(vec![Incident {
            kind: Kind::Link(LinkTrouble::Hold, Ends::Backend),
            after_ms: EARLY_MS,
            lasts_ms: Span::of(1200..=3000),
        }]),
        settings: Settings {
            lease: Duration::from_secs(4),
            request_deadline: Duration::from_secs(1),
            ..Settings::default()
        },
        quiet: true,
    }
}

/// What a held link is to carry is more than its outbox takes, so that it is cut off although the
/// hold is shorter than its lease.
fn overrun() -> Scenario {
    Scenario {
        name: String::from("link-overrun"),
        about: String::from(
            "a link stalls for less than the lease, and more waits for it than its bound",
        ),
        seeds: 8,
        shape: Shape {
            connectors: Span::just(3),
            chats: Span::just(1),
            users: Span::just(16),
            rooms: Span::just(1),
            ..Shape::default()
        },
        workload: Workload {
            // Some 40 messages a second, of which each connector gets all.
            send_every_ms: Span::of(200..=600),
            habits: vec![(Habit::Rejoin, 20)],
            ..Workload::default()
        },
        faults: Faults::Listed(vec![Incident {
            kind: Kind::Link(LinkTrouble::Hold, Ends::Backend),
            after_ms: EARLY_MS,
            lasts_ms: Span::of(1200..=1900),
        }]),
        settings: Settings {
            // Never for long while the link carries, and within a second when it does not.
            outbox_len: 16,
            ..Settings::default()
        },
        quiet: false,
    }
}

/// Cuts and stalls one after the other; with one connector and one chat server, all on one link.
fn flapping(base: Scenario) -> Scenario {
    let incident = |index: u32, kind| Incident {
        kind,
        after_ms: Span::of(index * 700..=index * 700 + 200),
        lasts_ms: Span::of(100..=450),
    };
    let hold = Kind::Link(LinkTrouble::Hold, Ends::Backend);
    let partition = Kind::Link(LinkTrouble::Partition, Ends::Backend);
    Scenario {
        about: String::from("the link between connector and chat breaks again and again"),
        quiet: true,
        shape: Shape {
            connectors: Span::just(1),
            chats: Span::just(1),
            ..base.shape
        },
        faults: Faults::Listed(
            (0..8)
                .map(|index| incident(index, if index % 2 == 0 { partition } else { hold }))
                .collect(),
        ),
        ..base
    }
}

#[cfg(test)]
mod tests {
    use loadgen::history::What;

    use super::*;
    use crate::case::Case;
    use crate::run;

    #[test]
    fn a_link_that_overruns_is_given_up_though_its_lease_would_have_lasted() {
        let kicks = |scenario: &Scenario| {
            let outcome = run::run(&Case::draw(scenario, 0), false);
            assert!(outcome.held(), "{:?}", outcome.violations);
            let history = outcome.record.history.iter();
            let kicked = history.filter(|event| matches!(event.what, What::Kicked { .. }));
            kicked.count()
        };
        assert!(kicks(&overrun()) > 0);
        let roomy = Scenario {
            settings: Settings::default(),
            ..overrun()
        };
        assert_eq!(kicks(&roomy), 0);
    }
}
