//! The folder of a run, and the program that shows it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use reports::latency::Latencies;
use reports::run::Run;
use reports::run_folder::{self, FolderError, LATENCIES_HDR, RUN_JSON, RunFolder};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/run.json");

#[test]
fn a_run_reads_back_from_its_folder_and_from_its_file() -> Result<(), Box<dyn Error>> {
    let runs = tempfile::tempdir()?;
    let folder = RunFolder::create(&runs.path().join("load-7-1"))?;
    assert_eq!(folder.name(), "load-7-1");
    let run = golden()?;
    folder.write_run(&run)?;
    assert_eq!(run_folder::read(folder.path())?, run);
    assert_eq!(run_folder::read(&folder.path().join(RUN_JSON))?, run);
    Ok(())
}

#[test]
fn nothing_but_the_named_files_is_left_in_a_folder() -> Result<(), Box<dyn Error>> {
    let runs = tempfile::tempdir()?;
    let folder = RunFolder::create(runs.path())?;
    let mut login = Latencies::new();
    login.record(Duration::from_millis(3));
    folder.write_run(&golden()?)?;
    folder.write_run(&golden()?)?;
    let latencies = BTreeMap::from([("login".to_owned(), login)]);
    folder.write_latencies(Duration::ZERO, Duration::from_secs(1), &latencies)?;
    let mut names: Vec<_> = fs::read_dir(folder.path())?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<Result<_, _>>()?;
    names.sort();
    assert_eq!(names, [LATENCIES_HDR, RUN_JSON]);
    Ok(())
}

#[test]
fn a_folder_with_something_in_it_is_refused() -> Result<(), Box<dyn Error>> {
    let runs = tempfile::tempdir()?;
    fs::write(runs.path().join("notes.txt"), "mine")?;
    let error = RunFolder::create(runs.path()).expect_err("it is not empty");
    assert!(matches!(error, FolderError::NotEmpty { .. }), "{error}");
    Ok(())
}

#[test]
fn a_folder_is_made_only_where_there_is_one() -> Result<(), Box<dyn Error>> {
    let runs = tempfile::tempdir()?;
    let parent = runs.path().join("a/b");
    let error = RunFolder::create(&parent.join("c")).expect_err("there is no a/b");
    assert!(matches!(error, FolderError::NoParent { .. }), "{error}");
    let said = error.to_string();
    let named = format!("there is no folder {}:", parent.display());
    assert!(said.contains(&named), "{said}");
    assert!(!runs.path().join("a").exists());
    Ok(())
}

#[test]
fn a_folder_that_was_made_for_a_run_and_never_written_to_goes_with_it() -> Result<(), Box<dyn Error>>
{
    let runs = tempfile::tempdir()?;
    let (new, written) = (runs.path().join("new"), runs.path().join("written"));
    drop(RunFolder::create(&new)?);
    drop(RunFolder::create_next(runs.path(), "load-7")?);
    assert!(!new.exists() && !runs.path().join("load-7-1").exists());
    RunFolder::create(&written)?.write_run(&golden()?)?;
    assert!(written.join(RUN_JSON).exists());

    fs::create_dir(&new)?;
    drop(RunFolder::create(&new)?);
    assert!(new.exists(), "it was there before");
    Ok(())
}

#[test]
fn numbered_folders_never_meet() -> Result<(), Box<dyn Error>> {
    let runs = tempfile::tempdir()?;
    let first = RunFolder::create_next(runs.path(), "load-7")?;
    let second = RunFolder::create_next(runs.path(), "load-7")?;
    assert_eq!(
        (first.name(), second.name()),
        ("load-7-1".into(), "load-7-2".into())
    );
    Ok(())
}

#[test]
fn show_prints_the_summary_and_says_by_its_status_what_held() -> Result<(), Box<dyn Error>> {
    let runs = tempfile::tempdir()?;
    let folder = RunFolder::create(runs.path())?;

    let mut run = golden()?;
    folder.write_run(&run)?;
    let shown = show(folder.path())?;
    assert_eq!(shown.status.code(), Some(1));
    let expected = include_str!("golden/summary.txt");
    assert_eq!(String::from_utf8(shown.stdout)?, expected);

    run.verdicts.retain(|verdict| verdict.holds);
    run.thresholds.retain(|threshold| threshold.holds);
    run.partial = false;
    folder.write_run(&run)?;
    assert_eq!(show(folder.path())?.status.code(), Some(0));
    Ok(())
}

#[test]
fn show_says_what_is_wrong_with_a_run_that_it_can_not_use() -> Result<(), Box<dyn Error>> {
    let runs = tempfile::tempdir()?;
    let file = runs.path().join(RUN_JSON);
    for (text, complaint) in [
        (None, "there is no run.json, "),
        (Some(r#"{"schema": 9}"#), "field `schema` is 9"),
        (Some(r#"{"schema": 2}"#), "missing field"),
        (Some(r#"{"schema": 1}"#), "an older program wrote it"),
    ] {
        if let Some(text) = text {
            fs::write(&file, text)?;
        }
        let shown = show(runs.path())?;
        let said = String::from_utf8(shown.stderr)?;
        assert_eq!(shown.status.code(), Some(2), "{said}");
        assert!(said.contains(complaint), "{said}");
        let place = text.map_or(runs.path(), |_| &file);
        assert!(said.contains(&place.display().to_string()), "{said}");
    }
    Ok(())
}

#[cfg(unix)]
#[test]
fn show_ends_quietly_if_nobody_reads_and_with_2_if_it_can_not_write() -> Result<(), Box<dyn Error>>
{
    let runs = tempfile::tempdir()?;
    let folder = RunFolder::create(runs.path())?;
    let mut run = golden()?;
    run.verdicts.retain(|verdict| verdict.holds);
    run.thresholds.retain(|threshold| threshold.holds);
    run.partial = false;
    folder.write_run(&run)?;

    let (reader, closed) = std::io::pipe()?;
    drop(reader);
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    // Not every Unix has such a file.
    let full = full.ok().map(|full| (Stdio::from(full), 2));
    for (stdout, status) in full.into_iter().chain([(Stdio::from(closed), 0)]) {
        let mut show = Command::new(env!("CARGO_BIN_EXE_reports"));
        let shown = show
            .arg("show")
            .arg(folder.path())
            .stdout(stdout)
            .output()?;
        let said = String::from_utf8(shown.stderr)?;
        assert_eq!(shown.status.code(), Some(status), "{said}");
        let complaint = "reports: can't write to standard output: ";
        assert_eq!(said.starts_with(complaint), status == 2, "{said}");
        assert_eq!(said.is_empty(), status == 0, "{said}");
    }
    Ok(())
}

fn show(run: &Path) -> Result<Output, Box<dyn Error>> {
    let program = env!("CARGO_BIN_EXE_reports");
    Ok(Command::new(program).arg("show").arg(run).output()?)
}

fn golden() -> Result<Run, Box<dyn Error>> {
    Ok(Run::parse(&fs::read_to_string(GOLDEN)?, Path::new(GOLDEN))?)
}
