//! `sim explain`: that its page is whole, tells the story, and harms nobody who opens it.

#[cfg(feature = "browser")]
#[path = "../../reports/tests/shared/browser.rs"]
mod browser;
#[path = "../../reports/tests/shared/hostile.rs"]
mod hostile;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use hostile::HOSTILE;
use loadgen::history::{MessageId, Target, What};
use sim::capsule::{Capsule, Verdict};
use sim::case::Case;
use sim::guarantees::{Guarantee, Violation};
use sim::replay::Replay;
use sim::{explain, run, scenario};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// As long may a page be.
const PAGE_LEN_MAX: usize = 5_000_000;
/// A run that is cut off in the middle, so that its servers still hold what they should not.
fn cut_off(case: &mut Case, ended_at: Duration) -> Outcome<Capsule> {
    case.times.ended_at = ended_at;
    let capsule = Capsule::of(&run::run(case, false), String::from("cargo sim run"));
    Ok(capsule.ok_or("it did not fail")?)
}

fn page(capsule: &Capsule) -> String {
    explain::page(capsule, &Replay::of(capsule), None)
}

/// A capsule in which a user and his room are called so, and are named by what is wrong.
fn hostile_capsule() -> Outcome<Capsule> {
    let mut case = Case::draw(&scenario::find("steady")?, 1);
    let room = format!("room {HOSTILE}");
    for script in &mut case.scripts {
        script.name = format!("user {} {HOSTILE}", script.user);
        script.room.clone_from(&room);
    }
    let capsule = cut_off(&mut case, Duration::from_secs(3))?;
    let text = format!("{:?}", capsule.verdict);
    assert!(text.contains("<script>"), "no name in {text}");
    Ok(capsule)
}

#[test]
fn no_name_is_read_as_html() -> Outcome {
    // One of its own.
    hostile::check_names(&page(&hostile_capsule()?), 1);
    Ok(())
}

#[test]
fn a_page_needs_nothing_from_anywhere() -> Outcome {
    hostile::check_needs_nothing(&page(&hostile_capsule()?));
    Ok(())
}

#[test]
fn a_message_that_was_not_heard_is_told_with_its_way_and_with_whom_it_was_owed_to() -> Outcome {
    let case = &mut Case::draw(&scenario::find("chat-crash")?, 1);
    let mut capsule = cut_off(case, Duration::from_secs(8))?;
    let history = Replay::of(&capsule).outcome.record.history;
    // Any message to a room that somebody else heard.
    let (at, message, hearer) = history
        .iter()
        .filter(|event| event.at > Duration::from_secs(2))
        .find_map(|event| match &event.what {
            What::Heard {
                message: Some(message),
                target: Target::Room,
                ..
            } if message.user != event.user => Some((event.at, *message, event)),
            _ => None,
        })
        .ok_or("nobody heard anybody")?;
    let MessageId { user, login, .. } = message;
    capsule.verdict.violations = vec![Violation {
        guarantee: Guarantee::Delivered,
        at,
        what: format!("u{}.{} never heard {message}", hearer.user, hearer.login),
    }];
    let page = page(&capsule);
    for told in [
        format!("user-{user} (u{user}.{login}) sends message {message} to everybody in its room."),
        format!("passes {message} on to chat-server-"),
        format!("passes {message} on to connector-server-"),
        format!("<h3>Message {message}</h3>"),
        String::from(">must hear it</span>"),
        String::from("never came</text>"),
        // The capsule says what the checks do not.
        String::from("has changed since"),
    ] {
        assert!(page.contains(&told), "{told}");
    }
    // Two steps through the servers at least, between the sender's and the hearer's.
    assert!(page.matches("class=\"arrow way\"").count() >= 4);
    Ok(())
}

#[test]
fn what_is_no_broken_promise_is_not_told_as_one() -> Outcome {
    let mut case = Case::draw(&scenario::find("link-flapping")?, 1);
    // Cut off in the middle, it fails; then it is made the whole run again.
    let healed = case.times.ended_at;
    let mut capsule = cut_off(&mut case, Duration::from_secs(3))?;
    capsule.case.times.ended_at = healed;
    let mended = page(&capsule);
    assert!(mended.contains("and it does not fail any more.</strong>"));

    capsule.verdict = Verdict {
        broke_off: Some(String::from("panic at chat.rs:7")),
        ..Verdict::default()
    };
    let broke_off = page(&capsule);
    assert!(broke_off.contains("<h1>The run broke off "));
    assert!(broke_off.contains("No promise was checked"));

    capsule.verdict = Verdict {
        missed: Some(String::from("G5 was to be broken")),
        ..Verdict::default()
    };
    let missed = page(&capsule);
    assert!(missed.contains("<h1>Nothing was broken ") && missed.contains(">G5 was to be broken<"));
    assert!(!missed.contains("broke off"));
    Ok(())
}

