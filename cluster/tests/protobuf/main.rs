//! Protobuf schemas and bodies: what the original does at the edges, what is refused, and what no
//! input may do. The golden vectors are in `tests/vectors`, the original itself in `tests/originals`.

mod bodies;
#[path = "../support/hex.rs"]
mod hex;
mod properties;
mod schemas;

use cluster::wire::protobuf::Schema;
use serde_json::Value;

/// The schema of `file`, whatever is wrong with it.
fn schema(file: &Value) -> Schema {
    let (schema, _) = Schema::from_text(&file.to_string()).expect("it is an object");
    schema
}
