//! Who had to hear a message, and who did.

use std::time::Duration;

use loadgen::history::{MessageId, Target, What};

use crate::story::{ANN, BOB, CAT, HELLO, Story, kicked, name};

#[test]
fn a_hello_that_all_hear_once_is_in_order() {
    let figures = Story::of_three_in_a_room()
        .hello_is_sent(Target::Room)
        .hello_is_heard(2020, BOB)
        .hello_is_heard(2030, CAT)
        .hello_is_heard(2050, ANN)
        .hello_is_answered(true)
        .figures();
    assert_eq!(figures.all_faults(), []);
    assert_eq!(figures.count("sends_total"), 1);
    assert_eq!(figures.count("sends_accepted"), 1);
    assert_eq!(figures.count("deliveries_total"), 3);
    assert_eq!(figures.expected(), 3);
    // From when it was due; the raw ones from when it was sent.
    let ms = |metric| {
        let latencies = figures.0.latencies(metric).figures().expect(metric);
        (latencies.count, latencies.latency_us_max / 1000)
    };
    for (metric, expected) in [
        ("broadcast.first", (1, 20)),
        ("broadcast.median", (1, 30)),
        ("broadcast.p99", (1, 50)),
        ("broadcast.last", (1, 50)),
        ("broadcast", (3, 50)),
        ("request", (1, 100)),
        ("broadcast.first.raw", (1, 10)),
        ("broadcast.median.raw", (1, 20)),
        ("broadcast.p99.raw", (1, 40)),
        ("broadcast.last.raw", (1, 40)),
        ("broadcast.raw", (3, 40)),
        ("request.raw", (1, 90)),
        ("send_lateness", (1, 10)),
    ] {
        assert_eq!(ms(metric), expected, "{metric}");
    }
}

#[test]
fn a_member_that_never_heard_it_is_named() {
    let figures = Story::of_three_in_a_room()
        .hello_is_sent(Target::Room)
        .hello_is_heard(2020, ANN)
        .hello_is_heard(2020, CAT)
        .hello_is_answered(true)
        .figures();
    assert_eq!(
        (figures.expected(), figures.count("deliveries_total")),
        (3, 2)
    );
    assert_eq!(figures.faults("lost"), 1);
    assert_eq!(
        figures.cases("lost"),
        ["user 2, in room since 1.001s, never heard u1.1.1, sent at 2.010s and accepted at 2.100s"]
    );
}

#[test]
fn a_member_that_heard_it_twice_is_named() {
    let figures = Story::of_three_in_a_room()
        .hello_is_sent(Target::Room)
        .hello_is_heard(2020, ANN)
        .hello_is_heard(2020, BOB)
        .hello_is_heard(2020, CAT)
        .hello_is_answered(true)
        .hello_is_heard(2500, BOB)
        .figures();
    assert_eq!(figures.count("deliveries_total"), 4);
    assert_eq!(
        figures.cases("doubled"),
        ["user 2 heard u1.1.1, sent at 2.010s, again at 2.500s"]
    );
}

#[test]
fn what_was_not_accepted_is_owed_to_nobody_but_counted() {
    let refused = Story::of_three_in_a_room()
        .hello_is_sent(Target::Room)
        .hello_is_answered(false)
        .hello_is_heard(2500, BOB)
        .figures();
    assert_eq!(refused.count("sends_total"), 1);
    assert_eq!(refused.count("sends_accepted"), 0);
    assert_eq!(
        refused.cases("sends_refused"),
        ["u1.1.1, sent at 2.010s, was refused at 2.100s"]
    );
    assert_eq!((refused.expected(), refused.faults("lost")), (0, 0));
    assert_eq!(refused.count("deliveries_total"), 1);
    assert!(refused.0.classes.is_empty());

    let silence = Story::of_three_in_a_room().hello_is_sent(Target::Room);
    let silence = silence.figures();
    assert_eq!(silence.expected(), 0);
    assert_eq!(
        silence.cases("sends_unanswered"),
        ["u1.1.1, sent at 2.010s, was not answered"]
    );
}

#[test]
fn a_send_at_the_very_end_is_not_yet_unanswered() {
    let story = Story::of_three_in_a_room().hello_is_sent(Target::Room);
    let unanswered = |until_ms| {
        let figures = story.figures_until(Duration::from_millis(until_ms));
        figures.faults("sends_unanswered")
    };
    assert_eq!(unanswered(7009), 0);
    assert_eq!(unanswered(7010), 1);
}

