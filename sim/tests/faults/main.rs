//! What each fault looks like to the peers of the one that it hits: what they read, with which
//! error, and when; and that its end ends it. Crashes, power cuts, cuts, holds and pauses are in
//! `network.rs`. What is made of several faults: those that come again and again in `again.rs`,
//! those that happen at several places in `many.rs`. What users do is in `users.rs`, and what vandals do in
//! `vandals.rs`.

mod again;
mod many;
mod users;
mod vandals;
mod world;

use std::time::Duration;

use sim::fault::Fault;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep, sleep_until};

use world::{
    LATENCY_MS, Result, SECOND, SPOKEN, USER, World, ask, dial, echo, link, read_on, speak,
};

/// Waits until the fault has happened. Time is simulated: the test injects it one second after the
/// start, however long that takes.
async fn the_fault() {
    sleep(2 * SECOND).await;
}

#[test]
fn a_reset_is_read_at_both_ends_at_once() -> Result {
    let mut world = World::new(
        |stream, notes| read_on(stream, notes, "server"),
        |network, notes| async move { read_on(dial(&network).await?, notes, "client").await },
    );
    world.run_for(SECOND)?;
    assert!(world.apply(reset()), "there is a connection");
    // Sooner than a goodbye of the other end could come.
    world.run_for(Duration::from_millis(2))?;
    assert_eq!(world.told(), ["server: reset", "client: reset"]);

    world.run_for(SECOND)?;
    assert!(!world.apply(reset()), "there is no connection any more");
    Ok(())
}

#[test]
fn who_writes_on_a_connection_that_was_reset_is_told() -> Result {
    let mut world = World::new(echo, |network, notes| async move {
        let mut stream = dial(&network).await?;
        stream.write_all(b"before").await?;
        the_fault().await;
        let written = stream.write_all(b"after").await;
        notes.add(written.map_or_else(|error| error.kind().to_string(), |()| "written".into()));
        Ok(())
    });
    world.run_for(SECOND)?;
    world.apply(reset());
    world.run_for(2 * SECOND)?;
    assert_eq!(world.told(), ["connection reset"]);
    Ok(())
}

#[test]
fn a_connection_that_is_opened_after_a_reset_carries() -> Result {
    let mut world = World::new(echo, |network, notes| async move {
        let _reset = dial(&network).await?;
        the_fault().await;
        ask(&mut dial(&network).await?).await?;
        notes.add("heard again");
        Ok(())
    });
    world.run_for(SECOND)?;
    world.apply(reset());
    world.run_for(2 * SECOND)?;
    assert_eq!(world.told(), ["heard again"]);
    Ok(())
}

#[test]
fn a_reset_between_others_is_not_seen() -> Result {
    let mut world = World::new(echo, |network, notes| async move {
        let mut stream = dial(&network).await?;
        the_fault().await;
        ask(&mut stream).await?;
        notes.add("heard");
        Ok(())
    });
    world.run_for(SECOND)?;
    let fault = Fault::Reset {
        a: "server".into(),
        b: "another".into(),
    };
    assert!(!world.apply(fault));
    world.run_for(2 * SECOND)?;
    assert_eq!(world.told(), ["heard"]);
    Ok(())
}

#[test]
fn a_slow_host_gets_to_what_it_is_woken_for_later_and_only_while_it_is_slow() -> Result {
    let mut world = World::new(echo, |network, notes| async move {
        let mut stream = dial(&network).await?;
        // One question a second.
        for number in 1.. {
            sleep_until(Instant::now() + SECOND).await;
            let took_ms = ask(&mut stream).await?.as_millis() as u64 - 2 * LATENCY_MS;
            notes.add(format!("question {number}: {}", took_ms / 100));
        }
        Ok(())
    });
    let host = || String::from("server");
    world.run_for(3 * SECOND / 2)?;
    world.apply(Fault::Slow {
        host: host(),
        // The task of the connection is woken once for each question.
        delay: Duration::from_millis(100),
    });
    world.run_for(SECOND)?;
    world.apply(Fault::Quick { host: host() });
    world.run_for(SECOND)?;
    assert_eq!(
        world.told(),
        ["question 1: 0", "question 2: 1", "question 3: 0"]
    );
    Ok(())
}

#[test]
fn a_slow_reader_takes_its_bytes_a_second_and_all_that_waits_when_it_may() -> Result {
    let mut world = World::new(speak, |network, notes| async move {
        let mut stream = dial(&network).await?;
        let mut buffer = [0; 4096];
        let mut taken = 0;
        for part in [1000, SPOKEN] {
            while taken < part {
                taken += stream.read(&mut buffer).await?;
            }
            notes.add(format!("{part} bytes"));
        }
        Ok(())
    });
    world.apply(Fault::Throttle {
        user: USER,
        bytes_per_s: 500,
    });
    world.run_for(4 * SECOND)?;
    assert_eq!(world.told(), ["1000 bytes"]);
    // A twentieth of a second's bytes at a time, each followed by a pause of whole milliseconds.
    let (at_ms, _) = world.notes()[0];
    assert!((1900..=2100).contains(&at_ms), "at {at_ms} ms");

    world.apply(Fault::Unthrottle { user: USER });
    world.run_for(SECOND / 100)?;
    assert_eq!(world.told(), ["1000 bytes", "5000 bytes"]);
    Ok(())
}

