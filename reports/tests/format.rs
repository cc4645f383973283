//! Golden files pin the format of `run.json` and of the summary: a change that old readers would
//! misread must raise the schema version.
//!
//! To accept a change on purpose: `UPDATE_GOLDEN=1 cargo test -p reports --test format`.

#[path = "shared/fixture.rs"]
mod fixture;
#[path = "shared/schema.rs"]
mod schema;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use reports::run::{Judgement, Kind, Run};
use reports::text;
use serde_json::Value;

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
fn a_run_comes_to_the_gravest_that_can_be_said_of_it() {
    let mut run = run();
    run.invalid.push("the processor was busy".to_owned());
    assert_eq!(run.judgement(), Judgement::Invalid);
    run.invalid.clear();
    assert_eq!(run.judgement(), Judgement::Fail);
    run.verdicts.retain(|verdict| verdict.holds);
    run.thresholds[0].holds = false;
    assert_eq!(run.judgement(), Judgement::Fail);
    run.thresholds.retain(|threshold| threshold.holds);
    assert_eq!(run.judgement(), Judgement::Partial);
    assert!(!run.passes(), "it was stopped");
    run.partial = false;
    assert!(run.passes());
    run.verdicts.clear();
    assert!(run.passes(), "there are thresholds");
    run.thresholds.clear();
    assert_eq!(run.judgement(), Judgement::Unchecked);
    assert!(!run.passes(), "nothing was checked");
}

/// The published schema, which other programs go by.
fn published() -> Result<Value, Box<dyn Error>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("run.schema.json");
    Ok(serde_json::from_str(&fs::read_to_string(file)?)?)
}

#[test]
fn what_is_written_is_as_the_published_schema_says() -> Result<(), Box<dyn Error>> {
    let published = published()?;
    let mut simulation = run();
    simulation.kind = Kind::Simulation;
    simulation.load = None;
    simulation.thresholds.clear();
    simulation.health.clear();
    simulation.environment.clear();
    simulation.plan.stages.clear();
    simulation.plan.faults.clear();
    let mut strange = run();
    strange.invalid.push("the processor was busy".to_owned());
    let load = strange.load.as_mut().ok_or("a load test has a load")?;
    load.fan_out.line = None;
    load.fan_out.classes[0].last = None;
    load.worst[0].delays = None;
    for run in [run(), simulation, strange] {
        let value = serde_json::to_value(&run)?;
        schema::check(&published, &value)?;
    }
    Ok(())
}

#[test]
fn what_is_not_as_the_published_schema_says_is_noticed() -> Result<(), Box<dyn Error>> {
    let published = published()?;
    for (pointer, wrong) in [
        ("/schema", Value::from(1)),
        ("/seed", Value::from(-1)),
        ("/kind", Value::from("dream")),
        ("/load/worst/0/delays/last_us", Value::from("soon")),
        ("/load/timeline/rows/0/counts/sends_total", Value::Null),
        ("/thresholds/0/comparison", Value::from("!=")),
        ("/health/0/measures/0", Value::from(serde_json::Map::new())),
    ] {
        let mut value = serde_json::to_value(run())?;
        *value.pointer_mut(pointer).ok_or(pointer)? = wrong;
        let error = schema::check(&published, &value).expect_err(pointer);
        // One that may be absent is told as a whole.
        let at = error.split(':').next().unwrap_or_default();
        assert!(
            at.len() > 3 && pointer.starts_with(at),
            "{pointer}: {error}"
        );
    }
    let mut value = serde_json::to_value(run())?;
    value["surprise"] = Value::from(1);
    assert!(
        schema::check(&published, &value).is_err(),
        "an unknown field"
    );
    Ok(())
}

/// A run with something of everything, as short as may be.
fn run() -> Run {
    fixture::run(4, &fixture::measured(4, 0, 1))
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
