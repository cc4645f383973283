//! Draws what each user of a run will do. A user's script depends on the scenario, the seed and
//! the user's number, and on nothing that happens in the run.

mod look_alikes;
mod overlap;
mod users;

use std::collections::BTreeSet;
use std::iter;
use std::time::Duration;

use cluster::topology::Topology;
use loadgen::history::Target;
use loadgen::script::{Action, Do, Reconnect, Script};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::kinds::FaultKind;
use crate::scenario::{Span, Times};
use crate::seeds::Seeds;
pub use users::{Habit, Users};

/// The users of one run.
pub struct Cast {
    /// The scripts; a script's index is its user's number.
    pub scripts: Vec<Script>,
    /// The first user that is a probe; all after it are too.
    pub probes_from: u32,
}

/// How many there are of what the scripts speak of.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Users, twins and probes not counted.
    pub users: u32,
    /// Rooms.
    pub rooms: u32,
    /// Pairs of twins.
    pub twins: u32,
    /// Pairs of look-alikes.
    pub look_alikes: u32,
}

/// Longest gap between the logins of two twins: as long as a login takes over slow links, so
/// that either can be first anywhere on the way.
const TWIN_GAP_MS: Span = Span::of(0..=60);
/// Time from a login until the user goes in the middle of it: it takes up to seven round trips.
const ENTERING_MS: Span = Span::of(1..=150);
/// The same for the user who is there so that somebody has the habit: shorter than any login.
const SURELY_ENTERING_MS: Span = Span::of(1..=10);
/// Time from an `enter` to what is said behind it: from at once to about as long as its answer
/// takes.
const RIGHT_BEHIND_MS: Span = Span::of(0..=20);
/// How many of a hundred users who can't wait speak even before they ask to enter.
const EARLIER_STILL_PERCENT: u32 = 20;
/// Time away of who leaves and comes back: from at once, while the server still works on the
/// leave, to longer than that can take.
const AWAY_MS: Span = Span::of(0..=1500);
/// Everybody leaves within this time.
const LEAVE_SPREAD_MS: Span = Span::of(0..=300);
/// Messages of one burst: more than a connection carries at once, less than any queue holds.
const BURST_LEN: Span = Span::of(5..=30);
/// A name that nobody has.
const NOBODY: &str = "nobody";
/// Probes speak this long after their login began, which takes a few round trips.
const PROBE_SPEAKS_AFTER: Duration = Duration::from_millis(1200);

/// Draws the scripts of a run that has those kinds of trouble that are `on`.
pub fn draw(
    users: &Users,
    on: &BTreeSet<FaultKind>,
    sizes: Sizes,
    topology: &Topology,
    times: &Times,
    reconnect: Reconnect,
    seeds: Seeds,
) -> Cast {
    let rng = &mut seeds.habits();
    let drawing = Drawing {
        users,
        sizes,
        rooms: room_names(sizes.rooms, topology),
        times,
        reconnect,
        private_percent: users.private_percent.draw(rng),
        habits: users.switched_on(on, rng),
    };
    let mut scripts = Vec::new();
    for user in 0..sizes.users {
        scripts.push(drawing.user(user, &mut seeds.script(user)));
    }
    for pair in 0..sizes.twins {
        let first = sizes.users + 2 * pair;
        scripts.extend(drawing.twins(first, topology, &mut seeds.script(first)));
    }
    for pair in 0..sizes.look_alikes {
        let first = sizes.users + 2 * (sizes.twins + pair);
        scripts.extend(drawing.look_alikes(first, &mut seeds.script(first)));
    }
    let probes_from = number(scripts.len());
    for room in 0..sizes.rooms {
        scripts.push(drawing.probe(probes_from + room, room));
    }
    Cast {
        scripts,
        probes_from,
    }
}

impl Users {
    fn switched_on(&self, on: &BTreeSet<FaultKind>, rng: &mut StdRng) -> Vec<(Habit, u32)> {
        let mut habits = self.habits.clone();
        if self.swarm {
            habits.retain(|(habit, _)| match habit.kind() {
                Some(kind) => on.contains(&kind),
                None => rng.random(),
            });
        }
        habits
    }
}

struct Drawing<'a> {
    users: &'a Users,
    sizes: Sizes,
    rooms: Vec<String>,
    times: &'a Times,
    reconnect: Reconnect,
    private_percent: u32,
    habits: Vec<(Habit, u32)>,
}