#[test]
fn what_came_twice_is_marked_where_it_came() -> Outcome {
    let case = &mut Case::draw(&scenario::find("steady")?, 1);
    let mut capsule = cut_off(case, Duration::from_secs(3))?;
    let history = Replay::of(&capsule).outcome.record.history;
    let heard = history.iter().rev().find_map(|event| match event.what {
        What::Heard { message, .. } => message.map(|message| (event, message)),
        _ => None,
    });
    let (event, message) = heard.ok_or("nobody heard anything")?;
    capsule.verdict.violations = vec![Violation {
        guarantee: Guarantee::NoDuplicates,
        at: event.at,
        what: format!("u{}.{} heard {message} again", event.user, event.login),
    }];
    let page = page(&capsule);
    let offending: Vec<_> = page
        .split("<g class=\"arrow offending\"><title>")
        .skip(1)
        .collect();
    let [offending] = &offending[..] else {
        return Err(format!("{} are marked", offending.len()).into());
    };
    let title = offending.split("</title>").next().unwrap_or_default();
    assert!(
        title.contains(" connector-server-") && title.contains(" to clients-"),
        "{title}"
    );
    assert!(page.contains("class=\"ring\""));
    Ok(())
}

#[test]
fn a_fault_at_a_server_concerned_is_told_and_drawn() -> Outcome {
    let case = &mut Case::draw(&scenario::find("chat-crash")?, 1);
    let crashed = case.faults[0].clone();
    let mut capsule = cut_off(case, Duration::from_secs(6))?;
    let host = crashed.fault.to_string();
    let host = host.split_whitespace().next_back().ok_or("no host")?;
    capsule.verdict.violations.truncate(1);
    capsule.verdict.violations[0].what = format!("{host} still has room x");
    let page = page(&capsule);
    let told = format!("The process on {host} dies; its peers read the end of their streams");
    assert!(
        page.contains(&told) && page.contains(">crash</text>"),
        "{told}"
    );
    assert!(page.contains(&format!(">{host} starts again, without memory.")));
    assert!(
        page.contains("(chat-restarted"),
        "its connectors' rare path"
    );
    Ok(())
}

#[test]
fn a_page_is_about_what_showed_first_unless_another_is_asked_for() -> Outcome {
    let case = &mut Case::draw(&scenario::find("steady")?, 1);
    let mut capsule = cut_off(case, Duration::from_secs(3))?;
    let violation = |guarantee, at_ms, what: &str| Violation {
        guarantee,
        at: Duration::from_millis(at_ms),
        what: what.to_owned(),
    };
    capsule.verdict.violations = vec![
        violation(Guarantee::Membership, 2500, "the last"),
        violation(Guarantee::OneLogin, 1500, "the first"),
    ];
    capsule.verdict.violations_total = 2;
    let replay = Replay::of(&capsule);
    let first = explain::page(&capsule, &replay, None);
    assert!(first.contains("<p class=\"wrong\">the first</p>"));
    assert!(first.contains("What else was broken in this run (1)") && first.contains(": the last"));
    let other = explain::page(&capsule, &replay, Some(0));
    assert!(other.contains("<p class=\"wrong\">the last</p>"));
    Ok(())
}

#[test]
fn a_long_run_has_a_page_that_a_browser_takes() -> Outcome {
    let case = &mut Case::draw(&scenario::find("chat-crash")?, 1);
    let capsule = cut_off(case, Duration::from_secs(20))?;
    assert!(capsule.chain.events > 10_000, "{}", capsule.chain.events);
    let len = page(&capsule).len();
    assert!(len < PAGE_LEN_MAX, "{len} bytes");
    Ok(())
}

#[test]
fn the_program_writes_the_page_beside_the_capsule_and_says_if_it_is_another_run() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("failed.capsule.json");
    let case = &mut Case::draw(&scenario::find("steady")?, 1);
    let mut capsule = cut_off(case, Duration::from_secs(3))?;
    fs::write(&path, capsule.to_json())?;
    assert_eq!(explained(&path, "1")?, (Some(0), String::new()));
    let page = fs::read_to_string(folder.path().join("failed.capsule.html"))?;
    assert!(page.contains("cargo sim run") && !page.contains("has changed since"));

    let (status, said) = explained(&path, "1000")?;
    assert!(
        status == Some(2) && said.contains("--violation: the capsule has "),
        "{said}"
    );

    capsule.case.scripts[0].actions.remove(0);
    fs::write(&path, capsule.to_json())?;
    let (status, said) = explained(&path, "1")?;
    assert!(
        status == Some(3) && said.starts_with("another run: "),
        "{said}"
    );
    let page = fs::read_to_string(folder.path().join("failed.capsule.html"))?;
    assert!(page.contains("has changed since") && page.contains("another run: "));

    let (status, _) = explained(&folder.path().join("missing"), "1")?;
    assert_eq!(status, Some(2));
    Ok(())
}

fn explained(capsule: &Path, violation: &str) -> Outcome<(Option<i32>, String)> {
    let output = Command::new(env!("CARGO_BIN_EXE_sim"))
        .arg("explain")
        .arg(capsule)
        .args(["--violation", violation])
        .output()?;
    Ok((output.status.code(), String::from_utf8(output.stderr)?))
}

#[cfg(feature = "browser")]
#[test]
fn a_browser_without_a_network_shows_the_page_and_has_nothing_to_say() -> Outcome {
    let shown = browser::shown(&page(&hostile_capsule()?))?;
    assert!(shown.contains("<svg class=\"body\"") && shown.contains("class=\"lane user\""));
    assert!(
        shown.contains("<div class=\"controls\">"),
        "the script did not run"
    );
    Ok(())
}
