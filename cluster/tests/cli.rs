//! The program `cluster` as a shell sees it: exit status, standard output, messages.

#[path = "support/program.rs"]
mod program;

use std::net::TcpListener;
use std::path::PathBuf;

use program::{PATIENCE, Program, Result, cluster, output, write_servers};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

/// A folder with a servers.json on free ports, and those ports.
fn servers() -> Result<(TempDir, String, [u16; 7])> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("servers.json");
    let ports = write_servers(&path)?;
    Ok((folder, path.display().to_string(), ports))
}

#[tokio::test]
async fn check_prints_what_a_good_file_holds() -> Result {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/config/servers.json");
    let (status, stdout, stderr) = output(&["check", shipped, "-e", "production"]).await?;
    assert_eq!((status, stderr.as_str()), (Some(0), ""));
    assert_eq!(stdout, format!("production: {CHAT_EXAMPLE}"));
    let (status, all, _) = output(&["check", shipped]).await?;
    assert_eq!(status, Some(0));
    assert_eq!(all, format!("development: {CHAT_EXAMPLE}{stdout}"));
    Ok(())
}

/// What the shipped files hold; the versions are those of the original.
const CHAT_EXAMPLE: &str = "\
gate 1, connector 3, chat 3
  gate-server-1 clients 127.0.0.1:3014
  connector-server-1 clients 127.0.0.1:3050
  connector-server-2 clients 127.0.0.1:3051
  connector-server-3 clients 127.0.0.1:3052
  chat-server-1 servers 127.0.0.1:6050
  chat-server-2 servers 127.0.0.1:6051
  chat-server-3 servers 127.0.0.1:6052
  dictVersion s2r1qfKDrbhWCkA6uf+PTA==
    1 chat.chatHandler.send
    2 connector.entryHandler.enter
    3 gate.gateHandler.queryEntry
  protoVersion 2zWPnSlRsRxjqgcU215Uxg==
    server onChat
";

