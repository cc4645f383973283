//! When a user is there and listens: it comes, goes, comes back, changes rooms, stops reading.

use std::ops::Range;
use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

use super::think::{exponential, seconds};
use super::{LoadPlan, Stage};
use crate::script::{Action, Do, Purpose, rng_of};

/// Who goes, comes back and changes rooms in a stage: users per second, all together, of those who
/// came in the stages before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Churn {
    /// Go for good.
    pub leave: f64,
    /// Go, and come back after `away`.
    pub rejoin: f64,
    /// Until they come back.
    pub away: Duration,
    /// Go to the neighbouring room on the same connection, and with the next switch back.
    pub switch: f64,
}

/// Many go at once and come back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Storm {
    /// Since the start of the stage.
    pub after: Duration,
    /// How many of a hundred of those who came in the stages before.
    pub percent: f64,
    /// They come back at any time within this.
    pub within: Duration,
}

/// Who stops reading now and then.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlowReaders {
    /// How many of a hundred users.
    pub percent: f64,
    /// How long they do not read.
    pub pause: Duration,
    /// From one pause to the next.
    pub every: Duration,
}

/// When a user is where.
#[derive(Clone, Debug, PartialEq)]
pub struct Life {
    /// From when on it can send.
    pub sends_from: Duration,
    /// All that it does but for sending, in the order of time; it ends with a leave.
    pub moves: Vec<Action>,
    /// When it does not send, since it is away, about to go or just back.
    pub silences: Vec<Range<Duration>>,
}

/// Something that a user may do, unless it is busy with something else then.
#[derive(Clone, Copy, Debug)]
struct Move {
    from: Duration,
    until: Duration,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Storm,
    Rejoin,
    Leave,
    Switch,
    Pause,
}

/// Draws when `user` is where.
pub fn life(plan: &LoadPlan, user: u32) -> Life {
    let (coming, arrival) = plan.arrival(user);
    let mut life = Life {
        sends_from: arrival + plan.settle,
        moves: vec![action(arrival, Do::Login)],
        silences: Vec::new(),
    };
    if plan.has_namesake(user) {
        life.moves.push(action(plan.leaves_at(user), Do::Leave));
        return life;
    }
    let mut rng = rng_of(plan.seed, user, Purpose::Moves);
    let mut moves = Vec::new();
    for stage in &plan.stages[coming + 1..] {
        moves.extend(storm(stage, &mut rng));
        moves.extend(churn(stage, &mut rng));
    }
    moves.extend(pauses(plan, life.sends_from, &mut rng));
    moves.sort_by_key(|it| it.from);
    follow(plan, user, &moves, &mut life);
    life
}

fn storm(stage: &Stage, rng: &mut StdRng) -> Option<Move> {
    let storm = stage.storm?;
    if rng.random::<f64>() * 100.0 >= storm.percent {
        return None;
    }
    let from = stage.starts_at + storm.after;
    let away_s = storm.within.as_secs_f64() * rng.random::<f64>();
    Some(Move {
        from,
        until: from + seconds(away_s),
        kind: Kind::Storm,
    })
}

fn churn(stage: &Stage, rng: &mut StdRng) -> Vec<Move> {
    let Some(churn) = stage.churn else {
        return Vec::new();
    };
    let mut moves = Vec::new();
    for (rate, kind, away) in [
        (churn.leave, Kind::Leave, Duration::ZERO),
        (churn.rejoin, Kind::Rejoin, churn.away),
        (churn.switch, Kind::Switch, Duration::ZERO),
    ] {
        let mut from = stage.starts_at;
        loop {
            from += seconds(exponential(rng) * f64::from(stage.present) / rate);
            if from >= stage.ends_at {
                break;
            }
            let until = from + away;
            moves.push(Move { from, until, kind });
        }
    }
    moves
}

fn pauses(plan: &LoadPlan, from: Duration, rng: &mut StdRng) -> Vec<Move> {
    let Some(slow) = plan.slow_readers else {
        return Vec::new();
    };
    if rng.random::<f64>() * 100.0 >= slow.percent {
        return Vec::new();
    }
    let first = from + seconds(slow.every.as_secs_f64() * rng.random::<f64>());
    let mut pauses = Vec::new();
    let mut from = first;
    while from < plan.stages_end_at() {
        pauses.push(Move {
            from,
            until: from + slow.pause,
            kind: Kind::Pause,
        });
        from += slow.every;
    }
    pauses
}

/// Does those of `moves`, which are in the order of time, that go together, with `settle` between
/// them; of two that do not, the earlier, but a storm before all else: it is for many at once.
fn follow(plan: &LoadPlan, user: u32, moves: &[Move], life: &mut Life) {
    let settle = plan.settle;
    let storms: Vec<&Move> = moves.iter().filter(|it| it.kind == Kind::Storm).collect();
    let mut room = plan.rooms.room_of(user);
    let mut free_from = life.sends_from;
    for it in moves {
        let spoils =
            |storm: &&&Move| it.from < storm.until + settle && it.until + settle > storm.from;
        let is_spoiled = it.kind != Kind::Storm && storms.iter().any(|storm| spoils(&storm));
        if it.from < free_from || it.until + settle > plan.leave_at() || is_spoiled {
            continue;
        }
        let silent_until = if it.kind == Kind::Leave {
            plan.leave_at()
        } else {
            it.until + settle
        };
        life.silences
            .push(it.from.saturating_sub(settle)..silent_until);
        free_from = silent_until;
        match it.kind {
            Kind::Storm | Kind::Rejoin => {
                life.moves.push(action(it.from, Do::Leave));
                life.moves.push(action(it.until, Do::Login));
            }
            Kind::Leave => {
                life.moves.push(action(it.from, Do::Leave));
                return;
            }
            Kind::Switch => {
                room = plan.rooms.neighbour(room);
                let room = plan.room_name(room);
                life.moves.push(action(it.from, Do::Enter { room }));
            }
            Kind::Pause => {
                life.moves.push(action(it.from, Do::Deafen));
                life.moves.push(action(it.until, Do::Listen));
            }
        }
    }
    life.moves.push(action(plan.leaves_at(user), Do::Leave));
}

fn action(at: Duration, what: Do) -> Action {
    Action { at, what }
}
