//! The program as its user meets it: what it prints, and its exit status.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use reports::run_folder;

type Outcome = Result<(), Box<dyn Error>>;

const PROGRAM: &str = env!("CARGO_BIN_EXE_loadgen");

#[test]
fn a_run_prints_its_summary_and_writes_its_folder() -> Outcome {
    let out = tempfile::tempdir()?;
    let folder = out.path().join("mine");
    let output = loadgen(&["--users", "10", "--duration", "1s", "--out"], &folder)?;
    let (said, summary) = (text(&output.stderr), text(&output.stdout));
    assert_eq!(output.status.code(), Some(0), "{said}\n{summary}");
    assert!(summary.starts_with("mine: loadgen "), "{summary}");
    assert!(summary.contains("broadcast.last"), "{summary}");
    let run = run_folder::read(&folder)?;
    assert!(run.holds() && !run.partial);
    assert_eq!(run.plan.options["users"], 10);
    assert!(summary.ends_with(&format!("repeat: {}\n", run.command)));
    assert!(fs::read_to_string(folder.join("latencies.hdr"))?.contains("Tag=login"));
    Ok(())
}

#[test]
fn what_can_not_be_used_ends_with_2_and_says_what_and_why() -> Outcome {
    let out = tempfile::tempdir()?;
    fs::write(out.path().join("notes.txt"), "mine")?;
    for (arguments, complaint) in [
        (&["--users", "0", "--out"][..], "--users"),
        (&["--rooms", "2000", "--out"], "--rooms"),
        (&["--duration", "30", "--out"], "--duration"),
        (&["run", "--gate", "127.0.0.1:1", "--out"], "127.0.0.1:1"),
        (&["--users", "10", "--out"], "is not empty"),
    ] {
        let output = loadgen(arguments, out.path())?;
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(complaint), "{said}");
        assert_eq!(text(&output.stdout), "");
    }
    Ok(())
}

#[cfg(unix)]
#[test]
fn too_few_open_files_are_told_before_the_start() -> Outcome {
    let script = format!("ulimit -n 300 && exec {PROGRAM} --users 100");
    let output = Command::new("sh").arg("-c").arg(script).output()?;
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("100 users need 456 open files, but the limit is 300"));
    Ok(())
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_run_with_a_partial_report() -> Outcome {
    use rustix::process::{Pid, Signal, kill_process};

    let out = tempfile::tempdir()?;
    let mut running = Command::new(PROGRAM)
        .args(["--users", "10", "--rate", "50", "--out"])
        .arg(out.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // The first line tells the plan, the second, after 5 s, that it is under way.
    let stderr = running.stderr.take().ok_or("stderr is piped")?;
    let mut lines = BufReader::new(stderr).lines();
    for _ in 0..2 {
        lines.next().ok_or("it ended early")??;
    }
    let pid = Pid::from_child(&running);
    kill_process(pid, Signal::INT)?;
    let status = running.wait()?;
    let mut summary = String::new();
    let stdout = running.stdout.as_mut().ok_or("stdout is piped")?;
    stdout.read_to_string(&mut summary)?;
    assert_eq!(status.code(), Some(130), "{summary}");
    assert!(summary.contains("PARTIAL"), "{summary}");
    let run = run_folder::read(out.path())?;
    assert!(run.partial && run.holds(), "{summary}");
    assert!(run.counts["deliveries_total"] > 0, "{summary}");
    Ok(())
}

fn loadgen(arguments: &[&str], out: &Path) -> Result<Output, Box<dyn Error>> {
    Ok(Command::new(PROGRAM).args(arguments).arg(out).output()?)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
