//! The built program serves clients as they were published, unpatched, in one room, and its demo
//! page serves people. `clients.rs` says what each client is like.

mod clients;
mod cluster;
mod page;
#[path = "../support/program.rs"]
mod program;
mod user;

use clients::CLIENTS;
use cluster::Cluster;
use page::Page;
use program::Result;
use serde_json::{Value, json};
use user::{ENTER, SEND, User};

/// In all of it, every character is one UTF-16 code unit: what is beyond is a test of its own.
const TEXTS: [&str; 5] = ["hello", "grüße, 中", "\"quoted\\\"", "", "ünï\u{FFFD}\n"];

#[tokio::test]
async fn all_published_clients_chat_in_one_room() -> Result {
    let cluster = Cluster::start().await?;
    let mut users = enter_all(&cluster).await?;
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
    let cluster = Cluster::start().await?;
    let mut users = enter_all(&cluster).await?;
    for index in 0..users.len() {
        let from = users[index].name.clone();
        users[index].say("*", "😀!").await?;
        users[index].answered(&json!({})).await?;
        let sent = users[index].writes_smile();
        for user in &mut users {
            let text = user.reads(sent);
            let body = json!({"msg": text, "from": from, "target": "*"});
            user.sees_push("onChat", &body).await?;
        }
    }
    for mut user in users {
        user.leave().await?;
    }
    Ok(())
}

/// Would run if anything of it became an element.
const HOSTILE: &str = "<img src=x onerror='window.wasRun = 1'><script>wasRun = 1</script>";

#[tokio::test]
async fn people_chat_on_the_demo_page() -> Result {
    let cluster = Cluster::start().await?;
    let mut anna = Page::join(&cluster, "anna").await?;
    anna.shows("users", json!(["anna (you)"])).await?;
    let mut carl = Page::join(&cluster, "anna").await?;
    let taken = "The name anna is taken in this room, or not allowed.";
    carl.shows("error", json!(taken)).await?;
    carl.does(json!({"join": "carl", "room": "lobby"})).await?;
    carl.shows("users", json!(["anna", "carl (you)"])).await?;
    anna.shows("lastNotice", json!("carl joined")).await?;
    // One of another kind, whose name is no better than what is said.
    let [client, ..] = &CLIENTS;
    let mut bob = User::named(client, HOSTILE, &cluster)?;
    bob.answer_to(ENTER).await?;
    for page in [&mut anna, &mut carl] {
        page.shows("lastNotice", json!(format!("{HOSTILE} joined")))
            .await?;
    }

    carl.says("grüße, 中").await?;
    anna.reads("carl", None, "grüße, 中").await?;
    carl.reads("You", None, "grüße, 中").await?;
    anna.says(HOSTILE).await?;
    anna.reads("You", None, HOSTILE).await?;
    carl.reads("anna", None, HOSTILE).await?;
    bob.say("*", HOSTILE).await?;
    anna.reads(HOSTILE, None, HOSTILE).await?;
    carl.reads(HOSTILE, None, HOSTILE).await?;

    carl.does(json!({"to": "anna"})).await?;
    carl.says("psst").await?;
    carl.reads("You", Some("to anna alone"), "psst").await?;
    anna.reads("carl", Some("to you alone"), "psst").await?;
    anna.does(json!({"to": HOSTILE})).await?;
    anna.says("only for you").await?;
    bob.sees_push(
        "onChat",
        &json!({"msg": "only for you", "from": "anna", "target": HOSTILE}),
    )
    .await?;
    carl.reads("You", Some("to anna alone"), "psst").await?;
    carl.says("😀").await?;
    let beyond = "Pomelo's browser client cannot send 😀.";
    carl.shows("error", json!(beyond)).await?;

    for scheme in ["light", "dark"] {
        anna.picture("demo", 1000, scheme).await?;
        anna.picture("demo-phone", 320, scheme).await?;
    }

    // More than two intervals, as bob's client counts them.
    for _ in 0..5 {
        bob.sees_on_the_wire(json!({"event": "heartbeat"})).await?;
    }
    bob.leave().await?;
    for page in [&mut anna, &mut carl] {
        page.shows("lastNotice", json!(format!("{HOSTILE} left")))
            .await?;
    }
    // She wrote to him, who is gone.
    anna.shows("recipient", json!("")).await?;
    anna.says("still here").await?;
    carl.reads("anna", None, "still here").await?;

    carl.does(json!({"leave": true})).await?;
    carl.shows("state", json!("Not connected")).await?;
    anna.shows("users", json!(["anna (you)"])).await?;
    cluster.program.signal("TERM").await?;
    let lost = anna.shows("state", json!("Connection lost")).await?;
    assert_eq!(
        lost["error"],
        "The server ended the connection. You left the room."
    );
    anna.close().await?;
    carl.close().await
}

#[tokio::test]
async fn the_demo_page_says_that_a_connection_was_lost() -> Result {
    let mut cluster = Cluster::start().await?;
    let mut anna = Page::join(&cluster, "anna").await?;
    anna.shows("users", json!(["anna (you)"])).await?;
    cluster.program.kill().await?;
    let lost = anna.shows("state", json!("Connection lost")).await?;
    assert_eq!(lost["error"], "The connection ended. You left the room.");
    anna.close().await
}

/// One user of each client, in one room; all have seen the others come.
async fn enter_all(cluster: &Cluster) -> Result<Vec<User>> {
    let mut users: Vec<User> = Vec::new();
    for client in &CLIENTS {
        let mut user = User::start(client, cluster)?;
        let mut names: Vec<_> = users.iter().map(|user| user.name.clone()).collect();
        names.push(user.name.clone());
        let answer = user.answer_to(ENTER).await?;
        let mut entered: Vec<String> = serde_json::from_value(answer["users"].clone())
            .map_err(|_| format!("{} was refused: {answer}", user.name))?;
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
