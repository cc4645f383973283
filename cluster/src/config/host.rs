//! What a host may be: an IP address, or a name.

use std::net::IpAddr;

/// Longest name, in bytes, that the Domain Name System has.
const NAME_LEN_MAX: usize = 253;

/// Whether `text` is a host and nothing besides: no port, no scheme, no brackets. It is told to
/// clients, dialled, and named in the policy of the demo page.
pub(super) fn is_host(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok() || is_name(text)
}

fn is_name(text: &str) -> bool {
    // A dot at the end says that nothing is to be added to the name.
    let labels = text.strip_suffix('.').unwrap_or(text).split('.');
    let is_label = |label: &str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        !label.is_empty() && label.chars().all(is_part)
    };
    let is_number = |label: &str| label.chars().all(|c| c.is_ascii_digit());
    // What ends in a number was meant as an address, such as `127.0.0.256`; browsers refuse it.
    text.len() <= NAME_LEN_MAX
        && labels.clone().all(is_label)
        && !labels.clone().next_back().is_some_and(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_an_address_or_a_name_and_nothing_besides() {
        let longest = format!("{}.a", "a".repeat(NAME_LEN_MAX - 2));
        for host in [
            "127.0.0.1",
            "::1",
            "fe80::1",
            "localhost",
            "chat-1.example.com",
            "chat_1",
            "4chat.example.",
            "H",
            &longest,
        ] {
            assert!(is_host(host), "{host}");
        }
        let too_long = format!("a{longest}");
        for wrong in [
            "",
            ".",
            "a..b",
            ".a",
            "a..",
            "127.0.0.1:3014",
            "127.0.0.256",
            "127.0.1",
            "3014",
            "[::1]",
            "::1%lo",
            "chat.example:3050",
            "ws://x/y;z",
            "http://chat.example",
            "chat.example/",
            "a b",
            "a;script-src",
            "*",
            "*.example.com",
            "chät.example",
            &too_long,
        ] {
            assert!(!is_host(wrong), "{wrong}");
        }
    }
}
