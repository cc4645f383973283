//! Whole simulated runs: what a sweep can get through.

use std::time::Duration;

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use sim::case::Case;
use sim::run;
use sim::scenario;

fn sim(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sim");
    group.sampling_mode(SamplingMode::Flat);
    for name in ["steady", "random-mix", "reference"] {
        let scenario = scenario::find(name).expect("a built-in scenario");
        let case = Case::draw(&scenario, 0);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let outcome = run::run(&case, false);
                assert!(outcome.held(), "{name}: {:?}", outcome.violations);
                outcome.chain.hash
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(10))
        .sample_size(10);
    targets = sim
}
criterion_main!(benches);
