//! The built program serves clients as they were published, unpatched, in one room. `user.rs`
//! says what each of them is like.

#[path = "../support/program.rs"]
mod program;
mod user;

use program::{Program, Result, cluster, write_servers};
use serde_json::{Value, json};
use user::{CLIENTS, ENTER, SEND, User};

/// In all of it, every character is one UTF-16 code unit: what is beyond is a test of its own.
const TEXTS: [&str; 5] = ["hello", "grüße, 中", "\"quoted\\\"", "", "ünï\u{FFFD}\n"];

#[tokio::test]
async fn all_published_clients_chat_in_one_room() -> Result {
    let (_cluster, gate) = start_cluster().await?;
    let mut users = enter_all(gate).await?;
    let count = users.len();

    for (index, text) in (0..count).zip(TEXTS.iter().cycle()) {
        say(&mut users, index, text).await?;
    }
    for index in 0..count {
        let other = (index + 1) % count;
        let (from, to) = (users[index].name.clone(), users[other].name.clone());
        users[index].say(&to, "psst, 中").await?;
        users[index].answered(&json!({})).await?;
        let body = json!({"msg": "psst, 中", "from": from, "target": to});
        users[other].sees_push("onChat", &body).await?;

        users[index].say("nobody", "are you there").await?;
        let answer = users[index].answer_to(SEND).await?;
        assert_eq!(answer["code"], 500, "{answer} to {from}");
    }

    for user in &mut users {
        // The first comes at once, each further one answers the client's: after the fifth, four
        // intervals are over, twice the time after which a silent session is closed.
        for _ in 0..5 {
            user.sees_on_the_wire(json!({"event": "heartbeat"})).await?;
        }
    }
    for index in 0..count {
        say(&mut users, index, "still here").await?;
    }

    while let Some(mut gone) = users.pop() {
        gone.leave().await?;
        let body = json!({"route": "onLeave", "user": gone.name});
        for user in &mut users {
            user.sees_push("onLeave", &body).await?;
        }
        // Everything was seen, and nothing else: no private message of others, no onAdd of
        // oneself.
        assert_eq!(gone.unseen, [] as [Value; 0], "left over at {}", gone.name);
        gone.spoke_as_expected();
    }
    Ok(())
}

#[tokio::test]
async fn characters_beyond_the_first_plane_arrive_where_the_client_can_read_them() -> Result {
    let (_cluster, gate) = start_cluster().await?;
    let mut users = enter_all(gate).await?;
    for index in 0..users.len() {
        let from = users[index].name.clone();
        users[index].say("*", "😀!").await?;
        users[index].answered(&json!({})).await?;
        for user in &mut users {
            let text = user.reads("😀!");
            let body = json!({"msg": text, "from": from, "target": "*"});
            user.sees_push("onChat", &body).await?;
        }
    }
    Ok(())
}

/// One user of each client, in one room; all have seen the others come.
async fn enter_all(gate: u16) -> Result<Vec<User>> {
    let mut users: Vec<User> = Vec::new();
    for client in &CLIENTS {
        let mut user = User::start(client, gate)?;
        let mut names: Vec<_> = users.iter().map(|user| user.name.clone()).collect();
        names.push(user.name.clone());
        let mut entered: Vec<String> =
            serde_json::from_value(user.answer_to(ENTER).await?["users"].take())?;
        names.sort();
        entered.sort();
        assert_eq!(entered, names, "as {} saw it", user.name);
        let body = json!({"route": "onAdd", "user": user.name});
        for other in &mut users {
            other.sees_push("onAdd", &body).await?;
        }
        users.push(user);
    }
    Ok(users)
}

/// One says `text` to all, and all see it.
async fn say(users: &mut [User], index: usize, text: &str) -> Result {
    users[index].say("*", text).await?;
    users[index].answered(&json!({})).await?;
    let body = json!({"msg": text, "from": users[index].name, "target": "*"});
    for user in users {
        user.sees_push("onChat", &body).await?;
    }
    Ok(())
}

/// Runs all servers of a servers.json on free ports; gives the gate's port.
async fn start_cluster() -> Result<(Program, u16)> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("servers.json");
    let [gate, ..] = write_servers(&path)?;
    let mut command = cluster();
    command
        .args(["start", "--heartbeat", "1s", "--log", "warn", "--servers"])
        .arg(&path);
    let mut cluster = Program::start("cluster", &mut command)?;
    cluster.ready().await?;
    Ok((cluster, gate))
}
