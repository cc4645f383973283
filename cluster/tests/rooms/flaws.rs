//! Each flaw by itself: what the cluster does with it, beside what it does without.

use cluster::options::{DuplicateLogin, Options};
use cluster::policy::{Flaw, Policy};

use super::world::{DEADLINE, LEASE, PING, Result, World};

const REFUSED: &str = r#"{"code":500}"#;
const DUPLICATE: &str = r#"{"code":500,"error":true}"#;

fn options(flaw: Flaw) -> [Options; 2] {
    [Policy::hardened(), Policy::hardened().with(flaw)].map(|policy| Options {
        policy,
        ..Options::default()
    })
}

/// What `story` comes to without the flaw, and with it.
fn both<T: Default>(flaw: Flaw, story: impl Fn(&mut World) -> Result<T>) -> Result<[T; 2]> {
    let mut told = [T::default(), T::default()];
    for (told, options) in told.iter_mut().zip(options(flaw)) {
        *told = story(&mut World::with(options)?)?;
    }
    Ok(told)
}

#[test]
fn ghost_after_connector_crash() -> Result {
    let told = both(Flaw::GhostAfterConnectorCrash, |world| {
        let ada = world.member(0, "ada")?;
        world.member(1, "bob")?;
        world.restart_connector(1);
        world.connect(1)?;
        world.carry()?;
        world.say(ada, "*", "hi");
        world.carry()?;
        Ok((world.members(), world.heard(ada).join(" | ")))
    })?;
    let told = told
        .each_ref()
        .map(|(members, heard)| (members.as_str(), heard.as_str()));
    assert_eq!(told[0], ("ada", "onLeave bob | hi from ada to * | {}"));
    assert_eq!(told[1], ("ada,bob", "hi from ada to * | {}"));
    Ok(())
}

#[test]
fn a_ghost_whose_connector_is_away_holds_nobody_up() -> Result {
    let told = both(Flaw::GhostAfterConnectorCrash, |world| {
        let ada = world.member(0, "ada")?;
        world.member(1, "bob")?;
        world.cut(1);
        world.wait(LEASE)?;
        world.carry()?;
        world.heard(ada);
        world.say(ada, "*", "hi");
        world.say(ada, "bob", "psst");
        world.carry()?;
        Ok(world.heard(ada))
    })?;
    assert_eq!(told[0], ["hi from ada to *", "{}", REFUSED]);
    assert_eq!(told[1], ["hi from ada to *", "{}", "{}"]);
    Ok(())
}

#[test]
fn kick_lost() -> Result {
    let told = both(Flaw::KickLost, |world| {
        world.member(0, "ada")?;
        let [bob, cat] = [world.member(1, "bob")?, world.member(1, "cat")?];
        world.close(cat);
        world.cut(1);
        world.close(bob);
        world.connect(1)?;
        world.carry()?;
        Ok(world.members())
    })?;
    // What was said while the link was up is only late.
    assert_eq!(told, ["ada", "ada,bob"]);
    Ok(())
}

#[test]
fn double_delivery_after_reentry() -> Result {
    let told = both(Flaw::DoubleDeliveryAfterReentry, |world| {
        let ada = world.member(0, "ada")?;
        world.member(1, "bob")?;
        // The first bob has gone silent, and nobody knows.
        let again = world.open(1);
        world.enter(again, "bob");
        world.carry()?;
        world.say(ada, "*", "hi");
        world.carry()?;
        Ok(world.heard(again))
    })?;
    assert_eq!(told[0], [DUPLICATE]);
    assert_eq!(
        told[1],
        ["users ada,bob,bob", "hi from ada to *", "hi from ada to *"]
    );
    Ok(())
}

#[test]
fn late_close_removes_new_session() -> Result {
    let told = both(Flaw::LateCloseRemovesNewSession, |world| {
        world.member(0, "ada")?;
        world.member(1, "bob")?;
        let other = world.open(1);
        world.enter(other, "bob");
        world.close(other);
        world.carry()?;
        Ok(world.members())
    })?;
    assert_eq!(told, ["ada,bob", "ada"]);
    Ok(())
}

