use super::*;
use crate::health::vitals::{Beat, Files};

/// A process for which a minute went well.
fn well() -> Vitals {
    Vitals {
        watched_us: 60_000_000,
        beat: Beat {
            lateness: buckets(&[(1, 6000)]),
            stalls_us: 0,
            stall_us_max: 0,
        },
        cpu: Some(Cpu {
            processors: 2,
            own_us: 24_000_000,
            own_permille: 200,
            own_permille_max: 300,
            seconds: 60,
            seconds_saturated: 6,
            machine: Some(Machine {
                busy_permille_max: 400,
                seconds_full: 6,
                seconds_crowded: 6,
                others_permille_max: 600,
            }),
        }),
        segments: Some(Segments {
            sent: 100_000,
            resent: 100,
        }),
        files: Some(Files {
            open_max: 100,
            limit: 1024,
        }),
        resident_bytes_max: Some(1 << 20),
    }
}

/// So many values of so many milliseconds.
fn buckets(values: &[(u64, u64)]) -> Buckets {
    let mut buckets = Buckets::default();
    for (ms, count) in values {
        for _ in 0..*count {
            buckets.record(Duration::from_millis(*ms));
        }
    }
    buckets
}

fn judged(change: impl FnOnce(&mut Vitals)) -> Findings {
    let mut vitals = well();
    change(&mut vitals);
    with(&[(1, 100)], &[], vitals)
}

/// The same with the cluster in the same process.
fn judged_with_cluster(change: impl FnOnce(&mut Vitals)) -> Findings {
    let mut vitals = well();
    change(&mut vitals);
    judge(&Seen {
        send_lateness: Buckets::default(),
        counts: &BTreeMap::new(),
        processes: &[("loadgen".to_owned(), vitals)].into(),
        has_cluster: true,
    })
}

fn with(lateness: &[(u64, u64)], counts: &[(&str, u64)], vitals: Vitals) -> Findings {
    let counts = counts
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count));
    judge(&Seen {
        send_lateness: buckets(lateness),
        counts: &counts.collect(),
        processes: &[("worker 1".to_owned(), vitals)].into(),
        has_cluster: false,
    })
}

fn cpu(vitals: &mut Vitals) -> &mut Cpu {
    vitals.cpu.as_mut().expect("it has one")
}

fn machine(vitals: &mut Vitals) -> &mut Machine {
    cpu(vitals).machine.as_mut().expect("it has one")
}

/// The only sentence, which says that the run is invalid.
#[track_caller]
fn reason(findings: Findings) -> String {
    assert_eq!(findings.warnings, [""; 0]);
    let [reason] = &findings.invalid[..] else {
        panic!("{:#?}", findings.invalid);
    };
    reason.clone()
}

#[test]
fn what_is_at_its_limit_is_still_good() {
    let findings = judged(|_| {});
    assert_eq!(findings.invalid, [""; 0]);
    assert_eq!(findings.warnings, [""; 0]);
    let processes: Vec<_> = findings
        .health
        .iter()
        .map(|it| it.process.as_str())
        .collect();
    assert_eq!(processes, ["all users", "machine", "worker 1"]);
    for measure in findings.health.iter().flat_map(|it| &it.measures) {
        let limit = measure.limit.unwrap_or(u64::MAX);
        assert!(measure.value <= limit, "{measure:?}");
    }
}

#[test]
fn late_sends_make_a_run_invalid_from_one_of_a_hundred_on() {
    assert_eq!(with(&[(1, 99), (50, 1)], &[], well()).invalid, [""; 0]);
    let said = reason(with(&[(1, 98), (50, 2)], &[], well()));
    let begin = "2.0 % of the sends left more than 10ms late (p99 50.0ms)";
    assert!(said.starts_with(begin), "{said}");
    assert!(said.contains("lower the rate"), "{said}");
}

#[test]
fn tasks_that_waited_for_their_turn_make_a_run_invalid_and_it_is_told_who_had_the_processors() {
    let said = reason(judged(|it| {
        it.beat.lateness = buckets(&[(1, 90), (30, 10)])
    }));
    let begin = "10.0 % of the turns of tasks in worker 1 came more than 10ms late (p99 30.0ms)";
    assert!(said.starts_with(begin), "{said}");
    let who = "(it had 20.0 % of 2 processors, others up to 60.0 %)";
    assert!(said.contains(who), "{said}");
}

