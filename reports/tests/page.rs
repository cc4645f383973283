//! The page of a run: that it is whole, says what `run.json` says, and harms nobody who opens it.

#[cfg(feature = "browser")]
#[path = "shared/browser.rs"]
mod browser;
#[path = "shared/fixture.rs"]
mod fixture;
#[path = "shared/hostile.rs"]
mod hostile;
#[path = "shared/numbers.rs"]
mod numbers;

use std::error::Error;
use std::fs;
use std::process::Command;

use hostile::HOSTILE;
use numbers::{check_numbers, is_shown};
use reports::measured::Measured;
use reports::measured::broadcasts::{Broadcast, Delays};
use reports::page::page;
use reports::run::{Judgement, Kind, Run, Span};
use reports::run_folder::RunFolder;
use serde_json::Value;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// As long may a page be.
const PAGE_LEN_MAX: usize = 2_000_000;
fn run(seconds: u64) -> Run {
    fixture::run(seconds, &fixture::measured(seconds, 0, 1))
}

/// A run in which everything that has a name is called so.
fn hostile_run() -> Outcome<Run> {
    let mut measured = fixture::measured(8, 0, 1);
    let name = || HOSTILE.to_owned();
    measured.counts.insert(name(), 7);
    measured.row_at(std::time::Duration::ZERO).count(HOSTILE);
    measured.note_broadcast(&Broadcast {
        message: name(),
        room: name(),
        members: 3,
        expected: 3,
        got: 3,
        due_us: 0,
        sent_us: 0,
        answered_us: None,
        delays: Some(Delays {
            first_us: 1,
            median_us: 2,
            p99_us: 3,
            last_us: 9_000_000,
        }),
    });
    let faults = measured.faults.entry(name()).or_default();
    faults.note(5, name);
    let step = measured.funnel.entry(name()).or_default();
    step.failed.insert(name(), 3);
    measured.connectors.entry(name()).or_default().users = 2;
    let mut run = fixture::run(8, &measured);
    run.name = name();
    run.program.name = name();
    run.command = name();
    run.date = name();
    run.warnings = vec![name()];
    run.plan.options.insert(name(), Value::from(HOSTILE));
    run.plan.steps = vec![name()];
    let span = || Span {
        name: name(),
        starts_us: 0,
        ends_us: 2_000_000,
    };
    (run.plan.stages, run.plan.faults) = (vec![span()], vec![span()]);
    run.verdicts[1].name = name();
    run.verdicts[1].demands = name();
    run.verdicts[1].evidence = vec![name()];
    run.thresholds[0].metric = format!("broadcast.last.{HOSTILE}");
    run.health[0].process = name();
    run.health[0].measures[0].name = name();
    run.environment.insert(name(), name());
    let login = run.latencies.get("login").copied().ok_or("no login")?;
    run.latencies.insert(name(), login);
    Ok(run)
}

#[test]
fn no_name_is_read_as_html() -> Outcome {
    // One of its own, and one with the rows.
    hostile::check_names(&page(&hostile_run()?), 2);
    Ok(())
}

#[test]
fn a_page_needs_nothing_from_anywhere() -> Outcome {
    hostile::check_needs_nothing(&page(&hostile_run()?));
    Ok(())
}

#[test]
fn every_number_on_the_page_is_that_of_the_report() -> Outcome {
    let run = run(40);
    let (json, page) = (serde_json::to_value(&run)?, page(&run));
    check_numbers(&page, &json, 300)?;
    // What the script shows.
    let data = between(&page, "id=\"data\">", "</script>").ok_or("no data")?;
    let data: Value = serde_json::from_str(data)?;
    let rows = &run.load.as_ref().ok_or("no load")?.timeline.rows;
    assert_eq!(data["rows"].as_array().map(Vec::len), Some(rows.len()));
    for (shown, row) in data["rows"].as_array().into_iter().flatten().zip(rows) {
        assert_eq!(shown[0], row.at_us);
        assert_eq!(shown[1][1], row.counts["sends_total"]);
        let band = &row.latencies["broadcast.last"];
        assert_eq!(shown[2][2], band.latency_us_p99);
    }
    Ok(())
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(from)?;
    Some(rest.split_once(to)?.0)
}

