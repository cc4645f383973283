//! What must hold in a plan beyond the values of each key.

use std::time::Duration;

use super::file::rates::{LawName, RateFile, Shape, ShapeFile, ThinkFile};
use super::file::stages::{ArrivalsFile, ChurnFile, SendsFile, StageFile, StormFile};
use super::file::{PlanFile, SlowReadersFile};
use super::short::{DURATION_MAX, MESSAGE_LEN_MAX, RATE_MAX};
use super::threshold::AT_THE_END;
use crate::document::{Document, Problem};

/// Most users of a plan: a hundred times what one machine carries.
const USERS_MAX: u32 = 10_000_000;

/// Shortest mean think time: whoever needs more than a thousand sends per second plans a rate.
const THINK_MIN: Duration = Duration::from_millis(1);

/// Shorter pauses are not seen.
const PAUSE_MIN: Duration = Duration::from_millis(1);

/// Think times that are spread wider are no times of people.
const SIGMA_MAX: f64 = 3.0;

/// With a higher exponent all users but a few are in the first room.
const ZIPF_MAX: f64 = 3.0;

/// Finer steps are a ramp.
const STEPS_MAX: u32 = 1000;

/// Everything in `plan`, which was read from `document`, that does not hold.
pub(super) fn problems(plan: &PlanFile, document: &Document<'_>) -> Vec<Problem> {
    let mut found = Findings {
        document,
        problems: Vec::new(),
    };
    found.check_top(plan);
    found.check_rooms(plan);
    let mut present = 0;
    for (index, stage) in plan.stages.iter().enumerate() {
        found.check_stage(&format!("stage.{index}"), stage, present, plan);
        let coming = stage.arrivals.as_ref().map_or(0, |it| it.users);
        present = present.saturating_add(coming);
    }
    if found.problems.is_empty() {
        found.check_whole(plan);
    }
    found.problems
}

struct Findings<'d> {
    document: &'d Document<'d>,
    problems: Vec<Problem>,
}

