//! The fields of one object, each read as what it must be.

use std::time::Duration;

use super::findings::Findings;
use super::host::is_host;
use super::json::{Kind, Members, Node, Source, joined};
use super::problem::What;
use super::words::{nearest, quoted, shown};
use crate::limits::SERVER_ID_LEN_MAX;
use crate::options::{self, Clash};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) field: String,
    pub(super) line: usize,
}

/// The fields of one object while they are read.
pub(super) struct Fields<'a, 's> {
    source: &'s Source<'a>,
    path: &'s str,
    line: usize,
    members: Members<'a>,
    findings: &'s mut Findings,
}

impl<T> Placed<T> {
    /// Another value, at the same place.
    pub(super) fn with<U>(&self, value: U) -> Placed<U> {
        Placed {
            value,
            field: self.field.clone(),
            line: self.line,
        }
    }
}

impl<'a, 's> Fields<'a, 's> {
    /// Opens the object at `path`; `None` if it is none, and then `remedy` says what to write.
    pub(super) fn open(
        source: &'s Source<'a>,
        path: &'s str,
        node: Node<'a>,
        remedy: &str,
        findings: &'s mut Findings,
    ) -> Option<Self> {
        let line = source.line(node);
        if node.kind() != Kind::Object {
            let what = What::wrong_type(remedy, Kind::Object, node);
            findings.problem(line, or_the_file(path), what);
            return None;
        }
        let members = source.object(path, node, findings);
        Some(Self {
            source,
            path,
            line,
            members,
            findings,
        })
    }

