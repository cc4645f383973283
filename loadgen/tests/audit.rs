//! The audit on small histories that are written by hand.

use std::time::Duration;

use loadgen::audit::{Audit, audit};
use loadgen::history::{Event, MessageId, Target, What};

/// Ann sends, Bob and Cat are with her.
const ANN: u32 = 1;
const BOB: u32 = 2;
const CAT: u32 = 3;

/// Long after everything in these histories.
const END: Duration = Duration::from_secs(60);

const HELLO: MessageId = MessageId {
    user: ANN,
    login: 1,
    number: 1,
};

/// A history in the making.
struct Story(Vec<Event>);

impl Story {
    /// Ann, Bob and Cat are in one room from 1 s on.
    fn of_three_in_a_room() -> Self {
        let story = Self(Vec::new());
        [ANN, BOB, CAT]
            .into_iter()
            .fold(story, |story, user| story.enters(1000, user, "room"))
    }

    fn then(mut self, at_ms: u64, user: u32, what: What) -> Self {
        self.0.push(Event {
            at: Duration::from_millis(at_ms),
            user,
            login: 1,
            what,
        });
        self
    }

    fn enters(self, at_ms: u64, user: u32, room: &str) -> Self {
        let (name, room) = (name(user), room.to_owned());
        self.then(at_ms, user, What::Entering { name, room }).then(
            at_ms,
            user,
            What::Entered { users: Vec::new() },
        )
    }

    /// Ann's hello is sent at 2.010 s, though due at 2 s.
    fn hello_is_sent(self, target: Target) -> Self {
        let due = Duration::from_millis(2000);
        let message = HELLO;
        self.then(
            2010,
            ANN,
            What::Sending {
                message,
                due,
                target,
            },
        )
    }

    fn hello_is_answered(self, ok: bool) -> Self {
        self.then(2100, ANN, What::Answered { message: HELLO, ok })
    }

    fn hello_is_heard(self, at_ms: u64, user: u32) -> Self {
        let heard = What::Heard {
            message: Some(HELLO),
            from: name(ANN),
            target: Target::Room,
        };
        self.then(at_ms, user, heard)
    }

    fn audit(self) -> Audit {
        audit(&self.0, END)
    }
}

fn name(user: u32) -> String {
    format!("user-{user}")
}

fn kicked() -> What {
    What::Kicked {
        reason: "too slow".to_owned(),
    }
}

#[test]
fn a_hello_that_all_hear_once_is_in_order() {
    let audit = Story::of_three_in_a_room()
        .hello_is_sent(Target::Room)
        .hello_is_heard(2020, BOB)
        .hello_is_heard(2030, CAT)
        .hello_is_heard(2050, ANN)
        .hello_is_answered(true)
        .audit();
    assert_eq!((audit.sent, audit.accepted), (1, 1));
    assert_eq!((audit.refused.count, audit.unasked.count), (0, 0));
    assert_eq!((audit.expected, audit.delivered), (3, 3));
    assert_eq!((audit.missing.count, audit.doubled.count), (0, 0));
    assert_eq!((audit.stray.count, audit.unanswered.count), (0, 0));
    // From when it was due, not from when it was sent.
    let us = |latencies: reports::latency::Latencies| {
        let figures = latencies.figures().expect("one broadcast");
        (figures.count, figures.latency_us_max / 1000)
    };
    assert_eq!(us(audit.broadcast_first), (1, 20));
    assert_eq!(us(audit.broadcast_median), (1, 30));
    assert_eq!(us(audit.broadcast_last), (1, 50));
    assert_eq!(us(audit.broadcast), (3, 50));
}

#[test]
fn a_member_that_never_heard_it_is_named() {
    let audit = Story::of_three_in_a_room()
        .hello_is_sent(Target::Room)
        .hello_is_heard(2020, ANN)
        .hello_is_heard(2020, CAT)
        .hello_is_answered(true)
        .audit();
    assert_eq!((audit.expected, audit.delivered), (3, 2));
    assert_eq!(audit.missing.count, 1);
    assert_eq!(
        audit.missing.cases,
        ["user 2, in room since 1.000s, never heard u1.1.1, sent at 2.010s and accepted at 2.100s"]
    );
}

#[test]
fn a_member_that_heard_it_twice_is_named() {
    let audit = Story::of_three_in_a_room()
        .hello_is_sent(Target::Room)
        .hello_is_heard(2020, ANN)
        .hello_is_heard(2020, BOB)
        .hello_is_heard(2020, CAT)
        .hello_is_answered(true)
        .hello_is_heard(2500, BOB)
        .audit();
    assert_eq!((audit.delivered, audit.doubled.count), (4, 1));
    assert_eq!(
        audit.doubled.cases,
        ["user 2 heard u1.1.1 at 2.020s and again at 2.500s"]
    );
}

