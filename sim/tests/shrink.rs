//! A failure from its capsule to the smallest run that fails in the same way.

use std::error::Error;
use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use cluster::policy::{Flaw, Policy};
use sim::anchor::{Anchor, Anchored, Moment};
use sim::capsule::{Capsule, Verdict};
use sim::case::Case;
use sim::fault::Fault;
use sim::guarantees::Guarantee;
use sim::replay::Replay;
use sim::run;
use sim::scenario;
use sim::shrink::{self, Ended, Limits, Shrunk, Signature, regression};

/// What `sim shrink --test` wrote of a failure that is mended: it is compiled and run here. It is that of
/// `capsules/connection-counter-leak.capsule.json`, without the flaw.
#[path = "written/mended.rs"]
mod mended;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// A run of a cluster that forgets nobody whose connector died: six users, who stay in their rooms
/// for ever.
fn failed() -> Result<Capsule> {
    let mut scenario = scenario::find("connector-crash")?;
    scenario.settings.policy = Policy::hardened().with(Flaw::GhostAfterConnectorCrash);
    let mut case = Case::draw(&scenario, 1);
    let probes_from = case.probes_from;
    case.scripts
        .retain(|script| script.user < 6 || script.user >= probes_from);
    let capsule = Capsule::of(&run::run(&case, false), String::from("none"));
    Ok(capsule.ok_or("it did not fail")?)
}

#[test]
fn a_failure_is_made_small_and_stays_what_it_was() -> Result {
    let capsule = failed()?;
    assert_eq!(Replay::of(&capsule).difference, None);

    let mut steps = Vec::new();
    let shrunk = shrunk(&capsule, 2, &mut |step| steps.push(step.to_owned()))?;
    let (before, after) = (shrunk.before, shrunk.after);
    assert_eq!(shrunk.ended, Ended::Smallest);
    assert!(!steps.is_empty());
    assert_eq!(shrunk.signature.guarantee, Some(Guarantee::Membership));
    assert!(shrunk.signature.is_in(&Verdict::of(&shrunk.outcome)));
    // One user logs in, one connector is lost: no less can leave a ghost behind.
    assert_eq!(
        (after.faults, after.users, after.servers),
        (1, 1, 3),
        "{after}"
    );
    // The login, and the leave that each user ends with.
    assert_eq!(after.actions, 2, "{after}");
    assert!(
        before.users == 6 && after.events * 2 < before.events,
        "{before}, {after}"
    );
    assert_eq!(
        shrunk.other_seeds,
        Some(5),
        "a ghost stays whatever is drawn"
    );

    let smaller = Capsule::of(&shrunk.outcome, String::from("none")).ok_or("it holds")?;
    let smaller = Capsule::parse(&smaller.to_json())?;
    assert_eq!(Replay::of(&smaller).difference, None);
    // Without the flaw, the smallest run holds: it is the flaw that fails it.
    let mut mended = smaller.case.clone();
    mended.settings.policy = Policy::hardened();
    let outcome = run::run(&mended, false);
    assert!(outcome.held(), "{:?}", outcome.violations);
    // So the test that is written of it, which demands that it holds, fails until then.
    let test = regression::test(&smaller, &shrunk.signature);
    assert!(test.contains("assert!(outcome.held(), "), "{test}");
    let (_, rest) = test.split_once("r#\"").ok_or("no capsule")?;
    let (json, _) = rest.split_once("\"#;").ok_or("no end")?;
    assert!(!run::run(&Capsule::parse(json)?.case, false).held());
    Ok(())
}

#[test]
fn faults_that_wait_are_left_out_too_and_it_is_the_same_run_on_any_number_of_threads() -> Result {
    let mut case = failed()?.case;
    let fault = |fault| Anchored {
        when: Anchor {
            nth: 6,
            event: Moment::Entered,
            connector: None,
            user: None,
            room: None,
        },
        after: Duration::from_millis(500),
        fault,
        lasts: Duration::from_millis(500),
    };
    let connectors = case.topology.connectors.iter().map(|it| it.id.clone());
    let crashes = connectors.map(|host| Fault::Crash {
        host,
        goodbye: true,
    });
    let gate = case.gate().id.clone();
    let faults = crashes.chain([Fault::Pause { host: gate }]);
    case.anchored = faults.map(fault).collect();
    case.faults.clear();
    let capsule = Capsule::of(&run::run(&case, false), String::new()).ok_or("it holds")?;
    let [one, three] = [1, 3].map(|jobs| shrunk(&capsule, jobs, &mut |_| ()));
    let shrunk = one?;
    assert_eq!(shrunk.outcome.chain, three?.outcome.chain);
    assert_eq!((shrunk.before.faults, shrunk.after.faults), (4, 1));
    // What is left happens at a time: nothing has to be awaited in so small a run.
    let left = shrunk.outcome.case.ok_or("it was run")?;
    assert!(left.anchored.is_empty(), "{left}");
    Ok(())
}

