//! The text format: families of samples, each family once, with its help and its type before it.

use std::fmt::Write;

use reports::buckets::Buckets;

/// What all names begin with.
const PREFIX: &str = "loadgen_";

/// Upper ends of the buckets of histograms, in microseconds: three for each power of ten, from what a
/// loopback takes to what a user waits for.
const BOUNDS_US: [u64; 14] = [
    500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000,
    2_000_000, 5_000_000, 10_000_000,
];

/// What a family is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What only grows.
    Counter,
    /// What comes and goes.
    Gauge,
    /// How often values were at most so large.
    Histogram,
}

/// A text in the making.
#[derive(Debug, Default)]
pub struct Text(String);

/// The samples of one name.
#[derive(Debug)]
pub struct Family<'t> {
    text: &'t mut String,
    name: String,
}

impl Text {
    /// Begins the family `name`, of which nothing was written yet.
    pub fn family(&mut self, name: &str, kind: Kind, help: &str) -> Family<'_> {
        let name = format!("{PREFIX}{name}");
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let text = &mut self.0;
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        let _ = write!(text, "# HELP {name} {help}.\n# TYPE {name} {kind}\n");
        Family { text, name }
    }

    /// All of it.
    pub fn end(self) -> String {
        self.0
    }
}

impl Family<'_> {
    /// Writes a sample.
    pub fn put(&mut self, labels: &[(&str, &str)], value: f64) {
        self.put_part("", labels, value);
    }

    /// Writes the samples of a histogram, of latencies in seconds.
    pub fn put_histogram(&mut self, labels: &[(&str, &str)], latencies: &Buckets) {
        let mut values = latencies.iter().peekable();
        let (mut count, mut sum_us) = (0, 0.0);
        for bound_us in BOUNDS_US.into_iter().map(Some).chain([None]) {
            while let Some((us, more)) =
                values.next_if(|(us, _)| bound_us.is_none_or(|bound_us| *us <= bound_us))
            {
                count += more;
                sum_us += us as f64 * more as f64;
            }
            let bound = bound_us.map(|us| (us as f64 / 1e6).to_string());
            let bound = bound.unwrap_or_else(|| String::from("+Inf"));
            let with_bound = [labels, &[("le", &bound)]].concat();
            self.put_part("_bucket", &with_bound, count as f64);
        }
        self.put_part("_sum", labels, sum_us / 1e6);
        self.put_part("_count", labels, count as f64);
    }

    fn put_part(&mut self, part: &str, labels: &[(&str, &str)], value: f64) {
        let Self { text, name } = self;
        let _ = write!(text, "{name}{part}");
        let mut sign = '{';
        for (label, value) in labels {
            let value = value
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            let _ = write!(text, "{sign}{label}=\"{value}\"");
            sign = ',';
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(text, "{close} {value}");
    }
}
