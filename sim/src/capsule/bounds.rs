//! Whether a run can be made of a case: whoever changes a capsule by hand is told which field is
//! wrong. Else the run would panic, hang, or take all memory, and look like a failure of the cluster.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

use loadgen::script::{Do, Script};

use super::Problem;
use crate::case::{Case, Latency, SERVERS_MAX};
use crate::fault::Fault;
use crate::scenario::{MESSAGE_LEN_MAX, USERS_MAX};
use crate::settings::bounds::{TIME_MAX, too_long};

/// A run has four phases of at most [`TIME_MAX`], and then everybody leaves.
const RUN_MAX: Duration = TIME_MAX.saturating_mul(6);
/// The finest time there is.
const LATENCY_MIN: Duration = Duration::from_millis(1);

/// Whether all of `case` is within its bounds.
///
/// # Errors
///
/// The first field that is not.
pub fn check(case: &Case) -> Result<(), Problem> {
    one_line("scenario", &case.scenario)?;
    one_line("given_as", &case.given_as)?;
    hosts(case)?;
    for (index, link) in case.latencies.iter().enumerate() {
        latency(&format!("latencies[{index}]"), link, case)?;
    }
    let mut users = BTreeSet::new();
    for (index, script) in case.scripts.iter().enumerate() {
        let field = format!("scripts[{index}]");
        let what = format!("another user has the number {} too", script.user);
        demand(users.insert(script.user), &format!("{field}.user"), what)?;
        life(&field, script)?;
    }
    at_most("vandals", case.vandals, USERS_MAX)?;
    let mut before = Duration::ZERO;
    for (index, planned) in case.faults.iter().enumerate() {
        let field = format!("faults[{index}]");
        at_most_long(&format!("{field}.at"), planned.at)?;
        let what = "faults are in the order of time, and this is earlier than the one before it";
        demand(planned.at >= before, &format!("{field}.at"), what)?;
        before = planned.at;
        fault(&format!("{field}.fault"), &planned.fault, case, &users)?;
    }
    for (index, anchored) in case.anchored.iter().enumerate() {
        let field = format!("anchored[{index}]");
        demand(
            anchored.when.nth > 0,
            &format!("{field}.when.nth"),
            "it is counted from 1",
        )?;
        if let Some(connector) = &anchored.when.connector {
            known_host(&format!("{field}.when.connector"), connector, case)?;
        }
        at_most_long(&format!("{field}.after"), anchored.after)?;
        fault(&format!("{field}.fault"), &anchored.fault, case, &users)?;
    }
    at_most("yield_percent", case.yield_percent, 100)?;
    for (name, time) in [
        ("arrived_at", case.times.arrived_at),
        ("healed_at", case.times.healed_at),
        ("settled_at", case.times.settled_at),
        ("leaving_at", case.times.leaving_at),
        ("ended_at", case.times.ended_at),
    ] {
        let what = format!("no run is that long: it can be at most {RUN_MAX:?}");
        demand(time <= RUN_MAX, &format!("times.{name}"), what)?;
    }
    let settings = &case.settings;
    let wrong = settings
        .wrong_times()
        .into_iter()
        .chain(settings.wrong_values());
    for (name, what) in wrong {
        demand(false, &format!("settings.{name}"), what)?;
    }
    // turmoil panics when one more connection waits to be taken.
    let dials = case.scripts.len().saturating_add(case.vandals as usize);
    let what = format!("{dials} users can connect at once: it must be at least that");
    demand(
        dials <= settings.tcp_capacity,
        "settings.tcp-capacity",
        what,
    )
}

fn hosts(case: &Case) -> Result<(), Problem> {
    for (name, servers) in [
        ("connectors", case.topology.connectors.len()),
        ("chats", case.topology.chats.len()),
    ] {
        let field = format!("topology.{name}");
        demand(servers > 0, &field, "there must be at least 1")?;
    }
    let clients = &case.client_hosts;
    demand(!clients.is_empty(), "client_hosts", "there must be one")?;
    at_most("client_hosts", clients.len(), SERVERS_MAX)?;
    for (index, host) in clients.iter().enumerate() {
        let name = Case::client_host(index);
        let what = format!("it must be `{name}`");
        demand(*host == name, &format!("client_hosts[{index}]"), what)?;
    }
    let hosts = case.hosts().len();
    let links = hosts * (hosts - 1) / 2;
    let what = format!("there must be one for each two of {hosts} hosts, which are {links}");
    demand(case.latencies.len() == links, "latencies", what)
}

