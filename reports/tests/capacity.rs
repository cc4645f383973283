//! A search for a capacity: its file, its summary, its page alone and beside others.

#[cfg(feature = "browser")]
#[path = "shared/browser.rs"]
mod browser;
#[path = "shared/hostile.rs"]
mod hostile;
#[path = "shared/numbers.rs"]
mod numbers;
#[path = "shared/schema.rs"]
mod schema;
#[path = "shared/search.rs"]
mod search;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use hostile::HOSTILE;
use numbers::check_numbers;
use reports::capacity::curve::Curve;
use reports::capacity::{Capacity, Outcome, text};
use reports::page;
use reports::run_folder::{self, RunFolder};
use search::search;
use serde_json::{Value, json};

type Tested<T = ()> = Result<T, Box<dyn Error>>;

/// A search that found nothing and knows little.
fn empty() -> Capacity {
    let mut empty = search("empty", 400.0);
    empty.answer.outcome = Outcome::Undecided;
    (empty.answer.held, empty.answer.broke) = (None, None);
    (empty.answer.broke_first, empty.answer.because) = (None, None);
    empty.answer.at_held = None;
    empty.trials.truncate(1);
    empty.trials[0].figures.little = None;
    empty.trials[0].figures.cpu = None;
    empty.trials[0].figures.thresholds[0].measured = None;
    empty.curve = Curve {
        meaningless: Some("1 points are too few".to_owned()),
        ..Curve::default()
    };
    empty.cost = None;
    empty
}

/// One in which everything that has a name is called so.
fn hostile_search() -> Capacity {
    let name = || HOSTILE.to_owned();
    let mut hostile = search(HOSTILE, 400.0);
    (hostile.program.name, hostile.command, hostile.date) = (name(), name(), name());
    hostile.options.insert(name(), Value::from(HOSTILE));
    hostile.environment.insert(name(), name());
    hostile.warnings = vec![name()];
    (hostile.answer.broke_first, hostile.answer.because) = (Some(name()), Some(name()));
    hostile.curve.meaningless = Some(name());
    for trial in &mut hostile.trials {
        trial.figures.thresholds[0].metric = name();
        for reason in &mut trial.reasons {
            (reason.what, reason.text) = (name(), name());
        }
    }
    hostile
}

#[test]
fn a_file_is_as_the_published_schema_says_and_reads_back_as_it_was() -> Tested {
    let published = serde_json::from_str(include_str!("../capacity.schema.json"))?;
    for search in [search("mine", 400.0), empty()] {
        let text = search.to_json();
        assert_eq!(Capacity::parse(&text, Path::new("capacity.json"))?, search);
        schema::check(&published, &serde_json::from_str(&text)?)?;
    }
    Ok(())
}

#[test]
fn what_is_not_as_the_published_schema_says_is_noticed() -> Tested {
    let published = serde_json::from_str(include_str!("../capacity.schema.json"))?;
    for (pointer, wrong) in [
        ("/schema", json!(2)),
        ("/answer/outcome", json!("lost")),
        ("/answer/held/sure_percent", json!(101)),
        ("/trials/0/verdict", json!("perhaps")),
        ("/trials/0/figures/little/in_flight", json!("many")),
        ("/curve/law/sigma", Value::Null),
        ("/cost/b_us", json!({})),
    ] {
        let mut value = serde_json::to_value(search("mine", 400.0))?;
        *value.pointer_mut(pointer).ok_or(pointer)? = wrong;
        assert!(schema::check(&published, &value).is_err(), "{pointer}");
    }
    Ok(())
}

#[test]
fn the_summary_says_what_was_found_how_sure_it_is_and_why_not_more() -> Tested {
    let mut summary = String::new();
    text::write_summary(&mut summary, &search("mine", 400.0))?;
    for part in [
        "the capacity is 392 to 408 sends per second",
        "held at 392 in 2 of 2 trials (87 % sure)",
        "what broke first: broadcast.last.p99 was 118ms, not < 100ms",
        "there: 7840 deliveries per second",
        "servers: 75.0 CPU seconds per million deliveries",
        "41.2 us more for each recipient",
        "by that law at most 440 ± 13 sends per second",
        "warning: the machine was shared",
    ] {
        assert!(summary.contains(part), "{part} is not in {summary}");
    }
    let mut summary = String::new();
    text::write_summary(&mut summary, &empty())?;
    for part in [
        "inconclusive: nothing is known yet",
        "the scalability law must not be believed: 1 points are too few",
        "all rooms are of one size",
    ] {
        assert!(summary.contains(part), "{part} is not in {summary}");
    }
    Ok(())
}

