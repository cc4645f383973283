//! The gate: tells each user which connector to use. It remembers nothing.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

use crate::causes;
use crate::census::Census;
use crate::connection::{Connection, ConnectionError, Incoming};
use crate::dispatch::{self, Destination, QUERY_ENTRY};
use crate::frontend::{self, HANDSHAKE_FITS};
use crate::limits::{CLOSE_PATIENCE, GATE_PATIENCE};
use crate::net::Network;
use crate::options::Options;
use crate::policy::Flaw;
use crate::serving::{self, Counted};
use crate::topology::{Frontend, Topology};
use crate::wire::body;
use crate::wire::handshake::Answers;
use crate::wire::message::{self, Message, MessageError, MessageKind};
use crate::wire::package::PackageType;
use crate::wire::vocabulary::{BodyError, Vocabulary};

/// One gate process.
pub struct Gate {
    id: String,
    topology: Arc<Topology>,
    options: Options,
    answers: Answers,
    tasks: AtomicUsize,
}

impl Gate {
    /// Makes the gate `id` of `topology`.
    ///
    /// # Panics
    ///
    /// The vocabulary does not fit a handshake.
    pub fn new(topology: Arc<Topology>, id: &str, options: Options) -> Arc<Self> {
        // As in Pomelo's chat example: no dictionary, and no heartbeats, as it has nothing to say
        // unasked.
        let vocabulary = Vocabulary {
            dictionary: None,
            protos: options.vocabulary.protos.clone(),
        };
        let answers = Answers::new(None, vocabulary).expect(HANDSHAKE_FITS);
        Arc::new(Self {
            id: id.to_owned(),
            topology,
            options,
            answers,
            tasks: AtomicUsize::new(0),
        })
    }

    /// Serves clients until `shutdown` ends.
    pub async fn serve<N: Network>(
        self: Arc<Self>,
        network: N,
        listener: N::Listener,
        shutdown: impl Future<Output = ()> + Send,
    ) {
        let mut clients = JoinSet::new();
        let sessions_max = self.options.sessions_max;
        let accepting = serving::accept(&network, listener, &mut clients, sessions_max, |stream| {
            self.clone().serve_client(stream)
        });
        tokio::select! {
            () = shutdown => {}
            () = accepting => {}
        }
    }

    /// What the tables hold now.
    pub fn census(&self) -> Census {
        let tasks = self.tasks.load(Ordering::Relaxed);
        Census {
            sessions: tasks,
            tasks,
            ..Census::default()
        }
    }

    async fn serve_client<S: AsyncRead + AsyncWrite + Unpin>(self: Arc<Self>, stream: S) {
        let counted = Counted::new(&self.tasks);
        let greeted = frontend::greet(stream, &self.answers, &self.options).await;
        let Some(mut connection) = greeted else {
            if self.options.policy.has(Flaw::ConnectionCounterLeak) {
                counted.leak();
            }
            return;
        };
        let end = loop {
            match self.next_answer(&mut connection).await {
                Ok(Some(answer)) => connection.queue(answer),
                Ok(None) => break String::from("it went on"),
                Err(error) => break causes::sentence(&error),
            }
        };
        tracing::debug!(server = self.id, end, "a client's connection ended");
        let _ = tokio::time::timeout(CLOSE_PATIENCE, connection.close()).await;
    }

