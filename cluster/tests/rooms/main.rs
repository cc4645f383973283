//! Connectors and chat servers as plain state, with frames carried by hand: what a room goes
//! through when sessions come and go, links break, leases run out and processes start again.

mod behind;
mod drags;
mod flaws;
mod links;
mod marks;
mod replace;
mod restart;
mod world;

use cluster::connector::handler::{self, Asked};
use cluster::options::Options;
use cluster::wire::message::{Message, MessageKind, Route};
use cluster::wire::vocabulary::Vocabulary;
use serde_json::json;

use world::{DEADLINE, Result, World};

#[test]
fn everybody_is_told_of_a_newcomer_who_gets_the_list_instead() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.open(1);
    world.enter(bob, "bob");
    world.carry()?;
    assert_eq!(world.heard(bob), ["users ada,bob"]);
    assert_eq!(world.heard(ada), ["onAdd bob"]);
    Ok(())
}

#[test]
fn an_enter_is_answered_only_when_the_other_connectors_have_told_of_it() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.open(1);
    world.enter(bob, "bob");
    world.carry_up(1)?;
    world.carry_down(1)?;
    assert_eq!(
        world.heard(bob),
        [""; 0],
        "ada's connector has not acknowledged"
    );
    world.carry()?;
    assert_eq!(world.heard(bob), ["users ada,bob"]);
    assert_eq!(world.heard(ada), ["onAdd bob"]);
    Ok(())
}

#[test]
fn what_is_said_while_an_enter_is_unanswered_follows_the_answer() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.open(1);
    world.enter(bob, "bob");
    world.say(ada, "*", "hi");
    world.carry_up(1)?;
    world.carry_up(0)?;
    world.carry_down(1)?;
    assert_eq!(world.heard(bob), [""; 0]);
    world.carry()?;
    assert_eq!(world.heard(bob), ["users ada,bob", "hi from ada to *"]);
    Ok(())
}

#[test]
fn what_is_whispered_to_somebody_who_is_entering_follows_the_answer_too() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.open(1);
    world.enter(bob, "bob");
    world.carry_up(1)?;
    world.carry_down(0)?;
    assert_eq!(world.heard(ada), ["onAdd bob"]);
    world.say(ada, "bob", "psst");
    // Bob's connector has the message before it may answer his enter.
    world.carry_up(0)?;
    world.carry_down(1)?;
    world.carry()?;
    assert_eq!(world.heard(bob), ["users ada,bob", "psst from ada to bob"]);
    assert_eq!(world.heard(ada), ["{}"]);
    Ok(())
}

#[test]
fn no_more_is_kept_behind_an_unanswered_enter_than_a_queue_may_hold() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.open(1);
    world.enter(bob, "bob");
    world.carry_up(1)?;
    // Ada's connector never acknowledges that bob has come, so bob stays at the door.
    let queue_len = Options::default().session_queue_len;
    for _ in 0..=queue_len {
        world.say(ada, "*", "hi");
        world.carry_up(0)?;
        world.carry_down(1)?;
        // Answers would hold ada's requests up; she is not what this is about.
        world.connectors[0].expire_requests(ada.1, world.now + DEADLINE);
    }
    assert_eq!(
        world.heard(bob),
        ["kick too much was said before the room could be entered"]
    );
    Ok(())
}

#[test]
fn a_send_is_answered_only_when_every_connector_concerned_has_it() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.say(ada, "*", "hi");
    world.carry_up(0)?;
    world.carry_down(0)?;
    assert_eq!(world.heard(ada), ["hi from ada to *"]);
    world.carry()?;
    assert_eq!(world.heard(ada), ["{}"]);
    assert_eq!(world.heard(bob), ["hi from ada to *"]);
    Ok(())
}

