//! Links break, are resumed, and run out.

use bytes::BytesMut;
use cluster::link::LinkError;
use cluster::link::frame::{self, Header};
use cluster::options::Options;

use super::world::{LEASE, PING, Result, World, is_stopped};

#[test]
fn a_broken_connection_loses_and_doubles_nothing() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.say(ada, "*", "one");
    world.carry_up(0)?;
    world.say(ada, "*", "two");
    world.carry_down(1)?;
    // "one" has arrived at bob's connector, but its acknowledgement is lost, and "two" is unsent.
    world.cut(0);
    world.cut(1);
    world.connect(0)?;
    world.connect(1)?;
    world.carry()?;
    assert_eq!(world.heard(bob), ["one from ada to *", "two from ada to *"]);
    let of_ada = world.heard(ada);
    assert_eq!(of_ada.len(), 4, "{of_ada:?}");
    Ok(())
}

#[test]
fn a_new_connection_ends_the_one_before_it_and_not_itself() -> Result {
    let mut world = World::new()?;
    let first = world.wires[&0].1.clone();
    assert!(!is_stopped(&first));
    world.connect(0)?;
    assert!(is_stopped(&first));
    assert!(!is_stopped(&world.wires[&0].1));
    Ok(())
}

#[test]
fn nothing_comes_or_goes_over_a_connection_that_another_has_replaced() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    world.member(1, "bob")?;
    let (connector_end, chat_end) = world.wires[&1].clone();
    world.connect(1)?;
    world.say(ada, "*", "hi");
    world.carry_up(0)?;
    let (now, mut out) = (world.now, BytesMut::new());
    let [pong, ping] = [Header::Pong { nonce: 1 }, Header::Ping { nonce: 1 }];
    let refused = [
        world.chat.fill(&chat_end, &mut out).map(drop),
        world.chat.arrived(&chat_end, ping, b"", now),
        world.connectors[1].fill(&connector_end, &mut out).map(drop),
        world.connectors[1].arrived(&connector_end, pong, b""),
        world.connectors[1].ping(&connector_end, now),
    ];
    for (index, refused) in refused.iter().enumerate() {
        let is_superseded = matches!(refused, Err(LinkError::Superseded));
        assert!(is_superseded, "{index}: {refused:?}");
    }
    assert!(out.is_empty());
    assert!(world.carry_down(1)? > 0, "the new one carries it");
    Ok(())
}

#[test]
fn a_connector_that_stops_on_purpose_takes_its_sessions_with_it_at_once() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.connectors[1].stop();
    // The goodbye ends the connection, with all that would come behind it.
    assert!(world.carry_up(1).is_err());
    world.carry_down(0)?;
    assert_eq!(world.heard(ada), ["onLeave bob"]);
    assert_eq!(world.heard(bob), ["kick the server is stopping"]);
    assert!(!world.connectors[1].is_to_be_dialled(0));
    Ok(())
}

#[test]
fn a_chat_server_looks_again_when_the_first_lease_can_run_out() -> Result {
    let mut world = World::new()?;
    let begin = world.now;
    world.now += PING;
    assert_eq!(world.chat.expire(world.now), begin + LEASE);
    let (_, chat_end) = world.wires[&0].clone();
    let ping = Header::Ping { nonce: 1 };
    world
        .chat
        .arrived(&chat_end, ping.clone(), b"", world.now)?;
    assert_eq!(world.chat.expire(world.now), begin + LEASE, "the other's");
    let (_, chat_end) = world.wires[&1].clone();
    world.chat.arrived(&chat_end, ping, b"", world.now)?;
    assert_eq!(world.chat.expire(world.now), world.now + LEASE);
    world.restart_chat();
    let (restarted, later) = (world.now, world.now + PING);
    assert_eq!(world.chat.expire(later), restarted + LEASE, "the reports'");
    Ok(())
}

#[test]
fn a_stranger_at_the_link_port_is_refused_and_changes_nothing() -> Result {
    let mut world = World::new()?;
    world.member(0, "ada")?;
    let hello = world.connectors[0].hello(0);
    let mut refused = |change: fn(&mut frame::Hello)| {
        let mut hello = hello.clone();
        change(&mut hello);
        world.chat.hello(&hello, world.now).err()
    };
    let reason = refused(|hello| hello.token = "guessed".into());
    assert_eq!(reason.as_deref(), Some("wrong token"));
    let reason = refused(|hello| hello.version += 1);
    assert_eq!(reason.as_deref(), Some("link version 1 here, not 2"));
    let reason = refused(|hello| hello.server = "connector-server-9".into());
    assert_eq!(
        reason.as_deref(),
        Some("no connector is called connector-server-9")
    );
    let reason = refused(|hello| hello.dial = 0);
    assert_eq!(reason.as_deref(), Some("a later dial has been answered"));
    assert_eq!(world.members(), "ada");
    Ok(())
}

