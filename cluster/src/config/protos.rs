//! `serverProtos.json` and `clientProtos.json`: which bodies are protobuf.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::bodies::{self, Direction, Place};
use super::fields::or_the_file;
use super::findings::Findings;
use super::json::{Kind, Node, Source};
use super::problem::What;
use super::words::{printable, quoted};
use crate::wire::protobuf::{Problem, Schema, SchemaError};

/// Longest schema file, in bytes: some twenty thousand fields. Every client that does not know it yet
/// is sent it, as JSON of several times that length.
const LEN_MAX: usize = 1024 * 1024;

/// Reads a schema, and finds out whether it has room for what the cluster and its clients say.
pub(super) fn read(
    source: &Source<'_>,
    root: Node<'_>,
    direction: Direction,
    findings: &mut Findings,
) -> Schema {
    let len = source.text().len();
    if len > LEN_MAX {
        let what = What::SchemaTooLong { len, max: LEN_MAX };
        findings.problem(source.line(root), or_the_file(""), what);
        return Schema::default();
    }
    let (schema, problems) = match Schema::from_text(source.text()) {
        Ok(read) => read,
        // It is JSON. What is in it can be too deep or too large to be read.
        Err(SchemaError::NotJson(cause)) => {
            let what = What::not_readable(&cause);
            findings.problem(cause.line(), or_the_file(""), what);
            return Schema::default();
        }
        Err(_) => {
            let what = What::wrong_type("messages such as \"onChat\"", Kind::Object, root);
            findings.problem(source.line(root), or_the_file(""), what);
            return Schema::default();
        }
    };
    let mut opened = Opened::default();
    for Problem {
        message,
        field,
        what,
    } in problems
    {
        let node = opened.find(root, &message, &field).unwrap_or(root);
        let place = place(&message, &field);
        findings.problem(source.line(node), place, What::Schema(what));
    }
    if findings.is_sound() {
        for Place { route, key, what } in bodies::misfits(direction, &schema) {
            let key = key.unwrap_or_default();
            let node = opened.find(root, route, &key).unwrap_or(root);
            findings.problem(source.line(node), place(route, &key), What::Misfit(what));
        }
    }
    schema
}

/// The field `key` of a message, as messages name it.
fn place(message: &str, key: &str) -> String {
    let message = printable(message);
    if key.is_empty() {
        message
    } else {
        format!("{message}: {}", quoted(key))
    }
}

/// The members of the objects in which something was looked for, by where they begin: a file is not
/// read again for each of its problems.
#[derive(Default)]
struct Opened<'a>(BTreeMap<*const u8, Rc<[Member<'a>]>>);

/// The name, key and value of a member.
type Member<'a> = (String, Node<'a>, Node<'a>);

impl<'a> Opened<'a> {
    /// The key of the field `key` of the message at `path`, such as `onChat > message Item`, or of the
    /// message if there is no such field. Of a key that comes twice the last, which is the one that
    /// counts.
    fn find(&mut self, object: Node<'a>, path: &str, key: &str) -> Option<Node<'a>> {
        let members = self.members(object);
        members.iter().rev().find_map(|(name, at, value)| {
            match path.strip_prefix(name.as_str())? {
                "" if key.is_empty() => Some(*at),
                "" => {
                    let fields = self.members(*value);
                    let found = fields.iter().rfind(|(name, ..)| name == key);
                    Some(found.map_or(*at, |(_, field, _)| *field))
                }
                rest => self.find(*value, rest.strip_prefix(" > ")?, key),
            }
        })
    }

    fn members(&mut self, object: Node<'a>) -> Rc<[Member<'a>]> {
        let read = || {
            let members = object.members().unwrap_or_default().into_iter();
            members
                .filter_map(|(key, value)| Some((key.text()?, key, value)))
                .collect()
        };
        let members = self.0.entry(object.raw().as_ptr()).or_insert_with(read);
        members.clone()
    }
}
