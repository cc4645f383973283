//! Which connections are whose.

use std::collections::BTreeMap;
use std::time::Duration;

use loadgen::history::{Event, What};

use super::{End, host_in};

/// Which connections each login dialled. A user asks the gate, and dials the connector that the gate
/// names, in the very millisecond in which it notes so; users of one host in the order of noting.
pub fn dials(
    ends: &BTreeMap<u32, End>,
    history: &[Event],
    hosts: &BTreeMap<u32, String>,
    gate: &str,
) -> BTreeMap<(u32, u32), Vec<u32>> {
    let mut by_place: BTreeMap<(&str, &str, Duration), Vec<u32>> = BTreeMap::new();
    for (number, end) in ends.iter().rev().filter(|(_, end)| end.is_dial) {
        let place = (&*end.host, &*end.peer, end.opened_at);
        by_place.entry(place).or_default().push(*number);
    }
    let mut dials: BTreeMap<_, Vec<u32>> = BTreeMap::new();
    for event in history {
        let peer = match &event.what {
            What::Login { .. } => gate,
            What::Located { connector } => host_in(connector),
            _ => continue,
        };
        let host = hosts.get(&event.user).map_or("", String::as_str);
        let here = by_place.get_mut(&(host, peer, event.at));
        if let Some(dial) = here.and_then(Vec::pop) {
            let login = (event.user, event.login);
            dials.entry(login).or_default().push(dial);
        }
    }
    dials
}
