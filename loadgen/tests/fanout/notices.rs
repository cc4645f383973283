//! Who had to be told that somebody came or went, and who was.

use std::time::Duration;

use loadgen::history::What;

use crate::story::{ANN, BOB, CAT, Figures, Story, kicked, name};

/// Dan comes later.
const DAN: u32 = 4;

/// Dan is let in among the three.
fn dan_comes() -> Story {
    Story::of_three_in_a_room().enters(2000, DAN, "room", &[ANN, BOB, CAT, DAN])
}

fn told(story: Story, at_ms: u64, users: &[u32]) -> Story {
    let is_told = |story: Story, user: &u32| story.learns_of(at_ms, *user, DAN);
    users.iter().fold(story, is_told)
}

fn missed(story: Story, at_ms: u64, users: &[u32]) -> Story {
    let misses = |story: Story, user: &u32| story.misses(at_ms, *user, DAN);
    users.iter().fold(story, misses)
}

fn faults(figures: &Figures) -> (u64, u64) {
    let [missing, doubled] = ["notices_missing", "notices_doubled"];
    (figures.faults(missing), figures.faults(doubled))
}

#[test]
fn a_coming_and_a_going_that_all_are_told_of_once_are_in_order() {
    let story = told(dan_comes(), 2010, &[ANN, BOB, CAT]).leaves(5000, DAN);
    let figures = missed(story, 5010, &[ANN, BOB, CAT]).figures();
    assert_eq!(figures.all_faults(), []);
    // Three of the first three, three of Dan's coming, three of his going.
    assert_eq!(figures.count("notices_total"), 9);
    assert_eq!(figures.count("notices_expected"), 9);
}

#[test]
fn a_member_that_is_not_told_of_a_coming_or_a_going_is_named() {
    let story = told(dan_comes(), 2010, &[ANN, CAT]).leaves(5000, DAN);
    let figures = missed(story, 5010, &[ANN, BOB]).figures();
    assert_eq!(
        figures.cases("notices_missing"),
        [
            "user 2, in room since 1.001s, was never told that user-4 came at 2.000s",
            "user 3, in room since 1.003s, was never told that user-4 went at 5.000s",
        ]
    );
    assert_eq!(figures.count("notices_expected"), 9);
}

#[test]
fn a_member_that_is_told_twice_is_named_however_long_ago_it_was() {
    for again_ms in [2020, 50_000] {
        let story = told(dan_comes(), 2010, &[ANN, BOB, CAT]);
        let figures = story.learns_of(again_ms, BOB, DAN).figures();
        assert_eq!(faults(&figures), (0, 1), "{again_ms}");
    }
    let story = told(dan_comes(), 2010, &[ANN, BOB, CAT]).leaves(5000, DAN);
    let story = missed(story, 5010, &[ANN, BOB, CAT]);
    for again_ms in [5020, 50_000] {
        let figures = story.clone().misses(again_ms, BOB, DAN).figures();
        assert_eq!(faults(&figures), (0, 1), "{again_ms}");
    }
}

#[test]
fn nobody_is_told_of_itself_or_of_who_did_not_come() {
    let own = told(dan_comes(), 2010, &[ANN, BOB, CAT, DAN]).figures();
    assert_eq!(
        own.cases("notices_doubled"),
        ["user 4 was told at 2.010s that user-4 came: once too often, or not true"]
    );
    let stranger = Story::of_three_in_a_room()
        .learns_of(2000, ANN, 9)
        .figures();
    assert_eq!(faults(&stranger), (0, 1));
    let gone = Story::of_three_in_a_room().misses(2000, ANN, 9).figures();
    assert_eq!(faults(&gone), (0, 1));
}

#[test]
fn who_enters_is_told_of_those_who_are_not_in_its_list() {
    // Both ask before either is let in; the list says who was first.
    let both = |eve_list: &[u32]| {
        Story::of_three_in_a_room()
            .asks(2000, DAN, "room")
            .asks(2000, 5, "room")
            .gets_in(2010, DAN, &[ANN, BOB, CAT, DAN])
            .gets_in(2010, 5, eve_list)
    };
    let all = |story: Story, of: u32| {
        let is_told = |story: Story, user| story.learns_of(2011, user, of);
        [ANN, BOB, CAT].into_iter().fold(story, is_told)
    };
    let eve_was_second = all(all(both(&[ANN, BOB, CAT, DAN, 5]), DAN), 5);
    assert_eq!(
        faults(&eve_was_second.clone().learns_of(2012, DAN, 5).figures()),
        (0, 0)
    );
    assert_eq!(faults(&eve_was_second.figures()), (1, 0));
    // Dan's list lacks her, and hers lacks him: one of them is wrong, and both would have to be told.
    let neither = all(all(both(&[ANN, BOB, CAT, 5]), DAN), 5);
    assert_eq!(faults(&neither.figures()), (2, 0));
}

