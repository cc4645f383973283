//! Users and whole load tests against a server that does wrong on purpose: what they note, and what
//! comes of it.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cluster::connection::{Connection, Incoming, Transport};
use cluster::net::Tcp;
use cluster::wire::handshake::{Answers, Request};
use cluster::wire::message::{self, MessageKind, Route, RouteRef};
use cluster::wire::package::PackageType;
use cluster::wire::vocabulary::Vocabulary;
use loadgen::address::Address;
use loadgen::drive::{Ending, drive, recorder};
use loadgen::history::{Recorder, What};
use loadgen::outcome::{Stamp, judge};
use loadgen::plan::short::ShortPlan;
use loadgen::script::{Action, Do, Purpose, Reconnect, Script, rng_of};
use loadgen::user::{self, Access, Patience};
use reports::run::Run;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

type Failure = Box<dyn Error>;

/// Longest wait for anything; far more than a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(30);

const BODY_LEN_MAX: usize = 100_000;

#[tokio::test]
async fn a_user_notes_answers_to_nothing_and_pushes_that_mean_nothing() -> Result<(), Failure> {
    let seen = live(|_route, id| Reply {
        packages: vec![
            response(id, &json!({"users": ["ann"]})),
            response(id, &json!({"users": ["ann"]})),
            push("onChat", &json!({"msg": "no sender"})),
            push("onParty", &json!({})),
            response(99, &json!({})),
        ],
        ends: true,
    })
    .await?;
    let strange = |route: &str| What::Strange {
        route: route.to_owned(),
    };
    let is_entered = |what: &What| matches!(what, What::Entered { .. });
    let entered = seen.iter().position(is_entered);
    let entered = entered.ok_or("it did not enter")?;
    assert_eq!(
        seen[entered + 1..seen.len() - 1],
        [
            What::Unasked { id: 1 },
            strange("onChat"),
            strange("onParty"),
            What::Unasked { id: 99 },
        ]
    );
    Ok(())
}

#[tokio::test]
async fn a_user_enters_before_the_gate_has_said_goodbye() -> Result<(), Failure> {
    // Its gate does not hang up before the user has asked the connector to enter; the user would
    // wait for its goodbye for longer than for a login.
    let seen = live(let_in_and_hang_up).await?;
    assert!(
        seen.iter().any(|what| matches!(what, What::Entered { .. })),
        "{seen:#?}"
    );
    Ok(())
}

#[tokio::test]
async fn who_comes_back_again_and_again_is_due_each_time_anew() -> Result<(), Failure> {
    let server = Server::start(let_in_and_hang_up).await?;
    let mut script = ann();
    script.reconnect = Some(Reconnect {
        base: Duration::from_millis(10),
        max: Duration::from_millis(10),
    });
    script.actions.push(Action {
        at: Duration::from_millis(300),
        what: Do::Leave,
    });
    let recorder = Recorder::new(Instant::now());
    server.meet(script, &recorder).await?;
    let history = recorder.take();
    let mut lost_at = Duration::ZERO;
    let mut logins = 0;
    for event in history {
        match event.what {
            What::Login { due } => {
                assert!(due >= lost_at && due <= event.at, "{due:?}");
                logins += 1;
            }
            What::Closed { .. } => lost_at = event.at,
            _ => {}
        }
    }
    assert!(logins >= 2, "{logins}");
    Ok(())
}

#[tokio::test]
async fn a_cluster_that_refuses_every_send_fails_the_run_and_has_no_latencies_to_show()
-> Result<(), Failure> {
    let run = load(|route, id| match route {
        "connector.entryHandler.enter" => Reply::of(response(id, &json!({"users": ["ann"]}))),
        _ => Reply::of(response(id, &json!({"code": 500}))),
    })
    .await?;
    let failed = run.verdicts.iter().filter(|verdict| !verdict.holds);
    let failed: Vec<_> = failed.map(|verdict| verdict.name.as_str()).collect();
    assert_eq!(failed, ["accepted"], "{:#?}", run.verdicts);
    assert!(run.counts["sends_refused"] > 0);
    assert_eq!(run.counts["sends_refused"], run.counts["sends_total"]);
    assert_eq!(run.latencies.get("request"), None);
    Ok(())
}

#[tokio::test]
async fn sends_that_came_due_behind_a_slow_login_fail_the_run() -> Result<(), Failure> {
    // Nobody is ever let in, so nothing is ever sent, and nothing is refused.
    let run = load(|_route, _id| Reply::default()).await?;
    let sent = run.verdicts.iter().find(|verdict| verdict.name == "sent");
    assert!(sent.is_some_and(|sent| !sent.holds), "{:#?}", run.verdicts);
    assert!(run.counts["sends_unsent"] > 0);
    assert_eq!(run.counts["sends_total"], 0);
    Ok(())
}

/// What a request brings at the connector.
#[derive(Default)]
struct Reply {
    packages: Vec<Bytes>,
    /// The connection ends after these.
    ends: bool,
}

impl Reply {
    fn of(package: Bytes) -> Self {
        Self {
            packages: vec![package],
            ends: false,
        }
    }
}

/// Says what a request with this route and id brings.
type Manners = fn(&str, u32) -> Reply;

fn let_in_and_hang_up(_route: &str, id: u32) -> Reply {
    Reply {
        packages: vec![response(id, &json!({"users": ["ann"]}))],
        ends: true,
    }
}

/// A gate and the connector that it names, on one port.
struct Server {
    listener: TcpListener,
    desk: Desk,
}

