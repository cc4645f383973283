//! Processor time of processes and of those that they started, as Linux tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

#[cfg(target_os = "linux")]
use std::fs;

/// The processor time so far of `roots` and all below them, without `except` and all below those. Processes
/// that have ended count no more. `None` where the system does not tell, or if a root is not there.
#[cfg(target_os = "linux")]
pub fn time_of(roots: &[u32], except: &[u32]) -> Option<Duration> {
    let processes = fs::read_dir("/proc").ok()?.filter_map(|entry| {
        let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        // One that ended meanwhile is none.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some((pid, Process::parse(&stat)?))
    });
    let ticks = sum(&processes.collect(), roots, except)?;
    let per_s = rustix::param::clock_ticks_per_second().max(1);
    Some(Duration::from_micros(ticks * 1_000_000 / per_s))
}

/// Nothing: the system is not asked.
#[cfg(not(target_os = "linux"))]
pub fn time_of(_roots: &[u32], _except: &[u32]) -> Option<Duration> {
    None
}

/// What is known of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    parent: u32,
    /// In user and in system mode.
    ticks: u64,
}

impl Process {
    /// Reads `/proc/PID/stat` (see proc_pid_stat(5)). The name, which comes second, may hold anything.
    #[cfg(any(target_os = "linux", test))]
    fn parse(stat: &str) -> Option<Self> {
        let (_, rest) = stat.rsplit_once(')')?;
        // The third field is the first here.
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        Some(Self {
            parent: u32::try_from(number(4)?).ok()?,
            ticks: number(14)? + number(15)?,
        })
    }
}

#[cfg(any(target_os = "linux", test))]
fn sum(processes: &BTreeMap<u32, Process>, roots: &[u32], except: &[u32]) -> Option<u64> {
    let mut open = roots.to_vec();
    let mut seen = BTreeSet::new();
    let mut ticks = 0;
    while let Some(pid) = open.pop() {
        if except.contains(&pid) || !seen.insert(pid) {
            continue;
        }
        match processes.get(&pid) {
            Some(process) => ticks += process.ticks,
            None if roots.contains(&pid) => return None,
            None => {}
        }
        let below = processes.iter().filter(|(_, it)| it.parent == pid);
        open.extend(below.map(|(pid, _)| *pid));
    }
    Some(ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_it_is_called() {
        let stat = "17 (a) 2 R (b)) S 5 17 17 0 -1 4194560 900 0 1 0 250 50 7 9 20 0 1 0 100 0 0";
        let process = Process {
            parent: 5,
            ticks: 300,
        };
        assert_eq!(Process::parse(stat), Some(process));
        assert_eq!(Process::parse("17 (a) S 5"), None);
    }

    #[test]
    fn a_process_counts_with_all_that_it_started_once() {
        let process = |parent, ticks| Process { parent, ticks };
        let all = BTreeMap::from([
            (1, process(0, 1)),
            (10, process(1, 10)),
            (11, process(10, 100)),
            (12, process(11, 1000)),
            (13, process(10, 10_000)),
        ]);
        assert_eq!(sum(&all, &[10], &[]), Some(11_110));
        assert_eq!(sum(&all, &[10, 11], &[]), Some(11_110));
        assert_eq!(sum(&all, &[10], &[11]), Some(10_010));
        assert_eq!(sum(&all, &[99], &[]), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_used_some_time() {
        let time = || time_of(&[std::process::id()], &[]).expect("Linux tells");
        let before = time();
        // As long as it takes to be seen: ticks are coarse.
        while time() <= before {}
    }
}
