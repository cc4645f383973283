//! `cluster start --demo` as a browser sees it, and those who would want more than the page. The
//! client is a file of the test's own here: `real_clients` has the real one.

#[path = "support/program.rs"]
mod program;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use program::{PATIENCE, Program, Result, cluster, write_servers};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

const CLIENT: &str =
    "cluster/demo/node_modules/pomelo/template/web-server/public/js/lib/build/build.js";

/// As `cluster/src/demo.rs` has them.
const CONNECTIONS_MAX: usize = 64;
const REQUEST_PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn without_the_browser_client_it_says_how_to_get_it() -> Result {
    let folder = tempfile::tempdir()?;
    let (status, stderr) = fails(&folder, "--demo").await?;
    assert_eq!(status, Some(2));
    assert!(
        stderr.contains(&format!(
            "error: --demo: {CLIENT} cannot be read: run `npm ci --prefix cluster/demo`"
        )),
        "{stderr}"
    );
    Ok(())
}

#[tokio::test]
async fn a_busy_port_says_how_to_choose_another() -> Result {
    let folder = folder_with_client()?;
    let taken = TcpListener::bind(("127.0.0.1", 0))?;
    let port = taken.local_addr()?.port();
    let (status, stderr) = fails(&folder, &format!("--demo={port}")).await?;
    assert_eq!(status, Some(3));
    assert!(
        stderr.contains(&format!("error: --demo: port {port} cannot be bound"))
            && stderr.contains("choose another with --demo=PORT"),
        "{stderr}"
    );
    Ok(())
}

#[tokio::test]
async fn the_page_is_all_there_and_may_do_no_more_than_chat() -> Result {
    let demo = Demo::start().await?;
    for (path, kind, begin) in [
        ("/", "text/html; charset=utf-8", "<!doctype html>"),
        ("/style.css", "text/css; charset=utf-8", ":root {"),
        ("/chat.js", "text/javascript; charset=utf-8", "// The page."),
        ("/icon.svg", "image/svg+xml", "<svg"),
        (
            "/pomelo-client.js",
            "text/javascript; charset=utf-8",
            "the client",
        ),
        ("/config.json", "application/json", "{"),
    ] {
        let (head, body) = demo.ask(&format!("GET {path} HTTP/1.1")).await?;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {head}");
        assert!(
            head.contains(&format!("content-type: {kind}\r\n")),
            "{path}: {head}"
        );
        assert!(
            head.contains("x-content-type-options: nosniff\r\n"),
            "{path}: {head}"
        );
        assert!(body.starts_with(begin), "{path}: {body}");

        let policy = head
            .split("content-security-policy: ")
            .nth(1)
            .unwrap_or_default();
        let policy = policy.lines().next().unwrap_or_default();
        let connections = demo
            .frontends
            .map(|port| format!(" ws://127.0.0.1:{port}"))
            .concat();
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        assert!(
            policy.ends_with(&format!("; connect-src 'self'{connections}")),
            "{policy}"
        );
        assert!(
            !policy.contains("unsafe") && !policy.contains('*'),
            "{policy}"
        );
    }
    let (_, config) = demo.ask("GET /config.json HTTP/1.1").await?;
    let gate = json!({"gate": {"host": "127.0.0.1", "port": demo.frontends[0]}});
    assert_eq!(serde_json::from_str::<Value>(&config)?, gate);
    let (head, body) = demo.ask("HEAD / HTTP/1.1").await?;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert_eq!(body, "");
    Ok(())
}

#[tokio::test]
async fn nothing_else_is_served() -> Result {
    let demo = Demo::start().await?;
    for path in [
        "/index.html",
        "/servers.json",
        "/../servers.json",
        "/%2e%2e/servers.json",
        "//etc/passwd",
        "/pomelo-client.js/",
        &format!("/{CLIENT}"),
    ] {
        let (head, body) = demo.ask(&format!("GET {path} HTTP/1.1")).await?;
        assert!(
            head.starts_with("HTTP/1.1 404 Not Found\r\n"),
            "{path}: {head}"
        );
        assert_eq!(body, "no such page\n");
    }
    let (head, _) = demo.ask("POST / HTTP/1.1\r\nContent-Length: 0").await?;
    assert!(
        head.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"),
        "{head}"
    );
    assert!(head.contains("allow: GET, HEAD\r\n"), "{head}");
    Ok(())
}

