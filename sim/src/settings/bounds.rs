//! What settings can be: what is beyond makes runs that hang, never end, or blame the cluster.

use std::time::Duration;

use cluster::options::Clash;

use super::Settings;

/// The longest time that a scenario can speak of.
pub const TIME_MAX: Duration = Duration::from_secs(60 * 60);
/// The shortest wait that servers and users can have: what waits for an eighth of it still waits.
const WAIT_MIN: Duration = Duration::from_millis(10);
/// turmoil panics when a connection waits that is one more than these, and so many come at once.
const TCP_CAPACITY_MIN: usize = 64;

/// Nothing that a run of a minute fills; what is far longer does not fit into memory.
const LEN_MAX: usize = 1_000_000;

/// A setting, and what is wrong with it.
pub type Wrong = (String, String);

impl Settings {
    /// The times that are none that servers or users could wait.
    pub fn wrong_times(&self) -> Vec<Wrong> {
        let times = [
            ("heartbeat", self.heartbeat),
            ("request-deadline", self.request_deadline),
            ("lease", self.lease),
            ("handshake-patience", self.handshake_patience),
            ("login-patience", self.login_patience),
            ("answer-patience", self.answer_patience),
            ("reconnect-base", self.reconnect_base),
            ("reconnect-max", self.reconnect_max),
        ];
        let wrong = times.into_iter().filter_map(|(name, time)| {
            let what = too_long(time);
            let what = what
                .or_else(|| (time < WAIT_MIN).then(|| format!("it must be at least {WAIT_MIN:?}")));
            Some((name.to_owned(), what?))
        });
        wrong.collect()
    }

    /// All else that is wrong.
    pub fn wrong_values(&self) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        for (name, len, least) in [
            ("tcp-capacity", self.tcp_capacity, TCP_CAPACITY_MIN),
            ("session-queue-len", self.session_queue_len, 1),
            ("busy-round", self.busy_round, 1),
            ("busy-link", self.busy_link, 1),
            ("outbox-len", self.outbox_len, 1),
        ] {
            let what = match len {
                len if len < least => format!("it must be at least {least}"),
                len if len > LEN_MAX => format!("it can be at most {LEN_MAX}"),
                _ => continue,
            };
            wrong.push((name.to_owned(), what));
        }
        if self.reconnect_base > self.reconnect_max {
            let what = String::from("it must not be above reconnect-max");
            wrong.push((String::from("reconnect-base"), what));
        }
        if !wrong.is_empty() {
            // Products of such numbers overflow.
            return wrong;
        }
        for clash in self.options().clashes() {
            // Few users need no large outbox.
            let is_of_many_users = matches!(clash, Clash::Outbox { .. });
            if !may_be_meant(&clash) && !is_of_many_users {
                wrong.push((kebab_case(clash.settings()[0]), told(&clash)));
            }
        }
        wrong
    }
}

/// A lease that is too long shows what a deadline does.
pub fn may_be_meant(clash: &Clash) -> bool {
    matches!(clash, Clash::Lease { .. })
}

/// What is wrong, with the settings called as in a scenario's file.
pub fn told(clash: &Clash) -> String {
    let names = clash.settings().iter();
    names.fold(clash.to_string(), |told, name| {
        told.replace(name, &kebab_case(name))
    })
}

/// What is wrong with a time that no run lasts.
pub fn too_long(time: Duration) -> Option<String> {
    (time > TIME_MAX).then(|| String::from("no run is that long: it can be at most 1h"))
}

/// As in a scenario's file what is `camelCase` in that of a cluster.
fn kebab_case(name: &str) -> String {
    let mut kebab = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}
