//! Values to bytes.
//!
//! A message is written twice by the same code: first only its bytes are counted, so that the
//! output is allocated once and has its length.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::DEPTH_MAX;
use super::schema::{Field, FieldOption, Kind, Message, Schema, found};
use crate::wire::javascript;

/// Characters of a text that an error quotes.
const QUOTE_LEN: usize = 40;

/// Why a message is not written. Fields are named with the messages around them, such as `item.id`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The schema does not have the route; its bodies are JSON.
    #[error("the schema has no such route")]
    UnknownRoute,
    /// A required field is not there, or nothing is in the place of a message.
    #[error("{field} is missing")]
    Missing {
        /// The field.
        field: String,
    },
    /// The message has nothing that could be written.
    #[error("no field of the message is there")]
    Empty,
    /// A value that its field cannot hold.
    #[error("{field}: {found} where {expected} is due")]
    WrongType {
        /// The field.
        field: String,
        /// The value, shortened.
        found: String,
        /// What would be right.
        expected: &'static str,
    },
    /// The schema says nothing of the field's type.
    #[error("{field}: there is no type {kind:?}")]
    UnknownType {
        /// The field.
        field: String,
        /// Its type.
        kind: String,
    },
    /// The schema gives the field a tag that cannot be written.
    #[error("{field}: its tag is no whole number from 0 to 2^28 - 1")]
    UnusableTag {
        /// The field.
        field: String,
    },
    /// More messages within each other than [`DEPTH_MAX`].
    #[error("more than {DEPTH_MAX} messages within each other")]
    TooDeep,
}

impl Schema {
    /// Writes the body of `route`, with the fields in the order of the object's keys. Keys that the
    /// schema does not have are left out.
    ///
    /// # Errors
    ///
    /// Where [`EncodeError::is_empty_body`], the original sends the message with an empty body; for
    /// other errors it sends nothing. If there are several the former come first, as with it.
    pub fn encode(&self, route: &str, body: &Value) -> Result<Bytes, EncodeError> {
        let message = self.message_of(route).ok_or(EncodeError::UnknownRoute)?;
        let nothing = Map::new();
        let object = body.as_object().unwrap_or(&nothing);
        self.check(message, object, 1)?;

        let mut count = Count::default();
        self.message_to(message, object, &mut count)?;
        if count.len == 0 {
            return Err(EncodeError::Empty);
        }
        let mut bytes = Write {
            out: Vec::with_capacity(count.len),
            nested: count.nested.into_iter(),
        };
        self.message_to(message, object, &mut bytes)?;
        assert_eq!(bytes.out.len(), count.len, "counted what is written");
        Ok(bytes.out.into())
    }

    /// Whether all required fields are there. The original looks for them before it writes.
    fn check(
        &self,
        message: &Message,
        object: &Map<String, Value>,
        depth: usize,
    ) -> Result<(), EncodeError> {
        for field in &message.fields {
            let check = match (field.option, object.get(&field.name)) {
                (FieldOption::Required, None) => Err(missing()),
                (_, None) => Ok(()),
                (FieldOption::Repeated, Some(Value::Array(elements))) => elements
                    .iter()
                    .try_for_each(|element| self.check_value(field, element, depth)),
                (FieldOption::Repeated, Some(_)) => Ok(()),
                (_, Some(value)) => self.check_value(field, value, depth),
            };
            check.map_err(|error| error.within(field))?;
        }
        Ok(())
    }

    fn check_value(&self, field: &Field, value: &Value, depth: usize) -> Result<(), EncodeError> {
        let Kind::Message(index) = field.kind else {
            return Ok(());
        };
        if depth == DEPTH_MAX {
            return Err(EncodeError::TooDeep);
        }
        let nothing = Map::new();
        let object = match value {
            Value::Object(object) => object,
            Value::Null | Value::Bool(false) => return Err(missing()),
            Value::Number(number) if number.as_f64() == Some(0.0) => return Err(missing()),
            Value::String(text) if text.is_empty() => return Err(missing()),
            // The original looks for the fields in this as well, and finds none.
            _ => &nothing,
        };
        self.check(self.message(index), object, depth + 1)
    }

