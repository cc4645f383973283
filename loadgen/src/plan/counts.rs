//! What is to come of all users of a plan together, counted from what each is going to do.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::LoadPlan;
use crate::script::Do;

/// How many lines tell how many users there are over time.
const SAMPLES: u32 = 12;

/// What is planned, if every login and send takes no time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// By stage, and behind the last stage what is planned after it.
    pub stages: Vec<StageCounts>,
    /// How many users are connected at the end of each second.
    pub connected: Vec<u32>,
    /// Most users in one room.
    pub room_max: u32,
}

/// What is planned for one stage, and for the time to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageCounts {
    /// Logins, first ones and others.
    pub logins: u64,
    /// Users that leave.
    pub leaves: u64,
    /// Users that go to another room.
    pub switches: u64,
    /// Sends.
    pub sends: u64,
    /// What is to be delivered of these sends: to each who is in the room then.
    pub deliveries: u64,
}

/// Who is in which room, of the users of one part.
#[derive(Default)]
struct Part {
    /// The room that each is in or will enter, and whether it is in it.
    places: BTreeMap<u32, (u32, bool)>,
    /// How many are in each room.
    members: BTreeMap<u32, u32>,
}

impl Counts {
    /// Counts what is planned. One part of the rooms after the other is drawn and forgotten.
    pub fn of(plan: &LoadPlan) -> Self {
        let seconds = plan.stop_at().as_secs() as usize + 1;
        let mut counts = Self {
            stages: vec![StageCounts::default(); plan.stages.len() + 1],
            connected: Vec::new(),
            room_max: 0,
        };
        // How many more, or less, at the end of each second.
        let mut changes = vec![0i64; seconds];
        for part in 0..plan.rooms.parts() {
            counts.count_part(plan, part, &mut changes);
        }
        for user in plan.users..plan.connections() {
            for action in plan.script(user).actions {
                if action.what == Do::Login {
                    counts.stage(plan, action.at).logins += 1;
                }
            }
        }
        let mut now = 0;
        let connected = changes.into_iter().map(|change| {
            now += change;
            u32::try_from(now).expect("only who came can go")
        });
        counts.connected = connected.collect();
        counts
    }

    fn count_part(&mut self, plan: &LoadPlan, part: u32, changes: &mut [i64]) {
        let mut part_now = Part::default();
        let mut actions = Vec::new();
        for room in plan.rooms.part(part) {
            for user in plan.rooms.members(room) {
                part_now.places.insert(user, (room, false));
                let script = plan.script(user);
                actions.extend(script.actions.map(|action| (action.at, user, action.what)));
            }
        }
        // Of one time, in the order of users, and of one user, of its script.
        actions.sort_by_key(|(at, user, _)| (*at, *user));
        for (at, user, what) in actions {
            let stage = self.stage(plan, at);
            // At the end of which second it shows.
            let second = at.as_secs() as usize;
            match what {
                Do::Login => {
                    stage.logins += 1;
                    changes[second] += 1;
                    let members = part_now.enter(user);
                    self.room_max = self.room_max.max(members);
                }
                Do::Leave => {
                    stage.leaves += 1;
                    changes[second] -= 1;
                    part_now.leave(user);
                }
                Do::Enter { .. } => {
                    stage.switches += 1;
                    let members = part_now.switch(plan, user);
                    self.room_max = self.room_max.max(members);
                }
                Do::Send(_) => {
                    stage.sends += 1;
                    stage.deliveries += u64::from(part_now.hearers(user));
                }
                Do::SendAtOnce(_) | Do::Vanish | Do::Deafen | Do::Listen => {}
            }
        }
    }

    /// The counts of the stage that `at` is in, or that ended last before.
    fn stage(&mut self, plan: &LoadPlan, at: Duration) -> &mut StageCounts {
        let index = if at >= plan.stages_end_at() && at > Duration::ZERO {
            plan.stages.len()
        } else {
            let after = plan.stages.partition_point(|stage| stage.starts_at <= at);
            after.saturating_sub(1)
        };
        &mut self.stages[index]
    }

    /// All stages together.
    pub fn total(&self) -> StageCounts {
        let mut total = StageCounts::default();
        for stage in &self.stages {
            total.logins += stage.logins;
            total.leaves += stage.leaves;
            total.switches += stage.switches;
            total.sends += stage.sends;
            total.deliveries += stage.deliveries;
        }
        total
    }

    /// The table of stages, and how many users there are over time.
    pub fn table(&self, plan: &LoadPlan) -> String {
        let mut text = String::new();
        let mut line = |name: &str, from: String, until: String, counts: &StageCounts| {
            text.push_str(&format!(
                "{name:<20.20} {from:>8} {until:>8} {:>9} {:>9} {:>9} {:>10} {:>12}\n",
                counts.logins, counts.leaves, counts.switches, counts.sends, counts.deliveries
            ));
        };
        for (stage, counts) in plan.stages.iter().zip(&self.stages) {
            line(&stage.name, s(stage.starts_at), s(stage.ends_at), counts);
        }
        if let Some(last) = self.stages.last() {
            let (from, until) = (plan.stages_end_at(), plan.gone_at());
            line("then all leave", s(from), s(until), last);
        }
        line(
            "together",
            s(Duration::ZERO),
            s(plan.gone_at()),
            &self.total(),
        );
        let head = format!(
            "{:<20} {:>8} {:>8} {:>9} {:>9} {:>9} {:>10} {:>12}\n",
            "stage", "from", "until", "logins", "leaves", "switches", "sends", "deliveries"
        );
        format!(
            "{head}{text}\nusers connected over time\n{}",
            Samples(self, plan)
        )
    }
}

/// How many users are connected, now and then until all leave.
struct Samples<'c>(&'c Counts, &'c LoadPlan);

impl fmt::Display for Samples<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(counts, plan) = self;
        let seconds = plan.gone_at().as_secs();
        let step = seconds.div_ceil(u64::from(SAMPLES)).max(1);
        for second in (0..=seconds).step_by(step as usize) {
            let connected = counts.connected.get(second as usize).copied();
            let connected = connected.unwrap_or_default();
            writeln!(out, "{:>8}  {connected}", format!("{}s", second + 1))?;
        }
        Ok(())
    }
}

fn s(time: Duration) -> String {
    format!("{:.1}s", time.as_secs_f64())
}

impl Part {
    /// Lets `user` into its room; says how many are in it then.
    fn enter(&mut self, user: u32) -> u32 {
        let Some((room, is_in)) = self.places.get_mut(&user) else {
            return 0;
        };
        let members = self.members.entry(*room).or_default();
        if !std::mem::replace(is_in, true) {
            *members += 1;
        }
        *members
    }

    fn leave(&mut self, user: u32) {
        let Some((room, is_in)) = self.places.get_mut(&user) else {
            return;
        };
        if std::mem::replace(is_in, false) {
            *self.members.entry(*room).or_default() -= 1;
        }
    }

    fn switch(&mut self, plan: &LoadPlan, user: u32) -> u32 {
        self.leave(user);
        if let Some((room, _)) = self.places.get_mut(&user) {
            *room = plan.rooms.neighbour(*room);
        }
        self.enter(user)
    }

    /// How many hear what `user` says.
    fn hearers(&self, user: u32) -> u32 {
        match self.places.get(&user) {
            Some((room, true)) => self.members.get(room).copied().unwrap_or_default(),
            _ => 0,
        }
    }
}
