//! The top of a page: what it is of, what it comes to, what makes that doubtful, and the command that
//! repeats it.

use std::fmt::Write;

use crate::escaped::Escaped;
use crate::run::Program;

/// What stands at the top.
pub struct Top<'a> {
    /// What the page is of.
    pub name: &'a str,
    /// Where it comes from, as markup.
    pub origin: String,
    /// How the verdict is coloured.
    pub class: &'a str,
    /// The verdict, in one word.
    pub word: &'a str,
    /// What it comes to, in one sentence.
    pub sentence: String,
    /// More of that, as markup.
    pub lead: String,
    /// What makes it doubtful.
    pub warnings: &'a [String],
    /// What repeats it.
    pub command: &'a str,
}

impl Top<'_> {
    /// As markup.
    pub fn header(&self) -> String {
        let mut header = format!(
            "<header class=\"{}\"><p class=\"where\">{} <span>{}</span></p>\
             <h1><span class=\"verdict\">{}</span> {}</h1>{}",
            self.class,
            Escaped(self.name),
            self.origin,
            self.word,
            Escaped(&self.sentence),
            self.lead,
        );
        for warning in self.warnings {
            let _ = write!(header, "<p class=\"warning\">{}</p>", Escaped(warning));
        }
        let _ = writeln!(
            header,
            "<div class=\"command\"><span class=\"label\">Again</span><code id=\"command\">{}</code>\
             <button type=\"button\" id=\"copy\" hidden>Copy</button></div></header>",
            Escaped(self.command)
        );
        header
    }
}

/// What made a `kind` of report.
pub fn made_by(kind: &str, program: &Program) -> String {
    let Program { name, version } = program;
    format!("{kind} by {} {}", Escaped(name), Escaped(version))
}

/// A date as it is read.
pub fn date(date: &str) -> String {
    Escaped(date.replace('T', " ").replace('Z', " UTC")).to_string()
}

/// A sentence of a summary, as the first of a page.
pub fn capitalized(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// One of the most important figures: its name in words of the program, all else markup.
pub fn tile(name: &str, value: &str, below: &str) -> String {
    format!(
        "<div class=\"tile\"><span class=\"name\">{}</span><span class=\"value\">{value}</span>\
         <span class=\"below\">{below}</span></div>",
        Escaped(name)
    )
}

/// All of them.
pub fn tiles(tiles: &str) -> String {
    match tiles.is_empty() {
        true => String::new(),
        false => format!("<div class=\"tiles\">{tiles}</div>\n"),
    }
}
