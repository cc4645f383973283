//! A load test that never was, with something of everything.

use std::collections::BTreeMap;
use std::time::Duration;

use reports::measured::broadcasts::{Broadcast, Delays};
use reports::measured::{Measured, Share};
use reports::run::threshold::{Comparison, Threshold, Unit};
use reports::run::{Health, Kind, Measure, Plan, Program, Run, SCHEMA, Span, Verdict, date};

/// When the run started, since 1970-01-01 00:00 UTC.
pub const STARTED_AT: Duration = Duration::from_secs(1_700_000_000);

const S: u64 = 1_000_000;
const CONNECTORS: u64 = 3;

/// What `part` of `parts` processes measured in so many seconds, of which the third quarter has a
/// fault. Broadcasts are dealt out, rows and gauges are shared.
pub fn measured(seconds: u64, part: u64, parts: u64) -> Measured {
    let mut measured = Measured::new(Duration::from_secs(1));
    let mut chance = Chance(7);
    let mine = |all: u64| all / parts + u64::from(part < all % parts);
    for second in 0..seconds {
        let ramp = (seconds / 4).max(1);
        let users = 600 * (second + 1).min(ramp) / ramp;
        let spike = if second > seconds * 4 / 5 { 2 } else { 1 };
        let planned = users / 10 * spike;
        for number in 0..planned {
            let broadcast = broadcast(second, number, seconds, &mut chance);
            if number % parts == part {
                note(&mut measured, second, &broadcast);
            }
        }
        let row = measured.row_at(Duration::from_secs(second));
        let mut count = |name: &str, all| {
            let sum = row.counts.entry(name.to_owned()).or_default();
            *sum += mine(all);
        };
        count("sends_planned", planned);
        count("users_connected", users);
        count("users_entered", users.saturating_sub(users / 50));
        if second < ramp {
            count("logins_total", 600 / ramp);
            if second % parts == part {
                row.record("login", Duration::from_micros(4000 + 17 * second));
            }
        }
    }
    for step in ["query_entry", "connect", "enter", "send", "leave"] {
        let steps = measured.funnel.entry(step.to_owned()).or_default();
        let failed = if step == "connect" { 3 } else { 0 };
        steps.tried = mine(600);
        if mine(failed) > 0 {
            let reason = "no answer <in time>".to_owned();
            steps.failed.insert(reason, mine(failed));
        }
        steps.succeeded = steps.tried - mine(failed);
        for user in (0..600).filter(|user| user % parts == part) {
            steps
                .latencies
                .record(Duration::from_micros(900 + 3 * user));
        }
    }
    for name in ["doubled", "lost", "reordered", "wrong_room"] {
        measured.faults.entry(name.to_owned()).or_default();
    }
    measured
}

/// One broadcast of a run: larger rooms are rarer and take longer.
fn broadcast(second: u64, number: u64, seconds: u64, chance: &mut Chance) -> Broadcast {
    let members = 1 << (chance.below(11) * chance.below(11) / 10);
    let members = members + chance.below(members) as u32 as u64;
    let is_faulty = (seconds / 2..seconds * 3 / 5).contains(&second);
    let slow = if is_faulty { 60_000 } else { 0 };
    let noise = chance.below(1500) * chance.below(1500) / 1000;
    let last_us = 900 + 40 * members + noise + slow;
    let got = members - u64::from(is_faulty && chance.below(40) == 0);
    let due_us = second * S + number * 1000;
    Broadcast {
        message: format!("u{number}.1.{second}"),
        room: format!("room-7-{}", chance.below(40)),
        members: members as u32,
        expected: members as u32,
        got: got as u32,
        due_us,
        sent_us: due_us + chance.below(300),
        answered_us: (got == members).then_some(due_us + 900),
        delays: Some(Delays {
            first_us: 700 + noise / 4,
            median_us: (700 + last_us) / 2,
            p99_us: last_us - last_us / 50,
            last_us,
        }),
    }
}

