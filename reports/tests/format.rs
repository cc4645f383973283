//! Golden files pin the format of `run.json` and of the summary: a change that old readers would
//! misread must raise the schema version.
//!
//! To accept a change on purpose: `UPDATE_GOLDEN=1 cargo test -p reports --test format`.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use reports::latency::Latencies;
use reports::run::{Kind, Plan, Program, Run, SCHEMA, Verdict, date};
use reports::text;

#[test]
fn run_json_is_written_as_the_golden_file_has_it() -> Result<(), Box<dyn Error>> {
    assert_golden("run.json", &run().to_json())
}

#[test]
fn the_golden_run_json_reads_back_as_the_run_it_was() -> Result<(), Box<dyn Error>> {
    let file = golden("run.json");
    assert_eq!(Run::parse(&fs::read_to_string(&file)?, &file)?, run());
    Ok(())
}

#[test]
fn the_summary_is_printed_as_the_golden_file_has_it() -> Result<(), Box<dyn Error>> {
    let mut summary = String::new();
    text::write_summary(&mut summary, &run())?;
    assert_golden("summary.txt", &summary)
}

#[test]
fn a_field_that_is_added_later_does_not_disturb_this_reader() -> Result<(), Box<dyn Error>> {
    let text = run().to_json().replacen('{', r#"{"added_later": 1, "#, 1);
    assert_eq!(Run::parse(&text, Path::new("run.json"))?, run());
    Ok(())
}

#[test]
fn a_missing_field_is_named() {
    let text = run().to_json().replace("\"seed\"", "\"sead\"");
    let error = Run::parse(&text, Path::new("run.json")).expect_err("no seed");
    let cause = error.source().expect("the parser's error").to_string();
    assert!(cause.contains("missing field `seed`"), "{cause}");
}

#[test]
fn a_terminal_is_told_nothing_by_a_name() -> Result<(), Box<dyn Error>> {
    let mut hostile = run();
    hostile.name = String::from("\u{1b}[31mred\u{9b}");
    let mut summary = String::new();
    text::write_summary(&mut summary, &hostile)?;
    assert!(
        summary.starts_with("\u{FFFD}[31mred\u{FFFD}: loadgen"),
        "{summary}"
    );
    Ok(())
}

#[test]
fn a_run_passes_if_it_ended_checked_something_and_all_of_it_held() {
    let mut run = run();
    assert!(!run.passes());
    run.verdicts.retain(|verdict| verdict.holds);
    assert!(!run.passes(), "it was stopped");
    run.partial = false;
    assert!(run.passes());
    run.verdicts.clear();
    assert!(!run.passes(), "nothing was checked");
}

/// A run with something of everything.
fn run() -> Run {
    let mut latencies = Latencies::new();
    for us in 1..=1000 {
        latencies.record(Duration::from_micros(us));
    }
    let mut request = Latencies::new();
    request.record(Duration::from_millis(250));
    let figures = |latencies: &Latencies| latencies.figures().expect("it has values");
    Run {
        schema: SCHEMA,
        name: "load-7-1".to_owned(),
        program: Program {
            name: "loadgen".to_owned(),
            version: "0.1.0".to_owned(),
        },
        kind: Kind::Load,
        seed: 7,
        command: "cargo loadgen run --gate 127.0.0.1:3014 --seed 7".to_owned(),
        date: date(Duration::from_secs(1_700_000_000)),
        elapsed_us: 31_250_000,
        partial: true,
        plan: Plan {
            options: BTreeMap::from([
                ("rate_per_s".to_owned(), 200.into()),
                ("transport".to_owned(), "ws".into()),
                ("users".to_owned(), 1000.into()),
            ]),
            steps: vec!["00:04.200  crash  chat-server-1".to_owned()],
        },
        verdicts: vec![
            Verdict {
                name: "delivered".to_owned(),
                demands: "every accepted send reached every member".to_owned(),
                holds: true,
                evidence: Vec::new(),
            },
            Verdict {
                name: "once".to_owned(),
                demands: "no member heard a message twice".to_owned(),
                holds: false,
                evidence: vec!["user 3 heard u1.1.1 2 times, last at 4.200s".to_owned()],
            },
        ],
        warnings: vec!["sends were late".to_owned()],
        counts: BTreeMap::from([
            ("deliveries_doubled".to_owned(), 1),
            ("sends_total".to_owned(), 6000),
        ]),
        latencies: BTreeMap::from([
            ("broadcast".to_owned(), figures(&latencies)),
            ("request".to_owned(), figures(&request)),
        ]),
    }
}

fn assert_golden(name: &str, text: &str) -> Result<(), Box<dyn Error>> {
    let file = golden(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, text)?;
    }
    assert_eq!(text, fs::read_to_string(&file)?, "{}", file.display());
    Ok(())
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}