impl Drawing<'_> {
    fn user(&self, user: u32, rng: &mut StdRng) -> Script {
        let login_at = draw_between(Duration::ZERO, self.times.arrived_at, rng);
        let room = self.draw_room(rng);
        let mut actions = vec![action(login_at, Do::Login)];
        let sure = self.sure_habit(user);
        let habit = sure.or_else(|| self.draw_habit(rng));
        if let Some(habit) = habit {
            let entering_ms = match sure {
                Some(_) => SURELY_ENTERING_MS,
                None => ENTERING_MS,
            };
            self.add_habit(habit, entering_ms, &mut actions, &room, rng);
        }
        self.add_moves(&mut actions, &room, rng);
        if habit != Some(Habit::Idle) {
            self.add_sends(&mut actions, login_at, rng);
        }
        self.finish(&mut actions, rng);
        self.script(user, name_of(user), room, actions, rng)
    }

    /// Two users with one name; whoever comes second is refused and tries again later.
    fn twins(&self, first: u32, topology: &Topology, rng: &mut StdRng) -> [Script; 2] {
        let room = self.draw_room(rng);
        let name = name_of(first);
        let keys = keys_of_two_connectors(&name, topology);
        let mut actions = [Vec::new(), Vec::new()];
        let mut at = draw_between(Duration::ZERO, self.times.arrived_at, rng);
        while at < self.times.healed_at {
            let [one, other] = &mut actions;
            one.push(action(at, Do::Login));
            other.push(action(at + TWIN_GAP_MS.draw_ms(rng), Do::Login));
            let stay = Duration::from_millis(rng.random_range(500..3000));
            one.push(action(at + stay, Do::Leave));
            other.push(action(at + stay + TWIN_GAP_MS.draw_ms(rng), Do::Leave));
            at += stay + TWIN_GAP_MS.draw_ms(rng) + AWAY_MS.draw_ms(rng);
        }
        let [one, other] = actions;
        [(first, one), (first + 1, other)].map(|(user, mut actions)| {
            let gate_key = keys[usize::from(user != first)].clone();
            let login_at = actions.first().map_or(Duration::ZERO, |first| first.at);
            self.add_sends(&mut actions, login_at, rng);
            self.finish(&mut actions, rng);
            Script {
                gate_key: Some(gate_key),
                // One who is refused would otherwise knock until the other leaves.
                reconnect: None,
                ..self.script(user, name.clone(), room.clone(), actions, rng)
            }
        })
    }

    /// A new user for `room`, after everything: it must be let in and heard.
    fn probe(&self, user: u32, room: u32) -> Script {
        // Not all in one tick, so that no order of theirs is special.
        let login_at = self.times.settled_at + Duration::from_millis(20) * room;
        Script {
            user,
            name: format!("probe-{room}"),
            gate_key: None,
            room: self.rooms[room as usize].clone(),
            message_len: 0,
            actions: vec![
                action(login_at, Do::Login),
                action(login_at + PROBE_SPEAKS_AFTER, Do::Send(Target::Room)),
                action(self.times.leaving_at, Do::Leave),
            ],
            reconnect: None,
        }
    }

    fn script(
        &self,
        user: u32,
        name: String,
        room: String,
        actions: Vec<Action>,
        rng: &mut StdRng,
    ) -> Script {
        Script {
            user,
            name,
            gate_key: None,
            room,
            message_len: self.users.message_len.draw(rng) as usize,
            actions,
            reconnect: Some(self.reconnect),
        }
    }

    /// Of a swarm, one user for each habit that is on.
    fn sure_habit(&self, user: u32) -> Option<Habit> {
        let habit = self.habits.get(user as usize);
        habit.filter(|_| self.users.swarm).map(|(habit, _)| *habit)
    }

    fn draw_habit(&self, rng: &mut StdRng) -> Option<Habit> {
        let mut drawn = rng.random_range(0..100);
        self.habits.iter().find_map(|(habit, percent)| {
            let hit = drawn < *percent;
            drawn = drawn.saturating_sub(*percent);
            hit.then_some(*habit)
        })
    }

    fn add_habit(
        &self,
        habit: Habit,
        entering_ms: Span,
        actions: &mut Vec<Action>,
        room: &str,
        rng: &mut StdRng,
    ) {
        let login_at = actions[0].at;
        match habit {
            Habit::Rejoin => {
                for at in self.draw_times(rng) {
                    actions.push(action(at, Do::Leave));
                    actions.push(action(at + AWAY_MS.draw_ms(rng), Do::Login));
                }
            }
            Habit::Switch => {
                let mut room = room.to_owned();
                for at in self.draw_times(rng) {
                    // Where there is one room, the user asks for it again.
                    room = self.draw_other_room(&room, rng);
                    actions.push(action(at, Do::Enter { room: room.clone() }));
                }
            }
            Habit::Vanish => {
                let at = self.draw_time(rng);
                actions.push(action(at, Do::Vanish));
                self.add_return(actions, at, rng);
            }
            Habit::VanishEntering => {
                let at = login_at + entering_ms.draw_ms(rng);
                actions.push(action(at, Do::Vanish));
                self.add_return(actions, at, rng);
            }
            Habit::Hasty => {
                let mut at = login_at;
                for _ in 0..rng.random_range(1..=5) {
                    at += entering_ms.draw_ms(rng);
                    actions.push(action(at, Do::Leave));
                    at += AWAY_MS.draw_ms(rng);
                    actions.push(action(at, Do::Login));
                }
            }
            Habit::Eager => {
                if rng.random_range(0..100) < EARLIER_STILL_PERCENT {
                    let target = self.draw_target(rng);
                    actions.insert(0, action(login_at, Do::SendAtOnce(target)));
                }
                // What is due during the login is said as soon as that has come to `enter`.
                actions.push(action(login_at, Do::SendAtOnce(self.draw_target(rng))));
                let mut room = room.to_owned();
                for at in self.draw_times(rng) {
                    room = self.draw_other_room(&room, rng);
                    actions.push(action(at, Do::Enter { room: room.clone() }));
                    for _ in 0..rng.random_range(1..=3) {
                        let at = at + RIGHT_BEHIND_MS.draw_ms(rng);
                        actions.push(action(at, Do::SendAtOnce(self.draw_target(rng))));
                    }
                }
            }
            Habit::Deafen => actions.push(action(self.draw_time(rng), Do::Deafen)),
            Habit::Idle => {}
            Habit::Burst => {
                for at in self.draw_times(rng) {
                    for _ in 0..BURST_LEN.draw(rng) {
                        actions.push(action(at, Do::Send(self.draw_target(rng))));
                    }
                }
            }
        }
    }

    fn add_return(&self, actions: &mut Vec<Action>, at: Duration, rng: &mut StdRng) {
        if rng.random() {
            actions.push(action(at + AWAY_MS.draw_ms(rng), Do::Login));
        }
    }

    fn add_sends(&self, actions: &mut Vec<Action>, login_at: Duration, rng: &mut StdRng) {
        let mut at = login_at;
        loop {
            at += self.users.send_every_ms.draw_ms(rng);
            if at >= self.times.leaving_at {
                return;
            }
            actions.push(action(at, Do::Send(self.draw_target(rng))));
        }
    }

    fn finish(&self, actions: &mut Vec<Action>, rng: &mut StdRng) {
        let leaving_at = self.times.leaving_at + LEAVE_SPREAD_MS.draw_ms(rng);
        actions.push(action(leaving_at, Do::Leave));
        actions.sort_by_key(|action| action.at);
    }

    /// A time while faults happen.
    fn draw_time(&self, rng: &mut StdRng) -> Duration {
        draw_between(self.times.arrived_at, self.times.healed_at, rng)
    }

    fn draw_times(&self, rng: &mut StdRng) -> Vec<Duration> {
        let count = rng.random_range(1..=3);
        let mut times: Vec<_> = (0..count).map(|_| self.draw_time(rng)).collect();
        times.sort();
        times
    }

    fn draw_target(&self, rng: &mut StdRng) -> Target {
        let drawn = rng.random_range(0..100);
        if drawn < self.private_percent {
            // It may be in another room, or away: then the send must be refused.
            Target::User(name_of(rng.random_range(0..self.sizes.users)))
        } else if drawn < self.private_percent + self.users.nobody_percent {
            Target::User(String::from(NOBODY))
        } else {
            Target::Room
        }
    }

    fn draw_room(&self, rng: &mut StdRng) -> String {
        let sizes = &self.users.room_sizes;
        let last = sizes.last().copied().unwrap_or(1);
        let places = self.rooms.iter().enumerate().flat_map(|(number, room)| {
            let size = sizes.get(number).copied().unwrap_or(last);
            iter::repeat_n(room, size as usize)
        });
        let places: Vec<_> = places.collect();
        let room = places.choose(rng);
        (*room.expect("a scenario has a room")).clone()
    }

    fn draw_other_room(&self, room: &str, rng: &mut StdRng) -> String {
        let others: Vec<_> = self.rooms.iter().filter(|other| *other != room).collect();
        others.choose(rng).map_or(room, |other| other).to_owned()
    }
}

