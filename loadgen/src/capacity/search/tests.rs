use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

/// More than any search should take: one of an hour has fewer.
const TRIALS_MAX: usize = 300;

fn settings() -> Settings {
    Settings {
        start: Rate::per_second(100.0),
        min: Rate::per_second(1.0),
        max: Rate::per_second(1_000_000.0),
        factor: 2.0,
        precision: 0.05,
        lead: 2,
        votes_max: 5,
        unknown_max: 2,
    }
}

/// Searches a system that says what becomes of a trial; also says how many trials that took.
fn search(settings: Settings, mut system: impl FnMut(f64) -> Verdict) -> (Search, Outcome, usize) {
    let mut search = Search::new(settings);
    for trials in 0..TRIALS_MAX {
        match search.next() {
            Next::Done(outcome) => return (search, outcome, trials),
            Next::Try(rate, _) => search.note(rate, system(rate.per_s())),
        }
    }
    panic!("no end after {TRIALS_MAX} trials: {search:?}");
}

/// One that holds up to its knee and breaks above.
fn sharp(knee: f64) -> impl Fn(f64) -> Verdict {
    move |rate| match rate <= knee {
        true => Verdict::Held,
        false => Verdict::Broke,
    }
}

fn flipped(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Held => Verdict::Broke,
        Verdict::Broke => Verdict::Held,
        Verdict::Unknown => Verdict::Unknown,
    }
}

/// The ends of an interval that was found.
fn found(search: &Search) -> (f64, f64) {
    match search.ends() {
        (Some(held), Some(broke)) => (held.rate_per_s, broke.rate_per_s),
        ends => panic!("no interval: {ends:?}"),
    }
}

#[test]
fn it_climbs_bisects_and_confirms() {
    let mut tried = Vec::new();
    let system = sharp(700.0);
    let (found, outcome, _) = search(settings(), |rate| {
        tried.push(rate);
        system(rate)
    });
    assert_eq!(outcome, Outcome::Found);
    // Doubled, then the geometric mean of the ends, and in the end both ends again.
    let expected = [
        100.0, 200.0, 400.0, 800.0, 565.7, 672.7, 733.6, 702.5, 672.7, 702.5,
    ];
    assert_eq!(tried, expected);
    let (held, broke) = found.ends();
    let end = |rate_per_s, held, broke| End {
        rate_per_s,
        held,
        broke,
        sure_percent: 87,
        confirmed: true,
    };
    assert_eq!(held, Some(end(672.7, 2, 0)));
    assert_eq!(broke, Some(end(702.5, 0, 2)));
}

#[test]
fn the_highest_rate_that_may_be_tried_is_enough_and_the_lowest_is_tried_twice() {
    let within = Settings {
        min: Rate::per_second(80.0),
        max: Rate::per_second(300.0),
        ..settings()
    };
    let (top, outcome, trials) = search(within, |_| Verdict::Held);
    assert_eq!((outcome, trials), (Outcome::AtLeast, 4));
    let (held, broke) = top.ends();
    assert_eq!(held.map(|it| it.rate_per_s), Some(300.0));
    assert_eq!(broke, None);
    let (bottom, outcome, trials) = search(within, |_| Verdict::Broke);
    assert_eq!((outcome, trials), (Outcome::Below, 3));
    let (held, broke) = bottom.ends();
    assert_eq!(held, None);
    assert_eq!(broke.map(|it| (it.rate_per_s, it.broke)), Some((80.0, 2)));
}

#[test]
fn how_sure_it_is_follows_from_the_votes() {
    // Of all chances that are equally likely before, after one vote three quarters of the weight are
    // above one half (the area under 2p), after two seven eighths (under 3p²).
    assert_eq!(sure_percent(0, 0), 50);
    assert_eq!(sure_percent(1, 0), 75);
    assert_eq!(sure_percent(2, 0), 87);
    assert_eq!(sure_percent(1, 1), 50);
    assert_eq!(sure_percent(0, 2), 12);
}

#[test]
fn where_the_generator_is_the_limit_it_says_so_and_knows_what_held() {
    // At 500 the generator can do no more; the cluster could do 2000.
    let system = |rate: f64| match rate {
        ..=500.0 => Verdict::Held,
        _ => Verdict::Unknown,
    };
    let (search, outcome, _) = search(settings(), system);
    assert_eq!(outcome, Outcome::Generator);
    let (held, broke) = search.ends();
    assert_eq!(broke, None);
    let held = held.expect("it holds below 500");
    assert!(held.confirmed && held.rate_per_s <= 500.0, "{held:?}");
    assert!(held.rate_per_s >= 500.0 / 1.05, "{held:?}");
}

