//! What vandals did, connection by connection, and what they got back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use cluster::limits::{HELLO_LEN_MAX, PACKAGE_BODY_LEN_MAX};
use cluster::link::frame::{self, Header};
use cluster::wire::message::{self, MessageKind, Route};
use cluster::wire::package::{self, Package, PackageType};
use cluster::wire::vocabulary::Vocabulary;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::Instant;

use super::{Attack, Vandal};

/// One connection of one vandal. Times count from the start of the run.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Which vandal.
    pub vandal: u32,
    /// The host that it was on.
    pub host: String,
    /// What it did.
    pub attack: Attack,
    /// The host it did it to.
    pub server: String,
    /// When the connection stood.
    pub connected_at: Duration,
    /// When the last of its bytes was written, if they all were.
    pub spoke_at: Option<Duration>,
    /// Whether it is left open for as long as the server lets it be.
    pub is_kept: bool,
    /// Until when the vandal read what came back.
    pub watched_until: Duration,
    /// When the server ended it, if the vandal saw that.
    pub closed_at: Option<Duration>,
    /// What came back, in order, as far as it means anything.
    pub replies: Vec<Reply>,
}

/// What a server said to a vandal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A request was answered with an error.
    Refused {
        /// Which.
        id: u32,
    },
    /// A request was answered with success.
    Granted {
        /// Which.
        id: u32,
    },
    /// A push.
    Pushed {
        /// Its route.
        route: String,
    },
    /// The hello of a link was answered with a welcome.
    Welcomed,
}

/// Where the vandals of a run write down what they do and get; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Diary(Arc<Mutex<Vec<Visit>>>);

impl Diary {
    /// Everything in it.
    pub fn take(&self) -> Vec<Visit> {
        std::mem::take(&mut self.visits())
    }

    fn visits(&self) -> MutexGuard<'_, Vec<Visit>> {
        // Each change of it leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The entry of one connection in a [`Diary`].
pub(super) struct Entry {
    diary: Diary,
    index: usize,
    attack: Attack,
    started_at: Instant,
}

impl Entry {
    /// Begins to write about a connection of `vandal` to `server`, which stands now.
    pub(super) fn begin(vandal: &Vandal, attack: Attack, server: &str) -> Self {
        let now = vandal.started_at.elapsed();
        let mut visits = vandal.diary.visits();
        visits.push(Visit {
            vandal: vandal.number,
            host: vandal.host.clone(),
            attack,
            server: server.to_owned(),
            connected_at: now,
            spoke_at: None,
            is_kept: false,
            watched_until: now,
            closed_at: None,
            replies: Vec::new(),
        });
        Self {
            index: visits.len() - 1,
            attack,
            diary: vandal.diary.clone(),
            started_at: vandal.started_at,
        }
    }

    /// All is written.
    pub(super) fn spoke(&self) {
        self.change(|visit, now| visit.spoke_at = Some(now));
    }

    /// The connection is left open.
    pub(super) fn keep(&self) {
        self.change(|visit, _| visit.is_kept = true);
    }

    /// Nothing more had come back until now.
    pub(super) fn watched(&self) {
        self.change(|visit, now| visit.watched_until = now);
    }

    /// Reads what comes back until the server closes; `vocabulary` is how servers answer clients.
    pub(super) async fn listen<S: AsyncRead + Unpin>(
        &self,
        stream: &mut S,
        vocabulary: &Vocabulary,
    ) {
        let mut inbox = BytesMut::new();
        while let Ok(1..) = stream.read_buf(&mut inbox).await {
            while let Some(reply) = take_reply(&mut inbox, vocabulary, self.attack) {
                self.change(|visit, _| visit.replies.extend(reply));
            }
            self.watched();
        }
        self.watched();
        self.change(|visit, now| visit.closed_at = Some(now));
    }

    fn change(&self, change: impl FnOnce(&mut Visit, Duration)) {
        let now = self.started_at.elapsed();
        change(&mut self.diary.visits()[self.index], now);
    }
}

/// The next thing that a server said, `Some(None)` if it means nothing here; `None` until more has
/// come. What is no package, such as an HTTP answer, never becomes anything.
fn take_reply(
    inbox: &mut BytesMut,
    vocabulary: &Vocabulary,
    attack: Attack,
) -> Option<Option<Reply>> {
    if attack == Attack::Stranger {
        let (header, _) = frame::take(inbox, HELLO_LEN_MAX).ok()??;
        return Some(matches!(header, Header::Welcome(_)).then_some(Reply::Welcomed));
    }
    let package = package::take(inbox, PACKAGE_BODY_LEN_MAX).ok()??;
    Some(reply(package, vocabulary, attack))
}

fn reply(package: Package, vocabulary: &Vocabulary, attack: Attack) -> Option<Reply> {
    let PackageType::Data = package.kind else {
        return None;
    };
    let message = message::decode(package.body).ok()?;
    let id = message.id;
    match message.kind {
        MessageKind::Response => {
            let route = attack.route_of(id);
            let body = vocabulary.read_from_server(route, &message.body);
            let is_refused = body.is_ok_and(|body| body["code"] == 500);
            Some(match is_refused {
                true => Reply::Refused { id },
                false => Reply::Granted { id },
            })
        }
        MessageKind::Push => {
            let route = match message.route? {
                Route::Name(name) => name,
                Route::Code(code) => format!("number {code}"),
            };
            Some(Reply::Pushed { route })
        }
        MessageKind::Request | MessageKind::Notify | MessageKind::Other(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bodies::Bodies;

    fn told(bytes: &[u8]) -> Vec<Reply> {
        told_to(Attack::Nonsense, bytes, &Vocabulary::default())
    }

    fn told_to(attack: Attack, bytes: &[u8], vocabulary: &Vocabulary) -> Vec<Reply> {
        let mut inbox = BytesMut::from(bytes);
        let mut told = Vec::new();
        while let Some(reply) = take_reply(&mut inbox, vocabulary, attack) {
            told.extend(reply);
        }
        told
    }

    #[test]
    fn an_answer_to_random_bytes_is_not_read_as_one_to_a_request_of_that_number() {
        let vocabulary = Bodies::AllProtobuf.vocabulary();
        let route = Attack::Nonsense.route_of(1);
        assert!(vocabulary.is_protobuf_from_server(route));
        let refused = |route| vocabulary.response(1, route, &json!({"code": 500}));
        for (attack, route) in [(Attack::Nonsense, route), (Attack::GarbageMessages, "")] {
            let told = told_to(attack, &refused(route), &vocabulary);
            assert_eq!(told, [Reply::Refused { id: 1 }], "{attack:?}");
        }
    }

    #[test]
    fn answers_are_told_apart_from_all_else() {
        let vocabulary = Vocabulary::default();
        let packages = [
            package::heartbeat(),
            vocabulary.response(1, "", &json!({"code": 500, "error": true})),
            vocabulary.response(2, "", &json!({"users": []})),
            vocabulary.push("onChat", &json!({})),
        ];
        let replies = [
            Reply::Refused { id: 1 },
            Reply::Granted { id: 2 },
            Reply::Pushed {
                route: String::from("onChat"),
            },
        ];
        assert_eq!(told(&packages.concat()), replies);
        assert_eq!(told(b"HTTP/1.1 400 Bad Request\r\n\r\n"), []);
    }
}
