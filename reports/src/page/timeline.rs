//! What happened when: sends, users, the last recipients' delays, errors, with stages and faults behind.

use serde_json::json;

use super::number;
use super::plot::{Axis, Plot, legend};
use crate::run::Run;
use crate::run::load::{Band, Load, TimelineRow};
use crate::run::threshold::Unit;

/// The metric of the main plot.
const LAST: &str = "broadcast.last";

pub fn plots(run: &Run, load: &Load) -> String {
    if load.timeline.rows.is_empty() {
        return String::new();
    }
    let timeline = Timeline { run, load };
    let mut plots = String::from(
        "<div class=\"controls\" id=\"zoom\" hidden><button type=\"button\" id=\"closer\">Closer</button>\
         <button type=\"button\" id=\"wider\">Wider</button><button type=\"button\" id=\"whole\">Whole run</button>\
         <span class=\"note\">Drag to move; point to read.</span></div><div id=\"plots\">",
    );
    plots += &timeline.latencies();
    plots += &timeline.sends();
    plots += &timeline.users();
    plots += &timeline.errors();
    plots +=
        "</div><p class=\"detail\" id=\"detail\" hidden>Point at a moment to read its numbers.</p>";
    plots + &timeline.data()
}

struct Timeline<'a> {
    run: &'a Run,
    load: &'a Load,
}

