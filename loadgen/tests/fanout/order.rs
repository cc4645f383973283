//! Whether all see what happens in a room in one order.

use loadgen::history::{MessageId, Target};

use crate::story::{ANN, BOB, CAT, HELLO, Story};

const FROM_BOB: MessageId = MessageId { user: BOB, ..HELLO };

/// Ann and Bob speak at the same time.
fn two_speak() -> Story {
    Story::of_three_in_a_room()
        .says(2010, HELLO, Target::Room)
        .says(2010, FROM_BOB, Target::Room)
        .gets_answer(2100, HELLO, true)
        .gets_answer(2100, FROM_BOB, true)
}

#[test]
fn all_hear_two_messages_in_one_order_whoever_sent_first() {
    let story = [ANN, BOB, CAT]
        .into_iter()
        .fold(two_speak(), |story, user| {
            story.hears(2110, user, FROM_BOB).hears(2111, user, HELLO)
        });
    assert_eq!(story.figures().all_faults(), []);
}

#[test]
fn one_who_hears_them_the_other_way_round_is_named_with_a_witness() {
    let figures = two_speak()
        .hears(2110, ANN, FROM_BOB)
        .hears(2110, BOB, FROM_BOB)
        .hears(2110, CAT, HELLO)
        .hears(2112, BOB, HELLO)
        .hears(2113, ANN, HELLO)
        .hears(2114, CAT, FROM_BOB)
        .figures();
    assert_eq!(figures.all_faults(), [("reordered", 1)]);
    assert_eq!(
        figures.cases("reordered"),
        ["user 3 in room saw u2.1.1 at 2.114s after u1.1.1, user 2 before it"]
    );
}

#[test]
fn a_notice_has_its_place_among_the_messages() {
    let story = |bob_first: bool| {
        let story = two_speak()
            .hears(2110, ANN, HELLO)
            .leaves(2200, CAT)
            .misses(2210, ANN, CAT)
            .hears(2220, ANN, FROM_BOB)
            .hears(2220, BOB, HELLO);
        if bob_first {
            story.hears(2230, BOB, FROM_BOB).misses(2240, BOB, CAT)
        } else {
            story.misses(2240, BOB, CAT).hears(2250, BOB, FROM_BOB)
        }
    };
    assert_eq!(story(false).figures().all_faults(), []);
    let crossed = story(true).figures();
    assert_eq!(
        crossed.cases("reordered"),
        ["user 2 in room saw the going of user-3 at 2.240s after u2.1.1, user 1 before it"]
    );
}

#[test]
fn two_rooms_have_two_orders_and_private_messages_have_none() {
    let two_rooms = two_speak()
        .hears(2110, ANN, HELLO)
        .hears(2111, ANN, FROM_BOB)
        .leaves(2300, CAT)
        .figures();
    assert_eq!(two_rooms.faults("reordered"), 0);
    let private = |story: Story| {
        story
            .says(2010, HELLO, Target::User("user-3".to_owned()))
            .says(2010, FROM_BOB, Target::Room)
    };
    let figures = private(Story::of_three_in_a_room())
        .hears(2020, ANN, FROM_BOB)
        .hears(2020, CAT, HELLO)
        .hears(2021, CAT, FROM_BOB)
        .figures();
    assert_eq!(figures.faults("reordered"), 0);
}
