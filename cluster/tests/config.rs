//! What is read from a `servers.json`, and the exact words for each thing that can be wrong.

use cluster::config::{self, ConfigError, ServersFile};
use cluster::topology::{Backend, Frontend};
use proptest::prelude::*;

/// A correct file: each test makes one thing wrong in it.
const GOOD: &str = r#"{
  "development": {
    "gate": [
      {"id": "gate-1", "host": "127.0.0.1", "clientPort": 3014, "frontend": true}
    ],
    "connector": [
      {"id": "connector-1", "host": "127.0.0.1", "port": 4050, "clientPort": 3050, "frontend": true},
      {"id": "connector-2", "host": "127.0.0.1", "port": 4051, "clientPort": 3051, "frontend": true,
       "clientHost": "chat.example"}
    ],
    "chat": [
      {"id": "chat-1", "host": "10.0.0.7", "port": 6050}
    ]
  }
}"#;

/// The messages for [`GOOD`] with `from` replaced by `to`, one per line.
fn messages(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from} is not in the file");
    messages_of(&GOOD.replacen(from, to, 1))
}

fn messages_of(text: &str) -> String {
    config::parse(text, "s.json", "development")
        .expect_err("the file was accepted")
        .to_string()
}

#[test]
fn a_good_file_gives_its_servers_in_order() -> Result<(), ConfigError> {
    let config = config::parse(GOOD, "s.json", "development")?;
    let frontend = |id: &str, host: &str, client_port| Frontend {
        id: id.to_owned(),
        client_host: host.to_owned(),
        client_port,
    };
    assert_eq!(
        config.topology.gates,
        [frontend("gate-1", "127.0.0.1", 3014)]
    );
    assert_eq!(
        config.topology.connectors,
        [
            frontend("connector-1", "127.0.0.1", 3050),
            frontend("connector-2", "chat.example", 3051)
        ]
    );
    let chat = Backend {
        id: String::from("chat-1"),
        host: String::from("10.0.0.7"),
        port: 6050,
    };
    assert_eq!(config.topology.chats, [chat]);
    assert_eq!(config.warnings, [""; 0]);
    Ok(())
}

#[test]
fn the_shipped_file_has_both_environments() -> Result<(), ConfigError> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config/servers.json");
    let file = ServersFile::read(path.as_ref())?;
    assert_eq!(file.environments(), ["development", "production"]);
    for (environment, config) in file.check()? {
        let topology = config.topology;
        let counts = (
            topology.gates.len(),
            topology.connectors.len(),
            topology.chats.len(),
        );
        assert_eq!(counts, (1, 3, 3), "{environment}");
        assert_eq!(topology.gates[0].client_port, 3014);
        let client_ports: Vec<u16> = topology.connectors.iter().map(|c| c.client_port).collect();
        assert_eq!(client_ports, [3050, 3051, 3052]);
        let ports: Vec<u16> = topology.chats.iter().map(|chat| chat.port).collect();
        assert_eq!(ports, [6050, 6051, 6052]);
        assert_eq!(config.warnings, [""; 0]);
    }
    Ok(())
}

// Pomelo 2.2.7's `loadCluster`, observed: ids, numbering over two entries, and which ports rise.
#[test]
fn an_entry_with_a_cluster_count_is_that_many_servers() -> Result<(), ConfigError> {
    let text = r#"{"development": {
        "gate": [{"id": "g", "host": "127.0.0.1", "clientPort": 3014, "frontend": true}],
        "connector": [
            {"id": "c-", "host": "127.0.0.1", "port": "4050++", "clientPort": "3050++",
             "clusterCount": "3", "frontend": true},
            {"id": "alone", "host": "127.0.0.1", "port": 4060, "clientPort": 3060, "frontend": true},
            {"host": "10.0.0.2", "port": 5050, "clientPort": "5051++", "clusterCount": 1,
             "frontend": true}
        ],
        "chat": [{"host": "127.0.0.1", "port": "6050++", "clusterCount": 2}]
    }}"#;
    let topology = config::parse(text, "s.json", "development")?.topology;
    let connectors: Vec<_> = topology
        .connectors
        .iter()
        .map(|c| (c.id.as_str(), c.client_port))
        .collect();
    assert_eq!(
        connectors,
        [
            ("cluster-server-connector-0", 3050),
            ("cluster-server-connector-1", 3051),
            ("cluster-server-connector-2", 3052),
            ("alone", 3060),
            ("cluster-server-connector-3", 5051),
        ]
    );
    let chats: Vec<_> = topology
        .chats
        .iter()
        .map(|c| (c.id.as_str(), c.port))
        .collect();
    assert_eq!(
        chats,
        [
            ("cluster-server-chat-0", 6050),
            ("cluster-server-chat-1", 6051)
        ]
    );
    Ok(())
}

