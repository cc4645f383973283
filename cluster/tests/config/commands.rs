//! `cluster start` and `cluster check` with a folder.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::folder::Folder;
use super::program::{PATIENCE, Program, Result, cluster, output, write_servers};

/// Runs `cluster` to its end, with `DIR` for the folder in its output.
async fn run(folder: &Folder, arguments: &[&str]) -> Result<(Option<i32>, String, String)> {
    let path = folder.path();
    let arguments: Vec<String> = arguments
        .iter()
        .map(|argument| argument.replace("DIR", &path.display().to_string()))
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (status, stdout, stderr) = output(&arguments).await?;
    Ok((status, folder.named(&stdout), folder.named(&stderr)))
}

/// A folder with servers on free ports, and the ports of gate and first connector.
fn on_free_ports() -> Result<(Folder, [u16; 2])> {
    let folder = Folder::empty();
    let [gate, connector, ..] = write_servers(&folder.path().join("servers.json"))?;
    Ok((folder, [gate, connector]))
}

/// What a server tells in its answer to a handshake.
async fn handshake(port: u16) -> Result<Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(b"\x01\0\0\x0a{\"sys\":{}}").await?;
    let mut head = [0; 4];
    timeout(PATIENCE, stream.read_exact(&mut head)).await??;
    let [1, a, b, c] = head else {
        return Err(format!("no handshake but {head:?}").into());
    };
    let mut body = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    timeout(PATIENCE, stream.read_exact(&mut body)).await??;
    Ok(serde_json::from_slice::<Value>(&body)?["sys"].take())
}

#[tokio::test]
async fn check_prints_what_all_files_hold() -> Result {
    let folder = Folder::with(
        "app.json",
        "{\"heartbeat\": \"10s\", \"sessionsMax\": 500, \"duplicateLogin\": \"replace\"}",
    )
    .and("dictionary.json", "[\"onChat\", \"a\\nb\", \"onChat\"]")
    .and(
        "serverProtos.json",
        "{\"onChat\": {\"required string msg\": 1, \"required string from\": 2,\
          \"required string target\": 3}, \"message Unused\": {}}",
    )
    .and(
        "clientProtos.json",
        "{\"area.mine\": {\"required int32 x\": 1}}",
    )
    .and(
        "master.json",
        "{\"development\": {\"id\": \"m\", \"host\": \"127.0.0.1\", \"port\": 3005}}",
    );
    let (status, stdout, stderr) = run(&folder, &["check", "DIR"]).await?;
    assert_eq!(status, Some(0), "{stderr}");
    assert_eq!(
        stderr,
        "DIR/dictionary.json:1: [2]: \"onChat\" is [0] (line 1) already: \
         it is written as 6, and read by both its codes\n\
         note: DIR/master.json is not used: these servers find each other without a master\n"
    );
    // The versions are tested where they are made.
    let lines: Vec<&str> = stdout
        .lines()
        .map(|line| match line.split_once("Version ") {
            Some((kind, version)) if version.len() == 24 => kind,
            _ => line,
        })
        .collect();
    assert_eq!(
        lines,
        [
            "development: gate 1, connector 2, chat 1",
            "  gate-1 clients 127.0.0.1:3014",
            "  connector-1 clients 127.0.0.1:3050",
            "  connector-2 clients chat.example:3051",
            "  chat-1 servers 10.0.0.7:6050",
            "  dict",
            "    1 chat.chatHandler.send",
            "    2 connector.entryHandler.enter",
            "    3 gate.gateHandler.queryEntry",
            "    4 onChat",
            "    5 a\\nb",
            "    6 onChat",
            "  proto",
            "    server onChat",
            "    client area.mine",
            "  heartbeat 10s (default 3s)",
            "  duplicateLogin replace (default refuse)",
            "  sessionsMax 500 (default 100000)",
        ]
    );
    let folder = folder.and("app.json", "{\"useDict\": false, \"useProtobuf\": false}");
    let (_, stdout, _) = run(&folder, &["check", "DIR"]).await?;
    assert!(
        stdout.ends_with(
            "chat-1 servers 10.0.0.7:6050\n  no dictionary\n  no protobuf\n  \
             useDict false (default true)\n  useProtobuf false (default true)\n"
        ),
        "{stdout}"
    );
    Ok(())
}

#[tokio::test]
async fn check_finds_the_shipped_folder_sound_and_says_once_what_is_not_used() -> Result {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/config");
    let (status, stdout, stderr) = output(&["check", shipped]).await?;
    assert_eq!(status, Some(0), "{stderr}");
    assert_eq!(
        stderr,
        format!(
            "note: {shipped}/master.json is not used: \
             these servers find each other without a master\n"
        )
    );
    let (_, of_file, _) = output(&["check", &format!("{shipped}/servers.json")]).await?;
    assert_eq!(
        stdout, of_file,
        "the built-in files are those of the folder"
    );
    Ok(())
}

