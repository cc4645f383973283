//! `serverProtos.json` and `clientProtos.json`: which bodies are protobuf.

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
    for Problem {
        message,
        field,
        what,
    } in problems
    {
        let line = line(source, root, &message, &field);
        let place = place(&message, &field);
        findings.problem(line, place, What::Schema(what));
    }
    if findings.is_sound() {
        for Place { route, key, what } in bodies::misfits(direction, &schema) {
            let key = key.unwrap_or_default();
            let line = line(source, root, route, &key);
            findings.problem(line, place(route, &key), What::Misfit(what));
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

fn line(source: &Source<'_>, root: Node<'_>, message: &str, key: &str) -> usize {
    source.line(find(root, message, key).unwrap_or(root))
}

/// The key of the field `key` of the message at `path`, such as `onChat > message Item`, or of the
/// message if there is no such field. Of a key that comes twice the last, which is the one that counts.
fn find<'a>(object: Node<'a>, path: &str, key: &str) -> Option<Node<'a>> {
    let members = object.members()?;
    members.into_iter().rev().find_map(|(name, value)| {
        match path.strip_prefix(name.text()?.as_str())? {
            "" if key.is_empty() => Some(name),
            "" => {
                let fields = value.members().unwrap_or_default();
                let is_key = |field: &Node<'_>| field.text().as_deref() == Some(key);
                let found = fields.into_iter().rev().map(|(field, _)| field);
                Some(found.into_iter().find(is_key).unwrap_or(name))
            }
            rest => find(value, rest.strip_prefix(" > ")?, key),
        }
    })
}
