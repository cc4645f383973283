//! The faults of a case as spells: one fault and the time for which it lasts. What is left out, or
//! made weaker or shorter, is a spell; the plan that is made of the rest always ends healed.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::case::Case;
use crate::fault::{Fault, Planned, heal_all};
use crate::kinds::FaultKind;

/// A fault and when it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spell {
    /// When it begins.
    pub at: Duration,
    /// What it is.
    pub fault: Fault,
    /// The kind of trouble that it is part of, as in a plan.
    pub part_of: Option<FaultKind>,
    /// When it is healed; `None` if by nothing of its own: by what follows it, or at the end.
    pub until: Option<Duration>,
}

/// The latency that a slow link gets instead of one that is broken.
const SLOW: Duration = Duration::from_millis(200);

/// The faults of `case`.
pub fn of(case: &Case) -> Vec<Spell> {
    let mut spells: Vec<Spell> = Vec::new();
    let mut healed = BTreeSet::new();
    for (index, planned) in case.faults.iter().enumerate() {
        if healed.contains(&index) || is_heal(case, &planned.fault) {
            continue;
        }
        let later = case.faults.iter().enumerate().skip(index + 1);
        let mut later = later.filter(|(other, _)| !healed.contains(other));
        let heal = later.find(|(_, other)| ends(case, &planned.fault, &other.fault));
        let heal = heal.filter(|(_, other)| is_heal(case, &other.fault));
        healed.extend(heal.map(|(index, _)| index));
        spells.push(Spell {
            at: planned.at,
            fault: planned.fault.clone(),
            part_of: planned.part_of,
            until: heal.map(|(_, heal)| heal.at),
        });
    }
    spells
}

/// Makes `spells` the faults of `case`, those on hosts and of users that it has.
pub fn set(case: &mut Case, spells: &[Spell]) {
    let all = case.hosts();
    let is_there = |fault: &Fault| {
        let has_user = |user| case.scripts.iter().any(|script| script.user == user);
        fault
            .hosts()
            .iter()
            .all(|host| all.iter().any(|known| known == host))
            && fault.user().is_none_or(has_user)
    };
    let mut plan = Vec::new();
    let mut slow = BTreeSet::new();
    for spell in spells.iter().filter(|spell| is_there(&spell.fault)) {
        let heal = case.heal(&spell.fault);
        if let Fault::Latency { .. } = spell.fault {
            slow.extend(heal.clone());
        }
        plan.push(Planned {
            at: spell.at,
            fault: spell.fault.clone(),
            part_of: spell.part_of,
        });
        let heal = spell.until.zip(heal);
        plan.extend(heal.map(|(until, heal)| Planned::new(until, heal)));
    }
    let healed_at = case.times.healed_at;
    plan.extend(slow.into_iter().map(|heal| Planned::new(healed_at, heal)));
    case.faults = plan;
    heal_all(&mut case.faults, case.times.healed_at);
    drop_needless_latencies(case);
}

/// Weaker faults than that of `spell`, the weakest first.
pub fn weaker(case: &Case, spell: &Spell) -> Vec<Spell> {
    let with = |fault| Spell {
        fault,
        part_of: None,
        ..spell.clone()
    };
    weaker_faults(case, &spell.fault)
        .into_iter()
        .map(with)
        .collect()
}

