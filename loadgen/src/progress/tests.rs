use reports::buckets::Buckets;

use super::*;
use crate::health::vitals::{Cpu, Vitals};
use crate::plan::file::{Overrides, PlanFile};
use crate::status::{Recent, Users};

/// Two stages: users come for 10 s, and after a second all send for 30 s.
fn plan() -> LoadPlan {
    let text = "
        [[stage]]
        name = 'coming'
        duration = '10s'
        arrivals.users = 1000
        [[stage]]
        name = 'talking = \\u001b[2J'
        duration = '30s'
        sends = { rate = 200, spacing = 'even' }
        "
    .replace('\'', "\"");
    let plan = PlanFile::read(&text, "plan.toml", &Overrides::default());
    plan.expect("the plan is sound")
}

fn milliseconds(values: &[u64]) -> Buckets {
    let mut buckets = Buckets::default();
    for ms in values {
        buckets.record(Duration::from_millis(*ms));
    }
    buckets
}

/// Half a minute into it.
fn status(counts: &[(&str, u64)]) -> Status {
    let counts = counts
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count));
    let recent = [("sends_total", 990), ("deliveries_total", 19_800)];
    let recent = recent.map(|(name, count)| (name.to_owned(), count));
    let mut vitals = Vitals::default();
    vitals.beat.lateness = milliseconds(&[2]);
    vitals.cpu = Some(Cpu {
        processors: 2,
        own_permille: 345,
        ..Cpu::default()
    });
    Status {
        elapsed_us: 30_500_000,
        counts: counts.collect(),
        users: Users {
            logging_in: 3,
            entering: 2,
            inside: 995,
        },
        latencies: [("send_lateness".to_owned(), milliseconds(&[1]))].into(),
        recent: Recent {
            span_us: 5_000_000,
            counts: recent.into(),
            latencies: [("broadcast.last".to_owned(), milliseconds(&[1, 2, 30]))].into(),
        },
        processes: [("loadgen".to_owned(), vitals)].into(),
        ..Status::default()
    }
}

const COUNTS: [(&str, u64); 3] = [
    ("users_entered", 1000),
    ("sends_total", 3890),
    ("sends_accepted", 3880),
];

#[test]
fn a_line_is_made_of_names_and_values() {
    let line = line::of(&plan(), &status(&COUNTS), false);
    assert_eq!(
        line,
        "elapsed_s=30 left_s=15 stage=\"talking = \\u{1b}[2J\" users_logging_in=3 users_entering=2 \
         users_inside=995 users_entered=1000 logins_failed=0 connections_lost=0 sends_total=3890 \
         sends_accepted=3880 sends_refused=0 deliveries_total=0 sends_planned_per_s=200.0 \
         sends_per_s=198.0 deliveries_per_s=3960.0 broadcast_last_us_p50=2000 \
         broadcast_last_us_p99=30015 faults=0 send_late_us_p99=1000 loop_late_us_p99=2000 valid=true"
    );
}

#[test]
fn a_terminal_shows_how_far_a_run_is_in_lines_that_fit() {
    let View { head, body } = View::of(&plan(), &status(&COUNTS), false);
    assert_eq!(head.chars().count(), 79);
    assert!(head.starts_with("talking = [2J  "), "{head}");
    assert!(head.ends_with(" 0:30, 0:15 left"), "{head}");
    let lines: Vec<_> = body.lines().collect();
    assert_eq!(
        lines,
        [
            "users   995 of 1,000 in rooms, 2 entering, 3 logging in",
            "sends   200/s planned, 198/s sent; 3,890 sent, 3,880 accepted",
            "heard   3,960/s; last recipient of the last 5 s: p50 2.0 ms, p99 30 ms",
            "audit   all as promised so far",
            "health  in time: sends 1.0 ms, tasks 2.0 ms late (p99), 34 % of 2 processors",
        ]
    );
}

#[test]
fn what_is_amiss_is_told_at_once_and_in_one_line() {
    let mut status = status(&[("lost", 1200), ("not_admitted", 2), ("logins_failed", 2)]);
    status.processes.clear();
    let late = ("send_lateness".to_owned(), milliseconds(&[50]));
    status.latencies = [late].into();
    let View { body, .. } = View::of(&plan(), &status, false);
    assert!(
        body.contains("\naudit   1,200 lost, 2 not admitted\n"),
        "{body}"
    );
    let health = "\nhealth  INVALID: 100.0 % of the sends left more than 10ms late (p99 50.0ms";
    assert!(body.contains(health), "{body}");
    assert!(
        body.lines().all(|line| line.chars().count() <= 79),
        "{body}"
    );
    let line = line::of(&plan(), &status, false);
    assert!(
        line.ends_with("faults=1202 send_late_us_p99=50015 valid=false"),
        "{line}"
    );
}

#[test]
fn before_anything_happened_nothing_is_claimed() {
    let View { head, body } = View::of(&plan(), &Status::default(), false);
    assert!(head.ends_with("0:00, 0:46 left"), "{head}");
    assert!(
        body.contains("heard   0.0/s; last recipient of the last 0 s: none"),
        "{body}"
    );
}
