//! The program as its user meets it: what it prints, how it is stopped, and its exit status.

#[path = "../../reports/tests/shared/schema.rs"]
mod schema;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use reports::run_folder;
use sim::capsule::Capsule;
use sim::case::Case;
use sim::run;
use sim::scenario;

type Outcome = Result<(), Box<dyn Error>>;

#[test]
fn a_run_is_repeated_by_the_command_in_its_report() -> Outcome {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("out");
    let (trace, history) = (folder.path().join("trace"), folder.path().join("history"));
    let run = sim(&["run", "steady", "--seed", "1"])
        .args(["--trace", &trace.to_string_lossy()])
        .args(["--history", &history.to_string_lossy()])
        .args(["--out", &out.to_string_lossy()])
        .output()?;
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let report = run_folder::read(&out)?;
    assert_eq!(report.command, "cargo sim run steady --seed 1");
    assert!(!report.partial);
    assert_eq!(fs::read(&trace)?, fs::read(out.join("trace.jsonl"))?);
    assert_eq!(fs::read(&history)?, fs::read(out.join("history.jsonl"))?);
    Ok(())
}

#[test]
fn a_run_tells_which_trouble_happened_and_so_does_its_report() -> Outcome {
    let folder = tempfile::tempdir()?;
    let (file, out) = (folder.path().join("mine.toml"), folder.path().join("out"));
    // When all have come a gate can stand still, and nobody is the worse for it.
    let planned = |(at, kind)| {
        let fault = format!("fault = {{ kind = '{kind}', host = 'gate-server-1' }}");
        format!("[[planned]]\nat = '{at}'\n{fault}\n")
    };
    let planned = [("3s", "pause"), ("4s", "resume"), ("5s", "pause")].map(planned);
    fs::write(&file, format!("users.count = 3\n{}", planned.concat()))?;
    let run = sim(&["run", &file.to_string_lossy(), "--seed", "1"])
        .args(["--out", &out.to_string_lossy()])
        .output()?;
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert_eq!(text(&run.stdout).lines().nth(1), Some("trouble: pause x2"));
    let counts = run_folder::read(&out)?.counts;
    let fired = counts.iter().filter(|(name, _)| name.starts_with("fired."));
    let fired: Vec<_> = fired.map(|(name, count)| (&**name, *count)).collect();
    assert_eq!(fired, [("fired.pause", 2)]);
    Ok(())
}

#[test]
fn what_held_and_what_failed_are_written_as_the_published_schemas_say() -> Outcome {
    let folder = tempfile::tempdir()?;
    for (flaw, status) in [(None, 0), (Some("dead-room-after-chat-restart"), 1)] {
        let out = folder.path().join(flaw.unwrap_or("none"));
        let run = sim(&["sweep", "steady", "chat-crash", "--seeds", "1..2"])
            .args(flaw.into_iter().flat_map(|flaw| ["--with", flaw]))
            .args(["--out", &out.to_string_lossy()])
            .output()?;
        assert_eq!(run.status.code(), Some(status), "{run:?}");
        let written = serde_json::from_str(&fs::read_to_string(out.join("run.json"))?)?;
        schema::check(&published("run.schema.json")?, &written)?;
        let evidence = run_folder::read(&out)?.verdicts.into_iter();
        let evidence = evidence.filter(|it| !it.evidence.is_empty()).count();
        assert_eq!(evidence > 0, status == 1, "a failure is told with its case");
        let ways = fs::read_to_string(out.join("ways.jsonl"))?;
        assert_eq!(ways.lines().count(), 2, "a line for each run");
        for line in ways.lines() {
            schema::check(
                &published("ways.schema.json")?,
                &serde_json::from_str(line)?,
            )?;
        }
    }
    Ok(())
}

/// A schema as other programs read it.
fn published(name: &str) -> Result<serde_json::Value, Box<dyn Error>> {
    let reports = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports");
    Ok(serde_json::from_str(&fs::read_to_string(
        reports.join(name),
    )?)?)
}

