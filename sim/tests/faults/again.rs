//! Faults that come again and again, or one after the other: that each time is felt, and that it
//! ends.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use sim::fault::{Fault, Planned};
use sim::incident::{HostTrouble, LinkTrouble};

use crate::world::{LATENCY_MS, Result, SECOND, World, ask, dial, echo, link};

/// An answer that took longer was held up: less than the shortest time that these faults last each
/// time, so that of questions that follow each other one at the least is held up by each.
const LATE_MS: u64 = 2 * LATENCY_MS + 5;
const FROM: Duration = SECOND;
const TO: Duration = Duration::from_secs(4);

#[test]
fn a_process_that_stutters_is_late_each_time_and_then_no_more() -> Result {
    let rng = &mut StdRng::seed_from_u64(2);
    let plan = HostTrouble::Stutter.draw("server", FROM, TO, rng);
    let is_stop = |fault: &Fault| matches!(fault, Fault::Pause { .. });
    each_is_felt(&plan, is_stop)
}

#[test]
fn over_a_link_that_flaps_answers_are_late_each_time_and_then_no_more() -> Result {
    let rng = &mut StdRng::seed_from_u64(2);
    let [a, b] = link();
    let usual = Duration::from_millis(LATENCY_MS);
    let plan = LinkTrouble::Flap.draw([&a, &b], usual, FROM, TO, rng);
    let is_hold = |fault: &Fault| matches!(fault, Fault::Hold { .. });
    each_is_felt(&plan, is_hold)
}

#[test]
fn over_a_link_that_jitters_or_drifts_answers_take_now_long_now_short() -> Result {
    for trouble in [LinkTrouble::Jitter, LinkTrouble::Drift] {
        let rng = &mut StdRng::seed_from_u64(2);
        let [a, b] = link();
        let usual = Duration::from_millis(LATENCY_MS);
        let plan = trouble.draw([&a, &b], usual, FROM, TO, rng);
        let mut world = World::new(echo, |network, notes| async move {
            let mut stream = dial(&network).await?;
            loop {
                notes.add(ask(&mut stream).await?.as_millis().to_string());
            }
        });
        run(&mut world, &plan)?;

        let round_trip = |planned: &Planned| planned.fault.latency().map(|it| 2 * it.as_millis());
        for (planned, next) in plan.iter().zip(&plan[1..]) {
            // Asked since the one and answered before the other, if there was time for it.
            let took_ms = round_trip(planned).ok_or("it is a latency")?;
            let (from, to) = (planned.at.as_millis() + 3 * took_ms, next.at.as_millis());
            for (at_ms, told) in world.notes() {
                if (from..=to).contains(&at_ms) {
                    assert_eq!(told, took_ms.to_string(), "{planned} at {at_ms} ms");
                }
            }
        }
        let told: BTreeSet<String> = world.told().into_iter().collect();
        assert!(told.len() > 3, "{told:?}");
        assert_eq!(world.told().last(), Some(&(2 * LATENCY_MS).to_string()));
    }
    Ok(())
}

#[test]
fn over_a_link_that_is_cut_and_reset_nothing_comes_until_the_connection_is_reset() -> Result {
    let rng = &mut StdRng::seed_from_u64(2);
    let [a, b] = link();
    let usual = Duration::from_millis(LATENCY_MS);
    let plan = LinkTrouble::CutReset.draw([&a, &b], usual, FROM, TO, rng);
    let mut world = World::new(echo, |network, notes| async move {
        let mut stream = dial(&network).await?;
        while ask(&mut stream).await.is_ok() {
            notes.add("heard");
        }
        notes.add("over");
        ask(&mut dial(&network).await?).await?;
        notes.add("heard again");
        Ok(())
    });
    run(&mut world, &plan)?;
    let mut notes = world.notes();
    let before = u128::from(2 * LATENCY_MS) + FROM.as_millis();
    notes.retain(|(at_ms, _)| *at_ms > before);
    let told: Vec<_> = notes.iter().map(|(_, what)| &**what).collect();
    assert_eq!(told, ["over", "heard again"]);
    let (over_at_ms, _) = notes[0];
    assert!((4000..=4001).contains(&over_at_ms), "{over_at_ms}");
    Ok(())
}

/// Does what is planned while the client asks one question after the other.
fn each_is_felt(plan: &[Planned], begins: impl Fn(&Fault) -> bool) -> Result {
    let mut world = World::new(echo, |network, notes| async move {
        let mut stream = dial(&network).await?;
        loop {
            let took = ask(&mut stream).await?;
            if took > Duration::from_millis(LATE_MS) {
                notes.add("late");
            }
        }
    });
    run(&mut world, plan)?;

    let times = plan.iter().filter(|planned| begins(&planned.fault)).count();
    assert!(times >= 3, "{plan:?}");
    let late_ms: Vec<_> = world.notes().into_iter().map(|(at_ms, _)| at_ms).collect();
    assert_eq!(late_ms.len(), times, "{late_ms:?} in {plan:?}");
    let first_ms = FROM.as_millis();
    let last_ms = TO.as_millis() + u128::from(LATE_MS);
    let is_while_it_lasts = |at_ms: &u128| (first_ms..=last_ms).contains(at_ms);
    assert!(late_ms.iter().all(is_while_it_lasts), "{late_ms:?}");
    Ok(())
}

/// Does what is planned, each at its time, and lets the world go on for a while.
fn run(world: &mut World, plan: &[Planned]) -> Result {
    for planned in plan {
        world.run_until(planned.at)?;
        assert!(world.apply(planned.fault.clone()), "{planned}");
    }
    world.run_until(TO + SECOND)
}
