//! Single users against a whole cluster on real sockets: what their scripts make them do, and what
//! they write down.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use cluster::connection::Transport;
use cluster::embedded::{self, Size};
use cluster::net::Tcp;
use cluster::options::Options;
use cluster::process::Running;
use loadgen::address::Address;
use loadgen::history::{Event, MessageId, Recorder, Target, What};
use loadgen::record::Record;
use loadgen::script::{Action, Do, Purpose, Reconnect, Script, rng_of};
use loadgen::swarm::Swarm;
use loadgen::user::{Access, Patience};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::time::Instant;

type Outcome = Result<(), Box<dyn Error>>;

const ANN: u32 = 1;
const BOB: u32 = 2;

#[tokio::test]
async fn a_user_enters_sends_and_leaves() -> Outcome {
    let history = play([script(
        ANN,
        [
            (0, Do::Login),
            (300, Do::Send(Target::Room)),
            (600, Do::Leave),
        ],
    )])
    .await?;
    let message = message(ANN, 1);
    let is_entering = |what: &What| matches!(what, What::Entering { room, .. } if room == "room");
    let is_located = |what: &What| matches!(what, What::Located { .. });
    // Whether the answer or the message itself comes first is not promised.
    let mut seen: Vec<_> = history.into_iter().map(|event| event.what).collect();
    let heard = What::Heard {
        message: Some(message),
        from: name(ANN),
        target: Target::Room,
    };
    let heard_at = seen.iter().position(|what| *what == heard);
    seen.remove(heard_at.ok_or("it did not hear itself")?);
    assert_eq!(seen.len(), 8, "{seen:#?}");
    let due = Duration::ZERO;
    assert_eq!(seen[0], What::Login { due });
    assert!(is_located(&seen[1]), "{:?}", seen[1]);
    assert_eq!(seen[2], What::Connected);
    assert!(is_entering(&seen[3]), "{:?}", seen[3]);
    assert_eq!(
        seen[4],
        What::Entered {
            users: vec![name(ANN)]
        }
    );
    assert_eq!(
        seen[5],
        What::Sending {
            message,
            due: Duration::from_millis(300),
            target: Target::Room
        }
    );
    assert_eq!(seen[6], What::Answered { message, ok: true });
    assert!(matches!(seen[7], What::Leaving { .. }), "{:?}", seen[7]);
    Ok(())
}

#[tokio::test]
async fn a_send_that_is_due_out_of_a_room_is_noted_as_unsent() -> Outcome {
    let send = || Do::Send(Target::Room);
    let history = play([script(
        ANN,
        [
            (0, send()),
            (100, Do::Login),
            (400, Do::Leave),
            (500, send()),
        ],
    )])
    .await?;
    let unsent: Vec<_> = seen_by(&history, ANN)
        .filter_map(|what| match what {
            What::Unsent { due } => Some(due.as_millis()),
            _ => None,
        })
        .collect();
    assert_eq!(unsent, [0, 500]);
    assert!(!seen_by(&history, ANN).any(|what| matches!(what, What::Sending { .. })));
    Ok(())
}

#[tokio::test]
async fn nobody_sends_on_the_way_from_one_room_to_another() -> Outcome {
    let other = Do::Enter {
        room: "other".to_owned(),
    };
    let history = play([script(
        ANN,
        [
            (0, Do::Login),
            (400, other),
            (400, Do::Send(Target::Room)),
            (700, Do::Send(Target::Room)),
            (900, Do::Leave),
        ],
    )])
    .await?;
    let due = Duration::from_millis(400);
    assert!(seen_by(&history, ANN).any(|what| *what == What::Unsent { due }));
    let answered: Vec<_> = seen_by(&history, ANN)
        .filter_map(|what| match what {
            What::Answered { message, ok } => Some((*message, *ok)),
            _ => None,
        })
        .collect();
    assert_eq!(answered, [(message(ANN, 1), true)]);
    Ok(())
}

