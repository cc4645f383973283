//! What CI servers are told of load tests, of searches for a capacity and of comparisons.

#[path = "shared/comparison.rs"]
mod comparison;
#[path = "shared/fixture.rs"]
mod fixture;
#[path = "shared/search.rs"]
mod search;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use reports::ab::{self, Ab, Decision, Verdict};
use reports::junit::{End, Suite};
use reports::run::{Judgement, Run, cases};
use reports::run_folder::RunFolder;

type Tested<T = ()> = Result<T, Box<dyn Error>>;

/// A load test in which a message was lost and one came twice, and which was stopped.
fn run() -> Run {
    fixture::run(40, &fixture::measured(40, 0, 1))
}

fn ends(suite: &Suite) -> BTreeMap<&str, &End> {
    let cases = suite.cases.iter();
    let ends: BTreeMap<_, _> = cases.map(|case| (&case.name[..], &case.end)).collect();
    assert_eq!(ends.len(), suite.cases.len(), "each has a name of its own");
    ends
}

fn skipped(end: &End) -> &str {
    match end {
        End::Skipped { message } => message,
        other => panic!("{other:?}"),
    }
}

fn failed(end: &End) -> (&str, &str) {
    match end {
        End::Failed { message, text } => (message, text),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_check_and_each_threshold_of_a_load_test_is_a_case_with_its_figures() {
    let mut run = run();
    run.partial = false;
    let suite = cases::suite(&run);
    assert_eq!(suite.name, "load-7-1");
    let ends = ends(&suite);
    assert_eq!(ends.len(), 1 + run.verdicts.len() + run.thresholds.len());
    assert_eq!(ends["run"], &End::Passed, "it could tell");
    assert_eq!(ends["delivered"], &End::Passed);
    let (message, text) = failed(ends["once"]);
    assert_eq!(message, "user 3 heard u1.1.1 2 times, last at 4.200s");
    assert_eq!(
        text,
        "demanded: no member heard a message twice\nuser 3 heard u1.1.1 2 times, last at 4.200s\n\
         repeat: cargo loadgen run --gate 127.0.0.1:3014 --seed 7"
    );
    let lost = run.load.as_ref().map(|load| load.audit["lost"].count);
    let lost = lost.unwrap_or_default();
    let (message, text) = failed(ends["lost == 0"]);
    assert_eq!(message, format!("lost was {lost}, and has to be == 0"));
    assert!(text.ends_with("repeat: cargo loadgen run --gate 127.0.0.1:3014 --seed 7"));
    assert_eq!(ends["request.p99 < 50000 us"], &End::Passed);
}

#[test]
fn a_figure_that_could_not_be_measured_has_failed_and_says_so() {
    let mut run = run();
    run.thresholds[0].holds = false;
    (run.thresholds[0].measured, run.thresholds[0].margin) = (None, None);
    let suite = cases::suite(&run);
    let (message, _) = failed(ends(&suite)["broadcast.last.p99 < 80000 us"]);
    assert!(
        message.ends_with("and there was nothing to measure"),
        "{message}"
    );
}

#[test]
fn a_run_that_was_stopped_says_so_and_what_it_found_counts_all_the_same() {
    let run = run();
    assert!(run.partial);
    let suite = cases::suite(&run);
    let ends = ends(&suite);
    assert!(skipped(ends["run"]).starts_with("PARTIAL: "));
    failed(ends["once"]);
}

#[test]
fn a_run_that_is_invalid_is_an_error_and_nothing_of_it_has_passed_or_failed() {
    let mut run = run();
    run.invalid = vec!["no files left".to_owned(), "sends were late".to_owned()];
    assert_eq!(run.judgement(), Judgement::Invalid);
    let suite = cases::suite(&run);
    let End::Error { message, text } = &suite.cases[0].end else {
        panic!("{:?}", suite.cases[0]);
    };
    assert_eq!(message, "INVALID: no files left; sends were late");
    assert!(text.contains("says nothing of the cluster") && text.contains("repeat: cargo loadgen"));
    let ends = ends(&suite);
    assert!(skipped(ends["delivered"]).starts_with("held, "));
    assert!(skipped(ends["once"]).starts_with("did not hold, "));
    assert!(skipped(ends["lost == 0"]).starts_with("did not hold, "));
    assert_eq!(ends.len(), 7);
}

#[test]
fn a_run_that_checked_nothing_has_not_passed() {
    let mut run = run();
    run.partial = false;
    run.verdicts.clear();
    run.thresholds.clear();
    assert!(skipped(&cases::suite(&run).cases[0].end).starts_with("UNCHECKED"));
}

#[test]
fn each_figure_of_a_comparison_is_a_case() {
    let of = |verdict, decision| {
        let mut ab = comparison::ab();
        ab.verdict = verdict;
        ab.metrics[0].decision = decision;
        ab::cases::suite(&ab)
    };
    let pass = of(Verdict::Pass, Decision::Pass);
    assert!(ends(&pass).values().all(|end| **end == End::Passed));
    let suite = of(Verdict::Fail, Decision::Fail);
    let ends_of = ends(&suite);
    let (message, text) = failed(ends_of["comparison"]);
    assert_eq!(message, "FAIL: the new build is slower by more than 10%");
    assert!(text.ends_with("repeat: cargo loadgen ab --base old --new new"));
    let (message, _) = failed(ends_of[comparison::METRIC]);
    assert_eq!(
        message,
        "new - base: +36.9%, from -3.0% to +93.4% (95% confidence); counts from +10.0%: FAIL"
    );
    let pairs_needed = Some(6);
    let suite = of(
        Verdict::Inconclusive,
        Decision::Inconclusive { pairs_needed },
    );
    let ends_of = ends(&suite);
    assert!(skipped(ends_of["comparison"]).starts_with("INCONCLUSIVE: these pairs do not tell"));
    assert!(skipped(ends_of[comparison::METRIC]).ends_with("it takes 6 pairs"));
    let suite = of(Verdict::Invalid, Decision::Fail);
    let End::Error { text, .. } = &suite.cases[0].end else {
        panic!("{:?}", suite.cases[0]);
    };
    assert!(!text.contains("FAIL"), "nothing has failed: {text}");
    skipped(ends(&suite)[comparison::METRIC]);
}

#[test]
fn what_the_new_build_breaks_is_told_where_its_times_are_well() {
    let ab = Ab {
        verdict: Verdict::Fail,
        reasons: vec!["02-new: did not hold: delivered".to_owned()],
        ..comparison::ab()
    };
    let suite = ab::cases::suite(&ab);
    let (message, text) = failed(&suite.cases[0].end);
    assert_eq!(message, "FAIL: the new build does not do what base does");
    assert!(
        text.starts_with("02-new: did not hold: delivered\n"),
        "{text}"
    );
}

#[test]
fn the_program_prints_a_suite_for_each_folder_or_writes_them() -> Tested {
    let runs = tempfile::tempdir()?;
    let load = RunFolder::create(&runs.path().join("load-7-1"))?;
    load.write_run(&run())?;
    let capacity = RunFolder::create(&runs.path().join("capacity-7-1"))?;
    capacity.write_capacity(&search::search("mine", 400.0))?;
    let file = runs.path().join("ab.json");
    fs::write(&file, comparison::ab().to_json())?;
    let junit = |arguments: &[&Path]| -> Tested<(Option<i32>, String, String)> {
        let mut reports = Command::new(env!("CARGO_BIN_EXE_reports"));
        let output = reports.arg("junit").args(arguments).output()?;
        let [out, err] = [output.stdout, output.stderr].map(String::from_utf8);
        Ok((output.status.code(), out?, err?))
    };
    let all = [load.path(), capacity.path(), &file];
    let (status, printed, _) = junit(&all)?;
    assert_eq!(status, Some(0));
    for suite in [
        r#"<testsuite name="load-7-1" tests="7" skipped="1" errors="0" failures="2">"#,
        r#"<testsuite name="mine" "#,
        r#"<testsuite name="ab-7-1" tests="2" skipped="2" errors="0" failures="0">"#,
    ] {
        assert!(printed.contains(suite), "{suite} is not in {printed}");
    }
    let out = runs.path().join("all.xml");
    let (status, nothing, _) = junit(&[all[0], all[1], all[2], "--out".as_ref(), &out])?;
    assert_eq!((status, nothing.as_str()), (Some(0), ""));
    assert_eq!(fs::read_to_string(&out)?, printed);
    let nowhere = runs.path().join("nowhere");
    let (status, nothing, said) = junit(&[load.path(), &nowhere])?;
    assert_eq!((status, nothing.as_str()), (Some(2), ""), "half a report");
    assert!(said.contains("nowhere"), "{said}");
    Ok(())
}
