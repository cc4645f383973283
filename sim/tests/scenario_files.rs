//! Scenario files of one's own, as their author meets them.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

type Outcome = Result<(), Box<dyn Error>>;

const SMALL: &str = "\
name = 'two rooms'
about = 'a connector dies'
seeds = 2

[cluster]
connectors = 2
chats = 1

[users]
count = 6
rooms = 2

[[fault]]
kind = 'crash'
on = 'connector'
after = '1s'
lasts = '500ms'
";

/// The members of a connector that died stay in their rooms, which is what is promised not to be.
const CANARY: &str = "\
[settings]
policy = ['ghost-after-connector-crash']

[[fault]]
kind = 'crash'
on = 'connector'
after = '1s'

[expect]
outcome = 'violated'
guarantee = ['G5', 'G7', 'G10', 'G11']
";

#[test]
fn a_file_is_run_swept_and_hashed_like_a_built_in_scenario() -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = write(folder.path(), "mine.toml", SMALL)?;
    let file = file.to_str().ok_or("a path in UTF-8")?;
    let run = sim(&["run", file, "--seed", "1"])?;
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert!(text(&run.stderr).starts_with("two rooms seed 1: 1 gate, 2 connectors"));
    assert!(text(&run.stderr).contains("crash      connector-server-"));
    let sweep = sim(&["sweep", file])?;
    assert!(text(&sweep.stdout).starts_with("two rooms                    2 seeds"));
    let hashes = sim(&["hashes", file, "--seeds", "1..2"])?;
    let (hash, _) = text(&hashes.stdout)
        .split_once("  two rooms 1")
        .map(|(hash, rest)| (hash.to_owned(), rest.to_owned()))
        .ok_or("one hash")?;
    assert!(text(&run.stdout).contains(&hash), "{run:?}");
    Ok(())
}

#[test]
fn check_tells_what_a_seed_draws() -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = write(folder.path(), "mine.toml", SMALL)?;
    let file = file.to_str().ok_or("a path in UTF-8")?;
    let check = sim(&["check", file, "--seed", "1"])?;
    assert_eq!(check.status.code(), Some(0), "{check:?}");
    let told = text(&check.stdout);
    for part in [
        "two rooms seed 1: 1 gate, 2 connectors, 1 chat server, 8 users on 2 hosts\n",
        "  crash      connector-server-",
        "00:08.000  everything is healed\n",
        "\nuser-5     room-",
        "\nprobe-1    room-1     ",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    Ok(())
}

#[test]
fn check_tells_what_is_wrong_with_each_file_and_goes_on() -> Outcome {
    let folder = tempfile::tempdir()?;
    let wrong = write(
        folder.path(),
        "wrong.toml",
        "[network]\nlateny = '2ms'\nprofile = 'lam'",
    )?;
    let right = write(folder.path(), "right.toml", SMALL)?;
    let (wrong, right) = (wrong.to_string_lossy(), right.to_string_lossy());
    let check = sim(&["check", &wrong, &right])?;
    assert_eq!(check.status.code(), Some(2), "{check:?}");
    let expected = format!(
        "error: {wrong}:2:1: unknown key `lateny` in [network]; did you mean `latency`?\n\
         {wrong}:3:11: network.profile: there is no `lam`; did you mean `lan`?\n"
    );
    assert_eq!(text(&check.stderr), expected);
    assert!(text(&check.stdout).starts_with("two rooms seed 0"));
    let run = sim(&["run", &wrong, "--seed", "1"])?;
    assert_eq!((run.status.code(), text(&run.stderr)), (Some(2), expected));
    Ok(())
}

#[test]
fn what_show_prints_is_the_scenario() -> Outcome {
    let folder = tempfile::tempdir()?;
    let shown = sim(&["show", "link-flapping"])?;
    let file = write(folder.path(), "mine.toml", &text(&shown.stdout))?;
    let hash = |scenario: &str| -> Result<_, Box<dyn Error>> {
        let hashes = sim(&["hashes", scenario, "--seeds", "5..6"])?;
        let hash = text(&hashes.stdout).split(' ').next().map(str::to_owned);
        Ok(hash.ok_or("a hash")?)
    };
    assert_eq!(hash(&file.to_string_lossy())?, hash("link-flapping")?);
    let unknown = sim(&["show", "link-flaping"])?;
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).ends_with("did you mean `link-flapping`?\n"));
    Ok(())
}

