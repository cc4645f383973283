//! Smaller clusters of a case, and plainer networks.

use std::time::Duration;

use super::spells;
use super::trial::Candidates;
use crate::case::Case;

/// The latency that all links get, if they can have one: a usual one, else the longest of any.
const LATENCY: Duration = Duration::from_millis(2);

/// Cases with fewer servers or hosts of users, the smallest first. What happens on a host that goes
/// happens on another, or not at all.
pub fn fewer(case: &Case) -> Candidates<'_> {
    let (connectors, chats, hosts) = lens(case);
    let mut sizes = vec![(1, 1, 1)];
    sizes.extend((1..connectors).map(|fewer| (fewer, chats, hosts)));
    sizes.extend((1..chats).map(|fewer| (connectors, fewer, hosts)));
    sizes.extend((1..hosts).map(|fewer| (connectors, chats, fewer)));
    sizes.retain(|size| *size != (connectors, chats, hosts));
    let ways: [fn(&Case, Hosts) -> Case; 2] = [with_faults_elsewhere, without_faults];
    let each = sizes.into_iter();
    Box::new(each.flat_map(move |size| ways.map(|smaller| smaller(case, size))))
}

/// How many connectors, chat servers and hosts of users.
type Hosts = (usize, usize, usize);

fn lens(case: &Case) -> Hosts {
    let servers = &case.topology;
    (
        servers.connectors.len(),
        servers.chats.len(),
        case.client_hosts.len(),
    )
}

fn with_faults_elsewhere(case: &Case, (connectors, chats, hosts): Hosts) -> Case {
    let mut fewer = case.with_hosts(connectors, chats, hosts);
    let ids = |case: &Case| -> [Vec<String>; 3] {
        let connectors = case.topology.connectors.iter().map(|it| it.id.clone());
        let chats = case.topology.chats.iter().map(|it| it.id.clone());
        [
            connectors.collect(),
            chats.collect(),
            case.client_hosts.clone(),
        ]
    };
    let (before, after) = (ids(case), ids(&fewer));
    let rename = |host: &str| {
        let kinds = before.iter().zip(&after);
        let mut renamed = kinds.filter_map(|(before, after)| {
            let index = before.iter().position(|it| it == host)?;
            Some(after[index % after.len()].clone())
        });
        renamed.next().unwrap_or_else(|| host.to_owned())
    };
    let spells = spells::of(case).into_iter().filter_map(|spell| {
        let fault = spells::renamed(&spell.fault, &rename)?;
        Some(spells::Spell { fault, ..spell })
    });
    spells::set(&mut fewer, &spells.collect::<Vec<_>>());
    fewer
}

fn without_faults(case: &Case, (connectors, chats, hosts): Hosts) -> Case {
    let mut fewer = case.with_hosts(connectors, chats, hosts);
    spells::set(&mut fewer, &spells::of(case));
    fewer
}

/// Cases in which all links are alike.
pub fn plainer(case: &Case) -> Candidates<'_> {
    let links = &case.latencies;
    let longest = links.iter().map(|link| link.latency).max();
    let is_flat = links.windows(2).all(|two| two[0].latency == two[1].latency);
    let latencies = [Some(LATENCY), longest].into_iter().flatten();
    let latencies = latencies.filter(move |_| !is_flat);
    Box::new(latencies.map(move |latency| {
        let mut flat = case.clone();
        flat.latencies
            .iter_mut()
            .for_each(|link| link.latency = latency);
        spells::set(&mut flat, &spells::of(case));
        flat
    }))
}

/// Cases in which fewer polls are put off, none first.
pub fn with_fewer_yields(case: &Case) -> Candidates<'_> {
    let fewer = [0, case.yield_percent / 2].into_iter();
    let fewer = fewer.filter(move |percent| *percent < case.yield_percent);
    Box::new(fewer.map(move |yield_percent| Case {
        yield_percent,
        ..case.clone()
    }))
}

/// Cases with fewer vandals, none first.
pub fn with_fewer_vandals(case: &Case) -> Candidates<'_> {
    let fewer = [0, 1, case.vandals / 2].into_iter();
    let fewer = fewer.filter(move |vandals| *vandals < case.vandals);
    Box::new(fewer.map(move |vandals| Case {
        vandals,
        ..case.clone()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario;

    #[test]
    fn a_smaller_cluster_has_faults_on_its_own_hosts_only() {
        for scenario in scenario::built_in() {
            let case = Case::draw(&scenario, 7);
            for fewer in fewer(&case).chain(plainer(&case)) {
                let hosts = fewer.hosts();
                for planned in &fewer.faults {
                    for host in planned.fault.hosts() {
                        let what = format!("{} {planned}", scenario.name);
                        assert!(hosts.iter().any(|it| it == host), "{what}");
                    }
                }
                let pairs = hosts.len() * (hosts.len() - 1) / 2;
                assert_eq!(fewer.latencies.len(), pairs, "{}", scenario.name);
            }
        }
    }

    #[test]
    fn the_smallest_cluster_comes_first() {
        let case = Case::draw(&scenario::built_in()[0], 7);
        assert_eq!(lens(&case), (3, 3, 2));
        let fewer: Vec<Case> = fewer(&case).collect();
        assert_eq!(lens(&fewer[0]), (1, 1, 1));
        assert!(fewer.iter().all(|it| lens(it) != lens(&case)));
        assert_eq!(lens(&fewer[2]), (1, 3, 2));
    }
}
