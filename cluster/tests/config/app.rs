//! `app.json`: each setting, its bounds, and how the documentation has it.

use std::time::Duration;

use cluster::config::settings;
use cluster::options::{DuplicateLogin, Options};

use super::folder::Folder;

fn problems(text: &str) -> String {
    let problems = Folder::with("app.json", text).problems();
    problems.replace("DIR/app.json:", "")
}

#[test]
fn every_setting_is_taken() {
    let text = r#"{
        "heartbeat": "10s", "useDict": true, "useProtobuf": true, "requestDeadline": "5s",
        "lease": "1s 500ms", "duplicateLogin": "replace", "packageBodyLenMax": 65536,
        "sessionsMax": 5000, "sessionQueueLen": 20000, "sessionQueueBytes": 1048576,
        "outboxLen": 10000, "handshakePatience": "1m"
    }"#;
    let options = Folder::with("app.json", text).sound().options;
    assert_eq!(options.heartbeat, Duration::from_secs(10));
    assert_eq!(options.request_deadline, Duration::from_secs(5));
    assert_eq!(options.lease, Duration::from_millis(1500));
    assert_eq!(options.duplicate_login, DuplicateLogin::Replace);
    assert_eq!(options.package_body_len_max, 65_536);
    assert_eq!(options.sessions_max, 5000);
    assert_eq!(options.session_queue_len, 20_000);
    assert_eq!(options.session_queue_bytes, 1_048_576);
    assert_eq!(options.outbox_len, 10_000);
    assert_eq!(options.handshake_patience, Duration::from_secs(60));
    assert!(options.vocabulary.dictionary.is_some() && options.vocabulary.protos.is_some());

    // As `settings` writes them, without the quotes.
    for (key, value) in settings(&options) {
        let written = text.replace('"', "");
        assert!(
            written.contains(&format!("{key}: {value}")),
            "{key} {value}"
        );
    }
}

#[test]
fn dictionary_and_protobuf_are_on_unless_switched_off() {
    let has = |text: &str| {
        let vocabulary = Folder::with("app.json", text).sound().options.vocabulary;
        (vocabulary.dictionary.is_some(), vocabulary.protos.is_some())
    };
    assert_eq!(has("{}"), (true, true));
    assert_eq!(has("{\"useDict\": false}"), (false, true));
    assert_eq!(has("{\"useProtobuf\": false}"), (true, false));
}

// Whoever switches one on later should not find mistakes only then.
#[test]
fn files_that_are_not_used_are_checked_all_the_same() {
    let folder = Folder::with("app.json", "{\"useDict\": false, \"useProtobuf\": false}")
        .and("dictionary.json", "5")
        .and("serverProtos.json", "5");
    assert_eq!(folder.problems().lines().count(), 2);
}

#[test]
fn each_mistake_has_its_line_key_and_remedy() {
    for (text, expected) in [
        (
            "[]",
            "1: the file: an array where an object is due: \
             write settings such as {\"heartbeat\": \"3s\"}",
        ),
        (
            "{\n\"heartBeat\": \"3s\", \"useProtos\": true, \"token\": \"x\"}",
            "2: heartBeat: unknown field: did you mean heartbeat?\n\
             2: useProtos: unknown field: did you mean useProtobuf?\n\
             2: token: unknown field: remove it; known are heartbeat, useDict, useProtobuf, \
             requestDeadline, lease, duplicateLogin, packageBodyLenMax, sessionsMax, \
             sessionQueueLen, sessionQueueBytes, outboxLen, handshakePatience",
        ),
        (
            "{\"heartbeat\": \"3s\",\n\"heartbeat\": \"4s\"}",
            "2: heartbeat: comes twice (first on line 1): remove one of them",
        ),
        (
            "{\"heartbeat\":\n3}",
            "2: heartbeat: a number where a string is due: write a time such as \"3s\" or \"500ms\"",
        ),
        (
            "{\"heartbeat\": \"3\", \"lease\": \"0s\", \"requestDeadline\": \"61m\"}",
            "1: heartbeat: \"3\" is not a time: \
             write one from \"1ms\" to \"60m\", such as \"3s\" or \"500ms\"\n\
             1: requestDeadline: \"61m\" is not a time: \
             write one from \"1ms\" to \"60m\", such as \"3s\" or \"500ms\"\n\
             1: lease: \"0s\" is not a time: \
             write one from \"1ms\" to \"60m\", such as \"3s\" or \"500ms\"",
        ),
        (
            "{\"heartbeat\": \"1500ms\"}",
            "1: heartbeat: 1s 500ms is not a number of whole seconds, as which clients are told it: \
             write such as \"3s\"",
        ),
        (
            "{\"useDict\": \"true\", \"useProtobuf\": 1}",
            "1: useDict: a string where true or false is due: write true or false, without quotes\n\
             1: useProtobuf: a number where true or false is due: write true or false, without quotes",
        ),
        (
            "{\"duplicateLogin\": \"kick\"}",
            "1: duplicateLogin: \"kick\" is unknown here: write \"refuse\" or \"replace\"",
        ),
        (
            "{\"duplicateLogin\": null}",
            "1: duplicateLogin: null where a string is due: write \"refuse\" or \"replace\"",
        ),
        (
            "{\"sessionsMax\": \"5\", \"outboxLen\": 1.5e4, \"sessionQueueLen\": -1}",
            "1: sessionsMax: a string where a number is due: write a whole number, without quotes\n\
             1: sessionQueueLen: -1 is not a whole number: write one in digits\n\
             1: outboxLen: 1.5e4 is not a whole number: write one in digits",
        ),
        (
            "{\"handshakePatience\": \"999ms\"}",
            "1: handshakePatience: 999ms is out of range: write \"1s\" to \"60m\" \
             (in less time slow phones never get in)",
        ),
    ] {
        assert_eq!(problems(text), expected, "{text}");
    }
}

