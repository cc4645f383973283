//! The chat server starts again without memory.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use cluster::limits::ROOM_MEMBERS_MAX;
use cluster::link::frame::{self, Header};
use cluster::link::message::{self, Report, ToChat};
use cluster::marks::{self, Mark};

use super::world::{DEADLINE, LEASE, Result, World};

#[test]
fn a_restarted_chat_server_learns_its_rooms_and_clients_notice_nothing() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.restart_chat();
    world.connect(0)?;
    world.say(ada, "*", "are you there?");
    world.carry()?;
    assert_eq!(
        world.heard(ada),
        [""; 0],
        "the other connector has not reported"
    );
    world.connect(1)?;
    world.carry()?;
    assert_eq!(world.heard(ada), ["are you there? from ada to *", "{}"]);
    assert_eq!(world.heard(bob), ["are you there? from ada to *"]);
    assert_eq!(world.members(), "ada,bob");
    Ok(())
}

#[test]
fn requests_that_died_with_the_chat_server_are_refused_and_their_enters_undone() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.open(1);
    world.enter(bob, "bob");
    world.carry_up(1)?;
    // Ada's connector hears of bob, bob's own does not hear that all have.
    world.carry_down(0)?;
    assert_eq!(world.heard(ada), ["onAdd bob"]);
    world.restart_chat();
    world.connect(0)?;
    world.connect(1)?;
    world.carry()?;
    assert_eq!(world.heard(bob), [r#"{"code":500}"#]);
    assert_eq!(world.heard(ada), ["onLeave bob"]);
    assert_eq!(world.members(), "ada");
    Ok(())
}

#[test]
fn a_connector_that_had_seen_less_is_told_what_it_missed_in_the_same_order() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    let cleo = world.member(1, "cleo")?;
    // Only connector 1 hears that bob goes and dan comes and goes.
    world.close(bob);
    let dan = world.open(1);
    world.enter(dan, "dan");
    world.carry_up(1)?;
    world.carry_down(1)?;
    assert_eq!(world.heard(cleo), ["onLeave bob", "onAdd dan"]);
    world.restart_chat();
    world.connect(0)?;
    world.connect(1)?;
    world.carry()?;
    assert_eq!(
        world.heard(ada),
        ["onLeave bob", "onAdd dan", "onLeave dan"]
    );
    assert_eq!(world.heard(cleo), ["onLeave dan"]);
    assert_eq!(world.heard(dan), [r#"{"code":500}"#]);
    assert_eq!(world.members(), "ada,cleo");
    Ok(())
}

#[test]
fn who_left_while_the_chat_server_was_down_is_seen_to_leave() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.restart_chat();
    world.close(bob);
    world.connect(0)?;
    world.connect(1)?;
    world.carry()?;
    assert_eq!(world.heard(ada), ["onLeave bob"]);
    assert_eq!(world.members(), "ada");
    Ok(())
}

#[test]
fn a_connector_that_never_reports_does_not_hold_up_the_rooms_for_longer_than_a_lease() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.restart_chat();
    world.connect(0)?;
    world.carry()?;
    world.say(ada, "*", "hello?");
    world.wait(LEASE - Duration::from_millis(1))?;
    assert_eq!(world.members(), "");
    world.wait(Duration::from_millis(1))?;
    world.carry()?;
    assert_eq!(world.members(), "ada");
    assert_eq!(
        world.heard(ada),
        ["onLeave bob", "hello? from ada to *", "{}"]
    );
    assert_eq!(
        world.heard(bob),
        ["kick chat-server-1 could not be reached for 2s"]
    );
    Ok(())
}

/// Carries the first `count` frames that `connector` has to say, and loses the rest.
fn carry_some(world: &mut World, connector: usize, count: usize) -> Result {
    let (connector_end, chat_end) = world.wires[&connector].clone();
    let mut bytes = BytesMut::new();
    world.connectors[connector].fill(&connector_end, &mut bytes)?;
    for _ in 0..count {
        let (header, payload) = frame::take(&mut bytes, usize::MAX)?.ok_or("no such frame")?;
        world.chat.arrived(&chat_end, header, &payload, world.now)?;
    }
    Ok(())
}

#[test]
fn a_report_that_was_cut_short_leaves_nobody_silently_out_of_the_room() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.restart_chat();
    world.now += LEASE / 2;
    world.connect(0)?;
    world.connect(1)?;
    world.carry_up(0)?;
    // The room is reported, but not that this was all.
    carry_some(&mut world, 1, 1)?;
    world.cut(1);
    world.now += LEASE / 2;
    world.chat.expire(world.now);
    assert!(world.connect(1).is_err(), "its lease has run out");
    world.connect(1)?;
    world.carry()?;
    assert_eq!(world.members(), "ada");
    assert_eq!(world.heard(ada), ["onLeave bob"]);
    assert_eq!(
        world.heard(bob),
        ["kick chat-server-1 could not be reached for 2s"]
    );
    Ok(())
}

