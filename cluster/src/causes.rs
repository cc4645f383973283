//! An error and what led to it, in one line.

use std::error::Error;
use std::fmt::Write;

/// `error` and its causes, as in `the connection broke: end of file`.
pub fn sentence(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