#[derive(Clone)]
struct Desk {
    address: SocketAddr,
    manners: Manners,
    /// Somebody has asked the connector for something.
    asked: Arc<Notify>,
}

impl Server {
    async fn start(manners: Manners) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let desk = Desk {
            address: listener.local_addr()?,
            manners,
            asked: Arc::default(),
        };
        Ok(Self { listener, desk })
    }

    fn address(&self) -> Address {
        Address {
            host: self.desk.address.ip().to_string(),
            port: self.desk.address.port(),
        }
    }

    /// Lets a user live its script here.
    async fn meet(self, script: Script, recorder: &Recorder) -> Result<(), Failure> {
        let access = Access {
            gate: self.address(),
            transport: Transport::Tcp,
            memory: Arc::default(),
            patience: Patience {
                close: 2 * PATIENCE,
                ..Patience::default()
            },
        };
        let rng = rng_of(1, script.user, Purpose::Life);
        let user = user::run(script, Tcp::loopback(), access, recorder.clone(), rng);
        tokio::select! {
            ended = timeout(PATIENCE, user) => drop(ended?),
            failure = self.serve() => return Err(failure),
        }
        Ok(())
    }

    async fn serve(&self) -> Failure {
        let mut talks = JoinSet::new();
        loop {
            tokio::select! {
                stream = self.listener.accept() => match stream {
                    Ok((stream, _)) => talks.spawn(self.desk.clone().talk(stream)),
                    Err(error) => return error.into(),
                },
                Some(talked) = talks.join_next() => match talked {
                    Ok(()) => continue,
                    Err(panic) => return panic.into(),
                },
            };
        }
    }
}

impl Desk {
    /// Talks to one client until either has enough. A client that is cut off is no failure.
    async fn talk(self, stream: TcpStream) {
        let Ok(mut connection) = Connection::accept(stream, BODY_LEN_MAX).await else {
            return;
        };
        let mut was_gate = false;
        while let Ok(incoming) = connection.next().await {
            let package = match incoming {
                Incoming::Package(package) => package,
                Incoming::Flushed => continue,
                Incoming::Closed => break,
            };
            match package.kind {
                PackageType::Handshake => connection.queue(greeting()),
                PackageType::Data => {
                    let message = message::decode(package.body).expect("users send messages");
                    assert_eq!(message.kind, MessageKind::Request);
                    let Some(Route::Name(route)) = message.route else {
                        panic!("users name their routes");
                    };
                    if route == "gate.gateHandler.queryEntry" {
                        was_gate = true;
                        connection.queue(response(message.id, &self.directions()));
                        continue;
                    }
                    self.asked.notify_one();
                    let reply = (self.manners)(&route, message.id);
                    for package in reply.packages {
                        connection.queue(package);
                    }
                    if reply.ends {
                        break;
                    }
                }
                _ => {}
            }
        }
        if was_gate {
            self.asked.notified().await;
        }
        connection.close().await;
    }

    fn directions(&self) -> Value {
        let (host, port) = (self.address.ip().to_string(), self.address.port());
        json!({"code": 200, "host": host, "port": port})
    }
}

/// What Ann sees of a server with these manners before it ends the connection.
async fn live(manners: Manners) -> Result<Vec<What>, Failure> {
    let recorder = Recorder::new(Instant::now());
    Server::start(manners).await?.meet(ann(), &recorder).await?;
    let history = recorder.take();
    Ok(history.into_iter().map(|event| event.what).collect())
}

/// What comes of a short load test against a server with these manners.
async fn load(manners: Manners) -> Result<Run, Failure> {
    let server = Server::start(manners).await?;
    let plan = ShortPlan {
        rate_per_s: 100.0,
        duration: Duration::from_millis(200),
        ramp: Duration::ZERO,
        drain: Duration::from_millis(200),
        transport: Transport::Tcp,
        ..ShortPlan::new(1, 7)
    };
    let plan = plan.plan()?;
    let recorder = recorder(&plan);
    let (network, gate) = (Tcp::loopback(), server.address());
    let users = Vec::from_iter(0..plan.connections());
    let driven = drive(
        &plan,
        &users,
        &network,
        &gate,
        &recorder,
        std::future::pending(),
    );
    let finished = tokio::select! {
        finished = timeout(PATIENCE, driven) => finished?,
        failure = server.serve() => return Err(failure),
    };
    assert_eq!(finished.ending, Ending::Complete);
    let stamp = Stamp {
        name: "test".to_owned(),
        command: "test".to_owned(),
        started_at: Duration::ZERO,
        target: "scripted".to_owned(),
        environment: BTreeMap::new(),
    };
    Ok(judge(&plan, &finished, stamp))
}

fn ann() -> Script {
    Script {
        user: 0,
        name: "ann".to_owned(),
        gate_key: None,
        room: "room".to_owned(),
        message_len: 0,
        actions: vec![Action {
            at: Duration::ZERO,
            what: Do::Login,
        }],
        reconnect: None,
    }
}

/// The answer to a handshake of a server without heartbeats, dictionary and schemas.
fn greeting() -> Bytes {
    let answers = Answers::new(None, Vocabulary::default()).expect("it is short");
    answers.answer(&Request::default())
}

fn response(id: u32, body: &Value) -> Bytes {
    message::encode_response(id, body.to_string().as_bytes())
}

fn push(route: &str, body: &Value) -> Bytes {
    message::encode_push(RouteRef::Name(route), body.to_string().as_bytes())
}
