//! Numbers and times that each seed draws for itself, and how they are written in a file.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// A number that each seed draws for itself, both ends included. In a file `3` or `"2..5"`; a time
/// in milliseconds ([`time`]) `"500ms"` or `"100ms..2s"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The least.
    pub min: u32,
    /// The most.
    pub max: u32,
}

impl Span {
    /// Always `value`.
    pub const fn just(value: u32) -> Self {
        Self::of(value..=value)
    }

    /// Any number of `range`.
    pub const fn of(range: RangeInclusive<u32>) -> Self {
        Self {
            min: *range.start(),
            max: *range.end(),
        }
    }

    /// Draws one.
    pub fn draw(self, rng: &mut StdRng) -> u32 {
        rng.random_range(self.min..=self.max)
    }

    /// Draws one, as milliseconds.
    pub fn draw_ms(self, rng: &mut StdRng) -> Duration {
        Duration::from_millis(self.draw(rng).into())
    }

    /// Reads `A..B`, or one value, each as `one` does.
    fn parse(text: &str, one: impl Fn(&str) -> Option<u32>) -> Option<Self> {
        let (min, max) = text.split_once("..").unwrap_or((text, text));
        let (min, max) = (one(min.trim())?, one(max.trim())?);
        (min <= max).then_some(Self { min, max })
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Numbers)
    }
}

struct Numbers;

impl Visitor<'_> for Numbers {
    type Value = Span;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a number such as 3, or a range such as \"2..5\" (both ends included)")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Span, E> {
        let number = u32::try_from(value);
        let wrong = |_| E::invalid_value(Unexpected::Signed(value), &self);
        number.map(Span::just).map_err(wrong)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
        let span = Span::parse(text, |number| number.parse().ok());
        span.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// A time that each seed draws for itself, in whole milliseconds: for
/// `#[serde(with = "span::time")]`.
pub mod time {
    use super::*;

    /// Reads `"500ms"` or `"100ms..2s"`.
    ///
    /// # Errors
    ///
    /// If it is neither.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        deserializer.deserialize_str(Times)
    }

    struct Times;

    impl Visitor<'_> for Times {
        type Value = Span;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str(
                "a time such as \"1s 500ms\", or a range such as \"100ms..2s\" (both ends included)",
            )
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
            let span = Span::parse(text, whole_milliseconds);
            span.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
        }
    }

    fn whole_milliseconds(text: &str) -> Option<u32> {
        let time = humantime::parse_duration(text).ok()?;
        let is_whole = time.subsec_nanos().is_multiple_of(1_000_000);
        is_whole.then(|| u32::try_from(time.as_millis()).ok())?
    }
}

/// The same for what may be left out: for `#[serde(default, with = "span::maybe_time")]`.
pub mod maybe_time {
    use super::*;

    /// Reads what [`time`] reads.
    ///
    /// # Errors
    ///
    /// As [`time`].
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Span>, D::Error> {
        time::deserialize(deserializer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct File {
        count: Option<Span>,
        #[serde(default, with = "maybe_time")]
        lasts: Option<Span>,
    }

    fn read(text: &str) -> Result<File, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_span_is_one_value_or_two_with_both_ends() -> Result<(), String> {
        for (text, min, max) in [
            ("count = 3", 3, 3),
            ("count = '2..5'", 2, 5),
            ("count = '2 .. 2'", 2, 2),
            ("lasts = '1s 500ms'", 1500, 1500),
            ("lasts = '0s..2s'", 0, 2000),
        ] {
            let file = read(text)?;
            assert_eq!(file.count.or(file.lasts), Some(Span { min, max }), "{text}");
        }
        Ok(())
    }

    #[test]
    fn what_is_no_span_is_told_what_would_be_one() {
        let number = "a number such as 3, or a range such as \"2..5\" (both ends included)";
        let time =
            "a time such as \"1s 500ms\", or a range such as \"100ms..2s\" (both ends included)";
        for (text, value, expected) in [
            ("count = -1", "value: integer `-1`", number),
            ("count = 2.5", "type: floating point `2.5`", number),
            ("count = '5..2'", "value: string \"5..2\"", number),
            ("count = '2..'", "value: string \"2..\"", number),
            ("lasts = 3", "type: integer `3`", time),
            ("lasts = '3'", "value: string \"3\"", time),
            ("lasts = '1ns..2s'", "value: string \"1ns..2s\"", time),
            ("lasts = '2s..1s'", "value: string \"2s..1s\"", time),
        ] {
            let expected = format!("invalid {value}, expected {expected}");
            assert_eq!(read(text).unwrap_err(), expected, "{text}");
        }
    }
}