#[tokio::test]
async fn who_cannot_wait_is_heard_in_the_room_it_asked_for_and_refused_before() -> Outcome {
    let other = String::from("other");
    let history = play([script(
        ANN,
        [
            (0, Do::SendAtOnce(Target::Room)),
            (10, Do::Login),
            (11, Do::SendAtOnce(Target::Room)),
            (300, Do::Enter { room: other }),
            (300, Do::SendAtOnce(Target::Room)),
            (600, Do::Leave),
        ],
    )])
    .await?;
    let seen: Vec<_> = seen_by(&history, ANN).collect();
    let mut answers = vec![];
    for what in &seen {
        match what {
            What::Entered { .. } => answers.push(None),
            What::Answered { message, ok } => answers.push(Some((message.number, *ok))),
            _ => {}
        }
    }
    let behind = |number| Some((number, true));
    let first = Some((1, false));
    assert_eq!(answers, [first, None, behind(2), None, behind(3)]);
    let place = |wanted: &dyn Fn(&What) -> bool| seen.iter().position(|what| wanted(what));
    let says = |number| {
        place(&|what| matches!(what, What::Sending { message, .. } if message.number == number))
    };
    let asks = place(&|what| matches!(what, What::Entering { .. }));
    assert!(says(1) < asks && asks < says(2), "{seen:#?}");
    Ok(())
}

