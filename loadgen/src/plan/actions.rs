//! All that a user does, drawn one after the other: the lives of a hundred thousand users are long,
//! and nobody needs more of each than what comes next.

use std::iter::Peekable;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use std::vec;

use rand::rngs::StdRng;

use super::moves::Life;
use super::think::exponential;
use super::{LoadPlan, Sends, Spacing, Stage};
use crate::history::Target;
use crate::script::{Action, Do, Purpose, rng_of};

/// The actions of one user, in the order of time.
#[derive(Clone, Debug)]
pub struct Actions {
    stages: Arc<[Stage]>,
    user: u32,
    rng: StdRng,
    moves: Peekable<vec::IntoIter<Action>>,
    sends_from: Duration,
    silences: Vec<Range<Duration>>,
    /// The stage that the next send is in.
    stage: usize,
    /// How far this user is in that stage, if it has begun it.
    progress: Option<Progress>,
    next_send: Option<Duration>,
}

/// How far a user is in the sends of a stage.
#[derive(Clone, Copy, Debug)]
enum Progress {
    /// It has sent so often.
    Turns(u32),
    /// All together have sent so often, if all send as this one does.
    Amount(f64),
    /// It sent then.
    Time(Duration),
}

impl Actions {
    /// What `user` does, who lives `life`.
    pub(super) fn new(plan: &LoadPlan, user: u32, life: Life) -> Self {
        let mut actions = Self {
            stages: Arc::clone(&plan.stages),
            user,
            rng: rng_of(plan.seed, user, Purpose::Script),
            moves: life.moves.into_iter().peekable(),
            sends_from: life.sends_from,
            silences: life.silences,
            stage: 0,
            progress: None,
            next_send: None,
        };
        actions.next_send = actions.draw_send();
        actions
    }

    /// When this user sends next; it passes over the times at which it is silent.
    fn draw_send(&mut self) -> Option<Duration> {
        let stages = Arc::clone(&self.stages);
        while let Some(stage) = stages.get(self.stage) {
            match self.draw_in(stage) {
                Some(at) if self.silences.iter().any(|it| it.contains(&at)) => {}
                Some(at) => return Some(at),
                None => {
                    self.stage += 1;
                    self.progress = None;
                }
            }
        }
        None
    }

    fn draw_in(&mut self, stage: &Stage) -> Option<Duration> {
        match stage.sends.as_ref()? {
            Sends::Rate { .. } if self.user >= stage.present => None,
            Sends::Rate { curve, spacing } => {
                let present = f64::from(stage.present);
                let amount = match (spacing, self.progress) {
                    (Spacing::Even, progress) => {
                        let turn = match progress {
                            Some(Progress::Turns(turns)) => turns,
                            _ => 0,
                        };
                        self.progress = Some(Progress::Turns(turn + 1));
                        f64::from(turn) * present + f64::from(self.user) + 0.5
                    }
                    (Spacing::Poisson, progress) => {
                        let before = match progress {
                            Some(Progress::Amount(amount)) => amount,
                            _ => 0.0,
                        };
                        let amount = before + exponential(&mut self.rng) * present;
                        self.progress = Some(Progress::Amount(amount));
                        amount
                    }
                };
                Some(stage.starts_at + curve.time_of(amount)?)
            }
            Sends::Think(think) => {
                let from = stage.starts_at.max(self.sends_from);
                if from >= stage.ends_at {
                    return None;
                }
                let at = match self.progress {
                    Some(Progress::Time(last)) => last + think.draw(&mut self.rng),
                    _ => from + think.draw_rest(&mut self.rng),
                };
                self.progress = Some(Progress::Time(at));
                (at < stage.ends_at).then_some(at)
            }
        }
    }
}

impl Iterator for Actions {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        // Behind the last move the user is gone.
        let moving_at = self.moves.peek()?.at;
        match self.next_send {
            Some(at) if at < moving_at => {
                self.next_send = self.draw_send();
                let what = Do::Send(Target::Room);
                Some(Action { at, what })
            }
            _ => self.moves.next(),
        }
    }
}
