//! A virtual user chats with a client that shares no code with it: the Python client of the
//! cluster's tests, which was written from the protocol description alone.

use std::error::Error;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use cluster::connection::Transport;
use cluster::embedded::{self, Size};
use cluster::net::Tcp;
use cluster::options::Options;
use loadgen::address::Address;
use loadgen::history::{Event, Recorder, Target, What};
use loadgen::script::{Action, Do, Purpose, Script, rng_of};
use loadgen::user::{self, Access, Patience};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const CLIENT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../cluster/tests/clients/pomelo_client.py"
);

/// Longest wait for anything; far more than a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_virtual_user_and_a_python_client_chat_over_websocket() -> Outcome {
    chat(Transport::WebSocket, "ws").await
}

#[tokio::test]
async fn a_virtual_user_and_a_python_client_chat_over_tcp() -> Outcome {
    chat(Transport::Tcp, "tcp").await
}

async fn chat(transport: Transport, of_stranger: &str) -> Outcome {
    let mut rng = StdRng::seed_from_u64(1);
    let cluster = embedded::start(Size::default(), Options::default(), &mut rng).await?;
    let (host, port) = cluster.gate().ok_or("a cluster has a gate")?;
    let gate = Address {
        host: host.to_owned(),
        port,
    };
    let mut stranger = Stranger::start(&gate, of_stranger)?;
    stranger
        .sees(|event| event["body"] == json!({"users": ["py"]}))
        .await?;

    let recorder = Recorder::new(Instant::now());
    let access = Access {
        gate,
        transport,
        memory: Arc::default(),
        patience: Patience::default(),
    };
    let mut users = JoinSet::new();
    let rng = rng_of(1, 0, Purpose::Life);
    users.spawn(user::run(
        talker(),
        Tcp::loopback(),
        access,
        recorder.clone(),
        rng,
    ));

    stranger
        .sees(|event| event["body"] == json!({"route": "onAdd", "user": "user"}))
        .await?;
    stranger
        .sees(|event| event["route"] == "onChat" && event["body"]["from"] == "user")
        .await?;
    stranger.tell(&json!({"say": "hello"})).await?;
    stranger.tell(&json!({"say": "psst", "to": "user"})).await?;

    let heard = |history: &[Event], target: Target| {
        let what = What::Heard {
            message: None,
            from: "py".to_owned(),
            target,
        };
        history.iter().any(|event| event.what == what)
    };
    wait_for(&recorder, |history| {
        heard(history, Target::Room) && heard(history, Target::User("user".to_owned()))
    })
    .await?;
    drop(users);
    stranger
        .sees(|event| event["body"] == json!({"route": "onLeave", "user": "user"}))
        .await?;
    Ok(cluster.stop().await?)
}

/// Says something every 100 ms, for as long as it is let.
fn talker() -> Script {
    let send = |number: u64| Action {
        at: Duration::from_millis(100 * number),
        what: Do::Send(Target::Room),
    };
    let login = Action {
        at: Duration::ZERO,
        what: Do::Login,
    };
    Script {
        user: 0,
        name: "user".to_owned(),
        gate_key: None,
        room: "room".to_owned(),
        message_len: 0,
        actions: std::iter::once(login).chain((1..600).map(send)).collect(),
        reconnect: None,
    }
}

/// Waits until the history is as it is wanted.
async fn wait_for(recorder: &Recorder, is_wanted: impl Fn(&[Event]) -> bool) -> Outcome {
    let mut history = Vec::new();
    let mut looks = interval(Duration::from_millis(10));
    let wanted = async {
        while !is_wanted(&history) {
            looks.tick().await;
            history.extend(recorder.take());
        }
    };
    let in_time = timeout(PATIENCE, wanted).await;
    Ok(in_time.map_err(|_| format!("it never came: {history:#?}"))?)
}

/// The Python client. Dropping it kills it.
struct Stranger {
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Stranger {
    fn start(gate: &Address, transport: &str) -> Outcome<Self> {
        let mut process = Command::new("python3")
            .args([CLIENT, "--name", "py", "--room", "room"])
            .args(["--gate", &format!("{}:{}", gate.host, gate.port)])
            .args(["--transport", transport])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("python3, which the tests need, did not start: {error}"))?;
        let stdin = process.stdin.take().ok_or("its input is piped")?;
        let stdout = process.stdout.take().ok_or("its output is piped")?;
        Ok(Self {
            stdin,
            lines: BufReader::new(stdout).lines(),
            _process: process,
        })
    }

    /// Reads on to an event that is wanted.
    async fn sees(&mut self, is_wanted: impl Fn(&Value) -> bool) -> Outcome {
        loop {
            let line = timeout(PATIENCE, self.lines.next_line()).await??;
            let line = line.ok_or("the Python client ended")?;
            if is_wanted(&serde_json::from_str(&line)?) {
                return Ok(());
            }
        }
    }

    async fn tell(&mut self, command: &Value) -> Outcome {
        let line = format!("{command}\n");
        self.stdin.write_all(line.as_bytes()).await?;
        Ok(self.stdin.flush().await?)
    }
}
