//! A comparison of two builds as a file and as text.

#[path = "shared/comparison.rs"]
mod comparison;
#[path = "shared/schema.rs"]
mod schema;

use std::error::Error;
use std::fs;
use std::path::Path;

use comparison::{METRIC, ab};
use reports::ab::{Ab, write_summary};
use serde_json::Value;

#[test]
fn a_comparison_is_read_as_it_was_written_and_is_as_the_published_schema_says()
-> Result<(), Box<dyn Error>> {
    let text = ab().to_json();
    assert_eq!(Ab::parse(&text, Path::new("ab.json"))?, ab());
    let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("ab.schema.json");
    let published: Value = serde_json::from_str(&fs::read_to_string(published)?)?;
    let mut value: Value = serde_json::from_str(&text)?;
    schema::check(&published, &value)?;
    value["verdict"] = "perhaps".into();
    assert!(schema::check(&published, &value).is_err());
    Ok(())
}

#[test]
fn the_summary_says_what_each_pair_and_the_interval_say() -> Result<(), Box<dyn Error>> {
    let mut text = String::new();
    write_summary(&mut text, &ab())?;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "ab-7-1: INCONCLUSIVE, these pairs do not tell whether the new build is slower by 10%"
    );
    assert_eq!(
        lines[2], "  new   new\u{fffd}[31m",
        "a terminal would obey it"
    );
    assert!(
        lines[5].ends_with("base          1000         1500    +50.0%"),
        "{text}"
    );
    assert!(
        lines[6].ends_with("new           2000         2500    +25.0%"),
        "{text}"
    );
    assert_eq!(
        lines[7],
        "  new - base: +36.9%, from -3.0% to +93.4% (95% confidence); counts from +10.0%: \
         INCONCLUSIVE: with this noise it takes 6 pairs"
    );
    assert_eq!(
        lines.last(),
        Some(&"repeat: cargo loadgen ab --base old --new new")
    );
    Ok(())
}

#[test]
fn a_file_that_lacks_a_field_is_told_with_it() {
    let mut value: Value = serde_json::from_str(&ab().to_json()).expect("JSON");
    value["pairs"][1]["base"]["latencies_us"][METRIC] = "quick".into();
    let error = Ab::parse(&value.to_string(), Path::new("x/ab.json")).expect_err("no number");
    let field = format!("x/ab.json: field `pairs[1].base.latencies_us.{METRIC}`");
    assert_eq!(error.to_string(), field);
}