#[test]
fn who_came_after_the_send_or_left_before_the_answer_is_owed_nothing() {
    let figures = Story::of_three_in_a_room()
        .hello_is_sent(Target::Room)
        .enters(2050, 4, "room", &[ANN, BOB, CAT, 4])
        .leaves(2060, BOB)
        .hello_is_heard(2070, ANN)
        .hello_is_heard(2070, CAT)
        .hello_is_answered(true)
        .figures();
    assert_eq!((figures.expected(), figures.faults("lost")), (2, 0));
}

#[test]
fn who_leaves_a_while_after_the_answer_is_owed_it() {
    let figures = Story::of_three_in_a_room()
        .hello_is_sent(Target::Room)
        .hello_is_answered(true)
        .leaves(4000, BOB)
        .figures();
    assert_eq!((figures.expected(), figures.faults("lost")), (3, 3));
}

#[test]
fn who_lost_the_connection_soon_after_is_owed_nothing() {
    let story = |lost_at_ms| {
        Story::of_three_in_a_room()
            .hello_is_sent(Target::Room)
            .hello_is_answered(true)
            .then(lost_at_ms, BOB, kicked())
            .figures()
            .expected()
    };
    assert_eq!(story(8000), 2);
    assert_eq!(story(13_000), 3);
}

#[test]
fn a_room_owes_nothing_to_other_rooms_and_a_hello_there_is_a_stray() {
    let figures = Story::of_three_in_a_room()
        .enters(1000, 4, "other", &[4])
        .hello_is_sent(Target::Room)
        .hello_is_answered(true)
        .hello_is_heard(2020, 4)
        .figures();
    assert_eq!((figures.expected(), figures.faults("wrong_room")), (3, 1));
    assert_eq!(
        figures.cases("wrong_room"),
        ["user 4 heard u1.1.1 at 2.020s, sent to room"]
    );
}

#[test]
fn a_private_hello_is_owed_to_its_target_and_a_stray_elsewhere() {
    let figures = Story::of_three_in_a_room()
        .hello_is_sent(Target::User(name(CAT)))
        .hello_is_answered(true)
        .hello_is_heard(2020, BOB)
        .figures();
    assert_eq!((figures.expected(), figures.faults("lost")), (1, 1));
    assert_eq!(figures.faults("wrong_room"), 1);
    assert!(figures.0.latencies("broadcast.last").is_empty());
}

#[test]
fn what_nobody_sent_is_a_stray() {
    let figures = Story::of_three_in_a_room()
        .hello_is_heard(2020, BOB)
        .figures();
    assert_eq!(
        (
            figures.count("deliveries_total"),
            figures.faults("wrong_room")
        ),
        (1, 1)
    );
}

#[test]
fn who_comes_back_is_another_connection() {
    let mut story = Story::of_three_in_a_room()
        .hello_is_sent(Target::Room)
        .hello_is_heard(2020, BOB);
    for at_ms in [2021, 2022] {
        story = story.hello_is_heard(at_ms, BOB);
        story.0.last_mut().expect("just heard").login = at_ms as u32;
    }
    let figures = story.figures();
    assert_eq!(
        (figures.faults("doubled"), figures.faults("wrong_room")),
        (0, 2)
    );
}

#[test]
fn only_the_first_ten_cases_are_told() {
    let mut story = Story::of_three_in_a_room().hello_is_sent(Target::Room);
    for repeat in 0..100 {
        story = story.hello_is_heard(2020 + repeat, BOB);
    }
    let figures = story.figures();
    let told = figures.cases("doubled").len();
    assert_eq!((figures.faults("doubled"), told), (99, 10));
}