#[test]
fn a_wrong_cluster_count_or_a_port_that_can_not_count_up_is_named() {
    let chat = "{\"id\": \"chat-1\", \"host\": \"10.0.0.7\", \"port\": 6050}";
    let table = [
        (
            r#"{"host": "10.0.0.7", "port": "6050++", "clusterCount": "many"}"#,
            "clusterCount: \"many\" is not a number of servers: write a whole number from 1 to 1000",
        ),
        (
            r#"{"host": "10.0.0.7", "port": "6050++", "clusterCount": 0}"#,
            "clusterCount: \"0\" is not a number of servers: write a whole number from 1 to 1000",
        ),
        (
            r#"{"host": "10.0.0.7", "port": "6050++", "clusterCount": 1001}"#,
            "clusterCount: \"1001\" is not a number of servers: write a whole number from 1 to 1000",
        ),
        (
            r#"{"id": "chat-1", "host": "10.0.0.7", "port": "6050++"}"#,
            "port: counts up, but the entry is one server: add clusterCount, or write a number only",
        ),
        (
            r#"{"host": "10.0.0.7", "port": "65535++", "clusterCount": 2}"#,
            "port: 2 ports from 65535 on go beyond 65535: begin at 65534 at most",
        ),
        (
            r#"{"host": "10.0.0.7", "port": "++", "clusterCount": 2}"#,
            "port: \"++\" is not a port: write a whole number from 1 to 65535",
        ),
        (
            r#"{"host": "10.0.0.7", "port": 6050, "clusterCount": 2}"#,
            "port: port 6050 of 10.0.0.7 is already development.chat[0].port (line 12): choose another",
        ),
    ];
    for (entry, expected) in table {
        let expected = format!("s.json:12: development.chat[0].{expected}");
        assert_eq!(messages(chat, entry), expected);
    }
}

