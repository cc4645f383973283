//! Runs of two builds, written by hand: what is noticed, how it is told, and what it comes to.

#[path = "shared/schema.rs"]
mod schema;

use std::error::Error;
use std::fs;
use std::path::Path;

use reports::compare::{Comparison, Demands, Side, Verdict, compare, junit, text};
use reports::ways::{self, Delivery, Hop, Message, Run, SCHEMA, WAYS_JSONL, Writer};
use serde_json::Value;

const CONNECTORS: [&str; 2] = ["connector-server-1", "connector-server-2"];
const CHAT: &str = "chat-server-1";

/// A message of user 3 to two users, on two connectors.
fn message() -> Message {
    let hop = |at, from: &str, to: &str| Hop(at, from.to_owned(), to.to_owned());
    let delivery = |user: &str, connector: &str, left, heard| {
        Delivery(
            user.to_owned(),
            connector.to_owned(),
            Some(left),
            Some(heard),
        )
    };
    Message {
        message: "u3.1.2".to_owned(),
        sent_us: 5_116_000,
        answered_us: Some(5_130_000),
        refused_us: None,
        hops: vec![
            hop(5_118_000, CONNECTORS[0], CHAT),
            hop(5_120_000, CHAT, CONNECTORS[0]),
            hop(5_120_000, CHAT, CONNECTORS[1]),
        ],
        deliveries: vec![
            delivery("u3", CONNECTORS[0], 5_122_000, 5_124_000),
            delivery("u9", CONNECTORS[1], 5_123_000, 5_126_000),
        ],
    }
}

fn run(seed: u64, hash: &str, message: Message) -> Run {
    Run {
        schema: SCHEMA,
        scenario: "steady".to_owned(),
        seed,
        command: format!("sim run steady --seed {seed}"),
        drawn: "00".to_owned(),
        hash: hash.to_owned(),
        events: 10,
        broke_off: None,
        messages: vec![message],
        left_out: 0,
    }
}

/// Base, and what a change makes of it.
fn changed(change: impl FnOnce(&mut Run)) -> [Run; 2] {
    let base = run(7, "base", message());
    let mut new = run(7, "new", message());
    change(&mut new);
    [base, new]
}

fn compared(base: &[Run], new: &[Run], demands: Demands) -> Comparison {
    let side = |folder: &str| Side {
        folder: folder.to_owned(),
        command: "sim sweep steady".to_owned(),
        broken: Vec::new(),
    };
    compare((side("base"), base), (side("new"), new), demands)
}

fn judged([base, new]: &[Run; 2]) -> Comparison {
    compared(
        std::slice::from_ref(base),
        std::slice::from_ref(new),
        Demands::default(),
    )
}

fn told(comparison: &Comparison) -> &str {
    let first = comparison.runs[0].first.as_ref();
    first.map_or("", |first| &first.told)
}

#[test]
fn runs_with_one_hash_are_identical_whatever_else_is_said_of_them() {
    let runs = changed(|new| {
        new.hash = "base".to_owned();
        new.command = "sim run renamed --seed 7".to_owned();
    });
    let comparison = judged(&runs);
    assert_eq!(
        (comparison.verdict, comparison.exit_status()),
        (Verdict::Identical, 0)
    );
}

#[test]
fn the_first_hop_that_is_later_is_told_with_whom_it_concerns_and_by_how_much() {
    let comparison = judged(&changed(|new| {
        let message = &mut new.messages[0];
        message.hops[2].0 += 1000;
        message.deliveries[1].2 = Some(5_124_000);
        message.deliveries[1].3 = Some(5_127_000);
    }));
    assert_eq!(
        told(&comparison),
        "message u3.1.2 to u9: chat-server-1 -> connector-server-2 left 1.000 ms later (base \
         00:05.120, new 00:05.121)"
    );
    assert_eq!(
        (comparison.verdict, comparison.exit_status()),
        (Verdict::Slower, 1)
    );
    assert_eq!(comparison.runs[0].deliveries_later, 1);
    assert_eq!(
        comparison.runs[0].replay,
        [
            "sim run steady --seed 7 --trace base.jsonl",
            "sim run steady --seed 7 --trace new.jsonl"
        ]
    );
}

#[test]
fn what_is_later_by_no_more_than_is_allowed_differs_and_is_not_slower() {
    let runs = changed(|new| new.messages[0].deliveries[1].3 = Some(5_127_000));
    let with = |allow_us, identical| {
        let demands = Demands {
            allow_us,
            identical,
        };
        let comparison = compared(&runs[..1], &runs[1..], demands);
        (comparison.verdict, comparison.exit_status())
    };
    assert_eq!(with(999, false), (Verdict::Slower, 1));
    assert_eq!(with(1000, false), (Verdict::Differs, 0));
    assert_eq!(with(1000, true), (Verdict::Differs, 1));
}

#[test]
fn a_hop_that_only_one_build_makes_is_told() {
    let comparison = judged(&changed(|new| {
        let message = &mut new.messages[0];
        message
            .hops
            .insert(1, Hop(5_119_000, CHAT.to_owned(), CONNECTORS[0].to_owned()));
        message
            .hops
            .insert(2, Hop(5_119_500, CONNECTORS[0].to_owned(), CHAT.to_owned()));
    }));
    assert!(
        told(&comparison)
            .contains("one hop more: connector-server-1 -> chat-server-1 at 00:05.119"),
        "{}",
        told(&comparison)
    );
    let more: Vec<_> = comparison.runs[0]
        .hops_more
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        more,
        [
            "chat-server-1 -> connector-server-1",
            "connector-server-1 -> chat-server-1"
        ]
    );
    assert!(comparison.runs[0].hops_fewer.is_empty());
}

