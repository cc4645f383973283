//! The one way by which text comes into a page.

use std::fmt;

/// Text that is shown and never read as HTML, whatever somebody called a room or himself. What can't
/// be seen, or turns the direction of what stands around it, is shown as the replacement character.
pub struct Escaped<T>(pub T);

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for it in self.0.to_string().chars() {
            match it {
                '&' => out.write_str("&amp;")?,
                '<' => out.write_str("&lt;")?,
                '>' => out.write_str("&gt;")?,
                '"' => out.write_str("&quot;")?,
                '\'' => out.write_str("&#39;")?,
                '\n' => out.write_str("\n")?,
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.write_str("\u{fffd}")?,
                it if it.is_control() => out.write_str("\u{fffd}")?,
                it => write!(out, "{it}")?,
            }
        }
        Ok(())
    }
}

/// No more of `text` than `len_max` characters.
pub fn cut(text: &str, len_max: usize) -> String {
    if text.chars().count() <= len_max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(len_max - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_read_as_html() {
        let hostile = "</title><script>alert('1')</script>\" onload=x & \u{202e}\0";
        let expected = "&lt;/title&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\
                        &quot; onload=x &amp; \u{fffd}\u{fffd}";
        assert_eq!(Escaped(hostile).to_string(), expected);
    }

    #[test]
    fn a_long_text_is_cut_between_two_characters() {
        assert_eq!(cut("größer", 6), "größer");
        assert_eq!(cut("größere", 6), "größe…");
    }
}
