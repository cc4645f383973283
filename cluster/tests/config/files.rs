//! Files that are no configuration at all, or wrong all over.

use cluster::config::{ConfigError, FILE_LEN_MAX, Place};

use super::folder::Folder;
use super::{GOOD, messages_of};

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
         it has none: add \"development\""
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
    let (folder, place) = Folder::alone(&format!("{first},\n{second}"));
    assert_eq!(place.environments()?, ["development", "staging"]);
    assert!(place.load("development").is_ok());
    let error = place
        .check(|_, _| ())
        .expect_err("staging is wrong")
        .to_string();
    assert_eq!(
        folder.named(&error),
        "DIR/s.json:25: staging.chat[0].id: a number where a string is due: \
         write a name such as \"chat-server-1\""
    );
    Ok(())
}

#[test]
fn nobody_has_more_than_a_hundred_environments() {
    let members: Vec<String> = (0..101).map(|n| format!("\"e{n}\": {{}}")).collect();
    let (folder, place) = Folder::alone(&format!("\n{{{}}}", members.join(",")));
    let error = place.check(|_, _| ()).expect_err("too many").to_string();
    assert_eq!(
        folder.named(&error),
        "DIR/s.json:2: the file: 101 environments, of which at most 100 are read: remove some"
    );
}

// An entry of a few bytes can stand for a thousand servers.
#[test]
fn ten_thousand_servers_of_a_type_are_enough() {
    let entry = |n| format!("{{\"host\": \"h{n}\", \"port\": \"1++\", \"clusterCount\": 1000}}");
    let entries: Vec<String> = (0..200).map(entry).collect();
    let entries = entries.join(",\n");
    let from = "{\"id\": \"chat-1\", \"host\": \"10.0.0.7\", \"port\": 6050}";
    let message = messages_of(&GOOD.replace(from, &entries));
    let expected =
        "s.json:22: development.chat[10]: more than 10000 servers of one type: remove some";
    assert!(message.lines().any(|line| line == expected), "{message}");
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
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("none.json");
    let message = |path: &std::path::Path| {
        let error = Place::servers(path).load("development");
        let error = error.expect_err("it cannot be read").to_string();
        error.replace(&folder.path().display().to_string(), "DIR")
    };
    assert_eq!(
        message(&path),
        "DIR/none.json: cannot be read: No such file or directory (os error 2): give the path of a readable servers.json"
    );
    assert_eq!(
        message(folder.path()),
        "DIR: cannot be read: Is a directory (os error 21): give the path of a readable servers.json"
    );
    std::fs::write(&path, b"{\n\"a\": \"\xff\"}")?;
    assert_eq!(
        message(&path),
        "DIR/none.json:2: not text: save the file as UTF-8"
    );
    std::fs::File::create(&path)?.set_len(FILE_LEN_MAX + 1)?;
    assert_eq!(
        message(&path),
        "DIR/none.json: cannot be read: it is longer than 16777216 bytes: \
         give the path of a readable servers.json"
    );
    Ok(())
}

// The greatest file of nothing but mistakes.
#[test]
fn millions_of_mistakes_are_counted_and_not_kept() {
    let count = 1_000_000;
    let routes = vec!["7"; count].join(",");
    let message = messages_of(&format!("{{\"development\": {{\"chat\": [{routes}]}}}}"));
    assert_eq!(message.lines().count(), 51);
    // Two more: the lists of gates and connectors are missing.
    assert_eq!(
        message.lines().last(),
        Some(format!("s.json: and {} more", count + 2 - 50).as_str())
    );
}

#[test]
fn a_field_with_a_name_of_fifteen_megabytes_is_told_in_seconds() {
    let name = "clientPort".repeat(1_500_000);
    for text in [
        GOOD.replacen("\"frontend\"", &format!("\"{name}\""), 1),
        GOOD.replacen("\"gate\"", &format!("\"{name}\""), 1),
    ] {
        let message = messages_of(&text);
        assert!(message.contains("...: unknown "), "{message}");
        assert!(!message.contains("did you mean"), "{message}");
    }
}