fn note(measured: &mut Measured, second: u64, broadcast: &Broadcast) {
    let delays = broadcast.delays.expect("somebody heard it");
    let lateness = broadcast.sent_us - broadcast.due_us;
    let is_lost = broadcast.got < broadcast.expected;
    measured.note_broadcast(broadcast);
    let row = measured.row_at(Duration::from_secs(second));
    for (metric, us) in [
        ("broadcast.first", delays.first_us),
        ("broadcast.median", delays.median_us),
        ("broadcast.last", delays.last_us),
        ("broadcast.last.raw", delays.last_us - lateness),
        ("request", delays.first_us),
        ("send_lateness", lateness),
    ] {
        row.record(metric, Duration::from_micros(us));
    }
    let deliveries = u64::from(broadcast.got);
    for (name, count) in [
        ("sends_total", 1),
        ("sends_accepted", u64::from(!is_lost)),
        ("deliveries_total", deliveries),
        ("errors", u64::from(is_lost)),
    ] {
        let row = measured.row_at(Duration::from_secs(second));
        *row.counts.entry(name.to_owned()).or_default() += count;
        *measured.counts.entry(name.to_owned()).or_default() += count;
    }
    for connector in 1..=CONNECTORS {
        let name = format!("connector-server-{connector}");
        let share: &mut Share = measured.connectors.entry(name).or_default();
        share.users += u64::from(broadcast.due_us == connector * S);
        share.deliveries +=
            deliveries / CONNECTORS + u64::from(connector <= deliveries % CONNECTORS);
    }
    if is_lost {
        let faults = measured.faults.entry("lost".to_owned()).or_default();
        faults.note(broadcast.due_us, || {
            format!(
                "user 3, in {}, never heard {}",
                broadcast.room, broadcast.message
            )
        });
    }
}

/// The report of the run of which `measured` is the measurement.
pub fn run(seconds: u64, measured: &Measured) -> Run {
    let threshold = |metric: &str, unit, comparison, bound| {
        Threshold::judged(metric, unit, comparison, bound, measured)
    };
    let span = |name: &str, from: u64, to: u64| Span {
        name: name.to_owned(),
        starts_us: from * S,
        ends_us: to * S,
    };
    let verdict = |name: &str, demands: &str, evidence: &[&str]| Verdict {
        name: name.to_owned(),
        demands: demands.to_owned(),
        holds: evidence.is_empty(),
        evidence: evidence.iter().map(|it| String::from(*it)).collect(),
    };
    let mut run = Run {
        schema: SCHEMA,
        name: "load-7-1".to_owned(),
        program: Program {
            name: "loadgen".to_owned(),
            version: "0.1.0".to_owned(),
        },
        kind: Kind::Load,
        seed: 7,
        command: "cargo loadgen run --gate 127.0.0.1:3014 --seed 7".to_owned(),
        date: date(STARTED_AT),
        elapsed_us: seconds * S,
        partial: true,
        plan: Plan {
            options: BTreeMap::from([
                ("rate_per_s".to_owned(), 200.into()),
                ("transport".to_owned(), "ws".into()),
                ("users".to_owned(), 1000.into()),
            ]),
            steps: vec!["00:04.200  crash  chat-server-1".to_owned()],
            stages: vec![
                span("ramp", 0, seconds / 4),
                span("steady", seconds / 4, seconds * 4 / 5),
                span("spike", seconds * 4 / 5, seconds),
            ],
            faults: vec![span("crash chat-server-1", seconds / 2, seconds * 3 / 5)],
        },
        verdicts: vec![
            verdict("delivered", "every accepted send reached every member", &[]),
            verdict(
                "once",
                "no member heard a message twice",
                &["user 3 heard u1.1.1 2 times, last at 4.200s"],
            ),
        ],
        thresholds: vec![
            threshold("broadcast.last.p99", Unit::Us, Comparison::Less, 80_000),
            threshold("request.p99", Unit::Us, Comparison::Less, 50_000),
            threshold("lost", Unit::Count, Comparison::Equal, 0),
            threshold("sends_accepted", Unit::Count, Comparison::AtLeast, 10),
        ],
        invalid: Vec::new(),
        warnings: vec!["sends were late".to_owned()],
        counts: BTreeMap::new(),
        latencies: BTreeMap::new(),
        load: None,
        health: vec![Health {
            process: "loadgen".to_owned(),
            measures: vec![
                measure("cpu_busy_permille", 431, Some(900)),
                measure("files_open_max", 1260, Some(20_000)),
                measure("resident_bytes_max", 61_865_984, None),
                measure("stall_us_max", 4100, Some(100_000)),
            ],
        }],
        environment: BTreeMap::from([
            ("processor".to_owned(), "2 cores".to_owned()),
            ("system".to_owned(), "Linux 6.1".to_owned()),
        ]),
    };
    run.show(measured);
    run
}

fn measure(name: &str, value: u64, limit: Option<u64>) -> Measure {
    Measure {
        name: name.to_owned(),
        value,
        limit,
    }
}

/// The same numbers each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}