#[test]
fn each_mistake_has_its_line_field_and_remedy() {
    let table: &[(&str, &str, &str)] = &[
        (
            "\"development\"",
            "\"staging\"",
            "s.json:1: development: no such environment in this file: choose one of staging",
        ),
        (
            "\"connector\":",
            "\"connectors\":",
            "s.json:2: development.connector: missing: add a list with at least one connector server\n\
             s.json:6: development.connectors: unknown server type: did you mean connector?",
        ),
        (
            "\"chat\":",
            "\"area\":",
            "s.json:2: development.chat: missing: add a list with at least one chat server\n\
             s.json:11: development.area: unknown server type: remove it; known are gate, connector and chat",
        ),
        (
            "{\"id\": \"chat-1\", \"host\": \"10.0.0.7\", \"port\": 6050}",
            "",
            "s.json:11: development.chat: missing: add a list with at least one chat server",
        ),
        (
            "4051, \"clientPort\"",
            "4051, \"client_port\"",
            "s.json:8: development.connector[1].client_port: unknown field: did you mean clientPort?\n\
             s.json:8: development.connector[1].clientPort: missing: \
             add \"clientPort\": 3050, where clients reach this connector",
        ),
        (
            "\"port\": 6050",
            "\"port\": 6050, \"maxConnections\": 5",
            "s.json:12: development.chat[0].maxConnections: unknown field: \
             remove it; known are id, host, port, clientPort, clientHost, frontend, clusterCount",
        ),
        (
            ", \"clientPort\": 3014",
            "",
            "s.json:4: development.gate[0].clientPort: missing: \
             add \"clientPort\": 3050, where clients reach this gate",
        ),
        (
            "\"id\": \"chat-1\", ",
            "",
            "s.json:12: development.chat[0].id: missing: \
             add \"id\": \"chat-server-1\", unique in the cluster",
        ),
        (
            "\"host\": \"10.0.0.7\", ",
            "",
            "s.json:12: development.chat[0].host: missing: \
             add \"host\": \"127.0.0.1\", where this server runs",
        ),
        (
            ", \"port\": 6050",
            "",
            "s.json:12: development.chat[0].port: missing: \
             add \"port\": 6050, where connectors reach this server",
        ),
        (
            "3014, \"frontend\": true",
            "3014",
            "s.json:4: development.gate[0].frontend: missing: \
             add \"frontend\": true, as clients connect to a gate",
        ),
        (
            "3014, \"frontend\": true",
            "3014, \"frontend\": false",
            "s.json:4: development.gate[0].frontend: is false, but clients connect to a gate: write true",
        ),
        (
            "3014, \"frontend\": true",
            "3014, \"frontend\": \"true\"",
            "s.json:4: development.gate[0].frontend: a string where true or false is due: write true",
        ),
        (
            "\"port\": 6050",
            "\"port\": 6050, \"clientPort\": 6060, \"frontend\": true",
            "s.json:12: development.chat[0].clientPort: clients never connect to a chat server: remove it\n\
             s.json:12: development.chat[0].frontend: clients never connect to a chat server: remove it",
        ),
        (
            "3051",
            "\"3051\"",
            "s.json:8: development.connector[1].clientPort: a string where a number is due: \
             write a whole number from 1 to 65535, without quotes",
        ),
        (
            "\"chat-1\"",
            "7",
            "s.json:12: development.chat[0].id: a number where a string is due: \
             write a name such as \"chat-server-1\"",
        ),
        (
            "\"10.0.0.7\"",
            "null",
            "s.json:12: development.chat[0].host: null where a string is due: \
             write an address such as \"127.0.0.1\"",
        ),
        (
            "\"chat-1\"",
            "\"\\ud800\"",
            "s.json:12: development.chat[0].id: half a surrogate pair where a string is due: \
             write a name such as \"chat-server-1\"",
        ),
        (
            "{\"id\": \"chat-1\", \"host\": \"10.0.0.7\", \"port\": 6050}",
            "\"chat-1\"",
            "s.json:12: development.chat[0]: a string where an object is due: \
             write the fields of a server in { }",
        ),
        (
            "[\n      {\"id\": \"chat-1\", \"host\": \"10.0.0.7\", \"port\": 6050}\n    ]",
            "{}",
            "s.json:11: development.chat: an object where an array is due: write a list of servers in [ ]",
        ),
        (
            "3051",
            "65536",
            "s.json:8: development.connector[1].clientPort: 65536 is not a port: \
             write a whole number from 1 to 65535",
        ),
        (
            "6050",
            "0",
            "s.json:12: development.chat[0].port: 0 is not a port: write a whole number from 1 to 65535",
        ),
        (
            "6050",
            "-1",
            "s.json:12: development.chat[0].port: -1 is not a port: write a whole number from 1 to 65535",
        ),
        (
            "6050",
            "6.05e3",
            "s.json:12: development.chat[0].port: 6.05e3 is not a port: write a whole number from 1 to 65535",
        ),
        (
            "\"10.0.0.7\"",
            "\"\"",
            "s.json:12: development.chat[0].host: is empty: write an address such as \"127.0.0.1\"",
        ),
        (
            "\"chat.example\"",
            "\"\"",
            "s.json:9: development.connector[1].clientHost: is empty: write the address that clients connect to",
        ),
        (
            "\"chat-1\"",
            "\"chat\\u001b 1\"",
            "s.json:12: development.chat[0].id: \"chat\\u{1b} 1\" has white space or control characters: \
             write a name such as \"chat-server-1\"",
        ),
        (
            "\"chat-1\"",
            "\"connector-2\"",
            "s.json:12: development.chat[0].id: \"connector-2\" is already the id of \
             development.connector[1] (line 8): give each server its own",
        ),
        (
            "3051",
            "3014",
            "s.json:8: development.connector[1].clientPort: port 3014 of 127.0.0.1 is already \
             development.gate[0].clientPort (line 4): choose another",
        ),
        (
            "\"127.0.0.1\", \"port\": 4051, \"clientPort\": 3051",
            "\"localhost\", \"port\": 4050, \"clientPort\": 4050",
            "s.json:8: development.connector[1].port: port 4050 of localhost is already \
             development.connector[0].port (line 7): choose another\n\
             s.json:8: development.connector[1].clientPort: port 4050 of localhost is already \
             development.connector[0].port (line 7): choose another",
        ),
        (
            "\"host\": \"10.0.0.7\",",
            "\"host\": \"10.0.0.7\",\n \"\\u0068ost\": \"10.0.0.8\",",
            "s.json:13: development.chat[0].host: comes twice (first on line 12): remove one of them",
        ),
        (
            "\"chat\": [",
            "\"gate\": [], \"chat\": [",
            "s.json:11: development.gate: comes twice (first on line 3): remove one of them",
        ),
        (
            "\"port\": 6050",
            "\"port\": 6050,\n",
            "s.json:13:1: not JSON: key must be a string: JSON has no comments and no comma after a last element",
        ),
    ];
    for (from, to, expected) in table {
        assert_eq!(messages(from, to), *expected, "{from} -> {to}");
    }
}