#[test]
fn each_number_has_bounds_with_a_reason() {
    // Others are raised with it where they must be.
    for (key, least, most, others, reason) in [
        (
            "packageBodyLenMax",
            4096,
            2_621_440,
            "",
            "4096 to 2621440 (bytes; an enter with the longest names must fit, and in JSON a text \
             may be six times as long, where a package holds 16 MiB)",
        ),
        (
            "sessionsMax",
            1,
            1_000_000,
            ", \"outboxLen\": 4194304",
            "1 to 1000000 (sessions at one frontend, each of which needs an open file)",
        ),
        (
            "sessionQueueLen",
            10_001,
            1_048_576,
            "",
            "10001 to 1048576 (packages; all members of a room but one may leave it at once, with \
             their connector)",
        ),
        (
            "sessionQueueBytes",
            65_536,
            1_073_741_824,
            ", \"packageBodyLenMax\": 4096",
            "65536 to 1073741824 (bytes for each client that reads slowly)",
        ),
        (
            "outboxLen",
            1024,
            4_194_304,
            ", \"sessionsMax\": 1",
            "1024 to 4194304 (frames of each link that wait for their acknowledgement)",
        ),
    ] {
        for good in [least, most] {
            Folder::with("app.json", &format!("{{\"{key}\": {good}{others}}}")).sound();
        }
        for bad in [least - 1, most + 1] {
            assert_eq!(
                problems(&format!("{{\"{key}\": {bad}{others}}}")),
                format!("1: {key}: {bad} is out of range: write {reason}")
            );
        }
    }
}

#[test]
fn settings_that_do_not_go_together_are_named_where_they_are() {
    for (text, expected) in [
        (
            "{\n\"lease\": \"5s\", \"requestDeadline\":\n\"5s\"}",
            "2: lease: a lease of 5s is not shorter than a requestDeadline of 5s: shorten the one or \
             lengthen the other, else a request that waits for a dead server is answered too early",
        ),
        // The lease is 2 s by default.
        (
            "{\n\"requestDeadline\": \"2s\"}",
            "2: requestDeadline: a lease of 2s is not shorter than a requestDeadline of 2s: shorten \
             the one or lengthen the other, else a request that waits for a dead server is answered \
             too early",
        ),
        (
            "{\"packageBodyLenMax\": 100000,\n\"sessionQueueBytes\": 99999}",
            "2: sessionQueueBytes: a sessionQueueBytes of 99999 is less than a packageBodyLenMax of \
             100000: raise the one or lower the other, else one long message cuts off who has \
             another to read",
        ),
        (
            "{\"outboxLen\": 50000}",
            "1: outboxLen: 4 times an outboxLen of 50000 is not more than twice a sessionsMax of \
             100000: raise outboxLen or lower sessionsMax, else the death of one connector cuts off \
             the others, which are told of each of its sessions at once",
        ),
    ] {
        assert_eq!(problems(text), expected, "{text}");
    }
}

#[test]
fn the_readme_has_every_setting_with_its_default() {
    let readme = include_str!("../../../README.md");
    let rows: Vec<&str> = readme
        .lines()
        .filter(|line| line.starts_with("| `") && line.matches('|').count() == 4)
        .collect();
    for (key, value) in settings(&Options::default()) {
        let is_text = value.parse::<usize>().is_err() && value != "true";
        let value = if is_text {
            format!("\"{value}\"")
        } else {
            value
        };
        let start = format!("| `{key}` | `{value}` | ");
        assert!(
            rows.iter().any(|row| row.starts_with(&start)),
            "no row of README begins with {start}"
        );
    }
}
