//! Users who are no help: gone without a word, deaf, two of one name, or up to no good.

use cluster::options::DuplicateLogin;

use crate::chaos::Faults;
use crate::scenario::{Scenario, Shape, Span};
use crate::settings::Settings;
use crate::workload::{Habit, Workload};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        vanish_entering(),
        hasty(),
        duplicate_login(),
        duplicate_login_replaces(),
        slow_reader(),
        bad_input(),
    ]
}

fn vanish_entering() -> Scenario {
    Scenario {
        name: String::from("vanish-entering"),
        about: String::from(
            "users go silent while they enter; some log in again while the old session lives",
        ),
        seeds: 8,
        shape: Shape::default(),
        workload: Workload {
            habits: vec![(Habit::VanishEntering, 40), (Habit::Vanish, 20)],
            ..Workload::default()
        },
        faults: Faults::none(),
        settings: Settings::default(),
        quiet: true,
    }
}

fn hasty() -> Scenario {
    Scenario {
        name: String::from("hasty-users"),
        about: String::from(
            "users leave while they enter, and log in again; others speak before they are let in",
        ),
        seeds: 6,
        shape: Shape::default(),
        workload: Workload {
            habits: vec![(Habit::Hasty, 60), (Habit::Eager, 30)],
            ..Workload::default()
        },
        faults: Faults::none(),
        settings: Settings::default(),
        quiet: true,
    }
}

fn duplicate_login() -> Scenario {
    Scenario {
        name: String::from("duplicate-login"),
        about: String::from(
            "pairs of users race for one name through two connectors, again and again",
        ),
        seeds: 8,
        shape: Shape {
            users: Span::just(10),
            ..Shape::default()
        },
        workload: Workload {
            twins: Span::of(3..=8),
            ..Workload::default()
        },
        faults: Faults::none(),
        settings: Settings::default(),
        quiet: true,
    }
}

fn duplicate_login_replaces() -> Scenario {
    Scenario {
        name: String::from("duplicate-login-replaces"),
        about: String::from(
            "pairs of users race for one name, where the later login replaces the earlier",
        ),
        settings: Settings {
            duplicate_login: DuplicateLogin::Replace,
            ..Settings::default()
        },
        quiet: false,
        ..duplicate_login()
    }
}

fn bad_input() -> Scenario {
    Scenario {
        name: String::from("bad-input"),
        about: String::from("clients send garbage, half a handshake, or nothing, to every server"),
        seeds: 6,
        shape: Shape {
            connectors: Span::just(2),
            chats: Span::just(2),
            ..Shape::default()
        },
        workload: Workload {
            vandals: Span::of(2..=6),
            ..Workload::default()
        },
        faults: Faults::none(),
        settings: Settings::default(),
        quiet: true,
    }
}

fn slow_reader() -> Scenario {
    Scenario {
        name: String::from("slow-reader"),
        about: String::from("users in a busy room stop reading: they are kicked and slow nobody"),
        seeds: 4,
        shape: Shape {
            connectors: Span::just(2),
            chats: Span::just(1),
            users: Span::just(16),
            rooms: Span::just(1),
            ..Shape::default()
        },
        workload: Workload {
            send_every_ms: Span::of(100..=400),
            habits: vec![(Habit::Deafen, 20)],
            ..Workload::default()
        },
        faults: Faults::none(),
        settings: Settings {
            // With the window below, full after some two seconds of 60 messages each.
            session_queue_len: 64,
            tcp_capacity: 64,
            ..Settings::default()
        },
        quiet: false,
    }
}