#[test]
fn an_id_has_at_most_256_bytes() {
    let longest = format!("{}é", "a".repeat(254));
    let text = GOOD.replace("chat-1", &longest);
    assert!(config::parse(&text, "s.json", "development").is_ok());
    assert_eq!(
        messages("chat-1", &format!("{longest}a")),
        format!(
            "s.json:12: development.chat[0].id: \"{}\"... is 257 bytes long, the longest is 256: \
             write a name such as \"chat-server-1\"",
            "a".repeat(60)
        )
    );
}

#[test]
fn a_file_that_is_no_object_says_so() {
    assert_eq!(
        messages_of("\n[]"),
        "s.json:2: the file: an array where an object is due: write environments such as \"development\""
    );
    assert_eq!(
        messages_of("{\"development\": 5}"),
        "s.json:1: development: a number where an object is due: write the lists gate, connector and chat"
    );
    assert_eq!(
        messages_of("{}"),
        "s.json:1: development: no such environment in this file: \
         it has none: add \"development\" with gate, connector and chat"
    );
    assert_eq!(
        messages_of(""),
        "s.json:1:0: not JSON: EOF while parsing a value: \
         JSON has no comments and no comma after a last element"
    );
}

#[test]
fn all_mistakes_are_reported_in_reading_order() {
    let text = GOOD
        .replace("3014", "0")
        .replace("\"chat-1\"", "\"\"")
        .replace("3051", "4051");
    let lines: Vec<String> = messages_of(&text).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(lines[0].starts_with("s.json:4: development.gate[0].clientPort: 0 is not"));
    assert!(lines[1].starts_with("s.json:8: development.connector[1].clientPort: port 4051"));
    assert!(lines[2].starts_with("s.json:12: development.chat[0].id: is empty"));
}

#[test]
fn a_thousand_mistakes_show_the_first_fifty() {
    let servers = vec!["7"; 1000].join(",");
    let text = GOOD.replace(
        "{\"id\": \"chat-1\", \"host\": \"10.0.0.7\", \"port\": 6050}",
        &servers,
    );
    let message = messages_of(&text);
    assert_eq!(message.lines().count(), 51);
    assert_eq!(message.lines().last(), Some("s.json: and 950 more"));
}

