//! How an incident is written in a file: what goes wrong, where, when and for how long.

use std::fmt;

use serde::de::{Error, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::span::{self, Span};
use crate::chaos::RandomKind;
use crate::incident::{Ends, HostTrouble, Incident, Kind, LinkTrouble, Role};

impl<'de> Deserialize<'de> for Incident {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            kind: Trouble,
            on: On,
            #[serde(with = "span::time")]
            after: Span,
            #[serde(default = "until_the_heal", with = "span::time")]
            lasts: Span,
        }
        let written = Written::deserialize(deserializer)?;
        Ok(Self {
            kind: kind(written.kind, written.on).map_err(D::Error::custom)?,
            after_ms: written.after,
            lasts_ms: written.lasts,
        })
    }
}

/// What lasts so long is ended with all else.
fn until_the_heal() -> Span {
    Span::just(u32::MAX)
}

impl<'de> Deserialize<'de> for RandomKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            kind: Trouble,
            on: On,
            #[serde(default = "once")]
            weight: u32,
        }
        let written = Written::deserialize(deserializer)?;
        Ok(Self {
            kind: kind(written.kind, written.on).map_err(D::Error::custom)?,
            weight: written.weight,
        })
    }
}

fn once() -> u32 {
    1
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Trouble {
    Crash,
    Stop,
    PowerCut,
    Pause,
    Stutter,
    SlowHost,
    RollingRestart,
    Hold,
    Cut,
    CutReset,
    OneWay,
    Reset,
    SlowLink,
    Jitter,
    Drift,
    Flapping,
    ReconnectStorm,
    SlowReader,
}

/// Where: on a server, between two, on all of them, or at a user.
#[derive(Clone, Copy, Debug)]
enum On {
    Server(Role),
    Link(Ends),
    Cluster,
    User,
}

fn kind(trouble: Trouble, on: On) -> Result<Kind, String> {
    let host = |trouble| match on {
        On::Server(role) => Ok(Kind::Host(trouble, role)),
        On::Link(_) | On::Cluster | On::User => Err(String::from(
            "this kind happens to a server: write such as on = \"connector\"",
        )),
    };
    let link = |trouble| match on {
        On::Link(ends) => Ok(Kind::Link(trouble, ends)),
        On::Server(_) | On::Cluster | On::User => Err(String::from(
            "this kind happens to a link: write such as on = [\"connector\", \"chat\"]",
        )),
    };
    let only = |place, kind, is_right| match is_right {
        true => Ok(kind),
        false => Err(format!("this kind has one place: write on = \"{place}\"")),
    };
    match trouble {
        Trouble::Crash => host(HostTrouble::Crash),
        Trouble::Stop => host(HostTrouble::Stop),
        Trouble::PowerCut => host(HostTrouble::PowerCut),
        Trouble::Pause => host(HostTrouble::Pause),
        Trouble::Stutter => host(HostTrouble::Stutter),
        Trouble::SlowHost => host(HostTrouble::Slow),
        Trouble::RollingRestart => only("cluster", Kind::Rolling, matches!(on, On::Cluster)),
        Trouble::ReconnectStorm => {
            let is_right = matches!(on, On::Server(Role::Connector));
            only("connector", Kind::Storm, is_right)
        }
        Trouble::SlowReader => only("user", Kind::SlowReader, matches!(on, On::User)),
        Trouble::CutReset => link(LinkTrouble::CutReset),
        Trouble::Reset => link(LinkTrouble::Reset),
        Trouble::Drift => link(LinkTrouble::Drift),
        Trouble::Hold => link(LinkTrouble::Hold),
        Trouble::Cut => link(LinkTrouble::Partition),
        Trouble::OneWay => link(LinkTrouble::OneWay),
        Trouble::SlowLink => link(LinkTrouble::Slow),
        Trouble::Jitter => link(LinkTrouble::Jitter),
        Trouble::Flapping => link(LinkTrouble::Flap),
    }
}

impl<'de> Deserialize<'de> for On {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Places)
    }
}

struct Places;

impl<'de> Visitor<'de> for Places {
    type Value = On;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(
            "\"gate\", \"connector\", \"chat\", \"cluster\" or \"user\", or the two ends of a \
             link: [\"connector\", \"chat\"] or [\"connector\", \"clients\"]",
        )
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<On, E> {
        match text {
            "gate" => Ok(On::Server(Role::Gate)),
            "connector" => Ok(On::Server(Role::Connector)),
            "chat" => Ok(On::Server(Role::Chat)),
            "cluster" => Ok(On::Cluster),
            "user" => Ok(On::User),
            _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut ends: A) -> Result<On, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = ends.next_element::<String>()? {
            names.push(name);
        }
        match names.iter().map(|name| &**name).collect::<Vec<_>>()[..] {
            ["connector", "chat"] | ["chat", "connector"] => Ok(On::Link(Ends::Backend)),
            ["connector", "clients"] | ["clients", "connector"] => Ok(On::Link(Ends::Client)),
            _ => Err(A::Error::invalid_value(Unexpected::Seq, &self)),
        }
    }
}
