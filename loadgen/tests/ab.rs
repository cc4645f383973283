//! How often a comparison of builds decides rightly, over hundreds of experiments whose truth is known.

use std::f64::consts::TAU;

use loadgen::ab::verdict::{Effect, judge};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use reports::ab::Decision;

const EXPERIMENTS: u32 = 600;
const ALPHA: f64 = 0.05;
const EFFECT: f64 = 0.1;

/// What runs of one build differ by, as a logarithm.
#[derive(Clone, Copy, Debug)]
enum Noise {
    /// A few percent, as of a quiet machine.
    Normal,
    /// The same, and now and then a run that takes up to five times as long, as of a busy one.
    Spikes,
    /// Student's with three degrees of freedom: tails that no run of a day shows all of.
    Heavy,
}

const NOISES: [Noise; 3] = [Noise::Normal, Noise::Spikes, Noise::Heavy];
const DEVIATION: f64 = 0.04;

fn normal(rng: &mut StdRng) -> f64 {
    let (radius, angle): (f64, f64) = (rng.random_range(f64::MIN_POSITIVE..1.0), rng.random());
    (-2.0 * radius.ln()).sqrt() * (TAU * angle).cos()
}

impl Noise {
    fn draw(self, rng: &mut StdRng) -> f64 {
        let usual = DEVIATION * normal(rng);
        match self {
            Self::Normal => usual,
            Self::Spikes if rng.random_bool(0.1) => usual + rng.random_range(0.0..5.0_f64.ln()),
            Self::Spikes => usual,
            Self::Heavy => {
                let squares: f64 = (0..3).map(|_| normal(rng).powi(2)).sum();
                usual / (squares / 3.0).sqrt()
            }
        }
    }
}

/// Shares of experiments that passed and failed; the others did not tell.
#[derive(Debug, Default)]
struct Shares {
    pass: f64,
    fail: f64,
}

/// Experiments of `pairs` pairs with a new build that is slower by `shift`; each run is slower by `drift`
/// than the one before it.
fn experiments(noise: Noise, pairs: u32, shift: f64, drift: f64) -> Shares {
    let mut rng = StdRng::seed_from_u64(7);
    let mut shares = Shares::default();
    for _ in 0..EXPERIMENTS {
        let times: Vec<(u64, u64)> = (0..pairs)
            .map(|pair| {
                // What differs between pairs, such as their seeds, is more than all noise.
                let level = rng.random_range(0.0..1.0);
                let first = drift * f64::from(2 * pair);
                let (base, new) = match pair % 2 {
                    0 => (first, first + drift),
                    _ => (first + drift, first),
                };
                let mut us = |at: f64| (1e4 * (level + at + noise.draw(&mut rng)).exp()) as u64;
                (us(base), us(new + shift.ln_1p()))
            })
            .collect();
        match judge(&times, Effect::Share(EFFECT), ALPHA).1 {
            Decision::Pass => shares.pass += 1.0 / f64::from(EXPERIMENTS),
            Decision::Fail => shares.fail += 1.0 / f64::from(EXPERIMENTS),
            Decision::Inconclusive { .. } => {}
        }
    }
    shares
}

/// What a share may be whose true value is at most `share`: four deviations of so many experiments more.
fn at_most(share: f64) -> f64 {
    share + 4.0 * (share * (1.0 - share) / f64::from(EXPERIMENTS)).sqrt()
}

#[test]
fn a_build_against_itself_hardly_ever_fails() {
    for noise in NOISES {
        for pairs in [4, 8, 16] {
            let shares = experiments(noise, pairs, 0.0, 0.0);
            // Half of alpha is stated for a build that is slower by just what counts; this one is not
            // slower at all.
            assert!(
                shares.fail <= ALPHA / 2.0,
                "{noise:?}, {pairs} pairs: {shares:?}"
            );
        }
    }
}

#[test]
fn a_build_that_is_slower_by_just_what_counts_is_decided_wrongly_as_rarely_as_stated() {
    for noise in NOISES {
        for pairs in [4, 8, 16] {
            let shares = experiments(noise, pairs, EFFECT, 0.0);
            let most = at_most(ALPHA / 2.0);
            assert!(shares.fail <= most, "{noise:?}, {pairs} pairs: {shares:?}");
            assert!(shares.pass <= most, "{noise:?}, {pairs} pairs: {shares:?}");
        }
    }
}

#[test]
fn a_build_that_is_slower_by_the_effect_more_than_counts_fails_nearly_always() {
    for (noise, pairs) in [(Noise::Normal, 10), (Noise::Heavy, 40)] {
        let shares = experiments(noise, pairs, 2.0 * EFFECT, 0.0);
        assert!(shares.fail >= 0.95, "{noise:?}, {pairs} pairs: {shares:?}");
    }
}

#[test]
fn a_build_against_itself_passes_nearly_always_if_there_are_pairs_enough() {
    for (noise, pairs) in [(Noise::Normal, 12), (Noise::Heavy, 40)] {
        let shares = experiments(noise, pairs, 0.0, 0.0);
        assert!(shares.pass >= 0.95, "{noise:?}, {pairs} pairs: {shares:?}");
    }
}

#[test]
fn a_machine_that_grows_slower_from_run_to_run_changes_nothing() {
    // As much between two runs as the effect itself: the whole experiment ends five times as slow.
    let drift = EFFECT;
    let (still, drifting) = (
        experiments(Noise::Normal, 8, 0.0, 0.0),
        experiments(Noise::Normal, 8, 0.0, drift),
    );
    assert!(
        (still.pass - drifting.pass).abs() < 0.01,
        "{still:?} {drifting:?}"
    );
    assert_eq!(drifting.fail, 0.0);
    let slower = experiments(Noise::Normal, 10, 2.0 * EFFECT, drift);
    assert!(slower.fail >= 0.95, "{slower:?}");
}
