//! Numbers on a page: each names its place in `run.json`, so that it can be compared with it.

use std::fmt;

use crate::ab::Unit;
use crate::escaped::Escaped;

/// Names of a place in `run.json`, one below the other, as a JSON pointer.
#[derive(Clone, Debug)]
pub struct Place(String);

/// A number and its place.
#[derive(Clone, Debug)]
pub struct Number {
    /// As `run.json` has it.
    value: String,
    place: Place,
    shown: String,
}

impl Place {
    /// The whole.
    pub fn whole() -> Self {
        Self(String::new())
    }

    /// A member of the whole.
    pub fn of(name: &str) -> Self {
        Self::whole().at(name)
    }

    /// A member of this.
    pub fn at(&self, name: impl fmt::Display) -> Self {
        let name = name.to_string().replace('~', "~0").replace('/', "~1");
        Self(format!("{}/{name}", self.0))
    }

    /// How many there are, at the member `name`.
    pub fn count(&self, name: &str, value: u64) -> Number {
        self.at(name).number(i128::from(value), count(value))
    }

    /// A time in microseconds, at the member `name`.
    pub fn time(&self, name: &str, us: u64) -> Number {
        self.at(name).number(i128::from(us), time(us))
    }

    /// A number that is shown in its own way, at this place.
    pub fn number(self, value: i128, shown: String) -> Number {
        Number {
            value: value.to_string(),
            place: self,
            shown,
        }
    }

    /// A number that is no whole one, at the member `name`.
    pub fn decimal(&self, name: &str, value: f64, shown: String) -> Number {
        Number {
            value: serde_json::Value::from(value).to_string(),
            place: self.at(name),
            shown,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, place) = (Escaped(&self.value), Escaped(&self.place.0));
        let shown = Escaped(&self.shown);
        write!(
            out,
            "<data value=\"{value}\" data-at=\"{place}\">{shown}</data>"
        )
    }
}

/// So many per second, with as many digits as are read.
pub fn rate(per_s: f64) -> String {
    match per_s {
        100.0.. => count(per_s.round() as u64),
        10.0.. => format!("{per_s:.1}"),
        _ => format!("{per_s:.2}"),
    }
}

/// `12345` as `12,345`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Microseconds with three digits and the unit in which they are read best.
pub fn time(us: u64) -> String {
    fractional_time(us as f64)
}

fn fractional_time(us: f64) -> String {
    let (value, unit) = match us {
        ..1000.0 => return format!("{us:.0} µs"),
        ..1_000_000.0 => (us / 1e3, "ms"),
        _ => (us / 1e6, "s"),
    };
    let decimals = match value {
        ..10.0 => 2,
        10.0..100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {unit}")
}

/// Microseconds that may be negative.
pub fn signed_time(us: i64) -> String {
    let sign = if us < 0 { "−" } else { "" };
    format!("{sign}{}", time(us.unsigned_abs()))
}

/// A round time in microseconds: `500 µs`, `1.5 ms`, `2 s`.
pub fn round_time(us: f64) -> String {
    match us {
        ..1000.0 => format!("{us} µs"),
        ..1_000_000.0 => format!("{} ms", us / 1e3),
        _ => format!("{} s", us / 1e6),
    }
}

/// By how much something differs, with its sign.
pub fn difference(unit: Unit, value: f64) -> String {
    let size = value.abs();
    let shown = match unit {
        Unit::Percent => format!("{size:.1} %"),
        Unit::Us => fractional_time(size),
    };
    format!("{}{shown}", sign(value))
}

/// A round difference.
pub fn round_difference(unit: Unit, value: f64) -> String {
    let size = value.abs();
    let shown = match unit {
        Unit::Percent => format!("{size} %"),
        Unit::Us => round_time(size),
    };
    format!("{}{shown}", sign(value))
}

fn sign(value: f64) -> &'static str {
    match value {
        ..0.0 => "−",
        0.0 => "",
        _ => "+",
    }
}

/// A moment of a run: `1:05`, as on a clock.
pub fn moment(us: u64) -> String {
    let (minutes, seconds) = (us / 60_000_000, us / 1_000_000 % 60);
    match minutes {
        0..60 => format!("{minutes}:{seconds:02}"),
        _ => format!("{}:{:02}:{seconds:02}", minutes / 60, minutes % 60),
    }
}

/// `part` of `whole` in percent; 100 only if it is the whole.
pub fn percent(part: u64, whole: u64) -> String {
    let share = part as f64 * 100.0 / whole.max(1) as f64;
    match part {
        _ if part == whole => String::from("100 %"),
        _ if share > 99.99 => format!("{:.3} %", share.min(99.999)),
        _ => format!("{share:.2} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_are_read() {
        let counts = [0, 999, 1000, 1_234_567].map(count);
        assert_eq!(counts, ["0", "999", "1,000", "1,234,567"]);
        let times = [0, 999, 1000, 12_345, 123_456, 1_500_000, 61_000_000].map(time);
        let expected = [
            "0 µs", "999 µs", "1.00 ms", "12.3 ms", "123 ms", "1.50 s", "61.0 s",
        ];
        assert_eq!(times, expected);
        assert_eq!(signed_time(-2500), "−2.50 ms");
        assert_eq!(
            [59_999_999, 60_000_000, 3_661_000_000].map(moment),
            ["0:59", "1:00", "1:01:01"]
        );
    }

    #[test]
    fn what_is_not_all_is_not_100_percent() {
        assert_eq!(percent(999_999_999, 1_000_000_000), "99.999 %");
        assert_eq!(
            (percent(5, 5), percent(1, 8)),
            ("100 %".into(), "12.50 %".into())
        );
    }

    #[test]
    fn a_place_is_a_json_pointer_and_no_markup() {
        let number = Place::of("counts").count("a/b~\"<c>", 7).to_string();
        let expected = "<data value=\"7\" data-at=\"/counts/a~1b~0&quot;&lt;c&gt;\">7</data>";
        assert_eq!(number, expected);
    }
}