#[test]
fn duplicate_login_across_connectors() -> Result {
    let told = both(Flaw::DuplicateLoginAcrossConnectors, |world| {
        let first = world.member(0, "ada")?;
        let [here, there] = [world.open(0), world.open(1)];
        world.enter(here, "ada");
        world.enter(there, "ada");
        world.carry()?;
        assert_eq!(world.heard(here), [DUPLICATE]);
        // Who has the name is elsewhere now, but the connector knows one of its own.
        world.enter(here, "ada");
        let other = world.open(0);
        world.enter_room(other, "cat", "attic");
        world.carry()?;
        assert_eq!(world.heard(here), [DUPLICATE]);
        assert_eq!(world.heard(other), ["users cat"]);
        world.say(first, "ada", "who?");
        world.carry()?;
        Ok([world.heard(first), world.heard(there)])
    })?;
    assert_eq!(told[0][0], ["who? from ada to ada", "{}"]);
    assert_eq!(told[0][1], [DUPLICATE]);
    // BEHAVIOUR 3.5: a private message goes to who entered last.
    assert_eq!(told[1][0], ["onAdd ada", "{}"]);
    assert_eq!(told[1][1], ["users ada,ada", "who? from ada to ada"]);
    Ok(())
}

#[test]
fn dead_room_after_chat_restart() -> Result {
    let told = both(Flaw::DeadRoomAfterChatRestart, |world| {
        let ada = world.member(0, "ada")?;
        world.restart_chat();
        world.connect(0)?;
        world.connect(1)?;
        world.carry()?;
        world.say(ada, "*", "hi");
        world.carry()?;
        let mut heard = world.heard(ada);
        let bob = world.open(0);
        world.enter(bob, "bob");
        world.say(bob, "*", "anybody?");
        world.carry()?;
        heard.extend(world.heard(ada));
        Ok(heard)
    })?;
    assert_eq!(
        told[0],
        ["hi from ada to *", "{}", "onAdd bob"],
        "a message before the answer to enter is not this test's affair"
    );
    assert_eq!(told[1], [REFUSED]);
    Ok(())
}

#[test]
fn ghost_after_close_while_entering() -> Result {
    let told = both(Flaw::GhostAfterCloseWhileEntering, |world| {
        world.member(0, "ada")?;
        let bob = world.open(1);
        world.enter(bob, "bob");
        world.close(bob);
        world.carry()?;
        Ok(world.members())
    })?;
    assert_eq!(told, ["ada", "ada,bob"]);
    Ok(())
}

#[test]
fn request_hangs() -> Result {
    let told = both(Flaw::RequestHangs, |world| {
        let ada = world.member(0, "ada")?;
        world.say(ada, "*", "hi");
        world.restart_chat();
        world.connect(0)?;
        world.connect(1)?;
        world.wait(DEADLINE)?;
        let in_time = world.heard(ada);
        world.wait(9 * DEADLINE)?;
        Ok([in_time, world.heard(ada)])
    })?;
    assert_eq!(told[0], [vec![REFUSED.to_owned()], vec![]]);
    assert_eq!(told[1], [vec![], vec![REFUSED.to_owned()]], "after 30 s");
    Ok(())
}

