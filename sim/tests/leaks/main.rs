//! What lets the outside world into a run is caught by doing the run twice, and located to the first
//! event that differs. If a leak is not caught here, equal hashes prove nothing.
//!
//! | leak | refused when it is written | caught |
//! | --- | --- | --- |
//! | the order of a hash map | yes | in one process |
//! | the keys of a hash | yes | in one process |
//! | the date | yes | in one process |
//! | the time since the program started | yes | in one process |
//! | the timing of a thread | yes | in one process |
//! | entropy of the operating system | yes | in one process |
//! | `select!` in a runtime without a seed | only as the thread it needs | in one process |
//! | an address | no | in one process |
//! | the number of a task | no | in one process |
//! | a counter that lives longer than a run | no | in one process |
//! | what a run leaves in its thread | no | in one process |
//! | the number of the process | no | between two processes |
//! | the current directory | no | between two directories |
//! | a variable of the environment | no | between two environments |
//!
//! Refused are those that `clippy.toml` names: their guests expect the refusal, which is an error
//! if it does not come. All others are found by nothing but a comparison of runs. So is what is
//! refused only where it is imported, as the system's entropy, and not where its whole path is
//! written.

mod guests;

use std::error::Error;
use std::fs;
use std::future::Future;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sim::case::Case;
use sim::certify::parting::Parting;
use sim::net::SimNet;
use sim::run::{self, GUEST, Outcome};
use sim::scenario;

type Tested = Result<(), Box<dyn Error>>;

#[test]
fn a_guest_that_keeps_to_the_rules_changes_nothing_from_run_to_run() -> Tested {
    let [first, again] = [run(guests::honest)?, run(guests::honest)?];
    assert_eq!(first.chain, again.chain);
    let [first, again] = [trace(first)?, trace(again)?];
    assert_eq!(Parting::of(&first, &again), None);
    let told = String::from_utf8(first)?;
    let of_guest = told.lines().filter(|line| is_guests(line));
    assert!(of_guest.count() >= 4, "it took no part in the run");
    Ok(())
}

#[test]
fn the_order_of_a_hash_map_is_caught() -> Tested {
    caught_in_one_process(guests::hash_order)
}

#[test]
fn the_keys_of_a_hash_are_caught() -> Tested {
    caught_in_one_process(guests::hash_keys)
}

#[test]
fn the_date_is_caught() -> Tested {
    caught_in_one_process(guests::date)
}

#[test]
fn the_time_since_the_program_started_is_caught() -> Tested {
    caught_in_one_process(guests::stopwatch)
}

#[test]
fn the_timing_of_a_thread_is_caught() -> Tested {
    caught_in_one_process(guests::thread_timing)
}

#[test]
fn entropy_of_the_operating_system_is_caught() -> Tested {
    caught_in_one_process(guests::entropy)
}

#[test]
fn a_select_without_a_seed_is_caught() -> Tested {
    caught_in_one_process(guests::unseeded_select)
}

#[test]
fn an_address_is_caught() -> Tested {
    caught_in_one_process(guests::address)
}

#[test]
fn the_number_of_a_task_is_caught() -> Tested {
    caught_in_one_process(guests::task_number)
}

#[test]
fn a_counter_that_lives_longer_than_a_run_is_caught() -> Tested {
    caught_in_one_process(guests::counter)
}

#[test]
fn what_a_run_leaves_in_its_thread_is_caught() -> Tested {
    caught_in_one_process(guests::left_over)
}

#[test]
fn what_differs_between_processes_is_caught_between_them() -> Tested {
    let folder = tempfile::tempdir()?;
    let [here, elsewhere] = [Path::new("."), folder.path()];
    let greenwich = "Etc/GMT";
    for (guest, directory, zone, leaks) in [
        ("honest", elsewhere, "Pacific/Kiritimati", false),
        ("process_number", here, greenwich, true),
        ("directory", here, greenwich, false),
        ("directory", elsewhere, greenwich, true),
        ("environment", here, greenwich, false),
        ("environment", here, "Pacific/Kiritimati", true),
    ] {
        let first = trace_of_process(guest, here, greenwich)?;
        let other = trace_of_process(guest, directory, zone)?;
        match Parting::of(&first, &other) {
            Some(parting) if leaks => assert_is_of_guest(&parting),
            parting => assert!(parting.is_none() && !leaks, "{guest}: {parting:?}"),
        }
    }
    Ok(())
}

/// Two runs with one guest are two different runs, and the first event that differs is the guest's.
fn caught_in_one_process<F>(guest: fn(SimNet) -> F) -> Tested
where
    F: Future<Output = ()> + 'static,
{
    let [first, again] = [run(guest)?, run(guest)?];
    assert_ne!(first.chain.hash, again.chain.hash, "it was not caught");
    let events = first.chain.parting(&again.chain);
    let parting = Parting::of(&trace(first)?, &trace(again)?).ok_or("its trace is the same")?;
    assert_eq!(events, Some(parting.event..parting.event + 1));
    assert_is_of_guest(&parting);
    Ok(())
}

fn assert_is_of_guest(parting: &Parting) {
    // A delay shows where the guest does something in one run and somebody else in the other.
    let mut lines = parting.lines.iter().flatten();
    assert!(lines.any(|line| is_guests(line)), "{parting}");
}

fn is_guests(line: &str) -> bool {
    line.contains(&format!("\"host\":\"{GUEST}\""))
}

/// A short run in which `guest` takes part.
fn run<F>(guest: impl FnOnce(SimNet) -> F) -> Result<Outcome, Box<dyn Error>>
where
    F: Future<Output = ()> + 'static,
{
    let mut case = Case::draw(&scenario::find("steady")?, 7);
    case.times.ended_at = Duration::from_secs(1);
    Ok(run::run_with_guest(&case, true, guest))
}

fn trace(outcome: Outcome) -> Result<Vec<u8>, Box<dyn Error>> {
    Ok(outcome.trace.ok_or("it was not kept")?)
}

/// What tells a process of [`a_guest_leaves_a_trace`] which guest to run.
const GUEST_NAME: &str = "LEAKS_GUEST";
/// And where to write the trace.
const TRACE_PATH: &str = "LEAKS_TRACE";

fn trace_of_process(guest: &str, directory: &Path, zone: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let trace = tempfile::NamedTempFile::new()?;
    let process = Command::new(std::env::current_exe()?)
        .args(["--exact", "a_guest_leaves_a_trace"])
        .env(GUEST_NAME, guest)
        .env(TRACE_PATH, trace.path())
        .env("TZ", zone)
        .current_dir(directory)
        .output()?;
    assert!(process.status.success(), "{process:?}");
    let trace = fs::read(trace.path())?;
    assert!(!trace.is_empty(), "{process:?}");
    Ok(trace)
}

/// The honest guest, or, in a process that another test has started, the one that is named.
#[test]
fn a_guest_leaves_a_trace() -> Tested {
    let guest = std::env::var(GUEST_NAME);
    let outcome = match guest.as_deref().unwrap_or("honest") {
        "honest" => run(guests::honest),
        "process_number" => run(guests::process_number),
        "directory" => run(guests::directory),
        "environment" => run(guests::environment),
        other => return Err(format!("there is no guest {other}").into()),
    };
    let trace = trace(outcome?)?;
    assert!(!trace.is_empty());
    if let Some(path) = std::env::var_os(TRACE_PATH) {
        fs::write(path, trace)?;
    }
    Ok(())
}