#[test]
fn what_is_written_as_a_test_is_the_file_that_is_compiled_here() -> Result {
    let compiled = include_str!("written/mended.rs");
    let (_, rest) = compiled.split_once("r#\"").ok_or("no capsule")?;
    let (json, _) = rest.split_once("\"#;").ok_or("no end")?;
    let capsule = Capsule::parse(json)?;
    let signature = Signature::all(&capsule.verdict).remove(0);
    assert_eq!(regression::test(&capsule, &signature), compiled);
    Ok(())
}

fn shrunk(capsule: &Capsule, jobs: usize, tell: &mut dyn FnMut(&str)) -> Result<Shrunk> {
    let stop = AtomicBool::new(false);
    let limits = Limits {
        jobs: NonZeroUsize::new(jobs).ok_or("no threads")?,
        time: Duration::from_secs(600),
        stop: &stop,
    };
    Ok(shrink::shrink(capsule, limits, tell)?)
}

#[test]
fn a_capsule_that_does_not_fail_any_more_is_not_made_smaller() -> Result {
    let mut capsule = failed()?;
    capsule.case.settings.policy = Policy::hardened();
    let (_folder, file) = written(&capsule)?;
    let shrink = sim(&["shrink", &file.to_string_lossy()]).output()?;
    let said = String::from_utf8_lossy(&shrink.stderr);
    assert_eq!(shrink.status.code(), Some(3), "{said}");
    let kind = Signature::all(&capsule.verdict).remove(0).to_string();
    assert!(said.contains(&kind), "{said}");
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_ends_it_with_the_smallest_run_so_far() -> Result {
    use std::io::{BufRead, BufReader, Read};
    use std::process::Stdio;

    use rustix::process::{Pid, Signal, kill_process};

    let capsule = failed()?;
    let (folder, file) = written(&capsule)?;
    let (out, test) = (folder.path().join("out"), folder.path().join("test.rs"));
    let mut shrink = sim(&["shrink", &file.to_string_lossy(), "--jobs", "1"])
        .args([
            "-o",
            &out.to_string_lossy(),
            "--test",
            &test.to_string_lossy(),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let said = BufReader::new(shrink.stderr.take().ok_or("it is piped")?);
    let mut lines = said.lines();
    let first = lines.next().ok_or("it ended early")??;
    assert!(first.starts_with("before: "), "{first}");
    lines.next().ok_or("it ended early")??;
    kill_process(Pid::from_child(&shrink), Signal::INT)?;
    let rest = lines.collect::<std::io::Result<Vec<_>>>()?.join("\n");
    assert_eq!(shrink.wait()?.code(), Some(130), "{rest}");
    assert!(rest.contains("interrupted: "), "{rest}");
    let mut printed = String::new();
    let mut stdout = shrink.stdout.take().ok_or("it is piped")?;
    stdout.read_to_string(&mut printed)?;
    let end = " runs, interrupted; other seeds were not tried\n";
    assert!(printed.contains(end), "{printed}");
    let smaller = Capsule::read(&out)?;
    let same = &Signature::all(&capsule.verdict)[0];
    assert!(same.is_in(&smaller.verdict));
    assert!(fs::read_to_string(&test)?.contains("#[test]\nfn seed_1_of_connector_crash_"));
    Ok(())
}

fn written(capsule: &Capsule) -> Result<(tempfile::TempDir, PathBuf)> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("failed.capsule.json");
    fs::write(&file, capsule.to_json())?;
    Ok((folder, file))
}

fn sim(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.args(arguments);
    command
}
