//! The built program serves clients that share no code with it: `clients/pomelo_client.py`,
//! written from the protocol alone, over both transports, in one room with `cluster::client`.

#[path = "support/program.rs"]
mod program;

use cluster::client::{Client, Event, Memory};
use cluster::connection::Transport;
use cluster::net::Tcp;
use program::{PATIENCE, Program, Result, cluster, write_servers};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

const ENTER: &str = "connector.entryHandler.enter";
const SEND: &str = "chat.chatHandler.send";

#[tokio::test]
async fn three_clients_of_two_kinds_chat_in_one_room() -> Result {
    let (_cluster, gate) = start_cluster("30s").await?;

    let mut anna = User::python(gate, "ws", "anna", &[])?;
    assert_eq!(anna.users().await?, ["anna"]);
    let mut bob = User::python(gate, "tcp", "bob", &[])?;
    assert_eq!(bob.users().await?, ["anna", "bob"]);
    anna.sees(
        json!({"event": "push", "route": "onAdd", "body": {"route": "onAdd", "user": "bob"}}),
    )
    .await?;
    let mut carl = User::rust(gate, Transport::WebSocket, "carl").await?;
    assert_eq!(carl.users().await?, ["anna", "bob", "carl"]);
    for user in [&mut anna, &mut bob] {
        let body = json!({"route": "onAdd", "user": "carl"});
        user.sees(json!({"event": "push", "route": "onAdd", "body": body}))
            .await?;
    }

    for (from, text) in [(0, "hello"), (1, "grüße, 中, 😀"), (2, "")] {
        let users = [&mut anna, &mut bob, &mut carl];
        users[from].say("*", text).await?;
        users[from]
            .sees(json!({"event": "response", "route": SEND, "body": {}}))
            .await?;
        let body = json!({"msg": text, "from": users[from].name, "target": "*"});
        for user in users {
            user.sees(json!({"event": "push", "route": "onChat", "body": body}))
                .await?;
        }
    }

    bob.say("anna", "psst").await?;
    bob.sees(json!({"event": "response", "route": SEND, "body": {}}))
        .await?;
    let body = json!({"msg": "psst", "from": "bob", "target": "anna"});
    anna.sees(json!({"event": "push", "route": "onChat", "body": body}))
        .await?;
    carl.say("anna", "and from me").await?;
    carl.sees(json!({"event": "response", "route": SEND, "body": {}}))
        .await?;
    let body = json!({"msg": "and from me", "from": "carl", "target": "anna"});
    anna.sees(json!({"event": "push", "route": "onChat", "body": body}))
        .await?;
    carl.say("nobody", "are you there").await?;
    carl.sees(json!({"event": "response", "route": SEND, "body": {"code": 500}}))
        .await?;

    bob.leave().await?;
    for user in [&mut anna, &mut carl] {
        let body = json!({"route": "onLeave", "user": "bob"});
        user.sees(json!({"event": "push", "route": "onLeave", "body": body}))
            .await?;
    }
    anna.leave().await?;
    let body = json!({"route": "onLeave", "user": "anna"});
    carl.sees(json!({"event": "push", "route": "onLeave", "body": body}))
        .await?;
    // Everything was seen, and nothing else: no private message of others, no onAdd of oneself.
    for user in [anna, bob, carl] {
        assert_eq!(user.unseen, [] as [Value; 0], "left over at {}", user.name);
    }
    Ok(())
}

#[tokio::test]
async fn a_second_login_is_refused_with_500_on_every_connector() -> Result {
    let (_cluster, gate) = start_cluster("30s").await?;
    let mut first = User::python(gate, "ws", "dora", &[])?;
    assert_eq!(first.users().await?, ["dora"]);
    // The gate chooses the connector by the uid that it is asked with: these three lead to the
    // three connectors, one of them to that of the first login.
    for (uid, transport) in ["dora", "a", "c"].into_iter().zip(["tcp", "ws", "tcp"]) {
        let mut second = User::python(gate, transport, "dora", &["--uid", uid])?;
        let body = json!({"code": 500, "error": true});
        second
            .sees(json!({"event": "response", "route": ENTER, "body": body}))
            .await?;
        second.leave().await?;
    }
    // The first login stands.
    first.say("*", "still here").await?;
    let body = json!({"msg": "still here", "from": "dora", "target": "*"});
    first
        .sees(json!({"event": "push", "route": "onChat", "body": body}))
        .await?;
    first
        .sees(json!({"event": "response", "route": SEND, "body": {}}))
        .await?;
    first.leave().await?;
    assert_eq!(first.unseen, [] as [Value; 0]);
    Ok(())
}

