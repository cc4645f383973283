//! In what the servers of a run are worse or slower, as the command line says it.

use clap::{Args, ValueEnum};
use cluster::drag::Drag;
use cluster::policy::{Flaw, Policy};

use crate::scenario::{Expected, Scenario};

/// In what the servers are worse than they are, beside what the scenario says.
#[derive(Clone, Debug, Default, Args)]
pub struct Change {
    /// Gives the servers all flaws of the original, or none, whatever the scenario says; but those
    /// of a canary stay, which is to fail for them.
    #[arg(long, value_enum, value_name = "POLICY")]
    policy: Option<Named>,
    /// Gives them this flaw; see `sim flaws`. Can be given more than once.
    #[arg(long = "with", value_name = "FLAW")]
    added: Vec<Flaw>,
    /// Takes this flaw from them. Can be given more than once.
    #[arg(long = "without", value_name = "FLAW")]
    removed: Vec<Flaw>,
    /// Makes them slower in this way; they keep all promises.
    #[arg(long, value_enum, value_name = "HOW")]
    drag: Option<Drag>,
}

/// A policy that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Named {
    /// No flaw.
    Hardened,
    /// The flaws of the original.
    Pomelo,
}

impl Named {
    fn policy(self) -> Policy {
        match self {
            Self::Hardened => Policy::hardened(),
            Self::Pomelo => Policy::pomelo(),
        }
    }
}

impl Change {
    /// Changes what the servers of a scenario's runs are, and how those runs are asked for.
    pub fn apply(&self, scenario: &mut Scenario) {
        let is_canary = scenario.expect.outcome == Expected::Violated;
        let named = self.policy.filter(|_| !is_canary);
        let policy = named.map_or(scenario.settings.policy, Named::policy);
        let added = self.added.iter().copied();
        let removed = self.removed.iter().copied();
        scenario.settings.policy = removed.fold(added.fold(policy, Policy::with), Policy::without);
        scenario.settings.drag = self.drag.or(scenario.settings.drag);
        scenario.given_as += &self.command_line();
    }

    /// The part of the command line that says so; it begins with a space, if there is any.
    pub fn command_line(&self) -> String {
        let policy = self.policy.map_or(String::new(), |policy| {
            let named = match policy {
                Named::Hardened => "hardened",
                Named::Pomelo => "pomelo",
            };
            format!(" --policy {named}")
        });
        let drag = self.drag.map(|drag| format!(" --drag {drag}"));
        let flaws = each("with", &self.added) + &each("without", &self.removed);
        policy + &flaws + &drag.unwrap_or_default()
    }
}

/// Each flaw once, where it came first.
fn each(option: &str, flaws: &[Flaw]) -> String {
    let all = flaws.iter().enumerate();
    let once = all.filter(|(index, flaw)| !flaws[..*index].contains(flaw));
    let options = once.map(|(_, flaw)| format!(" --{option} {flaw}"));
    options.collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        change: Change,
    }

    fn policy_of(arguments: &str, own: Policy) -> Policy {
        let line = format!("sim{arguments}");
        let mut scenario = Scenario {
            given_as: String::from("steady"),
            ..Scenario::default()
        };
        scenario.settings.policy = own;
        let line = Line::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{error}"));
        line.change.apply(&mut scenario);
        assert_eq!(scenario.given_as, format!("steady{arguments}"));
        scenario.settings.policy
    }

    #[test]
    fn what_is_added_and_taken_away_counts_from_the_scenarios_own_policy_or_the_named_one() {
        let lost = Policy::hardened().with(Flaw::KickLost);
        let both = lost.with(Flaw::StarInName);
        assert_eq!(policy_of("", lost), lost);
        assert_eq!(policy_of(" --with star-in-name", lost), both);
        assert_eq!(policy_of(" --without kick-lost", lost), Policy::hardened());
        assert_eq!(policy_of(" --policy hardened", lost), Policy::hardened());
        let named = policy_of(" --policy pomelo --without kick-lost", lost);
        assert_eq!(named, Policy::pomelo().without(Flaw::KickLost));
    }

    #[test]
    fn a_flaw_that_is_given_twice_is_repeated_once() {
        let twice = "sim --with kick-lost --with star-in-name --with kick-lost";
        let line = Line::try_parse_from(twice.split(' ')).unwrap();
        let once = " --with kick-lost --with star-in-name";
        assert_eq!(line.change.command_line(), once);
    }

    #[test]
    fn a_flaw_that_is_misspelt_is_answered_with_the_right_one() {
        let parsed = Line::try_parse_from(["sim", "--with", "kick-los"]);
        let said = parsed
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(said.contains("did you mean `kick-lost`?"), "{said}");
    }
}
