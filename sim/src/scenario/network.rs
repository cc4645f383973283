//! How long the ways between hosts take.

use serde::Deserialize;

use super::span::{self, Span};

/// The network of a scenario. Each run draws one latency for each link, which holds until a fault
/// changes it.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Network {
    /// The latencies where the two below say nothing.
    pub profile: Profile,
    /// Latency of each link, one way, in milliseconds. At least 1: turmoil delivers what has none
    /// before it was sent.
    #[serde(rename = "latency", with = "span::maybe_time")]
    pub latency_ms: Option<Span>,
    /// The same for the links of users, if theirs differs.
    #[serde(rename = "client-latency", with = "span::maybe_time")]
    pub client_latency_ms: Option<Span>,
}

/// Where servers and users are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// All in one building: 1 to 5 ms.
    #[default]
    Lan,
    /// Servers in one building, users all over the country: 5 to 30 ms to them.
    Country,
    /// Servers in one building, users on mobile phones: 30 to 80 ms to them.
    Mobile,
    /// All over the country: 5 to 30 ms.
    Spread,
}

impl Network {
    /// Of a link between two servers, or of one to users.
    pub fn latency_ms(&self, is_to_users: bool) -> Span {
        let own = self.client_latency_ms.filter(|_| is_to_users);
        own.or(self.latency_ms)
            .unwrap_or_else(|| self.profile.latency_ms(is_to_users))
    }
}

impl Profile {
    fn latency_ms(self, is_to_users: bool) -> Span {
        match self {
            Profile::Country if is_to_users => Span::of(5..=30),
            Profile::Mobile if is_to_users => Span::of(30..=80),
            Profile::Spread => Span::of(5..=30),
            Profile::Lan | Profile::Country | Profile::Mobile => Span::of(1..=5),
        }
    }
}
