//! The scenarios that are part of the program.

use super::Scenario;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../scenarios/", $name, ".toml")))),*]
    };
}

/// Name and text of each, in the order in which they are run and listed.
const FILES: &[(&str, &str)] = files![
    "steady",
    "connector-crash",
    "connector-power-cut",
    "chat-crash",
    "chat-power-cut",
    "chat-restart-late",
    "chat-crash-unheard",
    "chat-crash-cut",
    "rolling-restart",
    "rolling-stop",
    "reconnect-storm",
    "paused-connector",
    "link-hold",
    "link-hold-long",
    "link-partition",
    "link-one-way",
    "link-flapping",
    "link-hold-deadline",
    "link-overrun",
    "late-hello-process",
    "late-hello-dial",
    "vanish-entering",
    "hasty-users",
    "duplicate-login",
    "duplicate-login-replaces",
    "slow-reader",
    "bad-input",
    "all-protobuf",
    "random-mix",
    "reference",
    "canary",
];

/// All of them, in order.
pub fn built_in() -> Vec<Scenario> {
    let scenarios = FILES.iter().map(|(name, text)| {
        let scenario = Scenario::read(text, name);
        scenario.expect("the built-in scenarios are sound")
    });
    scenarios.collect()
}

/// What each is called.
pub(super) fn names() -> Vec<&'static str> {
    FILES.iter().map(|(name, _)| *name).collect()
}

/// The file of the one called `name`.
pub(super) fn text_of(name: &str) -> Option<&'static str> {
    let file = FILES.iter().find(|(known, _)| *known == name);
    file.map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use loadgen::history::What;

    use super::*;
    use crate::case::Case;
    use crate::fault::{Fault, Planned, heal_all};
    use crate::run;
    use crate::settings::Settings;

    fn scenario(name: &str) -> Scenario {
        crate::scenario::find(name).expect("it is built in")
    }

    #[test]
    fn every_scenario_has_its_own_name_and_is_found_by_it() {
        let names: Vec<_> = built_in().into_iter().map(|it| it.name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), FILES.len());
        for name in &names {
            assert_eq!(&scenario(name).name, name);
            assert!(text_of(name).is_some_and(|text| text.contains("about = ")));
        }
    }

    #[test]
    fn every_file_of_the_folder_is_built_in() -> std::io::Result<()> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
        let mut files = BTreeSet::new();
        for file in std::fs::read_dir(folder)? {
            let name = file?.file_name().to_string_lossy().into_owned();
            files.extend(name.strip_suffix(".toml").map(str::to_owned));
        }
        let names = names().into_iter().map(str::to_owned);
        assert_eq!(files, names.collect());
        Ok(())
    }

    #[test]
    fn the_members_of_a_connector_that_stops_leave_at_once() {
        let mut case = Case::draw(&scenario("rolling-stop"), 1);
        let host = case.topology.connectors[0].id.clone();
        let at = Duration::from_millis(4000);
        let stop = Fault::Stop { host: host.clone() };
        case.faults = vec![Planned::new(at, stop)];
        heal_all(&mut case.faults, case.times.healed_at);

        let record = run::run(&case, false).record;
        let mut samples = record.samples.iter();
        let before = samples.rfind(|sample| sample.at <= at);
        let gone = &before.expect("a sample before the stop").servers[&host].entered;
        assert!(!gone.is_empty(), "nobody was there to leave");
        // Sooner than anybody comes back, and far sooner than a lease runs out.
        let mut samples = record.samples.iter();
        let after = samples.find(|sample| sample.at >= at + Duration::from_millis(60));
        let after = after.expect("a sample after the stop");
        let rooms = after.servers.values().flat_map(|census| &census.rooms);
        for (room, members) in rooms {
            let left = gone.iter().filter(|(in_room, _)| in_room == room);
            for (_, name) in left {
                assert!(!members.contains(name), "{name} is still in {room}");
            }
        }
    }

    #[test]
    fn a_link_that_overruns_is_given_up_though_its_lease_would_have_lasted() {
        let kicks = |scenario: &Scenario| {
            let outcome = run::run(&Case::draw(scenario, 0), false);
            assert!(outcome.held(), "{:?}", outcome.violations);
            let history = outcome.record.history.iter();
            let kicked = history.filter(|event| matches!(event.what, What::Kicked { .. }));
            kicked.count()
        };
        let overrun = scenario("link-overrun");
        assert!(kicks(&overrun) > 0);
        let roomy = Scenario {
            settings: Settings::default(),
            ..overrun
        };
        assert_eq!(kicks(&roomy), 0);
    }
}