#[test]
fn a_slow_reader_holds_up_nobody_else() -> Result {
    let mut world = World::new(echo, |network, notes| async move {
        ask(&mut dial(&network).await?).await?;
        notes.add("heard");
        Ok(())
    });
    let user = USER + 1;
    world.apply(Fault::Throttle {
        user,
        bytes_per_s: 1,
    });
    world.run_for(SECOND)?;
    assert_eq!(world.told(), ["heard"]);
    Ok(())
}

#[test]
fn what_one_says_can_be_lost_while_the_other_is_heard() -> Result {
    let mut world = World::new(
        |mut stream, notes| async move {
            the_fault().await;
            stream.write_all(b"?").await?;
            read_on(stream, notes, "server").await
        },
        |network, notes| async move {
            let mut stream = dial(&network).await?;
            the_fault().await;
            stream.write_all(b"!").await?;
            read_on(stream, notes, "client").await
        },
    );
    world.run_for(SECOND)?;
    world.apply(Fault::PartitionOneway {
        from: "client".into(),
        to: "server".into(),
    });
    world.run_for(2 * SECOND)?;
    assert_eq!(world.told(), ["client: bytes"]);
    let [a, b] = link();
    world.apply(Fault::Repair { a, b });
    world.run_for(SECOND)?;
    assert_eq!(world.told(), ["client: bytes"], "what was lost stays lost");
    Ok(())
}

#[test]
fn who_dials_over_a_link_that_is_cut_or_without_power_is_told_nothing_until_its_repair() -> Result {
    let [a, b] = link();
    let power_cut = Fault::Crash {
        host: String::from("server"),
        goodbye: false,
    };
    for cut in [Fault::Partition { a, b }, power_cut] {
        let mut world = World::new(echo, |network, notes| async move {
            the_fault().await;
            let took = ask(&mut dial(&network).await?).await;
            notes.add(took.map_or("an error", |_| "heard"));
            Ok(())
        });
        world.run_for(SECOND)?;
        world.apply(cut.clone());
        world.run_for(5 * SECOND)?;
        assert_eq!(world.told(), [""; 0], "{cut}");
        world.apply(cut.heal().ok_or("it has an end")?);
        // It was dialled at 2, 3 and 5 s, and is again at 9 s.
        world.run_until(9 * SECOND + SECOND / 10)?;
        assert_eq!(world.told(), ["heard"], "{cut}");
        assert!(world.notes()[0].0 >= 9000, "{:?}", world.notes());
    }
    Ok(())
}

#[test]
fn a_process_that_is_asked_to_stop_ends_and_is_started_again() -> Result {
    let mut world = World::new(echo, |network, notes| async move {
        read_on(dial(&network).await?, notes.clone(), "client").await?;
        the_fault().await;
        ask(&mut dial(&network).await?).await?;
        notes.add("heard again");
        Ok(())
    });
    let host = || String::from("server");
    world.run_for(SECOND)?;
    assert!(world.apply(Fault::Stop { host: host() }));
    world.run_for(SECOND)?;
    assert_eq!(world.told(), ["client: end"]);
    world.apply(Fault::Restart { host: host() });
    world.run_for(2 * SECOND)?;
    assert_eq!(world.told(), ["client: end", "heard again"]);
    Ok(())
}

#[test]
fn what_is_done_to_a_process_that_is_down_or_to_a_user_without_a_connection_does_not_count()
-> Result {
    let mut world = World::new(echo, |network, _notes| async move {
        let _stream = dial(&network).await?;
        the_fault().await;
        Ok(())
    });
    let host = || String::from("server");
    let goodbye = true;
    let delay = Duration::from_millis(1);
    let crash = || Fault::Crash {
        host: host(),
        goodbye,
    };
    let stop = || Fault::Stop { host: host() };
    let others = || {
        let host = host();
        let slow = Fault::Slow {
            host: host.clone(),
            delay,
        };
        [Fault::Pause { host }, slow]
    };
    let throttle = |user| Fault::Throttle {
        user,
        bytes_per_s: 1000,
    };
    world.run_for(SECOND)?;
    assert!(world.apply(throttle(USER)));
    assert!(!world.apply(throttle(USER + 1)), "this one never connects");
    for fault in others() {
        assert!(world.apply(fault.clone()), "{fault}");
        world.apply(fault.heal().ok_or("it has an end")?);
    }
    for end in [crash(), stop()] {
        assert!(world.apply(end.clone()), "{end}");
        world.run_for(SECOND)?;
        for fault in others() {
            assert!(!world.apply(fault.clone()), "{fault} after {end}");
            world.apply(fault.heal().ok_or("it has an end")?);
        }
        for fault in [crash(), stop()] {
            assert!(!world.apply(fault.clone()), "{fault} after {end}");
        }
        world.apply(Fault::Restart { host: host() });
        world.run_for(SECOND)?;
    }
    world.run_for(SECOND)?;
    assert!(!world.apply(throttle(USER)), "it has gone");
    Ok(())
}

#[test]
fn a_latency_is_what_a_way_takes_from_then_on() -> Result {
    let mut world = World::new(echo, |network, notes| async move {
        let mut stream = dial(&network).await?;
        the_fault().await;
        let took = ask(&mut stream).await?;
        notes.add(format!("{} ms", took.as_millis()));
        Ok(())
    });
    world.run_for(SECOND)?;
    let [a, b] = link();
    let latency = Duration::from_millis(150);
    world.apply(Fault::Latency { a, b, latency });
    world.run_for(2 * SECOND)?;
    assert_eq!(world.told(), ["300 ms"]);
    Ok(())
}

fn reset() -> Fault {
    let [a, b] = link();
    Fault::Reset { a, b }
}
