//! The files that hold vectors: the one beside these tests, and those in the folder that
//! `POMELO_VECTORS` names (seen from the workspace), which are laid out like it. Kinds that no test asks
//! for are passed over; a file without any other is a mistake.

use std::env;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::hex;

/// Where the vectors of each kind are.
const KINDS: [&str; 16] = [
    "/crc/strings",
    "/crc/non_string",
    "/crc/throws",
    "/packages",
    "/package_limits",
    "/package_streams",
    "/package_decode_quirks",
    "/messages",
    "/message_encode_errors",
    "/message_decode_only",
    "/message_id_overflow",
    "/protobuf",
    "/protobuf_decode_only",
    "/protobuf_parsed",
    "/versions/dict",
    "/versions/protos",
];

/// Calls `check` with each vector of one kind, such as `/crc/strings`, in all files. Which one it
/// was is printed when `check` panics.
///
/// # Panics
///
/// If the file beside these tests has none, or one is not laid out as `check` expects.
pub fn each<T: DeserializeOwned>(kind: &str, mut check: impl FnMut(T)) {
    for (number, (file, vectors)) in files().iter().enumerate() {
        let entries = match vectors.pointer(kind) {
            Some(Value::Array(entries)) => entries.as_slice(),
            Some(entry) => std::slice::from_ref(entry),
            None => &[],
        };
        assert!(number > 0 || !entries.is_empty(), "{file} has no {kind}");
        for (index, entry) in entries.iter().enumerate() {
            let _place = Place {
                file,
                kind,
                index,
                entry,
            };
            let vector = T::deserialize(entry).expect("the vector is laid out as expected");
            check(vector);
        }
    }
}

pub fn unhex(text: &str) -> Bytes {
    let bytes = hex::unhex(text);
    bytes.expect("the file holds hex digits").into()
}

/// Says which vector was checked when a test fails.
struct Place<'a> {
    file: &'a str,
    kind: &'a str,
    index: usize,
    entry: &'a Value,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let name = self.entry.get("name").and_then(Value::as_str);
            let Self {
                file, kind, index, ..
            } = self;
            eprintln!("in {file}: {kind}/{index} {}", name.unwrap_or_default());
            eprintln!("{:.1000}", self.entry.to_string());
        }
    }
}

/// All files by name, the one beside these tests first.
fn files() -> Vec<(String, Value)> {
    let own = include_str!("../data/vectors.json");
    let mut files = vec![parsed("tests/data/vectors.json", own)];
    if let Some(folder) = env::var_os("POMELO_VECTORS").filter(|folder| !folder.is_empty()) {
        // Tests run in their package's folder, and not where somebody has written this.
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let folder = workspace.join(folder);
        let entries = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("POMELO_VECTORS={}: {error}", folder.display()));
        let mut paths: Vec<_> = entries
            .map(|entry| entry.expect("the folder can be read").path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "json")
            })
            .collect();
        paths.sort();
        let name = folder.display();
        assert!(!paths.is_empty(), "POMELO_VECTORS: no *.json in {name}");
        for path in paths {
            let name = path.display().to_string();
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
            let (name, vectors) = parsed(&name, &text);
            let has = |kind: &&str| {
                let entries = vectors.pointer(kind);
                entries.is_some_and(|entries| *entries != Value::Array(Vec::new()))
            };
            assert!(KINDS.iter().any(has), "{name} has none of {KINDS:?}");
            files.push((name, vectors));
        }
    }
    files
}

fn parsed(name: &str, text: &str) -> (String, Value) {
    let vectors = serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    (name.to_owned(), vectors)
}
