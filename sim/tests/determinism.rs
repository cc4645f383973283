//! The same seed gives the same run, event by event. If this fails, no other failure can be
//! repeated; so it comes before every other check.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::process::Command;
use std::time::Duration;

use loadgen::history::What;
use sim::anchor::{Anchor, Anchored, Moment};
use sim::case::Case;
use sim::fault::Fault;
use sim::run;
use sim::scenario::{self, Scenario};
use sim::sweep::{Done, Sweep, Watch};

/// One scenario for each way that a run can go: processes that die, that stand still, links that
/// break, users that vanish; and everything at once.
const SCENARIOS: [&str; 6] = [
    "rolling-restart",
    "chat-power-cut",
    "paused-connector",
    "link-flapping",
    "vanish-entering",
    "random-mix",
];

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[test]
fn a_seed_gives_the_same_run_twice_in_one_process() -> Result<()> {
    let run = |name| -> Result<_> {
        let outcome = run::run(&Case::draw(&scenario::find(name)?, 7), false);
        Ok((outcome.record.history, outcome.chain.hash))
    };
    let mut first = SCENARIOS.into_iter().map(run).collect::<Result<Vec<_>>>()?;
    // Backwards, so that each meets a process that has done something else before.
    for name in SCENARIOS.into_iter().rev() {
        let (history, trace_hash) = run(name)?;
        let (first_history, first_hash) = first.pop().ok_or("as many as before")?;
        assert_eq!(history, first_history, "{name}");
        assert_eq!(trace_hash, first_hash, "{name}");
    }
    Ok(())
}

#[test]
fn a_case_that_was_written_down_is_the_same_run_and_nothing_else_decides_it() -> Result<()> {
    for scenario in scenario::built_in() {
        let mut case = Case::draw(&scenario, 7);
        // Until most faults have begun, which is a fifth of the run.
        case.times.ended_at = case.times.arrived_at + Duration::from_secs(3);
        let read: Case = serde_json::from_str(&serde_json::to_string(&case)?)?;
        let (drawn, read) = (run::run(&case, false), run::run(&read, false));
        assert_eq!(drawn.chain, read.chain, "{}", scenario.name);
    }
    Ok(())
}

#[test]
fn another_seed_gives_another_run() -> Result<()> {
    let scenario = scenario::find("steady")?;
    let hashes: BTreeSet<_> = (0..4)
        .map(|seed| run::run(&Case::draw(&scenario, seed), false).chain.hash)
        .collect();
    assert_eq!(hashes.len(), 4, "two seeds gave the same run");
    Ok(())
}

#[test]
fn a_kept_trace_has_the_hash_of_one_that_is_not() -> Result<()> {
    let case = Case::draw(&scenario::find("random-mix")?, 3);
    assert_eq!(
        run::run(&case, true).chain.hash,
        run::run(&case, false).chain.hash
    );
    Ok(())
}

#[test]
fn tasks_that_are_put_off_are_put_off_again_and_it_makes_a_difference() -> Result<()> {
    let mut case = Case::draw(&scenario::find("steady")?, 5);
    let in_order = run::run(&case, false).chain.hash;
    case.yield_percent = 30;
    let put_off = run::run(&case, false).chain.hash;
    assert_eq!(run::run(&case, false).chain.hash, put_off);
    assert_ne!(put_off, in_order);
    Ok(())
}

#[test]
fn a_fault_that_waits_for_something_comes_right_after_it_and_can_be_given_by_its_time() -> Result<()>
{
    const CONNECTOR: &str = "connector-server-2";
    let mut case = Case::draw(&scenario::find("steady")?, 5);
    case.anchored = vec![Anchored {
        when: Anchor {
            nth: 3,
            event: Moment::Accepted,
            connector: Some(CONNECTOR.into()),
            user: None,
            room: None,
        },
        after: Duration::ZERO,
        fault: Fault::Pause {
            host: "chat-server-1".into(),
        },
        lasts: Duration::from_millis(700),
    }];
    let waited = run::run(&case, false);
    let history = &waited.record.history;
    let comes_through = |what: &What| match what {
        What::Located { connector } => connector.starts_with(CONNECTOR),
        _ => false,
    };
    let mut through = history.clone();
    through.retain(|event| comes_through(&event.what));
    let through: BTreeSet<_> = through.iter().map(|event| event.user).collect();
    let mut accepted = history.iter().filter(|event| {
        through.contains(&event.user) && matches!(event.what, What::Answered { ok: true, .. })
    });
    let third_at = accepted.nth(2).ok_or("too few were accepted")?.at;
    let faults = &waited.record.faults;
    let times: Vec<_> = faults.iter().map(|it| it.at).collect();
    let tick = Duration::from_millis(1);
    assert!(
        times[0] >= third_at && times[0] - third_at <= tick,
        "{times:?}"
    );
    assert_eq!(times[1] - times[0], Duration::from_millis(700));

    case.faults = faults.clone();
    case.anchored.clear();
    assert_eq!(run::run(&case, false).chain.hash, waited.chain.hash);
    Ok(())
}

#[test]
fn threads_do_not_change_what_comes_out() -> Result<()> {
    let scenarios: Vec<_> = [scenario::find("random-mix")?, scenario::find("chat-crash")?]
        .map(|scenario| (scenario, 0..3))
        .to_vec();
    assert_eq!(hashes(&scenarios, 1)?, hashes(&scenarios, 4)?);
    Ok(())
}

#[test]
fn two_processes_print_the_same_hashes() -> Result<()> {
    let print = |jobs| {
        Command::new(env!("CARGO_BIN_EXE_sim"))
            .args(["hashes", "random-mix", "link-hold", "--seeds", "0..2"])
            .args(["--jobs", jobs])
            .output()
    };
    let (first, again) = (print("1")?, print("2")?);
    assert!(first.status.success(), "{first:?}");
    assert_eq!(first.stdout.split(|byte| *byte == b'\n').count(), 4 + 1);
    assert_eq!(first.stdout, again.stdout);
    Ok(())
}

#[test]
fn the_directory_the_time_zone_and_the_language_change_nothing() -> Result<()> {
    let elsewhere = tempfile::tempdir()?;
    let mut here = Command::new(env!("CARGO_BIN_EXE_sim"));
    here.args(["hashes", "random-mix", "--seeds", "0..2"]);
    let mut there = Command::new(env!("CARGO_BIN_EXE_sim"));
    there
        .args(["hashes", "random-mix", "--seeds", "0..2"])
        .current_dir(elsewhere.path())
        .env("TZ", "Pacific/Kiritimati")
        .env("LC_ALL", "tr_TR.UTF-8");
    let (here, there) = (here.output()?, there.output()?);
    assert!(here.status.success() && !here.stdout.is_empty(), "{here:?}");
    assert_eq!(here.stdout, there.stdout);
    Ok(())
}

fn hashes(scenarios: &[(Scenario, std::ops::Range<u64>)], jobs: usize) -> Result<Vec<u64>> {
    let sweep = Sweep {
        scenarios: scenarios.to_vec(),
        jobs: NonZeroUsize::new(jobs).ok_or("no threads")?,
        time: None,
    };
    let mut seen = Hashes::default();
    sweep.run(&mut seen)?;
    Ok(seen.0)
}

#[derive(Default)]
struct Hashes(Vec<u64>);

impl Watch for Hashes {
    fn next(&mut self, done: Done) {
        self.0.push(done.outcome.chain.hash);
    }
}
