//! Bytes to values.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::schema::{Field, FieldOption, Kind, Message, Schema};
use super::{DECODED_LEN_MAX, DEPTH_MAX};
use crate::wire::javascript;

/// Why bytes are no message. Offsets are in bytes from the beginning of the body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The schema does not have the route; its bodies are JSON.
    #[error("the schema has no such route")]
    UnknownRoute,
    /// A field that the message does not have.
    #[error("no field has the tag {tag} (before byte {offset})")]
    UnknownTag {
        /// The tag, as the 29 bits that a reader makes of it.
        tag: i32,
        /// The first byte behind it.
        offset: usize,
    },
    /// The body ends within a number, or within a message inside.
    #[error("the body ends within a field")]
    Truncated,
    /// The schema says nothing of the field's type.
    #[error("{field}: there is no type {kind:?}")]
    UnknownType {
        /// The field.
        field: String,
        /// Its type.
        kind: String,
    },
    /// More messages within each other than [`DEPTH_MAX`].
    #[error("more than {DEPTH_MAX} messages within each other")]
    TooDeep,
    /// It would take more memory than [`DECODED_LEN_MAX`].
    #[error("its values take more than {DECODED_LEN_MAX} bytes")]
    TooLarge,
}

/// What a value is taken to need, in bytes, besides its name and its text.
const VALUE_LEN: usize = 64;

/// How the bodies of one route are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layout<'a> {
    schema: &'a Schema,
    message: &'a Message,
}

impl Schema {
    /// How the bodies of `route` are written; `None`: as JSON.
    pub fn layout(&self, route: &str) -> Option<Layout<'_>> {
        let message = self.message_of(route)?;
        Some(Layout {
            schema: self,
            message,
        })
    }

    /// Reads the body of `route`, as [`Layout::decode`] does.
    ///
    /// # Errors
    ///
    /// As there, and [`DecodeError::UnknownRoute`].
    pub fn decode(&self, route: &str, body: &[u8]) -> Result<Value, DecodeError> {
        let layout = self.layout(route).ok_or(DecodeError::UnknownRoute)?;
        layout.decode(body)
    }
}

impl Layout<'_> {
    /// Reads a body, always as an object.
    ///
    /// The wire type in a tag does not matter; required fields need not be there; of a field that
    /// is there twice the last counts, and repeated ones are put together. A text that is longer
    /// than the body ends with it, and what is not UTF-8 in it becomes U+FFFD.
    ///
    /// # Errors
    ///
    /// As said at [`DecodeError`]: the original throws, and the session is deaf from then on.
    pub fn decode(&self, body: &[u8]) -> Result<Value, DecodeError> {
        let mut reader = self.reader(body);
        reader.message(self.message, body.len(), 1)
    }

    /// Reads the texts that stand in the fields of these names, as [`Self::decode`] would; `None`
    /// where there is none.
    ///
    /// # Errors
    ///
    /// As [`Self::decode`].
    pub fn texts<'b, const N: usize>(
        &self,
        names: [&str; N],
        body: &'b [u8],
    ) -> Result<[Option<Cow<'b, str>>; N], DecodeError> {
        let mut reader = self.reader(body);
        let mut texts = [const { None }; N];
        while reader.at < body.len() {
            let field = reader.field(self.message)?;
            let wanted = names.iter().position(|name| *name == field.name);
            let is_text = field.kind == Kind::Text && field.option != FieldOption::Repeated;
            match wanted {
                Some(index) if is_text => texts[index] = Some(reader.text()?),
                _ => reader.skip(field)?,
            }
        }
        Ok(texts)
    }

    fn reader<'b>(&self, body: &'b [u8]) -> Reader<'_, 'b> {
        Reader {
            schema: self.schema,
            body,
            at: 0,
            budget: DECODED_LEN_MAX,
        }
    }
}

struct Reader<'s, 'b> {
    schema: &'s Schema,
    body: &'b [u8],
    /// The next byte; beyond the end after a text that was cut off there.
    at: usize,
    /// Bytes that the values to come may take.
    budget: usize,
}