#[tokio::test]
async fn check_prints_the_problems_of_all_files_by_file_and_line() -> Result {
    let folder = Folder::with("app.json", "{\"useDict\": 1,\n\"lease\": \"1\"}")
        .and("dictionary.json", "[7]")
        .and("clientProtos.json", "{\n\"a\": {\"string b\": 1}\n}");
    let (status, stdout, stderr) = run(&folder, &["check", "DIR"]).await?;
    assert_eq!((status, stdout.as_str()), (Some(2), ""));
    assert_eq!(
        stderr,
        "DIR/app.json:1: useDict: a number where true or false is due: \
         write true or false, without quotes\n\
         DIR/app.json:2: lease: \"1\" is not a time: \
         write one from \"1ms\" to \"60m\", such as \"3s\" or \"500ms\"\n\
         DIR/clientProtos.json:2: a: \"string b\": no field: write \"required string name\", \
         three words with one space between them, or \"message Name\"\n\
         DIR/dictionary.json:1: [0]: a number where a string is due: \
         write a route such as \"onChat\"\n"
    );
    // `start` says the same.
    let (status, _, said) = run(&folder, &["start", "--config", "DIR"]).await?;
    assert_eq!((status, said), (Some(2), stderr));
    Ok(())
}

// The warning is the reason.
#[tokio::test]
async fn a_file_that_is_not_read_is_told_before_what_is_missing() -> Result {
    let folder = Folder::empty().and("server.json", "{}");
    for arguments in [
        &["check", "DIR"][..],
        &["check", "DIR", "-e", "development"],
        &["start", "--config", "DIR"],
    ] {
        let (status, stdout, stderr) = run(&folder, arguments).await?;
        assert_eq!((status, stdout.as_str()), (Some(2), ""));
        assert_eq!(
            stderr,
            "DIR/server.json: is not read: did you mean servers.json?\n\
             DIR: has neither servers.json nor development/servers.json: add one of them\n"
        );
    }
    Ok(())
}

#[tokio::test]
async fn servers_do_as_the_folder_says_unless_a_flag_says_otherwise() -> Result {
    let (folder, [gate, connector]) = on_free_ports()?;
    let folder = folder
        .and(
            "app.json",
            "{\"heartbeat\": \"7s\", \"useProtobuf\": false}",
        )
        .and("dictionary.json", "[\"onChat\"]")
        .and("serverProtos.json", "{}");
    let mut command = cluster();
    command.args(["start", "--config"]).arg(folder.path());
    let mut program = Program::start("cluster", &mut command)?;
    program.ready().await?;
    let told = handshake(connector).await?;
    assert_eq!(told["heartbeat"], 7);
    assert_eq!(told["dict"]["onChat"], 4);
    assert_eq!(told["useProto"], Value::Null);
    assert_eq!(handshake(gate).await?, json!({}));
    program.signal("TERM").await?;
    assert_eq!(program.ended().await?.code(), Some(0));

    let mut program = Program::start("cluster", command.args(["--heartbeat", "5s"]))?;
    program.ready().await?;
    assert_eq!(handshake(connector).await?["heartbeat"], 5);
    program.signal("TERM").await?;
    assert_eq!(program.ended().await?.code(), Some(0));
    Ok(())
}

#[tokio::test]
async fn the_folder_of_the_working_directory_is_meant_unless_another_is_named() -> Result {
    let folder = Folder::empty().and("cluster/config/app.json", "5");
    write_servers(&folder.path().join("cluster/config/servers.json"))?;
    write_servers(&folder.path().join("mine.json"))?;
    let start = |arguments: &'static [&str]| {
        let mut command = cluster();
        command.args(["start", "--server-id", "nobody"]);
        command.args(arguments).current_dir(folder.path());
        async move {
            let output = timeout(PATIENCE, command.kill_on_drop(true).output()).await??;
            Result::Ok(String::from_utf8(output.stderr)?)
        }
    };
    assert_eq!(
        start(&[]).await?,
        "cluster/config/app.json:1: the file: a number where an object is due: \
         write settings such as {\"heartbeat\": \"3s\"}\n"
    );
    // A file alone has nothing to do with the folder.
    let stderr = start(&["--servers", "mine.json"]).await?;
    assert!(
        stderr.starts_with("error: --server-id nobody: no such server in development of mine.json"),
        "{stderr}"
    );
    let stderr = start(&["--config", "none"]).await?;
    assert_eq!(
        stderr,
        "none: cannot be read: No such file or directory (os error 2): \
         give the path of a readable folder\n"
    );
    let stderr = start(&["--config", "cluster/config", "--servers", "mine.json"]).await?;
    assert!(
        stderr.contains("'--config <DIR>' cannot be used with '--servers <FILE>'"),
        "{stderr}"
    );
    Ok(())
}

#[tokio::test]
async fn help_says_that_flags_override_the_file() -> Result {
    let (_, stdout, _) = output(&["start", "--help"]).await?;
    assert!(stdout.contains("Flags override app.json."), "{stdout}");
    Ok(())
}