#[tokio::test]
async fn heads_and_connections_are_bounded() -> Result {
    let demo = Demo::start().await?;
    let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(9000));
    let many = format!("GET / HTTP/1.1{}", "\r\nX: x".repeat(65));
    for request in [long, many] {
        let (head, _) = demo.ask(&request).await?;
        assert!(head.starts_with("HTTP/1.1 431 "), "{head}");
    }
    let mut silent = JoinSet::new();
    for _ in 0..2 * CONNECTIONS_MAX {
        let mut stream = TcpStream::connect(&demo.address).await?;
        silent.spawn(async move { stream.read(&mut [0]).await });
    }
    // Half of them are closed at once. The others would be later, for their silence.
    for _ in 0..CONNECTIONS_MAX {
        let at_once = timeout(REQUEST_PATIENCE / 2, silent.join_next()).await?;
        let read = at_once.ok_or("all have ended")??;
        assert!(!matches!(read, Ok(1..)), "{read:?}");
    }
    // Whoever goes makes room.
    drop(silent);
    let there_is_room = async {
        while demo.ask("GET / HTTP/1.1").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    Ok(timeout(PATIENCE, there_is_room).await?)
}

/// A cluster with a page, and where they are.
struct Demo {
    address: String,
    /// The ports of the gate and of the connectors.
    frontends: [u16; 4],
    _folder: TempDir,
    _cluster: Program,
}

impl Demo {
    async fn start() -> Result<Self> {
        let folder = folder_with_client()?;
        let [gate, first, second, third, ..] = write_servers(&folder.path().join("servers.json"))?;
        let mut command = cluster();
        command
            .args([
                "start",
                "--log",
                "warn",
                "--servers",
                "servers.json",
                "--demo=0",
            ])
            .current_dir(&folder);
        let mut cluster = Program::start("cluster", &mut command)?;
        let lines = cluster.ready().await?;
        let last = lines.last().ok_or("nothing is announced")?;
        let address = last
            .strip_prefix("demo page http://")
            .and_then(|rest| rest.strip_suffix('/'))
            .ok_or_else(|| format!("the page is not announced, but {last}"))?;
        Ok(Self {
            address: address.to_owned(),
            frontends: [gate, first, second, third],
            _folder: folder,
            _cluster: cluster,
        })
    }

    /// Head and body of the answer.
    async fn ask(&self, request: &str) -> Result<(String, String)> {
        let mut stream = TcpStream::connect(&self.address).await?;
        let request = format!("{request}\r\nHost: {}\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        // Each connection is for one request: it ends after the answer.
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await??;
        let answer = String::from_utf8(answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("there is no answer")?;
        Ok((format!("{head}\r\n"), body.to_owned()))
    }
}

/// A folder like that of the workspace, with something where the client would be.
fn folder_with_client() -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let client = folder.path().join(CLIENT);
    fs::create_dir_all(client.parent().unwrap_or(Path::new("")))?;
    fs::write(client, "the client")?;
    Ok(folder)
}

/// The exit status and the messages of a `cluster start` in `folder` that cannot run.
async fn fails(folder: &TempDir, flag: &str) -> Result<(Option<i32>, String)> {
    write_servers(&folder.path().join("servers.json"))?;
    let running = cluster()
        .args(["start", "--servers", "servers.json", flag])
        .current_dir(folder)
        .kill_on_drop(true)
        .output();
    let output = timeout(PATIENCE, running).await??;
    assert_eq!(String::from_utf8(output.stdout)?, "");
    Ok((output.status.code(), String::from_utf8(output.stderr)?))
}