#[tokio::test]
async fn a_quiet_user_lives_by_heartbeats_alone() -> Result {
    let (_cluster, gate) = start_cluster("1s").await?;
    let mut users = [
        User::python(gate, "ws", "eve", &["--verbose"])?,
        User::python(gate, "tcp", "finn", &["--verbose"])?,
    ];
    for user in &mut users {
        user.sees(json!({"event": "handshake", "heartbeat": 1}))
            .await?;
        user.users().await?;
        // The first comes at once, each further one answers the client's: after the fifth, four
        // intervals are over, twice the time after which a silent session is closed.
        for _ in 0..5 {
            user.sees(json!({"event": "heartbeat"})).await?;
        }
        user.say("*", "alive").await?;
        user.sees(json!({"event": "response", "route": SEND, "body": {}}))
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn users_are_told_that_the_server_stops() -> Result {
    let (mut cluster, gate) = start_cluster("30s").await?;
    for transport in ["ws", "tcp"] {
        let mut user = User::python(gate, transport, transport, &[])?;
        user.users().await?;
        if transport == "tcp" {
            cluster.signal("TERM").await?;
            let kick = user.sees(json!({"event": "kick"})).await?;
            assert_eq!(kick["reason"], "the server is stopping");
            assert_eq!(cluster.ended().await?.code(), Some(0));
        }
    }
    Ok(())
}

/// Runs all servers of a servers.json on free ports; gives the gate's port.
async fn start_cluster(heartbeat: &str) -> Result<(Program, u16)> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("servers.json");
    let [gate, ..] = write_servers(&path)?;
    let mut command = cluster();
    command
        .args([
            "start",
            "--heartbeat",
            heartbeat,
            "--log",
            "warn",
            "--servers",
        ])
        .arg(&path);
    let mut cluster = Program::start("cluster", &mut command)?;
    cluster.ready().await?;
    Ok((cluster, gate))
}

/// Someone in the room `lobby`, and what they saw that no test has asked for yet.
struct User {
    name: String,
    kind: Kind,
    unseen: Vec<Value>,
}

enum Kind {
    Python(Program),
    Rust(Client<TcpStream>),
}

impl User {
    fn python(gate: u16, transport: &str, name: &str, more: &[&str]) -> Result<Self> {
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/clients/pomelo_client.py"
        );
        let mut command = Command::new("python3");
        command
            .args([
                script,
                "--gate",
                &format!("127.0.0.1:{gate}"),
                "--transport",
                transport,
            ])
            .args(["--name", name, "--room", "lobby"])
            .args(more);
        let what = format!("python3 (which the tests need in the PATH) as {name}");
        let kind = Kind::Python(Program::start(&what, &mut command)?);
        Ok(Self {
            name: name.to_owned(),
            kind,
            unseen: Vec::new(),
        })
    }

    async fn rust(gate: u16, transport: Transport, name: &str) -> Result<Self> {
        let (network, memory) = (Tcp::loopback(), Memory::default());
        let mut client = Client::connect(&network, "127.0.0.1", gate, transport, &memory).await?;
        client.request("gate.gateHandler.queryEntry", &json!({"uid": name}))?;
        let Event::Response { body, .. } = timeout(PATIENCE, client.next()).await?? else {
            return Err("the gate did not answer".into());
        };
        let host = body["host"]
            .as_str()
            .ok_or("the gate's answer has no host")?;
        let port = body["port"]
            .as_u64()
            .ok_or("the gate's answer has no port")?;
        let port = u16::try_from(port)?;
        let mut client = Client::connect(&network, host, port, transport, &memory).await?;
        client.request(ENTER, &json!({"username": name, "rid": "lobby"}))?;
        Ok(Self {
            name: name.to_owned(),
            kind: Kind::Rust(client),
            unseen: Vec::new(),
        })
    }

    /// The sorted list that answers the enter.
    async fn users(&mut self) -> Result<Vec<String>> {
        let entered = self
            .sees(json!({"event": "response", "route": ENTER}))
            .await?;
        let mut users: Vec<String> = serde_json::from_value(entered["body"]["users"].clone())
            .map_err(|_| format!("{} was refused: {entered}", self.name))?;
        users.sort();
        Ok(users)
    }

    async fn say(&mut self, target: &str, text: &str) -> Result {
        match &mut self.kind {
            Kind::Python(program) => {
                program
                    .tell(&json!({"say": text, "to": target}).to_string())
                    .await
            }
            Kind::Rust(client) => {
                client.request(SEND, &json!({"content": text, "target": target}))?;
                Ok(())
            }
        }
    }

    /// Closes the connection politely; what came until then is unseen.
    async fn leave(&mut self) -> Result {
        if let Kind::Python(program) = &mut self.kind {
            for line in program.last_lines().await? {
                self.unseen.push(serde_json::from_str(&line)?);
            }
            let status = program.ended().await?;
            assert_eq!(status.code(), Some(0), "{} ended badly", self.name);
        }
        Ok(())
    }

    /// Waits for an event that has all that `wanted` has, and takes it from those unseen.
    async fn sees(&mut self, wanted: Value) -> Result<Value> {
        let fits = |event: &Value| {
            let mut fields = wanted.as_object().into_iter().flatten();
            // The Rust client does not say which route was answered.
            fields.all(|(name, value)| event.get(name).unwrap_or(value) == value)
        };
        loop {
            if let Some(found) = self.unseen.iter().position(fits) {
                return Ok(self.unseen.remove(found));
            }
            let event = self.next().await.map_err(|error| {
                format!(
                    "{} never saw {wanted}, but {:?}: {error}",
                    self.name, self.unseen
                )
            })?;
            let is_asked_for = event["event"] == wanted["event"];
            let is_prelude = event["event"] == "gate" || event["event"] == "handshake";
            if is_asked_for || !is_prelude {
                self.unseen.push(event);
            }
        }
    }

    async fn next(&mut self) -> Result<Value> {
        let client = match &mut self.kind {
            Kind::Python(program) => return Ok(serde_json::from_str(&program.line().await?)?),
            Kind::Rust(client) => client,
        };
        Ok(match timeout(PATIENCE, client.next()).await?? {
            Event::Response { body, .. } => json!({"event": "response", "body": body}),
            Event::Push { route, body } => {
                json!({"event": "push", "route": route, "body": body.value()?})
            }
            Event::Kicked { reason } => json!({"event": "kick", "reason": reason}),
            Event::Closed => json!({"event": "closed"}),
        })
    }
}
