//! What must hold in a scenario beyond the values of each key.

use super::document::{Document, Problem};
use super::{Scenario, Span};

/// Everything in `scenario`, which was read from `document`, that does not hold.
pub(super) fn problems(scenario: &Scenario, document: &Document<'_>) -> Vec<Problem> {
    let mut found = Findings {
        document,
        problems: Vec::new(),
    };
    found.at_least("cluster.connectors", scenario.cluster.connectors, 1);
    found.at_least("cluster.chats", scenario.cluster.chats, 1);
    let users = &scenario.users;
    found.at_least("users.count", users.count, 1);
    found.at_least("users.hosts", Span::just(users.hosts), 1);
    found.at_least("users.rooms", users.rooms, 1);
    found.at_least("users.send-every", users.send_every_ms, 1);
    found.at_most("users.private-percent", users.private_percent, 100);
    if let Some(random) = &scenario.random_faults {
        for (index, kind) in random.kinds.iter().enumerate() {
            let path = format!("random-faults.kinds.{index}.weight");
            found.at_least(&path, Span::just(kind.weight), 1);
        }
    }
    found.problems
}

struct Findings<'d> {
    document: &'d Document<'d>,
    problems: Vec<Problem>,
}

impl Findings<'_> {
    fn add(&mut self, path: &str, what: String) {
        self.problems.push(self.document.problem(path, what));
    }

    fn at_least(&mut self, path: &str, span: Span, least: u32) {
        if span.min < least {
            self.add(path, format!("it must be at least {least}"));
        }
    }

    fn at_most(&mut self, path: &str, span: Span, most: u32) {
        if span.max > most {
            self.add(path, format!("it can be at most {most}"));
        }
    }
}
