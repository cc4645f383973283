//! Whether two builds do the same in simulation, and if not, where they part and whether the new one is
//! slower.
//!
//! Two folders of `sim sweep ... --out` are compared, run by run, by scenario and seed. A simulated run
//! follows from its seed and the program alone: runs of two builds have the same hash unless the
//! *behaviour* differs. What does not change it, such as other names or another optimisation, changes
//! nothing at all. There is no noise here, so there are no statistics: a difference of a millisecond
//! is a fact.
//!
//! # Verdicts
//!
//! The gravest holds; SLOWER fails, and with [`Demands::identical`] DIFFERS does too.
//!
//! - SLOWER: over all messages that were delivered on both builds, the last recipient has it later by more than
//!   [`Demands::allow_us`], in the mean, at the median or at the 99th percentile; or fewer deliveries
//!   are made at all; or a promise is broken that base keeps;
//! - INCONCLUSIVE: a run has no counterpart, or its counterpart was drawn otherwise (the scenario or what draws
//!   it differs: other things were asked of it);
//! - DIFFERS: something is not the same, and not slower;
//! - IDENTICAL: all runs are the same, event by event.
//!
//! In reading order: [`ways`] (two runs of one message, step by step), [`runs`] (two runs), [`steps`]
//! (where the time goes), and [`text`] with [`junit`].

pub mod junit;
pub mod load;
pub mod runs;
pub mod steps;
pub mod text;
pub mod ways;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::json::{self, JsonError};
use crate::ways::Run;
use runs::Compared;
use steps::{Step, Steps};

/// The version of the data model that `reports compare --json` writes.
pub const SCHEMA: u32 = 1;

/// What is demanded of a new build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demands {
    /// The last recipients may have messages later by so much.
    pub allow_us: u64,
    /// It must do the same, event by event.
    pub identical: bool,
}

/// One of the two sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// Its folder.
    pub folder: String,
    /// The command line that made it.
    pub command: String,
    /// Promises that did not hold, by name.
    pub broken: Vec<String>,
}

/// Two builds, compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// What it was before.
    pub base: Side,
    /// What it is now.
    pub new: Side,
    /// The last recipients may have messages later by so much.
    pub allow_us: u64,
    /// It was demanded that nothing differs.
    pub identical: bool,
    /// The runs of both, in the order of base.
    pub runs: Vec<Compared>,
    /// Runs that only one of both has, one line each.
    pub unpaired: Vec<String>,
    /// Where the time goes, over all messages of runs that differ.
    pub steps: Vec<Step>,
    /// What it comes to.
    pub verdict: Verdict,
    /// Why, one sentence each.
    pub reasons: Vec<String>,
}

/// What two builds come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All runs are the same, event by event.
    Identical,
    /// Something is not the same, and not slower.
    Differs,
    /// The runs do not pair up.
    Inconclusive,
    /// The new build is slower, or does less.
    Slower,
}

impl Verdict {
    /// In capitals, as it is told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identical => "IDENTICAL",
            Self::Differs => "DIFFERS",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Slower => "SLOWER",
        }
    }
}

/// Compares the runs of two builds.
pub fn compare(base: (Side, &[Run]), new: (Side, &[Run]), demands: Demands) -> Comparison {
    let ((base, base_runs), (new, new_runs)) = (base, new);
    let key = |run: &Run| (run.scenario.clone(), run.seed);
    let mut counterparts: BTreeMap<_, &Run> = new_runs.iter().map(|run| (key(run), run)).collect();
    let (mut runs, mut unpaired, mut steps) = (Vec::new(), Vec::new(), Steps::default());
    for run in base_runs {
        match counterparts.remove(&key(run)) {
            Some(counterpart) => {
                let compared = runs::compare(run, counterpart);
                if !compared.identical {
                    steps.add(run, counterpart);
                }
                runs.push(compared);
            }
            None => unpaired.push(format!("{} is only in base", run.command)),
        }
    }
    let only_new = counterparts.values();
    unpaired.extend(only_new.map(|run| format!("{} is only in new", run.command)));
    let steps = steps.told();
    let mut comparison = Comparison {
        schema: SCHEMA,
        base,
        new,
        allow_us: demands.allow_us,
        identical: demands.identical,
        runs,
        unpaired,
        steps,
        verdict: Verdict::Identical,
        reasons: Vec::new(),
    };
    (comparison.verdict, comparison.reasons) = comparison.judged();
    comparison
}

impl Comparison {
    fn judged(&self) -> (Verdict, Vec<String>) {
        let mut reasons = self.slower();
        if !reasons.is_empty() {
            return (Verdict::Slower, reasons);
        }
        let drawn_otherwise = self.runs.iter().filter(|run| run.drawn_otherwise);
        let drawn_otherwise = drawn_otherwise.map(|run| {
            format!(
                "{} {} was drawn otherwise: the scenario, or what draws it, is not the same",
                run.scenario, run.seed
            )
        });
        reasons.extend(drawn_otherwise);
        reasons.extend(self.unpaired.iter().cloned());
        if self.runs.is_empty() {
            reasons.push(String::from("no run of base has a counterpart"));
        }
        if !reasons.is_empty() {
            return (Verdict::Inconclusive, reasons);
        }
        match self.runs.iter().all(|run| run.identical) {
            true => (Verdict::Identical, reasons),
            false => (Verdict::Differs, reasons),
        }
    }

    /// In what the new build is slower, or does less.
    fn slower(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if let Some(whole) = self.steps.last() {
            for (what, base, new) in [
                ("in the mean", whole.base.mean_us, whole.new.mean_us),
                ("at the median", whole.base.p50_us, whole.new.p50_us),
                (
                    "at the 99th percentile",
                    whole.base.p99_us,
                    whole.new.p99_us,
                ),
            ] {
                if new > base + self.allow_us {
                    let later = text::ms(new - base);
                    reasons.push(format!(
                        "the last recipient has a message {later} later {what}"
                    ));
                }
            }
        }
        let sum = |count: fn(&Compared) -> u64| self.runs.iter().map(count).sum::<u64>();
        let (lost, gained) = (
            sum(|run| run.deliveries_lost),
            sum(|run| run.deliveries_new),
        );
        if lost > gained {
            reasons.push(format!("{} deliveries fewer are made", lost - gained));
        }
        let broken = self.new.broken.iter();
        let broken = broken.filter(|it| !self.base.broken.contains(it));
        reasons.extend(broken.map(|it| format!("`{it}` does not hold, which holds of base")));
        reasons
    }

    /// Whether it is as demanded.
    pub fn passes(&self) -> bool {
        match self.verdict {
            Verdict::Identical => true,
            Verdict::Differs => !self.identical,
            Verdict::Inconclusive | Verdict::Slower => false,
        }
    }

    /// The exit status of a program that comes to it.
    pub fn exit_status(&self) -> u8 {
        match self.verdict {
            Verdict::Inconclusive => 3,
            _ => u8::from(!self.passes()),
        }
    }

    /// Reads what [`Self::to_json`] wrote; `file` is what errors name.
    ///
    /// # Errors
    ///
    /// If it is no JSON, has another schema version, or lacks or garbles a field.
    pub fn parse(text: &str, file: &Path) -> Result<Self, JsonError> {
        json::parse(text, file, SCHEMA)
    }

    /// As JSON, one field per line, with a line end.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("a comparison has text keys and plain values, which are always JSON");
        text.push('\n');
        text
    }
}
