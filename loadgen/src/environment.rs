//! What a load test ran on: figures of one machine say little of another.

use std::collections::BTreeMap;
use std::fs;

/// What the system tells of this machine, now: its processors, its kernel, and its load (the averages of
/// one, five and fifteen minutes, and the tasks).
pub fn read() -> BTreeMap<String, String> {
    let mut environment = BTreeMap::new();
    let mut say = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            environment.insert(name.to_owned(), value);
        }
    };
    let read = |path: &str| fs::read_to_string(path).ok();
    let processors = std::thread::available_parallelism().ok();
    say("processors", processors.map(|it| it.to_string()));
    let model = read("/proc/cpuinfo").and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    say("processor", model);
    say(
        "system",
        read("/proc/sys/kernel/osrelease").map(|it| format!("Linux {}", it.trim())),
    );
    say("load", read("/proc/loadavg").map(|it| it.trim().to_owned()));
    environment
}
