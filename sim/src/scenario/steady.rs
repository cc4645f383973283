//! Nothing goes wrong: what fails here fails for users every day.

use crate::chaos::Faults;
use crate::scenario::{Scenario, Shape, Span};
use crate::settings::Settings;
use crate::workload::{Habit, Workload};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario {
        name: String::from("steady"),
        about: String::from("no faults; users chat, leave and rejoin, switch rooms"),
        seeds: 10,
        shape: Shape {
            users: Span::just(30),
            ..Shape::default()
        },
        workload: Workload {
            habits: vec![(Habit::Rejoin, 30), (Habit::Switch, 30)],
            ..Workload::default()
        },
        faults: Faults::none(),
        settings: Settings::default(),
        quiet: true,
    }]
}
