//! Which fault touched whom, and for how long.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::fault::Fault;
use crate::record::Record;

/// From one time to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// When it began.
    pub from: Duration,
    /// When it was over.
    pub until: Duration,
}

impl Span {
    /// Whether the two have a moment in common.
    pub fn touches(self, from: Duration, until: Duration) -> bool {
        self.from <= until && from <= self.until
    }
}

/// Two hosts, in alphabetic order.
type Link = (String, String);

/// The faults of a run as spans of time. A fault that was never undone lasts until the run was
/// declared healed.
#[derive(Debug, Default)]
pub struct Trouble {
    down: BTreeMap<String, Vec<Span>>,
    paused: BTreeMap<String, Vec<Span>>,
    cut: BTreeMap<Link, Vec<Span>>,
    slow: BTreeMap<Link, Vec<Span>>,
    reset: BTreeMap<Link, Vec<Span>>,
    throttled: BTreeMap<u32, Vec<Span>>,
}

impl Trouble {
    /// Reads the faults of a run.
    pub fn of(record: &Record) -> Self {
        let mut trouble = Self::default();
        // A user's heartbeat comes one interval and one round trip after the last; it is cut off
        // after two intervals. Three latencies (the round trip, and the jump to it) of a
        // quarter each still fit, so a smaller latency is never an excuse.
        let slow_from = record.bounds.heartbeat / 4;
        for planned in &record.faults {
            trouble.note(planned.at, &planned.fault, slow_from);
        }
        trouble.close_all(record.healed_at);
        trouble
    }

    fn note(&mut self, at: Duration, fault: &Fault, slow_from: Duration) {
        match fault {
            Fault::Crash { host, .. } | Fault::Stop { host } => {
                begin(&mut self.down, host.clone(), at)
            }
            Fault::Restart { host } => end(&mut self.down, host, at),
            Fault::Pause { host } => begin(&mut self.paused, host.clone(), at),
            Fault::Resume { host } => end(&mut self.paused, host, at),
            Fault::Hold { a, b }
            | Fault::Partition { a, b }
            | Fault::PartitionOneway { from: a, to: b } => begin(&mut self.cut, link(a, b), at),
            // The network knows one state per link: either undoes both.
            Fault::Release { a, b } | Fault::Repair { a, b } => end(&mut self.cut, &link(a, b), at),
            Fault::Latency { a, b, latency } if *latency >= slow_from => {
                begin(&mut self.slow, link(a, b), at);
            }
            Fault::Latency { a, b, .. } => end(&mut self.slow, &link(a, b), at),
            Fault::Reset { a, b } => {
                begin(&mut self.reset, link(a, b), at);
                end(&mut self.reset, &link(a, b), at);
            }
            Fault::Throttle { user, .. } => begin(&mut self.throttled, *user, at),
            Fault::Unthrottle { user } => end(&mut self.throttled, user, at),
            // Every bound counts with the longest time that a slow host takes.
            Fault::Slow { .. } | Fault::Quick { .. } => {}
        }
    }

    fn close_all(&mut self, healed_at: Duration) {
        let hosts = self.down.values_mut().chain(self.paused.values_mut());
        let links = self.cut.values_mut().chain(self.slow.values_mut());
        let users = self.throttled.values_mut();
        for span in hosts.chain(links).chain(users).flatten() {
            if span.until == Duration::MAX {
                span.until = healed_at.max(span.from);
            }
        }
    }

    /// Everything that touched one of `hosts` or the way between two of them, by beginning. Slow
    /// links are not in it: every bound counts with the largest latency of the run.
    pub fn among(&self, hosts: &[&str]) -> Vec<Span> {
        let mut spans = self.between(hosts);
        spans.extend(self.resets_among(hosts));
        for host in hosts {
            spans.extend(self.down_spans(host));
            spans.extend(self.paused_spans(host));
        }
        spans.sort();
        spans
    }

    /// When the way between two of `hosts` was cut or held.
    pub fn between(&self, hosts: &[&str]) -> Vec<Span> {
        among_links(&self.cut, hosts).collect()
    }

    /// When the connections between two of `hosts` were reset: moments.
    pub fn resets_among(&self, hosts: &[&str]) -> Vec<Span> {
        among_links(&self.reset, hosts).collect()
    }

