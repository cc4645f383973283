//! This cluster's protobuf against the original's own, run by Node: random messages of random
//! schemas, and random bytes.
//!
//! Everything follows from the seed of a schema. `ORIGINALS_SEED=17` runs that schema alone.

#[path = "../support/hex.rs"]
mod hex;
mod node;
mod random;

use cluster::wire::protobuf::{Protos, Schema};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use hex::hex;
use node::Node;

/// Schemas, with seeds from 1 on.
const SCHEMAS: u64 = 2_000;

/// Messages of each schema.
const MESSAGES: usize = 50;

#[test]
fn protobuf_agrees_with_the_original() {
    let mut node = Node::start();
    let (seeds, is_whole) = match std::env::var("ORIGINALS_SEED") {
        Ok(seed) => {
            let seed: u64 = seed.parse().expect("ORIGINALS_SEED is a whole number");
            (seed..=seed, false)
        }
        Err(_) => (1..=SCHEMAS, true),
    };
    let mut seen = Seen::default();
    for seed in seeds {
        compare(seed, &mut node, &mut seen);
    }
    println!("{seen:?}");
    if is_whole {
        assert_eq!(seen.messages, 100_000);
        // That the messages are about something.
        assert!(seen.written > 60_000, "most can be written: {seen:?}");
        assert!(seen.empty > 1_000, "some lack a field: {seen:?}");
        assert!(seen.refused > 1_000, "some have wrong values: {seen:?}");
        assert!(seen.read > 70_000, "their bytes can be read: {seen:?}");
        assert!(seen.unreadable > 10_000, "other bytes cannot: {seen:?}");
    }
}

/// How often what happened.
#[derive(Debug, Default)]
struct Seen {
    messages: u64,
    written: u64,
    empty: u64,
    refused: u64,
    read: u64,
    unreadable: u64,
}

fn compare(seed: u64, node: &mut Node, seen: &mut Seen) {
    let mut rng = StdRng::seed_from_u64(seed);
    let random = random::Schema::new(&mut rng);
    let protos = random.protos();
    let at = format!("seed {seed}, schema {protos}");

    let (schema, _) = Schema::from_text(&protos.to_string()).expect("it is an object");
    let messages: Vec<_> = (0..MESSAGES).map(|_| random.message(&mut rng)).collect();
    let encoded: Vec<_> = messages
        .iter()
        .map(|message| schema.encode("r", message))
        .collect();
    let mut bodies: Vec<Vec<u8>> = encoded.iter().flatten().map(|body| body.to_vec()).collect();
    for body in bodies.clone() {
        bodies.push(random::damaged(body, &mut rng));
    }

    let hexes: Vec<_> = bodies.iter().map(|body| hex(body)).collect();
    let answer = node.ask(&json!({"protos": protos, "messages": messages, "bodies": hexes}));

    let parsed = Value::from(schema.to_parsed().clone());
    assert_eq!(parsed.to_string(), answer["parsed"], "parsed form: {at}");
    let protos = Protos::new(schema.clone(), schema.clone());
    assert_eq!(protos.version(), answer["version"], "version: {at}");
    let again = Schema::from_parsed(parsed).expect("it is what the original sends");
    assert_eq!(again, schema, "schema from the parsed form: {at}");

    for (index, message) in messages.iter().enumerate() {
        let at = || format!("{at}, message {message}");
        let original = &answer["messages"][index];
        seen.messages += 1;
        match &encoded[index] {
            Ok(body) => {
                assert_eq!(original["bytes"], hex(body), "{}", at());
                seen.written += 1;
            }
            Err(error) if error.is_empty_body() => {
                assert_eq!(original["empty"], true, "{error}: {}", at());
                seen.empty += 1;
            }
            Err(error) => {
                let at = at();
                assert!(original["throws"].is_string(), "{error}: {original}: {at}");
                seen.refused += 1;
            }
        }
    }
    for (index, body) in bodies.iter().enumerate() {
        let original = &answer["bodies"][index];
        let at = || format!("{at}, body {}", hexes[index]);
        match schema.decode("r", body) {
            Ok(value) => {
                assert_eq!(exact(&value), original["value"], "{}", at());
                seen.read += 1;
            }
            Err(error) => {
                let at = at();
                assert!(original["throws"].is_string(), "{error}: {original}: {at}");
                seen.unreadable += 1;
            }
        }
    }
}

/// `value` with numbers as protobuf.js has them.
fn exact(value: &Value) -> Value {
    match value {
        Value::Number(number) => {
            let number = number.as_f64().expect("all fit");
            format!("#{}", hex(&number.to_be_bytes())).into()
        }
        Value::Array(elements) => elements.iter().map(exact).collect(),
        Value::Object(object) => object
            .iter()
            .map(|(name, value)| (name.clone(), exact(value)))
            .collect(),
        other => other.clone(),
    }
}
