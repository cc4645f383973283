//! A second login of a name, where it replaces the first.

use bytes::BytesMut;
use cluster::limits;
use cluster::link::frame::{self, Header};
use cluster::options::{DuplicateLogin, Options};

use super::world::{Result, User, World, is_stopped};

const REPLACED: &str = "kick replaced by a new login of the same name";

fn world() -> Result<World> {
    World::with(Options {
        duplicate_login: DuplicateLogin::Replace,
        ..Options::default()
    })
}

#[test]
fn the_first_is_kicked_and_the_others_see_it_go_before_the_second_comes() -> Result {
    let mut world = world()?;
    let first = world.member(0, "ada")?;
    let others = [world.member(0, "cat")?, world.member(1, "bob")?];
    world.heard(others[0]);
    let second = world.open(1);
    world.enter(second, "ada");
    world.carry()?;
    assert_eq!(world.heard(first), [REPLACED]);
    for other in others {
        assert_eq!(world.heard(other), ["onLeave ada", "onAdd ada"]);
    }
    assert_eq!(world.heard(second), ["users cat,bob,ada"]);
    assert_eq!(world.members(), "cat,bob,ada");
    Ok(())
}

#[test]
fn the_second_is_let_in_only_when_the_first_is_out() -> Result {
    let mut world = world()?;
    let first = world.member(0, "ada")?;
    let second = world.open(1);
    world.enter(second, "ada");
    while world.carry_up(1)? + world.carry_down(1)? > 0 {}
    // The connector of the first has not heard of it.
    assert_eq!(world.heard(second), [""; 0]);
    world.carry_down(0)?;
    assert_eq!(world.heard(first), [REPLACED]);
    world.carry()?;
    assert_eq!(world.heard(second), ["users ada"]);
    Ok(())
}

#[test]
fn on_one_connector_too() -> Result {
    let mut world = world()?;
    let first = world.member(0, "ada")?;
    let second = world.open(0);
    world.enter(second, "ada");
    world.carry()?;
    assert_eq!(world.heard(first), [REPLACED]);
    assert_eq!(world.heard(second), ["users ada"]);
    assert_eq!(world.connectors[0].census().sessions, 1);
    Ok(())
}

#[test]
fn who_is_still_entering_can_be_replaced() -> Result {
    let mut world = world()?;
    let bob = world.member(0, "bob")?;
    let first = world.open(1);
    world.enter(first, "ada");
    world.carry_up(1)?;
    world.carry_down(1)?;
    // Bob's connector has not said that it knows of the first, so that is not answered yet.
    let second = world.open(1);
    world.enter(second, "ada");
    world.carry()?;
    assert_eq!(world.heard(first), [REPLACED]);
    assert_eq!(world.heard(second), ["users bob,ada"]);
    assert_eq!(world.heard(bob), ["onAdd ada", "onLeave ada", "onAdd ada"]);
    assert_eq!(world.members(), "bob,ada");
    Ok(())
}

#[test]
fn who_has_left_meanwhile_is_not_kicked() -> Result {
    let mut world = world()?;
    let first = world.member(0, "ada")?;
    world.enter_room(first, "ada", "attic");
    world.carry_up(0)?;
    // The chat server has yet to hear that the first is out of the lobby.
    let second = world.open(1);
    world.enter(second, "ada");
    world.carry_up(1)?;
    world.carry()?;
    assert_eq!(world.heard(first), ["users ada"]);
    assert_eq!(world.heard(second), ["users ada"]);
    assert_eq!(world.members(), "ada");
    Ok(())
}

#[test]
fn what_the_first_says_after_it_was_replaced_is_heard_by_nobody() -> Result {
    let mut world = world()?;
    let first = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    let second = world.open(1);
    world.enter(second, "ada");
    world.carry_up(1)?;
    // It does not know yet, and its name is in the room.
    world.say(first, "*", "still me");
    world.say(first, "bob", "still me");
    world.carry()?;
    assert_eq!(world.heard(first), [REPLACED]);
    assert_eq!(world.heard(bob), ["onLeave ada", "onAdd ada"]);
    assert_eq!(world.heard(second), ["users bob,ada"]);
    Ok(())
}

#[test]
fn who_can_no_longer_be_told_is_not_replaced() -> Result {
    let mut world = World::with(Options {
        duplicate_login: DuplicateLogin::Replace,
        outbox_len: 2,
        ..Options::default()
    })?;
    let ada = world.member(0, "ada")?;
    world.member(1, "bob")?;
    let behind = world.wires[&1].1.clone();
    for _ in 0..=limits::OUTBOX_BURST * 2 {
        world.say(ada, "*", "hi");
        world.carry_up(0)?;
        world.carry_down(0)?;
    }
    assert!(is_stopped(&behind), "it is cut off");
    world.cut(1);
    let second = world.open(0);
    world.enter(second, "bob");
    world.carry()?;
    assert_eq!(world.heard(second), [r#"{"code":500,"error":true}"#]);
    assert_eq!(world.members(), "ada,bob");
    Ok(())
}

/// Bob is there through connector 1, which then hears nothing more, and another bob asks for his name
/// through connector 0. Of what that is told, `count` frames get there; then the chat server dies.
fn half_replaced(world: &mut World, count: usize) -> Result<[User; 4]> {
    let ada = world.member(0, "ada")?;
    let [old, cat] = [world.member(1, "bob")?, world.member(1, "cat")?];
    let new = world.open(0);
    for user in [ada, old] {
        world.heard(user);
    }
    world.cut(1);
    world.enter(new, "bob");
    world.carry_up(0)?;
    tell_some(world, 0, count)?;
    world.restart_chat();
    world.connect(0)?;
    world.connect(1)?;
    world.carry()?;
    Ok([ada, cat, old, new])
}

/// Carries the next `count` messages of the chat server to `connector`, and loses the rest.
fn tell_some(world: &mut World, connector: usize, mut count: usize) -> Result {
    let (connector_end, chat_end) = world.wires[&connector].clone();
    let mut bytes = BytesMut::new();
    world.chat.fill(&chat_end, &mut bytes)?;
    while count > 0 {
        let (header, payload) = frame::take(&mut bytes, usize::MAX)?.ok_or("no such frame")?;
        count -= usize::from(matches!(header, Header::Data { .. }));
        world.connectors[connector].arrived(&connector_end, header, &payload)?;
    }
    Ok(())
}

#[test]
fn who_was_not_yet_replaced_when_the_chat_server_died_is_not_told_of_itself() -> Result {
    let mut world = world()?;
    let [ada, cat, old, new] = half_replaced(&mut world, 2)?;
    // The answer was still to come.
    assert_eq!(world.heard(new), [r#"{"code":500}"#]);
    assert_eq!(world.heard(ada), ["onLeave bob", "onAdd bob"]);
    assert_eq!([world.heard(cat), world.heard(old)], [[""; 0]; 2]);
    assert_eq!(world.members(), "ada,bob,cat");
    Ok(())
}

#[test]
fn who_was_seen_to_go_goes_though_nobody_came_in_its_place() -> Result {
    let mut world = world()?;
    let [ada, cat, old, new] = half_replaced(&mut world, 1)?;
    assert_eq!(world.heard(new), [r#"{"code":500}"#]);
    assert_eq!(world.heard(ada), ["onLeave bob"]);
    assert_eq!(world.heard(cat), ["onLeave bob"]);
    assert_eq!(world.heard(old), [REPLACED]);
    assert_eq!(world.members(), "ada,cat");
    Ok(())
}