    /// The line on which the object begins.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// Whether there is a field `name`, right or wrong.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some()
    }

    /// The value of the field `name`.
    pub(super) fn value(&self, name: &str) -> Option<Node<'a>> {
        Some(self.members.get(name)?.value)
    }

    /// Reports fields that are not among `known`, and warns of those among `ignored`.
    pub(super) fn reject_unknown(&mut self, known: &[&'static str], ignored: &[&str]) {
        for (name, member) in self.members.in_order() {
            let line = self.source.line(member.key);
            let field = joined(self.path, &shown(name));
            if ignored.contains(&name) {
                let why =
                    format_args!("is ignored: processes are started and watched from outside");
                self.findings.warning(line, &field, why);
            } else if !known.contains(&name) {
                let what = What::UnknownField {
                    nearest: nearest(name, known),
                    known: known.join(", "),
                };
                self.findings.problem(line, field, what);
            }
        }
    }

    /// The id of a server.
    pub(super) fn id(&mut self, remedy: &str) -> Option<Placed<String>> {
        let id = self.word("id", remedy)?;
        let len = id.value.len();
        if len <= SERVER_ID_LEN_MAX {
            return Some(id);
        }
        let (value, remedy) = (quoted(&id.value), remedy.to_owned());
        let what = What::TooLong {
            value,
            len,
            max: SERVER_ID_LEN_MAX,
            remedy,
        };
        self.problem(&id, what);
        None
    }

    /// A host.
    pub(super) fn host(&mut self, name: &str, remedy: &str) -> Option<Placed<String>> {
        let host = self.word(name, remedy)?;
        if is_host(&host.value) {
            return Some(host);
        }
        let (value, remedy) = (quoted(&host.value), remedy.to_owned());
        self.problem(&host, What::NotAHost { value, remedy });
        None
    }

    /// An id or a host, as far as it is one word.
    fn word(&mut self, name: &str, remedy: &str) -> Option<Placed<String>> {
        let node = self.value(name)?;
        let remedy = remedy.to_owned();
        let what = match node.text() {
            None => What::wrong_type(&remedy, Kind::String, node),
            Some(text) if text.is_empty() => What::Empty { remedy },
            // They are printed and parsed as words: in logs, in the lines of `cluster start`.
            Some(text) if text.contains(|c: char| c.is_whitespace() || c.is_control()) => {
                let value = quoted(&text);
                What::WhiteSpace { value, remedy }
            }
            Some(text) => return Some(self.placed(node, name, text)),
        };
        self.report(node, name, what);
        None
    }

    /// A port.
    pub(super) fn port(&mut self, name: &str) -> Option<Placed<u16>> {
        let node = self.value(name)?;
        let what = match node.raw().parse::<u16>() {
            Ok(port) if port != 0 => return Some(self.placed(node, name, port)),
            _ if node.kind() == Kind::Number => What::NotAPort {
                value: node.excerpt(),
            },
            _ => {
                let remedy = "a whole number from 1 to 65535, without quotes";
                What::wrong_type(remedy, Kind::Number, node)
            }
        };
        self.report(node, name, what);
        None
    }

    /// `true` or `false`.
    pub(super) fn switch(&mut self, name: &str) -> Option<Placed<bool>> {
        let node = self.value(name)?;
        if node.kind() == Kind::Boolean {
            return Some(self.placed(node, name, node.raw() == "true"));
        }
        let what = What::wrong_type("true or false, without quotes", Kind::Boolean, node);
        self.report(node, name, what);
        None
    }

    /// A time such as `"3s"`.
    pub(super) fn time(&mut self, name: &str) -> Option<Placed<Duration>> {
        let node = self.value(name)?;
        let what = match node.text() {
            None => What::wrong_type("a time such as \"3s\" or \"500ms\"", Kind::String, node),
            Some(text) => match options::parse_time(&text) {
                Some(time) => return Some(self.placed(node, name, time)),
                None => What::NotATime {
                    value: quoted(&text),
                },
            },
        };
        self.report(node, name, what);
        None
    }

    /// A whole number.
    pub(super) fn number(&mut self, name: &str) -> Option<Placed<usize>> {
        let node = self.value(name)?;
        let what = match node.raw().parse() {
            Ok(number) => return Some(self.placed(node, name, number)),
            Err(_) if node.kind() == Kind::Number => What::NotANumber {
                value: node.excerpt(),
            },
            Err(_) => What::wrong_type("a whole number, without quotes", Kind::Number, node),
        };
        self.report(node, name, what);
        None
    }

    /// One of the texts in `known`.
    pub(super) fn choice<T: Copy>(
        &mut self,
        name: &str,
        known: &[(&'static str, T)],
    ) -> Option<Placed<T>> {
        let node = self.value(name)?;
        let names: Vec<String> = known.iter().map(|(name, _)| quoted(name)).collect();
        let names = names.join(" or ");
        let what = match node.text() {
            None => What::wrong_type(&names, Kind::String, node),
            Some(text) => match known.iter().find(|(name, _)| *name == text) {
                Some((_, choice)) => return Some(self.placed(node, name, *choice)),
                None => What::NotOneOf {
                    value: quoted(&text),
                    known: names,
                },
            },
        };
        self.report(node, name, what);
        None
    }

    /// Reports the field `name` if it is not there at all; a wrong one was reported before.
    pub(super) fn require<T>(&mut self, name: &str, read: &Option<Placed<T>>, remedy: &str) {
        if read.is_none() && !self.has(name) {
            let remedy = remedy.to_owned();
            let field = joined(self.path, name);
            let what = What::MissingField { remedy };
            self.findings.problem(self.line, field, what);
        }
    }

    /// Reports a clash at the first of its settings that is in the file.
    pub(super) fn clash(&mut self, clash: Clash) {
        let there = clash.settings().iter().find(|name| self.has(name));
        if let Some((name, node)) = there.and_then(|name| Some((name, self.value(name)?))) {
            self.report(node, name, What::Clash(clash));
        }
    }

    /// Whether nothing is wrong with the fields so far.
    pub(super) fn are_sound(&self) -> bool {
        self.findings.is_sound()
    }

    /// Reports what is wrong with what was `read`.
    pub(super) fn problem<T>(&mut self, read: &Placed<T>, what: What) {
        self.findings.problem(read.line, &read.field, what);
    }

    /// Reports what is wrong with the value of the field `name`.
    pub(super) fn report(&mut self, node: Node<'_>, name: &str, what: What) {
        let line = self.source.line(node);
        self.findings.problem(line, joined(self.path, name), what);
    }

    /// The value that was read from the field `name`.
    pub(super) fn placed<T>(&self, node: Node<'_>, name: &str, value: T) -> Placed<T> {
        Placed {
            value,
            field: joined(self.path, name),
            line: self.source.line(node),
        }
    }
}

/// What messages call the value at `path`.
pub(super) fn or_the_file(path: &str) -> String {
    if path.is_empty() {
        String::from("the file")
    } else {
        path.to_owned()
    }
}