#[test]
fn a_lease_is_renewed_by_a_report_that_arrived_and_not_by_one_under_way() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.restart_chat();
    world.now += LEASE * 3 / 4;
    world.connect(0)?;
    world.connect(1)?;
    carry_some(&mut world, 0, 2)?;
    world.carry_down(0)?;
    // Of connector 1 the chat server hears nothing but a ping.
    let (connector_end, chat_end) = world.wires[&1].clone();
    world.connectors[1].ping(&connector_end, world.now)?;
    world
        .chat
        .arrived(&chat_end, Header::Ping { nonce: 1 }, b"", world.now)?;
    world.carry_down(1)?;
    world.now += LEASE / 4;
    for connector in &mut world.connectors {
        connector.expire_lease(0, world.now);
    }
    assert_eq!(world.heard(ada), [""; 0]);
    assert_eq!(
        world.heard(bob),
        ["kick chat-server-1 could not be reached for 2s"]
    );
    world.chat.expire(world.now);
    world.carry_down(0)?;
    assert_eq!(world.heard(ada), ["onLeave bob"]);
    Ok(())
}

#[test]
fn a_connector_that_says_too_much_before_the_rooms_are_known_is_given_up() -> Result {
    let mut world = World::new()?;
    let [ada, bob] = [world.member(0, "ada")?, world.member(1, "bob")?];
    world.restart_chat();
    world.connect(0)?;
    let content = "x".repeat(1024 * 1024);
    let mut is_given_up = false;
    for _ in 0..300 {
        world.say(ada, "*", &content);
        is_given_up = world.carry_up(0).is_err() || world.carry_down(0).is_err();
        if is_given_up {
            break;
        }
        world.connectors[0].expire_requests(ada.1, world.now + DEADLINE);
    }
    assert!(is_given_up, "300 MiB were kept");
    // What there is of it by then is forgotten.
    world.cut(0);
    world.connect(1)?;
    world.carry()?;
    assert_eq!(world.members(), "ada,bob");
    assert_eq!(world.heard(bob), [""; 0]);
    Ok(())
}

#[test]
fn a_link_whose_welcome_by_a_new_process_was_lost_is_begun_again() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.restart_chat();
    let hello = world.connectors[1].hello(0);
    let (_, lost) = world.chat.hello(&hello, world.now)?;
    assert_eq!(lost.resumed, None);
    // Its next hello asks for what it had with the process before.
    world.connect(1)?;
    world.connect(0)?;
    world.carry()?;
    assert_eq!(world.members(), "ada,bob");
    world.say(ada, "*", "hi");
    world.carry()?;
    assert_eq!(world.heard(bob), ["hi from ada to *"]);
    Ok(())
}

#[test]
fn what_a_connector_reported_before_it_died_counts_for_nothing() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    world.member(1, "bob")?;
    world.restart_chat();
    world.connect(1)?;
    world.carry()?;
    world.restart_connector(1);
    world.connect(1)?;
    world.connect(0)?;
    world.carry()?;
    assert_eq!(world.members(), "ada");
    assert_eq!(world.heard(ada), ["onLeave bob"]);
    Ok(())
}

#[test]
fn the_latest_that_a_connector_has_seen_is_not_repeated_to_it() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    world.member(1, "cleo")?;
    let bob = world.open(1);
    world.enter(bob, "bob");
    world.carry_up(1)?;
    world.carry_down(0)?;
    assert_eq!(world.heard(ada), ["onAdd bob"]);
    // Connector 1 sees that too, and then more.
    let dan = world.open(1);
    world.enter(dan, "dan");
    world.carry_up(1)?;
    world.carry_down(1)?;
    world.restart_chat();
    world.connect(0)?;
    world.connect(1)?;
    let repeated = Rc::new(Cell::new(false));
    let listening = marks::listen({
        let repeated = repeated.clone();
        move |mark| repeated.set(repeated.get() | (mark == Mark::EventToldBefore))
    });
    world.carry()?;
    drop(listening);
    assert!(!repeated.get());
    assert_eq!(
        world.heard(ada),
        ["onAdd dan", "onLeave bob", "onLeave dan"]
    );
    Ok(())
}

#[test]
fn a_room_that_is_full_takes_nobody_more() -> Result {
    let mut world = World::new()?;
    world.restart_chat();
    // All are on connector 0, which does not know of them: the report is made up.
    let hello = world.connectors[0].hello(0);
    let (chat_end, _) = world.chat.hello(&hello, world.now)?;
    let names: Vec<Arc<str>> = (0..ROOM_MEMBERS_MAX)
        .map(|n| n.to_string().into())
        .collect();
    let report = ToChat::Report(Report {
        room: "lobby".into(),
        position: 1,
        announced: names.clone(),
        notices: Vec::new(),
        members: (1..).zip(names).collect(),
    });
    for (seq, message) in (1..).zip([report, ToChat::Reported]) {
        let header = Header::Data { seq, ack: 0 };
        let payload = message::encode(&message);
        world.chat.arrived(&chat_end, header, &payload, world.now)?;
    }
    world.connect(1)?;
    let late = world.open(1);
    world.enter(late, "late");
    world.carry()?;
    assert_eq!(world.heard(late), [r#"{"code":500}"#]);
    assert_eq!(world.members().split(',').count(), ROOM_MEMBERS_MAX);
    Ok(())
}
