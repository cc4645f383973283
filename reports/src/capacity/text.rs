//! A search as text, for people: the answer, each trial in a line, what follows from them.

use std::fmt::{self, Write};

use super::{Capacity, Cpu, End, Outcome, Phase, Trial, Verdict};
use crate::run::threshold::Unit;
use crate::text::{Inert, write_table};

/// Writes what was found and how. Control characters come out as U+FFFD: a terminal would obey them.
///
/// # Errors
///
/// If `out` fails; a `String` does not.
pub fn write_summary(out: &mut impl Write, capacity: &Capacity) -> fmt::Result {
    let out = &mut Inert(out);
    writeln!(
        out,
        "{}: {} {}, seed {}, {}, {:.0} s",
        capacity.name,
        capacity.program.name,
        capacity.program.version,
        capacity.seed,
        capacity.date,
        capacity.elapsed_us as f64 / 1e6,
    )?;
    if capacity.partial {
        writeln!(
            out,
            "PARTIAL: it was stopped before its end, and this is what was known by then"
        )?;
    }
    write_trials(out, capacity)?;
    writeln!(out, "\n{}", sentence(capacity))?;
    for end in ends(capacity) {
        writeln!(out, "  {end}")?;
    }
    if let Some(because) = &capacity.answer.because {
        writeln!(out, "  what broke first: {because}")?;
    }
    write_worth(out, capacity)?;
    for warning in &capacity.warnings {
        writeln!(out, "\nwarning: {warning}")?;
    }
    writeln!(out, "\nrepeat: {}", capacity.command)
}

/// What was found, in one sentence.
pub fn sentence(capacity: &Capacity) -> String {
    let answer = &capacity.answer;
    let held = answer.held.map(|end| rate(end.rate_per_s));
    let broke = answer.broke.map(|end| rate(end.rate_per_s));
    match (answer.outcome, held, broke) {
        (Outcome::Found, Some(held), Some(broke)) => {
            format!("the capacity is {held} to {broke} sends per second")
        }
        (Outcome::AtLeast, Some(held), _) => {
            format!(
                "the capacity is {held} sends per second or more: no higher rate was to be tried"
            )
        }
        (Outcome::Below, _, Some(broke)) => {
            format!("there is no capacity: it breaks at {broke} sends per second, the lowest rate")
        }
        (Outcome::Generator, Some(held), _) => format!(
            "inconclusive: {held} sends per second held, and above that the generator was the limit"
        ),
        (Outcome::Undecided, Some(held), Some(broke)) => {
            format!("inconclusive: the capacity seems to be {held} to {broke} sends per second")
        }
        (_, Some(held), _) => format!("inconclusive: {held} sends per second held"),
        (_, None, Some(broke)) => format!("inconclusive: {broke} sends per second broke"),
        (Outcome::Generator, None, None) => {
            "inconclusive: the generator was the limit at every rate".to_owned()
        }
        (_, None, None) => "inconclusive: nothing is known yet".to_owned(),
    }
}

/// How sure each end is.
pub fn ends(capacity: &Capacity) -> Vec<String> {
    let answer = &capacity.answer;
    let told = |what: &str, end: &End, times: u32| {
        let confirmed = match end.confirmed {
            true => "",
            false => ", not confirmed",
        };
        format!(
            "{what} at {} in {times} of {} trials ({} % sure{confirmed})",
            rate(end.rate_per_s),
            end.held + end.broke,
            end.sure_percent,
        )
    };
    let held = answer.held.iter().map(|end| told("held", end, end.held));
    let broke = answer.broke.iter().map(|end| told("broke", end, end.broke));
    held.chain(broke).collect()
}

/// Sends per second with as many digits as are read.
pub fn rate(per_s: f64) -> String {
    match per_s {
        100.0.. => format!("{per_s:.0}"),
        10.0.. => format!("{per_s:.1}"),
        _ => format!("{per_s:.2}"),
    }
}

/// What a trial was tried for, in a word.
pub fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Climb => "climb",
        Phase::Bisect => "bisect",
        Phase::Confirm => "confirm",
    }
}

/// What a trial came to, in a word.
pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Held => "held",
        Verdict::Broke => "broke",
        Verdict::Unknown => "unknown",
    }
}

