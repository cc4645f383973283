//! `reports merge` and `reports csv`: what the programs write.

#[path = "shared/fixture.rs"]
mod fixture;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use reports::measured::Measured;
use reports::run::Run;
use reports::run_folder::{self, LATENCIES_HDR, MEASURED_JSON, RunFolder};

const SECONDS: u64 = 8;
const PARTS: u64 = 3;

#[test]
fn merged_parts_are_the_unsplit_run_in_whatever_order_they_come() -> Result<(), Box<dyn Error>> {
    let runs = tempfile::tempdir()?;
    let whole = fixture::measured(SECONDS, 0, 1);
    // Under the name that both are merged into, as the name is in the report.
    let unsplit = written(runs.path(), "all", &whole, |_| {})?;
    for (folder, order) in [("one-way", [0, 1, 2]), ("another-way", [2, 0, 1])] {
        let place = runs.path().join(folder);
        fs::create_dir(&place)?;
        let parts = parts(&place, |_, _| {})?;
        let out = place.join("all");
        let merged = merge(&order.map(|part: usize| parts[part].clone()), &out)?;
        let said = String::from_utf8(merged.stderr)?;
        assert_eq!(
            (merged.status.code(), &*said),
            (Some(1), ""),
            "it fails as a run"
        );
        assert!(String::from_utf8(merged.stdout)?.starts_with("all: loadgen "));
        for file in [MEASURED_JSON, LATENCIES_HDR] {
            let same = fs::read(out.join(file))? == fs::read(unsplit.join(file))?;
            assert!(same, "{folder}: {file}");
        }
        let mut read = run_folder::read(&out)?;
        // How each process was is said of each.
        assert_eq!(read.health.len(), PARTS as usize);
        read.health.truncate(1);
        assert_eq!(read, run_folder::read(&unsplit)?, "{folder}");
    }
    Ok(())
}

#[test]
fn what_is_wrong_in_one_part_is_wrong_in_the_whole() -> Result<(), Box<dyn Error>> {
    let runs = tempfile::tempdir()?;
    let parts = parts(runs.path(), |part, run| {
        run.verdicts.truncate(1);
        run.partial = part == 1;
        if part == 2 {
            run.verdicts[0].holds = false;
            run.verdicts[0].evidence = vec!["a case".to_owned()];
            run.invalid = vec!["the processor was busy".to_owned()];
            run.elapsed_us += 1;
            run.command += " --part 2";
            let system = run.environment.get_mut("system").expect("it has one");
            *system = "another".to_owned();
        }
    })?;
    let out = runs.path().join("all");
    merge(&parts, &out)?;
    let run = run_folder::read(&out)?;
    assert!(run.partial && !run.verdicts[0].holds);
    assert_eq!(run.verdicts[0].evidence, ["a case"]);
    assert_eq!(run.invalid, ["the processor was busy"]);
    assert_eq!(run.elapsed_us, SECONDS * 1_000_000 + 1);
    assert_eq!(run.environment["system"], "Linux 6.1; another");
    assert!(
        run.command.contains(" --seed 7 & cargo loadgen "),
        "{}",
        run.command
    );
    Ok(())
}

#[test]
fn parts_of_different_runs_are_refused_by_what_differs() -> Result<(), Box<dyn Error>> {
    let runs = tempfile::tempdir()?;
    type Change = fn(&mut Run);
    let changes: [(&str, Change); 5] = [
        ("program", |run| run.program.version += "1"),
        ("kind", |run| run.kind = reports::run::Kind::Simulation),
        ("seed", |run| run.seed = 8),
        ("plan", |run| run.plan.stages[0].ends_us += 1),
        ("thresholds", |run| run.thresholds[1].bound += 1),
    ];
    for (what, change) in changes {
        let place = runs.path().join(what);
        fs::create_dir(&place)?;
        let parts = parts(&place, |part, run| {
            if part == 1 {
                change(run);
            }
        })?;
        let said = refused(&parts, &place.join("all"))?;
        let complaint =
            format!("part-0 and part-1 are no parts of one run: they differ in {what}\n");
        assert!(said.ends_with(&complaint), "{said}");
        assert!(!place.join("all").exists(), "an empty folder was left");
    }
    Ok(())
}

