//! What can go wrong at one place for a while, and the faults that it is made of.

use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;

use crate::fault::{Fault, Planned};
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
}

/// What can be wrong with a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkTrouble {
    /// It holds everything back, then delivers it.
    Hold,
    /// It loses everything.
    Partition,
    /// It loses everything in one direction.
    OneWay,
    /// It is slow.
    Slow,
    /// It is now slow, now fast.
    Jitter,
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
        let latency = |at, latency| {
            let (a, b) = (a.clone(), b.clone());
            let fault = Fault::Latency { a, b, latency };
            Planned { at, fault }
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
            LinkTrouble::Slow => vec![latency(from, SLOW_MS.draw_ms(rng)), latency(to, usual)],
            LinkTrouble::Jitter => {
                let mut faults = Vec::new();
                let mut at = from;
                while at < to {
                    faults.push(latency(at, JITTER_MS.draw_ms(rng)));
                    at += AGAIN_MS.draw_ms(rng);
                }
                faults.push(latency(to, usual));
                faults
            }
            LinkTrouble::Flap => again_and_again(&Fault::Hold { a, b }, from, to, rng),
        }
    }
}

fn once(fault: Fault, from: Duration, to: Duration) -> Vec<Planned> {
    let heal = fault.heal().map(|fault| Planned { at: to, fault });
    let mut faults = vec![Planned { at: from, fault }];
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
        for trouble in [LinkTrouble::Slow, LinkTrouble::Jitter] {
            let faults = trouble.draw(["a", "b"], usual, FROM, TO, &mut rng);
            let last = faults.last().map(|last| (last.at, last.fault.latency()));
            assert_eq!(last, Some((TO, Some(usual))), "{trouble:?}");
        }
    }
}
