//! What a person sees of a run: seven lines that fit a terminal of 80 columns.

use std::time::Duration;

use reports::buckets::Buckets;

use crate::health::{self, Findings, Seen};
use crate::plan::LoadPlan;
use crate::status::{Status, Users};

use super::{elapsed, faults, planned_per_s};

/// So many columns are always there.
const COLUMNS: usize = 79;

/// The lines over and under the bar.
pub struct View {
    pub head: String,
    pub body: String,
}

impl View {
    pub fn of(plan: &LoadPlan, status: &Status, has_cluster: bool) -> Self {
        let now = elapsed(status);
        let left = plan.gone_at().saturating_sub(now);
        let times = format!("{}, {} left", clock(now), clock(left));
        let stage = cut(plan.stage_name(now), COLUMNS - times.len() - 2);
        let fill = COLUMNS - stage.chars().count();
        let lines = [
            ("users", users(plan, status)),
            ("sends", sends(plan, status)),
            ("heard", heard(status)),
            ("audit", audit(status)),
            ("health", health(status, has_cluster)),
        ];
        let lines = lines.map(|(name, text)| cut(&format!("{name:<7} {text}"), COLUMNS));
        Self {
            head: format!("{stage}{times:>fill$}"),
            body: lines.join("\n"),
        }
    }
}

fn users(plan: &LoadPlan, status: &Status) -> String {
    let Users {
        logging_in,
        entering,
        inside,
    } = status.users;
    format!(
        "{} of {} in rooms, {} entering, {} logging in",
        grouped(inside),
        grouped(plan.connections().into()),
        grouped(entering),
        grouped(logging_in)
    )
}

fn sends(plan: &LoadPlan, status: &Status) -> String {
    let mut text = format!(
        "{}/s planned, {}/s sent; {} sent, {} accepted",
        rate(planned_per_s(plan, status)),
        rate(status.recent.per_second("sends_total")),
        grouped(status.count("sends_total")),
        grouped(status.count("sends_accepted")),
    );
    let refused = status.count("sends_refused");
    if refused > 0 {
        text += &format!(", {} refused", grouped(refused));
    }
    text
}

fn heard(status: &Status) -> String {
    let recent = &status.recent;
    let last = match recent.latencies.get("broadcast.last") {
        Some(last) => format!("p50 {}, p99 {}", quantile(last, 0.5), quantile(last, 0.99)),
        None => String::from("none"),
    };
    format!(
        "{}/s; last recipient of the last {} s: {last}",
        rate(recent.per_second("deliveries_total")),
        recent.span_us / 1_000_000
    )
}

fn audit(status: &Status) -> String {
    let faults = faults(status).into_iter().map(|(count, name)| {
        let name = name.replace('_', " ");
        format!("{} {name}", grouped(count))
    });
    let faults: Vec<_> = faults.collect();
    match faults.is_empty() {
        true => String::from("all as promised so far"),
        false => faults.join(", "),
    }
}

fn health(status: &Status, has_cluster: bool) -> String {
    let Findings {
        invalid, health, ..
    } = health::judge(&Seen::now(status, has_cluster));
    if let Some(reason) = invalid.first() {
        return format!("INVALID: {reason}");
    }
    let measures = || health.iter().flat_map(|it| &it.measures);
    let worst = |name: &str| {
        let values = measures().filter(|it| it.name == name);
        values.map(|it| it.value).max().unwrap_or_default()
    };
    let time = |name| shown(worst(name));
    let cpus = status.processes.values().filter_map(|vitals| vitals.cpu);
    let busy = cpus.max_by_key(|cpu| cpu.own_permille);
    let busy = busy.map_or(String::new(), |cpu| {
        format!(
            ", {} % of {} processors",
            cpu.own_permille / 10,
            cpu.processors
        )
    });
    format!(
        "in time: sends {}, tasks {} late (p99){busy}",
        time("send_late_us_p99"),
        time("loop_late_us_p99"),
    )
}

fn quantile(latencies: &Buckets, share: f64) -> String {
    shown(latencies.quantile_us(share))
}

/// A time to three digits or so.
fn shown(us: u64) -> String {
    match us {
        0..10_000 => format!("{}.{} ms", us / 1000, us % 1000 / 100),
        10_000..1_000_000 => format!("{} ms", us / 1000),
        _ => format!("{:.1} s", us as f64 / 1e6),
    }
}

fn rate(per_second: f64) -> String {
    match per_second {
        0.0..9.95 => format!("{per_second:.1}"),
        _ => grouped(per_second.round() as u64),
    }
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// As a clock shows it: minutes and seconds.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..3600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ => format!(
            "{}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        ),
    }
}

/// The beginning of a text, in so many columns; with nothing that a terminal would obey.
fn cut(text: &str, columns: usize) -> String {
    let mut inert = text.chars().filter(|it| !it.is_control());
    let mut begin: String = inert.by_ref().take(columns).collect();
    if inert.next().is_some() {
        begin.pop();
        begin.push('…');
    }
    begin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_read_at_a_glance() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
        for (seconds, text) in [
            (0, "0:00"),
            (61, "1:01"),
            (3599, "59:59"),
            (3661, "1:01:01"),
        ] {
            assert_eq!(clock(Duration::from_secs(seconds)), text);
        }
        for (us, text) in [
            (0, "0.0 ms"),
            (1_250, "1.2 ms"),
            (9_999, "9.9 ms"),
            (10_000, "10 ms"),
            (999_999, "999 ms"),
            (1_250_000, "1.2 s"),
        ] {
            assert_eq!(shown(us), text);
        }
        assert_eq!(
            (rate(0.25).as_str(), rate(1199.6).as_str()),
            ("0.2", "1,200")
        );
    }

    #[test]
    fn what_is_too_long_or_would_be_obeyed_is_cut() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("a\u{1b}[2Jb", 9), "a[2Jb");
    }
}
