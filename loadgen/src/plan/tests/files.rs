//! What is said about plans that are wrong, and what the description of the format says.

use super::*;

fn problems(text: &str) -> Vec<String> {
    match PlanFile::read(text, "mine.toml", &Overrides::default()) {
        Ok(_) => Vec::new(),
        Err(error) => error.problems().iter().map(ToString::to_string).collect(),
    }
}

const COMING: &str = "[[stage]]\nduration = '5s'\narrivals.users = 100\n";

#[test]
fn everything_that_is_wrong_with_a_file_is_told_with_its_place() {
    let text = "\
sede = 3
transport = 'udp'

[rooms]
member = 5

[[stage]]
duration = 'soon'
arrivals = { users = 100, rate = { shape = 'rmap' } }

[[stage]]
duration = '5s'
sends = { rate = 'lots' }

[[threshold]]
demand = 'brodcast.last.p99 < 80ms'
";
    let error = PlanFile::read(text, "mine.toml", &Overrides::default());
    let error = error.unwrap_err().to_string();
    let expected = [
        "mine.toml:1:1: unknown key `sede`; did you mean `seed`?",
        "mine.toml:2:13: transport: there is no transport `udp`; known are ws, tcp",
        "mine.toml:5:1: unknown key `member` in [rooms]; did you mean `members`?",
        "mine.toml:8:12: stage.duration: `soon` is not a time such as 1s 500ms",
        "mine.toml:9:44: stage.arrivals.rate.shape: there is no `rmap`; did you mean `ramp`?",
        "mine.toml:13:18: stage.sends.rate: invalid type: string \"lots\", expected a rate per \
         second such as 200, or a shape such as { shape = \"ramp\", from = 10, to = 200 }",
        "mine.toml:16:10: threshold.demand: there is no metric `brodcast.last.p99`; did you mean \
         `broadcast.last.p99`?",
    ];
    for line in expected {
        assert!(
            error.lines().any(|it| it == line),
            "{line}\nis not in\n{error}"
        );
    }
    assert_eq!(error.lines().count(), expected.len(), "{error}");
}

#[test]
fn what_does_not_go_together_is_told() {
    for (text, said) in [
        (
            "duplicate-logins = 10\n[[stage]]\nduration = '5s'\narrivals.users = 9",
            "1:1: duplicate-logins: there are only 9 users whose name can be in use",
        ),
        ("", "1:1: stage: nobody comes: a stage needs `arrivals`"),
        (
            "[[stage]]\nduration = '5s'\narrivals.users = 0",
            "1:3: stage: nobody comes: a stage needs `arrivals`",
        ),
        (
            "[[stage]]\nduration = '5s'\narrivals = { users = 9, rate = 0 }",
            "3:25: stage.0.arrivals.rate: nobody would come at this rate",
        ),
        (
            "[[stage]]\nduration = '5s'\narrivals.users = 9\nsends.rate = 3",
            "4:1: stage.0.sends: nobody came in a stage before this one",
        ),
        (
            "[[stage]]\nduration = '5s'\narrivals.users = 9\nchurn.leave = 3",
            "4:1: stage.0.churn: nobody came in a stage before this one",
        ),
    ] {
        let found = problems(text);
        assert!(found.contains(&said.to_owned()), "{text}\n{found:#?}");
    }
    // Behind a stage in which users come, so lines count from 4.
    for (text, said) in [
        (
            "sends = {}",
            "6:1: stage.1.sends: say a `rate`, or how long users `think`",
        ),
        (
            "sends.rate = -1",
            "6:7: stage.1.sends.rate: it must be from 0 to 1000000 per second",
        ),
        (
            "sends.rate = { shape = 'ramp', from = 3 }",
            "6:7: stage.1.sends.rate: a ramp needs `to`",
        ),
        (
            "sends.rate = { shape = 'ramp', from = 3, to = 4, peak = 9 }",
            "6:50: stage.1.sends.rate.peak: a ramp has none: it has from, to",
        ),
        (
            "sends.rate = { shape = 'spike', base = 1, peak = 2, after = '4s', lasts = '2s' }",
            "6:67: stage.1.sends.rate.lasts: the spike would end 6s into a stage of 5s",
        ),
        (
            "sends = { rate = 1, think = { law = 'constant', time = '1s' } }",
            "6:21: stage.1.sends.think: say either this or `rate`",
        ),
        (
            "sends.think = { law = 'constant', time = '1us' }",
            "6:7: stage.1.sends.think: users must think for 1ms on average, or plan a `rate`",
        ),
        (
            "sends.think = { law = 'log-normal', median = '1s' }",
            "6:7: stage.1.sends.think: a log-normal one needs `sigma`",
        ),
        (
            "storm = { after = '4s', percent = 101, within = '1s' }",
            "6:25: stage.1.storm.percent: it must be from 0 to 100",
        ),
        (
            "storm = { after = '4s', percent = 10, within = '2s' }",
            "6:39: stage.1.storm.within: all must be back in this stage, which is 5s long",
        ),
        (
            "[rooms]\ncount = 101",
            "7:1: rooms.count: it must be from 1 to the number of users, 100",
        ),
        (
            "[rooms]\nzipf = 1.0",
            "7:1: rooms.zipf: this is for a number of rooms: add `count`",
        ),
        (
            "[slow-readers]\npercent = 5\npause = '2s'\nevery = '2s'",
            "9:1: slow-readers.every: it must be more than `pause`, or nothing is ever read",
        ),
        (
            "[[threshold]]\ndemand = 'lost == 0'\ngrace = '2s'",
            "8:1: threshold.0.grace: this is for a run that is to be stopped: add abort = true",
        ),
        (
            "[[threshold]]\ndemand = 'users_outside == 0'\nabort = true",
            "8:1: threshold.0.abort: users_outside is known when a run is over, and can't stop it",
        ),
    ] {
        let text = format!("{COMING}[[stage]]\nduration = '5s'\n{text}\n");
        assert_eq!(problems(&text), [said], "{text}");
    }
}

