//! Words as a shell takes them, for commands that people copy.

use std::borrow::Cow;
use std::path::Path;

/// `word` as it is typed: in quotes if it holds anything that means something to a shell.
pub fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |it: char| it.is_alphanumeric() || "-_./:=@%+,".contains(it);
    if !word.is_empty() && word.chars().all(is_plain) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
}

/// The same of a path.
pub fn quoted_path(path: &Path) -> String {
    quoted(&path.to_string_lossy()).into_owned()
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_takes_each_word_as_it_was() -> std::io::Result<()> {
        for (word, typed) in [
            ("chat-crash", "chat-crash"),
            ("/a/b_c.toml", "/a/b_c.toml"),
            ("my file.toml", "'my file.toml'"),
            ("it's.toml", r"'it'\''s.toml'"),
            ("$HOME;*", "'$HOME;*'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), typed);
            let script = format!("printf %s {}", quoted(word));
            let printed = Command::new("sh").args(["-c", &script]).output()?;
            assert_eq!(String::from_utf8_lossy(&printed.stdout), word);
        }
        Ok(())
    }
}
