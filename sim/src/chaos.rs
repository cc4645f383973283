//! Draws a fault plan from a seed: which incidents, where and when.
//!
//! An incident is a fault, or a row of them, and its end. Two incidents never overlap on one host,
//! on one link or for one user, so that the end of one does not cut the other short.

use std::collections::BTreeSet;
use std::time::Duration;

use cluster::topology::Topology;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use serde::Deserialize;

use crate::fault::{Fault, Planned, heal_all};
use crate::incident::{Ends, HostTrouble, Incident, Kind, Role, slow_reader, turns};
use crate::kinds::FaultKind;
use crate::scenario::{Span, Times, span};

/// What goes wrong by chance. Each seed draws which of the kinds are on at all (see
/// [`crate::swarm`]). Each of those happens; then more happen, as far as the budget goes: of a run
/// in which nothing works nothing can be demanded.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomFaults {
    /// How many incidents; more, if more kinds are on. If it can't be none, a kind is on in each run.
    pub count: Span,
    /// How long all incidents last together.
    #[serde(rename = "trouble", with = "span::time")]
    pub trouble_ms: Span,
    /// When each happens, since faults began.
    #[serde(rename = "after", with = "span::time")]
    pub after_ms: Span,
    /// How long each lasts, if the budget allows it.
    #[serde(rename = "lasts", with = "span::time")]
    pub lasts_ms: Span,
    /// How many of a hundred incidents begin while another lasts, or shortly before, on a host that it
    /// concerns, if there is one: what survives each of them may not survive both.
    #[serde(rename = "aimed-percent", default)]
    pub aimed_percent: u32,
    /// The kinds that can be on.
    pub kinds: Vec<RandomKind>,
}

/// A kind of incident that can happen by chance.
#[derive(Clone, Copy, Debug)]
pub struct RandomKind {
    /// What goes wrong, and where.
    pub kind: Kind,
    /// How often it is drawn, compared with the others.
    pub weight: u32,
}

/// How often a place and time are drawn for a random incident before half as long is tried.
const ATTEMPTS: u32 = 20;
/// How often half as long is tried. Then the incident is dropped: the run is too full.
const HALVINGS: u32 = 6;
/// How long before another an incident begins at most that is aimed at it: as long as it takes that
/// what the first holds up is worth losing to the second.
const LEAD: Duration = Duration::from_millis(500);
/// The shortest incident: a few ticks.
const LASTS_MIN: Duration = Duration::from_millis(5);

/// What faults can hit.
pub struct Targets<'a> {
    /// The servers.
    pub topology: &'a Topology,
    /// The chat servers that own rooms: what happens to the others concerns nobody.
    pub owners: &'a [String],
    /// The hosts of the users.
    pub client_hosts: &'a [String],
    /// How many users there are whose numbers are known before their scripts are drawn.
    pub users: u32,
    /// The usual latency between two hosts.
    pub latency: &'a dyn Fn(&str, &str) -> Duration,
}

/// Draws the plan of one run: what is `planned` as it is, the incidents that are `listed`, each on a
/// host or link that had none before, as long as there is one, then the `random` ones of those kinds
/// that are `on`. It ends with everything healed.
pub fn draw(
    planned: &[Planned],
    listed: &[Incident],
    random: Option<&RandomFaults>,
    on: &BTreeSet<FaultKind>,
    targets: &Targets<'_>,
    times: &Times,
    rng: &mut StdRng,
) -> Vec<Planned> {
    let mut schedule = Schedule {
        targets,
        times,
        plan: planned.to_vec(),
        taken: Vec::new(),
    };
    for incident in listed {
        let place = schedule.draw_new_place(incident.kind, rng);
        schedule.try_add(incident, &place, Duration::MAX, rng);
    }
    if let Some(random) = random {
        schedule.fill(random, on, rng);
    }
    let mut plan = schedule.plan;
    // A latency has no end of its own.
    plan.extend(planned.iter().filter_map(|planned| match &planned.fault {
        Fault::Latency { a, b, .. } => {
            let latency = (targets.latency)(a, b);
            let (a, b) = (a.clone(), b.clone());
            let fault = Fault::Latency { a, b, latency };
            Some(Planned::new(times.healed_at, fault))
        }
        _ => None,
    }));
    heal_all(&mut plan, times.healed_at);
    plan
}

/// What can be hit by one incident at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Host(String),
    Link(String, String),
    User(u32),
}

impl Place {
    /// Whether a host is concerned by both.
    fn is_near(&self, other: &Self) -> bool {
        let hosts = self.hosts();
        other.hosts().iter().any(|host| hosts.contains(host))
    }

    fn hosts(&self) -> Vec<&str> {
        match self {
            Place::Host(host) => vec![host],
            Place::Link(a, b) => vec![a, b],
            Place::User(_) => Vec::new(),
        }
    }
}

