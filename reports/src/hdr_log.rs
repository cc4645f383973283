//! Histograms as an HDR interval log (V2, deflated), which the readers of all HDR libraries take.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{
    IntervalLogHistogram, IntervalLogIterator, IntervalLogWriterBuilder, IntervalLogWriterError,
    LogEntry, LogIteratorError, Tag,
};
use hdrhistogram::serialization::{Deserializer, V2DeflateSerializer};

use crate::buckets::Buckets;
use crate::latency::Latencies;

/// The column of largest values is in milliseconds, as other tools print it; the histograms
/// themselves hold microseconds.
const US_PER_MS: f64 = 1000.0;

/// One line of the log: a histogram of a part of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval<'a> {
    /// When the part starts, since the start of the run; milliseconds are kept.
    pub start: Duration,
    /// How long the part is; milliseconds are kept.
    pub length: Duration,
    /// What the values are: without comma, blank and line end.
    pub tag: Cow<'a, str>,
    /// The values.
    pub latencies: Cow<'a, Buckets>,
}

/// Why a log can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A line is none of an interval log.
    #[error("what is at byte {offset} is no line of an interval log")]
    Line {
        /// Where the line starts.
        offset: usize,
    },
    /// A line has no tag, so that nobody can tell what its values are.
    #[error("the interval at {}s has no tag", start.as_secs_f64())]
    Untagged {
        /// When the interval starts.
        start: Duration,
    },
    /// What follows the times is no histogram.
    #[error("`{tag}` at {}s has no usable histogram: {reason}", start.as_secs_f64())]
    Histogram {
        /// The tag of the interval.
        tag: String,
        /// When it starts.
        start: Duration,
        /// What is wrong with it.
        reason: String,
    },
    /// The file beside it does not mention it.
    #[error("`{tag}` at {}s is not of this run", start.as_secs_f64())]
    Stray {
        /// The tag of the interval.
        tag: String,
        /// When it starts.
        start: Duration,
    },
}

/// Writes `intervals`, which should be in the order of their starts. `started_at` is the time since
/// 1970-01-01 00:00 UTC.
///
/// # Errors
///
/// If `log` can't be written, or a tag can be none (it has a comma, a blank or a line end).
pub fn write<'a>(
    log: &mut impl Write,
    started_at: Duration,
    intervals: impl IntoIterator<Item = Interval<'a>>,
) -> io::Result<()> {
    let mut serializer = V2DeflateSerializer::new();
    let started_at = UNIX_EPOCH + started_at;
    let mut writer = IntervalLogWriterBuilder::new()
        .add_comment("[Histogram log format version 1.3]")
        .add_comment("Values are latencies in microseconds.")
        .with_start_time(started_at)
        .with_base_time(started_at)
        .with_max_value_divisor(US_PER_MS)
        .begin_log_with(log, &mut serializer)?;
    for interval in intervals {
        let Interval { start, length, .. } = interval;
        let tag = Tag::new(&interval.tag).ok_or_else(|| {
            let said = format!("`{}` can't be a tag", interval.tag);
            io::Error::new(io::ErrorKind::InvalidInput, said)
        })?;
        let latencies = Latencies::from(&*interval.latencies);
        writer
            .write_histogram(latencies.histogram(), start, length, Some(tag))
            .map_err(|error| match error {
                IntervalLogWriterError::IoError(error) => error,
                IntervalLogWriterError::SerializeError(error) => io::Error::other(error),
            })?;
    }
    Ok(())
}

/// Reads the intervals of a log in microseconds; each, or what is wrong with it.
pub fn read(log: &[u8]) -> impl Iterator<Item = Result<Interval<'_>, LogError>> {
    IntervalLogIterator::new(log).filter_map(|entry| match entry {
        Ok(LogEntry::StartTime(_) | LogEntry::BaseTime(_)) => None,
        Ok(LogEntry::Interval(interval)) => Some(read_interval(&interval)),
        Err(LogIteratorError::ParseError { offset }) => Some(Err(LogError::Line { offset })),
    })
}

