//! A reader of the text format that forgives nothing: each family once and in one piece, with help and
//! type before its samples; names, labels and numbers as they have to be; counters that end in `_total`;
//! histograms that add up.

use std::collections::{BTreeMap, BTreeSet};

/// The labels of a sample, by name.
type Labels = BTreeMap<String, String>;

/// What was read.
#[derive(Debug, Default)]
pub struct Exposition {
    samples: BTreeMap<(String, Labels), f64>,
}

impl Exposition {
    /// The value of a sample.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter();
        let labels = labels.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.samples
            .get(&(name.to_owned(), labels.collect()))
            .copied()
    }
}

/// Samples of one family in the order of their lines.
struct Family {
    name: String,
    kind: String,
    samples: Vec<(String, Labels, f64)>,
}

pub fn parse(text: &str) -> Result<Exposition, String> {
    if !text.ends_with('\n') {
        return Err("the last line has no end".to_owned());
    }
    let mut exposition = Exposition::default();
    let mut names = BTreeSet::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let (name, _help) = words(line, "# HELP ")?;
        let line = lines.next().ok_or("a family without a type")?;
        let (typed, kind) = words(line, "# TYPE ")?;
        if name != typed || !names.insert(name.to_owned()) || !is_name(name) {
            return Err(format!(
                "{line}: a type for {name}, a second time, or no name"
            ));
        }
        let mut family = Family {
            name: name.to_owned(),
            kind: kind.to_owned(),
            samples: Vec::new(),
        };
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            family.samples.push(sample(line)?);
        }
        check(&family)?;
        for (name, labels, value) in family.samples {
            if exposition
                .samples
                .insert((name.clone(), labels), value)
                .is_some()
            {
                return Err(format!("{name} is there twice"));
            }
        }
    }
    Ok(exposition)
}

fn words<'l>(line: &'l str, begin: &str) -> Result<(&'l str, &'l str), String> {
    let rest = line.strip_prefix(begin);
    let words = rest.and_then(|rest| rest.split_once(' '));
    words.ok_or_else(|| format!("`{line}` is not {begin}NAME ..."))
}

fn is_name(name: &str) -> bool {
    let is_letter = |it: char| it.is_ascii_alphabetic() || it == '_' || it == ':';
    name.starts_with(is_letter) && name.chars().all(|it| is_letter(it) || it.is_ascii_digit())
}

/// `name{label="value",...} number`
fn sample(line: &str) -> Result<(String, Labels, f64), String> {
    let wrong = |why: &str| format!("`{line}`: {why}");
    let end = line.find(['{', ' ']).ok_or_else(|| wrong("no value"))?;
    let (name, mut rest) = line.split_at(end);
    if !is_name(name) {
        return Err(wrong("no name"));
    }
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, quoted) = rest.split_once("=\"").ok_or_else(|| wrong("no label"))?;
            let (value, after) = unquoted(quoted).ok_or_else(|| wrong("no label value"))?;
            if !is_name(label) || labels.insert(label.to_owned(), value).is_some() {
                return Err(wrong("no label name, or twice"));
            }
            rest = after;
            match rest.strip_prefix(',') {
                Some(next) => rest = next,
                None => break,
            }
        }
        rest = rest
            .strip_prefix('}')
            .ok_or_else(|| wrong("no end of labels"))?;
    }
    let value = rest.strip_prefix(' ').ok_or_else(|| wrong("no blank"))?;
    let value = value.parse().map_err(|_| wrong("no number"))?;
    Ok((name.to_owned(), labels, value))
}

/// What stands before the closing quote, and what behind it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[place + 1..])),
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                quoted @ ('"' | '\\') => quoted,
                _ => return None,
            }),
            _ => value.push(character),
        }
    }
    None
}

fn check(family: &Family) -> Result<(), String> {
    let Family {
        name,
        kind,
        samples,
    } = family;
    let wrong = |why: &str| Err(format!("{name}: {why}"));
    if samples.is_empty() {
        return wrong("no samples");
    }
    match kind.as_str() {
        "gauge" | "counter" => {
            if samples.iter().any(|(sample, _, _)| sample != name) {
                return wrong("a sample of another family");
            }
            let is_counter = kind == "counter";
            if is_counter != name.ends_with("_total") {
                return wrong("counters end in _total, and nothing else does");
            }
            if is_counter && samples.iter().any(|(_, _, value)| *value < 0.0) {
                return wrong("a counter below 0");
            }
            Ok(())
        }
        "histogram" => check_histogram(name, samples),
        _ => wrong("no type"),
    }
}

/// Each histogram: buckets in order, the last without end, then sum and count.
fn check_histogram(name: &str, samples: &[(String, Labels, f64)]) -> Result<(), String> {
    let (mut last_bound, mut last_count) = (f64::NEG_INFINITY, 0.0);
    let mut samples = samples.iter();
    while let Some((sample, labels, value)) = samples.next() {
        let bound = labels
            .get("le")
            .filter(|_| *sample == format!("{name}_bucket"));
        let bound = bound.ok_or(format!("{sample}: no bucket of {name}"))?;
        let bound: f64 = bound.parse().map_err(|_| format!("{sample}: `{bound}`"))?;
        if bound <= last_bound || *value < last_count {
            return Err(format!("{sample}: buckets are not in order"));
        }
        (last_bound, last_count) = (bound, *value);
        if bound != f64::INFINITY {
            continue;
        }
        let (sum, count) = (samples.next(), samples.next());
        let is_part = |it: Option<&(String, Labels, f64)>, part: &str| {
            it.is_some_and(|(sample, _, _)| *sample == format!("{name}_{part}"))
        };
        let counted = count.map(|(_, _, value)| *value);
        if !is_part(sum, "sum") || !is_part(count, "count") || counted != Some(last_count) {
            return Err(format!("{name}: no sum, or another count than of buckets"));
        }
        (last_bound, last_count) = (f64::NEG_INFINITY, 0.0);
    }
    match last_bound {
        f64::NEG_INFINITY => Ok(()),
        _ => Err(format!("{name}: no bucket without end")),
    }
}