#[test]
fn every_number_on_the_page_is_that_of_the_file() -> Tested {
    let one = search("mine", 400.0);
    let page = page::capacity(std::slice::from_ref(&one));
    check_numbers(&page, &serde_json::to_value(&one)?, 60)?;
    assert!(page.contains("What broke first:</b> broadcast.last.p99 was 118ms, not &lt; 100ms"));
    assert!(page.contains(">FOUND</span> The capacity is 392 to 408 sends per second"));
    Ok(())
}

#[test]
fn searches_side_by_side_have_their_numbers_and_how_many_times_the_first_they_are() -> Tested {
    let all = [search("original", 400.0), search("mine", 3200.0), empty()];
    let page = page::capacity(&all);
    check_numbers(&page, &serde_json::to_value(&all)?, 120)?;
    // 3136 of 392 per second, 9.4 of 75 seconds per million.
    assert!(
        page.contains(">3,136</data> <span class=\"ratio\">× 8.00</span>"),
        "{page}"
    );
    assert!(page.contains(">9.4</data> <span class=\"ratio\">× 0.12</span>"));
    assert!(!page.contains("They differ in"));
    let mut other = search("other", 400.0);
    other.options.insert("users".to_owned(), Value::from(10));
    let page = page::capacity(&[all[0].clone(), other]);
    assert!(page.contains("They differ in users"));
    Ok(())
}

#[test]
fn no_name_is_read_as_html_and_nothing_is_fetched() {
    let alone = page::capacity(&[hostile_search()]);
    let beside = page::capacity(&[hostile_search(), empty()]);
    for page in [alone, beside] {
        hostile::check_names(&page, 1);
        hostile::check_needs_nothing(&page);
        assert!(!page.contains("NaN"), "a number that is none");
    }
}

#[test]
fn the_program_shows_and_writes_pages_of_searches() -> Tested {
    let runs = tempfile::tempdir()?;
    let mut folders = Vec::new();
    for (name, knee) in [("original", 400.0), ("mine", 3200.0)] {
        let folder = RunFolder::create(&runs.path().join(name))?;
        folder.write_capacity(&search(name, knee))?;
        assert_eq!(
            run_folder::read_capacity(folder.path())?,
            search(name, knee)
        );
        folders.push(folder.path().to_owned());
    }
    let reports = |arguments: &[&Path]| -> Tested<(Option<i32>, String)> {
        let mut reports = Command::new(env!("CARGO_BIN_EXE_reports"));
        let output = reports.args(arguments).current_dir(runs.path()).output()?;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.code(), String::from_utf8(said)?))
    };
    let (status, said) = reports(&["show".as_ref(), &folders[0]])?;
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("the capacity is 392 to 408"), "{said}");
    assert_eq!(reports(&["html".as_ref(), &folders[0]])?.0, Some(0));
    assert!(fs::read_to_string(folders[0].join("capacity.html"))?.contains("FOUND"));
    let (status, said) = reports(&["html".as_ref(), &folders[0], &folders[1]])?;
    assert_eq!(status, Some(0), "{said}");
    let both = fs::read_to_string(runs.path().join("capacities.html"))?;
    assert!(both.contains("Capacities side by side"));
    let other = runs.path().join("other");
    fs::create_dir(&other)?;
    let (status, said) = reports(&["html".as_ref(), &folders[0], &other])?;
    assert_eq!(status, Some(2));
    assert!(
        said.contains("there is no run.json, capacity.json or ab.json"),
        "{said}"
    );
    Ok(())
}

#[cfg(feature = "browser")]
#[test]
fn a_browser_without_a_network_shows_both_pages_and_has_nothing_to_say() -> Tested {
    let alone = hostile_search();
    let shown = browser::shown(&page::capacity(std::slice::from_ref(&alone)))?;
    check_numbers(&shown, &serde_json::to_value(&alone)?, 60)?;
    let beside = [alone, search("b", 800.0)];
    let shown = browser::shown(&page::capacity(&beside))?;
    check_numbers(&shown, &serde_json::to_value(&beside)?, 100)
}