impl<'b> Reader<'_, 'b> {
    fn message(
        &mut self,
        message: &Message,
        end: usize,
        depth: usize,
    ) -> Result<Value, DecodeError> {
        let mut object = Map::new();
        // What is inside may go beyond the end, as in the original.
        while self.at < end {
            let field = self.field(message)?;
            if field.option == FieldOption::Repeated {
                let elements = object
                    .entry(&field.name)
                    .or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(elements) = elements {
                    self.elements(field, elements, depth)?;
                }
            } else {
                let value = self.value(field, depth)?;
                object.insert(field.name.clone(), value);
            }
        }
        Ok(object.into())
    }

    /// The field that comes next.
    fn field<'m>(&mut self, message: &'m Message) -> Result<&'m Field, DecodeError> {
        let tag = self.tag()?;
        let field = u32::try_from(tag)
            .ok()
            .and_then(|tag| message.field_of(tag));
        field.ok_or(DecodeError::UnknownTag {
            tag,
            offset: self.at,
        })
    }

    /// Reads what stands in a field of the outermost message and drops it.
    fn skip(&mut self, field: &Field) -> Result<(), DecodeError> {
        match field.option {
            FieldOption::Repeated => self.elements(field, &mut Vec::new(), 1),
            FieldOption::Required | FieldOption::Optional => self.value(field, 1).map(drop),
        }
    }

    fn elements(
        &mut self,
        field: &Field,
        elements: &mut Vec<Value>,
        depth: usize,
    ) -> Result<(), DecodeError> {
        let count = if field.kind.is_number() {
            self.len()?
        } else {
            1
        };
        // The count is the sender's word: nothing is allocated for it.
        for _ in 0..count {
            elements.push(self.value(field, depth)?);
        }
        Ok(())
    }

    fn value(&mut self, field: &Field, depth: usize) -> Result<Value, DecodeError> {
        self.spend(VALUE_LEN + field.name.len())?;
        Ok(match &field.kind {
            Kind::Unsigned => javascript::value(self.varint()?),
            Kind::Signed => javascript::value(unzigzag(self.varint()?)),
            Kind::Float => javascript::value(f64::from(f32::from_le_bytes(self.array()?))),
            Kind::Double => javascript::value(f64::from_le_bytes(self.array()?)),
            Kind::Text => self.text()?.into_owned().into(),
            Kind::Message(index) => {
                let end = self.len()?;
                let end = self.at.saturating_add(end);
                if depth == DEPTH_MAX {
                    return Err(DecodeError::TooDeep);
                }
                self.message(self.schema.message(*index), end, depth + 1)?
            }
            Kind::Unknown(kind) => {
                return Err(DecodeError::UnknownType {
                    field: field.name.clone(),
                    kind: kind.clone(),
                });
            }
        })
    }

    fn text(&mut self) -> Result<Cow<'b, str>, DecodeError> {
        let len = self.len()?;
        let begin = self.at;
        self.at = begin.saturating_add(len);
        let text = &self.body[begin..self.at.min(self.body.len())];
        self.spend(text.len())?;
        Ok(String::from_utf8_lossy(text))
    }

    /// Takes note of memory that a value needs.
    fn spend(&mut self, len: usize) -> Result<(), DecodeError> {
        self.budget = self.budget.checked_sub(len).ok_or(DecodeError::TooLarge)?;
        Ok(())
    }

    /// The tag, of which JavaScript's bit operators leave 29 bits, the highest a sign.
    fn tag(&mut self) -> Result<i32, DecodeError> {
        let head = self.varint()?;
        // Neither infinity nor NaN is anything to them.
        let head = if head.is_finite() { head } else { 0.0 };
        Ok((head % 4_294_967_296.0) as u32 as i32 >> 3)
    }

    /// A length or count; as long as the address space if it is longer.
    fn len(&mut self) -> Result<usize, DecodeError> {
        self.varint().map(|len| len as usize)
    }

    /// A number of seven bits a byte, the lowest first. It may have any number of bytes, and is
    /// what an `f64` makes of it, even infinite.
    fn varint(&mut self) -> Result<f64, DecodeError> {
        let mut number = 0.0;
        let mut scale = 1.0;
        loop {
            let byte = *self.body.get(self.at).ok_or(DecodeError::Truncated)?;
            self.at += 1;
            number += f64::from(byte & 0x7F) * scale;
            if byte < 0x80 {
                return Ok(number);
            }
            scale *= 128.0;
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let rest = self.body.get(self.at..).ok_or(DecodeError::Truncated)?;
        let bytes = rest.first_chunk().ok_or(DecodeError::Truncated)?;
        self.at += N;
        Ok(*bytes)
    }
}

fn unzigzag(code: f64) -> f64 {
    if code % 2.0 == 1.0 {
        -((code + 1.0) / 2.0)
    } else {
        code / 2.0
    }
}
