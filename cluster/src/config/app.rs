//! `app.json`: what a Pomelo application sets in its `app.js`.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::fields::{Fields, Placed};
use super::findings::Findings;
use super::json::{Node, Source};
use super::problem::What;
use crate::limits::ROOM_MEMBERS_MAX;
use crate::options::{DuplicateLogin, Options, written};
use crate::wire::package::BODY_LEN_LIMIT;

/// One setting: how it is read and how it is written.
#[derive(Clone, Copy)]
struct Setting {
    name: &'static str,
    read: fn(&mut Fields<'_, '_>, &str, &mut App),
    written: fn(&Options) -> String,
}

/// All settings, in the order of the documentation.
const SETTINGS: [Setting; 12] = [
    Setting {
        name: "heartbeat",
        read: |fields, name, app| put(&mut app.options.heartbeat, fields.time(name)),
        written: |options| written(options.heartbeat),
    },
    Setting {
        name: "useDict",
        read: |fields, name, app| put(&mut app.use_dict, fields.switch(name)),
        written: |options| options.vocabulary.dictionary.is_some().to_string(),
    },
    Setting {
        name: "useProtobuf",
        read: |fields, name, app| put(&mut app.use_protobuf, fields.switch(name)),
        written: |options| options.vocabulary.protos.is_some().to_string(),
    },
    Setting {
        name: "requestDeadline",
        read: |fields, name, app| put(&mut app.options.request_deadline, fields.time(name)),
        written: |options| written(options.request_deadline),
    },
    Setting {
        name: "lease",
        read: |fields, name, app| put(&mut app.options.lease, fields.time(name)),
        written: |options| written(options.lease),
    },
    Setting {
        name: "duplicateLogin",
        read: |fields, name, app| {
            let read = fields.choice(name, &DuplicateLogin::NAMES);
            put(&mut app.options.duplicate_login, read);
        },
        written: |options| options.duplicate_login.name().to_owned(),
    },
    Setting {
        name: "packageBodyLenMax",
        read: |fields, name, app| {
            put(
                &mut app.options.package_body_len_max,
                number(fields, name, &PACKAGE_BODY_LEN_MAX),
            )
        },
        written: |options| options.package_body_len_max.to_string(),
    },
    Setting {
        name: "sessionsMax",
        read: |fields, name, app| {
            put(
                &mut app.options.sessions_max,
                number(fields, name, &SESSIONS_MAX),
            )
        },
        written: |options| options.sessions_max.to_string(),
    },
    Setting {
        name: "sessionQueueLen",
        read: |fields, name, app| {
            put(
                &mut app.options.session_queue_len,
                number(fields, name, &SESSION_QUEUE_LEN),
            )
        },
        written: |options| options.session_queue_len.to_string(),
    },
    Setting {
        name: "sessionQueueBytes",
        read: |fields, name, app| {
            put(
                &mut app.options.session_queue_bytes,
                number(fields, name, &SESSION_QUEUE_BYTES),
            )
        },
        written: |options| options.session_queue_bytes.to_string(),
    },
    Setting {
        name: "outboxLen",
        read: |fields, name, app| {
            put(
                &mut app.options.outbox_len,
                number(fields, name, &OUTBOX_LEN),
            )
        },
        written: |options| options.outbox_len.to_string(),
    },
    Setting {
        name: "handshakePatience",
        read: |fields, name, app| put(&mut app.options.handshake_patience, patience(fields, name)),
        written: |options| written(options.handshake_patience),
    },
];

/// What an `app.json` says.
#[derive(Clone, Debug)]
pub(super) struct App {
    /// The settings, without a vocabulary.
    pub(super) options: Options,
    /// Whether connectors have a route dictionary.
    pub(super) use_dict: bool,
    /// Whether frontends have protobuf schemas.
    pub(super) use_protobuf: bool,
}

impl Default for App {
    fn default() -> Self {
        Self {
            options: Options::without_vocabulary(),
            use_dict: true,
            use_protobuf: true,
        }
    }
}

/// A number with the bounds between which the servers keep their promises.
struct Bounds {
    range: RangeInclusive<usize>,
    why: &'static str,
}

/// A protobuf content may become JSON of six times its length (`\u0001`), which must fit a package.
const PACKAGE_BODY_LEN_LIMIT: usize = 2560 * 1024;
const _: () = assert!(6 * PACKAGE_BODY_LEN_LIMIT < BODY_LEN_LIMIT);

const PACKAGE_BODY_LEN_MAX: Bounds = Bounds {
    range: 4096..=PACKAGE_BODY_LEN_LIMIT,
    why: "bytes; an enter with the longest names must fit, and in JSON a text may be six times as long, \
          where a package holds 16 MiB",
};

const SESSIONS_MAX: Bounds = Bounds {
    range: 1..=1_000_000,
    why: "sessions at one frontend, each of which needs an open file",
};

const SESSION_QUEUE_LEN: Bounds = Bounds {
    range: ROOM_MEMBERS_MAX + 1..=1_048_576,
    why: "packages; all members of a room but one may leave it at once, with their connector",
};

const SESSION_QUEUE_BYTES: Bounds = Bounds {
    range: 64 * 1024..=1024 * 1024 * 1024,
    why: "bytes for each client that reads slowly",
};

const OUTBOX_LEN: Bounds = Bounds {
    range: 1024..=4_194_304,
    why: "frames of each link that wait for their acknowledgement",
};

/// Shorter, and slow phones never get in.
const HANDSHAKE_PATIENCE_MIN: Duration = Duration::from_secs(1);

/// Reads the settings; those that are not there are as by default.
pub(super) fn read(source: &Source<'_>, root: Node<'_>, findings: &mut Findings) -> App {
    let mut app = App::default();
    let remedy = "settings such as {\"heartbeat\": \"3s\"}";
    let Some(mut fields) = Fields::open(source, "", root, remedy, findings) else {
        return app;
    };
    fields.reject_unknown(&SETTINGS.map(|setting| setting.name), &[]);
    for Setting { name, read, .. } in SETTINGS {
        read(&mut fields, name, &mut app);
    }
    if fields.are_sound() {
        for clash in app.options.clashes() {
            fields.clash(clash);
        }
    }
    app
}

/// The settings as an `app.json` has them, but without quotes, in the order of the documentation.
pub fn settings(options: &Options) -> Vec<(&'static str, String)> {
    let setting = |Setting { name, written, .. }| (name, written(options));
    SETTINGS.into_iter().map(setting).collect()
}

/// Takes a value that is there and right.
fn put<T>(setting: &mut T, read: Option<Placed<T>>) {
    if let Some(read) = read {
        *setting = read.value;
    }
}

fn patience(fields: &mut Fields<'_, '_>, name: &str) -> Option<Placed<Duration>> {
    let patience = fields.time(name)?;
    if patience.value >= HANDSHAKE_PATIENCE_MIN {
        return Some(patience);
    }
    let what = What::OutOfRange {
        value: written(patience.value),
        range: String::from("\"1s\" to \"60m\""),
        why: "in less time slow phones never get in",
    };
    fields.problem(&patience, what);
    None
}

fn number(fields: &mut Fields<'_, '_>, name: &str, bounds: &Bounds) -> Option<Placed<usize>> {
    let Bounds { range, why } = bounds;
    let number = fields.number(name)?;
    if range.contains(&number.value) {
        return Some(number);
    }
    let what = What::OutOfRange {
        value: number.value.to_string(),
        range: format!("{} to {}", range.start(), range.end()),
        why,
    };
    fields.problem(&number, what);
    None
}
