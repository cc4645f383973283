//! What a sentence about a run says in general.

/// As much of a sentence counts: what follows a `;` are further steps or cases.
const END: char = ';';
/// Stands for a name, a number or a time, and for a list of them.
const ANY: &str = "_";

/// `sentence` without what is another one in another run. All names of users, sessions, messages,
/// rooms and servers have a number in them.
pub fn shape(sentence: &str) -> String {
    let sentence = sentence.split(END).next().unwrap_or_default();
    let mut words: Vec<&str> = Vec::new();
    for word in sentence.split_whitespace() {
        let is_place = word.contains(".rs:");
        let is_any = !is_place && word.contains(|it: char| it.is_ascii_digit());
        let word = if is_any { ANY } else { word };
        match &words[..] {
            [.., ANY] if word == ANY => {}
            [.., ANY, "and" | "or"] if word == ANY => {
                words.pop();
            }
            _ => words.push(word),
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_numbers_and_times_are_left_out_and_places_in_the_code_are_not() {
        for (sentence, expected) in [
            (
                "bob-3 (u2.1) heard u1.1.1 again, first at 00:05.010",
                "_ heard _ again, first at _",
            ),
            (
                "connector-server-2 still has room-0-1 with user-7, user-9 and probe-1",
                "_ still has _ with _",
            ),
            (
                "room-1: no common order, since u1.1 saw u2.1.4 before u3.1.1; u2.1 sent it",
                "_ no common order, since _ saw _ before _",
            ),
            (
                "panic at cluster/src/chat.rs:12:5: 3 of 4 are gone",
                "panic at cluster/src/chat.rs:12:5: _ of _ are gone",
            ),
        ] {
            assert_eq!(shape(sentence), expected);
        }
    }
}