/// One trial in a line, for those who watch.
pub fn line(number: usize, trial: &Trial) -> String {
    let figures = &trial.figures;
    let mut line = format!(
        "trial={number} phase={} rate_per_s={} verdict={} sends_per_s={:.1} deliveries_per_s={:.0}",
        phase(trial.phase),
        trial.rate_per_s,
        verdict(trial.verdict),
        figures.sends_per_s,
        figures.deliveries_per_s,
    );
    for threshold in figures.thresholds.iter().filter(|it| it.unit == Unit::Us) {
        if let Some(us) = threshold.measured {
            let _ = write!(line, " {}_us={us}", threshold.metric);
        }
    }
    if let Some(little) = figures.little {
        let _ = write!(line, " in_flight={:.2}", little.in_flight);
    }
    if let Some(reason) = trial.reasons.first() {
        let _ = write!(line, " because={:?}", reason.text);
    }
    line
}

fn write_trials(out: &mut impl Write, capacity: &Capacity) -> fmt::Result {
    let head = [
        "trial",
        "rate/s",
        "",
        "sends/s",
        "deliveries/s",
        "judged_us",
        "in flight",
        "L-λW %",
        "cpu s/M",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    for (trial, number) in capacity.trials.iter().zip(1..) {
        let figures = &trial.figures;
        let little = |of: fn(&super::Little) -> f64, digits: usize| {
            let little = figures.little.as_ref();
            little.map_or_else(|| "-".to_owned(), |it| format!("{:.digits$}", of(it)))
        };
        rows.push([
            format!("{number} {}", phase(trial.phase)),
            rate(trial.rate_per_s),
            verdict(trial.verdict).to_owned(),
            format!("{:.1}", figures.sends_per_s),
            format!("{:.0}", figures.deliveries_per_s),
            trial
                .judged_us()
                .map_or_else(|| "-".to_owned(), |us| us.to_string()),
            little(|it| it.in_flight, 2),
            little(|it| it.off_percent, 1),
            figures.cpu.map_or_else(|| "-".to_owned(), cpu_in_short),
        ]);
    }
    write_table(out, &rows)
}

/// Servers and generator.
fn cpu_in_short(cpu: Cpu) -> String {
    match cpu.servers_s_per_million {
        Some(servers) => format!("{servers:.1} + {:.1}", cpu.generator_s_per_million),
        None => format!("? + {:.1}", cpu.generator_s_per_million),
    }
}

/// What the highest rate that held is worth, and what the trials together say.
fn write_worth(out: &mut impl Write, capacity: &Capacity) -> fmt::Result {
    if let Some(at_held) = capacity.answer.at_held {
        writeln!(
            out,
            "  there: {:.0} deliveries per second",
            at_held.deliveries_per_s
        )?;
        if let Some(cpu) = at_held.cpu {
            if let Some(servers) = cpu.servers_s_per_million {
                writeln!(
                    out,
                    "  servers: {servers:.1} CPU seconds per million deliveries"
                )?;
            }
            let generator = cpu.generator_s_per_million;
            writeln!(
                out,
                "  generator: {generator:.1} CPU seconds per million deliveries"
            )?;
        }
    }
    match capacity.cost {
        Some(line) => writeln!(
            out,
            "  last recipient: {:.0} us, and {:.1} us more for each recipient (r² {:.2}, ± {:.0} us)",
            line.a_us, line.b_us, line.r_squared, line.residual_us
        )?,
        None => writeln!(
            out,
            "  cost of a recipient: not known, as all rooms are of one size"
        )?,
    }
    for sentence in law(capacity) {
        writeln!(out, "  {sentence}")?;
    }
    Ok(())
}

/// What the Universal Scalability Law says, or why it says nothing.
pub fn law(capacity: &Capacity) -> Vec<String> {
    let curve = &capacity.curve;
    let mut said = Vec::new();
    if let (Some(law), Some(fit)) = (curve.law, &curve.fit) {
        said.push(format!(
            "scalability law: γ {:.1}/s, σ {:.4}, κ {:.6}; r² {:.3}, residual {:.1}/s over {} trials",
            law.gamma, law.sigma, law.kappa, fit.r_squared, fit.residual_per_s, fit.points
        ));
        said.extend(fit.peak.map(|peak| {
            let at = match peak.in_flight {
                Some(in_flight) => format!("with {in_flight:.1} under way"),
                None => "as a plateau".to_owned(),
            };
            let error = match peak.error_per_s < peak.per_s {
                true => format!(" ± {:.0}", peak.error_per_s),
                false => " (which one trial fewer may change to anything)".to_owned(),
            };
            format!(
                "by that law at most {:.0}{error} sends per second, {at}; at most {:.1} were under way in a trial",
                peak.per_s, fit.in_flight_max
            )
        }));
    }
    let meaningless = curve.meaningless.as_ref();
    said.extend(meaningless.map(|why| format!("the scalability law must not be believed: {why}")));
    said
}
