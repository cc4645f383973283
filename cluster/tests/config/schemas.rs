//! `serverProtos.json` and `clientProtos.json` as files: what is wrong is found on its line. What
//! can be wrong in a schema is tested with the schemas.

use super::folder::Folder;

fn problems(text: &str) -> String {
    let problems = Folder::with("clientProtos.json", text).problems();
    problems.replace("DIR/clientProtos.json:", "")
}

#[test]
fn each_mistake_has_its_line_message_and_field() {
    let text = r#"{
        "area.playerHandler.move": {
            "required int32 x": 1,
            "reqired int32 y": 2,
            "optional Path path": 3,
            "message Path": {
                "repeated int31 xs": 1,
                "repeated int32 ys":
                    1
            }
        },
        "area.playerHandler.stop": 5,
        "area > odd": {
            "required string a": 0.5
        },
        "a\u0007b": {"optional": 1}
    }"#;
    assert_eq!(
        problems(text),
        "4: area.playerHandler.move: \"reqired int32 y\": \"reqired\" is no option: \
         write required, optional or repeated\n\
         7: area.playerHandler.move > message Path: \"repeated int31 xs\": \
         there is no type \"int31\" here: did you mean \"int32\"?\n\
         8: area.playerHandler.move > message Path: \"repeated int32 ys\": \
         tag 1 is that of \"xs\" already: give each field its own\n\
         12: area.playerHandler.stop: a number where an object of fields is due: \
         write {\"required string name\": 1}\n\
         14: area > odd: \"required string a\": 0.5 is no tag: \
         write a whole number from 0 to 268435455\n\
         16: a\\u{7}b: \"optional\": no field: write \"required string name\", \
         three words with one space between them, or \"message Name\""
    );
}

// The last counts, as everywhere in JSON, and so it is the one to look at.
#[test]
fn of_a_key_that_comes_twice_the_second_is_named() {
    let text = "{\n\"a\": {\n\"optional string b\": 1,\n\"optional string b\": 2},\n\"a\": {}}";
    assert_eq!(
        problems(text),
        "5: a: \"optional string b\": comes twice: remove one of them\n\
         5: a: comes twice: remove one of them"
    );
}

#[test]
fn what_is_no_schema_says_so() {
    assert_eq!(
        problems("\n[]"),
        "2: the file: an array where an object is due: write messages such as \"onChat\""
    );
    assert_eq!(
        problems("{\"a\": {}"),
        "1:8: not JSON: EOF while parsing an object: \
         JSON has no comments and no comma after a last element"
    );
}

#[test]
fn json_that_no_program_reads_whole_is_an_ordinary_mistake() {
    let depth = 100_000;
    let deep = format!("{{\n\"a\": {}{}}}", "[".repeat(depth), "]".repeat(depth));
    for (text, what) in [
        (deep.as_str(), "2: the file: recursion limit exceeded: "),
        ("{\"a\":\n1e999}", "2: the file: number out of range: "),
        (
            "{\n\"a\": \"\\ud800\"}",
            "2: the file: unexpected end of hex escape: ",
        ),
    ] {
        let expected = format!(
            "{what}nest it less deep, with numbers that are less large and whole characters"
        );
        assert_eq!(problems(text), expected);
    }
}

#[test]
fn a_schema_is_at_most_a_mebibyte_long() {
    let text = |len: usize| format!("{{{}}}", " ".repeat(len - 2));
    Folder::with("clientProtos.json", &text(1 << 20)).sound();
    assert_eq!(
        problems(&text((1 << 20) + 1)),
        "1: the file: is 1048577 bytes long, the longest is 1048576: \
         remove messages, as each client is sent them"
    );
}

#[test]
fn a_schema_of_nothing_but_mistakes_is_told_in_seconds() {
    // As many types as fit, each field of a type that is not there.
    let types: Vec<String> = (0..15_000)
        .map(|n| format!("\"message t{n}\": {{}}"))
        .collect();
    let fields: Vec<String> = (0..15_000)
        .map(|n| format!("\"optional unknown{n} f{n}\": {n}"))
        .collect();
    let text = format!("{{{}, \"a\": {{{}}}}}", types.join(","), fields.join(","));
    let lines = problems(&text);
    assert!(lines.lines().count() > 50);
    assert!(lines.len() < 100_000, "{} bytes", lines.len());
}

// Each would be looked for in the whole file, to name its line.
#[test]
fn a_mebibyte_of_keys_that_come_twice_is_told_in_seconds() {
    let fill = |head: &str, member: &str, tail: &str| {
        let count = ((1 << 20) - head.len() - tail.len()) / member.len() - 1;
        let text = format!(
            "{head}{}{}{tail}",
            member.repeat(count),
            member.trim_end_matches(',')
        );
        assert!(text.len() <= 1 << 20);
        problems(&text)
    };
    for lines in [
        fill("{", "\"a\":1,", "}"),
        fill("{", "\"a\":{},", "}"),
        fill("{\"a\":{", "\"optional string b\":1,", "}}"),
        fill("{\"a\":{\"message B\":{", "\"a b\":1,", "}}}"),
    ] {
        // Fifty are shown of those that were looked for; what is no field is one more.
        assert_eq!(lines.lines().count(), 51, "{lines}");
        let last = lines.lines().last().unwrap_or_default();
        assert!([" and 50 more", " and 51 more"].contains(&last), "{last}");
    }
}

// Their paths are not written out for each message inside.
#[test]
fn many_messages_in_one_with_a_long_name_are_told_in_seconds() {
    let name = "n".repeat(500_000);
    let messages = "\"message a\":{},".repeat(30_000);
    let text = format!("{{\"{name}\":{{{messages}\"message a\":{{}}}}}}");
    let lines = problems(&text);
    assert_eq!(lines.lines().last(), Some(" and 50 more"));
}

#[test]
fn the_type_of_a_field_may_be_longer_than_what_anybody_meant() {
    let kind = "t".repeat(100_000);
    let types: Vec<String> = (0..20_000)
        .map(|n| format!("\"message u{n}\":{{}}"))
        .collect();
    let text = format!("{{{},\"a\":{{\"optional {kind} b\":1}}}}", types.join(","));
    let lines = problems(&text);
    assert!(!lines.contains("did you mean"), "{lines}");
    assert_eq!(lines.lines().count(), 1);
}
