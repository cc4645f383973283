//! The histograms of a measurement as intervals of a log: each metric of each row under its name
//! and time, those of classes and steps under `class.16.last` and `funnel.connect` over all rows.

use std::borrow::Cow;
use std::time::Duration;

use super::Measured;
use super::broadcasts::Class;
use crate::buckets::Buckets;
use crate::hdr_log::{Interval, LogError};

const CLASS: &str = "class.";
const FUNNEL: &str = "funnel.";

pub(super) fn intervals(measured: &Measured) -> impl Iterator<Item = Interval<'_>> {
    let rows_end = measured
        .rows
        .keys()
        .next_back()
        .map_or(0, |last| last.saturating_add(1));
    let whole = measured.interval * rows_end;
    let of_whole = move |tag: String, latencies| Interval {
        start: Duration::ZERO,
        length: whole,
        tag: tag.into(),
        latencies: Cow::Borrowed(latencies),
    };
    let classes = measured.classes.iter().flat_map(move |(size, class)| {
        let parts = [
            ("first", &class.first),
            ("median", &class.median),
            ("p99", &class.p99),
            ("last", &class.last),
        ];
        parts.map(|(part, latencies)| of_whole(format!("{CLASS}{size}.{part}"), latencies))
    });
    let steps = measured.funnel.iter();
    let steps = steps.map(move |(name, step)| of_whole(format!("{FUNNEL}{name}"), &step.latencies));
    let rows = measured.rows.iter().flat_map(move |(number, row)| {
        let start = measured.interval * *number;
        row.latencies
            .iter()
            .map(move |(metric, latencies)| Interval {
                start,
                length: measured.interval,
                tag: metric.into(),
                latencies: Cow::Borrowed(latencies),
            })
    });
    classes.chain(steps).chain(rows)
}

pub(super) fn place(measured: &mut Measured, interval: Interval) -> Result<(), LogError> {
    let stray = || LogError::Stray {
        tag: interval.tag.clone().into_owned(),
        start: interval.start,
    };
    let place = find(measured, &interval).ok_or_else(stray)?;
    *place = interval.latencies.into_owned();
    Ok(())
}

fn find<'a>(measured: &'a mut Measured, interval: &Interval) -> Option<&'a mut Buckets> {
    let tag = &*interval.tag;
    if let Some(class) = tag.strip_prefix(CLASS) {
        let (size, part) = class.split_once('.')?;
        return part_of(measured.classes.get_mut(&size.parse().ok()?)?, part);
    }
    if let Some(name) = tag.strip_prefix(FUNNEL) {
        return Some(&mut measured.funnel.get_mut(name)?.latencies);
    }
    let number = interval.start.as_millis() / measured.interval.as_millis();
    let row = measured.rows.get_mut(&u32::try_from(number).ok()?)?;
    Some(row.latencies.entry(tag.to_owned()).or_default())
}

fn part_of<'a>(class: &'a mut Class, part: &str) -> Option<&'a mut Buckets> {
    match part {
        "first" => Some(&mut class.first),
        "median" => Some(&mut class.median),
        "p99" => Some(&mut class.p99),
        "last" => Some(&mut class.last),
        _ => None,
    }
}
