//! The fuzz targets of `cluster/fuzz` over their corpus: what libFuzzer found to matter goes on to
//! hold. libFuzzer itself is not needed for it.

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::error::Error;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

type Result = std::result::Result<(), Box<dyn Error>>;

#[test]
fn packages_hold_what_they_promise_for_the_whole_corpus() -> Result {
    replay("package", targets::package::run)
}

#[test]
fn messages_hold_what_they_promise_for_the_whole_corpus() -> Result {
    replay("message", targets::message::run)
}

#[test]
fn protobuf_bodies_hold_what_they_promise_for_the_whole_corpus() -> Result {
    replay("protobuf", targets::protobuf::run)
}

#[test]
fn protobuf_schemas_hold_what_they_promise_for_the_whole_corpus() -> Result {
    replay("schema", targets::schema::run)
}

#[test]
fn connections_hold_what_they_promise_for_the_whole_corpus() -> Result {
    replay("connection", targets::connection::run)
}

fn replay(target: &str, run: fn(&[u8])) -> Result {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut paths = Vec::new();
    for entry in fs::read_dir(corpus.join(target))? {
        paths.push(entry?.path());
    }
    paths.sort();
    assert!(!paths.is_empty(), "the corpus of {target} is empty");
    for path in paths {
        let bytes = fs::read(&path)?;
        let held = catch_unwind(AssertUnwindSafe(|| run(&bytes)));
        assert!(held.is_ok(), "it did not hold for {}", path.display());
    }
    Ok(())
}
