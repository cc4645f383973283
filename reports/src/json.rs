//! Files of JSON that have a version: what is wrong with one is told by file and field.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Why a file can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// It is of a version that this program does not know.
    #[error(
        "{}: {} program wrote it (field `schema` is {found}, and this one reads {known} only)",
        file.display(),
        if found < known { "an older" } else { "a newer" }
    )]
    Schema {
        /// Which file.
        file: PathBuf,
        /// Its version.
        found: u32,
        /// The version that can be read.
        known: u32,
    },
    /// It is no JSON, or a field is missing or of a wrong type.
    #[error("{}: field `{field}`", file.display())]
    Field {
        /// Which file.
        file: PathBuf,
        /// The field, or the object that lacks one; `.` is the whole file.
        field: String,
        /// What is wrong with it, with line and column.
        source: serde_json::Error,
    },
    /// Something follows the JSON.
    #[error("{}: there is more than one JSON value in it", file.display())]
    Rest {
        /// Which file.
        file: PathBuf,
        /// What the parser says, with line and column.
        source: serde_json::Error,
    },
}

/// Reads `text`, which has to be of version `known`; `file` is what errors name.
pub(crate) fn parse<T: DeserializeOwned>(
    text: &str,
    file: &Path,
    known: u32,
) -> Result<T, JsonError> {
    // The version first: the other fields of another version may be anything.
    let Versioned { schema: found } = parse_any(text, file)?;
    if found != known {
        return Err(JsonError::Schema {
            file: file.to_owned(),
            found,
            known,
        });
    }
    parse_any(text, file)
}

/// The one field that all versions share.
#[derive(Deserialize)]
#[serde(expecting = "an object with the field `schema`")]
struct Versioned {
    schema: u32,
}

fn parse_any<T: DeserializeOwned>(text: &str, file: &Path) -> Result<T, JsonError> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let value =
        serde_path_to_error::deserialize(&mut parser).map_err(|error| JsonError::Field {
            file: file.to_owned(),
            field: error.path().to_string(),
            source: error.into_inner(),
        })?;
    parser.end().map_err(|source| JsonError::Rest {
        file: file.to_owned(),
        source,
    })?;
    Ok(value)
}