#[test]
fn check_reports_every_environment() -> Result<(), ConfigError> {
    let bad = GOOD
        .replace("\"chat-1\"", "8")
        .replace("development", "staging");
    let first = GOOD.strip_suffix("\n}").expect("the end of the file");
    let second = bad.strip_prefix("{\n").expect("the start of the file");
    let both = format!("{first},\n{second}");
    let file = ServersFile::new("s.json", &both)?;
    assert_eq!(file.environments(), ["development", "staging"]);
    assert!(file.environment("development").is_ok());
    let error = file.check().expect_err("staging is wrong");
    assert!(
        error
            .to_string()
            .contains("staging.chat[0].id: a number where"),
        "{error}"
    );
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
    Ok(())
}

#[test]
fn fields_of_pomelos_process_manager_are_read_over() -> Result<(), ConfigError> {
    let text = GOOD.replace(
        "\"port\": 6050",
        "\"port\": 6050, \"args\": [\"--inspect\"], \"cpu\": 2,\n \"auto-restart\": true, \"restart-force\": \"true\"",
    );
    let config = config::parse(&text, "s.json", "development")?;
    assert_eq!(
        config.warnings,
        [
            "12: development.chat[0].args",
            "12: development.chat[0].cpu",
            "13: development.chat[0].auto-restart",
            "13: development.chat[0].restart-force"
        ]
        .map(|place| format!(
            "line {place} is ignored: processes are started and watched from outside"
        ))
    );
    Ok(())
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_fine() {
    let text = format!("\u{feff}{}", GOOD.replace('\n', "\r\n"));
    assert!(config::parse(&text, "s.json", "development").is_ok());
    let message = messages_of(&text.replace("6050", "0"));
    assert!(message.starts_with("s.json:12: "), "{message}");
}

#[test]
fn a_file_nested_a_million_deep_is_an_ordinary_mistake() {
    let depth = 1_000_000;
    let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let message = messages_of(&format!("{{\"development\": {{\"gate\": {nested}}}}}"));
    assert!(
        message.contains("gate[0]: an array where an object is due"),
        "{message}"
    );
    let cut = messages_of(&"{\"a\":".repeat(depth));
    assert!(cut.contains("not JSON: EOF while parsing"), "{cut}");
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_its_cause() -> Result<(), std::io::Error> {
    use std::error::Error;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("none.json");
    let missing = ServersFile::read(&path).expect_err("no such file");
    assert_eq!(
        missing.to_string(),
        format!(
            "{}: cannot be read: give the path of a readable servers.json",
            path.display()
        )
    );
    assert!(
        missing
            .source()
            .is_some_and(|cause| cause.to_string().contains("No such file"))
    );

    std::fs::write(&path, b"{\n\"a\": \"\xff\"}")?;
    let binary = ServersFile::read(&path).expect_err("not text");
    assert!(
        binary
            .source()
            .is_some_and(|cause| cause.to_string() == "line 2 is not UTF-8 text")
    );
    Ok(())
}

proptest! {
    /// Whatever byte is changed, put in or taken out: an answer, never a panic, and every
    /// problem stands on a line of the file.
    #[test]
    fn no_edit_of_a_good_file_panics(at in 0..GOOD.len(), cut in 0..40_usize, put in ".{0,6}") {
        let mut bytes = GOOD.as_bytes().to_vec();
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, put.bytes());
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().count();
        match config::parse(&text, "s.json", "development") {
            Ok(config) => prop_assert!(!config.topology.chats.is_empty()),
            Err(ConfigError::Invalid { problems, .. }) => {
                prop_assert!(!problems.is_empty());
                for problem in problems {
                    prop_assert!((1..=lines).contains(&problem.line), "{problem:?} of {lines}");
                }
            }
            Err(ConfigError::NotJson { .. }) => {}
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    /// Each port from 1 to 65535 is taken as it is, each other number is refused.
    #[test]
    fn exactly_the_ports_are_ports(number in -70_000_i64..140_000) {
        let result = config::parse(&GOOD.replace("6050", &number.to_string()), "s", "development");
        match result {
            Ok(config) => prop_assert_eq!(i64::from(config.topology.chats[0].port), number),
            Err(error) => {
                prop_assert!(!(1..=65535).contains(&number), "{}", error);
            }
        }
    }
}