/// A whole millisecond, which reads better in a plan and is as fine as simulated time.
fn draw_between(from: Duration, to: Duration, rng: &mut StdRng) -> Duration {
    let ms = |time: Duration| u64::try_from(time.as_millis()).expect("a run is not that long");
    Duration::from_millis(rng.random_range(ms(from)..ms(to)))
}

fn action(at: Duration, what: Do) -> Action {
    Action { at, what }
}

/// Users are called so, and numbered from 0.
pub const USER: &str = "user-";

fn name_of(user: u32) -> String {
    format!("{USER}{user}")
}

/// The names of the rooms, chosen so that the chat servers own them in turn: with names that are
/// only numbered, Pomelo's hash leaves whole chat servers without a room.
pub fn room_names(rooms: u32, topology: &Topology) -> Vec<String> {
    let chats = topology.chats.len();
    let name = |room: u32| {
        let numbered = format!("room-{room}");
        let variants = (1..).map(|variant| format!("{numbered}-{variant}"));
        let mut names = iter::once(numbered.clone()).chain(variants);
        let owner = room as usize % chats;
        names.find(|name| topology.chat_of(name) == Some(owner))
    };
    (0..rooms).filter_map(name).collect()
}

fn number(len: usize) -> u32 {
    u32::try_from(len).expect("a run has fewer than four billion users")
}

/// Two texts to ask the gate with that lead to two connectors; with one connector, to that.
fn keys_of_two_connectors(name: &str, topology: &Topology) -> [String; 2] {
    let connector = |key: &str| topology.connector_of(key).map(|connector| &connector.id);
    let first = name.to_owned();
    let other = (0..100)
        .map(|number| format!("{name}-{number}"))
        .find(|key| connector(key) != connector(&first));
    [first.clone(), other.unwrap_or(first)]
}
