//! What is told of a run while it goes on is what the report will say.

use std::time::Duration;

use loadgen::fanout::fold::Fold;
use loadgen::history::{Target, What};
use loadgen::plan::threshold::LATENCIES;
use reports::buckets::Buckets;

use crate::story::{ANN, BOB, CAT, END, HELLO, Story};

/// Ann says hello at 2 s; Bob hears it at once, Cat after two seconds, and only then it is answered.
fn slow_hello() -> Story {
    Story::of_three_in_a_room()
        .says(2000, HELLO, Target::Room)
        .hears(2100, ANN, HELLO)
        .hears(2100, BOB, HELLO)
        .hears(4200, CAT, HELLO)
        .gets_answer(8000, HELLO, true)
}

fn fold(story: &Story) -> Fold {
    let mut fold = Fold::new(Duration::from_secs(1));
    for event in &story.0 {
        fold.see(event.at, (event.user, event.login), &event.what);
    }
    fold
}

#[test]
fn latencies_and_counts_so_far_are_those_of_a_report_made_now() {
    for now_ms in [8000, 8001, 9500, 60_000] {
        let now = Duration::from_millis(now_ms);
        let mut fold = fold(&slow_hello());
        let status = fold.status(now);
        let measured = fold.finish(now, []);
        assert_eq!(status.counts, measured.counts, "at {now:?}");
        for metric in LATENCIES {
            let so_far = status.latencies.get(metric).cloned().unwrap_or_default();
            assert_eq!(so_far, measured.latencies(metric), "{metric} at {now:?}");
        }
    }
}

#[test]
fn the_last_seconds_are_whole_intervals_and_forget() {
    let seen_at = |ms| fold(&slow_hello()).status(Duration::from_millis(ms)).recent;
    // It was heard by the last in the interval from 4 s to 5 s, which is told from 5 s to 10 s.
    for (at_ms, broadcasts) in [(8000, 1), (9999, 1), (10_000, 0)] {
        let recent = seen_at(at_ms);
        let last = recent.latencies.get("broadcast.last");
        assert_eq!(last.map_or(0, Buckets::count), broadcasts, "at {at_ms} ms");
        assert_eq!(recent.span_us, 5_000_000);
    }
    let recent = seen_at(8000);
    assert_eq!(recent.counts["deliveries_total"], 1);
    assert_eq!(seen_at(8000).counts.get("users_entered"), None);
    let mut young = Fold::new(Duration::from_secs(1));
    assert_eq!(young.status(Duration::from_millis(900)).recent.span_us, 0);
    assert_eq!(
        young.status(Duration::from_millis(2900)).recent.span_us,
        2_000_000
    );
}

#[test]
fn users_are_where_they_are_now() {
    let due = Duration::ZERO;
    let connector = "c:1".to_owned();
    let story = Story::default()
        .then(0, ANN, What::Connected)
        .then(0, BOB, What::Connected)
        .then(0, CAT, What::Connected)
        .enters(1, ANN, "room", &[ANN])
        .enters(2, BOB, "room", &[ANN, BOB])
        .enters(3, CAT, "room", &[ANN, BOB, CAT])
        .leaves(2000, BOB)
        .then(2001, BOB, What::Login { due })
        .then(2002, 4, What::Login { due })
        .then(2003, 4, What::Located { connector })
        .then(2004, 5, What::Login { due })
        .then(
            2005,
            5,
            What::Located {
                connector: "c:2".to_owned(),
            },
        )
        .then(2006, 5, What::Connected)
        .then(2007, 6, What::Login { due })
        .then(
            2008,
            6,
            What::LoginFailed {
                reason: "no".to_owned(),
            },
        );
    let users = fold(&story).status(END).users;
    assert_eq!((users.logging_in, users.entering, users.inside), (2, 1, 2));
}