#[test]
fn a_message_is_lost_only_when_its_time_is_over() {
    let story = |late_ms| {
        Story::of_three_in_a_room()
            .hello_is_sent(Target::Room)
            .hello_is_answered(true)
            .hello_is_heard(2100, ANN)
            .hello_is_heard(2100, BOB)
            .hello_is_heard(late_ms, CAT)
            .figures_until(Duration::from_secs(100))
    };
    let in_time = story(47_009);
    assert_eq!((in_time.expected(), in_time.faults("lost")), (3, 0));
    let late = story(47_010);
    assert_eq!((late.expected(), late.faults("lost")), (3, 1));
    assert_eq!(late.faults("late"), 0, "it is remembered a little longer");
    let forgotten = story(62_010);
    assert_eq!(forgotten.faults("lost"), 1);
    assert_eq!(
        forgotten.cases("late"),
        ["user 3 heard u1.1.1 at 62.010s, when it had long been settled"]
    );
}

#[test]
fn what_all_have_heard_is_remembered_long_enough_to_hear_it_again() {
    let story = |again_ms| {
        let story = Story::of_three_in_a_room()
            .hello_is_sent(Target::Room)
            .hello_is_answered(true);
        [ANN, BOB, CAT]
            .into_iter()
            .fold(story, |story, user| story.hello_is_heard(2200, user))
            .hello_is_heard(again_ms, BOB)
            .figures()
    };
    assert_eq!(story(17_009).all_faults(), [("doubled", 1)]);
    assert_eq!(story(17_010).all_faults(), [("late", 1)]);
}

#[test]
fn what_comes_before_the_answer_to_an_enter_is_for_who_is_let_in() {
    let story = || {
        Story::of_three_in_a_room()
            .asks(2000, 4, "room")
            .hello_is_sent(Target::Room)
            .hello_is_heard(2020, 4)
    };
    let let_in = story().gets_in(2030, 4, &[ANN, BOB, CAT, 4]).figures();
    assert_eq!(let_in.faults("wrong_room"), 0);
    let again = story()
        .gets_in(2030, 4, &[ANN, BOB, CAT, 4])
        .hello_is_heard(2040, 4)
        .figures();
    assert_eq!(again.faults("doubled"), 1);
    let refused = story().then(2030, 4, What::Refused { duplicate: false });
    let refused = refused.figures();
    assert_eq!(
        refused.cases("wrong_room"),
        ["user 4 heard u1.1.1 at 2.020s, sent to room"]
    );
}

#[test]
fn a_member_that_stopped_reading_may_hear_late_and_is_owed_nothing() {
    let figures = Story::of_three_in_a_room()
        .then(2000, BOB, What::Deaf)
        .hello_is_sent(Target::Room)
        .hello_is_heard(2020, ANN)
        .hello_is_heard(2020, CAT)
        .hello_is_answered(true)
        .enters(3000, 4, "room", &[ANN, BOB, CAT, 4])
        .learns_of(3001, ANN, 4)
        .learns_of(3001, CAT, 4)
        .hello_is_heard(9000, BOB)
        .learns_of(9000, BOB, 4)
        .figures();
    assert_eq!(figures.all_faults(), []);
    assert_eq!(figures.expected(), 2);
}

#[test]
fn broadcasts_are_told_apart_by_the_size_of_their_rooms() {
    let second = MessageId { number: 2, ..HELLO };
    let heard = |story, message, at_ms, users: &[u32]| {
        let hears = |story: Story, user: &u32| story.hears(at_ms, *user, message);
        users.iter().fold(story, hears)
    };
    let story = Story::of_three_in_a_room().hello_is_sent(Target::Room);
    let story = heard(story, HELLO, 2020, &[ANN, BOB, CAT]).hello_is_answered(true);
    let story = story.enters(3000, 4, "room", &[ANN, BOB, CAT, 4]);
    let story = story.says(4000, second, Target::Room);
    let story = heard(story, second, 4030, &[ANN, BOB, CAT]).gets_answer(4040, second, true);
    let measured = story.figures().0;
    let classes: Vec<_> = measured
        .classes
        .iter()
        .map(|(size, class)| {
            (
                *size,
                class.broadcasts,
                class.complete,
                class.recipients_got,
            )
        })
        .collect();
    assert_eq!(classes, [(2, 1, 1, 3), (4, 1, 0, 3)]);
    // The one that was not heard by all says nothing of what a recipient costs.
    assert_eq!(
        (measured.fit.count, measured.fit.n, measured.fit.last),
        (1, 3, 20_000)
    );
    let worst = measured.worst.broadcasts();
    let worst: Vec<_> = worst.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(worst, ["u1.1.2", "u1.1.1"]);
}
