//! What must hold in a scenario beyond the values of each key.

use std::time::Duration;

use cluster::limits;
use cluster::wire::package::BODY_LEN_LIMIT;
use loadgen::document::{Document, Problem};

use super::expectation::Expected;
use super::{Cluster, Phases, Scenario, Span, built_in};
use crate::case::SERVERS_MAX;
use crate::guarantees::Guarantee;
use crate::settings::bounds;

mod faults;

/// Round trips of a login: to the gate and to a connector, each with what a connection and a
/// handshake take.
const LOGIN_ROUND_TRIPS: u32 = 7;
/// Finer proportions than these make no difference.
const ROOM_SIZES_SUM_MAX: u32 = 1000;
/// Most sends of all scripts of a run, which are drawn, and kept in memory, before it begins.
const SENDS_MAX: u128 = 1_000_000;
/// Probes speak 1.2 s after their login began and are to be heard.
const PROBE_MIN: Duration = Duration::from_secs(2);
/// Most users of a kind, and rooms: a run of a thousand takes a minute.
pub const USERS_MAX: u32 = 1000;
/// Most bytes of a message: with all else that is in its package it fits.
pub const MESSAGE_LEN_MAX: usize = BODY_LEN_LIMIT / 2;
/// Each more doubles the settings that runs can have, all of which are checked.
const VARIATIONS_MAX: usize = 8;
/// With more hosts, a run takes longer than anybody waits: turmoil's cost grows with their cube.
const HOSTS_CHEAP: u32 = 16;

/// Everything in `scenario`, which was read from `document`, that does not hold.
pub(super) fn problems(scenario: &Scenario, document: &Document<'_>) -> Vec<Problem> {
    let mut found = Findings {
        document,
        problems: Vec::new(),
    };
    let are_times_wrong = found.check_times(scenario);
    found.check_shape(scenario);
    found.check_users(scenario);
    // Sums of such times overflow.
    if !are_times_wrong {
        found.check_what_settings_change(scenario);
        found.check_variations(scenario);
    }
    found.check_expectation(scenario);
    found.problems
}

/// What is wrong with what a scenario is called.
pub(super) fn wrong_name(name: &str) -> Option<&'static str> {
    let is_wrong = name.trim().is_empty() || name.contains(char::is_control);
    is_wrong.then_some("it must be one line with something to see, without control characters")
}

/// What may be meant and is worth a word.
pub(super) fn warnings(scenario: &Scenario) -> Vec<String> {
    let mut warnings = Vec::new();
    let Cluster {
        connectors, chats, ..
    } = scenario.cluster;
    let servers = connectors.max.saturating_add(chats.max).saturating_add(1);
    let hosts = servers.saturating_add(scenario.users.hosts);
    if hosts > HOSTS_CHEAP {
        warnings.push(format!(
            "up to {hosts} hosts: the time that a run takes grows with their cube; above \
             {HOSTS_CHEAP} it is long"
        ));
    }
    let clashes = scenario.settings.options().clashes();
    let meant = clashes.iter().filter(|clash| bounds::may_be_meant(clash));
    warnings.extend(meant.map(bounds::told));
    warnings
}

struct Findings<'d> {
    document: &'d Document<'d>,
    problems: Vec<Problem>,
}

