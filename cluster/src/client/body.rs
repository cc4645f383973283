//! The body of what a server pushes: bytes, until somebody wants to know.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::wire::protobuf::Layout;
use crate::wire::vocabulary::BodyError;

/// A body that nobody has read yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Body<'a> {
    bytes: Bytes,
    /// How it is written, if not as JSON.
    layout: Option<Layout<'a>>,
}

impl<'a> Body<'a> {
    pub(super) fn new(bytes: Bytes, layout: Option<Layout<'a>>) -> Self {
        Self { bytes, layout }
    }

    /// One that is written as JSON.
    pub fn json(text: impl Into<Bytes>) -> Self {
        Self::new(text.into(), None)
    }

    /// All of it.
    ///
    /// # Errors
    ///
    /// It is not what its route says.
    pub fn value(&self) -> Result<Value, BodyError> {
        match self.layout {
            Some(layout) => Ok(layout.decode(&self.bytes)?),
            None => Ok(serde_json::from_slice(&self.bytes)?),
        }
    }

    /// The texts in the fields of these names, `None` where there is no text: as in
    /// [`value`](Self::value), for a small part of what that costs.
    ///
    /// # Errors
    ///
    /// It is not what its route says. What stands in other fields is not looked at closely.
    pub fn texts<const N: usize>(
        &self,
        names: [&str; N],
    ) -> Result<[Option<Cow<'_, str>>; N], BodyError> {
        if let Some(layout) = self.layout {
            return Ok(layout.texts(names, &self.bytes)?);
        }
        if self.bytes.trim_ascii_start().first() != Some(&b'{') {
            let _: IgnoredAny = serde_json::from_slice(&self.bytes)?;
            return Ok([const { None }; N]);
        }
        let mut json = serde_json::Deserializer::from_slice(&self.bytes);
        let texts = json.deserialize_map(Texts(names))?;
        json.end()?;
        Ok(texts)
    }
}

/// Takes the texts of these fields out of an object.
struct Texts<'n, const N: usize>([&'n str; N]);

/// A text, without a copy unless it holds an escape.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de, const N: usize> Visitor<'de> for Texts<'_, N> {
    type Value = [Option<Cow<'de, str>>; N];

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut texts = [const { None }; N];
        while let Some(Text(key)) = map.next_key()? {
            match self.0.iter().position(|name| *name == key) {
                Some(index) => texts[index] = text(map.next_value()?)?,
                None => {
                    let _: IgnoredAny = map.next_value()?;
                }
            }
        }
        Ok(texts)
    }
}

fn text<'de, E: serde::de::Error>(value: &'de RawValue) -> Result<Option<Cow<'de, str>>, E> {
    if !value.get().starts_with('"') {
        return Ok(None);
    }
    let text = serde_json::from_str(value.get());
    text.map(|Text(text)| Some(text)).map_err(E::custom)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::protobuf::Schema;

    /// The texts of `a` and `b`, by `texts` and, which must be the same, from the whole value.
    fn read(body: &Body<'_>) -> Option<[Option<String>; 2]> {
        let texts = body.texts(["a", "b"]).ok();
        let texts = texts.map(|texts| texts.map(|text| text.map(Cow::into_owned)));
        let value = body.value().ok();
        let text = |value: &Value, name| Some(value.get(name)?.as_str()?.to_owned());
        let from_value = value.map(|value| ["a", "b"].map(|name| text(&value, name)));
        assert_eq!(texts, from_value, "{body:?}");
        texts
    }

    fn texts(a: Option<&str>, b: Option<&str>) -> Option<[Option<String>; 2]> {
        Some([a, b].map(|text| text.map(str::to_owned)))
    }

    #[test]
    fn texts_of_json_are_those_of_its_value() {
        for (json, expected) in [
            (r#"{"a":"x","b":"y"}"#, texts(Some("x"), Some("y"))),
            (
                r#" {"b":"\u00e9\n","c":[{"a":"no"}]} "#,
                texts(None, Some("é\n")),
            ),
            (r#"{"a":"x","a":"y","b":1}"#, texts(Some("y"), None)),
            (r#"{"a":"x","a":null}"#, texts(None, None)),
            (r#"{"\u0061":"x"}"#, texts(Some("x"), None)),
            ("[]", texts(None, None)),
            ("null", texts(None, None)),
            ("", None),
            ("{", None),
            (r#"{"a":"x"}}"#, None),
            (r#"{"a":"\ud800"}"#, None),
        ] {
            let body = Body::json(json);
            assert_eq!(read(&body), expected, "{json}");
        }
    }

    #[test]
    fn texts_of_protobuf_are_those_of_its_value() {
        let fields = json!({
            "optional string a": 1,
            "repeated string b": 2,
            "optional uInt32 c": 3,
        });
        let (schema, _) =
            Schema::from_text(&json!({ "onChat": fields }).to_string()).expect("it is an object");
        for (bytes, expected) in [
            (&b"\x0a\x01x"[..], texts(Some("x"), None)),
            (b"\x18\x07\x0a\x01x\x0a\x01y", texts(Some("y"), None)),
            // A list is no text.
            (b"\x12\x01x\x12\x01y", texts(None, None)),
            (b"\x0a\x02\xff!", texts(Some("\u{FFFD}!"), None)),
            (b"\x0a\x7fx", texts(Some("x"), None)),
            (b"", texts(None, None)),
            (b"\x22\x01x", None),
            (b"\x18", None),
        ] {
            let body = Body::new(Bytes::from_static(bytes), schema.layout("onChat"));
            assert_eq!(read(&body), expected, "{bytes:x?}");
        }
    }
}
