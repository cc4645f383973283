//! What can go wrong at one place for a while, and the faults that it is made of.

use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;

use crate::fault::{Fault, Planned};
use crate::kinds::FaultKind;
use crate::scenario::Span;

/// One thing that goes wrong for a while.
#[derive(Clone, Copy, Debug)]
pub struct Incident {
    /// What.
    pub kind: Kind,
    /// When, in milliseconds since faults began.
    pub after_ms: Span,
    /// For how long, in milliseconds.
    pub lasts_ms: Span,
}

/// What goes wrong and at which kind of place; which one of them is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// On a server's host.
    Host(HostTrouble, Role),
    /// On a link.
    Link(LinkTrouble, Ends),
    /// Every connector and chat server is killed and started again, one after the other.
    Rolling,
    /// The connections of a connector's clients are reset all at once.
    Storm,
    /// A user takes only some bytes a second.
    SlowReader,
}

impl Kind {
    /// What it is called.
    pub fn fault_kind(self) -> FaultKind {
        match self {
            Kind::Host(trouble, _) => match trouble {
                HostTrouble::Crash => FaultKind::Crash,
                HostTrouble::Stop => FaultKind::Stop,
                HostTrouble::PowerCut => FaultKind::PowerCut,
                HostTrouble::Pause => FaultKind::Pause,
                HostTrouble::Stutter => FaultKind::Stutter,
                HostTrouble::Slow => FaultKind::SlowHost,
            },
            Kind::Link(trouble, ends) => match trouble {
                LinkTrouble::Hold => FaultKind::Hold,
                LinkTrouble::Partition => FaultKind::Cut,
                LinkTrouble::CutReset => FaultKind::CutReset,
                LinkTrouble::OneWay if ends == Ends::Client => FaultKind::HalfOpen,
                LinkTrouble::OneWay => FaultKind::OneWay,
                LinkTrouble::Reset => FaultKind::Reset,
                LinkTrouble::Slow => FaultKind::SlowLink,
                LinkTrouble::Jitter => FaultKind::Jitter,
                LinkTrouble::Drift => FaultKind::Drift,
                LinkTrouble::Flap => FaultKind::Flapping,
            },
            Kind::Rolling => FaultKind::RollingRestart,
            Kind::Storm => FaultKind::ReconnectStorm,
            Kind::SlowReader => FaultKind::SlowReader,
        }
    }
}

/// What can be wrong with a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostTrouble {
    /// The process dies; its peers are told by the end of their streams.
    Crash,
    /// The process is asked to stop: it says goodbye.
    Stop,
    /// The machine loses power; its peers are not told.
    PowerCut,
    /// The process stands still.
    Pause,
    /// The process stands still again and again, as on a machine that has too much to do.
    Stutter,
    /// Each task of the process gets its turn late.
    Slow,
}

/// What can be wrong with a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkTrouble {
    /// It holds everything back, then delivers it.
    Hold,
    /// It loses everything, and nobody is told.
    Partition,
    /// It loses everything; when it carries again, its connections are reset.
    CutReset,
    /// It loses everything in one direction.
    OneWay,
    /// Its connections are reset.
    Reset,
    /// It is slow.
    Slow,
    /// It is now slow, now fast.
    Jitter,
    /// Its latency changes now and then, as far as is usual.
    Drift,
    /// It holds everything back again and again.
    Flap,
}

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The gate.
    Gate,
    /// A connector.
    Connector,
    /// A chat server.
    Chat,
}

/// What a link connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// A connector and a chat server.
    Backend,
    /// A connector and a host of clients.
    Client,
}

/// The latency of a link that is slow: some ten times the usual.
const SLOW_MS: Span = Span::of(50..=200);
/// The latencies of a link that jitters.
const JITTER_MS: Span = Span::of(1..=60);
/// The latencies of a link that drifts: of a network that is in order.
const DRIFT_MS: Span = Span::of(2..=30);
/// From one latency of a link that drifts to its next.
const DRIFT_EVERY_MS: Span = Span::of(200..=1500);
/// How long each task of a slow host waits for its turn: a few such waits are less than a slow link.
const DELAY_MS: Span = Span::of(1..=10);
/// What a slow reader takes: at the least a heartbeat in a tenth of a second; at the most less than
/// a lively room says.
const BYTES_PER_S: Span = Span::of(50..=2000);
/// How much of its time each server is down of those that are started anew in turn.
const DOWN_PERCENT: u32 = 60;
/// How long what comes again and again lasts each time, and how long it is away.
const AGAIN_MS: Span = Span::of(20..=300);

impl HostTrouble {
    /// The faults on `host`, from the first at `from` to what ends the last at `to`.
    pub fn draw(self, host: &str, from: Duration, to: Duration, rng: &mut StdRng) -> Vec<Planned> {
        let host = host.to_owned();
        match self {
            HostTrouble::Crash => {
                let goodbye = true;
                once(Fault::Crash { host, goodbye }, from, to)
            }
            HostTrouble::Stop => once(Fault::Stop { host }, from, to),
            HostTrouble::PowerCut => {
                let goodbye = false;
                once(Fault::Crash { host, goodbye }, from, to)
            }
            HostTrouble::Pause => once(Fault::Pause { host }, from, to),
            HostTrouble::Stutter => again_and_again(&Fault::Pause { host }, from, to, rng),
            HostTrouble::Slow => {
                let delay = DELAY_MS.draw_ms(rng);
                once(Fault::Slow { host, delay }, from, to)
            }
        }
    }
}

