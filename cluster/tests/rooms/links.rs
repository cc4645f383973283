//! Links break, are resumed, and run out.

use std::time::Duration;

use cluster::limits;
use cluster::link::{Connection, frame};
use cluster::options::Options;

use super::world::{LEASE, PING, Result, World};

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

/// Whether the chat server wants a connection ended.
fn is_stopped(connection: &Connection) -> bool {
    let mut stop = std::pin::pin!(connection.stop.notified());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    stop.as_mut().poll(&mut context).is_ready()
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
fn a_link_that_fell_behind_is_cut_off_and_its_sessions_go_when_its_lease_is_over() -> Result {
    let mut world = World::with(Options {
        outbox_len: 8,
        ..Options::default()
    })?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    let behind = world.wires[&1].1.clone();
    world.cut(1);
    for _ in 0..9 {
        world.say(ada, "*", "hi");
        world.carry_up(0)?;
        world.carry_down(0)?;
    }
    assert!(!is_stopped(&behind), "it may catch up");
    world.wait(LEASE / 4)?;
    world.say(ada, "*", "hi");
    world.carry_up(0)?;
    assert!(is_stopped(&behind), "it did not");
    assert!(world.connect(1).is_err());
    // While its connector may still believe in bob, the name is taken.
    let other = world.open(0);
    world.enter(other, "bob");
    world.carry()?;
    assert_eq!(world.heard(other), [r#"{"code":500,"error":true}"#]);
    world.heard(ada);
    let instant = Duration::from_millis(1);
    world.wait(LEASE * 3 / 4 - instant)?;
    assert_eq!(world.members(), "ada,bob");
    world.now += instant;
    world.connectors[1].expire_lease(0, world.now);
    assert_eq!(
        world.heard(bob),
        ["kick chat-server-1 could not be reached for 2s"]
    );
    world.chat.expire(world.now);
    world.carry()?;
    let heard = world.heard(ada);
    assert_eq!(heard.first().map(String::as_str), Some("onLeave bob"));
    assert_eq!(heard.len(), 1 + 10, "each send is answered: {heard:?}");
    world.connect(1)?;
    let again = world.open(1);
    world.enter(again, "bob");
    world.carry()?;
    assert_eq!(world.heard(again), ["users ada,bob"]);
    Ok(())
}

#[test]
fn a_link_that_holds_as_much_as_it_may_is_not_behind_yet() -> Result {
    let outbox_len = 8;
    let mut world = World::with(Options {
        outbox_len,
        ..Options::default()
    })?;
    let ada = world.member(0, "ada")?;
    world.member(1, "bob")?;
    let full = world.wires[&1].1.clone();
    world.cut(1);
    for said in 0..=outbox_len {
        // Were it behind when it is full, its time to catch up would be over with the next message.
        if said == outbox_len {
            world.wait(LEASE / 4)?;
        }
        world.say(ada, "*", "hi");
        world.carry_up(0)?;
        world.carry_down(0)?;
    }
    assert!(!is_stopped(&full));
    Ok(())
}

#[test]
fn a_connector_takes_no_request_for_a_link_that_is_full() -> Result {
    let outbox_len = 4;
    let mut world = World::with(Options {
        outbox_len,
        ..Options::default()
    })?;
    let ada = world.member(0, "ada")?;
    world.cut(0);
    for said in 0..outbox_len + 2 {
        let waiting = world.connectors[0].census().outbox_len;
        assert_eq!(waiting, said.min(outbox_len));
        world.say(ada, "*", "hi");
    }
    world.connect(0)?;
    world.carry()?;
    let heard = world.heard(ada);
    let count = |what: &str| heard.iter().filter(|it| *it == what).count();
    assert_eq!(count("hi from ada to *"), outbox_len);
    assert_eq!(count(r#"{"code":500}"#), 2);
    Ok(())
}

#[test]
fn a_link_that_is_hopelessly_behind_is_cut_off_at_once() -> Result {
    let outbox_len = 2;
    let mut world = World::with(Options {
        outbox_len,
        ..Options::default()
    })?;
    let ada = world.member(0, "ada")?;
    world.member(1, "bob")?;
    let behind = world.wires[&1].1.clone();
    for said in 0..=limits::OUTBOX_BURST * outbox_len {
        assert!(!is_stopped(&behind), "after {said}");
        world.say(ada, "*", "hi");
        world.carry_up(0)?;
        world.carry_down(0)?;
    }
    assert!(is_stopped(&behind));
    let longest = world.chat.census().outbox_len_max;
    assert_eq!(longest, limits::OUTBOX_BURST * outbox_len + 1);
    Ok(())
}

#[test]
fn what_is_said_after_a_link_was_cut_off_waits_for_its_connector_too() -> Result {
    let mut world = World::with(Options {
        outbox_len: 4,
        ..Options::default()
    })?;
    let ada = world.member(0, "ada")?;
    let bob = world.member(1, "bob")?;
    let behind = world.wires[&1].1.clone();
    world.cut(1);
    for _ in 0..=limits::OUTBOX_BURST * 4 {
        world.say(ada, "*", "hi");
        world.carry_up(0)?;
        world.carry_down(0)?;
    }
    assert!(is_stopped(&behind));
    world.heard(ada);
    world.say(ada, "*", "late");
    world.carry()?;
    let cat = world.open(0);
    world.enter(cat, "cat");
    world.carry()?;
    // Bob's connector does not know that it was cut off, and goes on with the next process.
    assert_eq!(world.heard(ada), ["late from ada to *", "onAdd cat"]);
    world.restart_chat();
    world.connect(0)?;
    world.connect(1)?;
    world.carry()?;
    assert_eq!(world.heard(bob), ["onAdd cat", "onLeave cat"]);
    assert!(world.heard(ada).contains(&String::from("{\"code\":500}")));
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
