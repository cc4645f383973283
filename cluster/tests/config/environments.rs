//! All environments of a folder, checked together.

use std::sync::Arc;

use super::folder::Folder;

/// A file with `part` as each of `environments`.
fn file(environments: &[&str], part: &str) -> String {
    let members: Vec<String> = environments
        .iter()
        .map(|name| format!("\"{name}\": {part}"))
        .collect();
    format!("{{{}}}", members.join(",\n"))
}

/// The lists of servers without the environment around them, on one line.
const LISTS: &str = r#"{"gate": [{"id": "g", "host": "h", "clientPort": 1, "frontend": true}], "connector": [{"id": "c", "host": "h", "clientPort": 2, "frontend": true}], "chat": [{"id": "r", "host": "h", "port": 3}]}"#;

const MASTER: &str = r#"{"id": "m", "host": "h", "port": 4}"#;

/// What is wrong with any environment, and the warnings, each with `DIR` for the folder.
fn problems(folder: &Folder) -> (String, String) {
    let error = folder
        .place()
        .check(|_, _| ())
        .expect_err("it was accepted");
    let warnings = folder.named(&error.warnings.join("\n"));
    (folder.named(&error.to_string()), warnings)
}

#[test]
fn the_environments_are_those_of_both_files_and_of_the_folders() {
    let folder = Folder::empty()
        .and("servers.json", file(&["b", "a", "b"], LISTS))
        .and("master.json", file(&["a", "c"], MASTER))
        .and("d/app.json", "{}")
        .and("a/app.json", "{}");
    let environments = folder.place().environments().expect("they are few");
    assert_eq!(environments, ["b", "a", "c", "d"]);
}

#[test]
fn the_folder_of_an_environment_without_servers_is_checked() {
    let folder =
        Folder::with("production/app.json", "garbage").and("production/servers.json", "garbage");
    let (problems, warnings) = problems(&folder);
    let lines: Vec<&str> = problems.lines().collect();
    assert_eq!(lines.len(), 2, "{problems}");
    assert!(lines[0].starts_with("DIR/production/app.json:1:1: not JSON"));
    assert_eq!(
        lines[1],
        "DIR/servers.json:1: production: no such environment in this file: choose one of development"
    );
    assert_eq!(
        warnings,
        "DIR/production/servers.json: is not read, because DIR/servers.json comes first: \
         remove one of them"
    );
}

#[test]
fn an_environment_of_the_master_without_servers_is_checked() {
    let broken = MASTER.replace('4', "0");
    let folder = Folder::with(
        "master.json",
        &format!("{{\"development\": {MASTER},\n\"production\": {broken}}}"),
    );
    let (problems, _) = problems(&folder);
    assert_eq!(
        problems,
        "DIR/master.json:2: production.port: 0 is not a port: write a whole number from 1 to 65535\n\
         DIR/servers.json:1: production: no such environment in this file: choose one of development"
    );
}

#[test]
fn each_folder_without_servers_is_told() {
    let folder = Folder::empty()
        .and("a/app.json", "{}")
        .and("b/app.json", "{}")
        .and("server.json", "{}");
    let (problems, warnings) = problems(&folder);
    assert_eq!(
        problems,
        "DIR: has neither servers.json nor a/servers.json: add one of them\n\
         DIR: has neither servers.json nor b/servers.json: add one of them"
    );
    assert_eq!(
        warnings,
        "DIR/server.json: is not read: did you mean servers.json?"
    );
}

#[test]
fn folders_are_environments_that_count() {
    let names: Vec<String> = (0..100).map(|n| format!("e{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let folder = Folder::empty()
        .and("servers.json", file(&names, LISTS))
        .and("another/app.json", "{}");
    assert_eq!(
        problems(&folder).0,
        "DIR: servers.json, master.json and the folders have 101 environments, \
         of which at most 100 are read: remove some"
    );
}

#[test]
fn what_all_environments_share_is_read_once() {
    let names: Vec<String> = (0..100).map(|n| format!("e{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let fields: Vec<String> = (0..20_000)
        .map(|n| format!("\"optional string a{n}\": {n}"))
        .collect();
    let folder = Folder::empty()
        .and("servers.json", file(&names, LISTS))
        .and("dictionary.json", "[\"onChat\", \"onChat\"]")
        .and(
            "serverProtos.json",
            format!("{{\"mine\": {{{}}}}}", fields.join(",")),
        )
        .and("e7/app.json", "{\"heartbeat\": \"7s\"}")
        .and("e9/clientProtos.json", "{}");
    let mut all = Vec::new();
    let warnings = folder.place().check(|name, config| {
        all.push((name.to_owned(), config.options));
    });
    let warnings = warnings.unwrap_or_else(|error| panic!("{error}"));
    // The route that comes twice.
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(all.len(), 100);
    let mut made = 0;
    for pair in all.windows(2) {
        let protos = |index: usize| pair[index].1.vocabulary.protos.as_ref().expect("it is on");
        made += usize::from(!Arc::ptr_eq(protos(0), protos(1)));
    }
    // For e9 and, again, for e10.
    assert_eq!(made, 2);
    for (name, options) in all {
        let heartbeat = if name == "e7" { 7 } else { 3 };
        assert_eq!(options.heartbeat.as_secs(), heartbeat, "{name}");
    }
}

// A list at the top without environments is that of all of them, with all its mistakes.
#[test]
fn mistakes_that_all_environments_share_are_counted_once() {
    let count = 20_000;
    let lists = LISTS.replace("\"chat\": [", &format!("\"chat\": [{}", "7,".repeat(count)));
    let mut folder = Folder::empty().and("servers.json", lists);
    for n in 0..20 {
        folder = folder.and(&format!("e{n}/app.json"), "{}");
    }
    let (problems, _) = problems(&folder);
    assert_eq!(problems.lines().count(), 51);
    // None is dropped: the list is longer than what is kept, but not than what is taken.
    let more = format!("DIR/servers.json: and {} more", count - 50);
    assert_eq!(problems.lines().last(), Some(more.as_str()));
}

#[test]
fn mistakes_of_many_environments_are_counted_and_not_kept() {
    let names: Vec<String> = (0..100).map(|n| format!("e{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let lists = LISTS.replace("\"chat\": [", &format!("\"chat\": [{}", "7,".repeat(500)));
    let folder = Folder::empty().and("servers.json", file(&names, &lists));
    let error = folder
        .place()
        .check(|_, _| ())
        .expect_err("it was accepted");
    let cluster::config::FileError::Invalid {
        problems, left_out, ..
    } = &error.files[0]
    else {
        panic!("{error}");
    };
    assert_eq!((problems.len(), *left_out), (1000, 49_000));
}

#[test]
fn what_is_sound_is_handed_over_in_order() {
    let folder = Folder::with("master.json", &file(&["development"], MASTER));
    let mut names = Vec::new();
    let warnings = folder
        .place()
        .check(|name, config| names.push((name.to_owned(), config.topology.chats.len())));
    assert_eq!(warnings.map_err(|error| error.to_string()), Ok(Vec::new()));
    assert_eq!(names, [(String::from("development"), 1)]);
}
