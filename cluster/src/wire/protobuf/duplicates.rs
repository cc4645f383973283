//! Keys that come twice in a schema file, of which JSON readers keep the last without a word.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::problem::{PROBLEMS_MAX, Problem, What};

/// A problem for each such key of `text`, which is known to be JSON, up to [`PROBLEMS_MAX`].
pub(super) fn find(text: &str) -> Vec<Problem> {
    let (mut path, mut problems) = (Vec::new(), Vec::new());
    let walk = Walk {
        path: &mut path,
        problems: &mut problems,
    };
    // It is JSON, and it is read no deeper than before: the only error is that there is enough.
    walk.deserialize(&mut serde_json::Deserializer::from_str(text))
        .ok();
    problems
}

/// Goes through one value.
struct Walk<'a> {
    /// The keys that lead to it. They are put together for problems only: thousands of messages may
    /// be inside one with a long name.
    path: &'a mut Vec<String>,
    problems: &'a mut Vec<Problem>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = members.next_key::<String>()? {
            if seen.contains(&key) {
                if self.problems.len() == PROBLEMS_MAX {
                    return Err(A::Error::custom("enough"));
                }
                let (message, field) = match self.path.is_empty() {
                    true => (key.clone(), String::new()),
                    false => (self.path.join(" > "), key.clone()),
                };
                let what = What::DuplicateKey;
                self.problems.push(Problem {
                    message,
                    field,
                    what,
                });
            }
            self.path.push(key);
            members.next_value_seed(Walk {
                path: self.path,
                problems: self.problems,
            })?;
            seen.extend(self.path.pop());
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}
