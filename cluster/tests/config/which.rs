//! Which of the files in a folder counts.

use std::time::Duration;

use cluster::config::{Place, settings};
use cluster::options::Options;

use super::GOOD;
use super::folder::Folder;

/// The lists of [`GOOD`] without the environment around them.
fn lists() -> String {
    let lists = GOOD.trim_start_matches("{\n  \"development\":");
    lists.strip_suffix('}').expect("its end").to_owned()
}

#[test]
fn the_built_in_configuration_is_the_shipped_folder_and_the_default() {
    let shipped = Place::folder(concat!(env!("CARGO_MANIFEST_DIR"), "/config"));
    for environment in ["development", "production"] {
        let shipped = shipped.load(environment).expect("it is sound");
        let built_in = Place::built_in().load(environment).expect("it is sound");
        assert_eq!(shipped.topology, built_in.topology);
        assert_eq!(shipped.options.vocabulary, built_in.options.vocabulary);
        assert_eq!(settings(&shipped.options), settings(&built_in.options));
        assert_eq!(shipped.warnings, [""; 0]);
        let default = Options::default();
        assert_eq!(default.vocabulary, built_in.options.vocabulary);
        assert_eq!(settings(&default), settings(&built_in.options));
        assert_eq!(built_in.servers_file, "the built-in servers.json");
    }
}

// Without app.json the settings are those of the shipped one; other files that are not there are
// empty.
#[test]
fn a_folder_needs_nothing_but_its_servers() {
    let config = Folder::empty().and("servers.json", GOOD).sound();
    let vocabulary = &config.options.vocabulary;
    let protos = vocabulary.protos.as_ref().expect("it is on by default");
    assert!(protos.server().to_parsed().is_empty() && protos.client().to_parsed().is_empty());
    assert_eq!(
        vocabulary.dictionary,
        Options::default().vocabulary.dictionary
    );
    assert_eq!(settings(&config.options), settings(&Options::default()));
    assert_eq!(config.topology.chats[0].id, "chat-1");
    assert_eq!(config.master_file, None);
}

// loadConfigBaseApp in lib/application.js of Pomelo 2.2.7.
#[test]
fn a_file_at_the_top_comes_before_that_of_the_environment() {
    let names = [
        ("servers.json", GOOD),
        (
            "master.json",
            "{\"id\": \"m\", \"host\": \"h\", \"port\": 1}",
        ),
        ("serverProtos.json", "{}"),
        ("clientProtos.json", "{}"),
        ("dictionary.json", "[\"onTop\"]"),
        ("app.json", "{\"heartbeat\": \"4s\"}"),
    ];
    let mut folder = Folder::empty();
    for (name, text) in names {
        folder = folder.and(name, text);
        // Were it read, it would be a mistake.
        folder = folder.and(&format!("development/{name}"), "5");
    }
    let config = folder.sound();
    assert_eq!(config.options.heartbeat, Duration::from_secs(4));
    let expected = names.map(|(name, _)| {
        format!(
            "DIR/development/{name}: is not read, because DIR/{name} comes first: remove one of them"
        )
    });
    assert_eq!(folder.warnings(), expected.join("\n"));
}

#[test]
fn a_file_that_is_not_at_the_top_is_that_of_the_environment() {
    let folder = Folder::empty()
        .and("development/servers.json", lists())
        .and(
            "development/master.json",
            "{\"id\": \"m\", \"host\": \"h\", \"port\": 1}",
        )
        .and(
            "development/serverProtos.json",
            "{\"mine\": {\"optional string a\": 1}}",
        )
        .and(
            "development/clientProtos.json",
            "{\"yours\": {\"optional string a\": 1}}",
        )
        .and("development/dictionary.json", "[\"onMine\"]")
        .and("development/app.json", "{\"lease\": \"1s\"}")
        .and("production/app.json", "5");
    let config = folder.sound();
    assert_eq!(config.topology.chats[0].id, "chat-1");
    assert_eq!(config.options.lease, Duration::from_secs(1));
    let vocabulary = &config.options.vocabulary;
    let protos = vocabulary.protos.as_ref().expect("it is on");
    assert!(protos.server().encodes("mine") && protos.client().encodes("yours"));
    let dictionary = vocabulary.dictionary.as_ref().expect("it is on");
    assert_eq!(dictionary.code("onMine"), Some(4));
    assert_eq!(
        folder.named(&config.servers_file),
        "DIR/development/servers.json"
    );
    let master = config.master_file.map(|file| folder.named(&file));
    assert_eq!(master.as_deref(), Some("DIR/development/master.json"));
    assert_eq!(folder.warnings(), "");
}

#[test]
fn a_mistake_in_the_file_of_an_environment_has_no_environment_in_its_field() {
    let folder = Folder::empty()
        .and("development/servers.json", lists().replace("6050", "0"))
        .and("development/master.json", "\n5");
    assert_eq!(
        folder.problems(),
        "DIR/development/master.json:2: the file: a number where an object is due: \
         write the fields id, host and port in { }\n\
         DIR/development/servers.json:11: chat[0].port: 0 is not a port: \
         write a whole number from 1 to 65535"
    );
}

