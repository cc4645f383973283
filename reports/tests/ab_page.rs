//! The page of a comparison of two builds.

#[cfg(feature = "browser")]
#[path = "shared/browser.rs"]
mod browser;
#[path = "shared/comparison.rs"]
mod comparison;
#[path = "shared/hostile.rs"]
mod hostile;
#[path = "shared/numbers.rs"]
mod numbers;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use comparison::{METRIC, ab};
use hostile::HOSTILE;
use numbers::check_numbers;
use reports::ab::{Ab, Build, Decision, Interval, Trial, Unit, Verdict};
use reports::page;
use serde_json::Value;

type Tested<T = ()> = Result<T, Box<dyn Error>>;

/// One whose differences are times.
fn in_us() -> Ab {
    let mut ab = ab();
    ab.effect = "2ms".to_owned();
    ab.metrics[0].unit = Unit::Us;
    ab.metrics[0].interval = Interval {
        estimate: 512.4,
        low: -1300.5,
        high: 2325.3,
        limit: 2000.0,
    };
    ab
}

/// One in which everything that has a name is called so.
fn hostile_ab() -> Ab {
    let name = || HOSTILE.to_owned();
    let mut ab = ab();
    for text in [
        &mut ab.name,
        &mut ab.program.name,
        &mut ab.program.version,
        &mut ab.command,
        &mut ab.date,
        &mut ab.base,
        &mut ab.new,
        &mut ab.effect,
        &mut ab.metrics[0].metric,
    ] {
        *text = name();
    }
    ab.plan.insert(name(), Value::from(HOSTILE));
    (ab.reasons, ab.discarded) = (vec![name()], vec![name()]);
    for pair in &mut ab.pairs {
        for trial in [&mut pair.base, &mut pair.new] {
            (trial.run, trial.broken) = (name(), vec![name()]);
            trial.latencies_us.insert(name(), 7000);
        }
    }
    ab
}

/// What stands between `from` and the next `to`, each time that `from` is on the page.
fn all_between<'a>(page: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    let parts = page.split(from).skip(1);
    parts
        .filter_map(|part| Some(part.split_once(to)?.0))
        .collect()
}

fn sentence(ab: &Ab) -> String {
    all_between(&page::ab(ab), "<h1>", "</h1>")[0].to_owned()
}

#[test]
fn every_number_on_the_page_is_that_of_the_file() -> Tested {
    for ab in [ab(), in_us()] {
        // Of the interval four and three again at the top, the confidence, the pairs needed; of each of
        // two pairs a seed and two times.
        check_numbers(&page::ab(&ab), &serde_json::to_value(&ab)?, 14)?;
    }
    Ok(())
}

#[test]
fn the_sentence_at_the_top_says_what_it_comes_to_and_by_which_figures() {
    let mut ab = ab();
    assert_eq!(
        sentence(&ab),
        "<span class=\"verdict\">INCONCLUSIVE</span> These pairs do not tell whether the new build is slower by 10%: \
         broadcast.last.p50 +36.9\u{a0}% (−3.0\u{a0}% to +93.4\u{a0}%)"
    );
    let mut other = ab.metrics[0].clone();
    (other.metric, other.decision) = ("login.p99".to_owned(), Decision::Fail);
    ab.metrics.push(other);
    ab.verdict = Verdict::Fail;
    let said = sentence(&ab);
    assert!(
        said.contains(">FAIL</span> The new build is slower by more than 10%: login.p99 +36.9"),
        "{said}"
    );
    assert!(!said.contains(METRIC), "it does not decide: {said}");
    ab.reasons = vec!["02-new: did not hold: delivered".to_owned()];
    assert!(sentence(&ab).ends_with(">FAIL</span> The new build does not do what base does"));
    assert!(page::ab(&ab).contains("<p class=\"lead\">02-new: did not hold: delivered</p>"));
}

