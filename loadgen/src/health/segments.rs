//! TCP segments that this machine had to send again: each is a message that came a fifth of a second
//! late, or later.

use super::vitals::Segments;

/// What the machine has sent since it started; `None` where the system does not tell.
pub fn look() -> Option<Segments> {
    let snmp = std::fs::read_to_string("/proc/net/snmp").ok()?;
    let netstat = std::fs::read_to_string("/proc/net/netstat").unwrap_or_default();
    parse(&snmp, &netstat)
}

/// Both files have pairs of lines: names, then values, with the same word before the colon.
fn parse(snmp: &str, netstat: &str) -> Option<Segments> {
    let all_resent = field(snmp, "Tcp:", "RetransSegs")?;
    let opening = field(netstat, "TcpExt:", "TCPSynRetrans").unwrap_or_default();
    Some(Segments {
        sent: field(snmp, "Tcp:", "OutSegs")?,
        resent: all_resent.saturating_sub(opening),
    })
}

fn field(text: &str, table: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(table));
    let (names, values) = (lines.next()?, lines.next()?);
    let place = names.split_whitespace().position(|it| it == name)?;
    values.split_whitespace().nth(place)?.parse().ok()
}

impl Segments {
    /// What was sent since an earlier look.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            sent: self.sent.saturating_sub(earlier.sent),
            resent: self.resent.saturating_sub(earlier.resent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SNMP: &str = "\
Ip: Forwarding DefaultTTL
Ip: 1 64
Tcp: RtoAlgorithm MaxConn OutSegs RetransSegs InErrs
Tcp: 1 -1 5000 70 0
";
    const NETSTAT: &str = "\
TcpExt: SyncookiesSent TCPSynRetrans
TcpExt: 0 30
";

    #[test]
    fn what_was_sent_again_is_told_without_what_opens_connections() {
        let segments = |sent, resent| Some(Segments { sent, resent });
        assert_eq!(parse(SNMP, NETSTAT), segments(5000, 40));
        assert_eq!(parse(SNMP, ""), segments(5000, 70));
        assert_eq!(parse("Tcp: OutSegs\n", NETSTAT), None);
        let (later, earlier) = (parse(SNMP, NETSTAT), segments(4000, 39));
        let since = later
            .zip(earlier)
            .map(|(later, earlier)| later.since(earlier));
        assert_eq!(since, segments(1000, 1));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_system_tells_its_segments() {
        assert!(look().is_some());
    }
}
