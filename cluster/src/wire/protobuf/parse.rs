//! From a schema file to the parsed form: what the original does, and what it does not say.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::DEFINITIONS_DEPTH_MAX;
use super::problem::{PROBLEMS_MAX, Problem, What};
use super::schema::{MESSAGES, SCALARS, TAGS, found, tag_number};
use crate::wire::javascript;

/// The parsed form of a file, and all that is wrong with it, in reading order.
pub(super) fn parse(file: &Map<String, Value>) -> (Map<String, Value>, Vec<Problem>) {
    let mut parser = Parser {
        global: names(file).collect(),
        elsewhere: elsewhere(file),
        problems: Vec::new(),
    };
    let mut parsed = Map::new();
    for (name, definition) in javascript::entries(file) {
        if let Some(kind) = name.strip_prefix("message ") {
            parser.check_type_name(name, "", kind);
        }
        let message = parser.message(name, definition, 1);
        if name == PROTOTYPE {
            let name = name.clone();
            parser.problem(&name, "", What::ReservedName { name: name.clone() });
        } else {
            parsed.insert(name.clone(), message);
        }
    }
    (javascript::ordered(parsed), parser.problems)
}

/// What JavaScript's objects cannot hold as a key of their own.
const PROTOTYPE: &str = "__proto__";

struct Parser<'a> {
    /// The message types that are there for all messages.
    global: BTreeSet<&'a str>,
    /// Those that some message has for itself.
    elsewhere: BTreeSet<&'a str>,
    problems: Vec<Problem>,
}

/// What one message has so far.
#[derive(Default)]
struct Message {
    fields: Map<String, Value>,
    messages: Map<String, Value>,
    /// Tags, as the keys that JavaScript makes of them, and the names of their fields.
    tags: Map<String, Value>,
}