#[test]
fn one_name_has_one_session_in_the_whole_cluster() -> Result {
    let mut world = World::new()?;
    let first = world.member(0, "ada")?;
    let second = world.open(1);
    world.enter(second, "ada");
    world.carry()?;
    assert_eq!(world.heard(second), [r#"{"code":500,"error":true}"#]);
    assert_eq!(world.heard(first), [""; 0]);
    world.close(first);
    world.carry()?;
    world.enter(second, "ada");
    world.carry()?;
    assert_eq!(world.heard(second), ["users ada"]);
    Ok(())
}

#[test]
fn a_session_that_closes_while_entering_leaves_no_ghost() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.open(1);
    world.enter(bob, "bob");
    world.close(bob);
    world.carry()?;
    assert_eq!(world.heard(ada), ["onAdd bob", "onLeave bob"]);
    assert_eq!(world.members(), "ada");
    Ok(())
}

#[test]
fn a_second_enter_changes_the_room_and_a_refused_one_does_not() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(0, "bob")?;
    let other = world.open(1);
    world.enter_room(other, "ada", "attic");
    world.carry()?;
    world.enter_room(ada, "ada", "attic");
    world.carry()?;
    assert_eq!(world.heard(ada), [r#"{"code":500,"error":true}"#]);
    assert_eq!(world.heard(bob), [""; 0]);
    world.enter_room(ada, "anna", "attic");
    world.say(bob, "*", "who is here?");
    world.carry()?;
    assert_eq!(
        world.heard(bob).last().map(String::as_str),
        Some("onLeave ada")
    );
    assert_eq!(
        world.heard(ada).last().map(String::as_str),
        Some("users ada,anna")
    );
    assert_eq!(world.members(), "bob");
    Ok(())
}

#[test]
fn answers_come_in_the_order_of_their_requests() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    world.member(1, "bob")?;
    world.say(ada, "*", "hi");
    world.request(ada, "no.such.route", &json!({}));
    world.enter_room(ada, "ada", "attic");
    assert_eq!(world.heard(ada), [""; 0]);
    world.carry()?;
    let heard = world.heard(ada);
    assert_eq!(
        heard,
        ["hi from ada to *", "{}", r#"{"code":500}"#, "users ada"]
    );
    Ok(())
}

#[test]
fn a_session_that_comes_while_the_connector_stops_is_told_so() -> Result {
    let mut world = World::new()?;
    world.connectors[0].stop();
    let late = world.open(0);
    assert_eq!(world.heard(late), ["kick the server is stopping"]);
    Ok(())
}

#[test]
fn a_request_without_an_answer_is_refused_at_its_deadline_and_its_enter_undone() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.open(1);
    world.enter(bob, "bob");
    world.carry_up(1)?;
    // Connector 1 hears nothing more of it, though its link lives.
    world.now += DEADLINE;
    world.connectors[1].expire_requests(bob.1, world.now);
    assert_eq!(world.heard(bob), [r#"{"code":500}"#]);
    world.carry()?;
    assert_eq!(world.heard(bob), [""; 0]);
    assert_eq!(world.heard(ada), ["onAdd bob", "onLeave bob"]);
    Ok(())
}

#[test]
fn what_came_of_an_enter_that_was_refused_is_not_taken_for_the_next() -> Result {
    let mut world = World::new()?;
    world.member(0, "ada")?;
    let bob = world.open(1);
    world.enter(bob, "bob");
    world.carry_up(1)?;
    world.now += DEADLINE;
    world.connectors[1].expire_requests(bob.1, world.now);
    assert_eq!(world.heard(bob), [r#"{"code":500}"#]);
    world.enter(bob, "bob");
    world.carry_up(1)?;
    // It is let in for the first and, before ada's connector knows of that, for the second.
    world.carry_down(1)?;
    assert_eq!(world.heard(bob), [""; 0]);
    world.carry()?;
    assert_eq!(world.heard(bob), ["users ada,bob"]);
    assert_eq!(world.members(), "ada,bob");
    Ok(())
}

#[test]
fn a_number_or_a_truth_value_is_a_name_as_its_text() -> Result {
    let mut world = World::new()?;
    let route = "connector.entryHandler.enter";
    let [seven, yes] = [world.open(0), world.open(1)];
    world.request(seven, route, &json!({"username": 7, "rid": 5}));
    world.request(yes, route, &json!({"username": true, "rid": "5"}));
    world.carry()?;
    assert_eq!(world.heard(seven), ["users 7", "onAdd true"]);
    assert_eq!(world.heard(yes), ["users 7,true"]);
    for nameless in [json!(null), json!({}), json!(["a"])] {
        let user = world.open(0);
        world.request(user, route, &json!({"username": nameless, "rid": "5"}));
        assert_eq!(world.heard(user), [r#"{"code":500}"#], "{nameless}");
    }
    Ok(())
}

#[test]
fn what_a_client_tells_without_asking_is_done_and_not_answered() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let message = Message {
        kind: MessageKind::Notify,
        id: 0,
        route: Some(Route::Name("chat.chatHandler.send".into())),
        body: json!({"content": "hi", "target": "*"}).to_string().into(),
    };
    let vocabulary = Vocabulary::default();
    let asked = Asked::read(&vocabulary, &message)?.ok_or("it means something")?;
    handler::handle(&mut world.connectors[0], ada.1, asked, world.now).map_err(|kick| kick.0)?;
    world.carry()?;
    assert_eq!(world.heard(ada), ["hi from ada to *"]);
    Ok(())
}

#[test]
fn a_client_is_held_back_until_its_enter_is_answered() -> Result {
    let mut world = World::new()?;
    let ada = world.open(0);
    assert!(!world.queues[&ada].is_held());
    world.enter(ada, "ada");
    assert!(world.queues[&ada].is_held());
    world.carry()?;
    assert!(!world.queues[&ada].is_held());
    Ok(())
}

#[test]
fn when_all_have_gone_nothing_is_remembered() -> Result {
    let mut world = World::new()?;
    let users = [world.member(0, "ada")?, world.member(1, "bob")?];
    world.say(users[0], "*", "bye");
    world.carry()?;
    for user in users {
        world.close(user);
    }
    world.carry()?;
    assert!(world.chat.census().rooms.is_empty());
    let (chat, connector) = (world.chat.census(), world.connectors[0].census());
    assert_eq!((chat.in_flight, chat.outbox_len), (0, 0));
    assert_eq!(
        (
            connector.sessions,
            connector.views,
            connector.in_flight,
            connector.outbox_len
        ),
        (0, 0, 0, 0)
    );
    Ok(())
}

#[test]
fn what_is_there_and_what_waits_is_counted() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.say(ada, "*", "one");
    world.say(ada, "*", "two");
    let asked = world.connectors[0].census();
    assert_eq!((asked.sessions, asked.views, asked.in_flight), (1, 1, 2));
    assert_eq!(asked.entered, [("lobby".into(), "ada".into())]);
    assert_eq!((asked.outbox_len, asked.outbox_len_max), (2, 2));
    world.carry_up(0)?;
    let told = world.chat.census();
    // Both connectors get both messages; the answers wait until bob's has them.
    assert_eq!((told.in_flight, told.outbox_len), (2, 4));
    world.carry_down(1)?;
    let kept = world.connectors[1].census();
    assert_eq!((kept.queued, kept.queue_len_max), (2, 2));
    world.close(bob);
    assert_eq!(world.connectors[1].census().queue_len_max, 2, "it stays");
    Ok(())
}