#[test]
fn a_build_that_delivers_less_is_not_quicker() {
    let comparison = judged(&changed(|new| new.messages[0].deliveries[1].3 = None));
    assert_eq!(comparison.verdict, Verdict::Slower);
    assert_eq!(comparison.reasons, ["1 deliveries fewer are made"]);
    assert_eq!(comparison.runs[0].deliveries_lost, 1);
}

#[test]
fn a_build_that_is_quicker_differs_and_passes() {
    let comparison = judged(&changed(|new| {
        new.messages[0].deliveries[1].3 = Some(5_125_000)
    }));
    assert_eq!(
        (comparison.verdict, comparison.exit_status()),
        (Verdict::Differs, 0)
    );
    assert_eq!(comparison.runs[0].deliveries_earlier, 1);
}

#[test]
fn what_differs_beside_the_messages_is_said() -> Result<(), Box<dyn Error>> {
    let comparison = judged(&changed(|_| ()));
    assert_eq!(comparison.verdict, Verdict::Differs);
    let mut told = String::new();
    text::write(&mut told, &comparison)?;
    assert!(
        told.contains("every message took the same way; something else differs"),
        "{told}"
    );
    Ok(())
}

#[test]
fn runs_that_do_not_pair_up_decide_nothing() {
    let (one, other) = (run(7, "a", message()), run(8, "a", message()));
    let comparison = compared(&[one], &[other], Demands::default());
    assert_eq!(
        (comparison.verdict, comparison.exit_status()),
        (Verdict::Inconclusive, 3)
    );
    assert_eq!(comparison.unpaired.len(), 2);
    assert_eq!(
        comparison.unpaired[0],
        "sim run steady --seed 7 is only in base"
    );
    let comparison = judged(&changed(|new| new.drawn = "01".to_owned()));
    assert_eq!(comparison.verdict, Verdict::Inconclusive);
    assert!(
        comparison.reasons[0].contains("drawn otherwise"),
        "{:?}",
        comparison.reasons
    );
    assert_eq!(
        compared(&[], &[], Demands::default()).verdict,
        Verdict::Inconclusive
    );
}

#[test]
fn a_promise_that_only_the_new_build_breaks_fails_it() {
    let [base, new] = changed(|_| ());
    let side = |broken: &[&str]| Side {
        folder: String::new(),
        command: String::new(),
        broken: broken.iter().map(|it| (*it).to_owned()).collect(),
    };
    let verdict = |of_base: &[&str]| {
        let (base, new) = (
            (side(of_base), &[base.clone()][..]),
            (side(&["g4"]), &[new.clone()][..]),
        );
        compare(base, new, Demands::default()).verdict
    };
    assert_eq!(verdict(&[]), Verdict::Slower);
    assert_eq!(verdict(&["g4"]), Verdict::Differs);
}

#[test]
fn junit_has_a_case_for_each_run() {
    let comparison = judged(&changed(|new| {
        new.messages[0].deliveries[1].3 = Some(5_127_000)
    }));
    let xml = junit::junit(&comparison);
    assert!(
        xml.contains("steady seed 7") && xml.contains("failures=\"1\""),
        "{xml}"
    );
}

#[test]
fn what_is_written_is_read_again_and_is_as_the_published_schemas_say() -> Result<(), Box<dyn Error>>
{
    let folder = tempfile::tempdir()?;
    let runs = changed(|new| new.messages[0].deliveries[1].3 = None);
    let mut writer = Writer::new(folder.path())?;
    for run in &runs {
        writer.add(run)?;
    }
    writer.finish()?;
    assert_eq!(ways::read(folder.path())?, runs);
    let published = |name: &str| -> Result<Value, Box<dyn Error>> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
    };
    let lines = fs::read_to_string(folder.path().join(WAYS_JSONL))?;
    for line in lines.lines() {
        schema::check(
            &published("ways.schema.json")?,
            &serde_json::from_str(line)?,
        )?;
    }
    let comparison = judged(&runs);
    let json = comparison.to_json();
    schema::check(
        &published("compare.schema.json")?,
        &serde_json::from_str(&json)?,
    )?;
    assert_eq!(
        Comparison::parse(&json, Path::new("compare.json"))?,
        comparison
    );
    Ok(())
}

#[test]
fn a_file_that_is_not_finished_leaves_nothing_behind() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    drop(Writer::new(folder.path())?);
    assert_eq!(fs::read_dir(folder.path())?.count(), 0);
    let error = ways::read(folder.path()).expect_err("nothing is there");
    assert!(error.to_string().contains("do the runs again"), "{error}");
    Ok(())
}

#[test]
fn a_line_that_is_no_run_is_told_with_file_line_and_field() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let good = serde_json::to_string(&run(7, "a", message()))?;
    let bad = good.replace("5116000", "\"soon\"");
    fs::write(folder.path().join(WAYS_JSONL), format!("{good}\n{bad}\n"))?;
    let error = ways::read(folder.path()).expect_err("it is no time");
    assert_eq!(error.to_string(), "line 2");
    let source = error.source().map(ToString::to_string).unwrap_or_default();
    assert!(
        source.ends_with("ways.jsonl: field `messages[0].sent_us`"),
        "{source}"
    );
    Ok(())
}
