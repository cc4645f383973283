//! What can be wrong with a schema.

use super::{DEFINITIONS_DEPTH_MAX, TAG_MAX};

/// Problems of a kind that are looked for in one schema: keys that come twice, and all others. To tell
/// what was meant takes time and room for each type that is there, and nobody reads on so far.
pub(super) const PROBLEMS_MAX: usize = 100;

/// Why there is no schema.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The text is not JSON, or its values are nested deeper than 128.
    #[error("not JSON")]
    NotJson(#[source] serde_json::Error),
    /// The JSON is not an object of messages.
    #[error("{found} where an object of messages is due")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// A part of a parsed schema that nothing can be made of.
    #[error("{at}: {found} where {expected} is due")]
    WrongType {
        /// The place, such as `onChat.msg.tag`.
        at: String,
        /// What stands there.
        found: String,
        /// What should.
        expected: &'static str,
    },
    /// More message types within each other than [`DEFINITIONS_DEPTH_MAX`].
    #[error("{at}: more than {DEFINITIONS_DEPTH_MAX} message types within each other")]
    TooDeep {
        /// The first that is too many.
        at: String,
    },
}

/// One thing in a schema file that the original passes over without a word. Displayed as
/// `message: field: what is wrong: what would be right`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}: {}{what}", InFront(field))]
pub struct Problem {
    /// The route or the message type, such as `onChat` or `onChat > message Item`.
    pub message: String,
    /// The key of the field as it is written; empty if the whole message is meant.
    pub field: String,
    /// What is wrong with it.
    pub what: What,
}

/// What is wrong with a message or field, what the original makes of it, and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum What {
    /// A message that is no object. The original takes it for one without fields.
    #[error("{found} where an object of fields is due: write {{\"required string name\": 1}}")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// A key that comes twice in one object. The last counts, as everywhere in JSON.
    #[error("comes twice: remove one of them")]
    DuplicateKey,
    /// A key that is neither a field nor a message type. The original drops it.
    #[error(
        "no field: write \"required string name\", three words with one space between them, or \"message Name\""
    )]
    Malformed,
    /// A key whose first word says nothing. The original drops it.
    #[error("{option:?} is no option: write required, optional or repeated")]
    UnknownOption {
        /// The word.
        option: String,
    },
    /// A field with a type that is not there. The original writes its tag without a value.
    #[error("there is no type {kind:?} here: {remedy}")]
    UnknownType {
        /// The type.
        kind: String,
        /// What was probably meant, or what is known.
        remedy: String,
    },
    /// A tag that another field has. The original drops the second field.
    #[error("tag {tag} is that of {first:?} already: give each field its own")]
    DuplicateTag {
        /// The tag.
        tag: String,
        /// The field that has it.
        first: String,
    },
    /// A name that another field has. The original keeps the second only.
    #[error("there is a field {name:?} already: rename one of them")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A tag that cannot be written. The original writes another one, or throws.
    #[error("{tag} is no tag: write a whole number from 0 to {TAG_MAX}")]
    UnusableTag {
        /// The tag as it is written.
        tag: String,
    },
    /// A tag in quotes. The original takes it as the number.
    #[error("tag {tag:?} is a text: write the number without quotes")]
    TextTag {
        /// The text.
        tag: String,
    },
    /// A name that means something else in the parsed form. The original loses it.
    #[error("the name {name:?} is taken: choose another")]
    ReservedName {
        /// The name.
        name: String,
    },
    /// A message type with the name of a scalar type. The original mixes them up.
    #[error("{name:?} is a type already: choose another name")]
    TypeName {
        /// The name.
        name: String,
    },
    /// More message types within each other than [`DEFINITIONS_DEPTH_MAX`]. This one is left out
    /// here; the original knows no bound.
    #[error(
        "more than {DEFINITIONS_DEPTH_MAX} message types within each other: write it as a message of its own, at the top"
    )]
    TooDeep,
}

/// The key of a field, where there is one.
struct InFront<'a>(&'a String);

impl std::fmt::Display for InFront<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, "{:?}: ", self.0)
    }
}