#[test]
fn a_generator_that_can_do_nothing_is_told_from_a_cluster_that_can_do_nothing() {
    let (search, outcome, _) = search(settings(), |_| Verdict::Unknown);
    assert_eq!(outcome, Outcome::Generator);
    assert_eq!(search.ends(), (None, None));
}

#[test]
fn of_many_systems_with_a_soft_knee_nearly_all_are_found() {
    // A trial at 3 % from the knee still ends the other way one time in four.
    let mut right = 0;
    for seed in 0..400 {
        let mut rng = StdRng::seed_from_u64(seed);
        let knee = 10.0_f64.powf(rng.random_range(1.0..5.0));
        let (search, outcome, _) = search(settings(), soft(knee, 0.027, &mut rng));
        let (held, broke) = found(&search);
        assert_eq!(outcome, Outcome::Found, "seed {seed}");
        right += u32::from(held <= knee * 1.05 && broke >= knee / 1.05);
    }
    // Twice in a row two trials at 5 % from the knee end the other way: 2 * 0.135² of all.
    assert!(right >= 380, "{right} of 400");
}

/// One whose trials hold with a chance that falls over the knee like a logistic curve; `width` is its
/// scale, relative to the knee.
fn soft(knee: f64, width: f64, rng: &mut StdRng) -> impl FnMut(f64) -> Verdict {
    move |rate| {
        let above = (rate / knee).ln() / width;
        match rng.random::<f64>() < 1.0 / (1.0 + above.exp()) {
            true => Verdict::Held,
            false => Verdict::Broke,
        }
    }
}

proptest! {
    #[test]
    fn what_is_found_is_as_close_as_was_asked_for_and_holds_the_knee(
        knee in 1.1..900_000.0_f64,
        start in 1.0..1_000_000.0_f64,
        precision in 0.01..0.5_f64,
    ) {
        let start = Rate::per_second(start);
        let settings = Settings { start, precision, ..settings() };
        let (search, outcome, _) = search(settings, sharp(knee));
        let (held, broke) = found(&search);
        prop_assert_eq!(outcome, Outcome::Found);
        prop_assert!(held <= knee && knee < broke, "{} {} {}", held, knee, broke);
        prop_assert!(broke <= held * (1.0 + precision), "{} {}", held, broke);
    }

    /// Whichever it is.
    #[test]
    fn one_trial_that_ends_the_other_way_changes_nothing(
        knee in 10.0..10_000.0_f64,
        odd in 0..20_usize,
    ) {
        let system = sharp(knee);
        let mut number = 0;
        let (search, outcome, _) = search(settings(), |rate| {
            number += 1;
            if number == odd + 1 { flipped(system(rate)) } else { system(rate) }
        });
        let (held, broke) = found(&search);
        prop_assert_eq!(outcome, Outcome::Found);
        prop_assert!(held <= knee && knee < broke, "{} {} {}", held, knee, broke);
        prop_assert!(broke <= held * 1.05, "{} {}", held, broke);
    }

    /// At six scales from the knee a trial ends the other way 25 times of 10,000, and it takes two.
    #[test]
    fn however_soft_the_knee_is_the_answer_is_near_it(
        knee in 10.0..10_000.0_f64,
        width in 0.0001..0.2_f64,
        seed: u64,
    ) {
        let mut rng = StdRng::seed_from_u64(seed);
        let (search, outcome, _) = search(settings(), soft(knee, width, &mut rng));
        let (held, broke) = found(&search);
        prop_assert_eq!(outcome, Outcome::Found);
        let far = (6.0 * width).exp() * 1.05;
        prop_assert!(held <= knee * far && broke >= knee / far, "{} {} {}", held, knee, broke);
    }

    #[test]
    fn trials_of_which_nobody_can_tell_move_nothing(
        knee in 10.0..10_000.0_f64,
        share in 0.0..0.4_f64,
        seed: u64,
    ) {
        let mut rng = StdRng::seed_from_u64(seed);
        let system = sharp(knee);
        let (search, outcome, _) = search(settings(), |rate| {
            if rng.random::<f64>() < share { Verdict::Unknown } else { system(rate) }
        });
        let (held, broke) = search.ends();
        prop_assert!(held.is_none_or(|held| held.rate_per_s <= knee && held.broke == 0));
        prop_assert!(broke.is_none_or(|broke| broke.rate_per_s > knee && broke.held == 0));
        prop_assert!(outcome != Outcome::Below && outcome != Outcome::AtLeast);
    }
}
