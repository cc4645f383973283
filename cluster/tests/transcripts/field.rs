//! JSON values that know where in their file they stand, so that what is wrong with one can be said.

use bytes::Bytes;
use serde_json::Value;

/// A value and the way to it, such as `events[3].hex`.
#[derive(Clone, Debug)]
pub struct Field<'a> {
    path: String,
    pub value: &'a Value,
}

impl<'a> Field<'a> {
    /// The whole file.
    pub fn root(value: &'a Value) -> Self {
        Self {
            path: String::new(),
            value,
        }
    }

    /// The member `name`, which must be there.
    pub fn get(&self, name: &str) -> Result<Field<'a>, String> {
        self.members()?;
        self.optional(name)
            .ok_or_else(|| format!("{}: missing", self.path_of(name)))
    }

    /// The member `name`, if it is there.
    pub fn optional(&self, name: &str) -> Option<Field<'a>> {
        let value = self.value.get(name)?;
        Some(Field {
            path: self.path_of(name),
            value,
        })
    }

    /// Refuses members that are not in `known`: they may change what the others mean.
    pub fn knows_only(&self, known: &[&str]) -> Result<(), String> {
        for (name, member) in self.members()? {
            if !known.contains(&name.as_str()) {
                return Err(member.wrong("unknown field"));
            }
        }
        Ok(())
    }

    /// All members by name.
    pub fn members(&self) -> Result<Vec<(String, Field<'a>)>, String> {
        let Value::Object(members) = self.value else {
            return Err(self.wrong("an object was expected"));
        };
        let field = |(name, value): (&String, &'a Value)| {
            let path = self.path_of(name);
            (name.clone(), Field { path, value })
        };
        Ok(members.iter().map(field).collect())
    }

    /// All elements.
    pub fn elements(&self) -> Result<Vec<Field<'a>>, String> {
        let Value::Array(elements) = self.value else {
            return Err(self.wrong("a list was expected"));
        };
        let field = |(index, value): (usize, &'a Value)| Field {
            path: format!("{}[{index}]", self.path),
            value,
        };
        Ok(elements.iter().enumerate().map(field).collect())
    }

    pub fn text(&self) -> Result<&'a str, String> {
        let text = self.value.as_str();
        text.ok_or_else(|| self.wrong("a string was expected"))
    }

    pub fn number(&self) -> Result<u64, String> {
        let number = self.value.as_u64();
        number.ok_or_else(|| self.wrong("a number of 0 or more was expected"))
    }

    pub fn truth(&self) -> Result<bool, String> {
        let truth = self.value.as_bool();
        truth.ok_or_else(|| self.wrong("true or false was expected"))
    }

    /// Bytes in hex.
    pub fn bytes(&self) -> Result<Bytes, String> {
        let text = self.text()?;
        if !text.len().is_multiple_of(2) {
            return Err(self.wrong("an even number of hex digits was expected"));
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let pairs = text.as_bytes().chunks(2);
        pairs
            .map(|pair| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok())
            .collect::<Option<Bytes>>()
            .ok_or_else(|| self.wrong("hex digits were expected"))
    }

    /// Says what is wrong with it, and shows its beginning.
    pub fn wrong(&self, what: &str) -> String {
        let path = if self.path.is_empty() {
            "the file"
        } else {
            &self.path
        };
        let mut shown: String = self.value.to_string().chars().take(61).collect();
        if shown.chars().count() == 61 {
            shown.pop();
            shown.push('…');
        }
        format!("{path}: {what}: {shown}")
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            String::from(name)
        } else {
            format!("{}.{name}", self.path)
        }
    }
}