fn latency(field: &str, link: &Latency, case: &Case) -> Result<(), Problem> {
    for (name, host) in [("a", &link.a), ("b", &link.b)] {
        known_host(&format!("{field}.{name}"), host, case)?;
    }
    demand(link.a != link.b, field, "a link has two ends")?;
    let same = |other: &&Latency| {
        (&other.a, &other.b) == (&link.a, &link.b) || (&other.b, &other.a) == (&link.a, &link.b)
    };
    let is_only = case.latencies.iter().filter(same).count() == 1;
    demand(is_only, field, "there is another of the same two hosts")?;
    let field = format!("{field}.latency");
    let what = format!("it must be at least {LATENCY_MIN:?}");
    demand(link.latency >= LATENCY_MIN, &field, what)?;
    at_most_long(&field, link.latency)
}

fn life(field: &str, script: &Script) -> Result<(), Problem> {
    one_line(&format!("{field}.name"), &script.name)?;
    one_line(&format!("{field}.room"), &script.room)?;
    if let Some(key) = &script.gate_key {
        one_line(&format!("{field}.gate_key"), key)?;
    }
    at_most(
        &format!("{field}.message_len"),
        script.message_len,
        MESSAGE_LEN_MAX,
    )?;
    for (index, action) in script.actions.iter().enumerate() {
        let what = format!("no run is that long: it can be at most {RUN_MAX:?}");
        let is_right = action.at <= RUN_MAX;
        demand(is_right, &format!("{field}.actions[{index}].at"), what)?;
        if let Do::Enter { room } = &action.what {
            one_line(&format!("{field}.actions[{index}].what.room"), room)?;
        }
    }
    let Some(reconnect) = script.reconnect else {
        return Ok(());
    };
    let field = format!("{field}.reconnect");
    let what = format!("it must be at least {LATENCY_MIN:?}, and not above `max`");
    let is_right = (LATENCY_MIN..=reconnect.max).contains(&reconnect.base);
    demand(is_right, &format!("{field}.base"), what)?;
    at_most_long(&format!("{field}.max"), reconnect.max)
}

fn fault(field: &str, fault: &Fault, case: &Case, users: &BTreeSet<u32>) -> Result<(), Problem> {
    for host in fault.hosts() {
        known_host(field, host, case)?;
    }
    if let [host] = fault.hosts()[..] {
        let is_server = case.client_hosts.iter().all(|client| client != host);
        demand(
            is_server,
            field,
            "this happens to servers, and not to hosts of clients",
        )?;
    }
    if let Some(user) = fault.user() {
        let what = format!("there is no user {user}");
        demand(users.contains(&user), field, what)?;
    }
    match fault.senseless() {
        Some(what) => demand(false, field, what),
        None => Ok(()),
    }
}

fn known_host(field: &str, host: &str, case: &Case) -> Result<(), Problem> {
    let is_known = case.hosts().iter().any(|known| known == host);
    demand(is_known, field, format!("there is no host `{host}`"))
}

fn one_line(field: &str, text: &str) -> Result<(), Problem> {
    let is_one = !text.is_empty() && !text.contains(char::is_control);
    demand(
        is_one,
        field,
        "it must be one line, without control characters",
    )
}

fn at_most<N: PartialOrd + Display>(field: &str, number: N, most: N) -> Result<(), Problem> {
    demand(number <= most, field, format!("it can be at most {most}"))
}

fn at_most_long(field: &str, time: Duration) -> Result<(), Problem> {
    match too_long(time) {
        Some(what) => demand(false, field, what),
        None => Ok(()),
    }
}

