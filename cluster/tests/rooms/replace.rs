//! A second login of a name, where it replaces the first.

use cluster::options::{DuplicateLogin, Options};

use super::world::{Result, World};

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
