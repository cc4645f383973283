//! Links that hold more than they may.

use std::time::Duration;

use cluster::limits::{self, OUTBOX_BYTES};
use cluster::options::Options;

use super::world::{DEADLINE, LEASE, Result, World, is_stopped};

const TOO_FAR_BEHIND: &str = "too far behind: its lease has to run out";

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
    let refused = world.connect(1).map_err(|why| why.to_string());
    assert_eq!(refused, Err(TOO_FAR_BEHIND.to_owned()));
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
    assert_eq!(world.chat.census().outbox_len, 0, "nothing is kept for it");
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
fn a_link_that_caught_up_has_as_much_time_again_and_one_that_did_not_has_not() -> Result {
    let outbox_len = 8;
    for catches_up in [true, false] {
        let mut world = World::with(Options {
            outbox_len,
            ..Options::default()
        })?;
        let ada = world.member(0, "ada")?;
        world.member(1, "bob")?;
        let behind = world.wires[&1].1.clone();
        let fall_behind = |world: &mut World| {
            for _ in 0..=outbox_len {
                world.say(ada, "*", "hi");
                world.carry_up(0)?;
                world.carry_down(0)?;
            }
            Result::Ok(())
        };
        fall_behind(&mut world)?;
        if catches_up {
            world.carry()?;
        } else {
            // What it has heard now is acknowledged, but as much has been said since.
            world.carry_down(1)?;
            fall_behind(&mut world)?;
            world.carry_up(1)?;
            world.carry_down(0)?;
            world.carry_up(0)?;
        }
        world.now += LEASE / 4;
        assert!(!is_stopped(&behind));
        fall_behind(&mut world)?;
        assert_eq!(is_stopped(&behind), !catches_up);
    }
    Ok(())
}

const MIB: usize = 1024 * 1024;

#[test]
fn a_link_is_too_far_behind_with_few_large_messages_too() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    world.member(1, "bob")?;
    let behind = world.wires[&1].1.clone();
    let content = "x".repeat(MIB);
    for said in 1..=OUTBOX_BYTES / MIB {
        assert!(!is_stopped(&behind), "before {said} MiB");
        world.say(ada, "*", &content);
        world.carry_up(0)?;
        world.carry_down(0)?;
        // She reads, and her requests are refused meanwhile, so that she may go on.
        world.heard(ada);
        world.connectors[0].expire_requests(ada.1, world.now + DEADLINE);
    }
    assert!(is_stopped(&behind));
    Ok(())
}

#[test]
fn a_connector_takes_no_request_for_a_link_that_is_full_of_large_messages() -> Result {
    let mut world = World::new()?;
    let ada = world.member(0, "ada")?;
    world.cut(0);
    let content = "x".repeat(MIB);
    let most = OUTBOX_BYTES / MIB;
    for said in 0..most + 2 {
        assert_eq!(world.connectors[0].census().outbox_len, said.min(most));
        world.say(ada, "*", &content);
        world.connectors[0].expire_requests(ada.1, world.now + DEADLINE);
    }
    Ok(())
}
