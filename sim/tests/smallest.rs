//! The smallest run that shows a flaw, kept as a file: with the flaw it fails, without it holds.
//!
//! A change of the cluster can make other runs of them. If one shows its flaw no more, a new one
//! comes from `cargo sim smallest FLAW --capsules sim/tests/capsules`, for `slow-reader-unbounded` with
//! `--scenario sim/tests/few-slow-readers.toml`: what is rare in random-mix, or takes long to show,
//! is drawn from a scenario that has more of it.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use cluster::policy::{Flaw, Policy};
use sim::capsule::{Capsule, Verdict};
use sim::report;
use sim::run;
use sim::shrink::Signature;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// The run of each flaw.
fn smallest() -> Result<Vec<(Flaw, Capsule)>> {
    let folder = folder();
    let all = Flaw::ALL.iter().map(|&flaw| {
        let capsule = Capsule::read(&folder.join(file_of(flaw)))?;
        assert_eq!(capsule.case.settings.policy, Policy::hardened().with(flaw));
        Ok((flaw, capsule))
    });
    all.collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/capsules")
}

fn file_of(flaw: Flaw) -> String {
    format!("{flaw}.capsule.json")
}

#[test]
fn there_is_a_run_of_each_flaw_and_of_nothing_else() -> Result {
    let mut files = BTreeSet::new();
    for file in fs::read_dir(folder())? {
        files.insert(file?.file_name().to_string_lossy().into_owned());
    }
    assert!(files.remove("README.md"), "what they are is said there");
    let flaws = Flaw::ALL.iter().map(|flaw| file_of(*flaw));
    assert_eq!(files, flaws.collect());
    Ok(())
}

#[test]
fn with_its_flaw_each_run_fails_as_it_did() -> Result {
    for (flaw, capsule) in smallest()? {
        let how = Signature::all(&capsule.verdict).remove(0);
        let verdict = Verdict::of(&run::run(&capsule.case, false));
        assert!(how.is_in(&verdict), "{flaw}: {how}, but {verdict:?}");
    }
    Ok(())
}

#[test]
fn without_its_flaw_each_run_holds() -> Result {
    for (flaw, capsule) in smallest()? {
        let mut case = capsule.case;
        case.settings.policy = Policy::hardened();
        let outcome = run::run(&case, false);
        assert!(outcome.held(), "{flaw}: {}", report::broken(&outcome));
    }
    Ok(())
}