#[test]
fn what_can_not_be_merged_is_told() -> Result<(), Box<dyn Error>> {
    let runs = tempfile::tempdir()?;
    let parts = parts(runs.path(), |_, _| {})?;
    let out = runs.path().join("all");

    let minutes = Measured::new(Duration::from_secs(60));
    let other = written(runs.path(), "part-9", &minutes, |_| {})?;
    let said = refused(&[parts[0].clone(), other], &out)?;
    let complaint = "part-0 and part-9 can't be added: one has a row each 1s, the other each 60s";
    assert!(said.contains(complaint), "{said}");

    let again = runs.path().join("part-2/../part-1");
    let said = refused(&[parts[1].clone(), again], &out)?;
    assert!(said.contains("are the same part"), "{said}");

    fs::remove_file(parts[2].join(MEASURED_JSON))?;
    let said = refused(&parts, &out)?;
    assert!(
        said.contains("can't read ") && said.contains("part-2/measured.json"),
        "{said}"
    );
    Ok(())
}

#[test]
fn a_table_has_every_number_of_the_report() -> Result<(), Box<dyn Error>> {
    let runs = tempfile::tempdir()?;
    let whole = fixture::measured(SECONDS, 0, 1);
    let folder = written(runs.path(), "all", &whole, |_| {})?;
    let load = run_folder::read(&folder)?.load.ok_or("no load")?;

    let table = csv(&folder, "timeline")?;
    let lines: Vec<Vec<_>> = table
        .lines()
        .map(|line| line.split(',').collect())
        .collect();
    assert_eq!(lines.len(), 1 + load.timeline.rows.len());
    let column = |name: &str| {
        lines[0]
            .iter()
            .position(|it| *it == name)
            .ok_or(name.to_owned())
    };
    let (sends, p99) = (
        column("sends_total")?,
        column("broadcast.last.latency_us_p99")?,
    );
    for (line, row) in lines[1..].iter().zip(&load.timeline.rows) {
        assert_eq!(line[sends], row.counts["sends_total"].to_string());
        let band = &row.latencies["broadcast.last"];
        assert_eq!(line[p99], band.latency_us_p99.to_string());
    }

    let table = csv(&folder, "classes")?;
    for (line, class) in table.lines().skip(1).zip(&load.fan_out.classes) {
        let start = format!(
            "{},{},{},",
            class.members_min, class.members_max, class.broadcasts
        );
        assert!(line.starts_with(&start), "{line}");
    }
    assert_eq!(table.lines().count(), 1 + load.fan_out.classes.len());
    Ok(())
}

/// The folders of the parts, each changed by `change`.
fn parts(runs: &Path, change: impl Fn(u64, &mut Run)) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let parts = (0..PARTS).map(|part| {
        let measured = fixture::measured(SECONDS, part, PARTS);
        let name = format!("part-{part}");
        written(runs, &name, &measured, |run| change(part, run))
    });
    parts.collect()
}

fn written(
    runs: &Path,
    name: &str,
    measured: &Measured,
    change: impl Fn(&mut Run),
) -> Result<PathBuf, Box<dyn Error>> {
    let folder = RunFolder::create(&runs.join(name))?;
    let mut run = fixture::run(SECONDS, measured);
    run.name = name.to_owned();
    change(&mut run);
    folder.write_measured(fixture::STARTED_AT, measured)?;
    folder.write_run(&run)?;
    Ok(folder.path().to_owned())
}

fn refused(parts: &[PathBuf], out: &Path) -> Result<String, Box<dyn Error>> {
    let output = merge(parts, out)?;
    assert_eq!(output.status.code(), Some(2));
    Ok(String::from_utf8(output.stderr)?)
}

fn merge(parts: &[PathBuf], out: &Path) -> Result<Output, Box<dyn Error>> {
    let mut merge = Command::new(env!("CARGO_BIN_EXE_reports"));
    Ok(merge
        .arg("merge")
        .args(parts)
        .arg("--out")
        .arg(out)
        .output()?)
}

fn csv(run: &Path, table: &str) -> Result<String, Box<dyn Error>> {
    let mut csv = Command::new(env!("CARGO_BIN_EXE_reports"));
    let output = csv.arg("csv").arg(run).args(["--table", table]).output()?;
    assert!(output.status.success());
    Ok(String::from_utf8(output.stdout)?)
}
