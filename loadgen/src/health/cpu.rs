//! How busy the processors are: those that this process may use, and all of the machine, whoever uses
//! them.
//!
//! A processor that works for a process of lower priority (`nice`) counts as free: it is given up as soon
//! as somebody else wants it. So does one that waits for a disk. One that a hypervisor took away is busy.

use std::time::Duration;

use super::limits::{CROWDED_PERMILLE, FULL_PERMILLE, SATURATED_PERMILLE};
use super::vitals::{Cpu, Machine};

/// The clocks of the processors, at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// Time of processors that this process has used since it began.
    pub own: Duration,
    /// Those of the machine.
    pub machine: Option<MachineClocks>,
}

/// What `/proc/stat` says since the machine started, in ticks of whatever length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineClocks {
    /// Time for which no processor was free.
    pub busy: u64,
    /// All time, of all processors.
    pub all: u64,
    /// How many processors there are.
    pub processors: u64,
}

/// Looks at the clocks; `None` where the system does not tell them.
#[cfg(unix)]
pub fn look() -> Option<Clocks> {
    use rustix::time::{ClockId, clock_gettime};

    let own = clock_gettime(ClockId::ProcessCPUTime);
    let machine = std::fs::read_to_string("/proc/stat").ok();
    Some(Clocks {
        own: Duration::new(own.tv_sec.try_into().ok()?, own.tv_nsec.try_into().ok()?),
        machine: machine.and_then(|text| parse(&text)),
    })
}

/// Looks at the clocks; `None` where the system does not tell them.
#[cfg(not(unix))]
pub fn look() -> Option<Clocks> {
    None
}

/// Reads a `/proc/stat`: `cpu` with the times of all processors for user, nice, system, idle, iowait, irq,
/// softirq and steal, and such a line for each processor.
fn parse(stat: &str) -> Option<MachineClocks> {
    let mut lines = stat.lines();
    let times = lines.next()?.strip_prefix("cpu ")?.split_whitespace();
    let times: Option<Vec<u64>> = times.take(8).map(|time| time.parse().ok()).collect();
    let [user, nice, system, idle, waiting, interrupts @ ..] = &times?[..] else {
        return None;
    };
    let busy = user + system + interrupts.iter().sum::<u64>();
    Some(MachineClocks {
        busy,
        all: busy + nice + idle + waiting,
        processors: lines.filter(|line| line.starts_with("cpu")).count() as u64,
    })
}

impl Cpu {
    /// Nothing yet, of a process that may use so many processors.
    pub fn new(processors: u64) -> Self {
        Self {
            processors,
            ..Self::default()
        }
    }

    /// Notes how busy they were from one look at the clocks to the next, `elapsed` later.
    pub fn note(&mut self, last: &Clocks, now: &Clocks, elapsed: Duration) {
        let own = now.own.saturating_sub(last.own);
        let own_permille = permille(own, elapsed, self.processors);
        let seconds = elapsed.as_secs_f64().round().max(1.0) as u64;
        self.own_us += own.as_micros() as u64;
        self.own_permille = own_permille;
        self.own_permille_max = self.own_permille_max.max(own_permille);
        self.seconds += seconds;
        if own_permille >= SATURATED_PERMILLE {
            self.seconds_saturated += seconds;
        }
        let (Some(last), Some(now)) = (&last.machine, &now.machine) else {
            return;
        };
        let all = now.all.saturating_sub(last.all).max(1);
        let busy_permille = now.busy.saturating_sub(last.busy) * 1000 / all;
        let others_permille = busy_permille.saturating_sub(permille(own, elapsed, now.processors));
        let machine = self.machine.get_or_insert_default();
        machine.note(busy_permille, others_permille, seconds);
    }
}

impl Machine {
    fn note(&mut self, busy_permille: u64, others_permille: u64, seconds: u64) {
        self.busy_permille_max = self.busy_permille_max.max(busy_permille);
        self.others_permille_max = self.others_permille_max.max(others_permille);
        if busy_permille >= FULL_PERMILLE {
            self.seconds_full += seconds;
            if others_permille >= CROWDED_PERMILLE {
                self.seconds_crowded += seconds;
            }
        }
    }
}

/// Which part of `elapsed` on so many processors `used` is, in thousandths.
fn permille(used: Duration, elapsed: Duration, processors: u64) -> u64 {
    let all = elapsed.as_secs_f64() * processors.max(1) as f64;
    if all == 0.0 {
        return 0;
    }
    (used.as_secs_f64() / all * 1000.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "\
cpu  100 50 20 700 5 3 2 10 40 0
cpu0 50 25 10 350 3 2 1 5 20 0
cpu1 50 25 10 350 2 1 1 5 20 0
intr 1 2 3
";

    #[test]
    fn what_yields_and_what_waits_is_free_and_what_was_taken_away_is_not() {
        let clocks = MachineClocks {
            busy: 100 + 20 + 3 + 2 + 10,
            all: 100 + 50 + 20 + 700 + 5 + 3 + 2 + 10,
            processors: 2,
        };
        assert_eq!(parse(STAT), Some(clocks));
        for other in ["", "cpu 1 2", "cpu a b c d e f", "intr 1 2"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    /// Seconds of two processors, of 100 ticks each: how much this process used in each, in hundredths
    /// of a processor, and how much all did.
    fn cpu(seconds: &[(u64, u64)]) -> Cpu {
        let mut cpu = Cpu::new(2);
        let clocks = |own, busy, all| Clocks {
            own: Duration::from_millis(own * 10),
            machine: Some(MachineClocks {
                busy,
                all,
                processors: 2,
            }),
        };
        let (mut last, mut sums) = (clocks(0, 0, 0), (0, 0, 0));
        for (own, busy) in seconds {
            sums = (sums.0 + own, sums.1 + busy, sums.2 + 200);
            let now = clocks(sums.0, sums.1, sums.2);
            cpu.note(&last, &now, Duration::from_secs(1));
            last = now;
        }
        cpu
    }

    #[test]
    fn a_process_that_uses_nearly_all_that_it_may_is_saturated() {
        let cpu = cpu(&[(20, 40), (180, 185), (200, 200), (170, 180)]);
        assert_eq!((cpu.seconds, cpu.seconds_saturated), (4, 2));
        assert_eq!(cpu.own_us, 5_700_000);
        assert_eq!(cpu.own_permille_max, 1000);
    }

    #[test]
    fn a_machine_is_crowded_when_it_is_full_and_others_have_much_of_it() {
        // Half of it others, but not full; full by itself; full, a tenth others; full, nearly all others.
        let cpu = cpu(&[(20, 120), (195, 200), (175, 195), (10, 200)]);
        let machine = cpu.machine.expect("the machine told");
        assert_eq!((machine.seconds_full, machine.seconds_crowded), (3, 2));
        assert_eq!(machine.busy_permille_max, 1000);
        assert_eq!(machine.others_permille_max, 950);
    }

    #[test]
    fn a_time_without_a_look_counts_for_as_long_as_it_was() {
        let mut cpu = Cpu::new(1);
        let clocks = |own| Clocks {
            own: Duration::from_millis(own),
            machine: None,
        };
        cpu.note(&clocks(0), &clocks(4900), Duration::from_millis(5100));
        assert_eq!((cpu.seconds, cpu.seconds_saturated), (5, 5));
        assert_eq!(cpu.machine, None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_system_tells_its_clocks() {
        let clocks = look().expect("it has a clock for each process");
        let machine = clocks.machine.expect("there is a /proc/stat");
        assert!(
            machine.busy <= machine.all && machine.processors > 0,
            "{machine:?}"
        );
    }
}