#[test]
fn files_that_can_not_be_written_are_told_before_the_run() -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("file");
    let (file, missing) = (file.to_string_lossy(), folder.path().join("a/b"));
    let missing = missing.to_string_lossy();
    let beside = folder.path().join("./file");
    let beside = beside.to_string_lossy();
    for (arguments, complaint) in [
        (["--trace", &missing, "--history", &file], "cannot write"),
        (["--trace", &file, "--history", &missing], "cannot write"),
        (["--trace", &file, "--history", &beside], "the same file"),
        (["--trace", &file, "--out", &missing], "there is no folder"),
    ] {
        let run = sim(&["run", "steady", "--seed", "1"])
            .args(arguments)
            .output()?;
        let said = text(&run.stderr);
        assert_eq!(run.status.code(), Some(2), "{said}");
        assert!(said.starts_with("error: ") && said.contains(complaint));
        assert_eq!(text(&run.stdout), "");
    }
    assert!(!folder.path().join("a").exists());
    Ok(())
}

#[test]
fn a_capsule_is_replayed_as_the_same_failure_or_as_another_run_or_not_at_all() -> Outcome {
    let folder = tempfile::tempdir()?;
    let write = |name: &str, text: &str| -> std::io::Result<_> {
        let path = folder.path().join(name);
        fs::write(&path, text)?;
        Ok(path)
    };
    let mut case = Case::draw(&scenario::find("steady")?, 1);
    // Cut off in the middle, its servers still hold what they should not.
    case.times.ended_at = Duration::from_secs(3);
    let capsule = Capsule::of(&run::run(&case, false), String::from("none"));
    let mut capsule = capsule.ok_or("it did not fail")?;
    let good = write("good", &capsule.to_json())?;
    let halved = write("halved", &capsule.to_json()[..500])?;
    capsule.case.scripts[0].actions.remove(0);
    let another = write("another", &capsule.to_json())?;
    let missing = folder.path().join("missing");
    for (path, status, said) in [
        (good, 1, "the same run: all "),
        (
            another,
            3,
            "another run: the first event that differs is line ",
        ),
        (halved, 2, "it is no capsule of a run: EOF while parsing"),
        (missing, 2, "cannot read "),
    ] {
        let replay = sim(&["replay", &path.to_string_lossy()]).output()?;
        let told = text(&replay.stdout) + &text(&replay.stderr);
        assert_eq!(replay.status.code(), Some(status), "{told}");
        assert!(told.contains(said), "{told}");
    }
    Ok(())
}