impl Findings<'_> {
    /// Whether a time is longer than any run, or a wait is none.
    fn check_times(&mut self, scenario: &Scenario) -> bool {
        let phases = &scenario.phases;
        let phases = [
            ("arrive", phases.arrive),
            ("work", phases.work),
            ("settle", phases.settle.unwrap_or_default()),
            ("probe", phases.probe),
        ];
        let wrong_phases = phases.into_iter().filter_map(|(name, time)| {
            let what = bounds::too_long(time)?;
            Some((format!("phases.{name}"), what))
        });
        let wrong_settings = scenario.settings.wrong_times().into_iter();
        let wrong_settings = wrong_settings.map(|(name, what)| (format!("settings.{name}"), what));
        let wrong: Vec<_> = wrong_settings.chain(wrong_phases).collect();
        for (path, what) in &wrong {
            self.add(path, what);
        }
        !wrong.is_empty()
    }

    fn check_what_settings_change(&mut self, scenario: &Scenario) {
        self.check_network(scenario);
        self.check_sends(scenario);
        self.check_phases(scenario);
        self.check_settings(scenario);
        self.check_faults(scenario);
    }

    /// What does not hold with the settings of some runs, unless it does not with those of all.
    fn check_variations(&mut self, scenario: &Scenario) {
        if scenario.variations.len() > VARIATIONS_MAX {
            let what = format!("there can be at most {VARIATIONS_MAX}");
            return self.add("variation", &what);
        }
        // The first are those without any, which have been checked.
        for settings in scenario.all_settings().skip(1) {
            let mut varied = Findings {
                document: self.document,
                problems: Vec::new(),
            };
            let scenario = Scenario {
                settings,
                ..scenario.clone()
            };
            if !varied.check_times(&scenario) {
                varied.check_what_settings_change(&scenario);
            }
            for Problem { what, .. } in varied.problems {
                let mut known = self.problems.iter();
                if known.all(|known| !known.what.ends_with(&what)) {
                    self.add("variation", &what);
                }
            }
        }
    }

    fn check_shape(&mut self, scenario: &Scenario) {
        let name = scenario.name.as_str();
        if let Some(what) = Some(name)
            .filter(|name| !name.is_empty())
            .and_then(wrong_name)
        {
            self.add("name", what);
        }
        if built_in::names().contains(&name) {
            self.add("name", "a built-in scenario is called so");
        }
        if scenario.about.contains(char::is_control) {
            self.add("about", "it must be one line, without control characters");
        }
        if scenario.seeds == 0 {
            self.add("seeds", "it must be at least 1");
        }
        let most = u32::try_from(SERVERS_MAX).unwrap_or(u32::MAX);
        for (path, servers) in [
            ("cluster.connectors", scenario.cluster.connectors),
            ("cluster.chats", scenario.cluster.chats),
        ] {
            self.at_least(path, servers, 1);
            self.at_most(path, servers, most);
        }
        self.at_most("cluster.yield-percent", scenario.cluster.yield_percent, 100);
        let hosts = Span::just(scenario.users.hosts);
        self.at_least("users.hosts", hosts, 1);
        self.at_most("users.hosts", hosts, most);
    }

    fn check_users(&mut self, scenario: &Scenario) {
        let users = &scenario.users;
        self.at_least("users.count", users.count, 1);
        self.at_least("users.rooms", users.rooms, 1);
        for (path, span) in [
            ("users.count", users.count),
            ("users.rooms", users.rooms),
            ("users.twins", users.twins),
            ("users.look-alikes", users.look_alikes),
            ("users.vandals", users.vandals),
        ] {
            self.at_most(path, span, USERS_MAX);
        }
        if users.send_every_ms.min == 0 {
            self.add("users.send-every", "it must be at least 1ms");
        }
        self.at_most("users.private-percent", users.private_percent, 100);
        if users
            .private_percent
            .max
            .saturating_add(users.nobody_percent)
            > 100
        {
            let what = "with private-percent these are more than a hundred of a hundred sends";
            self.add("users.nobody-percent", what);
        }
        if users.room_sizes.contains(&0) {
            self.add(
                "users.room-sizes",
                "each room must get some users: at least 1",
            );
        }
        let rooms = users.rooms.max;
        if users.room_sizes.len() as u64 > u64::from(rooms) {
            let what = format!("no run has so many rooms: users.rooms is at most {rooms}");
            self.add("users.room-sizes", &what);
        }
        let all = users
            .room_sizes
            .iter()
            .fold(0, |all: u32, size| all.saturating_add(*size));
        if all > ROOM_SIZES_SUM_MAX {
            let what = format!("together they can be at most {ROOM_SIZES_SUM_MAX}: divide them");
            self.add("users.room-sizes", &what);
        }
        let overlap = Span::just(users.overlap_percent);
        self.at_most("users.overlap-percent", overlap, 100);
        if users.overlap_percent > 0 && users.rooms.min < 2 {
            let what = "who belongs to two rooms needs two: rooms must be at least 2";
            self.add("users.overlap-percent", what);
        }
        let longest = u32::try_from(MESSAGE_LEN_MAX).unwrap_or(u32::MAX);
        self.at_most("users.message-len", users.message_len, longest);
        let percents = users.habits.iter().map(|(_, percent)| *percent);
        let all = percents.fold(0, u32::saturating_add);
        if all > 100 {
            let what = format!("a user has one habit, and these are for {all} of a hundred users");
            self.add("users.habits", &what);
        }
    }

    /// Whether users have so much to say that nobody waits for the end of it.
    fn check_sends(&mut self, scenario: &Scenario) {
        let users = &scenario.users;
        let speaks_for = scenario.phases.times(&scenario.settings).leaving_at;
        let each = speaks_for.as_millis() / u128::from(users.send_every_ms.min.max(1));
        let sends = each * u128::from(users.count.max);
        if sends > SENDS_MAX {
            let what = format!(
                "so many users would send up to {sends} messages in {speaks_for:?}, and it can be at \
                 most {SENDS_MAX}: raise it"
            );
            self.add("users.send-every", &what);
        }
    }

    fn check_network(&mut self, scenario: &Scenario) {
        let network = &scenario.network;
        for (path, latency) in [
            ("network.latency", network.latency_ms),
            ("network.client-latency", network.client_latency_ms),
        ] {
            if latency.is_some_and(|latency| latency.min == 0) {
                let what = "it must be at least 1ms: what takes no time comes before it was sent";
                self.add(path, what);
            }
        }
        let one_way = Duration::from_millis(network.latency_ms(true).max.into());
        let login = one_way.saturating_mul(2 * LOGIN_ROUND_TRIPS);
        let patience = scenario.settings.login_patience;
        if login > patience {
            let what = format!(
                "a login takes {LOGIN_ROUND_TRIPS} round trips, which are up to {login:?} in this \
                 network: raise it above that"
            );
            self.add("settings.login-patience", &what);
        }
        let one_way = Duration::from_millis(network.latency_ms(false).max.into());
        let (lease, answer) = (scenario.settings.lease, one_way.saturating_mul(2));
        let patience = limits::dial_patience(lease);
        if answer > patience {
            let what = format!(
                "a server waits {patience:?} for another's answer, a quarter of it, which takes up to \
                 {answer:?} in this network: raise it"
            );
            self.add("settings.lease", &what);
        }
    }

    fn check_phases(&mut self, scenario: &Scenario) {
        let phases = &scenario.phases;
        for (path, time, least) in [
            ("phases.arrive", phases.arrive, Duration::from_millis(1)),
            ("phases.work", phases.work, Duration::from_millis(1)),
            ("phases.probe", phases.probe, PROBE_MIN),
        ] {
            if time < least {
                self.add(path, &format!("it must be at least {least:?}"));
            }
        }
        let least = Phases::settle_min(&scenario.settings);
        if phases.settle.is_some_and(|settle| settle < least) {
            let what = format!("a cluster with these settings can need {least:?}: raise it");
            self.add("phases.settle", &what);
        }
    }

    fn check_settings(&mut self, scenario: &Scenario) {
        for (name, what) in scenario.settings.wrong_values() {
            self.add(&format!("settings.{name}"), &what);
        }
        self.check_room_for_dials(scenario);
    }

    /// turmoil panics when one more connection waits to be taken than its streams have room for.
    fn check_room_for_dials(&mut self, scenario: &Scenario) {
        let users = &scenario.users;
        let pairs = users.twins.max.saturating_add(users.look_alikes.max);
        let at_once = users
            .count
            .max
            .saturating_add(pairs.saturating_mul(2))
            .saturating_add(users.vandals.max)
            // A probe each.
            .saturating_add(users.rooms.max);
        let room = scenario.settings.tcp_capacity;
        if usize::try_from(at_once).is_ok_and(|at_once| room < at_once) {
            let what = format!("{at_once} users can connect at once: it must be at least that");
            self.add("settings.tcp-capacity", &what);
        }
    }

    fn check_expectation(&mut self, scenario: &Scenario) {
        let checks = &scenario.guarantees;
        if checks.only.is_some() && checks.except.is_some() {
            self.add("guarantees.except", "say either this or `only`");
        }
        if checks.left_out().len() == Guarantee::all().count() {
            let path = match checks.only {
                Some(_) => "guarantees.only",
                None => "guarantees.except",
            };
            self.add(path, "nothing would be checked");
        }
        let expect = &scenario.expect;
        if expect.outcome == Expected::Held && !expect.guarantee.is_empty() {
            let what = "this is for what is to be broken: add outcome = \"violated\"";
            self.add("expect.guarantee", what);
        }
        for number in &expect.guarantee {
            if checks.left_out().contains(&number.0) {
                let what = format!("{number} is not checked, see [guarantees]");
                self.add("expect.guarantee", &what);
            }
        }
    }

    fn add(&mut self, path: &str, what: &str) {
        self.problems.push(self.document.problem(path, what));
    }

    fn at_least(&mut self, path: &str, span: Span, least: u32) {
        if span.min < least {
            self.add(path, &format!("it must be at least {least}"));
        }
    }

    fn at_most(&mut self, path: &str, span: Span, most: u32) {
        if span.max > most {
            self.add(path, &format!("it can be at most {most}"));
        }
    }
}