impl LinkTrouble {
    /// The faults between two hosts, from the first at `from` to what ends the last at `to`, when
    /// the latency is as `usual`.
    pub fn draw(
        self,
        [a, b]: [&str; 2],
        usual: Duration,
        from: Duration,
        to: Duration,
        rng: &mut StdRng,
    ) -> Vec<Planned> {
        let (a, b) = (a.to_owned(), b.to_owned());
        let latency = |at, latency, part_of| {
            let (a, b) = (a.clone(), b.clone());
            Planned {
                part_of,
                ..Planned::new(at, Fault::Latency { a, b, latency })
            }
        };
        let changing = |kind, latencies: Span, every: Span, rng: &mut StdRng| {
            let mut faults = Vec::new();
            let mut at = from;
            while at < to {
                faults.push(latency(at, latencies.draw_ms(rng), Some(kind)));
                at += every.draw_ms(rng);
            }
            faults.push(latency(to, usual, None));
            // What is as it was is no change.
            faults.dedup_by(|next, last| next.fault == last.fault);
            faults
        };
        match self {
            LinkTrouble::Hold => once(Fault::Hold { a, b }, from, to),
            LinkTrouble::Partition => once(Fault::Partition { a, b }, from, to),
            LinkTrouble::OneWay => {
                let (from_host, to_host) = if rng.random() { (a, b) } else { (b, a) };
                let fault = Fault::PartitionOneway {
                    from: from_host,
                    to: to_host,
                };
                once(fault, from, to)
            }
            LinkTrouble::CutReset => {
                let (left, right) = (a.clone(), b.clone());
                let mut faults = once(Fault::Partition { a, b }, from, to);
                faults.push(Planned::new(to, Fault::Reset { a: left, b: right }));
                faults
            }
            LinkTrouble::Reset => vec![Planned::new(from, Fault::Reset { a, b })],
            LinkTrouble::Slow => vec![
                latency(from, SLOW_MS.draw_ms(rng), Some(FaultKind::SlowLink)),
                latency(to, usual, None),
            ],
            LinkTrouble::Jitter => changing(FaultKind::Jitter, JITTER_MS, AGAIN_MS, rng),
            LinkTrouble::Drift => changing(FaultKind::Drift, DRIFT_MS, DRIFT_EVERY_MS, rng),
            LinkTrouble::Flap => again_and_again(&Fault::Hold { a, b }, from, to, rng),
        }
    }
}

/// The faults of a user who reads slowly.
pub fn slow_reader(user: u32, from: Duration, to: Duration, rng: &mut StdRng) -> Vec<Planned> {
    let bytes_per_s = BYTES_PER_S.draw(rng);
    once(Fault::Throttle { user, bytes_per_s }, from, to)
}

/// When each of `count` servers goes down and is started again that take their turns between `from`
/// and `to`.
pub fn turns(count: u32, from: Duration, to: Duration) -> Vec<(Duration, Duration)> {
    let each = whole_ms((to - from) / count);
    let down = whole_ms(each * DOWN_PERCENT / 100);
    let begin = |index| from + each * index;
    (0..count)
        .map(|index| (begin(index), begin(index) + down))
        .collect()
}

/// As fine as simulated time, and not nothing.
fn whole_ms(time: Duration) -> Duration {
    let ms = u64::try_from(time.as_millis()).expect("a run is not that long");
    Duration::from_millis(ms.max(1))
}

fn once(fault: Fault, from: Duration, to: Duration) -> Vec<Planned> {
    let heal = fault.heal().map(|fault| Planned::new(to, fault));
    let mut faults = vec![Planned::new(from, fault)];
    faults.extend(heal);
    faults
}

fn again_and_again(fault: &Fault, from: Duration, to: Duration, rng: &mut StdRng) -> Vec<Planned> {
    let mut faults = Vec::new();
    let mut at = from;
    while at < to {
        let healed_at = to.min(at + AGAIN_MS.draw_ms(rng));
        faults.extend(once(fault.clone(), at, healed_at));
        at = healed_at + AGAIN_MS.draw_ms(rng);
    }
    faults
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const FROM: Duration = Duration::from_secs(2);
    const TO: Duration = Duration::from_secs(4);

    #[test]
    fn what_comes_again_and_again_ends_in_time() {
        let mut rng = StdRng::seed_from_u64(1);
        let faults = HostTrouble::Stutter.draw("chat-server-1", FROM, TO, &mut rng);
        assert!(faults.len() > 4, "{faults:?}");
        for pair in faults.chunks(2) {
            assert_eq!(pair[0].fault.heal().as_ref(), Some(&pair[1].fault));
            assert!(FROM <= pair[0].at && pair[0].at <= pair[1].at && pair[1].at <= TO);
        }
    }

    #[test]
    fn a_link_that_was_slow_is_as_usual_again() {
        let usual = Duration::from_millis(3);
        let mut rng = StdRng::seed_from_u64(1);
        for trouble in [LinkTrouble::Slow, LinkTrouble::Jitter, LinkTrouble::Drift] {
            let faults = trouble.draw(["a", "b"], usual, FROM, TO, &mut rng);
            let last = faults.last().map(|last| (last.at, last.fault.latency()));
            assert_eq!(last, Some((TO, Some(usual))), "{trouble:?}");
        }
    }

    #[test]
    fn servers_that_take_turns_are_never_down_together() {
        let turns = turns(4, FROM, TO);
        assert_eq!(turns.len(), 4);
        for pair in turns.windows(2) {
            assert!(pair[0].0 < pair[0].1 && pair[0].1 < pair[1].0);
        }
        assert!(FROM <= turns[0].0 && turns[3].1 <= TO);
    }
}