fn weaker_faults(case: &Case, fault: &Fault) -> Vec<Fault> {
    let slow = |a: &String, b: &String| Fault::Latency {
        a: a.clone(),
        b: b.clone(),
        latency: SLOW,
    };
    let hold = |a: &String, b: &String| Fault::Hold {
        a: a.clone(),
        b: b.clone(),
    };
    let reset = |a: &String, b: &String| Fault::Reset {
        a: a.clone(),
        b: b.clone(),
    };
    let partition = |a: &String, b: &String| Fault::Partition {
        a: a.clone(),
        b: b.clone(),
    };
    let of_links = |host: &String| {
        let others = case.hosts();
        let others: Vec<_> = others.iter().filter(|it| talk(case, host, it)).collect();
        let each = |make: &dyn Fn(&String, &String) -> Fault| -> Vec<Fault> {
            others.iter().map(|other| make(host, other)).collect()
        };
        [each(&slow), each(&hold), each(&reset), each(&partition)].concat()
    };
    let crash = |host: &String| Fault::Crash {
        host: host.clone(),
        goodbye: true,
    };
    let stop = |host: &String| Fault::Stop { host: host.clone() };
    let pause = |host: &String| Fault::Pause { host: host.clone() };
    match fault {
        Fault::Crash { host, goodbye } => {
            let mut weaker = of_links(host);
            weaker.extend([pause(host), stop(host)]);
            weaker.extend((!goodbye).then(|| crash(host)));
            weaker
        }
        Fault::Stop { host } => [of_links(host), vec![pause(host)]].concat(),
        Fault::Pause { host } => of_links(host),
        Fault::Partition { a, b } => {
            let oneway = |from: &String, to: &String| Fault::PartitionOneway {
                from: from.clone(),
                to: to.clone(),
            };
            vec![
                slow(a, b),
                hold(a, b),
                reset(a, b),
                oneway(a, b),
                oneway(b, a),
            ]
        }
        Fault::PartitionOneway { from: a, to: b } => {
            vec![slow(a, b), hold(a, b), reset(a, b)]
        }
        Fault::Hold { a, b } => vec![slow(a, b)],
        Fault::Latency { a, b, latency } => {
            let usual = case.latency(a, b);
            let half = whole_ms(*latency / 2);
            let half = (half > usual).then(|| Fault::Latency {
                a: a.clone(),
                b: b.clone(),
                latency: half,
            });
            half.into_iter().collect()
        }
        Fault::Slow { host, delay } => {
            let half = whole_ms(*delay / 2);
            let half = (!half.is_zero()).then(|| Fault::Slow {
                host: host.clone(),
                delay: half,
            });
            half.into_iter().collect()
        }
        Fault::Reset { .. }
        | Fault::Throttle { .. }
        | Fault::Restart { .. }
        | Fault::Resume { .. }
        | Fault::Release { .. }
        | Fault::Repair { .. }
        | Fault::Quick { .. }
        | Fault::Unthrottle { .. } => Vec::new(),
    }
}

/// Whether two hosts have anything to say to each other: users to the gate and to connectors, and
/// connectors to chat servers.
fn talk(case: &Case, a: &str, b: &str) -> bool {
    let is_connector = |host: &str| case.topology.connectors.iter().any(|it| it.id == host);
    let is_users = |host: &str| case.client_hosts.iter().any(|it| it == host);
    let is_front = |host: &str| is_connector(host) || host == case.gate().id;
    let is_chat = |host: &str| !is_front(host) && !is_users(host);
    let asks = |a, b| is_users(a) && is_front(b) || is_connector(a) && is_chat(b);
    asks(a, b) || asks(b, a)
}

/// `fault` with each host as `rename` has it; `None` if it is between two hosts that are one now.
pub fn renamed(fault: &Fault, rename: &dyn Fn(&str) -> String) -> Option<Fault> {
    let mut fault = fault.clone();
    match &mut fault {
        Fault::Crash { host, .. }
        | Fault::Stop { host }
        | Fault::Restart { host }
        | Fault::Pause { host }
        | Fault::Resume { host }
        | Fault::Slow { host, .. }
        | Fault::Quick { host } => *host = rename(host),
        Fault::Hold { a, b }
        | Fault::Release { a, b }
        | Fault::Partition { a, b }
        | Fault::Repair { a, b }
        | Fault::Latency { a, b, .. }
        | Fault::Reset { a, b }
        | Fault::PartitionOneway { from: a, to: b } => {
            (*a, *b) = (rename(a), rename(b));
            if a == b {
                return None;
            }
        }
        Fault::Throttle { .. } | Fault::Unthrottle { .. } => {}
    }
    Some(fault)
}

