//! Times in files, as people write them: `1s 500ms`. For `#[serde(with = "loadgen::time_text")]`.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Writes a time.
///
/// # Errors
///
/// As the serializer.
pub fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    humantime::format_duration(*time)
        .to_string()
        .serialize(serializer)
}

/// Reads a time.
///
/// # Errors
///
/// If it is none.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text)
        .map_err(|_| D::Error::custom(format!("`{text}` is not a time such as 1s 500ms")))
}

/// The same for what may be left out: for
/// `#[serde(default, deserialize_with = "time_text::maybe::deserialize")]`.
pub mod maybe {
    use super::*;

    /// Reads a time.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        super::deserialize(deserializer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Wait(#[serde(with = "super")] Duration);

    #[test]
    fn a_time_is_read_as_it_was_written() -> serde_json::Result<()> {
        let wait = Wait(Duration::from_micros(61_500_000));
        let text = serde_json::to_string(&wait)?;
        assert_eq!(text, r#""1m 1s 500ms""#);
        assert_eq!(serde_json::from_str::<Wait>(&text)?, wait);
        Ok(())
    }

    #[test]
    fn what_is_no_time_is_named() {
        let error = serde_json::from_str::<Wait>(r#""soon""#).unwrap_err();
        let said = error.to_string();
        assert!(
            said.starts_with("`soon` is not a time such as 1s 500ms"),
            "{said}"
        );
    }
}