    fn message_to<O: Output>(
        &self,
        message: &Message,
        object: &Map<String, Value>,
        out: &mut O,
    ) -> Result<(), EncodeError> {
        for (name, value) in javascript::entries(object) {
            if let Some(field) = message.field(name) {
                self.field_to(field, value, out)
                    .map_err(|error| error.within(field))?;
            }
        }
        Ok(())
    }

    fn field_to<O: Output>(
        &self,
        field: &Field,
        value: &Value,
        out: &mut O,
    ) -> Result<(), EncodeError> {
        if field.option != FieldOption::Repeated {
            put_tag(field, out)?;
            return self.value_to(field, value, out);
        }
        let elements = elements(value)?;
        if elements.is_empty() {
            return Ok(());
        }
        let is_counted = field.kind.is_number();
        if is_counted {
            put_tag(field, out)?;
            put_varint(elements.len() as f64, out);
        }
        for element in elements {
            if !is_counted {
                put_tag(field, out)?;
            }
            self.value_to(field, element, out)?;
        }
        Ok(())
    }

    fn value_to<O: Output>(
        &self,
        field: &Field,
        value: &Value,
        out: &mut O,
    ) -> Result<(), EncodeError> {
        match &field.kind {
            Kind::Unsigned => {
                let number = integer(value).filter(|number| *number >= 0.0);
                put_varint(number.ok_or_else(|| wrong(value, UNSIGNED))?, out);
            }
            Kind::Signed => {
                let number = integer(value)
                    .map(zigzag)
                    .filter(|code| *code < EXPONENT_MIN);
                put_varint(number.ok_or_else(|| wrong(value, SIGNED))?, out);
            }
            Kind::Float => {
                let number = real(value).ok_or_else(|| wrong(value, NUMBER))?;
                out.put(&(number as f32).to_le_bytes());
            }
            Kind::Double => {
                let number = real(value).ok_or_else(|| wrong(value, NUMBER))?;
                out.put(&number.to_le_bytes());
            }
            Kind::Text => {
                let text = value.as_str().ok_or_else(|| wrong(value, "a text"))?;
                put_varint(text.len() as f64, out);
                out.put(text.as_bytes());
            }
            Kind::Message(index) => {
                let object = value.as_object().ok_or_else(|| wrong(value, "an object"))?;
                let message = self.message(*index);
                out.nested(|out| self.message_to(message, object, out))?;
            }
            Kind::Unknown(kind) => {
                return Err(EncodeError::UnknownType {
                    field: String::new(),
                    kind: kind.clone(),
                });
            }
        }
        Ok(())
    }
}

impl EncodeError {
    /// Whether the original answers this with an empty body, and sends nothing otherwise.
    pub fn is_empty_body(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Empty)
    }

    /// Names the field around whatever is named already.
    fn within(mut self, around: &Field) -> Self {
        match &mut self {
            Self::Missing { field }
            | Self::WrongType { field, .. }
            | Self::UnknownType { field, .. }
            | Self::UnusableTag { field } => {
                if !field.is_empty() {
                    field.insert(0, '.');
                }
                field.insert_str(0, &around.name);
            }
            Self::UnknownRoute | Self::Empty | Self::TooDeep => (),
        }
        self
    }
}

/// From here on JavaScript writes numbers with an exponent.
const EXPONENT_MIN: f64 = 1e21;

const UNSIGNED: &str = "a whole number from 0";
const SIGNED: &str = "a whole number";
const NUMBER: &str = "a number";

/// Where a message is written to.
trait Output: Sized {
    fn put(&mut self, bytes: &[u8]);