impl Parser<'_> {
    fn message(&mut self, path: &str, definition: &Value, depth: usize) -> Value {
        let mut message = Message::default();
        if let Value::Object(definition) = definition {
            let nearby = names(definition).collect();
            for (key, value) in javascript::entries(definition) {
                match key.split(' ').collect::<Vec<_>>()[..] {
                    ["message", name] => {
                        self.nested(path, key, name, value, depth, &mut message);
                    }
                    [option, kind, name] if option != "message" => {
                        if matches!(option, "required" | "optional" | "repeated") {
                            self.check_kind(path, key, kind, &nearby);
                            self.field(path, key, [option, kind, name], value, &mut message);
                        } else {
                            let option = option.to_owned();
                            self.problem(path, key, What::UnknownOption { option });
                        }
                    }
                    _ => self.problem(path, key, What::Malformed),
                }
            }
        } else {
            let found = found(definition);
            self.problem(path, "", What::NotAnObject { found });
        }
        let Message {
            mut fields,
            messages,
            tags,
        } = message;
        // They replace fields of these names, in their places.
        fields.insert(MESSAGES.into(), javascript::ordered(messages).into());
        fields.insert(TAGS.into(), javascript::ordered(tags).into());
        javascript::ordered(fields).into()
    }

    fn nested(
        &mut self,
        path: &str,
        key: &str,
        name: &str,
        definition: &Value,
        depth: usize,
        message: &mut Message,
    ) {
        self.check_type_name(path, key, name);
        if depth == DEFINITIONS_DEPTH_MAX {
            return self.problem(path, key, What::TooDeep);
        }
        let nested = self.message(&format!("{path} > {key}"), definition, depth + 1);
        if name == PROTOTYPE {
            let name = name.to_owned();
            self.problem(path, key, What::ReservedName { name });
        } else {
            message.messages.insert(name.to_owned(), nested);
        }
    }

    fn field(
        &mut self,
        path: &str,
        key: &str,
        [option, kind, name]: [&str; 3],
        tag: &Value,
        message: &mut Message,
    ) {
        let tag_key = javascript::text(tag);
        match (tag_number(tag), tag) {
            (Some(_), Value::String(tag)) => {
                self.problem(path, key, What::TextTag { tag: tag.clone() });
            }
            (Some(_), _) => (),
            (None, tag) => {
                let tag = tag.to_string();
                self.problem(path, key, What::UnusableTag { tag });
            }
        }
        // A name without letters is false to JavaScript: its tag counts as free.
        if let Some(Value::String(first)) = message.tags.get(&tag_key)
            && !first.is_empty()
        {
            let (tag, first) = (tag_key, first.clone());
            return self.problem(path, key, What::DuplicateTag { tag, first });
        }
        message.tags.insert(tag_key, name.into());
        if name.is_empty() {
            self.problem(path, key, What::Malformed);
        } else if [MESSAGES, TAGS, PROTOTYPE].contains(&name) {
            let name = name.to_owned();
            self.problem(path, key, What::ReservedName { name });
        } else if message.fields.contains_key(name) {
            let name = name.to_owned();
            self.problem(path, key, What::DuplicateName { name });
        }
        if name != PROTOTYPE {
            let field = json!({"option": option, "type": kind, "tag": tag});
            message.fields.insert(name.to_owned(), field);
        }
    }

    fn check_kind(&mut self, path: &str, key: &str, kind: &str, nearby: &BTreeSet<&str>) {
        let is_known = is_scalar(kind) || nearby.contains(kind) || self.global.contains(kind);
        if is_known || self.problems.len() >= PROBLEMS_MAX {
            return;
        }
        let remedy = if self.elsewhere.contains(kind) {
            String::from("move it to the top of the file, where all messages find it")
        } else {
            let mut known: Vec<_> = SCALARS.iter().map(|(name, _)| *name).collect();
            known.extend(nearby.union(&self.global).filter(|name| !is_scalar(name)));
            remedy_for_unknown(kind, &known)
        };
        let kind = kind.to_owned();
        self.problem(path, key, What::UnknownType { kind, remedy });
    }

    fn check_type_name(&mut self, path: &str, key: &str, name: &str) {
        if is_scalar(name) {
            let name = name.to_owned();
            self.problem(path, key, What::TypeName { name });
        } else if name.is_empty() || name.contains(' ') {
            self.problem(path, key, What::Malformed);
        }
    }

    fn problem(&mut self, message: &str, field: &str, what: What) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem {
                message: message.to_owned(),
                field: field.to_owned(),
                what,
            });
        }
    }
}

fn is_scalar(kind: &str) -> bool {
    SCALARS.iter().any(|(name, _)| *name == kind)
}

/// The message types that `definition` has.
fn names(definition: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let keys = definition.keys();
    keys.filter_map(|key| key.strip_prefix("message "))
}

/// The message types that messages in `definition` have, at any depth.
fn elsewhere(definition: &Map<String, Value>) -> BTreeSet<&str> {
    let messages = definition.values().filter_map(Value::as_object);
    messages
        .flat_map(|message| names(message).chain(elsewhere(message)))
        .collect()
}

/// Longest name of a type, in bytes, that is taken for another with a slip of the pen.
const KIND_LEN_MAX: usize = 60;

fn remedy_for_unknown(kind: &str, known: &[&str]) -> String {
    // One slip in three characters, as in servers.json; `int` is two from `int32`.
    let slips_max = (kind.chars().count() / 3).clamp(2, 3);
    // To find the distance takes time for each pair of characters of two names, so it is not looked
    // for where the lengths alone (in bytes, up to four for a slip) say that it is too far.
    let nearest = known
        .iter()
        .filter(|known| {
            known.len().abs_diff(kind.len()) <= 4 * slips_max && kind.len() <= KIND_LEN_MAX
        })
        .map(|known| (strsim::damerau_levenshtein(kind, known), *known))
        .filter(|(slips, _)| *slips <= slips_max)
        .min();
    match nearest {
        Some((_, nearest)) => format!("did you mean {nearest:?}?"),
        None => format!("known here are {}", known.join(", ")),
    }
}
