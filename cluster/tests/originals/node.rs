//! The process that runs the original.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

pub struct Node {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Node {
    pub fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/originals");
        assert!(
            folder.join("node_modules/pomelo-protobuf").is_dir(),
            "the original is not here: run `npm ci --prefix cluster/tests/originals`"
        );
        let mut process = Command::new("node")
            .arg(folder.join("protobuf.js"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is installed and runs");
        Self {
            input: process.stdin.take().expect("it is piped"),
            output: BufReader::new(process.stdout.take().expect("it is piped")),
            process,
        }
    }

    /// Sends one line and waits for the answer.
    pub fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.input, "{question}").expect("it reads");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it answers");
        assert!(!line.is_empty(), "it ended at {question}");
        serde_json::from_str(&line).expect("it answers with JSON")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left behind.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
