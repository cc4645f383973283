//! What holds for any file.

use cluster::config::{ConfigError, FileError, settings};
use cluster::wire::handshake::Answers;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::folder::Folder;
use super::{GOOD, bodies, parse};

/// A correct text of each file.
const FILES: [(&str, &str); 6] = [
    ("servers.json", GOOD),
    (
        "master.json",
        r#"{"development": {"id": "m", "host": "127.0.0.1", "port": 3005, "args": []}}"#,
    ),
    ("serverProtos.json", bodies::SERVER),
    ("clientProtos.json", bodies::CLIENT),
    (
        "dictionary.json",
        "[\"onChat\", \"onAdd\",\n\"chat.chatHandler.send\", \"onAdd\"]",
    ),
    (
        "app.json",
        r#"{"heartbeat": "10s", "useDict": true, "requestDeadline": "5s",
            "lease": "1s 500ms", "duplicateLogin": "replace", "packageBodyLenMax": 65536,
            "sessionsMax": 5000, "outboxLen": 10000, "handshakePatience": "1m"}"#,
    ),
];

/// An answer, never a panic: what is accepted can be used, and every problem is one line of text that
/// names a line of its file.
fn survives(name: &str, content: &[u8]) -> Result<(), TestCaseError> {
    let mut folder = Folder::empty();
    for (file, good) in FILES {
        folder = folder.and(
            file,
            if file == name {
                content
            } else {
                good.as_bytes()
            },
        );
    }
    match folder.load() {
        Ok(config) => {
            let options = config.options;
            prop_assert!(options.lease < options.request_deadline);
            settings(&options);
            Answers::new(Some(options.heartbeat), options.vocabulary).expect("it fits");
            Ok(())
        }
        Err(error) => is_in_order(&error, name, content),
    }
}

fn is_in_order(error: &ConfigError, name: &str, content: &[u8]) -> Result<(), TestCaseError> {
    prop_assert!(!error.files.is_empty());
    for file in &error.files {
        // Another port for the gate can be that of the master.
        let is_here = file.file().ends_with(&format!("/{name}"));
        prop_assert!(is_here || name == "servers.json", "{file}");
        let lines = 1 + content.iter().filter(|byte| **byte == b'\n').count();
        match file {
            FileError::Invalid { problems, .. } => {
                prop_assert!(!problems.is_empty());
                for problem in problems {
                    prop_assert!(
                        !is_here || (1..=lines).contains(&problem.line),
                        "{problem:?}"
                    );
                    let text = problem.to_string();
                    prop_assert!(!text.contains(char::is_control), "{text:?}");
                }
            }
            FileError::NotJson { line, .. } | FileError::NotText { line, .. } => {
                prop_assert!((1..=lines).contains(line), "{file}");
            }
            other => prop_assert!(false, "{other}"),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Whatever is changed, put in or taken out.
    #[test]
    fn no_edit_of_a_good_file_panics(
        file in 0..FILES.len(),
        at: Index,
        cut in 0..40_usize,
        put in prop_oneof![".{0,6}", r#"[]\[{}":,0-9a-z\\ \n]{0,6}"#],
    ) {
        let (name, good) = FILES[file];
        let mut bytes = good.as_bytes().to_vec();
        let at = at.index(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, put.bytes());
        survives(name, &bytes)?;
    }

    #[test]
    fn no_bytes_panic(file in 0..FILES.len(), bytes in vec(any::<u8>(), 0..60)) {
        survives(FILES[file].0, &bytes)?;
    }

    /// JSON of any shape, with the keys that mean something somewhere.
    #[test]
    fn no_json_panics(file in 0..FILES.len(), json in json()) {
        survives(FILES[file].0, json.as_bytes())?;
    }

    /// Each port from 1 to 65535 is taken as it is, each other number is refused.
    #[test]
    fn exactly_the_ports_are_ports(number in -70_000_i64..140_000) {
        let result = parse(&GOOD.replace("6050", &number.to_string()));
        match result {
            Ok(config) => prop_assert_eq!(i64::from(config.topology.chats[0].port), number),
            Err(error) => {
                prop_assert!(!(1..=65535).contains(&number), "{}", error);
            }
        }
    }
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(String::from("null")),
        Just(String::from("true")),
        Just(String::from("\"3s\"")),
        Just(String::from("\"\\ud800\"")),
        Just(String::from("\"6050++\"")),
        Just(String::from("{}")),
        any::<i32>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:e}")
            .replace("NaN", "0")
            .replace("inf", "1")),
        "[a-z*.]{0,4}".prop_map(|text| format!("\"{text}\"")),
    ];
    let key = prop_oneof![
        proptest::sample::select(vec![
            "development",
            "gate",
            "connector",
            "chat",
            "id",
            "host",
            "port",
            "clientPort",
            "clusterCount",
            "frontend",
            "onChat",
            "chat.chatHandler.send",
            "required string msg",
            "optional uInt32 code",
            "repeated A a",
            "message A",
            "heartbeat",
            "lease",
            "__proto__",
            "outboxLen",
            "sessionsMax",
            "useDict",
            "duplicateLogin",
        ])
        .prop_map(String::from),
        "[a-z ]{0,3}",
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let member = (key.clone(), inner.clone());
        prop_oneof![
            vec(inner, 0..5).prop_map(|items| format!("[{}]", items.join(",\n"))),
            vec(member, 0..6).prop_map(|members| {
                let members: Vec<String> = members
                    .iter()
                    .map(|(key, value)| format!("\"{key}\": {value}"))
                    .collect();
                format!("{{{}}}", members.join(",\n"))
            }),
        ]
    })
}
