//! Faults that happen at several places: what the servers and users of a whole run see of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use loadgen::history::What;
use sim::case::Case;
use sim::fault::Fault;
use sim::kinds::FaultKind;
use sim::record::Record;
use sim::run;
use sim::scenario::Scenario;

use crate::world::Result;

/// The record of a run in which nothing happens but what `faults` says.
fn record(faults: &str) -> std::result::Result<Record, Box<dyn std::error::Error>> {
    let scenario = Scenario::read(faults, "probe.toml")?;
    let outcome = run::run(&Case::draw(&scenario, 1), false);
    assert!(outcome.broke_off.is_none(), "{:?}", outcome.broke_off);
    Ok(outcome.record)
}

#[test]
fn in_a_rolling_restart_each_server_is_down_once_and_none_beside_another() -> Result {
    let record = record(
        "[[fault]]\nkind = 'rolling-restart'\non = 'cluster'\nafter = '0s'\nlasts = '6s'\n",
    )?;
    let servers = &record.topology;
    let connectors = servers.connectors.iter().map(|it| &it.id);
    let restarted: BTreeSet<_> = connectors
        .chain(servers.chats.iter().map(|it| &it.id))
        .collect();
    let gates = servers.gates.iter().map(|it| &it.id);
    let all: BTreeSet<_> = gates.chain(restarted.iter().copied()).collect();

    // Who is down, each time that this changes.
    let mut turns: Vec<&String> = Vec::new();
    let mut before = None;
    for sample in &record.samples {
        let down = all.iter().filter(|id| !sample.servers.contains_key(**id));
        let down: Vec<_> = down.copied().collect();
        assert!(down.len() <= 1, "{down:?} are down at {:?}", sample.at);
        let down = down.first().copied();
        if down != before {
            turns.extend(down);
        }
        before = down;
    }
    assert_eq!(before, None, "it does not run in the end");
    assert_eq!(turns.len(), restarted.len(), "{turns:?}");
    assert_eq!(turns.into_iter().collect::<BTreeSet<_>>(), restarted);
    let fired = record.fired.get(&FaultKind::RollingRestart);
    assert_eq!(fired.copied(), u32::try_from(restarted.len()).ok());
    Ok(())
}

#[test]
fn in_a_reconnect_storm_all_clients_of_one_connector_are_cut_off_at_once_and_come_back() -> Result {
    let record = record("[[fault]]\nkind = 'reconnect-storm'\non = 'connector'\nafter = '1s'\n")?;
    let storm = record.faults.first().ok_or("nothing happened")?;
    let Fault::Reset { a: hit, .. } = &storm.fault else {
        panic!("{storm} is no reset");
    };
    let within = Duration::from_millis(2);

    let mut connectors: BTreeMap<u32, &str> = BTreeMap::new();
    let mut entered = BTreeSet::new();
    let (mut were_there, mut cut_off, mut back) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for event in &record.history {
        let user = event.user;
        if event.at <= storm.at && entered.contains(&user) && connectors[&user] == hit {
            were_there.insert(user);
        }
        match &event.what {
            What::Located { connector } => {
                connectors.insert(user, connector.split(':').next().unwrap_or_default());
            }
            What::Entered { .. } => {
                entered.insert(user);
                if cut_off.contains(&user) && event.at <= record.settled_at {
                    back.insert(user);
                }
            }
            What::Closed { .. } => {
                let is_at_once = (storm.at..=storm.at + within).contains(&event.at);
                assert!(
                    is_at_once,
                    "user {user} lost its connection at {:?}",
                    event.at
                );
                cut_off.insert(user);
            }
            _ => {}
        }
    }
    assert!(were_there.len() > 2, "{were_there:?}");
    assert_eq!(cut_off, were_there);
    assert_eq!(back, cut_off);
    Ok(())
}
