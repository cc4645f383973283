//! Settings that only some of a scenario's runs have.

use std::collections::BTreeSet;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use toml::Table;

use super::Scenario;
use crate::settings::Settings;

/// What the settings of some runs are instead: in a file, a part of `[settings]`.
#[derive(Clone, Debug)]
pub struct Variation(Table);

impl<'de> Deserialize<'de> for Variation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = Table::deserialize(deserializer)?;
        if table.contains_key("policy") {
            return Err(D::Error::custom("flaws are for all runs: see [settings]"));
        }
        let read = Settings::deserialize(table.clone());
        read.map_err(|error| D::Error::custom(error.message()))?;
        Ok(Self(table))
    }
}

impl Scenario {
    /// The settings of a run with these of its variations; of two that set the same, the later
    /// counts.
    ///
    /// # Panics
    ///
    /// If there is no such variation.
    pub fn varied_settings(&self, on: &BTreeSet<usize>) -> Settings {
        let mut table = Table::try_from(&self.settings).expect("settings are plain values");
        for variation in on {
            table.extend(self.variations[*variation].0.clone());
        }
        let settings = table.try_into();
        settings.expect("each variation was read as a part of settings")
    }

    /// All settings that its runs can have.
    pub fn all_settings(&self) -> impl Iterator<Item = Settings> {
        (0..1_usize << self.variations.len()).map(|on| {
            let all = 0..self.variations.len();
            self.varied_settings(&all.filter(|variation| on >> variation & 1 == 1).collect())
        })
    }
}