impl Targets<'_> {
    /// Everywhere that `kind` can happen: each item is all that it hits at once.
    fn places(&self, kind: Kind) -> Vec<Vec<Place>> {
        match kind {
            Kind::Host(_, role) => {
                let hosts = self.servers(role).into_iter();
                hosts.map(|host| vec![Place::Host(host)]).collect()
            }
            Kind::Link(_, ends) => {
                let connectors = self.servers(Role::Connector);
                let links = connectors.iter().flat_map(|one| self.links(one, ends));
                links.map(|link| vec![link]).collect()
            }
            Kind::Rolling => {
                let roles = [Role::Connector, Role::Chat];
                let hosts = roles.into_iter().flat_map(|role| self.servers(role));
                vec![hosts.map(Place::Host).collect()]
            }
            Kind::Storm => {
                let connectors = self.servers(Role::Connector);
                let links = connectors.iter().map(|one| self.links(one, Ends::Client));
                links.collect()
            }
            Kind::SlowReader => (0..self.users)
                .map(|user| vec![Place::User(user)])
                .collect(),
        }
    }

    fn links(&self, connector: &str, ends: Ends) -> Vec<Place> {
        let others = match ends {
            Ends::Backend => self.servers(Role::Chat),
            Ends::Client => self.client_hosts.to_vec(),
        };
        let link = |other| Place::Link(connector.to_owned(), other);
        others.into_iter().map(link).collect()
    }

    fn servers(&self, role: Role) -> Vec<String> {
        let Topology {
            gates, connectors, ..
        } = self.topology;
        match role {
            Role::Gate => gates.iter().map(|gate| gate.id.clone()).collect(),
            Role::Connector => connectors.iter().map(|it| it.id.clone()).collect(),
            Role::Chat => self.owners.to_vec(),
        }
    }
}

struct Schedule<'a> {
    targets: &'a Targets<'a>,
    times: &'a Times,
    plan: Vec<Planned>,
    taken: Vec<Taken>,
}

/// A place that has an incident, from when until when.
struct Taken {
    place: Place,
    from: Duration,
    to: Duration,
}

