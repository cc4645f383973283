//! What a run depends on besides its case: the code.

use std::collections::BTreeMap;

/// The packages whose code decides how a run goes: another version may make another run.
const PACKAGES: [&str; 6] = ["cluster", "fastrand", "loadgen", "rand", "tokio", "turmoil"];
const LOCK_FILE: &str = include_str!("../../Cargo.lock");

/// The version of each, and that of this program, by name.
pub fn versions() -> BTreeMap<String, String> {
    let packages = PACKAGES.map(|name| (name, locked(LOCK_FILE, name).unwrap_or("unknown")));
    let program = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    let all = packages.into_iter().chain([program]);
    all.map(|(name, version)| (name.to_owned(), version.to_owned()))
        .collect()
}

/// The version of the package `name` in the lock file `text`.
fn locked<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let wanted = format!("name = \"{name}\"");
    let mut lines = text.lines().skip_while(|line| *line != wanted);
    let version = lines.nth(1)?.strip_prefix("version = \"")?;
    version.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_lock_file() {
        let text = "[[package]]\nname = \"tokio-util\"\nversion = \"0.7.1\"\n\n\
                    [[package]]\nname = \"tokio\"\nversion = \"1.2.3\"\nsource = \"x\"\n";
        assert_eq!(locked(text, "tokio"), Some("1.2.3"));
        assert_eq!(locked(text, "rand"), None);
        let versions = versions();
        assert_eq!(versions.len(), 7);
        assert!(versions.values().all(|it| it != "unknown"), "{versions:?}");
    }
}
