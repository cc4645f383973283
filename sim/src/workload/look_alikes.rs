//! Users whose names and rooms run into each other: `a*b` in room `c`, and `a` in room `b*c`, are both
//! `a*b*c` to who writes a user as `name*room`.

use std::time::Duration;

use loadgen::history::Target;
use loadgen::script::{Action, Do, Script};
use rand::rngs::StdRng;

use super::{Drawing, action, draw_between, name_of};
use crate::scenario::Span;

/// Time from one whisper to the next.
const WHISPER_EVERY_MS: Span = Span::of(200..=800);
/// Where the second room's name begins.
const PREFIX: &str = "b";

impl Drawing<'_> {
    /// Two such users, through one connector, who whisper to themselves all the time. The first has
    /// a name that must be refused: it tries once, and once more when the run has settled.
    pub(super) fn look_alikes(&self, first: u32, rng: &mut StdRng) -> [Script; 2] {
        let room = self.draw_room(rng);
        let name = name_of(first);
        let seats = [
            (format!("{name}*{PREFIX}"), room.clone()),
            (name.clone(), format!("{PREFIX}*{room}")),
        ];
        let [refused, other] = seats.map(|(whose, room)| {
            let login_at = draw_between(Duration::ZERO, self.times.arrived_at, rng);
            let mut actions = vec![action(login_at, Do::Login)];
            self.add_whispers(&mut actions, login_at, &whose, rng);
            (whose, room, actions)
        });
        [(first, refused), (first + 1, other)].map(|(user, (whose, room, mut actions))| {
            let is_refused = user == first;
            if is_refused {
                let again_at = self.times.settled_at + WHISPER_EVERY_MS.draw_ms(rng);
                actions.push(action(again_at, Do::Login));
            }
            self.finish(&mut actions, rng);
            let mut script = self.script(user, whose, room, actions, rng);
            script.gate_key = Some(name.clone());
            if is_refused {
                script.reconnect = None;
            }
            script
        })
    }

    fn add_whispers(
        &self,
        actions: &mut Vec<Action>,
        from: Duration,
        whose: &str,
        rng: &mut StdRng,
    ) {
        let mut at = from;
        loop {
            at += WHISPER_EVERY_MS.draw_ms(rng);
            if at >= self.times.leaving_at {
                return;
            }
            let target = Target::User(whose.to_owned());
            actions.push(action(at, Do::Send(target)));
        }
    }
}