#[test]
fn options_count_more_than_the_file_and_are_checked_with_it() -> Result<(), FileError> {
    let text = format!(
        "rooms.count = 20\n{COMING}{COMING}sends.think = {{ law = 'constant', time = '1s' }}"
    );
    let with = |overrides: Overrides| PlanFile::read(&text, "mine.toml", &overrides);
    let plan = with(Overrides {
        users: Some(51),
        seed: Some(9),
        ..Overrides::default()
    })?;
    assert_eq!((plan.users, plan.seed), (51, 9));
    // Half and half, as in the file.
    let coming = plan
        .stages
        .iter()
        .filter_map(|stage| stage.arrivals.as_ref());
    assert_eq!(coming.map(|it| it.users).collect::<Vec<_>>(), [25, 26]);
    let few = with(Overrides {
        users: Some(7),
        ..Overrides::default()
    });
    let said = few.unwrap_err().to_string();
    assert_eq!(
        said,
        "mine.toml:1:7: rooms.count: it must be from 1 to the number of users, 7"
    );
    Ok(())
}

/// The keys that the reader knows in the table that `place` opens; it names them for one that nobody
/// means.
fn known_keys(place: &str) -> Vec<String> {
    let found = problems(&place.replace("KEY", "qqqqqqqqqqqqqqqq"));
    let lists = found.iter().filter(|it| it.contains("unknown key `qqqq"));
    let list = lists.filter_map(|it| it.split_once("known are ")).next();
    let (_, list) = list.unwrap_or_else(|| panic!("{place}\n{found:#?}"));
    let mut keys: Vec<String> = list.split(", ").map(str::to_owned).collect();
    keys.sort();
    keys
}

const PAGE: &str = include_str!("../../../plans/README.md");

#[test]
fn the_description_names_every_key_of_every_table_and_no_other() {
    for (heading, place) in [
        ("## At the top", "KEY = 1"),
        ("## [rooms]", "[rooms]\nKEY = 1"),
        ("## [slow-readers]", "[slow-readers]\nKEY = 1"),
        ("## [[stage]]", "[[stage]]\nduration = '1s'\nKEY = 1"),
        ("### arrivals", "[[stage]]\narrivals = { KEY = 1 }"),
        ("### sends", "[[stage]]\nsends = { KEY = 1 }"),
        (
            "### Rates that change",
            "[[stage]]\nsends.rate = { KEY = 1 }",
        ),
        ("### Think times", "[[stage]]\nsends.think = { KEY = 1 }"),
        ("### churn", "[[stage]]\nchurn = { KEY = 1 }"),
        ("### storm", "[[stage]]\nstorm = { KEY = 1 }"),
        ("## [[threshold]]", "[[threshold]]\nKEY = 1"),
    ] {
        let (_, section) = PAGE
            .split_once(&format!("\n{heading}\n"))
            .unwrap_or_else(|| panic!("there is no {heading}"));
        let end = section.find("\n#").unwrap_or(section.len());
        // A row of the table of keys begins with the key.
        let rows = section[..end]
            .lines()
            .filter_map(|line| line.strip_prefix("| `"));
        let mut described: Vec<_> = rows.filter_map(|row| row.split('`').next()).collect();
        described.sort_unstable();
        assert_eq!(described, known_keys(place), "{heading}");
    }
}

#[test]
fn the_description_names_every_metric() {
    use crate::plan::threshold::{COUNTS, LATENCIES};
    for name in COUNTS.iter().chain(&LATENCIES) {
        assert!(PAGE.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn every_example_of_the_description_is_sound() {
    let examples: Vec<_> = PAGE
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(examples.len() >= 10, "{} examples", examples.len());
    for example in examples {
        assert_eq!(problems(example), [""; 0], "{example}");
    }
}