#[test]
fn who_enters_while_another_goes_is_told_if_that_one_is_in_its_list() {
    let story = |list: &[u32]| {
        let story = told(dan_comes(), 2010, &[ANN, BOB, CAT]).leaves(5000, DAN);
        let story = missed(story.asks(5005, 5, "room"), 5010, &[ANN, BOB, CAT]);
        [ANN, BOB, CAT]
            .into_iter()
            .fold(story.gets_in(5020, 5, list), |story, user| {
                story.learns_of(5030, user, 5)
            })
    };
    let listed = story(&[ANN, BOB, CAT, DAN, 5]);
    assert_eq!(faults(&listed.figures()), (1, 0));
    assert_eq!(faults(&listed.misses(5040, 5, DAN).figures()), (0, 0));
    let unlisted = story(&[ANN, BOB, CAT, 5]);
    assert_eq!(faults(&unlisted.figures()), (0, 0));
    assert_eq!(faults(&unlisted.misses(5040, 5, DAN).figures()), (0, 1));
}

#[test]
fn who_leaves_soon_after_is_owed_no_notice() {
    let story = |left_ms| {
        let story = told(dan_comes(), 2010, &[ANN, BOB]).leaves(left_ms, CAT);
        story
            .misses(left_ms, ANN, CAT)
            .misses(left_ms, BOB, CAT)
            .misses(left_ms, DAN, CAT)
    };
    assert_eq!(faults(&story(2500).figures()), (0, 0));
    assert_eq!(faults(&story(3000).figures()), (1, 0));
}

#[test]
fn who_leaves_late_is_owed_nothing_of_the_time_in_which_it_did_not_listen() {
    let story = |due_ms| {
        let due = Duration::from_millis(due_ms);
        let story = told(dan_comes(), 2010, &[ANN, BOB]).then(9000, CAT, What::Leaving { due });
        story
            .misses(9000, ANN, CAT)
            .misses(9000, BOB, CAT)
            .misses(9000, DAN, CAT)
    };
    assert_eq!(faults(&story(2500).figures()), (0, 0));
    assert_eq!(faults(&story(3000).figures()), (1, 0));
}

#[test]
fn others_may_know_first_that_somebody_was_thrown_out() {
    let story = missed(
        told(dan_comes(), 2010, &[ANN, BOB, CAT]),
        5000,
        &[ANN, BOB, CAT],
    );
    let thrown_out = story.clone().then(5005, DAN, kicked()).figures();
    assert_eq!(faults(&thrown_out), (0, 0));
    let still_there = story.figures();
    assert_eq!(faults(&still_there), (0, 3));
    assert!(
        still_there.cases("notices_doubled")[0].ends_with("that user-4 went, which is not true"),
        "{:?}",
        still_there.cases("notices_doubled")
    );
}

#[test]
fn who_comes_back_comes_and_goes_twice() {
    let story = told(dan_comes(), 2010, &[ANN, BOB, CAT]).leaves(5000, DAN);
    let story = story.enters(5001, DAN, "room", &[ANN, BOB, CAT, DAN]);
    let mut story = told(
        missed(story, 5010, &[ANN, BOB, CAT]),
        5011,
        &[ANN, BOB, CAT],
    );
    assert_eq!(faults(&story.figures()), (0, 0));
    story.0.pop();
    assert_eq!(faults(&story.figures()), (1, 0));
}

#[test]
fn a_refused_name_is_told_to_nobody_unless_nobody_knows_what_became_of_it() {
    let refused = |duplicate| {
        Story::of_three_in_a_room()
            .asks(2000, DAN, "room")
            .learns_of(2010, ANN, DAN)
            .then(2020, DAN, What::Refused { duplicate })
            .figures()
    };
    assert_eq!(faults(&refused(true)), (0, 1));
    assert_eq!(faults(&refused(false)), (0, 0));
}

#[test]
fn of_a_name_that_is_there_twice_nothing_is_owed() {
    let twin = What::Entering {
        name: name(BOB),
        room: "room".to_owned(),
    };
    let figures = Story::of_three_in_a_room()
        .then(3000, DAN, twin)
        .gets_in(3010, DAN, &[ANN, BOB, CAT])
        .learns_of(3020, ANN, BOB)
        .learns_of(3020, ANN, BOB)
        .figures();
    assert_eq!(faults(&figures), (0, 0));
    assert_eq!(
        figures.cases("names_shared"),
        ["user 4 was let in at 3.010s under the name of user 2"]
    );
    assert_eq!(figures.count("notices_unjudged"), 1);
}
