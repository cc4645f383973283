//! How texts from a file stand in messages, and the words that several messages share.

/// Characters of a text from the file that are quoted in a message.
const QUOTE_LEN: usize = 60;

/// Characters of a sentence that has texts from the file in it.
const TEXT_LEN: usize = 400;

/// Whichever of `known` was probably meant by `name`.
pub fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    // No slip of the pen, and the distance takes time for each of its characters.
    if name.len() > QUOTE_LEN {
        return None;
    }
    // One slip in three characters; `client_port` and `Client-Port` are two from `clientPort`.
    let slips_max = (name.chars().count() / 3).clamp(1, 3);
    known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), *known))
        .filter(|(slips, _)| *slips <= slips_max)
        .min()
        .map(|(_, known)| known)
}

/// `text` in quotes, escaped, and cut where it is too long to read.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTE_LEN) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// `name` as a part of a path: as it is where it can be read so, else quoted.
pub(super) fn shown(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_*".contains(c);
    if !name.is_empty() && name.len() <= QUOTE_LEN && name.chars().all(plain) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// `text` on one line: as it is where it can be read so, else quoted.
pub(super) fn printable(text: &str) -> String {
    let is_plain = |c: char| c == ' ' || !(c.is_whitespace() || c.is_control());
    if text.len() <= TEXT_LEN && text.chars().all(is_plain) {
        return text.to_owned();
    }
    match text.char_indices().nth(TEXT_LEN) {
        Some((end, _)) => format!("{}...", text[..end].escape_debug()),
        None => text.escape_debug().to_string(),
    }
}

/// What the parser says, but for the line and column.
pub(super) fn without_place(cause: &serde_json::Error) -> String {
    let text = cause.to_string();
    let place = format!(" at line {} column {}", cause.line(), cause.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// The environments that there are.
pub(super) fn one_of(known: &[String]) -> String {
    if known.is_empty() {
        return String::from("it has none: add \"development\"");
    }
    let names: Vec<String> = known.iter().map(|name| shown(name)).collect();
    printable(&format!("choose one of {}", names.join(", ")))
}

/// What was probably meant, or what is known.
pub(super) fn remedy_for_unknown(nearest: Option<&str>, known: &str) -> String {
    match nearest {
        Some(nearest) => format!("did you mean {nearest}?"),
        None => format!("remove it; known are {known}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_found_in_names_that_can_be_read() {
        let known = "a-name-of-sixty-characters-which-is-the-longest-that-is-read";
        assert_eq!(known.len(), QUOTE_LEN);
        assert_eq!(nearest("gaet", &["gate", "chat"]), Some("gate"));
        assert_eq!(nearest(&known.replace("six", "sxi"), &[known]), Some(known));
        assert_eq!(nearest(&format!("{known}s"), &[known]), None);
    }
}
