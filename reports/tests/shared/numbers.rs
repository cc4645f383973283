//! The numbers on a page, as a reader finds them.

use std::error::Error;

use serde_json::Value;

/// A number, where it stands in the file, and how it is shown.
type Shown = (String, String, String);

/// The numbers on a page: what each is, where it stands in `run.json`, and how it is shown.
fn numbers_of(page: &str) -> Result<Vec<Shown>, Box<dyn Error>> {
    let numbers = page.split("<data value=\"").skip(1).map(|rest| {
        let (value, rest) = rest.split_once("\" data-at=\"").ok_or("no place")?;
        let (at, rest) = rest.split_once("\">").ok_or("no text")?;
        let (shown, _) = rest.split_once("</data>").ok_or("no end")?;
        let at = [
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&quot;", "\""),
            ("&amp;", "&"),
        ]
        .iter()
        .fold(at.to_owned(), |at, (written, meant)| {
            at.replace(written, meant)
        });
        Ok((value.to_owned(), at, shown.to_owned()))
    });
    numbers.collect()
}

/// Holds every number of `page`, which has more than `least`, against `file`.
pub fn check_numbers(page: &str, file: &Value, least: usize) -> Result<(), Box<dyn Error>> {
    let numbers = numbers_of(page)?;
    assert!(numbers.len() > least, "{}", numbers.len());
    for (value, at, shown) in numbers {
        let found = file.pointer(&at).ok_or(at.clone())?;
        assert_eq!(found.to_string(), value, "{at}");
        let is_whole = is_shown(found.as_f64().ok_or("no number")?, &shown);
        assert!(is_whole, "{at}: {value} as {shown}");
    }
    Ok(())
}

/// Whether `shown` is `value` to the last digit that is shown, in one of the units of the page.
pub fn is_shown(value: f64, shown: &str) -> bool {
    let plain = shown.replace([',', '+'], "").replace('−', "-");
    if let Some(clock) = plain.split_once(':') {
        let (minutes, seconds) = clock;
        let seconds = minutes.parse::<f64>().ok().zip(seconds.parse::<f64>().ok());
        return seconds.is_some_and(|(m, s)| m * 60.0 + s == (value / 1e6).floor());
    }
    let (digits, unit) = plain.split_once(' ').unwrap_or((&plain, ""));
    let decimals = digits
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len());
    let units: &[f64] = match unit {
        "" => &[1.0],
        // Microseconds; of the fit, nanoseconds are shown as these.
        "µs" => &[1.0, 1e3],
        "ms" => &[1e3],
        "s" => &[1e6],
        // Of some, thousandths are shown as these.
        "%" => &[1.0, 10.0],
        "MiB" => &[1024.0 * 1024.0],
        _ => return false,
    };
    units
        .iter()
        .any(|unit| format!("{:.decimals$}", value / unit) == digits)
}
