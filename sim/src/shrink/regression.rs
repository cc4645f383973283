//! A capsule as a test in Rust, which fails until what it found is mended.

use crate::capsule::Capsule;

use super::Signature;

/// Links of the chain that a test keeps: enough to see roughly where its run has gone another way.
const LINKS_MAX: usize = 16;

/// The text of a file with one test that needs nothing but this crate: it does the run of `capsule`
/// and demands that every promise holds.
pub fn test(capsule: &Capsule, signature: &Signature) -> String {
    let mut capsule = capsule.clone();
    capsule.chain.thin(LINKS_MAX);
    let violation = signature.violation(&capsule.verdict).cloned();
    let found = match &violation {
        Some(violation) => violation.to_string(),
        None => capsule.verdict.broke_off.clone().unwrap_or_default(),
    };
    capsule.verdict.violations = violation.into_iter().collect();
    let found: Vec<_> = found.lines().map(|line| format!("//! {line}")).collect();
    let name = name(&capsule, signature);
    let json = capsule.to_json();
    let fence = "#".repeat(longest_fence(&json) + 1);
    format!(
        "//! What was found:\n//!\n{found}\n\n\
         use sim::capsule::Capsule;\n\
         use sim::report;\n\
         use sim::run;\n\n\
         #[test]\n\
         fn {name}() -> Result<(), Box<dyn std::error::Error>> {{\n    \
             let capsule = Capsule::parse(CAPSULE)?;\n    \
             let outcome = run::run(&capsule.case, false);\n    \
             assert!(outcome.held(), \"{{}}\", report::broken(&outcome));\n    \
             Ok(())\n\
         }}\n\n\
         const CAPSULE: &str = r{fence}\"{json}\"{fence};\n",
        found = found.join("\n"),
    )
}

/// As in `seed_3_of_random_mix_holds_g5_membership`.
fn name(capsule: &Capsule, signature: &Signature) -> String {
    let promise = match signature.guarantee {
        Some(guarantee) => guarantee.to_string(),
        None => String::from("breaking off"),
    };
    let scenario = &capsule.case.scenario;
    let name = format!("seed {} of {scenario} holds {promise}", capsule.case.seed);
    let name = name.to_lowercase();
    let words = name.split(|it: char| !it.is_ascii_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join("_")
}

/// The longest run of `#` behind a quotation mark, which would end a raw string.
fn longest_fence(text: &str) -> usize {
    let parts = text.split('"').skip(1);
    let lens = parts.map(|part| part.bytes().take_while(|byte| *byte == b'#').count());
    lens.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::case::Case;
    use crate::run;
    use crate::scenario;

    #[test]
    fn a_test_holds_the_run_that_it_does() {
        let mut case = Case::draw(&scenario::built_in()[0], 7);
        // All are there yet, and nothing else is looked at until much later.
        case.times.ended_at = Duration::from_secs(3);
        // What would end the text that the capsule stands in.
        case.scripts[0].name = String::from("x\"##y");
        case.scenario = String::from("steady, (more or less)");
        let outcome = run::run(&case, false);
        let capsule = Capsule::of(&outcome, String::new()).expect("its servers still hold much");
        let signature = Signature::all(&capsule.verdict).remove(0);
        let text = test(&capsule, &signature);
        assert!(
            text.contains("#[test]\nfn seed_7_of_steady_more_or_less_holds_g11_clean() -> "),
            "{text}"
        );
        let (_, rest) = text.split_once("r###\"").expect("a raw string");
        let (json, rest) = rest.split_once("\"###").expect("and its end");
        assert_eq!(rest, ";\n");
        assert!(text.contains(" G11 clean: "), "{text}");
        let held = Capsule::parse(json).expect("a capsule");
        assert_eq!(format!("{:?}", held.case), format!("{:?}", capsule.case));
        assert!(text.len() < capsule.to_json().len());
    }
}
