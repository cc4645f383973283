//! G6: a name is at most once in a room, over all connectors.
//!
//! Demanded of every sample: no two sessions of the connectors have the same room and name;
//! within one connector never, and on two connectors only as follows.
//!
//! Let pass:
//!
//! - a connector that stands still cannot give up its sessions, however long ago its lease ran
//!   out. It is excused until it has gone on for as long as news travels;
//! - a connector whose link to the room's chat server was cut, or whose chat server was down,
//!   gives up its sessions when its lease runs out, as the chat server does. Their clocks started
//!   within one latency of each other, so both may be seen together for as long as news travels,
//!   which is less than two samples.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Findings;
use super::messages::Place;
use super::view::View;
use crate::record::Sample;

/// Checks the guarantee.
pub fn check(view: &View) -> Findings {
    // Since when a name has been double without a break, and whether that was told.
    let mut doubles: BTreeMap<Place, (Duration, bool)> = BTreeMap::new();
    let mut findings = Findings::new();
    for sample in &view.record.samples {
        let mut holders = holders(sample);
        holders.retain(|_, connectors| connectors.len() > 1);
        doubles.retain(|place, _| holders.contains_key(place));
        for (place, connectors) in holders {
            let (since, told) = doubles.entry(place).or_insert((sample.at, false));
            if !*told && !is_excused(view, sample.at, *since, place.room, &connectors) {
                *told = true;
                let what = format!("{place} is logged in at {}", connectors.join(" and at "));
                findings.push((sample.at, what));
            }
        }
    }
    findings
}

/// The connectors of each name in a room.
fn holders(sample: &Sample) -> BTreeMap<Place<'_>, Vec<&str>> {
    let mut holders: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (server, census) in &sample.servers {
        for (room, name) in &census.entered {
            let place = Place { room, name };
            holders.entry(place).or_default().push(server.as_str());
        }
    }
    holders
}

fn is_excused(view: &View, at: Duration, since: Duration, room: &str, connectors: &[&str]) -> bool {
    let news = view.bounds.news();
    if connectors.windows(2).any(|pair| pair[0] == pair[1]) {
        return false;
    }
    let stands_still = connectors.iter().any(|connector| {
        let mut pauses = view.trouble.paused_spans(connector).iter();
        pauses.any(|pause| pause.touches(at.saturating_sub(news), at))
    });
    let lost_touch = connectors.iter().any(|connector| {
        let spans = view.trouble.among(&[connector, view.chat_of(room)]);
        let from = at.saturating_sub(view.bounds.recovery());
        spans.iter().any(|span| span.touches(from, at))
    });
    stands_still || (lost_touch && at - since <= news)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::story::{
        ALICE, BOB, CHAT, CONNECTOR_1, CONNECTOR_2, Story, in_red, partition, pause, repair, resume,
    };

    fn findings(story: Story) -> usize {
        check(&View::new(&story.record())).len()
    }

    /// Samples every 100 ms in which Alice is logged in at both connectors.
    fn doubled(story: Story, times: &[u64]) -> Story {
        let twice = [
            (CONNECTOR_1, in_red(&[ALICE])),
            (CONNECTOR_2, in_red(&[BOB, ALICE])),
        ];
        times
            .iter()
            .fold(story, |story, at| story.sample(*at, &twice))
    }

    #[test]
    fn different_names_on_two_connectors_are_two_logins() {
        let servers = [
            (CONNECTOR_1, in_red(&[ALICE])),
            (CONNECTOR_2, in_red(&[BOB])),
        ];
        assert_eq!(findings(Story::new().sample(1000, &servers)), 0);
    }

    #[test]
    fn a_name_on_two_connectors_is_found_once() {
        assert_eq!(findings(doubled(Story::new(), &[1000, 1100])), 1);
    }

    #[test]
    fn a_name_twice_on_one_connector_is_found_whatever_happens() {
        let story = Story::new()
            .fault(500, pause(CONNECTOR_1))
            .sample(1000, &[(CONNECTOR_1, in_red(&[ALICE, ALICE]))]);
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn a_connector_that_stands_still_is_excused_until_it_goes_on() {
        let story = || {
            Story::new()
                .fault(500, pause(CONNECTOR_1))
                .fault(4000, resume(CONNECTOR_1))
        };
        assert_eq!(findings(doubled(story(), &[3000, 3900, 4000])), 0);
        assert_eq!(findings(doubled(story(), &[4000, 4100])), 1);
    }

    #[test]
    fn a_connector_that_lost_its_lease_is_excused_for_one_sample() {
        let story = || {
            Story::new()
                .fault(500, partition(CONNECTOR_1, CHAT))
                .fault(4000, repair(CONNECTOR_1, CHAT))
        };
        assert_eq!(findings(doubled(story(), &[2600])), 0);
        assert_eq!(findings(doubled(story(), &[2600, 2700])), 1);
    }
}