impl Schedule<'_> {
    /// One incident of each kind that is on, then more as long as there is budget.
    fn fill(&mut self, random: &RandomFaults, on: &BTreeSet<FaultKind>, rng: &mut StdRng) {
        let mut left = random.trouble_ms.draw_ms(rng);
        let count = random.count.draw(rng);
        let is_on = |it: &&RandomKind| on.contains(&it.kind.fault_kind());
        let all: Vec<_> = random.kinds.iter().filter(is_on).copied().collect();
        let names: BTreeSet<_> = all.iter().map(|it| it.kind.fault_kind()).collect();
        let mut names: Vec<_> = names.into_iter().collect();
        // Any of them can be the one that the others are aimed at.
        names.shuffle(rng);
        let of_each = u32::try_from(names.len()).expect("there are few kinds");
        for (waiting, name) in (1..=of_each).rev().zip(names) {
            let mut of_kind = all.clone();
            of_kind.retain(|it| it.kind.fault_kind() == name);
            let lasts = self.add_one(random, &of_kind, left / waiting, rng);
            left = left.saturating_sub(lasts);
        }
        for _ in of_each..count {
            if left.is_zero() || all.is_empty() {
                return;
            }
            left = left.saturating_sub(self.add_one(random, &all, left, rng));
        }
    }

    /// Adds an incident of one of `kinds` that lasts no longer than `most`; the shorter, the fuller
    /// the run is. Returns how long it lasts; nothing, if there is no room for it at all.
    fn add_one(
        &mut self,
        random: &RandomFaults,
        kinds: &[RandomKind],
        most: Duration,
        rng: &mut StdRng,
    ) -> Duration {
        let drawn = kinds.choose_weighted(rng, |it| it.weight);
        let incident = Incident {
            kind: drawn.expect("something has a weight").kind,
            after_ms: random.after_ms,
            lasts_ms: random.lasts_ms,
        };
        let places = self.targets.places(incident.kind);
        if rng.random_range(0..100) < random.aimed_percent
            && let Some(lasts) = self.add_aimed(&incident, &places, most, rng)
        {
            return lasts;
        }
        for halvings in 0..=HALVINGS {
            for _ in 0..ATTEMPTS {
                let place = draw_one(&places, rng);
                let most = (most / (1 << halvings)).max(LASTS_MIN);
                if let Some(lasts) = self.try_add(&incident, &place, most, rng) {
                    return lasts;
                }
            }
        }
        Duration::ZERO
    }

    /// Adds an incident like `like` that begins while another lasts, or shortly before, though no later
    /// than `like` may, at a place that has a host with it in common.
    fn add_aimed(
        &mut self,
        like: &Incident,
        places: &[Vec<Place>],
        most: Duration,
        rng: &mut StdRng,
    ) -> Option<Duration> {
        let other = self.taken.choose(rng)?;
        let is_near = |places: &&Vec<Place>| places.iter().any(|place| place.is_near(&other.place));
        let near: Vec<_> = places.iter().filter(is_near).cloned().collect();
        let place = near.choose(rng)?;
        let ms = |time: Duration| u32::try_from(time.as_millis()).expect("a run is not that long");
        let since = |time: Duration| ms(time.saturating_sub(self.times.arrived_at));
        let last = since(other.to).min(like.after_ms.max);
        let first = since(other.from.saturating_sub(LEAD)).min(last);
        let incident = Incident {
            after_ms: Span::of(first..=last),
            ..*like
        };
        self.try_add(&incident, place, most.max(LASTS_MIN), rng)
    }

    /// A place that has had no incident; if all have, any.
    fn draw_new_place(&self, kind: Kind, rng: &mut StdRng) -> Vec<Place> {
        let all = self.targets.places(kind);
        let is_new = |places: &&Vec<Place>| {
            let mut taken = self.taken.iter();
            taken.all(|taken| !places.contains(&taken.place))
        };
        let new: Vec<_> = all.iter().filter(is_new).cloned().collect();
        draw_one(if new.is_empty() { &all } else { &new }, rng)
    }

    /// Draws when, and for how long, at `most`. Returns how long; adds nothing and returns `None` if
    /// one of the places is taken then.
    fn try_add(
        &mut self,
        incident: &Incident,
        places: &[Place],
        most: Duration,
        rng: &mut StdRng,
    ) -> Option<Duration> {
        let Times {
            arrived_at,
            healed_at,
            ..
        } = *self.times;
        let from = (arrived_at + incident.after_ms.draw_ms(rng)).min(healed_at);
        let lasts = incident.lasts_ms.draw_ms(rng).min(most);
        let to = (from + lasts).min(healed_at);
        let taken = taken_by(incident.kind, places, from, to);
        if taken.iter().any(|new| self.is_taken(new)) {
            return None;
        }
        for taken in taken {
            self.strike(incident.kind, &taken, rng);
            self.taken.push(taken);
        }
        Some(to - from)
    }

    fn is_taken(&self, new: &Taken) -> bool {
        let mut taken = self.taken.iter();
        taken.any(|old| old.place == new.place && new.from <= old.to && old.from <= new.to)
    }

    /// Plans what an incident does to one of its places.
    fn strike(&mut self, kind: Kind, taken: &Taken, rng: &mut StdRng) {
        let mut faults = self.faults_at(kind, taken, rng);
        let name = kind.fault_kind();
        for planned in &mut faults {
            // What ends the trouble, and what says itself what it is, needs no label.
            if planned.fault.kind().is_some_and(|own| own != name) {
                planned.part_of = Some(name);
            }
        }
        self.plan.extend(faults);
    }

    fn faults_at(&self, kind: Kind, taken: &Taken, rng: &mut StdRng) -> Vec<Planned> {
        let Taken { place, from, to } = taken;
        let (from, to) = (*from, *to);
        match (kind, place) {
            (Kind::Host(trouble, _), Place::Host(host)) => trouble.draw(host, from, to, rng),
            (Kind::Link(trouble, _), Place::Link(a, b)) => {
                let usual = (self.targets.latency)(a, b);
                trouble.draw([a, b], usual, from, to, rng)
            }
            (Kind::Rolling, Place::Host(host)) => HostTrouble::Crash.draw(host, from, to, rng),
            (Kind::Storm, Place::Link(a, b)) => {
                let (a, b) = (a.clone(), b.clone());
                vec![Planned::new(from, Fault::Reset { a, b })]
            }
            (Kind::SlowReader, Place::User(user)) => slow_reader(*user, from, to, rng),
            _ => unreachable!("each kind is drawn for the places that it can happen at"),
        }
    }
}

/// What an incident takes of its places, each for how long.
fn taken_by(kind: Kind, places: &[Place], from: Duration, to: Duration) -> Vec<Taken> {
    let count = u32::try_from(places.len()).expect("there are few hosts");
    let spans = match kind {
        Kind::Rolling => turns(count, from, to),
        Kind::Storm => vec![(from, from); places.len()],
        Kind::Host(..) | Kind::Link(..) | Kind::SlowReader => vec![(from, to); places.len()],
    };
    let taken = places.iter().cloned().zip(spans);
    taken
        .map(|(place, (from, to))| Taken { place, from, to })
        .collect()
}

fn draw_one(places: &[Vec<Place>], rng: &mut StdRng) -> Vec<Place> {
    let place = places.choose(rng).expect("there is a server of each role");
    place.clone()
}
