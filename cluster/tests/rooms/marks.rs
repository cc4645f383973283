//! Rare paths: each is marked when it is taken, and not when what happens is only like it.

use std::cell::RefCell;
use std::rc::Rc;

use cluster::marks::{self, Mark};
use cluster::options::Options;

use super::world::{LEASE, Result, World};

/// The marks that `story` reaches, in order.
fn reached(story: impl FnOnce() -> Result) -> Result<Vec<Mark>> {
    let reached = Rc::new(RefCell::new(Vec::new()));
    let listening = marks::listen({
        let reached = reached.clone();
        move |mark| reached.borrow_mut().push(mark)
    });
    story()?;
    drop(listening);
    Ok(reached.take())
}

#[test]
fn links_without_anything_to_say_break_and_run_out() -> Result {
    let marks = reached(|| {
        let mut world = World::new()?;
        world.cut(1);
        world.connect(1)?;
        world.cut(1);
        world.wait(LEASE)?;
        world.connect(1)
    })?;
    let connector = [Mark::LinkResumed, Mark::LeaseRanOut];
    let of_connector = |mark: &&Mark| !matches!(mark, Mark::AllReported | Mark::ConnectorExpired);
    let told: Vec<_> = marks.iter().filter(of_connector).copied().collect();
    assert_eq!(told, connector);
    Ok(())
}

#[test]
fn links_with_something_to_say_break_and_run_out() -> Result {
    let mut world = World::without_links(Options::default());
    let early = world.open(1);
    world.enter(early, "bob");
    let marks = reached(|| world.connect(1))?;
    assert_eq!(marks, [Mark::SaidBeforeLinked]);
    world.connect(0)?;
    world.carry()?;
    let ada = world.member(0, "ada")?;
    world.say(early, "*", "hi");
    world.cut(1);
    let marks = reached(|| world.connect(1))?;
    assert_eq!(marks, [Mark::LinkResumed, Mark::Resent]);
    world.carry()?;
    world.cut(1);
    world.say(early, "*", "hi");
    world.say(ada, "*", "hi");
    let marks = reached(|| world.wait(LEASE))?;
    let last = [
        Mark::ConnectorExpired,
        Mark::AnsweredWithoutDead,
        Mark::LeaseRanOut,
        Mark::RequestsRefused,
        Mark::SessionsGivenUp,
    ];
    assert_eq!(marks, last);
    Ok(())
}

#[test]
fn sessions_close_while_they_enter_and_a_connector_stops() -> Result {
    let mut world = World::new()?;
    let [ada, bob] = [world.member(0, "ada")?, world.member(1, "bob")?];
    let cat = world.open(0);
    world.enter(cat, "cat");
    assert_eq!(
        reached(|| {
            world.close(cat);
            Ok(())
        })?,
        [Mark::ClosedWhileEntering]
    );
    world.say(ada, "*", "hi");
    world.enter_room(ada, "ada", "attic");
    assert_eq!(
        reached(|| {
            world.close(ada);
            Ok(())
        })?,
        [Mark::ClosedBeforeAsking]
    );
    for marks in [&[Mark::StoppedWithSessions][..], &[]] {
        let stopped = reached(|| {
            world.connectors[1].stop();
            Ok(())
        })?;
        assert_eq!(stopped, marks);
    }
    assert_eq!(world.heard(bob).len(), 1, "the kick");
    Ok(())
}
