//! What a slower cluster looks like beside the one it came from: on every seed it is noticed, and told by
//! name. What changes no behaviour is not.

use std::sync::LazyLock;

use cluster::drag::Drag;
use reports::compare::runs::Compared;
use reports::compare::{Comparison, Demands, Side, Verdict, compare};
use reports::ways::Run;
use sim::case::Case;
use sim::run::run;
use sim::scenario::{self, FindError};
use sim::ways;

/// Without faults, so that the first difference is that of the servers.
const SCENARIO: &str = "steady";
const SEEDS: std::ops::Range<u64> = 0..3;

/// What the cluster does as it is.
static BASE: LazyLock<Vec<Run>> =
    LazyLock::new(|| ways_with(None).expect("the scenario is built in"));

/// The ways of the runs of all seeds.
fn ways_with(drag: Option<Drag>) -> Result<Vec<Run>, FindError> {
    let mut scenario = scenario::find(SCENARIO)?;
    scenario.settings.drag = drag;
    let ways = SEEDS.map(|seed| {
        let outcome = run(&Case::draw(&scenario, seed), false);
        assert!(
            outcome.held(),
            "{drag:?} seed {seed}: {:?}",
            outcome.violations
        );
        ways::of(&outcome)
    });
    Ok(ways.collect())
}

fn compared(base: &[Run], new: &[Run]) -> Comparison {
    let side = |folder: &str| Side {
        folder: folder.to_owned(),
        command: String::new(),
        broken: Vec::new(),
    };
    compare((side("base"), base), (side("new"), new), Demands::default())
}

/// Asserts that a drag is noticed on every seed as `is_named` has it, and is slower in step `slower`.
fn is_flagged(
    drag: Drag,
    slower: &str,
    is_named: impl Fn(&Compared) -> bool,
) -> Result<(), FindError> {
    let (base, new) = (&*BASE, ways_with(Some(drag))?);
    let comparison = compared(base, &new);
    assert_eq!(
        comparison.verdict,
        Verdict::Slower,
        "{:?}",
        comparison.reasons
    );
    assert_eq!(comparison.runs.len(), base.len());
    for run in &comparison.runs {
        assert!(is_named(run), "{drag} seed {}: {:?}", run.seed, run.first);
        assert!(run.deliveries_later > 0);
        assert!(run.replay[0].starts_with("sim run steady --seed "));
    }
    let step = comparison
        .steps
        .iter()
        .find(|step| step.step.starts_with(slower));
    let step = step.unwrap_or_else(|| panic!("no step {slower}"));
    assert!(step.new.mean_us > step.base.mean_us, "{step:?}");
    Ok(())
}

fn told(run: &Compared) -> &str {
    run.first.as_ref().map_or("", |first| &first.told)
}

/// Whether the first hop that parts is from a chat server to a connector.
fn is_push(run: &Compared) -> bool {
    let hop = run.first.as_ref().map_or("", |first| &first.hop);
    hop.starts_with("chat-server-") && hop.contains(" -> connector-server-")
}

#[test]
fn the_same_program_does_the_same_and_is_identical() -> Result<(), FindError> {
    let comparison = compared(&BASE, &ways_with(None)?);
    assert_eq!(comparison.verdict, Verdict::Identical);
    assert!(comparison.passes());
    assert_eq!(comparison.runs.len() as u64, SEEDS.end - SEEDS.start);
    Ok(())
}

#[test]
fn an_extra_hop_is_flagged_on_every_seed_and_named() -> Result<(), FindError> {
    is_flagged(Drag::ExtraHop, "sender -> its connector", |run| {
        let mut hops = run.hops_more.keys();
        let is_back_and_forth = hops.any(|hop| hop.starts_with("connector-server-"));
        is_back_and_forth && run.hops_fewer.is_empty() && told(run).contains("one hop more")
    })
}

#[test]
fn a_batching_timer_is_flagged_on_every_seed_and_named() -> Result<(), FindError> {
    is_flagged(Drag::BatchingTimer, "-> left the chat server", |run| {
        is_push(run) && told(run).contains(" ms later") && run.hops_more.is_empty()
    })
}

#[test]
fn pushes_one_after_the_other_are_flagged_on_every_seed_and_named() -> Result<(), FindError> {
    is_flagged(
        Drag::SerialPushes,
        "between the first and the last push",
        |run| is_push(run) && told(run).contains(" ms later") && run.hops_more.is_empty(),
    )
}

#[test]
fn five_milliseconds_in_send_are_flagged_on_every_seed_and_named() -> Result<(), FindError> {
    is_flagged(Drag::SlowSend, "-> left the chat server", |run| {
        is_push(run) && told(run).contains("left 5.000 ms later")
    })
}

#[test]
fn the_ways_of_a_run_have_every_delivery_with_where_it_came_from() {
    let mut deliveries = 0;
    for run in &*BASE {
        for message in &run.messages {
            for delivery in &message.deliveries {
                let (left_us, heard_us) = (delivery.2, delivery.3);
                assert!(delivery.1.starts_with("connector-server-"), "{message:?}");
                assert!(
                    heard_us.is_none_or(|heard_us| left_us < Some(heard_us)),
                    "{message:?}"
                );
                deliveries += 1;
            }
            let times: Vec<u64> = message.hops.iter().map(|hop| hop.0).collect();
            assert!(times.is_sorted() && times.first().is_none_or(|at| *at > message.sent_us));
        }
    }
    assert!(deliveries > 1000, "{deliveries}");
}
