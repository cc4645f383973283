//! The plans that are part of the program.

use std::fs;
use std::path::Path;

use cluster::config::nearest;

use super::LoadPlan;
use super::file::{Overrides, PlanFile};
use crate::document::FileError;

/// What the name of a file with a plan ends in.
const EXTENSION: &str = "toml";

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../plans/", $name, ".toml")))),*]
    };
}

/// Name and text of each.
const FILES: &[(&str, &str)] = files![
    "default",
    "fan-out-10",
    "fan-out-100",
    "fan-out-1000",
    "capacity",
    "storm",
    "idle-100000",
];

/// The plan called `name`, a built-in one, or the file of that path if it ends in `.toml`; with
/// `overrides` instead of what it says.
///
/// # Errors
///
/// If there is none (the error names the one that was probably meant), or the file is of no use.
pub fn find(name: &str, overrides: &Overrides) -> Result<LoadPlan, FindError> {
    let extension = Path::new(name).extension();
    if extension.is_some_and(|it| it == EXTENSION) {
        let unread = |cause| FindError::Unread {
            file: name.to_owned(),
            cause,
        };
        let text = fs::read_to_string(name).map_err(unread)?;
        return Ok(PlanFile::read(&text, name, overrides)?);
    }
    let Some((_, text)) = FILES.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = FILES.iter().map(|(known, _)| *known).collect();
        let remedy = match nearest(name, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}, and files end in .toml", known.join(", ")),
        };
        let name = name.to_owned();
        return Err(FindError::Unknown { name, remedy });
    };
    Ok(PlanFile::read(text, name, overrides)?)
}

/// There is no such plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// No plan has this name.
    #[error("no plan is called `{name}`; {remedy}")]
    Unknown {
        /// The name.
        name: String,
        /// What was probably meant, or what there is.
        remedy: String,
    },
    /// The file can't be read.
    #[error("can't read {file}")]
    Unread {
        /// Its path.
        file: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// What the file says is wrong.
    #[error(transparent)]
    File(#[from] FileError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_plan_is_sound_and_called_as_its_file() {
        for (name, text) in FILES {
            let plan = find(name, &Overrides::default()).expect(name);
            assert_eq!(plan.name, *name);
            assert!(text.contains("about = "), "{name}");
        }
    }

    #[test]
    fn the_default_plan_is_what_a_run_without_options_does() -> Result<(), FindError> {
        let plan = find("default", &Overrides::default())?;
        let usual = LoadPlan::new(super::super::short::USERS, 1);
        for user in [0, 1, 500, 999] {
            let actions = |plan: &LoadPlan| plan.script(user).actions.collect::<Vec<_>>();
            assert_eq!(actions(&plan), actions(&usual));
        }
        assert_eq!(plan.rooms, usual.rooms);
        Ok(())
    }

    #[test]
    fn an_unknown_name_is_answered_with_one_that_is_near() {
        let said = |name| find(name, &Overrides::default()).unwrap_err().to_string();
        assert_eq!(
            said("strom"),
            "no plan is called `strom`; did you mean `storm`?"
        );
        assert!(said("nope").ends_with("there are default, fan-out-10, fan-out-100, fan-out-1000, capacity, storm, idle-100000, and files end in .toml"));
        assert_eq!(said("no/where.toml"), "can't read no/where.toml");
    }
}