#[test]
fn a_comparison_that_is_invalid_does_not_show_its_figures_as_a_decision() {
    let mut ab = ab();
    ab.metrics[0].decision = Decision::Fail;
    let is_shown = |ab: &Ab| {
        let page = page::ab(ab);
        let decided = [
            "\"decision fail\"",
            "\"interval fail\"",
            "93.4 %</data> · FAIL",
        ];
        decided.map(|it| page.contains(it))
    };
    ab.verdict = Verdict::Fail;
    assert_eq!(is_shown(&ab), [true; 3]);
    ab.verdict = Verdict::Invalid;
    assert_eq!(is_shown(&ab), [false; 3]);
    assert!(page::ab(&ab).contains("decides nothing"));
}

/// Where `name` says that an element of a drawing is, in percent of the width.
fn place(element: &str, name: &str) -> f64 {
    let place = all_between(element, &format!(" {name}=\""), "%\"");
    place[0].parse().expect("a number")
}

#[test]
fn what_is_drawn_is_where_its_number_is() {
    let page = page::ab(&in_us());
    let rows = all_between(&page, "<g class=\"row\">", "</g>");
    let mut drawn = Vec::new();
    for (row, pair) in rows.iter().zip(in_us().pairs) {
        let dots = all_between(row, "<circle", "/>");
        let line = all_between(row, "<line", "/>")[0];
        for (build, dot, end) in [(Build::Base, 0, "x1"), (Build::New, 1, "x2")] {
            let us = pair.latency_us(build, METRIC).expect("measured");
            drawn.push((us as f64, place(dots[dot], "cx")));
            assert_eq!(place(line, end), place(dots[dot], "cx"));
        }
        // The ring is around the one that ran first.
        let first = if pair.first == Build::Base { 0 } else { 1 };
        assert_eq!(place(dots[2], "cx"), place(dots[first], "cx"));
    }
    assert_eq!(drawn.len(), 4);
    is_even(&drawn);
    let interval = all_between(&page, "<g class=\"interval", "</g>")[0];
    let low = place(interval, "x");
    let mut drawn = vec![
        (-1300.5, low),
        (2325.3, low + place(interval, "width")),
        (512.4, place(interval, "cx")),
        (
            0.0,
            place(all_between(&page, "<line class=\"zero\"", "/>")[0], "x1"),
        ),
        (
            2000.0,
            place(all_between(&page, "<g class=\"limit\">", "</g>")[0], "x1"),
        ),
    ];
    // Both pairs are 500 us slower.
    let rugs = all_between(&page, "<g class=\"rug\">", "</g>");
    drawn.extend(rugs.iter().map(|it| (500.0, place(it, "x1"))));
    assert_eq!(drawn.len(), 7);
    is_even(&drawn);
}

/// Panics unless places follow numbers by one scale.
fn is_even(drawn: &[(f64, f64)]) {
    let least = drawn
        .iter()
        .copied()
        .reduce(|a, b| if a.0 <= b.0 { a } else { b });
    let most = drawn
        .iter()
        .copied()
        .reduce(|a, b| if a.0 >= b.0 { a } else { b });
    let ((from, from_at), (to, to_at)) = (least.expect("one"), most.expect("one"));
    assert!(from_at >= 0.0 && to_at <= 100.0 && to_at - from_at > 40.0);
    for (number, at) in drawn {
        let expected = from_at + (number - from) / (to - from) * (to_at - from_at);
        assert!(
            (at - expected).abs() < 0.05,
            "{number} at {at}, not at {expected}"
        );
    }
}

#[test]
fn pairs_are_told_with_their_runs_and_what_did_not_hold_and_those_thrown_away_with_why() {
    let mut ab = ab();
    let told = page::ab(&ab);
    assert!(told.contains("03-base: late") && told.contains("1 more thrown away"));
    assert!(told.contains("01-base, 02-new") && !told.contains("did not hold<"));
    // 2000 to 2500 us, and new was first.
    assert!(
        told.contains(
            ">2.50 ms</data><td class=\"number\">+25.0 %<td class=\"runs\">02-new, 01-base"
        )
    );
    ab.pairs[0].new.broken = vec!["delivered".to_owned()];
    ab.discarded.clear();
    let told = page::ab(&ab);
    assert!(told.contains("<li>02-new: delivered") && told.contains("<tr class=\"broken\">"));
    assert!(told.contains("none thrown away") && !told.contains("id=\"discarded\""));
}

