//! The faults of a run, each with where it was and until when.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::fault::{Fault, Planned};
use crate::record::Record;

/// A fault and its end.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// What began, and when.
    pub planned: Planned,
    /// When it was undone, or what it did was changed again; when it began, of one that needs no
    /// undoing.
    pub until: Duration,
    /// Where.
    pub place: Place,
}

/// Where a fault is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On a host.
    Host(String),
    /// Between two.
    Link(String, String),
    /// At a user.
    User(u32),
}

impl Trouble {
    /// The host that it is on, if it is on one.
    pub fn host(&self) -> Option<&str> {
        match &self.place {
            Place::Host(host) => Some(host),
            Place::Link(..) | Place::User(_) => None,
        }
    }
}

/// All of them, in the order of time.
pub fn of(record: &Record) -> Vec<Trouble> {
    let faults = record.faults.iter().enumerate();
    let begun = faults.filter(|(_, planned)| is_beginning(&planned.fault));
    begun
        .map(|(index, planned)| {
            let later = &record.faults[index + 1..];
            let end = later.iter().find(|next| ends(&next.fault, &planned.fault));
            let until = match (end, &planned.fault) {
                (_, Fault::Reset { .. }) => planned.at,
                (Some(end), _) => end.at,
                (None, _) => record.healed_at.max(planned.at),
            };
            Trouble {
                planned: planned.clone(),
                until,
                place: place(&planned.fault),
            }
        })
        .collect()
}

fn is_beginning(fault: &Fault) -> bool {
    fault.kind().is_some() || matches!(fault, Fault::Latency { .. })
}

/// Whether `next` undoes `fault`. The network knows one state for each link, and a host one life.
fn ends(next: &Fault, fault: &Fault) -> bool {
    if place(next) != place(fault) {
        return false;
    }
    match fault {
        Fault::Latency { .. } => matches!(next, Fault::Latency { .. }),
        Fault::Hold { .. } | Fault::Partition { .. } | Fault::PartitionOneway { .. } => {
            matches!(next, Fault::Release { .. } | Fault::Repair { .. })
        }
        _ => Some(next) == fault.heal().as_ref(),
    }
}

/// Where a fault, or its end, is.
pub fn place(fault: &Fault) -> Place {
    match fault {
        Fault::Crash { host, .. }
        | Fault::Stop { host }
        | Fault::Restart { host }
        | Fault::Pause { host }
        | Fault::Resume { host }
        | Fault::Slow { host, .. }
        | Fault::Quick { host } => Place::Host(host.clone()),
        Fault::Throttle { user, .. } | Fault::Unthrottle { user } => Place::User(*user),
        Fault::Hold { a, b }
        | Fault::Release { a, b }
        | Fault::Partition { a, b }
        | Fault::PartitionOneway { from: a, to: b }
        | Fault::Repair { a, b }
        | Fault::Latency { a, b, .. }
        | Fault::Reset { a, b } => {
            let (a, b) = if a <= b { (a, b) } else { (b, a) };
            Place::Link(a.clone(), b.clone())
        }
    }
}

/// Those in a row that are one thing: a way that is held again and again. By their first.
pub fn grouped(troubles: &[Trouble]) -> Vec<Vec<&Trouble>> {
    let mut groups: Vec<Vec<&Trouble>> = Vec::new();
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    for trouble in troubles {
        let key = format!("{:?} {:?}", trouble.planned.kind(), trouble.place);
        match last.get(&key) {
            Some(group)
                if groups[*group]
                    .last()
                    .is_some_and(|it| trouble.planned.at < it.until + Duration::from_secs(1)) =>
            {
                groups[*group].push(trouble);
            }
            _ => {
                last.insert(key, groups.len());
                groups.push(vec![trouble]);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_lasts_until_it_is_undone_and_what_comes_again_soon_is_one_thing() {
        let at = Duration::from_millis;
        let link = || (String::from("b"), String::from("a"));
        let hold = || {
            let (a, b) = link();
            Fault::Hold { a, b }
        };
        let release = || {
            let (b, a) = link();
            Fault::Release { a, b }
        };
        let faults = [
            (100, hold()),
            (200, release()),
            (700, hold()),
            (900, release()),
            (5000, hold()),
        ];
        let record = Record {
            faults: faults.map(|(ms, fault)| Planned::new(at(ms), fault)).into(),
            healed_at: at(6000),
            ..Record::default()
        };
        let troubles = of(&record);
        let spans: Vec<_> = troubles
            .iter()
            .map(|it| (it.planned.at, it.until))
            .collect();
        let expected = [(100, 200), (700, 900), (5000, 6000)];
        assert_eq!(spans, expected.map(|(from, until)| (at(from), at(until))));
        let groups: Vec<_> = grouped(&troubles).iter().map(Vec::len).collect();
        assert_eq!(groups, [2, 1]);
    }
}
