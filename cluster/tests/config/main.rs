//! What is read from a configuration, and the exact words for each thing that can be wrong in it.

#[path = "../support/program.rs"]
mod program;

mod app;
mod bodies;
mod commands;
mod dictionary;
mod environments;
mod files;
mod folder;
mod master;
mod random;
mod schemas;
mod server_problems;
mod servers;
mod which;

use cluster::config::{Config, ConfigError};
use folder::Folder;

/// A correct file: each test makes one thing wrong in it.
const GOOD: &str = r#"{
  "development": {
    "gate": [
      {"id": "gate-1", "host": "127.0.0.1", "clientPort": 3014, "frontend": true}
    ],
    "connector": [
      {"id": "connector-1", "host": "127.0.0.1", "port": 4050, "clientPort": 3050, "frontend": true},
      {"id": "connector-2", "host": "127.0.0.1", "port": 4051, "clientPort": 3051, "frontend": true,
       "clientHost": "chat.example"}
    ],
    "chat": [
      {"id": "chat-1", "host": "10.0.0.7", "port": 6050}
    ]
  }
}"#;

/// Reads `text` as a file alone.
fn parse(text: &str) -> Result<Config, ConfigError> {
    Folder::alone(text).1.load("development")
}

/// The messages for [`GOOD`] with `from` replaced by `to`, one per line.
fn messages(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from} is not in the file");
    messages_of(&GOOD.replacen(from, to, 1))
}

/// The messages for `text` as the file `s.json` alone.
fn messages_of(text: &str) -> String {
    let (folder, place) = Folder::alone(text);
    let error = place
        .load("development")
        .expect_err("the file was accepted");
    folder.named(&error.to_string()).replace("DIR/", "")
}
