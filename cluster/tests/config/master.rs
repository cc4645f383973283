//! `master.json`, which is checked only.

use super::folder::Folder;

/// The problems with a `master.json`, each without the name of the file.
fn problems(text: &str) -> String {
    let problems = Folder::with("master.json", text).problems();
    problems.replace("DIR/master.json:", "")
}

fn fields(fields: &str) -> String {
    format!("{{\"development\": {{\n{fields}}}}}")
}

#[test]
fn a_master_is_read_over_and_known() {
    let master = fields("\"id\": \"m\", \"host\": \"127.0.0.1\", \"port\": 3005");
    let config = Folder::with("master.json", &master).sound();
    assert!(config.master_file.is_some());
    let folder = Folder::with("master.json", &master.replace("}}", ", \"args\": []}}"));
    assert_eq!(
        folder.warnings(),
        "DIR/master.json:2: development.args: is ignored: \
         processes are started and watched from outside"
    );
}

#[test]
fn each_mistake_has_its_line_field_and_remedy() {
    for (text, expected) in [
        (
            String::from("[]"),
            "1: the file: an array where an object is due: write environments such as \"development\"",
        ),
        (
            String::from("{\"production\": {}}"),
            "1: development: no such environment in this file: choose one of production",
        ),
        (
            String::from("{}"),
            "1: development: no such environment in this file: it has none: add \"development\"",
        ),
        (
            String::from("{\n\"development\": 7}"),
            "2: development: a number where an object is due: write the fields id, host and port in { }",
        ),
        (
            fields(""),
            "1: development.id: missing: add \"id\": \"master-server-1\"\n\
             1: development.host: missing: add \"host\": \"127.0.0.1\", where the master would run\n\
             1: development.port: missing: add \"port\": 3005, where servers would reach the master",
        ),
        (
            fields("\"id\": 5, \"host\": \"\",\n\"port\": 70000, \"prot\": 1"),
            "2: development.id: a number where a string is due: write a name such as \"master-server-1\"\n\
             2: development.host: is empty: write an address such as \"127.0.0.1\"\n\
             3: development.prot: unknown field: did you mean port?\n\
             3: development.port: 70000 is not a port: write a whole number from 1 to 65535",
        ),
        (
            fields("\"id\": \"m\", \"host\": \"[::1]\", \"port\": 3005"),
            "2: development.host: \"[::1]\" is neither an IP address nor the name of a host: \
             write an address such as \"127.0.0.1\", alone: the port has its own field",
        ),
        (
            fields("\"id\": \"m\", \"host\": \"h\", \"port\": \"3005\""),
            "2: development.port: a string where a number is due: \
             write a whole number from 1 to 65535, without quotes",
        ),
        // The gate is on 127.0.0.1:3014.
        (
            fields("\"id\": \"m\", \"host\": \"localhost\",\n\"port\": 3014"),
            "3: development.port: port 3014 of localhost is already \
             development.gate[0].clientPort (DIR/servers.json:4): choose another",
        ),
    ] {
        assert_eq!(problems(&text), expected, "{text}");
    }
}
