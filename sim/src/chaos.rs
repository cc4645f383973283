//! Draws a fault plan from a seed: which incidents, where and when.
//!
//! An incident is a fault, or a row of them, and its end. Two incidents never overlap on one host
//! or on one link, so that the end of one does not cut the other short.

use std::iter;
use std::time::Duration;

use cluster::topology::Topology;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde::Deserialize;

use crate::fault::{Planned, heal_all};
use crate::incident::{Ends, Incident, Kind, Role};
use crate::scenario::{Span, Times, span};

/// What goes wrong by chance. Each seed draws which of the kinds are on at all, then how many
/// incidents happen.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomFaults {
    /// How many incidents.
    pub count: Span,
    /// When each happens, since faults began.
    #[serde(rename = "after", with = "span::time")]
    pub after_ms: Span,
    /// How long each lasts.
    #[serde(rename = "lasts", with = "span::time")]
    pub lasts_ms: Span,
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

/// How often a place and time are drawn for a random incident before it is dropped because the
/// run is too full. A handful of incidents over more hosts and links almost never gets there.
const ATTEMPTS_MAX: u32 = 20;

/// The hosts that faults can hit.
pub struct Targets<'a> {
    /// The servers.
    pub topology: &'a Topology,
    /// The chat servers that own rooms: what happens to the others concerns nobody.
    pub owners: &'a [String],
    /// The hosts of the users.
    pub client_hosts: &'a [String],
    /// The usual latency between two hosts.
    pub latency: &'a dyn Fn(&str, &str) -> Duration,
}

/// Draws the plan of one run: the incidents that are `listed`, each on a host or link that had none
/// before, as long as there is one, then the `random` ones. It ends with everything healed.
pub fn draw(
    listed: &[Incident],
    random: Option<&RandomFaults>,
    targets: &Targets<'_>,
    times: &Times,
    rng: &mut StdRng,
) -> Vec<Planned> {
    let mut schedule = Schedule {
        targets,
        times,
        plan: Vec::new(),
        taken: Vec::new(),
    };
    for incident in listed {
        let place = schedule.draw_new_place(incident.kind, rng);
        schedule.try_add(incident, place, rng);
    }
    if let Some(random) = random {
        let kinds = random.switched_on(rng);
        for _ in 0..random.count.draw(rng) {
            let incident = kinds.choose(rng).expect("at least one kind is on");
            (0..ATTEMPTS_MAX).any(|_| {
                let place = draw_one(&targets.places(incident.kind), rng);
                schedule.try_add(incident, place, rng)
            });
        }
    }
    let mut plan = schedule.plan;
    heal_all(&mut plan, times.healed_at);
    plan
}

impl RandomFaults {
    /// The incidents of the kinds that this seed has at all, each as often as it weighs: a run with
    /// two kinds of faults finds what a run with all of them hides.
    fn switched_on(&self, rng: &mut StdRng) -> Vec<Incident> {
        loop {
            let on = self.kinds.iter().filter(|_| rng.random_bool(0.5));
            let incidents = on.flat_map(|on| {
                let incident = Incident {
                    kind: on.kind,
                    after_ms: self.after_ms,
                    lasts_ms: self.lasts_ms,
                };
                iter::repeat_n(incident, on.weight as usize)
            });
            let incidents: Vec<_> = incidents.collect();
            if !incidents.is_empty() {
                return incidents;
            }
        }
    }
}

/// A host or a link.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Host(String),
    Link(String, String),
}

impl Targets<'_> {
    /// Everywhere that `kind` can happen.
    fn places(&self, kind: Kind) -> Vec<Place> {
        match kind {
            Kind::Host(_, role) => self.servers(role).into_iter().map(Place::Host).collect(),
            Kind::Link(_, ends) => {
                let others = match ends {
                    Ends::Backend => self.servers(Role::Chat),
                    Ends::Client => self.client_hosts.to_vec(),
                };
                let connectors = self.servers(Role::Connector);
                let links = connectors.iter().flat_map(|connector| {
                    let link = |other: &String| Place::Link(connector.clone(), other.clone());
                    others.iter().map(link)
                });
                links.collect()
            }
        }
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
    /// A place that has had no incident; if all have, any.
    fn draw_new_place(&self, kind: Kind, rng: &mut StdRng) -> Place {
        let all = self.targets.places(kind);
        let is_new = |place: &&Place| self.taken.iter().all(|taken| taken.place != **place);
        let new: Vec<_> = all.iter().filter(is_new).cloned().collect();
        draw_one(if new.is_empty() { &all } else { &new }, rng)
    }

    /// Draws when; adds nothing and returns false if the place is taken then.
    fn try_add(&mut self, incident: &Incident, place: Place, rng: &mut StdRng) -> bool {
        let Times {
            arrived_at,
            healed_at,
            ..
        } = *self.times;
        let from = (arrived_at + incident.after_ms.draw_ms(rng)).min(healed_at);
        let to = (from + incident.lasts_ms.draw_ms(rng)).min(healed_at);
        let is_taken = |taken: &Taken| taken.place == place && from <= taken.to && taken.from <= to;
        if self.taken.iter().any(is_taken) {
            return false;
        }
        let faults = match (incident.kind, &place) {
            (Kind::Host(trouble, _), Place::Host(host)) => trouble.draw(host, from, to, rng),
            (Kind::Link(trouble, _), Place::Link(a, b)) => {
                let usual = (self.targets.latency)(a, b);
                trouble.draw([a, b], usual, from, to, rng)
            }
            (Kind::Host(..), Place::Link(..)) | (Kind::Link(..), Place::Host(_)) => {
                unreachable!("places of hosts are drawn for hosts, of links for links")
            }
        };
        self.plan.extend(faults);
        self.taken.push(Taken { place, from, to });
        true
    }
}

fn draw_one(places: &[Place], rng: &mut StdRng) -> Place {
    let place = places.choose(rng).expect("there is a server of each role");
    place.clone()
}