impl Findings<'_> {
    fn check_top(&mut self, plan: &PlanFile) {
        if plan.name.trim().is_empty() || plan.name.contains(char::is_control) {
            self.add("name", "it must be one line with something to see");
        }
        if plan.about.contains(char::is_control) {
            self.add("about", "it must be one line");
        }
        if plan.message_len > MESSAGE_LEN_MAX {
            let what = format!("it can be at most {MESSAGE_LEN_MAX} bytes");
            self.add("message-len", &what);
        }
        self.check_time("settle", plan.settle);
        self.check_time("drain", plan.drain);
        let users = plan.users();
        if users == 0 {
            self.add("stage", "nobody comes: a stage needs `arrivals`");
        }
        if users > USERS_MAX {
            self.add("stage", &format!("there can be at most {USERS_MAX} users"));
        }
        if plan.duplicate_logins > users {
            let what = format!("there are only {users} users whose name can be in use");
            self.add("duplicate-logins", &what);
        }
        if let Some(slow) = &plan.slow_readers {
            self.check_slow_readers(slow);
        }
        for (index, threshold) in plan.thresholds.iter().enumerate() {
            let metric = threshold.demand.metric.as_str();
            if threshold.abort && AT_THE_END.contains(&metric) {
                let what = format!("{metric} is known when a run is over, and can't stop it");
                self.add(&format!("threshold.{index}.abort"), &what);
            }
            let path = format!("threshold.{index}.grace");
            if threshold.grace.is_some() && !threshold.abort {
                self.add(
                    &path,
                    "this is for a run that is to be stopped: add abort = true",
                );
            }
            self.check_time(&path, threshold.grace.unwrap_or_default());
        }
    }

    fn check_slow_readers(&mut self, slow: &SlowReadersFile) {
        self.check_percent("slow-readers.percent", slow.percent);
        self.check_time("slow-readers.every", slow.every);
        if slow.pause < PAUSE_MIN {
            self.add("slow-readers.pause", "it must be at least 1ms");
        }
        if slow.pause >= slow.every {
            let what = "it must be more than `pause`, or nothing is ever read";
            self.add("slow-readers.every", what);
        }
    }

    fn check_rooms(&mut self, plan: &PlanFile) {
        let (rooms, users) = (plan.rooms, plan.users());
        if rooms.count.is_some() && rooms.members.is_some() {
            self.add("rooms.members", "say either this or `count`");
        }
        if rooms
            .count
            .is_some_and(|count| !(1..=users).contains(&count))
        {
            let what = format!("it must be from 1 to the number of users, {users}");
            self.add("rooms.count", &what);
        }
        if rooms.members.is_some_and(|members| members.min == 0) {
            self.add("rooms.members", "it must be at least 1");
        }
        if let Some(zipf) = rooms.zipf {
            if rooms.count.is_none() {
                self.add("rooms.zipf", "this is for a number of rooms: add `count`");
            }
            if !(0.0..=ZIPF_MAX).contains(&zipf) {
                self.add("rooms.zipf", &format!("it must be from 0 to {ZIPF_MAX}"));
            }
        }
    }

    fn check_stage(&mut self, path: &str, stage: &StageFile, present: u32, plan: &PlanFile) {
        self.check_time(&format!("{path}.duration"), stage.duration);
        if let Some(arrivals) = &stage.arrivals {
            self.check_arrivals(&format!("{path}.arrivals"), arrivals, stage.duration);
        }
        let coming = stage.arrivals.as_ref().map_or(0, |it| it.users);
        if let Some(sends) = &stage.sends {
            self.check_sends(&format!("{path}.sends"), sends, stage.duration);
            let thinks = sends.think.is_some();
            if present == 0 && !(thinks && coming > 0) {
                let what = "nobody came in a stage before this one";
                self.add(&format!("{path}.sends"), what);
            }
        }
        if let Some(churn) = &stage.churn {
            self.check_churn(&format!("{path}.churn"), churn, present, plan);
        }
        if let Some(storm) = &stage.storm {
            self.check_storm(&format!("{path}.storm"), storm, present, stage.duration);
        }
    }

    fn check_arrivals(&mut self, path: &str, arrivals: &ArrivalsFile, duration: Duration) {
        if arrivals.users == 0 {
            self.add(&format!("{path}.users"), "it must be at least 1");
        }
        let rate = format!("{path}.rate");
        self.check_rate(&rate, &arrivals.rate, duration);
        if !duration.is_zero() && arrivals.rate.curve(duration).total() <= 0.0 {
            self.add(&rate, "nobody would come at this rate");
        }
    }

    fn check_sends(&mut self, path: &str, sends: &SendsFile, duration: Duration) {
        match (&sends.rate, &sends.think) {
            (None, None) => self.add(path, "say a `rate`, or how long users `think`"),
            (Some(_), Some(_)) => {
                self.add(&format!("{path}.think"), "say either this or `rate`");
            }
            (Some(rate), None) => self.check_rate(&format!("{path}.rate"), rate, duration),
            (None, Some(think)) => self.check_think(&format!("{path}.think"), think),
        }
        if sends.spacing.is_some() && sends.think.is_some() {
            let what = "this is for a `rate`: what users `think` spaces their sends";
            self.add(&format!("{path}.spacing"), what);
        }
    }

    fn check_rate(&mut self, path: &str, rate: &RateFile, duration: Duration) {
        let wrong = format!("it must be from 0 to {RATE_MAX} per second");
        let is_wrong = |rate: f64| !(0.0..=RATE_MAX).contains(&rate);
        let it = match rate {
            RateFile::Number(rate) if is_wrong(*rate) => return self.add(path, &wrong),
            RateFile::Number(_) => return,
            RateFile::Table(shape) => shape,
        };
        let (name, needed): (_, &[_]) = match it.shape {
            Shape::Ramp => ("a ramp", &["from", "to"]),
            Shape::Steps => ("steps", &["from", "to", "steps"]),
            Shape::Spike => ("a spike", &["base", "peak", "after", "lasts"]),
        };
        let given = [
            ("from", it.from.is_some()),
            ("to", it.to.is_some()),
            ("steps", it.steps.is_some()),
            ("base", it.base.is_some()),
            ("peak", it.peak.is_some()),
            ("after", it.after.is_some()),
            ("lasts", it.lasts.is_some()),
        ];
        self.check_keys(path, name, needed, &given);
        let rates = [
            ("from", it.from),
            ("to", it.to),
            ("base", it.base),
            ("peak", it.peak),
        ];
        for (key, rate) in rates {
            if rate.is_some_and(is_wrong) {
                self.add(&format!("{path}.{key}"), &wrong);
            }
        }
        if it
            .steps
            .is_some_and(|steps| !(1..=STEPS_MAX).contains(&steps))
        {
            let what = format!("it must be from 1 to {STEPS_MAX}");
            self.add(&format!("{path}.steps"), &what);
        }
        self.check_spike(path, it, duration);
    }

    fn check_spike(&mut self, path: &str, it: &ShapeFile, duration: Duration) {
        let end = it
            .after
            .unwrap_or_default()
            .saturating_add(it.lasts.unwrap_or_default());
        if end > duration {
            let what = format!("the spike would end {end:?} into a stage of {duration:?}");
            self.add(&format!("{path}.lasts"), &what);
        }
    }

    fn check_think(&mut self, path: &str, it: &ThinkFile) {
        let (name, needed): (_, &[_]) = match it.law {
            LawName::Constant => ("a constant one", &["time"]),
            LawName::Uniform => ("a uniform one", &["min", "max"]),
            LawName::Exponential => ("an exponential one", &["mean"]),
            LawName::LogNormal => ("a log-normal one", &["median", "sigma"]),
        };
        let given = [
            ("time", it.time.is_some()),
            ("min", it.min.is_some()),
            ("max", it.max.is_some()),
            ("mean", it.mean.is_some()),
            ("median", it.median.is_some()),
            ("sigma", it.sigma.is_some()),
        ];
        self.check_keys(path, name, needed, &given);
        let times = [it.time, it.min, it.max, it.mean, it.median, it.cap];
        if times.into_iter().flatten().any(|time| time > DURATION_MAX) {
            return self.add(path, "no think time can be more than 24h");
        }
        if it.min > it.max && it.max.is_some() {
            self.add(&format!("{path}.min"), "it must not be more than `max`");
        }
        if it
            .sigma
            .is_some_and(|sigma| !(0.0..=SIGMA_MAX).contains(&sigma))
        {
            let what = format!("it must be from 0 to {SIGMA_MAX}");
            self.add(&format!("{path}.sigma"), &what);
        }
        if needed.iter().all(|key| given.contains(&(key, true))) && it.think().mean() < THINK_MIN {
            let what = format!("users must think for {THINK_MIN:?} on average, or plan a `rate`");
            self.add(path, &what);
        }
    }

    fn check_churn(&mut self, path: &str, churn: &ChurnFile, present: u32, plan: &PlanFile) {
        self.check_present(path, present);
        for (key, rate) in [
            ("leave", churn.leave),
            ("rejoin", churn.rejoin),
            ("switch", churn.switch),
        ] {
            if !(0.0..=RATE_MAX).contains(&rate) {
                let what = format!("it must be from 0 to {RATE_MAX} users per second");
                self.add(&format!("{path}.{key}"), &what);
            }
        }
        self.check_time(&format!("{path}.away"), churn.away);
        if churn.switch > 0.0 && plan.rooms.count == Some(1) {
            self.add(&format!("{path}.switch"), "there is no other room");
        }
    }

    fn check_storm(&mut self, path: &str, storm: &StormFile, present: u32, duration: Duration) {
        self.check_present(path, present);
        self.check_percent(&format!("{path}.percent"), storm.percent);
        if storm.after.saturating_add(storm.within) > duration {
            let what = format!("all must be back in this stage, which is {duration:?} long");
            self.add(&format!("{path}.within"), &what);
        }
    }

    /// What can only be said of a plan whose parts are sound.
    fn check_whole(&mut self, plan: &PlanFile) {
        let plan = plan.clone().plan();
        let leave_at = plan.leave_at();
        if leave_at > DURATION_MAX {
            let what = format!("all stages together take {leave_at:?}: it can be at most 24h");
            self.add("stage", &what);
        }
    }

    fn check_present(&mut self, path: &str, present: u32) {
        if present == 0 {
            self.add(path, "nobody came in a stage before this one");
        }
    }

    fn check_percent(&mut self, path: &str, percent: f64) {
        if !(0.0..=100.0).contains(&percent) {
            self.add(path, "it must be from 0 to 100");
        }
    }

    fn check_time(&mut self, path: &str, time: Duration) {
        if time > DURATION_MAX {
            self.add(path, "it can be at most 24h");
        }
    }

    /// Whether exactly the keys are given that `name` needs.
    fn check_keys(&mut self, path: &str, name: &str, needed: &[&str], given: &[(&str, bool)]) {
        for (key, is_given) in given {
            let is_needed = needed.contains(key);
            if is_needed && !is_given {
                self.add(path, &format!("{name} needs `{key}`"));
            } else if *is_given && !is_needed {
                let what = format!("{name} has none: it has {}", needed.join(", "));
                self.add(&format!("{path}.{key}"), &what);
            }
        }
    }

    fn add(&mut self, path: &str, what: &str) {
        self.problems.push(self.document.problem(path, what));
    }
}