    /// When a user took only some bytes a second.
    pub fn throttled_spans(&self, user: u32) -> &[Span] {
        self.throttled.get(&user).map_or(&[], Vec::as_slice)
    }

    /// When the way between the two was so slow that heartbeats come too late.
    pub fn slow_spans(&self, a: &str, b: &str) -> &[Span] {
        self.slow.get(&link(a, b)).map_or(&[], Vec::as_slice)
    }

    /// When the process on `host` was down.
    pub fn down_spans(&self, host: &str) -> &[Span] {
        self.down.get(host).map_or(&[], Vec::as_slice)
    }

    /// When the process on `host` stood still.
    pub fn paused_spans(&self, host: &str) -> &[Span] {
        self.paused.get(host).map_or(&[], Vec::as_slice)
    }
}

/// When `spans` (by beginning) let go of what happened at `at`: the end of the last of them in a
/// row with no gap longer than `reach`. `None` if none comes within `reach` of it.
pub fn calm_after(spans: &[Span], at: Duration, reach: Duration) -> Option<Duration> {
    let mut calm = None;
    for span in spans {
        let end = calm.unwrap_or(at);
        if span.from <= end + reach && span.until + reach >= at {
            calm = Some(end.max(span.until));
        }
    }
    calm
}

/// `spans` (by beginning) with those joined that have no gap longer than `reach` between them.
pub fn merged(spans: &[Span], reach: Duration) -> Vec<Span> {
    let mut merged: Vec<Span> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.from <= last.until + reach => {
                last.until = last.until.max(span.until);
            }
            _ => merged.push(*span),
        }
    }
    merged
}

/// The spans of the links between two of `hosts`.
fn among_links<'a>(
    links: &'a BTreeMap<Link, Vec<Span>>,
    hosts: &'a [&str],
) -> impl Iterator<Item = Span> + 'a {
    links
        .iter()
        .filter(|((a, b), _)| hosts.contains(&a.as_str()) && hosts.contains(&b.as_str()))
        .flat_map(|(_, spans)| spans.iter().copied())
}

fn link(a: &str, b: &str) -> Link {
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    (a.to_owned(), b.to_owned())
}

fn begin<K: Ord>(spans: &mut BTreeMap<K, Vec<Span>>, key: K, at: Duration) {
    let spans = spans.entry(key).or_default();
    if spans.last().is_none_or(|last| last.until != Duration::MAX) {
        spans.push(Span {
            from: at,
            until: Duration::MAX,
        });
    }
}

fn end<K: Ord>(spans: &mut BTreeMap<K, Vec<Span>>, key: &K, at: Duration) {
    if let Some(last) = spans.get_mut(key).and_then(|spans| spans.last_mut())
        && last.until == Duration::MAX
    {
        last.until = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::story::{CHAT, CONNECTOR_1, Story, ms, partition, pause, repair};

    fn span(from: u64, until: u64) -> Span {
        Span {
            from: ms(from),
            until: ms(until),
        }
    }

    #[test]
    fn a_fault_lasts_until_it_is_undone() {
        let record = Story::new()
            .fault(100, partition(CONNECTOR_1, CHAT))
            .fault(300, repair(CHAT, CONNECTOR_1))
            .record();
        let spans = Trouble::of(&record).among(&[CHAT, CONNECTOR_1]);
        assert_eq!(spans, [span(100, 300)]);
    }

    #[test]
    fn a_fault_that_nobody_undid_lasts_until_the_run_is_healed() {
        let record = Story::new().fault(100, pause(CHAT)).record();
        let spans = Trouble::of(&record).among(&[CHAT]);
        assert_eq!(spans, [span(100, 10_000)]);
    }

    #[test]
    fn a_fault_elsewhere_is_no_trouble() {
        let record = Story::new()
            .fault(100, partition(CONNECTOR_1, CHAT))
            .record();
        assert_eq!(Trouble::of(&record).among(&[CONNECTOR_1, "users-1"]), []);
    }

    #[test]
    fn calm_returns_after_the_last_of_a_row() {
        let spans = [span(100, 200), span(250, 300), span(900, 950)];
        assert_eq!(calm_after(&spans, ms(150), ms(60)), Some(ms(300)));
        assert_eq!(calm_after(&spans, ms(500), ms(60)), None);
        assert_eq!(calm_after(&spans, ms(340), ms(60)), Some(ms(340)));
    }
}