#[test]
fn a_connection_that_carries_nothing_to_the_chat_server_is_noticed_though_pushes_come() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    world.member(1, "bob")?;
    let connection = world.wires[&1].0.clone();
    let mut noticed_after = None;
    for tick in 0..8 {
        if world.connectors[1].ping(&connection, world.now).is_err() {
            noticed_after = Some(PING * tick);
            break;
        }
        world.say(ada, "*", "hi");
        world.carry_up(0)?;
        assert!(world.carry_down(1)? > 0, "connector 1 hears what is said");
        world.now += PING;
    }
    assert_eq!(noticed_after, Some(LEASE * 3 / 8));
    Ok(())
}

#[test]
fn an_answer_to_one_ping_says_nothing_of_the_next() -> Result {
    let mut world = World::new()?;
    let (connector_end, chat_end) = world.wires[&1].clone();
    let begin = world.now;
    world.now += PING;
    world.connectors[1].ping(&connector_end, world.now)?;
    world.carry_up(1)?;
    world.now += PING;
    world.connectors[1].ping(&connector_end, world.now)?;
    assert_eq!(world.connectors[1].lease_end(0), Some(begin + LEASE));
    // The chat server has not heard of the second.
    world.carry_down(1)?;
    assert_eq!(world.connectors[1].lease_end(0), Some(begin + PING + LEASE));
    let ping = Header::Ping { nonce: 2 };
    world.chat.arrived(&chat_end, ping, b"", world.now)?;
    world.carry_down(1)?;
    assert_eq!(
        world.connectors[1].lease_end(0),
        Some(begin + 2 * PING + LEASE)
    );
    Ok(())
}

#[test]
fn nothing_comes_over_a_link_that_was_given_up() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.say(ada, "*", "late");
    world.carry_up(0)?;
    world.now += LEASE;
    world.connectors[1].expire_lease(0, world.now);
    let late = world.carry_down(1).map_err(|why| why.to_string());
    assert_eq!(late, Err(LinkError::Superseded.to_string()));
    assert_eq!(world.heard(bob).len(), 1, "the kick");
    Ok(())
}

#[test]
fn a_lease_that_runs_out_removes_and_kicks_the_same_sessions() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    world.cut(1);
    world.wait(LEASE / 2)?;
    world.say(ada, "*", "hi");
    world.carry()?;
    assert_eq!(
        world.heard(ada),
        ["hi from ada to *"],
        "bob's connector may still come back"
    );
    world.wait(LEASE / 2)?;
    world.carry()?;
    assert_eq!(world.heard(ada), ["onLeave bob", "{}"]);
    assert_eq!(
        world.heard(bob),
        ["kick chat-server-1 could not be reached for 2s"]
    );
    assert_eq!(world.connectors[1].census().sessions, 0);
    // The link comes back fresh, and so can bob.
    world.connect(1)?;
    let again = world.open(1);
    world.enter(again, "bob");
    world.carry()?;
    assert_eq!(world.heard(again), ["users ada,bob"]);
    Ok(())
}

#[test]
fn an_enter_before_the_first_connection_waits_for_it() -> Result {
    let mut world = World::without_links(Options::default());
    world.connect(0)?;
    let (ada, early) = (world.open(0), world.open(1));
    world.enter(ada, "ada");
    world.enter(early, "bob");
    let gone = world.open(1);
    world.enter(gone, "cat");
    world.close(gone);
    world.connect(1)?;
    world.carry()?;
    assert_eq!(
        world.heard(ada),
        ["users ada", "onAdd bob", "onAdd cat", "onLeave cat"]
    );
    assert_eq!(
        world.heard(early),
        ["users ada,bob", "onAdd cat", "onLeave cat"]
    );
    assert_eq!(world.members(), "ada,bob");
    Ok(())
}

#[test]
fn a_hello_of_a_process_that_was_replaced_changes_nothing() -> Result {
    let mut world = World::new()?;
    let late = world.connectors[1].hello(0);
    world.restart_connector(1);
    // The link of the first is long gone when the second comes.
    world.cut(1);
    world.wait(LEASE)?;
    world.connect(1)?;
    world.carry()?;
    world.member(1, "bob")?;
    let refused = world.chat.hello(&late, world.now).err();
    assert_eq!(
        refused.as_deref(),
        Some("a later process of that id has been here")
    );
    assert_eq!(world.members(), "bob");
    Ok(())
}
