//! A short sweep that ends with the first run that does not hold: what each mutant of the servers has to
//! fail that their own tests let pass, see `.cargo/mutants.toml`.

use std::io;
use std::num::NonZeroUsize;

use sim::report;
use sim::scenario;
use sim::sweep::{Done, Sweep, Watch};

/// Everything at once. It comes first, because most mutants fail one of its runs.
const MIX: &str = "random-mix";

/// As many seeds of the mix.
const MIX_SEEDS: u64 = 8;

/// As many seeds of each other scenario.
const SEEDS: u64 = 1;

#[test]
fn a_short_sweep_holds() -> io::Result<()> {
    let (mix, others): (Vec<_>, Vec<_>) = scenario::built_in()
        .into_iter()
        .partition(|it| it.name == MIX);
    let mix = mix.into_iter().map(|it| (it, 0..MIX_SEEDS));
    let others = others.into_iter().map(|it| (it, 0..SEEDS));
    let sweep = Sweep {
        scenarios: mix.chain(others).collect(),
        jobs: NonZeroUsize::MIN,
        time: None,
    };
    let mut first = FirstFailure(None);
    sweep.run(&mut first)?;
    assert!(first.0.is_none(), "{}", first.0.unwrap_or_default());
    Ok(())
}

/// What is said of the first run that did not hold, or was of no use.
struct FirstFailure(Option<String>);

impl Watch for FirstFailure {
    fn next(&mut self, done: Done) {
        let outcome = done.outcome;
        let report = match (outcome.held(), outcome.is_decided()) {
            (true, true) => return,
            (true, false) => report::undecided(&outcome),
            (false, _) => report::failure(&outcome, None),
        };
        self.0.get_or_insert(report);
    }

    fn wants_more(&self) -> bool {
        self.0.is_none()
    }
}
