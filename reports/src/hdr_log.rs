//! Histograms as an HDR interval log (V2, deflated), which the readers of all HDR libraries take.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::{Duration, UNIX_EPOCH};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{
    IntervalLogWriterBuilder, IntervalLogWriterError, Tag,
};

use crate::latency::Latencies;

/// The column of largest values is in milliseconds, as other tools print it; the histograms
/// themselves hold microseconds.
const US_PER_MS: f64 = 1000.0;

/// Writes one interval, the whole run, for each histogram with a value; its tag is its name.
/// `started_at` is the time since 1970-01-01 00:00 UTC.
///
/// # Errors
///
/// If `log` can't be written, or a name can't be a tag (it has a comma, a blank or a line end).
pub fn write(
    log: &mut impl Write,
    started_at: Duration,
    elapsed: Duration,
    latencies: &BTreeMap<String, Latencies>,
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
    for (name, latencies) in latencies {
        if latencies.count() == 0 {
            continue;
        }
        let tag = Tag::new(name).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("`{name}` can't be a tag"),
            )
        })?;
        writer
            .write_histogram(latencies.histogram(), Duration::ZERO, elapsed, Some(tag))
            .map_err(|error| match error {
                IntervalLogWriterError::IoError(error) => error,
                IntervalLogWriterError::SerializeError(error) => io::Error::other(error),
            })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;

    #[test]
    fn a_log_reads_back_with_names_times_and_every_bucket() -> Result<(), Box<dyn Error>> {
        let mut login = Latencies::new();
        let mut request = Latencies::new();
        for us in [1, 900, 70_000, 5_000_000] {
            login.record(Duration::from_micros(us));
            request.record(Duration::from_micros(us * 2));
        }
        let latencies = BTreeMap::from([
            ("login".to_owned(), login),
            ("none".to_owned(), Latencies::new()),
            ("request".to_owned(), request),
        ]);
        let mut log = Vec::new();
        let started_at = Duration::from_secs(1_700_000_000);
        write(&mut log, started_at, Duration::from_secs(30), &latencies)?;

        let mut seen = BTreeMap::new();
        for entry in IntervalLogIterator::new(&log) {
            match entry.map_err(|error| format!("{error:?}"))? {
                LogEntry::StartTime(at) | LogEntry::BaseTime(at) => assert_eq!(at, started_at),
                LogEntry::Interval(interval) => {
                    assert_eq!(interval.start_timestamp(), Duration::ZERO);
                    assert_eq!(interval.duration(), Duration::from_secs(30));
                    let bytes = base64(interval.encoded_histogram())?;
                    let histogram: Histogram<u64> =
                        Deserializer::new().deserialize(&mut bytes.as_slice())?;
                    let name = interval.tag().ok_or("no tag")?.as_str().to_owned();
                    seen.insert(name, histogram);
                }
            }
        }
        assert_eq!(seen.len(), 2);
        for (name, histogram) in seen {
            assert_eq!(&histogram, latencies[&name].histogram());
        }
        Ok(())
    }

    #[test]
    fn a_name_that_can_be_no_tag_is_an_error() {
        let mut latencies = Latencies::new();
        latencies.record(Duration::from_millis(1));
        let latencies = BTreeMap::from([("a, b".to_owned(), latencies)]);
        let error = write(&mut Vec::new(), Duration::ZERO, Duration::ZERO, &latencies)
            .expect_err("a comma ends a tag");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    /// Decodes plain base64, so that the test does not need a crate for one line.
    fn base64(text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
        const DIGITS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut bytes = Vec::new();
        let (mut bits, mut bits_len) = (0_u32, 0);
        for digit in text.trim_end_matches('=').bytes() {
            let value = DIGITS.iter().position(|other| *other == digit);
            bits = (bits << 6 | value.ok_or("not base64")? as u32) & 0xfff_ffff;
            bits_len += 6;
            if bits_len >= 8 {
                bits_len -= 8;
                bytes.push((bits >> bits_len) as u8);
            }
        }
        Ok(bytes)
    }
}