#[test]
fn false_success_of_enter() -> Result {
    let told = both(Flaw::FalseSuccessOfEnter, |world| {
        let [late, nowhere] = [world.open(0), world.open(0)];
        world.enter(late, "ada");
        world.cut(0);
        world.wait(LEASE)?;
        world.enter(nowhere, "bob");
        let invalid = world.open(0);
        world.request(
            invalid,
            "connector.entryHandler.enter",
            &serde_json::json!({}),
        );
        Ok([late, nowhere, invalid].map(|user| world.heard(user).join(" | ")))
    })?;
    assert_eq!(told[0], [REFUSED; 3]);
    assert_eq!(told[1], [r#"{"users":{}}"#, r#"{"users":{}}"#, REFUSED]);
    Ok(())
}

#[test]
fn refusals_swallowed() -> Result {
    let told = both(Flaw::RefusalsSwallowed, |world| {
        let ada = world.member(0, "ada")?;
        let early = world.open(0);
        world.say(early, "*", "hi");
        world.say(ada, "nobody", "hi");
        world.say(ada, "ada", "hi");
        world.carry()?;
        world.wait(DEADLINE)?;
        Ok([world.heard(early), world.heard(ada)])
    })?;
    assert_eq!(told[0][0], [REFUSED]);
    assert_eq!(told[0][1], [REFUSED, "hi from ada to ada", "{}"]);
    assert_eq!(told[1][0], [""; 0]);
    assert_eq!(told[1][1], ["hi from ada to ada", "{}"]);
    Ok(())
}

#[test]
fn slow_reader_unbounded() -> Result {
    for (options, is_kicked) in options(Flaw::SlowReaderUnbounded)
        .into_iter()
        .zip([true, false])
    {
        let mut world = World::with(Options {
            session_queue_len: 4,
            ..options
        })?;
        let ada = world.member(0, "ada")?;
        let bob = world.member(1, "bob")?;
        for _ in 0..10 {
            world.say(ada, "*", "hi");
            world.carry()?;
            world.heard(ada);
        }
        let heard = world.heard(bob);
        assert_eq!(heard.len(), if is_kicked { 1 } else { 10 }, "{heard:?}");
        assert_eq!(heard[0].starts_with("kick too slow"), is_kicked);
    }
    Ok(())
}

#[test]
fn resend_keeps_doubles() -> Result {
    let told = both(Flaw::ResendKeepsDoubles, |world| {
        let ada = world.member(0, "ada")?;
        let bob = world.member(1, "bob")?;
        world.say(ada, "*", "one");
        world.carry_up(0)?;
        world.carry_down(1)?;
        // It has arrived at bob's connector, but the acknowledgement is lost.
        world.cut(1);
        world.connect(1)?;
        world.carry_down(1)?;
        world.carry()?;
        // As is that of "two" at the chat server.
        world.say(ada, "*", "two");
        world.carry_up(0)?;
        world.cut(0);
        world.connect(0)?;
        world.carry()?;
        Ok(world.heard(bob))
    })?;
    let [one, two] = ["one from ada to *", "two from ada to *"];
    assert_eq!(told[0], [one, two]);
    assert_eq!(told[1], [one, one, two, two]);
    Ok(())
}

#[test]
fn star_in_name() -> Result {
    let told = both(Flaw::StarInName, |world| {
        let [long, short, ada] = [world.open(0), world.open(0), world.open(1)];
        world.enter_room(long, "a*b", "c");
        world.enter_room(short, "a", "b*c");
        world.enter_room(ada, "ada", "c");
        world.carry()?;
        let entered = world.heard(long).remove(0);
        world.heard(short);
        world.say(ada, "a*b", "psst");
        world.carry()?;
        Ok((entered, [world.heard(long), world.heard(short)]))
    })?;
    assert_eq!(told[0].0, REFUSED);
    assert_eq!(told[0].1, [[""; 0]; 2]);
    assert_eq!(told[1].0, "users a*b");
    assert_eq!(told[1].1, [["psst from ada to a*b"]; 2]);
    Ok(())
}

#[test]
fn answer_before_push_is_safe() -> Result {
    let told = both(Flaw::AnswerBeforePushIsSafe, |world| {
        let ada = world.member(0, "ada")?;
        world.member(1, "bob")?;
        world.say(ada, "*", "hi");
        world.carry_up(0)?;
        // Bob's connector has not heard of it.
        world.carry_down(0)?;
        Ok(world.heard(ada))
    })?;
    assert_eq!(told[0], ["hi from ada to *"]);
    assert_eq!(told[1], ["hi from ada to *", "{}"]);
    Ok(())
}

#[test]
fn own_members_first() -> Result {
    let told = both(Flaw::OwnMembersFirst, |world| {
        let users = [world.member(0, "ada")?, world.member(1, "bob")?];
        world.heard(users[0]);
        for user in users {
            world.say(user, "*", "hi");
            world.say(user, "ada", "psst");
        }
        world.carry()?;
        Ok(users.map(|user| {
            let heard = world.heard(user).into_iter();
            let said: Vec<_> = heard.filter(|it| it.ends_with("to *")).collect();
            said.join(" | ")
        }))
    })?;
    let ada_first = "hi from ada to * | hi from bob to *";
    assert_eq!(told[0], [ada_first, ada_first]);
    assert_eq!(told[1], [ada_first, "hi from bob to * | hi from ada to *"]);
    Ok(())
}

#[test]
fn kicked_lingers() -> Result {
    let policies = [
        Policy::hardened(),
        Policy::hardened().with(Flaw::KickedLingers),
    ];
    let told = policies.map(|policy| {
        let mut world = World::with(Options {
            policy,
            duplicate_login: DuplicateLogin::Replace,
            ..Options::default()
        })?;
        let [old, new] = [world.member(1, "bob")?, world.open(0)];
        world.enter(new, "bob");
        world.carry()?;
        assert_eq!(world.heard(new), ["users bob"]);
        let still_there = world.connectors[1].census().entered;
        let kick = ["kick replaced by a new login of the same name"];
        assert_eq!(world.heard(old), kick);
        world.close(old);
        assert_eq!(world.connectors[1].census().entered, []);
        Ok(still_there.len())
    });
    let [hardened, flawed]: [Result<usize>; 2] = told;
    assert_eq!([hardened?, flawed?], [0, 1]);
    Ok(())
}

#[test]
fn lease_ignored() -> Result {
    let told = both(Flaw::LeaseIgnored, |world| {
        let [bob, cat] = [world.member(1, "bob")?, world.open(0)];
        world.cut(1);
        world.wait(LEASE)?;
        world.enter(cat, "bob");
        world.carry()?;
        let at_once = [world.heard(bob), world.heard(cat)].map(|heard| heard.join(" | "));
        if world.connect(1).is_err() {
            world.connect(1)?;
        }
        world.carry()?;
        Ok((at_once, world.heard(bob).join(" | ")))
    })?;
    let let_in = "users bob";
    let [hardened, flawed] = told;
    assert_eq!(
        hardened.0,
        ["kick chat-server-1 could not be reached for 2s", let_in]
    );
    assert_eq!(flawed.0, ["", let_in], "two are logged in");
    assert_eq!(flawed.1, "kick chat-server-1 had given up this connector");
    Ok(())
}

#[test]
fn never_dialled_again() -> Result {
    let told = both(Flaw::NeverDialledAgain, |world| {
        world.member(1, "bob")?;
        world.cut(1);
        world.wait(LEASE - PING)?;
        let before = world.connectors[1].is_to_be_dialled(0);
        world.wait(PING)?;
        Ok([before, world.connectors[1].is_to_be_dialled(0)])
    })?;
    assert_eq!(told, [[true, true], [true, false]]);
    Ok(())
}

#[test]
fn left_stays_listed() -> Result {
    let told = both(Flaw::LeftStaysListed, |world| {
        let [ada, bob] = [world.member(0, "ada")?, world.member(1, "bob")?];
        world.heard(ada);
        world.close(bob);
        world.carry()?;
        assert_eq!(world.heard(ada), ["onLeave bob"]);
        let listed = world.members();
        world.member(1, "cat")?;
        Ok([listed, world.members()])
    })?;
    assert_eq!(told[0], ["ada", "ada,cat"]);
    assert_eq!(told[1], ["ada,bob", "ada,cat"]);
    Ok(())
}

#[test]
fn all_flaws_together_go_through_every_accident() -> Result {
    let options = Options {
        policy: Flaw::ALL.iter().copied().collect(),
        ..Options::default()
    };
    let mut world = World::with(options)?;
    let ada = world.member(0, "ada")?;
    for round in 0..6 {
        for name in ["bob", "cat", "a*b"] {
            for connector in [0, 1] {
                let user = world.open(connector);
                world.enter(user, name);
                if round % 3 == 0 {
                    world.carry_up(connector)?;
                }
                if round % 2 == 0 {
                    world.close(user);
                }
            }
        }
        world.say(ada, "*", "hi");
        world.say(ada, "cat", "psst");
        world.carry_up(0)?;
        world.cut(1);
        match round {
            1 => world.restart_connector(1),
            2 => world.wait(LEASE)?,
            3 => world.restart_chat(),
            _ => {}
        }
        if world.connect(0).is_err() {
            world.connect(0)?;
        }
        if world.connect(1).is_err() {
            world.connect(1)?;
        }
        world.carry()?;
        world.wait(PING)?;
    }
    // Whatever became of the others: the servers go on, and who was there from the start hears itself.
    let heard = world.heard(ada);
    assert!(heard.iter().any(|it| it == "hi from ada to *"), "{heard:?}");
    Ok(())
}