#[test]
fn one_without_enough_pairs_has_a_page_too() -> Tested {
    let mut few = ab();
    few.verdict = Verdict::Invalid;
    few.reasons = vec!["only 1 of 4 are left".to_owned()];
    few.metrics.clear();
    few.pairs.truncate(1);
    let page = page::ab(&few);
    check_numbers(&page, &serde_json::to_value(&few)?, 2)?;
    assert!(page.contains("only 1 of 4 are left") && !page.contains("decides nothing"));
    few.pairs.clear();
    let page = page::ab(&few);
    assert!(!page.contains("id=\"pairs\"") && !page.contains("NaN"));
    Ok(())
}

#[test]
fn figures_of_any_size_have_a_place_on_the_page() -> Tested {
    let mut ab = ab();
    let trial = ab.pairs[0].base.clone();
    let of = |us| Trial {
        latencies_us: [(METRIC.to_owned(), us)].into(),
        ..trial.clone()
    };
    for (base, new) in [(0, 0), (0, 1), (1, u64::MAX), (7, 7), (900, 80_000_000)] {
        (ab.pairs[0].base, ab.pairs[0].new) = (of(base), of(new));
        for unit in [Unit::Percent, Unit::Us] {
            ab.metrics[0].unit = unit;
            let page = page::ab(&ab);
            assert!(
                !page.contains("NaN") && !page.contains("inf%"),
                "{base} {new}"
            );
            assert!(page.len() < 100_000, "{base} {new}: {} bytes", page.len());
        }
    }
    Ok(())
}

#[test]
fn no_name_is_read_as_html_and_nothing_is_fetched() {
    let page = page::ab(&hostile_ab());
    hostile::check_names(&page, 1);
    hostile::check_needs_nothing(&page);
}

#[cfg(feature = "browser")]
#[test]
fn a_browser_without_a_network_shows_the_page_and_has_nothing_to_say() -> Tested {
    let ab = hostile_ab();
    let shown = browser::shown(&page::ab(&ab))?;
    check_numbers(&shown, &serde_json::to_value(&ab)?, 14)
}

#[test]
fn the_program_finds_out_that_it_is_a_comparison() -> Tested {
    let runs = tempfile::tempdir()?;
    let folder = runs.path().join("ab-7-1");
    fs::create_dir(&folder)?;
    let reports = |command: &str, paths: &[&Path]| -> Tested<(Option<i32>, String)> {
        let mut reports = Command::new(env!("CARGO_BIN_EXE_reports"));
        let output = reports.arg(command).args(paths).output()?;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.code(), String::from_utf8(said)?))
    };
    for command in ["html", "show"] {
        let (status, said) = reports(command, &[&folder])?;
        assert_eq!(status, Some(2));
        let expected = "there is no run.json, capacity.json or ab.json in it";
        assert!(said.contains(expected), "{said}");
    }
    let file = folder.join("ab.json");
    fs::write(&file, ab().to_json())?;
    for path in [&folder, &file] {
        assert_eq!(reports("html", &[path])?.0, Some(0));
        let beside = folder.join("ab.html");
        assert_eq!(fs::read_to_string(&beside)?, page::ab(&ab()));
        fs::remove_file(beside)?;
        let (status, said) = reports("show", &[path])?;
        assert_eq!(status, Some(1), "it did not pass");
        assert!(said.starts_with("ab-7-1: INCONCLUSIVE, "), "{said}");
    }
    fs::write(
        &file,
        Ab {
            verdict: Verdict::Pass,
            ..ab()
        }
        .to_json(),
    )?;
    assert_eq!(reports("show", &[&folder])?.0, Some(0));
    let (status, said) = reports("html", &[&folder, &folder])?;
    assert_eq!(status, Some(2));
    assert!(
        said.contains("only searches for a capacity have a page together"),
        "{said}"
    );
    Ok(())
}
