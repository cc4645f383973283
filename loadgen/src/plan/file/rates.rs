//! What a file says of rates and think times.

use std::fmt;
use std::time::Duration;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::plan::curve::Curve;
use crate::plan::think::{Law, Think};
use crate::time_text;

/// A rate: a number, or a table that says how it changes.
#[derive(Clone, Debug, PartialEq)]
pub enum RateFile {
    /// Always the same.
    Number(f64),
    /// As its shape says.
    Table(ShapeFile),
}

/// How a rate changes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ShapeFile {
    /// Which of the shapes.
    pub shape: Shape,
    /// Of a ramp and of steps: at its start.
    pub from: Option<f64>,
    /// Of a ramp and of steps: at its end.
    pub to: Option<f64>,
    /// How many steps.
    pub steps: Option<u32>,
    /// Of a spike: before and after it.
    pub base: Option<f64>,
    /// Of a spike: in it.
    pub peak: Option<f64>,
    /// Of a spike: from the start of the stage to it.
    #[serde(default, with = "time_text::maybe")]
    pub after: Option<Duration>,
    /// Of a spike: how long it is.
    #[serde(default, with = "time_text::maybe")]
    pub lasts: Option<Duration>,
}

/// What shapes a changing rate can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// From one rate to another.
    Ramp,
    /// The same in steps.
    Steps,
    /// A rate that is another for a while.
    Spike,
}

/// How long a user thinks between two sends.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ThinkFile {
    /// Which law.
    pub law: LawName,
    /// Of the constant one.
    #[serde(default, with = "time_text::maybe")]
    pub time: Option<Duration>,
    /// Of the uniform one.
    #[serde(default, with = "time_text::maybe")]
    pub min: Option<Duration>,
    /// Of the uniform one.
    #[serde(default, with = "time_text::maybe")]
    pub max: Option<Duration>,
    /// Of the exponential one.
    #[serde(default, with = "time_text::maybe")]
    pub mean: Option<Duration>,
    /// Of the log-normal one.
    #[serde(default, with = "time_text::maybe")]
    pub median: Option<Duration>,
    /// Of the log-normal one.
    pub sigma: Option<f64>,
    /// Of any: no one thinks longer.
    #[serde(default, with = "time_text::maybe")]
    pub cap: Option<Duration>,
}

/// What laws think times can follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LawName {
    /// Always the same.
    Constant,
    /// Anything between two.
    Uniform,
    /// As between events that know nothing of one another.
    Exponential,
    /// Often short, now and then very long.
    LogNormal,
}

impl RateFile {
    /// Once per second.
    pub fn one() -> Self {
        Self::Number(1.0)
    }

    /// The rate over a stage of this duration.
    pub fn curve(&self, duration: Duration) -> Curve {
        let it = match self {
            Self::Number(rate) => return Curve::constant(*rate, duration),
            Self::Table(shape) => shape,
        };
        let of = Option::unwrap_or_default;
        match it.shape {
            Shape::Ramp => Curve::ramp(of(it.from), of(it.to), duration),
            Shape::Steps => {
                let steps = it.steps.unwrap_or(1);
                Curve::steps(of(it.from), of(it.to), steps, duration)
            }
            Shape::Spike => {
                let (after, lasts) = (it.after.unwrap_or_default(), it.lasts.unwrap_or_default());
                Curve::spike(of(it.base), of(it.peak), after, lasts, duration)
            }
        }
    }
}

impl ThinkFile {
    /// The think times.
    pub fn think(&self) -> Think {
        let of = Option::unwrap_or_default;
        let law = match self.law {
            LawName::Constant => Law::Constant(of(self.time)),
            LawName::Uniform => Law::Uniform(of(self.min), of(self.max)),
            LawName::Exponential => Law::Exponential(of(self.mean)),
            LawName::LogNormal => Law::LogNormal {
                median: of(self.median),
                sigma: self.sigma.unwrap_or_default(),
            },
        };
        Think { law, cap: self.cap }
    }
}

impl<'de> Deserialize<'de> for RateFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Rates)
    }
}

struct Rates;

impl<'de> Visitor<'de> for Rates {
    type Value = RateFile;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(
            "a rate per second such as 200, or a shape such as \
             { shape = \"ramp\", from = 10, to = 200 }",
        )
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<RateFile, E> {
        Ok(RateFile::Number(value as f64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<RateFile, E> {
        Ok(RateFile::Number(value))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RateFile, A::Error> {
        ShapeFile::deserialize(MapAccessDeserializer::new(map)).map(RateFile::Table)
    }
}
