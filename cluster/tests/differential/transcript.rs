//! What the connections of a script were told, in a form that two clusters can agree on.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::script::Conn;

/// Of each step in its turn, what each connection was told.
pub type Transcript = Vec<(&'static str, BTreeMap<Conn, Told>)>;

/// What one connection was told in one step.
#[derive(Debug, Default)]
pub struct Told {
    /// Answers, each with the id of its request, and pushes, as they came.
    pub heard: Vec<(Option<u32>, String)>,
    /// Questions that got no answer.
    pub silence: Vec<String>,
    /// Handshake, kick, end.
    pub session: Vec<String>,
}

impl Told {
    /// What two clusters must agree on: the answers in the order of their requests, and the pushes
    /// in the order in which they came. When an answer comes among the pushes, or the answer of one
    /// server among those of another, the original leaves to chance; what this cluster promises of
    /// it is checked in `order.rs`.
    pub fn lines(&self) -> Vec<String> {
        let mut answers: Vec<_> = self.answers().collect();
        answers.sort_by_key(|(id, _)| *id);
        let answers = answers.into_iter().map(|(_, line)| line);
        let session = self.session.iter();
        let lines = session.chain(answers).chain(&self.silence);
        lines.chain(self.pushes()).cloned().collect()
    }

    /// With the ids of their requests, as they came.
    pub fn answers(&self) -> impl Iterator<Item = (u32, &String)> {
        let heard = self.heard.iter();
        heard.filter_map(|(id, line)| id.map(|id| (id, line)))
    }

    /// As they came.
    pub fn pushes(&self) -> impl Iterator<Item = &String> {
        let pushes = self.heard.iter().filter(|(id, _)| id.is_none());
        pushes.map(|(_, line)| line)
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