#[test]
fn a_sweep_goes_on_with_seeds_that_were_not_tried_and_tells_ci_servers() -> Outcome {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (fresh, junit, markdown) = (at("seeds.json"), at("sim.xml"), at("sim.md"));
    // One fresh seed is left, so that the sweep ends with it and not with its time.
    let seeds = |next: u64| format!("{{\n  \"next\": {{\n    \"steady\": {next}\n  }}\n}}\n");
    fs::write(&fresh, seeds(u64::MAX - 1))?;
    let sweep = sim(&["sweep", "steady", "--seeds", "0..1", "--time", "10m"])
        .args([
            "--fresh",
            &fresh,
            "--junit",
            &junit,
            "--markdown",
            &markdown,
        ])
        .output()?;
    assert_eq!(sweep.status.code(), Some(0), "{sweep:?}");
    assert_eq!(fs::read_to_string(&fresh)?, seeds(u64::MAX));
    let xml = fs::read_to_string(&junit)?;
    for suite in ["fixed seeds", "fresh seeds"] {
        let suite = format!(r#"<testsuite name="{suite}" tests="1" skipped="0" errors="0""#);
        assert!(xml.contains(&suite), "{xml}");
    }
    let text = fs::read_to_string(&markdown)?;
    assert!(text.contains("## fresh seeds: held"), "{text}");
    Ok(())
}

#[test]
fn an_output_that_takes_the_place_of_another_file_or_can_not_be_written_is_told_first() -> Outcome {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (mine, new, nowhere) = (at("mine.toml"), at("new"), at("no/where"));
    let (mine, new, nowhere) = (&*mine, &*new, &*nowhere);
    fs::write(mine, "users.count = 3\n")?;
    for (arguments, complaint) in [
        (
            &["run", mine, "--seed", "1", "--trace", mine][..],
            "is what is read",
        ),
        (
            &["run", mine, "--seed", "1", "--history", mine],
            "is what is read",
        ),
        (&["hashes", mine, "--trace", mine], "is what is read"),
        (&["sweep", mine, "--junit", mine], "is what is read"),
        (
            &["sweep", mine, "--junit", new, "--markdown", new],
            "are the same file",
        ),
        (&["sweep", mine, "--markdown", nowhere], "cannot write"),
        (
            &["sweep", mine, "--time", "1s", "--fresh", nowhere],
            "cannot write",
        ),
        (&["hashes", mine, "--trace", nowhere], "cannot write"),
        (&["sweep", mine, "--capsules", mine], "cannot write into "),
        (
            &["run", mine, "--seed", "1", "--capsules", mine],
            "cannot write into ",
        ),
        (&["explain", mine, "--out", mine], "no capsule"),
    ] {
        let run = sim(arguments).output()?;
        let said = text(&run.stderr);
        assert_eq!(run.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(complaint), "{arguments:?}: {said}");
        assert_eq!(text(&run.stdout), "", "{arguments:?}");
    }
    assert_eq!(fs::read_to_string(mine)?, "users.count = 3\n");
    assert_eq!(fs::read_dir(folder.path())?.count(), 1);
    Ok(())
}

#[test]
fn scenarios_of_one_name_are_not_mixed_and_all_fresh_seeds_can_have_been_tried() -> Outcome {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (one, two, seeds) = (at("steady.toml"), at("two.toml"), at("seeds.json"));
    fs::write(&one, "")?;
    fs::write(&two, "name = 'rush hour'")?;
    fs::write(
        &seeds,
        format!(r#"{{"next": {{"rush hour": {}}}}}"#, u64::MAX),
    )?;
    for (arguments, complaint) in [
        (&["sweep", "steady", &one][..], "are both called steady"),
        (
            &["sweep", &two, "--time", "1s", "--fresh", &seeds],
            "all seeds of rush hour were tried",
        ),
    ] {
        let run = sim(arguments).output()?;
        let said = text(&run.stderr);
        assert_eq!(run.status.code(), Some(2), "{said}");
        assert!(said.contains(complaint), "{said}");
    }
    Ok(())
}

#[test]
fn the_command_that_repeats_a_run_is_one_for_a_shell() -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("it's mine.toml");
    // What it wants broken is not.
    let text_of = "users.count = 3\nexpect.outcome = 'violated'\n";
    fs::write(&file, text_of)?;
    let capsules = folder.path().join("capsules");
    let run = sim(&["run", &file.to_string_lossy(), "--seed", "1"])
        .args(["--capsules", &capsules.to_string_lossy()])
        .output()?;
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let told = text(&run.stdout);
    let last = told.lines().last().unwrap_or_default();
    let again = last
        .strip_prefix("reproduce: cargo sim ")
        .ok_or("a command")?;
    let again = Command::new("sh")
        .args(["-c", &format!("exec {PROGRAM} {again}")])
        .current_dir(folder.path())
        .output()?;
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    assert_eq!(told.lines().next(), text(&again.stdout).lines().next());
    Ok(())
}

#[test]
fn options_that_would_be_lost_before_a_command_are_refused() -> Outcome {
    let run = sim(&["--jobs", "1", "sweep", "steady", "--seeds", "0..1"]).output()?;
    assert_eq!(run.status.code(), Some(2), "{run:?}");
    assert!(text(&run.stderr).contains("go behind the command"));
    Ok(())
}

#[test]
fn a_sweep_that_must_cover_everything_and_does_not_is_undecided() -> Outcome {
    let sweep = sim(&["sweep", "steady", "--seeds", "0..1"])
        .args(["--coverage", "--require-coverage"])
        .output()?;
    assert_eq!(sweep.status.code(), Some(3), "{sweep:?}");
    assert!(text(&sweep.stderr).contains("not covered: crash, "));
    let told = text(&sweep.stdout);
    assert!(told.contains("rare paths, and how often servers took them"));
    Ok(())
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::io::{self, BufRead, BufReader, Read};
    use std::os::unix::fs::PermissionsExt;
    use std::process::{Child, Stdio};
    use std::thread;

    use rustix::process::{Pid, Signal, kill_process};

    use super::*;

    const FULL: &str = "/dev/full";

    #[test]
    fn a_verdict_is_printed_even_if_the_trace_can_not_be_written() -> Outcome {
        let run = sim(&["run", "steady", "--seed", "1", "--trace", FULL]).output()?;
        let said = text(&run.stderr);
        assert_eq!(run.status.code(), Some(2), "{said}");
        assert!(said.contains("error: cannot write /dev/full: "), "{said}");
        assert!(text(&run.stdout).starts_with("held: "), "{run:?}");
        Ok(())
    }

    #[test]
    fn a_closed_output_ends_quietly_and_a_full_one_with_2() -> Outcome {
        for arguments in [
            &["list"][..],
            &["run", QUICK, "--seed", "1"],
            &["sweep", QUICK, "--seeds", "0..1"],
            &ENDLESS,
        ] {
            let (reader, closed) = io::pipe()?;
            drop(reader);
            let closed = sim(arguments).stdout(closed).output()?;
            let said = text(&closed.stderr);
            assert_eq!(closed.status.code(), Some(0), "{arguments:?}: {said}");
            assert!(!said.contains("error"), "{said}");

            let full = File::options().write(true).open(FULL)?;
            let full = sim(arguments).stdout(full).output()?;
            let said = text(&full.stderr);
            assert_eq!(full.status.code(), Some(2), "{arguments:?}: {said}");
            let complaint = "error: can't write to standard output: ";
            assert!(said.contains(complaint), "{said}");
        }
        Ok(())
    }

    #[test]
    fn a_sweep_whose_table_can_not_be_written_ends_with_a_partial_report() -> Outcome {
        let out = tempfile::tempdir()?;
        let full = File::options().write(true).open(FULL)?;
        let sweep = sim(&ONE_OF_EACH).arg(out.path()).stdout(full).output()?;
        assert_eq!(sweep.status.code(), Some(2), "{sweep:?}");
        assert!(run_folder::read(out.path())?.partial);
        Ok(())
    }

    #[test]
    fn a_signal_ends_a_sweep_with_a_partial_report() -> Outcome {
        let out = tempfile::tempdir()?;
        let mut sweep = piped(sim(&ONE_OF_EACH).arg(out.path()))?;
        let first = sweep.stdout.next().ok_or("it ended early")??;
        assert!(first.starts_with("steady  "), "{first}");
        // Two that come together are one wish.
        sweep.send(Signal::TERM)?;
        sweep.send(Signal::HUP)?;
        let (status, printed, said) = sweep.end()?;
        assert_eq!(status, Some(143), "{said}");
        assert!(
            printed.contains(" runs held, then interrupted: "),
            "{printed}"
        );
        assert!(said.contains("interrupted: "), "{said}");
        let run = run_folder::read(out.path())?;
        assert!(run.partial && run.counts["runs_total"] > 0);
        assert_eq!(run.command, "cargo sim sweep --seeds 0..1");
        Ok(())
    }

    #[test]
    fn under_nohup_a_sweep_outlives_its_terminal() -> Outcome {
        let mut hashes = Command::new("nohup");
        hashes.arg(PROGRAM).args(ENDLESS);
        let mut hashes = piped(&mut hashes)?;
        hashes.stdout.next().ok_or("it ended early")??;
        hashes.send(Signal::HUP)?;
        hashes.stdout.next().ok_or("it ended early")??;
        hashes.stdout.next().ok_or("it ended early")??;
        hashes.send(Signal::TERM)?;
        assert_eq!(hashes.end()?.0, Some(143));
        Ok(())
    }

    #[test]
    fn a_list_of_hashes_that_was_interrupted_is_told_as_such() -> Outcome {
        for (signal, expected) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
            let mut hashes = piped(&mut sim(&ENDLESS))?;
            hashes.stdout.next().ok_or("it ended early")??;
            hashes.send(signal)?;
            let (status, _, said) = hashes.end()?;
            assert_eq!(status, Some(expected), "{signal:?}: {said}");
            assert!(said.ends_with("the list is not complete\n"), "{said}");
        }
        Ok(())
    }

    #[test]
    fn a_second_signal_ends_it_at_once() -> Outcome {
        // So many at once that they take a while.
        let mut hashes = piped(&mut sim(&[&ENDLESS[..4], &["--jobs", "8"]].concat()))?;
        hashes.stdout.next().ok_or("it ended early")??;
        hashes.send(Signal::TERM)?;
        let mut said = String::new();
        hashes.stderr.read_line(&mut said)?;
        assert!(said.starts_with("interrupted: "), "{said}");
        // At once it would still belong to the first.
        while hashes.child.try_wait()?.is_none() {
            hashes.send(Signal::TERM)?;
            thread::yield_now();
        }
        let (status, _, said) = hashes.end()?;
        assert_eq!((status, said.as_str()), (Some(143), ""));
        Ok(())
    }

    #[test]
    fn a_certificate_names_the_first_event_of_a_build_that_does_something_else() -> Outcome {
        let folder = tempfile::tempdir()?;
        let other = folder.path().join("other");
        fs::write(
            &other,
            format!("#!/bin/sh\nexec {PROGRAM} \"$@\" --policy pomelo\n"),
        )?;
        fs::set_permissions(&other, fs::Permissions::from_mode(0o755))?;
        let other = other.to_string_lossy();
        let certify = |build: &str| {
            let arguments = ["certify", QUICK, "--seeds", "0..1", "--build", build];
            sim(&arguments).output()
        };

        let same = certify(PROGRAM)?;
        let table = text(&same.stdout);
        assert_eq!(same.status.code(), Some(0), "{same:?}");
        let ways: Vec<_> = table.lines().skip(1).collect();
        assert!(ways.len() == 8 && ways.iter().all(|way| way.ends_with(" 0")));

        let differs = certify(&other)?;
        let told = text(&differs.stdout);
        assert_eq!(differs.status.code(), Some(1), "{differs:?}");
        let (_, line) = told
            .split_once("the first event that differs is ")
            .ok_or("")?;
        let (line, _) = line.split_once('\n').ok_or("it says no more")?;
        assert!(
            told.contains(&format!("done again, they part at {line}, at 00:")),
            "{told}"
        );
        let reproduce =
            format!("reproduce: cargo sim certify {QUICK} --seeds 0..1 --build {other}");
        assert_eq!(told.lines().last(), Some(&*reproduce));
        Ok(())
    }

    #[test]
    fn a_build_that_does_other_runs_can_not_be_compared() -> Outcome {
        for (build, complaint) in [
            ("true", "did not do the runs that it was asked for"),
            ("echo", "did not print the hashes of runs"),
            ("missing", "there is no program /bin/missing"),
        ] {
            let build = format!("/bin/{build}");
            let certify =
                sim(&["certify", QUICK, "--seeds", "0..1", "--build", &build]).output()?;
            let said = text(&certify.stderr);
            assert_eq!(certify.status.code(), Some(2), "{said}");
            assert!(said.contains(complaint), "{said}");
        }
        Ok(())
    }

    #[test]
    fn a_signal_ends_a_certificate_with_what_is_known() -> Outcome {
        let mut certify = piped(&mut sim(&["certify", QUICK, "--seeds", "0..2"]))?;
        let mut said = String::new();
        certify.stderr.read_line(&mut said)?;
        assert_eq!(said, "one thread: 2 runs, 0 differences\n");
        certify.send(Signal::TERM)?;
        let (status, printed, said) = certify.end()?;
        assert_eq!(status, Some(143), "{said}");
        assert!(printed.contains("\none thread"), "{printed}");
        assert!(said.ends_with("the table is not complete\n"), "{said}");
        Ok(())
    }

    /// A scenario whose runs take less time than most.
    const QUICK: &str = "link-flapping";

    /// Prints a line after each run, and has more of them than anybody waits for.
    const ENDLESS: [&str; 6] = ["hashes", QUICK, "--seeds", "0..1000000", "--jobs", "1"];

    /// Prints a line after each run; the folder is still to be named.
    const ONE_OF_EACH: [&str; 6] = ["sweep", "--seeds", "0..1", "--jobs", "1", "--out"];

    struct Running {
        child: Child,
        stdout: io::Lines<BufReader<std::process::ChildStdout>>,
        stderr: BufReader<std::process::ChildStderr>,
    }

    fn piped(command: &mut Command) -> Result<Running, Box<dyn Error>> {
        command.stdin(Stdio::null());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("stdout is piped")?;
        let stderr = child.stderr.take().ok_or("stderr is piped")?;
        Ok(Running {
            child,
            stdout: BufReader::new(stdout).lines(),
            stderr: BufReader::new(stderr),
        })
    }

    impl Running {
        fn send(&self, signal: Signal) -> io::Result<()> {
            Ok(kill_process(Pid::from_child(&self.child), signal)?)
        }

        /// Its exit status, and what else it printed and said.
        fn end(mut self) -> Result<(Option<i32>, String, String), Box<dyn Error>> {
            let printed: Vec<_> = self.stdout.by_ref().collect::<Result<_, _>>()?;
            let mut said = String::new();
            self.stderr.read_to_string(&mut said)?;
            Ok((self.child.wait()?.code(), printed.join("\n"), said))
        }
    }
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_sim");

fn sim(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
