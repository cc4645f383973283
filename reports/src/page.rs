//! A run as a page: one file that needs nothing else, whole without its script, which only zooms,
//! points and copies.
//!
//! All text of a run comes in by one way ([`crate::escaped`]), and a policy in the page lets nothing
//! run but that script. Each number says where in `run.json` it stands. In reading order: `top` (the
//! verdict and the command), `head` (that of a run, the most important figures, what had to hold),
//! `timeline`, `fan_out`, `tables` (all others), `capacity` (the page of searches for a capacity), `ab` (that
//! of a comparison of two builds), `plot` (how curves are drawn) and `number`.

mod ab;
mod capacity;
mod fan_out;
mod head;
mod number;
mod plot;
mod tables;
mod timeline;
mod top;

use crate::ab::Ab;
use crate::capacity::Capacity;
use crate::escaped::Escaped;
use crate::run::Run;

const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");
/// What the page may do: its own style and its own script, known by their SHA-256, and no more.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; \
    style-src 'sha256-BWzT8gmj2EEKSuokbIzpnN83sA1m/hODN3Ql1LOHmVU='; \
    script-src 'sha256-o5zAOCxe+frW2sy8ytZIivam9TWOz4qh25CTLMYRyRI='";

/// The page of `run`.
pub fn page(run: &Run) -> String {
    let mut page = head::header(run);
    page += &head::tiles(run);
    page += &section(
        "thresholds",
        "What the figures had to be",
        &head::thresholds(run),
    );
    page += &section("checks", "What had to hold", &head::checks(run));
    if let Some(load) = &run.load {
        page += &section("timeline", "Over time", &timeline::plots(run, load));
        page += &section(
            "fan-out",
            "From one sender to every member",
            &fan_out::plots(load),
        );
        page += &section("funnel", "The way of a user", &tables::funnel(load));
        page += &section("audit", "Each message exactly once", &tables::audit(load));
        page += &section("worst", "The slowest broadcasts", &tables::worst(load));
        page += &section(
            "connectors",
            "Balance over connectors",
            &tables::connectors(load),
        );
    }
    page += &section("latencies", "All latencies", &tables::latencies(run));
    page += &section("counts", "All counts", &tables::counts(run));
    page += &section("health", "Health of the generator", &tables::health(run));
    page += &section("run", "The run", &tables::environment(run));
    page += &section("method", "How it was measured", METHOD);
    document(&format!("{} · {}", run.judgement().name(), run.name), &page)
}

/// The page of one search for a capacity, or of several side by side; the places of numbers then begin with the
/// number of the search.
pub fn capacity(searches: &[Capacity]) -> String {
    match searches {
        [search] => capacity::page(search),
        _ => capacity::beside::page(searches),
    }
}

/// The page of a comparison of two builds.
pub fn ab(comparison: &Ab) -> String {
    ab::page(comparison)
}

/// A whole page.
fn document(title: &str, content: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>{}</title><style>{STYLE}</style></head><body><main>\n{content}\
         </main><script>{SCRIPT}</script></body></html>\n",
        Escaped(title),
    )
}

/// What does not concern a run is left out of its page.
fn section(id: &str, title: &str, content: &str) -> String {
    if content.is_empty() {
        return String::new();
    }
    format!("<section id=\"{id}\"><h2>{title}</h2>\n{content}</section>\n")
}

const METHOD: &str = "<p class=\"note\">Every send is planned ahead of time, from the seed alone. A latency \
    counts from the planned time, not from when the generator came to send, so that a server that stalls \
    cannot hide its stall by holding up the next send; “raw” latencies count from the actual send and stand \
    beside. The <b>last recipient</b> of a broadcast is the member that heard it last: until then the room \
    does not share one conversation. Latencies are kept in histograms of three digits: each is at most \
    0.1 % off; those of several processes are added bucket by bucket. Percentiles are never averaged.</p>\n";

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_policy_knows_the_style_and_the_script_of_the_page() {
        for (what, text) in [("style", STYLE), ("script", SCRIPT)] {
            let hash = STANDARD.encode(Sha256::digest(text));
            let directive = format!("{what}-src 'sha256-{hash}'");
            assert!(POLICY.contains(&directive), "{directive}");
        }
    }
}
