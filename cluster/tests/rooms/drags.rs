//! Servers that are slower on purpose: what is said arrives all the same, once and in order.

use cluster::drag::Drag;
use cluster::options::Options;

use super::world::{LEASE, Result, World};

fn with(drag: Drag) -> Result<World> {
    World::with(Options {
        drag: Some(drag),
        ..Options::default()
    })
}

#[test]
fn with_an_extra_hop_a_message_goes_to_the_chat_server_twice() -> Result {
    let mut world = with(Drag::ExtraHop)?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.say(ada, "*", "hi");
    world.carry_up(0)?;
    world.carry_down(1)?;
    assert_eq!(world.heard(bob), [""; 0]);
    world.carry_down(0)?;
    world.carry_up(0)?;
    world.carry_down(1)?;
    assert_eq!(world.heard(bob), ["hi from ada to *"]);
    world.carry()?;
    assert_eq!(world.heard(ada), ["hi from ada to *", "{}"]);
    Ok(())
}

#[test]
fn with_serial_pushes_a_connector_is_told_when_the_one_before_has_acknowledged() -> Result {
    let mut world = with(Drag::SerialPushes)?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    for word in ["one", "two"] {
        world.say(ada, "*", word);
    }
    world.carry_up(0)?;
    world.carry_down(1)?;
    assert_eq!(world.heard(bob), [""; 0], "ada's connector is first");
    world.carry_down(0)?;
    world.carry_up(0)?;
    world.carry_down(1)?;
    assert_eq!(world.heard(bob), ["one from ada to *", "two from ada to *"]);
    world.carry()?;
    let all = ["one from ada to *", "two from ada to *", "{}", "{}"];
    assert_eq!(world.heard(ada), all);
    Ok(())
}

#[test]
fn with_serial_pushes_nobody_waits_for_a_connector_that_is_given_up() -> Result {
    let mut world = with(Drag::SerialPushes)?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.say(ada, "*", "hi");
    world.carry_up(0)?;
    world.cut(0);
    world.carry()?;
    assert_eq!(world.heard(bob), [""; 0]);
    world.wait(LEASE)?;
    world.carry()?;
    assert_eq!(world.heard(bob), ["hi from ada to *", "onLeave ada"]);
    Ok(())
}