#[tokio::test]
async fn check_reports_all_that_is_wrong_in_a_bad_file() -> Result {
    let (_folder, path, ports) = servers()?;
    let text = std::fs::read_to_string(&path)?
        .replace(&ports[2].to_string(), "70000")
        .replace("chat-server-2", "chat-server-1");
    std::fs::write(&path, text)?;
    let (status, stdout, stderr) = output(&["check", &path]).await?;
    assert_eq!((status, stdout.as_str()), (Some(2), ""));
    let problems: Vec<&str> = stderr.lines().collect();
    assert_eq!(problems.len(), 4, "two in each environment: {stderr}");
    assert_eq!(
        problems[0],
        format!(
            "{path}:8: development.connector[1].clientPort: 70000 is not a port: \
             write a whole number from 1 to 65535"
        )
    );
    assert!(
        problems[3].starts_with(&format!("{path}:28: production.chat[1].id: ")),
        "{stderr}"
    );
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_not_there_is_unusable_input() -> Result {
    for arguments in [
        ["check", "none.json"].as_slice(),
        &["start", "--servers", "none.json"],
    ] {
        let (status, stdout, stderr) = output(arguments).await?;
        assert_eq!((status, stdout.as_str()), (Some(2), ""));
        assert!(
            stderr.starts_with("none.json: cannot be read: No such file"),
            "{stderr}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_unknown_environment_is_answered_with_those_that_exist() -> Result {
    let (_folder, path, _) = servers()?;
    let (status, _, stderr) = output(&["start", "--servers", &path, "-e", "staging"]).await?;
    assert_eq!(status, Some(2));
    assert_eq!(
        stderr,
        format!(
            "{path}:1: staging: no such environment in this file: \
             choose one of development, production\n"
        )
    );
    Ok(())
}

#[tokio::test]
async fn an_unknown_server_id_is_answered_with_those_that_exist() -> Result {
    let (_folder, path, _) = servers()?;
    let (status, _, stderr) = output(&["start", "--servers", &path, "--server-id", "chat"]).await?;
    assert_eq!(status, Some(2));
    assert_eq!(
        stderr,
        format!(
            "error: --server-id chat: no such server in development of {path}: choose one of \
             gate-server-1, connector-server-1, connector-server-2, connector-server-3, \
             chat-server-1, chat-server-2, chat-server-3\n"
        )
    );
    Ok(())
}

#[tokio::test]
async fn a_busy_port_names_the_server_and_what_to_change() -> Result {
    let (_folder, path, ports) = servers()?;
    let _taken = TcpListener::bind(("127.0.0.1", ports[2]))?;
    let (status, stdout, stderr) = output(&["start", "--servers", &path]).await?;
    assert_eq!((status, stdout.as_str()), (Some(3), ""));
    assert_eq!(
        stderr,
        format!(
            "error: port {} of connector-server-2 is busy: end the program that has it, \
             or change clientPort of connector-server-2 in {path}\n",
            ports[2]
        )
    );
    Ok(())
}

#[tokio::test]
async fn servers_meant_for_two_hosts_cannot_share_a_process() -> Result {
    let (_folder, path, ports) = servers()?;
    let other_host = format!("\"host\": \"127.0.0.2\", \"port\": {}", ports[4]);
    let text = std::fs::read_to_string(&path)?.replace(
        &format!("\"host\": \"127.0.0.1\", \"port\": {}", ports[5]),
        &other_host,
    );
    std::fs::write(&path, text)?;
    let (status, _, stderr) = output(&["start", "--servers", &path]).await?;
    assert_eq!(status, Some(3));
    let expected = format!(
        "error: port {} of chat-server-2 is busy: chat-server-1 of this same process has it: \
         run one process per server with --server-id, or change port of chat-server-2 in {path}\n",
        ports[4]
    );
    assert_eq!(stderr, expected);
    Ok(())
}

#[tokio::test]
async fn all_servers_are_ready_and_signals_end_them_with_0() -> Result {
    for signal in ["TERM", "INT", "HUP"] {
        let (_folder, path, ports) = servers()?;
        // Whoever runs these tests with `nohup` has SIGHUP ignored, which programs inherit.
        let mut command = Command::new("env");
        command.arg("--default-signal=HUP");
        command.args([env!("CARGO_BIN_EXE_cluster"), "start", "--servers", &path]);
        let mut cluster = Program::start("cluster", &mut command)?;
        let lines = cluster.ready().await?;
        assert_eq!(lines.len(), 7, "{lines:#?}");
        assert_eq!(
            lines[0],
            format!("gate-server-1 clients 127.0.0.1:{}", ports[0])
        );
        assert_eq!(
            lines[6],
            format!("chat-server-3 servers 127.0.0.1:{}", ports[6])
        );
        for port in ports {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
        }
        cluster.signal(signal).await?;
        assert_eq!(cluster.ended().await?.code(), Some(0), "SIG{signal}");
        TcpListener::bind(("127.0.0.1", ports[0]))?;
    }
    Ok(())
}

#[tokio::test]
async fn servers_whose_log_nobody_reads_any_more_go_on() -> Result {
    let (_folder, path, ports) = servers()?;
    let (log, stderr) = std::io::pipe()?;
    let mut command = cluster();
    command.args(["start", "--log", "debug", "--servers", &path]);
    let mut cluster = Program::start("cluster", command.stderr(stderr))?;
    cluster.ready().await?;
    drop(log);
    for port in ports {
        // It is turned away, which is logged, before the connection ends.
        let mut stranger = TcpStream::connect(("127.0.0.1", port)).await?;
        stranger.write_all(&[0xFF; 40]).await?;
        let mut answer = Vec::new();
        let _reset_or_end = timeout(PATIENCE, stranger.read_to_end(&mut answer)).await?;
    }
    cluster.signal("TERM").await?;
    assert!(cluster.ended().await?.success());
    Ok(())
}

#[tokio::test]
async fn one_server_of_development_needs_no_token() -> Result {
    let (_folder, path, ports) = servers()?;
    let id = "connector-server-3";
    let arguments = ["start", "--servers", &path, "--server-id", id];
    let mut cluster = Program::start("cluster", cluster().args(arguments))?;
    assert_eq!(
        cluster.ready().await?,
        [format!("{id} clients 127.0.0.1:{}", ports[3])]
    );
    TcpListener::bind(("127.0.0.1", ports[2]))?;
    cluster.signal("TERM").await?;
    assert_eq!(cluster.ended().await?.code(), Some(0));
    Ok(())
}

#[tokio::test]
async fn one_server_that_others_can_reach_needs_a_token() -> Result {
    let (folder, path, _) = servers()?;
    let production = [
        "start",
        "--servers",
        &path,
        "-e",
        "production",
        "--server-id",
        "chat-server-1",
    ];
    let public = [
        "start",
        "--servers",
        &path,
        "--server-id",
        "chat-server-1",
        "--bind",
        "0.0.0.0",
    ];
    for (environment, arguments) in [("production", &production), ("development", &public)] {
        let (status, _, stderr) = output(arguments).await?;
        assert_eq!(status, Some(2));
        assert_eq!(
            stderr,
            format!(
                "error: --server-id needs a token that all servers of {environment} share: \
                 set POMELO_CLUSTER_TOKEN or --token-file \
                 (only development on loopback addresses does without)\n"
            )
        );
    }
    let token: PathBuf = folder.path().join("token");
    for (content, usable) in [
        ("secret\n", true),
        ("", false),
        ("\n", false),
        (&"x".repeat(2000), false),
    ] {
        std::fs::write(&token, content)?;
        let mut command = cluster();
        command.args(production).arg("--token-file").arg(&token);
        let mut program = Program::start("cluster", &mut command)?;
        assert_eq!(program.ready().await.is_ok(), usable, "{content:?}");
        if usable {
            program.signal("TERM").await?;
        }
        assert_eq!(
            program.ended().await?.code(),
            Some(if usable { 0 } else { 2 })
        );
    }
    let mut command = cluster();
    command
        .args(production)
        .env("POMELO_CLUSTER_TOKEN", "secret");
    Program::start("cluster", &mut command)?.ready().await?;
    Ok(())
}

#[tokio::test]
async fn flags_that_contradict_each_other_are_named() -> Result {
    let (status, _, stderr) =
        output(&["start", "--lease", "3s", "--request-deadline", "1s"]).await?;
    assert_eq!(status, Some(2));
    assert!(
        stderr.contains("--lease 3s is not shorter than --request-deadline 1s: shorten"),
        "{stderr}"
    );

    let (status, _, stderr) = output(&["start", "--lease", "3s"]).await?;
    assert_eq!(status, Some(2));
    assert!(
        stderr.contains("--lease 3s is not shorter than the configured deadline of 3s: shorten"),
        "{stderr}"
    );

    let (status, _, stderr) = output(&["start", "--heartbeat", "1500ms"]).await?;
    assert_eq!(status, Some(2));
    assert!(
        stderr.contains("--heartbeat: 1s 500ms is not a number of whole seconds"),
        "{stderr}"
    );

    let (status, _, stderr) = output(&["start", "--lease", "2"]).await?;
    assert_eq!(status, Some(2));
    assert!(
        stderr.contains("write a time from 1ms to 60m such as 2s"),
        "{stderr}"
    );
    Ok(())
}

#[tokio::test]
async fn without_a_file_the_built_in_one_is_used_and_said_so() -> Result {
    let empty = tempfile::tempdir()?;
    let output = cluster()
        .args(["start", "--server-id", "none"])
        .current_dir(empty.path())
        .output()
        .await?;
    let stderr = String::from_utf8(output.stderr)?;
    let note = "note: there is no cluster/config here: using the built-in copy\n";
    assert!(stderr.starts_with(note), "{stderr}");
    assert_eq!(output.status.code(), Some(2));
    Ok(())
}

#[tokio::test]
async fn help_has_examples_and_exit_statuses() -> Result {
    for arguments in [["--help"].as_slice(), &["start", "--help"]] {
        let (status, stdout, _) = output(arguments).await?;
        assert_eq!(status, Some(0));
        assert!(stdout.contains("\nExamples:\n  cluster start"), "{stdout}");
        for line in [
            "  0    done",
            "  2    unusable input",
            "  3    a port is busy",
            "  130  a second",
        ] {
            assert!(stdout.contains(line), "{line} is missing in {stdout}");
        }
    }
    Ok(())
}
