//! `reports compare` of two load tests: both side by side, and how to decide.

#[path = "shared/fixture.rs"]
mod fixture;

use std::error::Error;
use std::path::Path;
use std::process::Command;

use reports::compare::load;
use reports::run::{Kind, Run};
use reports::run_folder::RunFolder;

type Tested<T = ()> = Result<T, Box<dyn Error>>;

/// A load test against `target`, of which all held.
fn run(name: &str, target: &str) -> Run {
    let mut run = fixture::run(40, &fixture::measured(40, 0, 1));
    run.name = name.to_owned();
    run.partial = false;
    run.verdicts.retain(|it| it.holds);
    run.thresholds.retain(|it| it.holds);
    run.plan.options.insert("target".to_owned(), target.into());
    run.command = "cargo loadgen run --gate 127.0.0.1:3014 --users 1000 --seed 7".to_owned();
    run
}

fn told(base: &Run, new: &Run) -> String {
    let mut text = String::new();
    load::write(&mut text, base, new).expect("a text takes all");
    text
}

/// The line that begins with `name`, its parts.
fn line<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let lines = text.lines().map(|line| line.split_whitespace().collect());
    let mut lines = lines.filter(|parts: &Vec<&str>| parts.first() == Some(&name));
    lines
        .next()
        .unwrap_or_else(|| panic!("no {name} in {text}"))
}

#[test]
fn it_says_that_two_runs_decide_nothing_and_how_to_decide_with_the_same_load() {
    let text = told(&run("load-7-1", "old"), &run("load-7-2", "new"));
    assert!(text.starts_with("INCONCLUSIVE: one run of each build decides nothing."));
    let command = "\n  cargo loadgen ab --base 'COMMAND THAT STARTS BASE' \
                   --new 'COMMAND THAT STARTS NEW' --users 1000 --seed 7\n";
    assert!(text.contains(command), "{text}");
    assert!(
        text.contains("\nbase  load-7-1: PASS\n      against old\n"),
        "{text}"
    );
    assert!(
        text.contains("\nnew   load-7-2: PASS\n      against new\n"),
        "{text}"
    );
    assert!(!text.contains("note:"), "only the target differs: {text}");
    assert!(text.lines().all(|line| line.trim_end() == line), "{text}");
}

#[test]
fn figures_stand_beside_each_other_with_their_change() {
    let (mut base, mut new) = (run("a", "x"), run("b", "x"));
    for (run, us, sends, lost, late) in
        [(&mut base, 8000, 200, 0, 0), (&mut new, 10_000, 150, 0, 3)]
    {
        let last = run.latencies.get_mut("broadcast.last").expect("measured");
        last.latency_us_p99 = us;
        run.counts.insert("sends_total".to_owned(), sends);
        run.counts.insert("lost".to_owned(), lost);
        run.counts.insert("late".to_owned(), late);
    }
    base.latencies.remove("login");
    let text = told(&base, &new);
    assert_eq!(
        line(&text, "broadcast.last.p99"),
        ["broadcast.last.p99", "8000", "10000", "+25.0%"]
    );
    assert_eq!(
        line(&text, "sends_total"),
        ["sends_total", "200", "150", "-25.0%"]
    );
    assert_eq!(
        line(&text, "late"),
        ["late", "0", "3"],
        "no share of nothing"
    );
    assert_eq!(line(&text, "login.p50")[1], "-", "base has none");
    let nought = text.lines().find(|line| line.starts_with("0 in both: "));
    assert!(nought.is_some_and(|line| line.contains("lost")), "{text}");
}

#[test]
fn what_is_not_the_same_load_or_machine_is_noted() {
    let (base, mut new) = (run("a", "x"), run("b", "x"));
    new.seed = 8;
    new.plan.options.insert("users".to_owned(), 500.into());
    new.plan.options.remove("transport");
    new.environment
        .insert("processor".to_owned(), "64 cores".to_owned());
    new.environment
        .insert("load".to_owned(), "0.12 0.30 0.40 2/300 999".to_owned());
    let text = told(&base, &new);
    let notes: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("note: "))
        .collect();
    assert_eq!(
        notes,
        [
            "seed differs: 7 of base, 8 of new",
            "transport differs: ws of base, absent of new",
            "users differs: 1000 of base, 500 of new",
            "processor differs: 2 cores of base, 64 cores of new",
        ]
    );
}

#[test]
fn a_run_that_says_nothing_or_did_not_hold_is_told_as_such() {
    let (mut base, mut new) = (
        run("a", "x"),
        fixture::run(40, &fixture::measured(40, 0, 1)),
    );
    base.invalid = vec!["the processor was busy".to_owned()];
    let text = told(&base, &new);
    assert!(
        text.contains("base  a: INVALID, the processor was busy\n"),
        "{text}"
    );
    assert!(
        text.contains("new   load-7-1: FAIL, did not hold: once, lost\n"),
        "{text}"
    );
    new.verdicts.clear();
    new.thresholds.clear();
    assert!(told(&new, &base).contains("base  load-7-1: PARTIAL, it was stopped before its end"));
    new.partial = false;
    assert!(told(&new, &base).contains("base  load-7-1: UNCHECKED, nothing was checked"));
}

#[test]
fn nothing_in_a_run_is_obeyed_by_a_terminal() {
    let mut hostile = run("a\u{1b}[31m", "x\u{7}");
    hostile.command += " \u{1b}]0;t\u{7}";
    hostile.counts.insert("c\u{1b}".to_owned(), 5);
    hostile
        .environment
        .insert("e\u{9b}".to_owned(), "v\r".to_owned());
    let text = told(&run("b", "y"), &hostile);
    assert!(
        text.chars().all(|it| it == '\n' || !it.is_control()),
        "{text:?}"
    );
}

#[test]
fn the_program_ends_with_3_and_refuses_what_is_for_simulations() -> Tested {
    let runs = tempfile::tempdir()?;
    let mut folders = Vec::new();
    for name in ["base", "new", "simulated"] {
        let folder = RunFolder::create(&runs.path().join(name))?;
        let mut run = run(name, name);
        if name == "simulated" {
            run.kind = Kind::Simulation;
        }
        folder.write_run(&run)?;
        folders.push(folder);
    }
    let [base, new, simulated] = [0, 1, 2].map(|it| folders[it].path());
    let compare = |arguments: &[&Path]| -> Tested<(Option<i32>, String, String)> {
        let mut reports = Command::new(env!("CARGO_BIN_EXE_reports"));
        let output = reports.arg("compare").args(arguments).output()?;
        let [out, err] = [output.stdout, output.stderr].map(String::from_utf8);
        Ok((output.status.code(), out?, err?))
    };
    let (status, printed, said) = compare(&[base, new])?;
    assert_eq!((status, said.as_str()), (Some(3), ""));
    assert_eq!(printed, told(&run("base", "base"), &run("new", "new")));
    let file = runs.path().join("compare.json");
    for option in [["--allow", "2ms"], ["--json", &file.to_string_lossy()]] {
        let (status, _, said) = compare(&[base, new, option[0].as_ref(), option[1].as_ref()])?;
        assert_eq!(status, Some(2));
        assert!(
            said.contains("are for simulations: these are load tests"),
            "{said}"
        );
        assert!(said.contains("cargo loadgen ab"), "{said}");
    }
    assert!(!file.exists());
    let (status, _, said) = compare(&[base, simulated])?;
    assert_eq!(status, Some(2));
    assert!(
        said.contains("one is a load test, one a simulation"),
        "{said}"
    );
    Ok(())
}