fn demand(holds: bool, field: &str, what: impl Into<String>) -> Result<(), Problem> {
    if holds {
        return Ok(());
    }
    Err(Problem::OutOfBounds(format!("case.{field}"), what.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::scenario;

    /// What is said of a case of the mix in which the value at `pointer` is another.
    fn said(pointer: &str, value: Value) -> Result<String, serde_json::Error> {
        let scenario = scenario::find("random-mix").expect("it is built in");
        let mut written = serde_json::to_value(Case::draw(&scenario, 1))?;
        *written.pointer_mut(pointer).expect("it has this field") = value;
        let case: Case = serde_json::from_value(written)?;
        Ok(check(&case)
            .err()
            .map_or(String::new(), |it| it.to_string()))
    }

    #[test]
    fn what_is_beyond_its_bounds_is_told_with_its_field() -> Result<(), serde_json::Error> {
        for (pointer, value, what) in [
            (
                "/times/ended_at",
                json!("100000h"),
                "it can be at most 21600s",
            ),
            ("/yield_percent", json!(5000), "it can be at most 100"),
            ("/vandals", json!(1001), "it can be at most 1000"),
            ("/scenario", json!("two\nlines"), "it must be one line"),
            ("/given_as", json!(""), "it must be one line"),
            ("/topology/connectors", json!(0), "there must be at least 1"),
            ("/client_hosts", json!([]), "there must be one"),
            (
                "/client_hosts/0",
                json!("chat-server-1"),
                "it must be `clients-1`",
            ),
            ("/latencies", json!([]), "there must be one for each two of"),
            (
                "/latencies/0/a",
                json!("nowhere"),
                "there is no host `nowhere`",
            ),
            (
                "/latencies/0/latency",
                json!("0s"),
                "it must be at least 1ms",
            ),
            ("/latencies/0/latency", json!("2h"), "it can be at most 1h"),
            (
                "/scripts/1/user",
                json!(0),
                "another user has the number 0 too",
            ),
            ("/scripts/0/name", json!("\u{1b}[2J"), "it must be one line"),
            (
                "/scripts/0/actions/0/at",
                json!("18000000000000000000s"),
                "no run is that long",
            ),
            (
                "/scripts/0/message_len",
                json!(1_000_000_000_000_u64),
                "it can be at most 8388607",
            ),
            (
                "/scripts/0/reconnect/base",
                json!("0s"),
                "it must be at least 1ms, and not above",
            ),
            ("/faults/0/at", json!("2h"), "it can be at most 1h"),
            (
                "/faults/1/at",
                json!("1ms"),
                "this is earlier than the one before it",
            ),
            (
                "/faults/0/fault",
                json!({"kind": "pause", "host": "clients-1"}),
                "this happens to servers",
            ),
            (
                "/faults/0/fault",
                json!({"kind": "pause", "host": "x"}),
                "there is no host `x`",
            ),
            (
                "/faults/0/fault",
                json!({"kind": "unthrottle", "user": 9999}),
                "there is no user 9999",
            ),
            ("/settings/tcp-capacity", json!(0), "it must be at least 64"),
            (
                "/settings/outbox-len",
                json!(u64::MAX),
                "it can be at most 1000000",
            ),
            ("/settings/lease", json!("0s"), "it must be at least 10ms"),
            (
                "/settings/heartbeat",
                json!("1500ms"),
                "1s 500ms is not a number of whole seconds",
            ),
        ] {
            let told = said(pointer, value)?;
            let field = pointer
                .split('/')
                .skip(1)
                .fold(String::from("case"), |field, step| {
                    match step.parse::<usize>() {
                        Ok(index) => format!("{field}[{index}]"),
                        Err(_) => format!("{field}.{step}"),
                    }
                });
            let begin = format!("no run can be made of it: `{field}`: ");
            let said = told
                .strip_prefix(&begin)
                .unwrap_or_else(|| panic!("{pointer}: {told}"));
            assert!(said.contains(what), "{pointer}: {said}");
        }
        Ok(())
    }

    #[test]
    fn more_users_than_can_connect_at_once_are_told() {
        let scenario = scenario::find("random-mix").expect("it is built in");
        let mut case = Case::draw(&scenario, 1);
        case.vandals = USERS_MAX;
        let all = case.scripts.len() + USERS_MAX as usize;
        for (capacity, is_enough) in [(all, true), (all - 1, false)] {
            case.settings.tcp_capacity = capacity;
            let said = check(&case).map_err(|it| it.to_string());
            let complaint =
                format!("`case.settings.tcp-capacity`: {all} users can connect at once");
            match said {
                Ok(()) => assert!(is_enough, "{capacity}"),
                Err(said) => assert!(!is_enough && said.contains(&complaint), "{said}"),
            }
        }
    }

    #[test]
    fn every_case_that_is_drawn_is_within_its_bounds() {
        for scenario in scenario::built_in() {
            for seed in 0..50 {
                let checked = check(&Case::draw(&scenario, seed));
                assert!(checked.is_ok(), "{} {seed}: {checked:?}", scenario.name);
            }
        }
    }
}