    /// Puts the length of what `write` puts, and then that.
    fn nested(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError>;
}

/// Counts the bytes.
#[derive(Default)]
struct Count {
    len: usize,
    /// The lengths of the messages inside, in the order in which they begin.
    nested: Vec<usize>,
}

impl Output for Count {
    fn put(&mut self, bytes: &[u8]) {
        self.len += bytes.len();
    }

    fn nested(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let index = self.nested.len();
        self.nested.push(0);
        let begin = self.len;
        write(self)?;
        let len = self.len - begin;
        self.nested[index] = len;
        put_varint(len as f64, self);
        Ok(())
    }
}

/// Writes the bytes.
struct Write {
    out: Vec<u8>,
    nested: std::vec::IntoIter<usize>,
}

impl Output for Write {
    fn put(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    fn nested(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let len = self.nested.next().expect("each message was counted");
        put_varint(len as f64, self);
        write(self)
    }
}

impl Kind {
    /// Whether it is a number, which has no tag of its own in a repeated field.
    pub(super) fn is_number(&self) -> bool {
        matches!(
            self,
            Self::Unsigned | Self::Signed | Self::Float | Self::Double
        )
    }

    fn wire_type(&self) -> u32 {
        match self {
            Self::Unsigned | Self::Signed => 0,
            Self::Double => 1,
            Self::Text | Self::Message(_) | Self::Unknown(_) => 2,
            Self::Float => 5,
        }
    }
}

fn put_tag<O: Output>(field: &Field, out: &mut O) -> Result<(), EncodeError> {
    let tag = field.tag.ok_or(EncodeError::UnusableTag {
        field: String::new(),
    })?;
    put_varint(f64::from(tag << 3 | field.kind.wire_type()), out);
    Ok(())
}

/// Puts a whole number that is not negative: seven bits a byte, the lowest first.
fn put_varint<O: Output>(mut number: f64, out: &mut O) {
    // Beyond 64 bits; these steps are exact.
    while number >= 18_446_744_073_709_551_616.0 {
        out.put(&[(number % 128.0) as u8 | 0x80]);
        number = (number / 128.0).floor();
    }
    let mut bytes = [0; 10];
    let mut len = 0;
    let mut number = number as u64;
    while number >= 0x80 {
        bytes[len] = number as u8 | 0x80;
        number >>= 7;
        len += 1;
    }
    bytes[len] = number as u8;
    out.put(&bytes[..=len]);
}

fn zigzag(number: f64) -> f64 {
    if number < 0.0 {
        number.abs() * 2.0 - 1.0
    } else {
        number * 2.0
    }
}

/// The elements of a repeated field.
fn elements(value: &Value) -> Result<&[Value], EncodeError> {
    match value {
        Value::Array(elements) => Ok(elements),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(&[]),
        Value::String(text) if text.is_empty() => Ok(&[]),
        // With a length the original takes it for an array.
        Value::Object(object) if !object.contains_key("length") => Ok(&[]),
        Value::String(_) | Value::Object(_) => Err(wrong(value, "an array")),
    }
}

/// What `parseInt` makes of `value`, if that is finite and not an accident.
fn integer(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number
            .as_f64()
            .filter(|number| *number == 0.0 || (1e-6..EXPONENT_MIN).contains(&number.abs()))?
            .trunc(),
        Value::String(text) => javascript::parse_int(text),
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// What `Number` makes of `value`, if that is a number and not an accident.
fn real(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Null => 0.0,
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => javascript::number(text),
        Value::Array(_) | Value::Object(_) => return None,
    };
    (!number.is_nan()).then_some(number)
}

fn missing() -> EncodeError {
    EncodeError::Missing {
        field: String::new(),
    }
}

fn wrong(value: &Value, expected: &'static str) -> EncodeError {
    let found = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => match text.char_indices().nth(QUOTE_LEN) {
            Some((end, _)) => format!("{:?}...", &text[..end]),
            None => format!("{text:?}"),
        },
        other => found(other).to_owned(),
    };
    EncodeError::WrongType {
        field: String::new(),
        found,
        expected,
    }
}
