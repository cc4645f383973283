//! What a run shows as tables that a spreadsheet reads (RFC 4180): one line for each row, the names of
//! the columns in the first.

use std::collections::BTreeSet;

use crate::latency::Figures;
use crate::run::fan_out::FanOut;
use crate::run::load::{METRICS_OVER_TIME, Timeline};

/// The timeline: one line for each interval. What did not happen in one is 0; a latency without a
/// value is empty.
pub fn timeline(timeline: &Timeline) -> String {
    let names = timeline.rows.iter().flat_map(|row| row.counts.keys());
    let names: BTreeSet<_> = names.collect();
    let mut head = vec![String::from("at_us")];
    head.extend(names.iter().map(|name| String::from(*name)));
    for metric in METRICS_OVER_TIME {
        head.push(format!("{metric}.count"));
        let figures = ["p50", "p90", "p99", "max"];
        head.extend(figures.map(|figure| format!("{metric}.latency_us_{figure}")));
    }
    let mut table = line(&head);
    for row in &timeline.rows {
        let mut fields = vec![row.at_us.to_string()];
        let counts = names.iter().map(|name| row.counts.get(*name));
        fields.extend(counts.map(|count| count.copied().unwrap_or_default().to_string()));
        for metric in METRICS_OVER_TIME {
            match row.latencies.get(metric) {
                Some(band) => fields.extend(
                    [
                        band.count,
                        band.latency_us_p50,
                        band.latency_us_p90,
                        band.latency_us_p99,
                        band.latency_us_max,
                    ]
                    .map(|value| value.to_string()),
                ),
                None => {
                    fields.push(String::from("0"));
                    fields.extend([const { String::new() }; 4]);
                }
            }
        }
        table += &line(&fields);
    }
    table
}

/// The broadcasts by size of room: one line for each class.
pub fn classes(fan_out: &FanOut) -> String {
    let mut head = [
        "members_min",
        "members_max",
        "broadcasts",
        "complete",
        "recipients_expected",
        "recipients_got",
    ]
    .map(String::from)
    .to_vec();
    for part in ["first", "median", "p99", "last"] {
        let figures = ["mean", "p50", "p90", "p99", "max"];
        head.extend(figures.map(|figure| format!("{part}.latency_us_{figure}")));
    }
    let mut table = line(&head);
    for class in &fan_out.classes {
        let mut fields = [
            u64::from(class.members_min),
            u64::from(class.members_max),
            class.broadcasts,
            class.complete,
            class.recipients_expected,
            class.recipients_got,
        ]
        .map(|value| value.to_string())
        .to_vec();
        for figures in [&class.first, &class.median, &class.p99, &class.last] {
            fields.extend(latencies(figures.as_ref()));
        }
        table += &line(&fields);
    }
    table
}

fn latencies(figures: Option<&Figures>) -> [String; 5] {
    figures.map_or([const { String::new() }; 5], |figures| {
        [
            figures.latency_us_mean,
            figures.latency_us_p50,
            figures.latency_us_p90,
            figures.latency_us_p99,
            figures.latency_us_max,
        ]
        .map(|value| value.to_string())
    })
}

fn line(fields: &[String]) -> String {
    let fields: Vec<_> = fields.iter().map(|field| quoted(field)).collect();
    fields.join(",") + "\r\n"
}

fn quoted(field: &str) -> String {
    match field.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::measured::Measured;
    use crate::run::load::Load;

    #[test]
    fn a_timeline_has_a_line_for_each_interval_and_a_column_for_each_count() {
        let mut measured = Measured::new(Duration::from_secs(1));
        measured.row_at(Duration::ZERO).count("a \"strange\", name");
        let row = measured.row_at(Duration::from_secs(1));
        row.count("sends_total");
        row.record("login", Duration::from_micros(5));
        let table = timeline(&Load::of(&measured).timeline);
        let lines: Vec<_> = table.split("\r\n").collect();
        let [head, first, second, ""] = lines[..] else {
            panic!("{table}");
        };
        let start = "at_us,\"a \"\"strange\"\", name\",sends_total,broadcast.last.count,";
        assert!(head.starts_with(start), "{head}");
        assert!(
            head.contains(",login.count,login.latency_us_p50,"),
            "{head}"
        );
        assert_eq!(first, "0,1,0,0,,,,,0,,,,,0,,,,,0,,,,");
        assert_eq!(second, "1000000,0,1,0,,,,,1,5,5,5,5,0,,,,,0,,,,");
    }
}
