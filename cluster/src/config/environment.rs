//! The environments inside one file.
//!
//! As in Pomelo, a file at the top of the folder has one member for each environment, or it has none
//! and is that of them all; a file in the folder of an environment is that of this environment.

use super::fields::or_the_file;
use super::findings::Findings;
use super::json::{Kind, Node, Source};
use super::problem::What;
use super::words::shown;

/// What stands in a file that may have environments inside.
#[derive(Clone, Copy)]
pub(super) struct Contents {
    /// The members by which a file without environments is known.
    pub(super) members: &'static [&'static str],
    /// What to write in place of a file that is no object.
    pub(super) remedy: &'static str,
}

impl Contents {
    /// The part of a file that is for `environment`, and the path to it: empty if that is the
    /// whole file. `None` if it has none, which is reported.
    pub(super) fn of<'a>(
        self,
        environment: &str,
        source: &Source<'a>,
        root: Node<'a>,
        findings: &mut Findings,
    ) -> Option<(String, Node<'a>)> {
        let line = source.line(root);
        if root.kind() != Kind::Object {
            let what = What::wrong_type(self.remedy, Kind::Object, root);
            findings.problem(line, or_the_file(""), what);
            return None;
        }
        if !self.has_environments(root) {
            return Some((String::new(), root));
        }
        let environments = source.object("", root, findings);
        let path = shown(environment);
        match environments.get(environment) {
            Some(member) => Some((path, member.value)),
            None => {
                let known = self.environments(root);
                let what = What::UnknownEnvironment { known };
                findings.problem(line, path, what);
                None
            }
        }
    }

    /// Whether there is a part for `environment`: of a file without environments it is the whole.
    pub(super) fn has(self, environment: &str, root: Node<'_>) -> bool {
        root.kind() != Kind::Object
            || !self.has_environments(root)
            || self
                .environments(root)
                .iter()
                .any(|name| name == environment)
    }

    /// Whether the members of `root` are environments.
    pub(super) fn has_environments(self, root: Node<'_>) -> bool {
        let members = root.members().unwrap_or_default();
        !members
            .iter()
            .any(|(key, _)| self.members.contains(&key.name().as_str()))
    }

    /// The names of the environments, in the order of the file.
    pub(super) fn environments(self, root: Node<'_>) -> Vec<String> {
        let mut names = Vec::new();
        if self.has_environments(root) {
            for (key, _) in root.members().unwrap_or_default() {
                names.push(key.name());
            }
        }
        names
    }
}
