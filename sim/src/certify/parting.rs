//! Where two traces part.

use std::fmt;
use std::time::Duration;

use crate::clock::clock;
use crate::trace::time;

/// The first event that differs between two traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// Which one, counted from 0.
    pub event: u64,
    /// Its simulated time, or that of the last event before it that has one.
    pub at: Option<Duration>,
    /// The event in either; `None` if that trace has ended.
    pub lines: [Option<String>; 2],
}

impl Parting {
    /// Where the traces `first` and `other`, as JSON lines, part; `None` if they are the same.
    pub fn of(first: &[u8], other: &[u8]) -> Option<Self> {
        let [first, other] = [first, other].map(String::from_utf8_lossy);
        let pairs = first.lines().zip(other.lines());
        let event = pairs.take_while(|(mine, other)| mine == other).count();
        let lines = [&first, &other].map(|trace| trace.lines().nth(event).map(str::to_owned));
        if lines == [None, None] {
            return None;
        }
        let of_event = lines.iter().flatten().filter_map(|line| time(line)).min();
        let before = || first.lines().take(event).filter_map(time).last();
        Some(Self {
            event: event as u64,
            at: of_event.or_else(before),
            lines,
        })
    }
}

impl fmt::Display for Parting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}", self.event + 1)?;
        if let Some(at) = self.at {
            write!(out, ", at {}", clock(at))?;
        }
        write!(out, ":")?;
        for line in &self.lines {
            write!(out, "\n  {}", line.as_deref().unwrap_or("the end"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTEN: &str =
        r#"{"network":{"at_us":7000,"host":"gate-server-1","event":"listen","port":3014}}"#;
    const END: &str =
        r#"{"network":{"at_us":8000,"host":"clients-1","event":"end","connection":1}}"#;
    const USER: &str = r#"{"user":{"at":"none that counts"}}"#;

    fn parting(first: &[&str], other: &[&str]) -> Option<Parting> {
        let [first, other] = [first, other].map(|lines| lines.join("\n"));
        Parting::of(first.as_bytes(), other.as_bytes())
    }

    #[test]
    fn two_traces_part_at_the_first_line_that_differs() {
        assert_eq!(parting(&[LISTEN, END], &[LISTEN, END]), None);
        let parted = parting(&[LISTEN, USER, END], &[LISTEN, END, USER]).expect("they differ");
        assert_eq!(parted.event, 1);
        assert_eq!(parted.at, Some(Duration::from_millis(8)));
        let told = format!("line 2, at 00:00.008:\n  {USER}\n  {END}");
        assert_eq!(parted.to_string(), told);
    }

    #[test]
    fn a_trace_that_goes_on_parts_where_the_other_ends() {
        let parted = parting(&[LISTEN], &[LISTEN, USER]).expect("they differ");
        assert_eq!(parted.lines, [None, Some(USER.to_owned())]);
        let told = format!("line 2, at 00:00.007:\n  the end\n  {USER}");
        assert_eq!(parted.to_string(), told);
    }
}
