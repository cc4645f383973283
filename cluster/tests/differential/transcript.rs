//! What the connections of a script were told, in a form that two clusters can agree on.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::script::Conn;

/// Of each step in its turn, what each connection was told.
pub type Transcript = Vec<(&'static str, BTreeMap<Conn, Told>)>;

/// What one connection was told in one step.
///
/// Answers and pushes are apart, because no server promises which comes first; among themselves
/// both are in the order in which they came.
#[derive(Debug, Default)]
pub struct Told {
    pub answers: Vec<String>,
    pub pushes: Vec<String>,
    /// Handshake, kick, end.
    pub session: Vec<String>,
}

impl Told {
    pub fn lines(&self) -> Vec<String> {
        [&self.session, &self.answers, &self.pushes]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }
}

/// `value` as text with the members of objects sorted: their order means nothing in JSON.
pub fn canonical(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let sorted: BTreeMap<_, _> = object.iter().collect();
            let members: Vec<String> = sorted
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(canonical).collect();
            format!("[{}]", elements.join(","))
        }
        other => other.to_string(),
    }
}

/// Some lines for a failure message, long ones shortened.
pub fn shown(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines {
        let len = line.chars().count();
        let head: String = line.chars().take(200).collect();
        match len > 200 {
            true => writeln!(text, "    {head}... ({len} characters)"),
            false => writeln!(text, "    {line}"),
        }
        .expect("a string takes all");
    }
    if text.is_empty() {
        text.push_str("    nothing\n");
    }
    text
}
