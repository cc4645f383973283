//! What several processes measured is, merged, what one would have measured.

use std::error::Error;
use std::fs;
use std::time::Duration;

use proptest::prelude::*;
use reports::measured::broadcasts::{Broadcast, Delays};
use reports::measured::{Measured, MergeError};
use reports::run_folder::{self, FolderError, LATENCIES_HDR, MEASURED_JSON, RunFolder};

const INTERVAL: Duration = Duration::from_millis(250);
const METRICS: [&str; 3] = ["broadcast", "request", "send_lateness"];
const STEPS: [&str; 2] = ["connect", "enter"];
const FAULTS: [&str; 2] = ["lost", "doubled"];

/// One thing that a process notes.
#[derive(Clone, Debug)]
enum Note {
    Latency(usize, u64),
    Broadcast(Broadcast),
    Fault(usize, u8),
    Step(usize, Result<u64, u8>),
    Delivery(u8),
}

fn note(measured: &mut Measured, at: Duration, note: &Note) {
    let count = |name: &str, measured: &mut Measured| {
        *measured.counts.entry(name.to_owned()).or_default() += 1;
        measured.row_at(at).count(name);
    };
    match note {
        Note::Latency(metric, us) => {
            let latency = Duration::from_micros(*us);
            measured.row_at(at).record(METRICS[*metric], latency);
        }
        Note::Broadcast(broadcast) => {
            measured.note_broadcast(broadcast);
            count("sends_total", measured);
        }
        Note::Fault(which, case) => {
            let faults = measured
                .faults
                .entry(FAULTS[*which].to_owned())
                .or_default();
            faults.note(at.as_micros() as u64, || format!("case {case}"));
        }
        Note::Step(which, end) => {
            let step = measured.funnel.entry(STEPS[*which].to_owned()).or_default();
            step.tried += 1;
            match end {
                Ok(us) => {
                    step.succeeded += 1;
                    step.latencies.record(Duration::from_micros(*us));
                }
                Err(reason) => *step.failed.entry(format!("reason {reason}")).or_default() += 1,
            }
        }
        Note::Delivery(connector) => {
            let connector = format!("connector-server-{connector}");
            measured.connectors.entry(connector).or_default().deliveries += 1;
            count("deliveries_total", measured);
        }
    }
}

fn measured(notes: &[(Duration, usize, Note)], process: Option<usize>) -> Measured {
    let mut measured = Measured::new(INTERVAL);
    for (at, of, it) in notes {
        if process.is_none_or(|process| process == *of) {
            note(&mut measured, *at, it);
        }
    }
    measured
}

fn latency() -> impl Strategy<Value = u64> {
    // Few values, so that many are equal, and some beyond what is told apart.
    prop_oneof![0..50_u64, (0..20_u32).prop_map(|shift| 1 << (2 * shift))]
}

fn broadcast() -> impl Strategy<Value = Broadcast> {
    let delays = proptest::option::of([latency(), latency(), latency(), latency()]);
    (0..3_u8, 0..3_u8, 0..40_u32, 0..4_u32, delays).prop_map(
        |(message, room, got, lost, delays)| {
            let delays = delays.map(|mut delays| {
                delays.sort_unstable();
                let [first_us, median_us, p99_us, last_us] = delays;
                Delays {
                    first_us,
                    median_us,
                    p99_us,
                    last_us,
                }
            });
            Broadcast {
                message: format!("u{message}.1.1"),
                room: format!("room, \"{room}\""),
                members: got + lost,
                expected: got + lost,
                got,
                due_us: 0,
                sent_us: 1,
                answered_us: (lost == 0).then_some(7),
                delays,
            }
        },
    )
}