#[tokio::test]
async fn a_user_that_goes_to_another_room_is_seen_leaving_and_coming() -> Outcome {
    let mut bob = script(BOB, [(0, Do::Login), (900, Do::Leave)]);
    bob.room = "other".to_owned();
    let other = Do::Enter {
        room: "other".to_owned(),
    };
    let history = play([
        script(ANN, [(300, Do::Login), (600, other), (800, Do::Leave)]),
        bob,
    ])
    .await?;
    let entered: Vec<_> = seen_by(&history, ANN)
        .filter_map(|what| match what {
            What::Entered { users } => Some(users.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(entered.len(), 2);
    assert_eq!(entered[0], [name(ANN)]);
    assert_eq!(entered[1].len(), 2);
    assert!(seen_by(&history, BOB).any(|what| *what == What::Added { name: name(ANN) }));
    assert!(seen_by(&history, BOB).any(|what| *what == What::Left { name: name(ANN) }));
    Ok(())
}

#[tokio::test]
async fn a_user_whose_name_is_taken_comes_back_until_it_is_free() -> Outcome {
    let mut twin = script(BOB, [(300, Do::Login), (2500, Do::Leave)]);
    twin.name = name(ANN);
    twin.reconnect = Some(Reconnect {
        base: Duration::from_millis(100),
        max: Duration::from_millis(200),
    });
    let history = play([script(ANN, [(0, Do::Login), (900, Do::Leave)]), twin]).await?;
    let refused = seen_by(&history, BOB)
        .filter(|what| **what == What::Refused { duplicate: true })
        .count();
    assert!(refused >= 2, "{refused}");
    assert!(seen_by(&history, BOB).any(|what| matches!(what, What::Entered { .. })));
    // All of it is one wait.
    let dues = seen_by(&history, BOB).filter_map(|what| match what {
        What::Login { due } => Some(due.as_millis()),
        _ => None,
    });
    assert!(dues.eq(vec![300; refused + 1]));
    // A new login for each attempt.
    let last = history.iter().rfind(|event| event.user == BOB);
    assert_eq!(
        last.map(|event| event.login as usize),
        Some(refused + 1),
        "{last:?}"
    );
    Ok(())
}

#[tokio::test]
async fn who_has_no_reconnect_does_not_come_back() -> Outcome {
    let mut twin = script(BOB, [(300, Do::Login), (900, Do::Leave)]);
    twin.name = name(ANN);
    let history = play([script(ANN, [(0, Do::Login), (900, Do::Leave)]), twin]).await?;
    let logins = seen_by(&history, BOB).filter(|what| matches!(what, What::Login { .. }));
    assert_eq!(logins.count(), 1);
    Ok(())
}

#[tokio::test]
async fn a_vanished_user_is_missed_only_when_its_heartbeats_fail_to_come() -> Outcome {
    let history = play([
        script(ANN, [(0, Do::Login), (500, Do::Vanish)]),
        script(BOB, [(0, Do::Login), (4500, Do::Leave)]),
    ])
    .await?;
    let left = history
        .iter()
        .find(|event| event.what == What::Left { name: name(ANN) })
        .ok_or("nobody missed it")?;
    // A closed connection would have shown at once; heartbeats of 1 s take at least one more.
    assert!(left.at > Duration::from_millis(1400), "{:?}", left.at);
    Ok(())
}

#[tokio::test]
async fn a_deaf_user_is_heard_but_hears_nothing() -> Outcome {
    let history = play([
        script(
            ANN,
            [
                (0, Do::Login),
                (300, Do::Deafen),
                (400, Do::Send(Target::Room)),
                // Its heartbeats keep it in the room for longer than silence would.
                (3900, Do::Send(Target::Room)),
                (4200, Do::Leave),
            ],
        ),
        script(BOB, [(0, Do::Login), (4200, Do::Leave)]),
    ])
    .await?;
    for number in [1, 2] {
        let heard = |what: &What| matches!(what, What::Heard { message: Some(heard), .. } if *heard == message(ANN, number));
        assert!(seen_by(&history, BOB).any(heard), "{number}");
        assert!(!seen_by(&history, ANN).any(heard), "{number}");
    }
    Ok(())
}

#[tokio::test]
async fn a_user_that_listens_again_hears_what_it_missed_and_keeps_its_connection() -> Outcome {
    let patience = Patience {
        answer: Duration::from_millis(300),
        ..Patience::default()
    };
    let history = play_with(
        patience,
        [
            script(
                ANN,
                [
                    (0, Do::Login),
                    (300, Do::Deafen),
                    (400, Do::Send(Target::Room)),
                    (1000, Do::Listen),
                    (1500, Do::Leave),
                ],
            ),
            script(
                BOB,
                [
                    (0, Do::Login),
                    (500, Do::Send(Target::Room)),
                    (1500, Do::Leave),
                ],
            ),
        ],
    )
    .await?;
    let mut heard = history.iter().filter(|event| event.user == ANN);
    let of_bob = heard.find(
        |event| matches!(event.what, What::Heard { message: Some(of), .. } if of == message(BOB, 1)),
    );
    let at = of_bob.ok_or("it never heard")?.at;
    assert!(at >= Duration::from_millis(1000), "{at:?}");
    // The answer to what it sent was there all the time: it is not late.
    let closed = |what: &What| matches!(what, What::Closed { .. });
    assert!(!seen_by(&history, ANN).any(closed));
    Ok(())
}

#[tokio::test]
async fn a_private_message_reaches_its_target_only() -> Outcome {
    let history = play([
        script(
            ANN,
            [
                (0, Do::Login),
                (400, Do::Send(Target::User(name(BOB)))),
                (700, Do::Leave),
            ],
        ),
        script(BOB, [(0, Do::Login), (700, Do::Leave)]),
    ])
    .await?;
    let heard = |user| seen_by(&history, user).any(|what| matches!(what, What::Heard { .. }));
    assert!(heard(BOB) && !heard(ANN));
    Ok(())
}

#[tokio::test]
async fn without_a_gate_each_login_fails_and_says_why() -> Outcome {
    let mut ann = script(ANN, [(0, Do::Login), (500, Do::Leave)]);
    ann.reconnect = Some(Reconnect {
        base: Duration::from_millis(50),
        max: Duration::from_millis(50),
    });
    // Nothing listens on port 1 of a machine that runs tests.
    let nowhere = Address {
        host: "127.0.0.1".to_owned(),
        port: 1,
    };
    let (history, running) = play_at(nowhere, Patience::default(), [ann]).await;
    assert_eq!(running, 0);
    let reasons: Vec<_> = seen_by(&history, ANN)
        .filter_map(|what| match what {
            What::LoginFailed { reason } => Some(reason.clone()),
            _ => None,
        })
        .collect();
    assert!(reasons.len() >= 5, "{reasons:?}");
    assert!(reasons[0].contains("127.0.0.1:1"), "{}", reasons[0]);
    Ok(())
}

#[tokio::test]
async fn who_stays_for_ever_is_stopped_when_the_run_is_over() -> Outcome {
    let cluster = start().await?;
    let (host, port) = cluster.gate().ok_or("a cluster has a gate")?;
    let gate = Address {
        host: host.to_owned(),
        port,
    };
    let (history, running) =
        play_at(gate, Patience::default(), [script(ANN, [(0, Do::Login)])]).await;
    assert_eq!(running, 1);
    let last = history.last().map(|event| &event.what);
    assert!(matches!(last, Some(What::Entered { .. })), "{last:?}");
    Ok(())
}

/// Plays `scripts` on a cluster of their own.
async fn play<const USERS: usize>(scripts: [Script; USERS]) -> Result<Vec<Event>, Box<dyn Error>> {
    play_with(Patience::default(), scripts).await
}

async fn play_with<const USERS: usize>(
    patience: Patience,
    scripts: [Script; USERS],
) -> Result<Vec<Event>, Box<dyn Error>> {
    let cluster = start().await?;
    let (host, port) = cluster.gate().ok_or("a cluster has a gate")?;
    let gate = Address {
        host: host.to_owned(),
        port,
    };
    let (history, running) = play_at(gate, patience, scripts).await;
    assert_eq!(running, 0, "all scripts end");
    cluster.stop().await?;
    Ok(history)
}

async fn start() -> Result<Running, Box<dyn Error>> {
    let options = Options {
        heartbeat: Duration::from_secs(1),
        ..Options::default()
    };
    let mut rng = StdRng::seed_from_u64(1);
    Ok(embedded::start(Size::default(), options, &mut rng).await?)
}

/// Plays `scripts` on the cluster behind `gate`; says also how many had not ended after 10 s.
async fn play_at<const USERS: usize>(
    gate: Address,
    patience: Patience,
    scripts: [Script; USERS],
) -> (Vec<Event>, usize) {
    let access = Access {
        gate,
        transport: Transport::WebSocket,
        memory: Arc::default(),
        patience,
    };
    let recorder = Recorder::new(Instant::now());
    let with_rng = |script: Script| {
        let rng = rng_of(1, script.user, Purpose::Life);
        (script, rng)
    };
    let stop_at = recorder.started_at() + Duration::from_secs(10);
    let network = Tcp::loopback();
    let scripts = scripts.into_iter().map(with_rng);
    let mut swarm = Swarm::start(scripts, &network, &access, &recorder);
    let running = swarm.ended(stop_at).await;
    (recorder.take(), running)
}

fn script<const ACTIONS: usize>(user: u32, actions: [(u64, Do); ACTIONS]) -> Script {
    let action = |(at_ms, what)| Action {
        at: Duration::from_millis(at_ms),
        what,
    };
    Script {
        user,
        name: name(user),
        gate_key: None,
        room: "room".to_owned(),
        message_len: 0,
        actions: actions.into_iter().map(action).collect(),
        reconnect: None,
    }
}

fn name(user: u32) -> String {
    format!("user-{user}")
}

fn message(user: u32, number: u32) -> MessageId {
    MessageId {
        user,
        login: 1,
        number,
    }
}

fn seen_by(history: &[Event], user: u32) -> impl Iterator<Item = &What> {
    history
        .iter()
        .filter(move |event| event.user == user)
        .map(|event| &event.what)
}
