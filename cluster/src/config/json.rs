//! JSON that knows where it stands in the file.
//!
// serde_json validates the whole text once, without recursion, and hands out slices of it
// (`RawValue`); a slice's place in the text is its line. One level is opened at a time, so a file
// nested a million deep costs no stack, and each byte is read once per level that is looked at.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::findings::Findings;
use super::problem::What;
use super::words::shown;

/// A text that is known to be valid JSON.
pub(super) struct Source<'a> {
    text: &'a str,
    line_ends: Vec<usize>,
}

/// A value or a key inside a [`Source`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a> {
    raw: &'a str,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    String,
    Number,
    Boolean,
    Null,
}

/// The members of one object, without duplicates.
#[derive(Default)]
pub(super) struct Members<'a> {
    by_name: BTreeMap<String, Member<'a>>,
    order: Vec<String>,
}

/// One member of an object.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) key: Node<'a>,
    pub(super) value: Node<'a>,
}

impl<'a> Source<'a> {
    /// Validates `text`.
    pub(super) fn open(text: &'a str) -> Result<(Self, Node<'a>), serde_json::Error> {
        let root: &RawValue = serde_json::from_str(text)?;
        let line_ends = text.match_indices('\n').map(|(at, _)| at).collect();
        let source = Self { text, line_ends };
        Ok((source, Node { raw: root.get() }))
    }

    /// The text.
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// The line on which `node` begins; the first is 1.
    pub(super) fn line(&self, node: Node<'_>) -> usize {
        let offset = node.raw.as_ptr() as usize - self.text.as_ptr() as usize;
        assert!(offset <= self.text.len(), "a node of another text");
        1 + self.line_ends.partition_point(|end| *end < offset)
    }

    /// The members of `node`, which is an object (else there are none). A name that comes a
    /// second time is reported and left out.
    pub(super) fn object(
        &self,
        path: &str,
        node: Node<'a>,
        findings: &mut Findings,
    ) -> Members<'a> {
        let mut members = Members::default();
        for (key, value) in node.members().unwrap_or_default() {
            let name = key.name();
            if let Some(first) = members.by_name.get(&name) {
                let first_line = self.line(first.key);
                let what = What::DuplicateKey { first_line };
                findings.problem(self.line(key), joined(path, &shown(&name)), what);
            } else {
                members.order.push(name.clone());
                members.by_name.insert(name, Member { key, value });
            }
        }
        members
    }
}

impl<'a> Members<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&Member<'a>> {
        self.by_name.get(name)
    }

    pub(super) fn in_order(&self) -> impl Iterator<Item = (&str, &Member<'a>)> {
        self.order
            .iter()
            .map(|name| (name.as_str(), &self.by_name[name]))
    }
}

impl<'a> Node<'a> {
    pub(super) fn kind(self) -> Kind {
        match self.raw.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Boolean,
            Some(b'n') => Kind::Null,
            _ => Kind::Number,
        }
    }

    /// The value as the file has it.
    pub(super) fn raw(self) -> &'a str {
        self.raw
    }

    /// The value as the file has it, cut where it is too long to read. For numbers.
    pub(super) fn excerpt(self) -> String {
        self.raw.chars().take(40).collect()
    }

    /// The text of a string; `None` for other values and for half a surrogate pair.
    pub(super) fn text(self) -> Option<String> {
        serde_json::from_str(self.raw).ok()
    }

    /// The text of a key, which is shown as it is written where it is not text.
    pub(super) fn name(self) -> String {
        self.text().unwrap_or_else(|| self.raw.to_owned())
    }

    /// The values of an array.
    pub(super) fn items(self) -> Option<Vec<Node<'a>>> {
        serde_json::Deserializer::from_str(self.raw)
            .deserialize_seq(Items)
            .ok()
    }

    /// The keys and values of an object.
    pub(super) fn members(self) -> Option<Vec<(Node<'a>, Node<'a>)>> {
        serde_json::Deserializer::from_str(self.raw)
            .deserialize_map(Pairs)
            .ok()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::String => "a string",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Null => "null",
        })
    }
}

/// The path of the member `name` of the object at `path`.
pub(super) fn joined(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Vec<Node<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut nodes = Vec::new();
        while let Some(item) = items.next_element::<&RawValue>()? {
            nodes.push(Node { raw: item.get() });
        }
        Ok(nodes)
    }
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(Node<'de>, Node<'de>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some((key, value)) = members.next_entry::<&RawValue, &RawValue>()? {
            pairs.push((Node { raw: key.get() }, Node { raw: value.get() }));
        }
        Ok(pairs)
    }
}
