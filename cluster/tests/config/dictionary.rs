//! `dictionary.json`.

use super::folder::Folder;

fn problems(text: &str) -> String {
    let problems = Folder::with("dictionary.json", text).problems();
    problems.replace("DIR/dictionary.json:", "")
}

// The three handlers have 1 to 3.
#[test]
fn routes_are_numbered_after_those_of_the_handlers() {
    let config = Folder::with("dictionary.json", "[\"onChat\", \"onAdd\"]").sound();
    let dictionary = config.options.vocabulary.dictionary.expect("it is on");
    assert_eq!(dictionary.code("gate.gateHandler.queryEntry"), Some(3));
    assert_eq!(dictionary.code("onChat"), Some(4));
    assert_eq!(dictionary.route(5), Some("onAdd"));
}

#[test]
fn an_empty_object_is_no_route() {
    for text in ["{}", "[]", "\n{ }\n"] {
        let config = Folder::with("dictionary.json", text).sound();
        let dictionary = config.options.vocabulary.dictionary.expect("it is on");
        assert_eq!(dictionary.code_to_route().len(), 3, "{text}");
    }
}

#[test]
fn each_mistake_has_its_line_index_and_remedy() {
    let longest = "é".repeat(127) + "a";
    let config = Folder::with("dictionary.json", &format!("[\"{longest}\"]")).sound();
    let dictionary = config.options.vocabulary.dictionary.expect("it is on");
    assert_eq!(dictionary.code(&longest), Some(4));

    for (text, expected) in [
        (
            String::from("{\"onChat\": 4}"),
            String::from(
                "1: the file: an object where an array is due: write a list of routes in [ ]",
            ),
        ),
        (
            String::from("\n\"onChat\""),
            String::from(
                "2: the file: a string where an array is due: write a list of routes in [ ]",
            ),
        ),
        (
            String::from("[\"a\",\n7, null,\n\"\", \"\\ud800\"]"),
            String::from(
                "2: [1]: a number where a string is due: write a route such as \"onChat\"\n\
                 2: [2]: null where a string is due: write a route such as \"onChat\"\n\
                 3: [3]: is empty: write a route such as \"onChat\"\n\
                 3: [4]: half a surrogate pair where a string is due: write a route such as \"onChat\"",
            ),
        ),
        (
            format!("[\"{longest}a\"]"),
            format!(
                "1: [0]: \"{}\"... is 256 bytes long, the longest is 255: \
                 write a route such as \"onChat\"",
                "é".repeat(60)
            ),
        ),
        (
            String::from("[\"a\",]"),
            String::from(
                "1:6: not JSON: expected value: JSON has no comments and no comma after a last element",
            ),
        ),
    ] {
        assert_eq!(problems(&text), expected, "{text}");
    }
}

#[test]
fn a_route_that_is_there_twice_is_a_warning_with_the_code_that_counts() {
    let text = "[\"onChat\",\n\"chat.chatHandler.send\", \"onChat\",\n\"onChat\"]";
    let folder = Folder::with("dictionary.json", text);
    assert_eq!(
        folder.warnings(),
        "DIR/dictionary.json:2: [1]: \"chat.chatHandler.send\" is the route of a handler already: \
         it is written as 5, and read by both its codes\n\
         DIR/dictionary.json:2: [2]: \"onChat\" is [0] (line 1) already: \
         it is written as 6, and read by both its codes\n\
         DIR/dictionary.json:3: [3]: \"onChat\" is [2] (line 2) already: \
         it is written as 7, and read by both its codes"
    );
    let dictionary = folder.sound().options.vocabulary.dictionary;
    let dictionary = dictionary.expect("it is on");
    assert_eq!(dictionary.code("chat.chatHandler.send"), Some(5));
    assert_eq!(dictionary.code("onChat"), Some(7));
}

// Codes are two bytes, and 0 is none; the handlers have three.
#[test]
fn there_are_65532_codes_for_routes_of_ones_own() {
    let routes = |count: usize| {
        let routes: Vec<String> = (0..count).map(|n| format!("\"r{n}\"")).collect();
        format!("[{}]", routes.join(",\n"))
    };
    let config = Folder::with("dictionary.json", &routes(65_532)).sound();
    let dictionary = config.options.vocabulary.dictionary.expect("it is on");
    assert_eq!(dictionary.code("r65531"), Some(65_535));
    assert_eq!(
        problems(&routes(65_540)),
        "65533: [65532]: 65543 routes, with those of the handlers, are more than 65535: remove some"
    );
}

// It is in the answer to a handshake three times, and a package holds 16 MiB.
#[test]
fn a_dictionary_that_no_handshake_can_carry_is_refused() {
    let tail = "x".repeat(200);
    let routes: Vec<String> = (0..40_000).map(|n| format!("\"{n}{tail}\"")).collect();
    let text = format!("[{}]", routes.join(","));
    let message = problems(&text);
    assert!(
        message.starts_with("1: the file: makes the answer to a handshake 2"),
        "{message}"
    );
    assert!(
        message.ends_with(" bytes long, the longest is 16777215: remove routes"),
        "{message}"
    );
    let folder = Folder::with("dictionary.json", &text).and("app.json", "{\"useDict\": false}");
    assert_eq!(folder.sound().options.vocabulary.dictionary, None);
}