#[test]
fn a_process_that_stood_still_makes_a_run_invalid_however_long_it_was() {
    assert_eq!(
        judged(|it| it.beat.stall_us_max = 1_000_000).invalid,
        [""; 0]
    );
    let said = reason(judged(|it| it.beat.stall_us_max = 3_200_000));
    assert!(
        said.starts_with("worker 1 stood still for 3.2s: it was stopped"),
        "{said}"
    );
}

#[test]
fn a_generator_that_is_as_busy_as_can_be_makes_a_run_invalid_and_with_the_cluster_in_it_a_warning()
{
    let said = reason(judged(|it| cpu(it).seconds_saturated = 7));
    let begin = "worker 1 used nearly all of 2 processors for 7 of 60 s";
    assert!(said.starts_with(begin), "{said}");
    let both = judged_with_cluster(|it| cpu(it).seconds_saturated = 7);
    assert_eq!(both.invalid, [""; 0]);
    let [warning] = &both.warnings[..] else {
        panic!("{:#?}", both.warnings);
    };
    assert!(
        warning.contains("the figures are of both together"),
        "{warning}"
    );
}

#[test]
fn strangers_on_a_full_machine_make_a_run_invalid_where_it_is_known_that_they_are() {
    let crowd = |it: &mut Vitals| {
        machine(it).seconds_full = 7;
        machine(it).seconds_crowded = 7;
    };
    let said = reason(judged_with_cluster(crowd));
    let begin = "other programs used up to 60.0 % of the processors of this machine, which were full \
                 for 7 of 60 s";
    assert!(said.starts_with(begin), "{said}");
    // The others may be the cluster that is loaded.
    let elsewhere = judged(crowd);
    assert_eq!(elsewhere.invalid, [""; 0]);
    let begin = "the processors of this machine were full for 7 of 60 s";
    assert!(elsewhere.warnings[0].starts_with(begin), "{elsewhere:?}");
}

#[test]
fn segments_that_were_sent_again_make_a_run_invalid_from_a_thousandth_on_but_not_a_few() {
    let resent = |sent, resent| judged(|it| it.segments = Some(Segments { sent, resent }));
    assert_eq!(resent(500, 10).invalid, [""; 0]);
    assert!(reason(resent(500, 11)).starts_with("TCP sent 11 of 500 segments again"));
    assert!(reason(resent(100_000, 101)).contains("find out where"));
}

#[test]
fn users_who_found_no_port_or_file_make_a_run_invalid_with_the_remedy() {
    for (count, remedy) in [
        (
            "ports_exhausted",
            "as this machine had no port left: widen the range",
        ),
        (
            "files_exhausted",
            "as this process had no file left: raise the limit",
        ),
    ] {
        let said = reason(with(&[], &[(count, 3)], well()));
        assert!(said.starts_with("3 logins could not be tried"), "{said}");
        assert!(said.contains(remedy), "{said}");
    }
}

#[test]
fn in_a_short_run_two_seconds_may_be_bad() {
    let short = |saturated| {
        judged(|it| {
            *cpu(it) = Cpu {
                seconds: 8,
                seconds_saturated: saturated,
                machine: None,
                ..*cpu(it)
            };
        })
    };
    assert_eq!(short(2).invalid, [""; 0]);
    assert_eq!(short(3).invalid.len(), 1);
}

#[test]
fn what_a_system_does_not_tell_is_absent() {
    let findings = judged(|it| {
        *it = Vitals {
            cpu: None,
            segments: None,
            files: None,
            resident_bytes_max: None,
            ..well()
        };
    });
    let processes: Vec<_> = findings
        .health
        .iter()
        .map(|it| it.process.as_str())
        .collect();
    assert_eq!(processes, ["all users", "worker 1"]);
    let names: Vec<_> = findings.health[1]
        .measures
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["loop_late_us_p99", "stall_us_max", "stall_us_total"]
    );
}

#[test]
fn workers_beside_a_cluster_in_another_process_are_judged_by_themselves() {
    let mut busy = well();
    cpu(&mut busy).seconds_saturated = 7;
    machine(&mut busy).seconds_crowded = 7;
    let processes = [("worker 1", well()), ("worker 2", busy)];
    let findings = judge(&Seen {
        send_lateness: Buckets::default(),
        counts: &BTreeMap::new(),
        processes: &processes
            .map(|(name, vitals)| (name.to_owned(), vitals))
            .into(),
        has_cluster: true,
    });
    assert!(reason(findings).starts_with("worker 2 used nearly all of 2 processors"));
}
