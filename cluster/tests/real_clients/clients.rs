//! The clients as they were published, what each is like, and how it is run.

use std::path::Path;

use tokio::process::Command;

use crate::program::Result;

/// What a client is known to do, from its source.
pub struct Client {
    /// The package, and with an ending the driver.
    pub package: &'static str,
    /// Whether it sends the code of a route that has one.
    pub uses_codes: bool,
    /// Whether it says at the connector that it has the gate's protobuf schemas already.
    pub remembers_schemas: bool,
    /// Whether it can read characters beyond U+FFFF in protobuf.
    pub reads_beyond_first_plane: bool,
    /// Whether it writes them in UTF-8.
    pub writes_beyond_first_plane: bool,
}

pub const CLIENTS: [Client; 6] = [
    // It looks for codes in `this.dict` and has put them into `this.data.dict`. Its reader of
    // protobuf text, `decodeStr`, knows no sequence of four bytes.
    Client {
        package: "pomelo-client-websocket",
        uses_codes: false,
        remembers_schemas: false,
        reads_beyond_first_plane: false,
        writes_beyond_first_plane: true,
    },
    // As above with the codes. It reads protobuf with the server's code, which is right.
    Client {
        package: "pomelo-nodejsclient-websocket",
        uses_codes: false,
        remembers_schemas: false,
        reads_beyond_first_plane: true,
        writes_beyond_first_plane: true,
    },
    Client {
        package: "pinus-robot-plugin",
        uses_codes: true,
        remembers_schemas: false,
        reads_beyond_first_plane: true,
        writes_beyond_first_plane: true,
    },
    // It reads pushes with `protobuf.decodeStr`, which only the server's protobuf has: it takes
    // base64, and bytes for what they are. In a browser this client works without protobuf only.
    Client {
        package: "pomelo-jsclient-websocket",
        uses_codes: true,
        remembers_schemas: true,
        reads_beyond_first_plane: true,
        writes_beyond_first_plane: true,
    },
    Client {
        package: "pypomelo",
        uses_codes: true,
        remembers_schemas: false,
        reads_beyond_first_plane: true,
        writes_beyond_first_plane: true,
    },
    // The original's own, in a browser. As the first; besides, it writes the two halves of such a
    // character as if each were one, so that nothing of them is UTF-8.
    Client {
        package: "pomelo",
        uses_codes: false,
        remembers_schemas: false,
        reads_beyond_first_plane: false,
        writes_beyond_first_plane: false,
    },
];

impl Client {
    /// Runs its driver, which takes more arguments: see `drivers/talk.js`.
    pub fn command(&self) -> Result<Command> {
        match self.package {
            "pypomelo" => {
                let python = folder().join("venv/bin/python");
                if !python.exists() {
                    return Err(
                        "pypomelo is not here: `fetch` in .ci/run shows how to install it".into(),
                    );
                }
                let mut command = Command::new(python);
                command.arg(folder().join("drivers/pypomelo_client.py"));
                Ok(command)
            }
            "pomelo" => node("browser.js"),
            package => node(&format!("{package}.js")),
        }
    }
}

/// Runs a driver of JavaScript.
pub fn node(driver: &str) -> Result<Command> {
    if !folder().join("node_modules").is_dir() {
        return Err(
            "the clients are not here: run `npm ci --prefix cluster/tests/real_clients`".into(),
        );
    }
    let mut command = Command::new("node");
    command
        .arg(folder().join("drivers").join(driver))
        // A browser that is killed leaves its profile behind.
        .env("TMPDIR", env!("CARGO_TARGET_TMPDIR"));
    Ok(command)
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real_clients"))
}
