//! What is read from a good `servers.json`.

use cluster::config::{ConfigError, Place};
use cluster::topology::{Backend, Frontend};

use super::folder::Folder;
use super::{GOOD, messages_of, parse};

#[test]
fn a_good_file_gives_its_servers_in_order() -> Result<(), ConfigError> {
    let config = parse(GOOD)?;
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
    let place = Place::servers(concat!(env!("CARGO_MANIFEST_DIR"), "/config/servers.json"));
    assert_eq!(place.environments()?, ["development", "production"]);
    for environment in place.environments()? {
        let config = place.load(&environment)?;
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
    let topology = parse(text)?.topology;
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
fn fields_of_pomelos_process_manager_are_read_over() -> Result<(), ConfigError> {
    let text = GOOD.replace(
        "\"port\": 6050",
        "\"port\": 6050, \"args\": [\"--inspect\"], \"cpu\": 2,\n \"auto-restart\": true, \"restart-force\": \"true\"",
    );
    let (folder, place) = Folder::alone(&text);
    let warnings = place.load("development")?.warnings;
    assert_eq!(
        folder.named(&warnings.join("\n")),
        [
            "12: development.chat[0].args",
            "12: development.chat[0].cpu",
            "13: development.chat[0].auto-restart",
            "13: development.chat[0].restart-force"
        ]
        .map(|place| format!(
            "DIR/s.json:{place}: is ignored: processes are started and watched from outside"
        ))
        .join("\n")
    );
    Ok(())
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_fine() {
    let text = format!("\u{feff}{}", GOOD.replace('\n', "\r\n"));
    assert!(parse(&text).is_ok());
    let message = messages_of(&text.replace("6050", "0"));
    assert!(message.starts_with("s.json:12: "), "{message}");
}