#[test]
fn a_file_at_the_top_without_environments_is_that_of_all() {
    let folder = Folder::empty().and("servers.json", lists()).and(
        "master.json",
        "{\"id\": \"m\", \"host\": \"h\", \"port\": 1}",
    );
    for environment in ["development", "any"] {
        let config = folder.place().load(environment).expect("it is sound");
        assert_eq!(config.topology.chats[0].id, "chat-1");
    }
    let environments = |folder: &Folder| folder.place().environments().expect("they are few");
    assert_eq!(environments(&folder), ["development"]);
    let folder = folder
        .and("staging/app.json", "{}")
        .and("production/dictionary.json", "{}")
        .and("notes/readme.txt", "");
    assert_eq!(environments(&folder), ["production", "staging"]);
}

#[test]
fn environments_without_a_file_at_the_top_are_folders() {
    let folder = Folder::empty()
        .and("b/servers.json", lists())
        .and("a/servers.json", lists().replace("\"chat-1\"", "8"));
    assert_eq!(folder.place().environments().expect("two"), ["a", "b"]);
    let error = folder.place().check(|_, _| ()).expect_err("one is wrong");
    assert_eq!(
        folder.named(&error.to_string()),
        "DIR/a/servers.json:11: chat[0].id: a number where a string is due: \
         write a name such as \"chat-server-1\""
    );
}

#[test]
fn a_folder_without_servers_says_where_they_may_be() {
    assert_eq!(
        Folder::empty().problems_of("production"),
        "DIR: has neither servers.json nor production/servers.json: add one of them"
    );
    let folder = Folder::empty().and("file", "");
    let message = |name: &str| {
        let place = Place::folder(folder.path().join(name));
        folder.named(
            &place
                .check(|_, _| ())
                .expect_err("no such folder")
                .to_string(),
        )
    };
    assert_eq!(
        message("none"),
        "DIR/none: cannot be read: No such file or directory (os error 2): \
         give the path of a readable folder"
    );
    assert_eq!(
        message("file"),
        "DIR/file: cannot be read: Not a directory (os error 20): \
         give the path of a readable folder"
    );
}

// The name may come from a file.
#[test]
fn the_name_of_an_environment_does_not_lead_out_of_the_folder() {
    for name in ["../outside", "..", ".", "", "sub/folder", "outside/"] {
        let quoted = format!("{name:?}");
        let folder = Folder::empty()
            .and(
                "config/servers.json",
                GOOD.replace("\"development\"", &quoted),
            )
            .and("outside/app.json", "5")
            .and("config/outside/app.json", "5")
            .and("config/sub/folder/app.json", "5")
            .and("app.json", "5");
        let place = Place::folder(folder.path().join("config"));
        let loaded = place.load(name).map(|config| config.topology.chats.len());
        assert_eq!(loaded.map_err(|error| error.to_string()), Ok(1), "{name}");
    }
}

#[test]
fn a_file_whose_name_is_a_slip_of_the_pen_is_told() {
    let mut folder = Folder::empty().and("servers.json", GOOD);
    for name in [
        "dictonary.json",
        "development/App.json",
        "adminServer.json",
        "adminUser.json",
        "crons.json",
        "log4js.json",
        "masterha.json",
        "notes.txt",
    ] {
        folder = folder.and(name, "");
    }
    assert_eq!(
        folder.warnings(),
        "DIR/dictonary.json: is not read: did you mean dictionary.json?\n\
         DIR/development/App.json: is not read: did you mean app.json?"
    );
}

#[test]
fn problems_of_all_files_come_at_once_by_file_and_line() {
    let folder = Folder::empty()
        .and(
            "servers.json",
            GOOD.replace("6050", "0").replace("3014", "0"),
        )
        .and("master.json", "\n{\"development\": 5}")
        .and("serverProtos.json", "[]")
        .and("clientProtos.json", "{")
        .and("dictionary.json", "[\n5]")
        .and("app.json", b"\n\n\xff");
    let problems = folder.problems();
    let places: Vec<&str> = problems
        .lines()
        .map(|line| line.split(": ").next().expect("it has a place"))
        .collect();
    assert_eq!(
        places,
        [
            "DIR/app.json:3",
            "DIR/clientProtos.json:1:1",
            "DIR/dictionary.json:2",
            "DIR/master.json:2",
            "DIR/serverProtos.json:1",
            "DIR/servers.json:4",
            "DIR/servers.json:12",
        ],
        "{problems}"
    );
}

#[test]
fn what_two_environments_share_is_reported_once() {
    let both = format!(
        "{{\"development\": {0}, \"production\": {0}}}",
        lists().trim()
    );
    let folder = Folder::empty()
        .and("servers.json", both)
        .and("app.json", "{\"heartbaet\": \"3s\"}");
    let error = folder
        .place()
        .check(|_, _| ())
        .expect_err("one key is wrong");
    assert!(
        folder
            .named(&error.to_string())
            .starts_with("DIR/app.json:1: heartbaet: unknown field: did you mean heartbeat?"),
        "{error}"
    );
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
}

#[test]
fn an_environment_that_nobody_has_is_missed_once() {
    let folder = Folder::with(
        "master.json",
        "{\"development\": {\"id\": \"m\", \"host\": \"h\", \"port\": 1}}",
    );
    assert_eq!(
        folder.problems_of("staging"),
        "DIR/servers.json:1: staging: no such environment in this file: choose one of development"
    );
}
