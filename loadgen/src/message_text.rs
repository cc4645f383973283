//! The content of a virtual user's message: who sent it, when it was due, and padding.
//!
//! `u17.1.4@2500000 ....` is the fourth message of the first login of user 17, due 2.5 s after
//! the start of the run. A receiver needs no table of what was sent to know what it heard.

use std::time::Duration;

use crate::history::MessageId;

/// What fills a content up to its length: one byte per character, in UTF-8, UTF-16 and JSON alike.
const PADDING: char = '.';

/// Writes the content of `message`, padded to `len` bytes. A `len` too small for the identity
/// gives a longer content: what nobody could recognise would be of no use.
pub fn compose(message: MessageId, due: Duration, len: usize) -> String {
    let mut text = format!("{message}@{} ", due.as_micros());
    let missing = len.saturating_sub(text.len());
    text.extend(std::iter::repeat_n(PADDING, missing));
    text
}

/// Reads who sent `text` and when it was due; `None` if no virtual user wrote it.
pub fn parse(text: &str) -> Option<(MessageId, Duration)> {
    let (identity, _padding) = text.strip_prefix('u')?.split_once(' ')?;
    let (message, due_us) = identity.split_once('@')?;
    let mut parts = message.split('.').map(|part| part.parse().ok());
    let message = MessageId {
        user: parts.next()??,
        login: parts.next()??,
        number: parts.next()??,
    };
    if parts.next().is_some() {
        return None;
    }
    Some((message, Duration::from_micros(due_us.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: MessageId = MessageId {
        user: 17,
        login: 1,
        number: 4,
    };

    #[test]
    fn a_content_says_who_sent_it_and_when_it_was_due() {
        let text = compose(MESSAGE, Duration::from_millis(2500), 0);
        assert_eq!(text, "u17.1.4@2500000 ");
        assert_eq!(parse(&text), Some((MESSAGE, Duration::from_millis(2500))));
    }

    #[test]
    fn a_content_has_the_length_asked_for_and_still_reads_back() {
        for len in [16, 17, 200, 64 * 1024] {
            let text = compose(MESSAGE, Duration::from_millis(2500), len);
            assert_eq!(text.len(), len);
            assert_eq!(parse(&text), Some((MESSAGE, Duration::from_millis(2500))));
        }
    }

    #[test]
    fn what_no_virtual_user_wrote_is_not_recognised() {
        for text in [
            "",
            "hello",
            "u17.1.4@2500000",
            "u17.1@5 ",
            "u17.1.4.1@5 ",
            "u17.1.x@5 ",
            "u1.1.1@-5 ",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
