//! The exact words for each thing that can be wrong with a server.

use super::{GOOD, messages, parse};

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
            "\"10.0.0.7\"",
            "\"10.0.0.7:6050\"",
            "s.json:12: development.chat[0].host: \"10.0.0.7:6050\" is neither an IP address nor the name \
             of a host: write an address such as \"127.0.0.1\", alone: the port has its own field",
        ),
        (
            "\"chat.example\"",
            "\"ws://x/y;z\"",
            "s.json:9: development.connector[1].clientHost: \"ws://x/y;z\" is neither an IP address nor the \
             name of a host: write the address that clients connect to, alone: the port has its own field",
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
    assert!(parse(&text).is_ok());
    assert_eq!(
        messages("chat-1", &format!("{longest}a")),
        format!(
            "s.json:12: development.chat[0].id: \"{}\"... is 257 bytes long, the longest is 256: \
             write a name such as \"chat-server-1\"",
            "a".repeat(60)
        )
    );
}