#[test]
fn a_canary_that_fails_is_as_it_should_be_and_one_that_does_not_is_a_failure() -> Outcome {
    let folder = tempfile::tempdir()?;
    let canary = write(folder.path(), "canary.toml", CANARY)?;
    let run = sim(&["run", &canary.to_string_lossy(), "--seed", "1"])?;
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let told = text(&run.stdout);
    let mut lines = told.lines();
    let verdict = lines.next().unwrap_or_default();
    assert!(verdict.starts_with("violated, as expected: "), "{told}");
    let broken = lines.next().unwrap_or_default();
    let is_named = ["G5 ", "G7 ", "G10 ", "G11 "].map(|it| broken.contains(it));
    assert!(is_named.contains(&true) && broken.contains(": "), "{told}");

    let more = CANARY.replace("['G5', 'G7', 'G10', 'G11']", "'G5'");
    let more = write(folder.path(), "more.toml", &more)?;
    let run = sim(&["run", &more.to_string_lossy(), "--seed", "1"])?;
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let told = text(&run.stdout);
    assert!(!told.contains("G5 membership: "), "{told}");
    assert!(told.contains("G7 true notices: "), "{told}");
    let detect = sim(&["detect", "kick-lost", "--scenario", &more.to_string_lossy()])?;
    assert_eq!(detect.status.code(), Some(2), "{detect:?}");
    assert!(text(&detect.stderr).contains("is a canary"));

    let healthy = CANARY.replace("'ghost-after-connector-crash'", "");
    let dead = write(folder.path(), "dead.toml", &healthy)?;
    let dead = dead.to_string_lossy();
    let run = sim(&["run", &dead, "--seed", "1"])?;
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let told = text(&run.stdout);
    let missed = "G10 liveness or G11 clean was to be broken in this run, and was not\n";
    assert!(
        told.starts_with("FAILED: ") && told.contains(missed),
        "{told}"
    );
    let last = format!("reproduce: cargo sim run {dead} --seed 1\n");
    assert!(told.ends_with(&last), "{told}");
    let sweep = sim(&["sweep", &dead, "--seeds", "1..2"])?;
    assert_eq!(sweep.status.code(), Some(1), "{sweep:?}");
    assert!(text(&sweep.stdout).contains("1 FAILED  not violated x1"));
    Ok(())
}

#[test]
fn a_promise_that_is_left_out_is_not_checked() -> Outcome {
    let folder = tempfile::tempdir()?;
    let ghost = CANARY.split("[expect]").next().unwrap_or_default();
    for (lists, status) in [("", 1), ("guarantees.only = ['G2', 'G4']\n", 0)] {
        let file = write(folder.path(), "ghost.toml", &format!("{lists}{ghost}"))?;
        let run = sim(&["run", &file.to_string_lossy(), "--seed", "1"])?;
        assert_eq!(run.status.code(), Some(status), "{lists}: {run:?}");
    }
    Ok(())
}

fn write(folder: &Path, name: &str, text: &str) -> std::io::Result<PathBuf> {
    let path = folder.join(name);
    fs::write(&path, text)?;
    Ok(path)
}

fn sim(arguments: &[&str]) -> std::io::Result<Output> {
    // Where a failure leaves its capsule.
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.args(arguments).current_dir(folder.path()).output()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Rooms of two sizes, users who only listen, who say much at once, and who talk to nobody.
const MIXED: &str = "\
seeds = 3
quiet = true

[users]
count = 30
rooms = 2
room-sizes = [5, 1]
private-percent = 0
nobody-percent = 30

[users.habits]
idle = 30
burst = 30
";

#[test]
fn who_talks_to_nobody_is_refused_and_who_is_idle_says_nothing() -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = write(folder.path(), "mixed.toml", MIXED)?;
    let file = file.to_string_lossy();
    let sweep = sim(&["sweep", &file])?;
    assert_eq!(sweep.status.code(), Some(0), "{sweep:?}");

    let told = text(&sim(&["check", &file])?.stdout);
    let users: Vec<_> = told.lines().filter(|it| it.starts_with("user-")).collect();
    let idle = users.iter().filter(|line| !line.contains("send")).count();
    assert!((3..18).contains(&idle), "{idle} of 30 are idle");
    let small = users.iter().filter(|line| line.contains(" room-1")).count();
    assert!(
        (1..12).contains(&small),
        "{small} of 30 are in the small room"
    );

    let history = folder.path().join("history");
    let history_path = history.to_string_lossy();
    let run = sim(&["run", &file, "--seed", "1", "--history", &history_path])?;
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let history = fs::read_to_string(history)?;
    let to_nobody = history.lines().filter(|line| line.contains("\"nobody\""));
    assert!(to_nobody.count() > 10, "hardly anybody talked to nobody");
    Ok(())
}
