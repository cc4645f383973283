//! The search for a capacity on a queue whose capacity is known.
//!
//! In a queue with one server, Poisson arrivals at rate λ and exponential service at rate μ (M/M/1), the time
//! that a customer spends there is exponential with rate μ - λ. So its 99th percentile is
//! ln(100) / (μ - λ), and the highest λ at which that is at most T is μ - ln(100) / T.

mod queue;

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use loadgen::capacity::hunt::{Caught, Hunt};
use loadgen::capacity::judge::Demands;
use loadgen::capacity::scaled::Timing;
use loadgen::capacity::search::{Rate, Settings};
use loadgen::plan::LoadPlan;
use queue::{Queue, Tampering};
use reports::capacity::{Outcome, Verdict};

type Tested = Result<(), Box<dyn Error>>;

/// Where the tail of the queue begins, in mean sojourn times.
fn ln_100() -> f64 {
    100.0_f64.ln()
}

/// The highest rate at which 99 of 100 are through within `slo`.
fn capacity(mu: f64, slo: Duration) -> f64 {
    mu - ln_100() / slo.as_secs_f64()
}

/// A queue forgets how long it was in so many seconds, at most (P. M. Morse, *Stochastic properties of
/// waiting lines*).
fn relaxation(mu: f64, rate: f64) -> f64 {
    1.0 / (mu * (1.0 - (rate / mu).sqrt()).powi(2))
}

/// A hunt for the capacity of a queue. Its trials are so long that their percentiles are not chance.
fn hunt(mu: f64, slo: Duration, seed: u64) -> Result<Hunt, Box<dyn Error>> {
    let forgets_in = relaxation(mu, capacity(mu, slo));
    Ok(Hunt {
        plan: LoadPlan::new(10, seed),
        demands: Demands {
            figures: vec![format!("broadcast.last.p99 < {slo:?}").parse()?],
            except: Vec::new(),
            trusts_generator: false,
        },
        timing: Timing {
            warm_up: Duration::from_secs_f64(20.0 * forgets_in),
            measure: Duration::from_secs_f64(800.0 * forgets_in),
        },
        settings: Settings {
            start: Rate::per_second(10.0),
            min: Rate::per_second(1.0),
            max: Rate::per_second(100_000.0),
            factor: 2.0,
            precision: 0.03,
            lead: 3,
            votes_max: 7,
            unknown_max: 2,
        },
        time: Duration::from_secs(3600),
    })
}

fn caught(hunt: &Hunt, mut queue: Queue) -> Result<Caught, Infallible> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let runtime = runtime.expect("a runtime needs nothing but memory");
    runtime.block_on(hunt.run(&mut queue))
}

#[test]
fn the_capacity_of_a_queue_is_found_within_a_twentieth() -> Tested {
    for (mu, slo_ms, seed) in [
        (100.0, 200, 1),
        (100.0, 200, 2),
        (250.0, 50, 3),
        (400.0, 50, 4),
        (60.0, 400, 5),
        (150.0, 100, 6),
    ] {
        let slo = Duration::from_millis(slo_ms);
        let known = capacity(mu, slo);
        let caught = caught(&hunt(mu, slo, seed)?, Queue::new(mu))?;
        let told = format!("μ {mu}, {slo:?}, seed {seed}: {known} {:?}", caught.answer);
        assert_eq!(caught.answer.outcome, Outcome::Found, "{told}");
        let ends = caught.answer.held.zip(caught.answer.broke);
        let (held, broke) = ends.ok_or("no interval")?;
        for end in [held, broke] {
            assert!((end.rate_per_s / known - 1.0).abs() < 0.05, "{told}");
        }
        assert_eq!(
            caught.answer.broke_first.as_deref(),
            Some("broadcast.last.p99"),
            "{told}"
        );
    }
    Ok(())
}

#[test]
fn littles_law_holds_at_each_trial_on_a_queue() -> Tested {
    let caught = caught(
        &hunt(200.0, Duration::from_millis(100), 7)?,
        Queue::new(200.0),
    )?;
    assert!(caught.trials.len() > 8);
    for trial in &caught.trials {
        let little = trial.figures.little.ok_or("nothing was sent")?;
        assert!(little.holds, "{trial:?}");
        // The queue's own law, ρ / (1 - ρ), where it is not near its end.
        let load = trial.rate_per_s / 200.0;
        if load < 0.7 {
            let known = load / (1.0 - load);
            assert!(
                (little.in_flight / known - 1.0).abs() < 0.1,
                "{load} {little:?}"
            );
        }
    }
    Ok(())
}

#[test]
fn the_law_of_scalability_of_a_queue_is_a_plateau_at_its_rate() -> Tested {
    let caught = caught(
        &hunt(200.0, Duration::from_millis(100), 8)?,
        Queue::new(200.0),
    )?;
    assert_eq!(caught.curve.meaningless, None);
    let fit = caught.curve.fit.ok_or("no fit")?;
    let peak = fit.peak.ok_or("no peak")?;
    assert!((peak.per_s / 200.0 - 1.0).abs() < 0.05, "{peak:?}");
    assert!(fit.r_squared > 0.99, "{fit:?}");
    Ok(())
}

/// Each would make the capacity look larger than it is.
#[test]
fn a_queue_whose_figures_are_not_true_is_no_answer() -> Tested {
    for tampering in [Tampering::WaitsLeftOut, Tampering::EveryThirdForgotten] {
        let queue = Queue {
            tampering: Some(tampering),
            ..Queue::new(200.0)
        };
        let caught = caught(&hunt(200.0, Duration::from_millis(100), 9)?, queue)?;
        let told = format!("{tampering:?}: {:?}", caught.answer);
        let wrong = caught
            .trials
            .iter()
            .filter(|trial| trial.figures.little.is_some_and(|little| !little.holds));
        assert!(wrong.clone().count() > 0, "{told}");
        assert!(
            wrong.clone().all(|trial| trial.verdict == Verdict::Unknown),
            "{told}"
        );
        assert_eq!(caught.answer.outcome, Outcome::Generator, "{told}");
        let because = caught.answer.because.ok_or("no reason")?;
        assert!(because.starts_with("by Little's law "), "{because}");
    }
    Ok(())
}

#[test]
fn what_broke_first_is_never_the_generator() -> Tested {
    let (mu, slo) = (100.0, Duration::from_millis(200));
    let mut hunt = hunt(mu, slo, 11)?;
    hunt.demands.trusts_generator = true;
    let tampering = Some(Tampering::WeakGenerator);
    let queue = Queue {
        tampering,
        ..Queue::new(mu)
    };
    let caught = caught(&hunt, queue)?;
    assert_eq!(caught.answer.outcome, Outcome::Found);
    let first = caught.answer.broke_first.as_deref();
    assert_eq!(first, Some("broadcast.last.p99"));
    assert!(caught.warnings[0].contains("generator was late"));
    Ok(())
}

#[test]
fn a_search_ends_when_its_time_is_over() -> Tested {
    let hunt = Hunt {
        time: Duration::ZERO,
        ..hunt(200.0, Duration::from_millis(100), 10)?
    };
    let caught = caught(&hunt, Queue::new(200.0))?;
    assert_eq!(caught.trials.len(), 1);
    assert_eq!(caught.answer.outcome, Outcome::Undecided);
    assert!(
        caught.warnings[0].contains("--time"),
        "{:?}",
        caught.warnings
    );
    let held = caught.answer.held.ok_or("ten per second hold")?;
    assert!(!held.confirmed && held.rate_per_s == 10.0, "{held:?}");
    Ok(())
}
