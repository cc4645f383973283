//! A line of names and values, for a log: what a person would look for with `grep`, and a program split
//! at blanks. A value with a blank in it is quoted.

use std::fmt::Write;

use crate::health::{self, Findings, Seen};
use crate::plan::LoadPlan;
use crate::status::Status;

use super::{elapsed, faults, planned_per_s};

/// The line of a run that is so far.
pub fn of(plan: &LoadPlan, status: &Status, has_cluster: bool) -> String {
    let now = elapsed(status);
    let recent = &status.recent;
    let mut line = String::new();
    let mut put = |name: &str, value: String| {
        let blank = if line.is_empty() { "" } else { " " };
        let _ = match value.contains([' ', '"', '=']) {
            true => write!(line, "{blank}{name}={value:?}"),
            false => write!(line, "{blank}{name}={value}"),
        };
    };
    put("elapsed_s", now.as_secs().to_string());
    let left = plan.gone_at().saturating_sub(now);
    put("left_s", left.as_secs().to_string());
    put("stage", plan.stage_name(now).to_owned());
    for (name, count) in [
        ("users_logging_in", status.users.logging_in),
        ("users_entering", status.users.entering),
        ("users_inside", status.users.inside),
    ] {
        put(name, count.to_string());
    }
    for name in [
        "users_entered",
        "logins_failed",
        "connections_lost",
        "sends_total",
        "sends_accepted",
        "sends_refused",
        "deliveries_total",
    ] {
        put(name, status.count(name).to_string());
    }
    for (name, rate) in [
        ("sends_planned_per_s", planned_per_s(plan, status)),
        ("sends_per_s", recent.per_second("sends_total")),
        ("deliveries_per_s", recent.per_second("deliveries_total")),
    ] {
        put(name, format!("{rate:.1}"));
    }
    if let Some(last) = recent.latencies.get("broadcast.last") {
        for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
            let us = last.quantile_us(share);
            put(&format!("broadcast_last_us_{name}"), us.to_string());
        }
    }
    let amiss: u64 = faults(status).iter().map(|(count, _)| count).sum();
    put("faults", amiss.to_string());
    let Findings {
        invalid, health, ..
    } = health::judge(&Seen::now(status, has_cluster));
    for measure in health.iter().flat_map(|it| &it.measures) {
        if measure.name.ends_with("_late_us_p99") {
            put(&measure.name, measure.value.to_string());
        }
    }
    put("valid", invalid.is_empty().to_string());
    line
}