    /// Waits for a request that is to be answered, having written the answer before it. `None`
    /// when the connection is to be closed.
    async fn next_answer<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        connection: &mut Connection<S>,
    ) -> Result<Option<Bytes>, Ended> {
        loop {
            // A client that does not read its answers is not read either.
            let flushed = within_patience(connection.flush()).await?;
            flushed.map_err(ConnectionError::Io)?;
            let package = match within_patience(connection.next()).await?? {
                Incoming::Package(package) => package,
                Incoming::Flushed => continue,
                Incoming::Closed => return Ok(None),
            };
            match package.kind {
                PackageType::Data => {}
                PackageType::Kick => return Ok(None),
                _ => continue,
            }
            let message = message::decode(package.body)?;
            match self.answer(&message)? {
                Reply::Answer(answer) => return Ok(Some(answer)),
                Reply::Nothing => {}
                Reply::Attack => {
                    connection.queue(body::encode_kick("attack"));
                    return Ok(None);
                }
            }
        }
    }

    /// What a message is answered with.
    ///
    /// # Errors
    ///
    /// The body is to be protobuf and is not.
    fn answer(&self, message: &Message) -> Result<Reply, BodyError> {
        let vocabulary = self.answers.vocabulary();
        let is_request = message.kind == MessageKind::Request && message.id != 0;
        let route = message.route.as_ref();
        let Some(Ok(route)) = route.map(|route| vocabulary.name(route)) else {
            return Ok(Reply::Nothing);
        };
        let body = vocabulary.json_from_client(route, &message.body)?;
        let answer = match dispatch::destination(route) {
            Destination::Attack => return Ok(Reply::Attack),
            Destination::Silence => return Ok(Reply::Nothing),
            _ if !is_request => return Ok(Reply::Nothing),
            _ if route == QUERY_ENTRY => self.query_entry(&body::decode(&body)),
            // A gate session is in no room, so `chat.*` fails here too.
            _ => json!({"code": 500}),
        };
        Ok(Reply::Answer(
            vocabulary.response(message.id, route, &answer),
        ))
    }

    /// `gate.gateHandler.queryEntry`: `{"uid"}`. Answered with the host and client port of that
    /// user's connector, or `{"code":500}` without a uid (BEHAVIOUR 2).
    fn query_entry(&self, body: &Value) -> Value {
        match connector_of(&self.topology, &body["uid"]) {
            Some(connector) => json!({
                "code": 200,
                "host": connector.client_host,
                "port": connector.client_port,
            }),
            None => json!({"code": 500}),
        }
    }
}

/// The connector of whoever asks with `uid`, which may be any JSON; `None` if it is no uid.
///
/// The original's hash of what is no string is 0, unless it has a length: then it throws. What is
/// false in JavaScript is no uid.
pub fn connector_of<'a>(topology: &'a Topology, uid: &Value) -> Option<&'a Frontend> {
    match uid {
        Value::String(uid) if !uid.is_empty() => topology.connector_of(uid),
        Value::Number(uid) if uid.as_f64() != Some(0.0) => topology.connectors.first(),
        Value::Bool(true) => topology.connectors.first(),
        Value::Array(uid) if uid.is_empty() => topology.connectors.first(),
        Value::Object(uid) if uid.get("length").is_none_or(|length| *length == 0) => {
            topology.connectors.first()
        }
        _ => None,
    }
}

enum Reply {
    /// A whole package.
    Answer(Bytes),
    Nothing,
    Attack,
}

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("it was silent for {GATE_PATIENCE:?}")]
    Silent,
    #[error("its connection failed")]
    Connection(#[from] ConnectionError),
    #[error("a data package holds no message")]
    Message(#[from] MessageError),
    #[error("a body cannot be read")]
    Body(#[from] BodyError),
}

async fn within_patience<F: Future>(waiting: F) -> Result<F::Output, Ended> {
    tokio::time::timeout(GATE_PATIENCE, waiting)
        .await
        .map_err(|_| Ended::Silent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topology() -> Topology {
        let connector = |port| Frontend {
            id: format!("connector-server-{port}"),
            client_host: "127.0.0.1".into(),
            client_port: port,
        };
        Topology {
            gates: Vec::new(),
            connectors: vec![connector(1), connector(2), connector(3)],
            chats: Vec::new(),
        }
    }

    // BEHAVIOUR 2.1 and 2.3.
    #[test]
    fn a_uid_that_is_no_string_goes_to_the_first_connector_or_nowhere() {
        let topology = topology();
        let port = |uid: Value| connector_of(&topology, &uid).map(|c| c.client_port);
        for uid in [json!(7), json!(true), json!({}), json!([])] {
            assert_eq!(port(uid.clone()), Some(1), "{uid}");
        }
        for uid in [
            json!(null),
            json!(""),
            json!(0),
            json!(false),
            json!(["a"]),
            json!({"length": 2}),
        ] {
            assert_eq!(port(uid.clone()), None, "{uid}");
        }
    }
}