impl Timeline<'_> {
    fn rows(&self) -> &[TimelineRow] {
        &self.load.timeline.rows
    }

    fn count(&self, row: &TimelineRow, name: &str) -> f64 {
        row.counts.get(name).copied().unwrap_or_default() as f64
    }

    fn rate(&self, row: &TimelineRow, name: &str) -> f64 {
        self.count(row, name) * 1e6 / self.load.timeline.interval_us as f64
    }

    fn max(&self, of: impl Fn(&TimelineRow) -> f64) -> f64 {
        self.rows().iter().map(of).fold(0.0, f64::max)
    }

    /// From when to when a row is.
    fn span(&self, row: &TimelineRow) -> (f64, f64) {
        let from = row.at_us;
        (from as f64, (from + self.load.timeline.interval_us) as f64)
    }

    fn middle(&self, row: &TimelineRow) -> f64 {
        let (from, to) = self.span(row);
        f64::midpoint(from, to)
    }

    fn plot(&self, y: Axis, names: bool) -> Plot {
        let last = self.rows().last().map_or(0.0, |row| self.span(row).1);
        let elapsed_us = self.run.elapsed_us.max(last as u64);
        let mut plot = Plot::new(Axis::run(elapsed_us), y);
        for (index, stage) in self.run.plan.stages.iter().enumerate() {
            let class = if index % 2 == 0 {
                "stage even"
            } else {
                "stage odd"
            };
            let (from, to) = (stage.starts_us as f64, stage.ends_us as f64);
            plot.shade(class, from, to, &stage.name, names.then_some(0));
        }
        for fault in &self.run.plan.faults {
            let (from, to) = (fault.starts_us as f64, fault.ends_us as f64);
            plot.shade("fault", from, to, &fault.name, names.then_some(1));
        }
        plot
    }

    fn latencies(&self) -> String {
        let bands: Vec<_> = self
            .rows()
            .iter()
            .map(|row| (row, row.latencies.get(LAST)))
            .collect();
        let min = bands
            .iter()
            .filter_map(|(_, band)| Some(band.as_ref()?.latency_us_p50))
            .min();
        let max = bands
            .iter()
            .filter_map(|(_, band)| Some(band.as_ref()?.latency_us_max))
            .max();
        let (Some(min), Some(max)) = (min, max) else {
            return String::new();
        };
        let bounds = self.run.thresholds.iter().filter(|it| {
            it.unit == Unit::Us
                && it
                    .metric
                    .rsplit_once('.')
                    .is_some_and(|(name, _)| name == LAST)
        });
        // Above, there is room for the names of stages and faults.
        let max = bounds.clone().map(|it| it.bound).fold(max, u64::max);
        let mut plot = self.plot(Axis::latencies(min, max.saturating_mul(2)), true);
        let mut fill = |class, low: fn(&Band) -> u64, high: fn(&Band) -> u64| {
            let columns = bands.iter().filter_map(|(row, band)| {
                let ((from, to), band) = (self.span(row), band.as_ref()?);
                Some((from, to, low(band) as f64, high(band) as f64))
            });
            plot.fill(class, columns);
        };
        fill("to-max", |it| it.latency_us_p99, |it| it.latency_us_max);
        fill("to-p99", |it| it.latency_us_p90, |it| it.latency_us_p99);
        fill("to-p90", |it| it.latency_us_p50, |it| it.latency_us_p90);
        let median = bands
            .iter()
            .map(|(row, band)| Some((self.middle(row), band.as_ref()?.latency_us_p50 as f64)));
        plot.line("p50", median);
        for bound in bounds {
            let name = format!(
                "{} {} {}",
                bound.metric,
                bound.comparison,
                number::time(bound.bound)
            );
            plot.level("bound", bound.bound as f64, &name);
        }
        let legend = legend(&[
            ("p50", "median"),
            ("to-p90", "to p90"),
            ("to-p99", "to p99"),
            ("to-max", "to the longest"),
        ]);
        plot.figure(
            "tall",
            "Until the last recipient",
            &legend,
            "percentiles of the last recipients' delays over time",
        )
    }

    fn sends(&self) -> String {
        let max = self.max(|row| {
            self.rate(row, "sends_planned")
                .max(self.rate(row, "sends_total"))
        });
        let mut plot = self.plot(Axis::counts(max), false);
        let columns = self.rows().iter().map(|row| {
            let (from, to) = self.span(row);
            (from, to, 0.0, self.rate(row, "sends_total"))
        });
        plot.fill("achieved", columns);
        let planned = self.rows().iter();
        let planned = planned.map(|row| Some((self.middle(row), self.rate(row, "sends_planned"))));
        plot.line("planned", planned);
        let legend = legend(&[("planned", "planned"), ("achieved", "sent")]);
        plot.figure(
            "",
            "Sends per second",
            &legend,
            "planned and achieved sends per second over time",
        )
    }

    fn users(&self) -> String {
        let max = self.max(|row| {
            self.count(row, "users_connected")
                .max(self.count(row, "users_entered"))
        });
        if max == 0.0 {
            return String::new();
        }
        let mut plot = self.plot(Axis::counts(max), false);
        let columns = self.rows().iter().map(|row| {
            let (from, to) = self.span(row);
            (from, to, 0.0, self.count(row, "users_entered"))
        });
        plot.fill("entered", columns);
        let connected = self.rows().iter();
        let connected =
            connected.map(|row| Some((self.middle(row), self.count(row, "users_connected"))));
        plot.line("connected", connected);
        let legend = legend(&[("connected", "connected"), ("entered", "in a room")]);
        plot.figure("", "Users", &legend, "users by state over time")
    }

    fn errors(&self) -> String {
        let max = self.max(|row| self.rate(row, "errors"));
        if max == 0.0 {
            return String::from("<p class=\"note\">There was no error at any time.</p>");
        }
        let mut plot = self.plot(Axis::counts(max), false);
        let columns = self.rows().iter().map(|row| {
            let (from, to) = self.span(row);
            (from, to, 0.0, self.rate(row, "errors"))
        });
        plot.fill("errors", columns);
        plot.figure(
            "low",
            "Errors per second",
            "",
            "errors per second over time",
        )
    }

    /// What the script shows of a moment: the rows again.
    fn data(&self) -> String {
        let counts = [
            "sends_planned",
            "sends_total",
            "users_connected",
            "users_entered",
            "errors",
        ];
        let rows = self.rows().iter().map(|row| {
            let counts = counts.map(|name| row.counts.get(name).copied().unwrap_or_default());
            let band = row.latencies.get(LAST).map(|band| {
                [
                    band.latency_us_p50,
                    band.latency_us_p90,
                    band.latency_us_p99,
                    band.latency_us_max,
                ]
            });
            json!([row.at_us, counts, band])
        });
        let data = json!({
            "interval_us": self.load.timeline.interval_us,
            "counts": counts,
            "rows": rows.collect::<Vec<_>>(),
        });
        // There are only numbers and names of this file in it.
        format!("<script type=\"application/json\" id=\"data\">{data}</script>\n")
    }
}
