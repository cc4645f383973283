//! `app.json`: what a Pomelo application sets in its `app.js`.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::fields::{Fields, Placed};
use super::findings::Findings;
use super::json::{Node, Source};
use super::problem::What;
use crate::limits::{OUTBOX_BURST, ROOM_MEMBERS_MAX};
use crate::options::{DuplicateLogin, LEASE_REMEDY, Options, written};
use crate::wire::package::BODY_LEN_LIMIT;

/// All settings.
const KEYS: [&str; 12] = [
    "heartbeat",
    "useDict",
    "useProtobuf",
    "requestDeadline",
    "lease",
    "duplicateLogin",
    "packageBodyLenMax",
    "sessionsMax",
    "sessionQueueLen",
    "sessionQueueBytes",
    "outboxLen",
    "handshakePatience",
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
    name: &'static str,
    range: RangeInclusive<usize>,
    why: &'static str,
}

/// A protobuf content may become JSON of six times its length (`\u0001`), which must fit a package.
const PACKAGE_BODY_LEN_LIMIT: usize = 2560 * 1024;
const _: () = assert!(6 * PACKAGE_BODY_LEN_LIMIT < BODY_LEN_LIMIT);

const PACKAGE_BODY_LEN_MAX: Bounds = Bounds {
    name: "packageBodyLenMax",
    range: 4096..=PACKAGE_BODY_LEN_LIMIT,
    why: "bytes; an enter with the longest names must fit, and in JSON a text may be six times as long, \
          where a package holds 16 MiB",
};

const SESSIONS_MAX: Bounds = Bounds {
    name: "sessionsMax",
    range: 1..=1_000_000,
    why: "sessions at one frontend, each of which needs an open file",
};

const SESSION_QUEUE_LEN: Bounds = Bounds {
    name: "sessionQueueLen",
    range: ROOM_MEMBERS_MAX + 1..=1_048_576,
    why: "packages; all members of a room but one may leave it at once, with their connector",
};

const SESSION_QUEUE_BYTES: Bounds = Bounds {
    name: "sessionQueueBytes",
    range: 64 * 1024..=1024 * 1024 * 1024,
    why: "bytes for each client that reads slowly",
};

const OUTBOX_LEN: Bounds = Bounds {
    name: "outboxLen",
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
    fields.reject_unknown(&KEYS, &[]);
    put(&mut app.use_dict, fields.switch("useDict"));
    put(&mut app.use_protobuf, fields.switch("useProtobuf"));
    let options = &mut app.options;
    put(&mut options.heartbeat, heartbeat(&mut fields));
    put(
        &mut options.request_deadline,
        fields.time("requestDeadline"),
    );
    put(&mut options.lease, fields.time("lease"));
    let duplicate_login = fields.choice("duplicateLogin", &DuplicateLogin::NAMES);
    put(&mut options.duplicate_login, duplicate_login);
    let patience = handshake_patience(&mut fields);
    put(&mut options.handshake_patience, patience);
    for (setting, bounds) in [
        (&mut options.package_body_len_max, PACKAGE_BODY_LEN_MAX),
        (&mut options.sessions_max, SESSIONS_MAX),
        (&mut options.session_queue_len, SESSION_QUEUE_LEN),
        (&mut options.session_queue_bytes, SESSION_QUEUE_BYTES),
        (&mut options.outbox_len, OUTBOX_LEN),
    ] {
        put(setting, number(&mut fields, &bounds));
    }
    if fields.are_sound() {
        check_together(&mut fields, options);
    }
    app
}

/// The settings as an `app.json` has them, but without quotes, in the order of the documentation.
pub fn settings(options: &Options) -> Vec<(&'static str, String)> {
    let values = [
        written(options.heartbeat),
        options.vocabulary.dictionary.is_some().to_string(),
        options.vocabulary.protos.is_some().to_string(),
        written(options.request_deadline),
        written(options.lease),
        options.duplicate_login.name().to_owned(),
        options.package_body_len_max.to_string(),
        options.sessions_max.to_string(),
        options.session_queue_len.to_string(),
        options.session_queue_bytes.to_string(),
        options.outbox_len.to_string(),
        written(options.handshake_patience),
    ];
    KEYS.into_iter().zip(values).collect()
}

/// Takes a value that is there and right.
fn put<T>(setting: &mut T, read: Option<Placed<T>>) {
    if let Some(read) = read {
        *setting = read.value;
    }
}

fn heartbeat(fields: &mut Fields<'_, '_>) -> Option<Placed<Duration>> {
    let heartbeat = fields.time("heartbeat")?;
    if heartbeat.value.subsec_nanos() == 0 {
        return Some(heartbeat);
    }
    let value = written(heartbeat.value);
    fields.problem(&heartbeat, What::NotWholeSeconds { value });
    None
}

fn handshake_patience(fields: &mut Fields<'_, '_>) -> Option<Placed<Duration>> {
    let patience = fields.time("handshakePatience")?;
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

fn number(fields: &mut Fields<'_, '_>, bounds: &Bounds) -> Option<Placed<usize>> {
    let Bounds { name, range, why } = bounds;
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

/// What must hold between settings, of which at least one is in the file.
fn check_together(fields: &mut Fields<'_, '_>, options: &Options) {
    let &Options {
        lease,
        request_deadline,
        package_body_len_max,
        session_queue_bytes,
        sessions_max,
        outbox_len,
        ..
    } = options;
    if lease >= request_deadline {
        let (lease, deadline) = (written(lease), written(request_deadline));
        fields.clash(
            ["lease", "requestDeadline"],
            format!("a lease of {lease} is not shorter than a requestDeadline of {deadline}"),
            LEASE_REMEDY,
        );
    }
    if session_queue_bytes < package_body_len_max {
        fields.clash(
            ["sessionQueueBytes", "packageBodyLenMax"],
            format!(
                "a sessionQueueBytes of {session_queue_bytes} is less than a packageBodyLenMax of \
                 {package_body_len_max}"
            ),
            "raise the one or lower the other, else one long message cuts off who has another to read",
        );
    }
    if OUTBOX_BURST * outbox_len <= 2 * sessions_max {
        fields.clash(
            ["sessionsMax", "outboxLen"],
            format!(
                "{OUTBOX_BURST} times an outboxLen of {outbox_len} is not more than twice a \
                 sessionsMax of {sessions_max}"
            ),
            "raise outboxLen or lower sessionsMax, else the death of one connector cuts off the \
             others, which are told of each of its sessions at once",
        );
    }
}