fn whole_ms(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

/// Whether `fault` makes nothing worse: it is the end of one, or a latency as usual.
fn is_heal(case: &Case, fault: &Fault) -> bool {
    match fault {
        Fault::Latency { .. } => case.heal(fault).as_ref() == Some(fault),
        Fault::Reset { .. } => false,
        _ => fault.heal().is_none(),
    }
}

/// Whether `fault` lasts until `other`.
fn ends(case: &Case, fault: &Fault, other: &Fault) -> bool {
    match (fault, other) {
        (Fault::Latency { .. }, Fault::Latency { .. }) => case.heal(fault) == case.heal(other),
        _ => case.heal(fault).as_ref() == Some(other),
    }
}

/// A latency that a link has already.
fn drop_needless_latencies(case: &mut Case) {
    let usual = |a: &str, b: &str| case.latency(a, b);
    let mut kept: Vec<Planned> = Vec::new();
    for planned in &case.faults {
        if let Fault::Latency { a, b, latency } = &planned.fault {
            let before = kept.iter().rev().find_map(|before| match &before.fault {
                Fault::Latency {
                    a: c,
                    b: d,
                    latency,
                } if (a, b) == (c, d) => Some(*latency),
                _ => None,
            });
            if before.unwrap_or_else(|| usual(a, b)) == *latency {
                continue;
            }
        }
        kept.push(planned.clone());
    }
    case.faults = kept;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario;

    fn cases() -> impl Iterator<Item = Case> {
        let scenarios = scenario::built_in();
        scenarios
            .into_iter()
            .flat_map(|scenario| (0..10).map(move |seed| Case::draw(&scenario, seed)))
    }

    #[test]
    fn the_spells_of_a_case_make_its_plan_again() {
        for mut case in cases() {
            let spells = of(&case);
            let plan = case.faults.clone();
            set(&mut case, &spells);
            let name = format!("{} {}", case.scenario, case.seed);
            // Two faults at one time may have changed places, which is another run at most.
            let sorted = |mut plan: Vec<Planned>| {
                plan.sort_by_key(|planned| (planned.at, planned.fault.clone()));
                plan
            };
            assert_eq!(of(&case).len(), spells.len(), "{name}");
            if spells
                .iter()
                .all(|it| !matches!(it.fault, Fault::Latency { .. }))
            {
                assert_eq!(sorted(case.faults), sorted(plan), "{name}");
            }
        }
    }

    #[test]
    fn whatever_is_left_out_the_rest_ends_healed() {
        for mut case in cases() {
            let spells = of(&case);
            for index in 0..spells.len() {
                let mut rest = spells.clone();
                rest.remove(index);
                set(&mut case, &rest);
                let mut open: BTreeSet<Fault> = BTreeSet::new();
                for planned in &case.faults {
                    let fault = &planned.fault;
                    open.remove(fault);
                    open.extend(case.heal(fault).filter(|heal| heal != fault));
                }
                assert!(open.is_empty(), "{} {}: {open:?}", case.scenario, case.seed);
            }
        }
    }

    #[test]
    fn a_power_cut_can_be_a_slow_link_first_and_a_crash_last() {
        let case = cases().next().expect("there are scenarios");
        let power_cut = Spell {
            at: Duration::from_secs(3),
            fault: Fault::Crash {
                host: String::from("chat-server-1"),
                goodbye: false,
            },
            part_of: None,
            until: Some(Duration::from_secs(4)),
        };
        let weaker = weaker(&case, &power_cut);
        let names: Vec<_> = weaker.iter().map(|it| it.fault.to_string()).collect();
        assert!(names[0].starts_with("latency"), "{names:?}");
        assert_eq!(
            names.last().map(String::as_str),
            Some("crash      chat-server-1")
        );
        let first = |word: &str| names.iter().position(|name| name.starts_with(word));
        let order = [
            "latency",
            "hold",
            "reset",
            "partition",
            "pause",
            "stop",
            "crash",
        ]
        .map(first);
        assert!(order.is_sorted() && order[0].is_some(), "{order:?}");
        assert!(
            weaker
                .iter()
                .all(|it| (it.at, it.until) == (power_cut.at, power_cut.until))
        );
    }
}