fn read_interval<'a>(line: &IntervalLogHistogram<'a>) -> Result<Interval<'a>, LogError> {
    let start = line.start_timestamp();
    let tag = line.tag().ok_or(LogError::Untagged { start })?.as_str();
    let unusable = |reason: String| LogError::Histogram {
        tag: tag.to_owned(),
        start,
        reason,
    };
    let bytes = STANDARD.decode(line.encoded_histogram());
    let bytes = bytes.map_err(|error| unusable(error.to_string()))?;
    let histogram: Histogram<u64> = Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .map_err(|error| unusable(error.to_string()))?;
    let mut latencies = Buckets::default();
    for bucket in histogram.iter_recorded() {
        let (us, count) = (bucket.value_iterated_to(), bucket.count_at_value());
        latencies.add(us, count);
    }
    Ok(Interval {
        start: whole_ms(start),
        length: whole_ms(line.duration()),
        tag: tag.into(),
        latencies: Cow::Owned(latencies),
    })
}

/// Times stand in the log as seconds with three digits, and are read as floating point numbers.
fn whole_ms(time: Duration) -> Duration {
    Duration::from_millis((time.as_secs_f64() * 1000.0).round() as u64)
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    fn latencies(us: impl IntoIterator<Item = u64>) -> Cow<'static, Buckets> {
        let mut latencies = Buckets::default();
        for us in us {
            latencies.record(Duration::from_micros(us));
        }
        Cow::Owned(latencies)
    }

    #[test]
    fn a_log_reads_back_with_names_times_and_every_bucket() -> Result<(), Box<dyn Error>> {
        let interval = |start, length, tag: &'static str, latencies| Interval {
            start: Duration::from_millis(start),
            length: Duration::from_millis(length),
            tag: tag.into(),
            latencies,
        };
        let intervals = [
            interval(0, 30_250, "login", latencies([1, 900, 70_000, 5_000_000])),
            interval(0, 1000, "none", latencies([])),
            interval(4_294_967_001, 1001, "request", latencies([0, 2, u64::MAX])),
        ];
        let mut log = Vec::new();
        write(
            &mut log,
            Duration::from_secs(1_700_000_000),
            intervals.clone(),
        )?;
        let seen: Vec<_> = read(&log).collect::<Result<_, _>>()?;
        assert_eq!(seen, intervals);

        let text = String::from_utf8(log)?;
        let start = "#[StartTime: 1700000000.000 (seconds since epoch)]\n";
        assert!(text.contains(start), "{text}");
        assert!(
            text.contains("\nTag=login,0.000,30.250,5001.215,"),
            "{text}"
        );
        Ok(())
    }

    #[test]
    fn a_name_that_can_be_no_tag_is_an_error() {
        let interval = Interval {
            start: Duration::ZERO,
            length: Duration::ZERO,
            tag: "a, b".into(),
            latencies: latencies([1]),
        };
        let error =
            write(&mut Vec::new(), Duration::ZERO, [interval]).expect_err("a comma ends a tag");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn what_is_wrong_with_a_log_is_told() {
        for (log, said) in [
            (
                "Tag=a,1.5,1.0,2.0,?\n",
                "`a` at 1.5s has no usable histogram: ",
            ),
            (
                "Tag=a,1.5,1.0,2.0,HISTFAAA\n",
                "`a` at 1.5s has no usable histogram: ",
            ),
            ("1.5,1.0,2.0,HISTFAAA\n", "the interval at 1.5s has no tag"),
            (
                "#\nnothing\n",
                "what is at byte 2 is no line of an interval log",
            ),
        ] {
            let error = read(log.as_bytes()).next().expect("there is a line");
            let error = error.expect_err("it is unusable").to_string();
            assert!(error.starts_with(said), "{error}");
        }
    }
}
