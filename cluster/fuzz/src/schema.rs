//! Any text as a protobuf schema, and bodies read with it.

use cluster::wire::protobuf::Schema;
use serde_json::Value;

/// The text goes up to a zero byte; the rest is a body of each of its routes.
pub fn run(bytes: &[u8]) {
    let end = bytes.iter().position(|&byte| byte == 0);
    let (text, body) = bytes.split_at(end.unwrap_or(bytes.len()));
    let body = body.get(1..).unwrap_or_default();
    let text = String::from_utf8_lossy(text);
    if let Ok((schema, problems)) = Schema::from_text(&text) {
        // A server hands its schema out in this form, and a client makes its own of it. Only one
        // that something is wrong with may be more than a client takes.
        let again = Schema::from_parsed(Value::Object(schema.to_parsed().clone()));
        match again {
            Ok(again) => assert!(again == schema || !problems.is_empty(), "{again:?}"),
            Err(error) => assert_ne!(problems, [], "{error}"),
        }
        use_it(&schema, body);
    }
    if let Ok(value) = serde_json::from_str(&text)
        && let Ok(schema) = Schema::from_parsed(value)
    {
        let again = Schema::from_parsed(Value::Object(schema.to_parsed().clone()));
        assert_eq!(again.expect("a parsed schema is one"), schema);
        use_it(&schema, body);
    }
}

fn use_it(schema: &Schema, body: &[u8]) {
    let json = serde_json::from_slice(body).unwrap_or(Value::Null);
    for route in schema.to_parsed().keys() {
        let _ = schema.decode(route, body);
        // What is written can be read, though it may be another value: 7.9 is written as 7.
        if let Ok(written) = schema.encode(route, &json)
            && schema.encodes(route)
        {
            let read = schema.decode(route, &written);
            assert!(
                read.is_ok(),
                "{json} was written and cannot be read: {read:?}"
            );
        }
    }
}