#[test]
fn the_sentence_at_the_top_says_what_the_run_comes_to() -> Outcome {
    let mut run = run(40);
    let sentence = |run: &Run| {
        let page = page(run);
        between(&page, "<h1>", "</h1>")
            .unwrap_or_default()
            .to_owned()
    };
    let said = sentence(&run);
    assert!(
        said.contains(">FAIL</span> 2 of 6 did not hold: lost was ")
            && said.ends_with("(has to be == 0), once"),
        "{said}"
    );
    run.verdicts.retain(|it| it.holds);
    run.thresholds.retain(|it| it.holds);
    assert_eq!(run.judgement(), Judgement::Partial);
    assert!(sentence(&run).contains(">PARTIAL</span> All held until it was stopped"));
    run.partial = false;
    let last = run.latencies["broadcast.last"].latency_us_p99;
    let said = sentence(&run);
    assert!(said.contains(">PASS</span> All held: 99 of 100 "), "{said}");
    assert!(
        is_shown(
            last as f64,
            said.split("within ").nth(1).unwrap_or_default()
        ),
        "{said}"
    );
    run.invalid = vec![String::from("the processor was busy")];
    assert!(
        sentence(&run).contains(">INVALID</span> It says nothing of the cluster: the processor")
    );
    Ok(())
}

#[test]
fn a_long_run_has_a_page_that_a_browser_takes() {
    let len = page(&run(1000)).len();
    assert!(len < PAGE_LEN_MAX, "{len} bytes");
}

#[test]
fn a_run_without_a_load_has_a_page_too() {
    let mut simulation = fixture::run(4, &Measured::new(std::time::Duration::from_secs(1)));
    simulation.kind = Kind::Simulation;
    for load in [simulation.load.take(), None] {
        simulation.load = load;
        let page = page(&simulation);
        assert!(page.contains("simulation by loadgen") && page.contains("id=\"checks\""));
        assert!(!page.contains("id=\"timeline\"") && !page.contains("NaN"));
    }
}

#[test]
fn the_program_writes_the_page_beside_the_report_or_where_it_is_told() -> Outcome {
    let runs = tempfile::tempdir()?;
    let folder = RunFolder::create(&runs.path().join("load-7-1"))?;
    folder.write_run(&run(4))?;
    let elsewhere = runs.path().join("elsewhere.html");
    let html = |arguments: &[&std::path::Path]| -> Outcome<Option<i32>> {
        let mut html = Command::new(env!("CARGO_BIN_EXE_reports"));
        let output = html.arg("html").args(arguments).output()?;
        Ok(output.status.code())
    };
    assert_eq!(html(&[folder.path()])?, Some(0));
    assert_eq!(
        html(&[folder.path(), "--out".as_ref(), &elsewhere])?,
        Some(0)
    );
    let beside = fs::read_to_string(folder.path().join("run.html"))?;
    assert_eq!(beside, fs::read_to_string(&elsewhere)?);
    assert!(beside.contains("load-7-1"));
    let nowhere = runs.path().join("no/page.html");
    assert_eq!(html(&[folder.path(), "--out".as_ref(), &nowhere])?, Some(2));
    Ok(())
}

#[cfg(feature = "browser")]
#[test]
fn a_browser_without_a_network_shows_the_page_and_has_nothing_to_say() -> Outcome {
    let run = hostile_run()?;
    let shown = browser::shown(&page(&run))?;
    assert!(shown.contains("class=\"cross\""), "the script did not run");
    check_numbers(&shown, &serde_json::to_value(&run)?, 200)
}