/// What is noted when by which of four processes.
fn notes() -> impl Strategy<Value = Vec<(Duration, usize, Note)>> {
    let note = prop_oneof![
        (0..METRICS.len(), latency()).prop_map(|(metric, us)| Note::Latency(metric, us)),
        broadcast().prop_map(Note::Broadcast),
        (0..FAULTS.len(), 0..4_u8).prop_map(|(which, case)| Note::Fault(which, case)),
        (0..STEPS.len(), latency(), 0..6_u8).prop_map(|(which, us, reason)| {
            Note::Step(which, if reason < 3 { Err(reason) } else { Ok(us) })
        }),
        (0..3_u8).prop_map(Note::Delivery),
    ];
    let at = (0..2000_u64).prop_map(Duration::from_millis);
    proptest::collection::vec((at, 0..4_usize, note), 0..300)
}

fn merged(left: &Measured, right: &Measured) -> Result<Measured, MergeError> {
    let mut merged = left.clone();
    merged.merge(right)?;
    Ok(merged)
}

proptest! {
    #[test]
    fn merged_equals_unsplit_in_any_order_and_grouping(
        notes in notes(),
        order in Just(vec![0_usize, 1, 2, 3]).prop_shuffle(),
    ) {
        let whole = measured(&notes, None);
        let [a, b, c, d] = &order.iter().map(|it| measured(&notes, Some(*it))).collect::<Vec<_>>()[..] else {
            unreachable!("there are four");
        };
        let one_by_one = merged(&merged(&merged(a, b)?, c)?, d)?;
        let in_pairs = merged(&merged(a, b)?, &merged(c, d)?)?;
        let from_behind = merged(a, &merged(b, &merged(c, d)?)?)?;
        prop_assert_eq!(&one_by_one, &whole);
        prop_assert_eq!(&in_pairs, &whole);
        prop_assert_eq!(&from_behind, &whole);
        prop_assert_eq!(merged(&whole, &Measured::new(INTERVAL))?, whole);
    }
}

proptest! {
    // Each writes and syncs files.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_measurement_reads_back_from_its_folder(notes in notes()) {
        let whole = measured(&notes, None);
        let folder = tempfile::tempdir()?;
        RunFolder::create(folder.path())?.write_measured(Duration::from_secs(1_700_000_000), &whole)?;
        prop_assert_eq!(run_folder::read_measured(folder.path())?, whole);
    }
}

#[test]
fn rows_of_different_lengths_are_not_merged() -> Result<(), Box<dyn Error>> {
    let mut seconds = Measured::new(Duration::from_secs(1));
    let mut minutes = Measured::new(Duration::from_secs(60));
    minutes.counts.insert("sends_total".to_owned(), 1);
    let error = seconds.merge(&minutes).expect_err("they differ");
    assert_eq!(
        error.to_string(),
        "one has a row each 1s, the other each 60s"
    );
    assert_eq!(seconds, Measured::new(Duration::from_secs(1)));
    Ok(())
}

#[test]
fn a_sum_beyond_64_bits_reads_back() -> Result<(), Box<dyn Error>> {
    let mut large = Measured::new(INTERVAL);
    large.fit.last_last = u128::MAX;
    let read = Measured::parse(&large.to_json(), MEASURED_JSON.as_ref())?;
    assert_eq!(read, large);
    Ok(())
}

#[test]
fn latencies_of_another_run_are_not_taken() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let mut measured = Measured::new(INTERVAL);
    let latency = Duration::from_millis(3);
    measured.row_at(3 * INTERVAL).record("request", latency);
    let run = RunFolder::create(folder.path())?;
    run.write_measured(Duration::ZERO, &measured)?;
    let other = Measured::new(INTERVAL).to_json();
    fs::write(folder.path().join(MEASURED_JSON), other)?;
    let error = run_folder::read_measured(folder.path()).expect_err("no such row");
    let FolderError::Log { path, source } = &error else {
        panic!("{error}");
    };
    assert!(path.ends_with(LATENCIES_HDR), "{error}");
    assert_eq!(source.to_string(), "`request` at 0.75s is not of this run");
    Ok(())
}

#[test]
fn a_row_without_length_is_refused_by_field() {
    let text = Measured::new(INTERVAL)
        .to_json()
        .replace("250000", "250001");
    let error = Measured::parse(&text, MEASURED_JSON.as_ref()).expect_err("no whole milliseconds");
    assert_eq!(
        error.to_string(),
        "measured.json: field `measured.interval_us`"
    );
}