#[test]
fn what_was_not_accepted_is_owed_to_nobody_but_counted() {
    let refused = Story::of_three_in_a_room()
        .hello_is_sent(Target::Room)
        .hello_is_answered(false)
        .hello_is_heard(2500, BOB)
        .audit();
    assert_eq!((refused.sent, refused.accepted), (1, 0));
    assert_eq!(
        refused.refused.cases,
        ["u1.1.1, sent at 2.010s, was refused at 2.100s"]
    );
    assert_eq!((refused.expected, refused.missing.count), (0, 0));
    assert_eq!(refused.delivered, 1);

    let silence = Story::of_three_in_a_room()
        .hello_is_sent(Target::Room)
        .audit();
    assert_eq!((silence.expected, silence.unanswered.count), (0, 1));
}

#[test]
fn a_send_at_the_very_end_is_not_yet_unanswered() {
    let story = Story::of_three_in_a_room().hello_is_sent(Target::Room);
    let audit = audit(&story.0, Duration::from_secs(3));
    assert_eq!((audit.sent, audit.unanswered.count), (1, 0));
}

#[test]
fn who_came_after_the_send_or_left_before_the_answer_is_owed_nothing() {
    let audit = Story::of_three_in_a_room()
        .hello_is_sent(Target::Room)
        .enters(2050, 4, "room")
        .then(2060, BOB, What::Leaving)
        .hello_is_heard(2070, ANN)
        .hello_is_heard(2070, CAT)
        .hello_is_answered(true)
        .audit();
    assert_eq!((audit.expected, audit.missing.count), (2, 0));
}

#[test]
fn who_leaves_a_while_after_the_answer_is_owed_it() {
    let audit = Story::of_three_in_a_room()
        .hello_is_sent(Target::Room)
        .hello_is_answered(true)
        .then(4000, BOB, What::Leaving)
        .audit();
    assert_eq!((audit.expected, audit.missing.count), (3, 3));
}

#[test]
fn who_lost_the_connection_soon_after_is_owed_nothing() {
    let story = |lost_at_ms| {
        Story::of_three_in_a_room()
            .hello_is_sent(Target::Room)
            .hello_is_answered(true)
            .then(lost_at_ms, BOB, kicked())
            .audit()
            .expected
    };
    assert_eq!(story(8000), 2);
    assert_eq!(story(13_000), 3);
}

#[test]
fn a_room_owes_nothing_to_other_rooms_and_a_hello_there_is_a_stray() {
    let audit = Story::of_three_in_a_room()
        .enters(1000, 4, "other")
        .hello_is_sent(Target::Room)
        .hello_is_answered(true)
        .hello_is_heard(2020, 4)
        .audit();
    assert_eq!((audit.expected, audit.stray.count), (3, 1));
    assert_eq!(
        audit.stray.cases,
        ["user 4 heard u1.1.1 at 2.020s, sent to room"]
    );
}

#[test]
fn a_private_hello_is_owed_to_its_target_and_a_stray_elsewhere() {
    let audit = Story::of_three_in_a_room()
        .hello_is_sent(Target::User(name(CAT)))
        .hello_is_answered(true)
        .hello_is_heard(2020, BOB)
        .audit();
    assert_eq!((audit.expected, audit.missing.count), (1, 1));
    assert_eq!(audit.stray.count, 1);
    assert_eq!(audit.broadcast_last.count(), 0);
}

#[test]
fn what_nobody_sent_is_a_stray() {
    let audit = Story::of_three_in_a_room()
        .hello_is_heard(2020, BOB)
        .audit();
    assert_eq!((audit.delivered, audit.stray.count), (1, 1));
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
    let audit = story.audit();
    assert_eq!((audit.doubled.count, audit.stray.count), (0, 2));
}

#[test]
fn only_the_first_ten_cases_are_told() {
    let mut story = Story::of_three_in_a_room().hello_is_sent(Target::Room);
    for repeat in 0..100 {
        story = story.hello_is_heard(2020 + repeat, BOB);
    }
    let doubled = story.audit().doubled;
    assert_eq!((doubled.count, doubled.cases.len()), (99, 10));
}

#[test]
fn a_million_deliveries_are_audited_in_seconds() {
    const MEMBERS: u32 = 100;
    const SENDS: u32 = 10_000;
    let mut story = Story(Vec::new());
    for user in 0..MEMBERS {
        story = story.enters(0, user, "room");
    }
    for number in 1..=SENDS {
        let message = MessageId { number, ..HELLO };
        let at_ms = 1000 + u64::from(number);
        let due = Duration::from_millis(at_ms);
        let target = Target::Room;
        story = story.then(
            at_ms,
            ANN,
            What::Sending {
                message,
                due,
                target,
            },
        );
        for user in 0..MEMBERS {
            let heard = What::Heard {
                message: Some(message),
                from: String::new(),
                target: Target::Room,
            };
            story = story.then(at_ms, user, heard);
        }
        story = story.then(at_ms, ANN, What::Answered { message, ok: true });
    }
    let started_at = tokio::time::Instant::now();
    let audit = audit(&story.0, END);
    // About a second without optimisation, on an idle machine.
    assert!(started_at.elapsed() < Duration::from_secs(10));
    assert_eq!((audit.expected, audit.delivered), (1_000_000, 1_000_000));
    assert_eq!(audit.missing.count, 0);
}
