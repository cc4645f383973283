//! The table and the tests have the same rows.

use std::collections::BTreeSet;

use crate::{http, messages, packages, silence, websocket};

#[test]
fn every_row_of_the_table_is_a_test_and_every_test_a_row() {
    let table = include_str!("../../HOSTILE.md");
    let mut rows = BTreeSet::new();
    for line in table.lines() {
        let name = line
            .strip_prefix("| `")
            .and_then(|line| line.split_once('`'));
        if let Some((name, _)) = name {
            assert!(rows.insert(name), "{name} is there twice");
        }
    }
    let mut tests = BTreeSet::new();
    let modules = [
        http::ROWS,
        messages::ROWS,
        packages::ROWS,
        silence::ROWS,
        websocket::ROWS,
    ];
    for name in modules.into_iter().flatten() {
        assert!(tests.insert(*name), "{name} is tested twice");
    }
    let untested: Vec<_> = rows.difference(&tests).collect();
    let untold: Vec<_> = tests.difference(&rows).collect();
    assert!(
        untested.is_empty() && untold.is_empty(),
        "rows without a test: {untested:?}; tests without a row: {untold:?}"
    );
}
