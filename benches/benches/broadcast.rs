//! One message to all members of a room, from the sender's package to a package in each member's
//! queue, over three connectors.

use std::time::Duration;

use benches::{World, say};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn broadcast(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("broadcast");
    for members in [10, 100, 1000] {
        let mut world = World::with_members(3, members);
        let line = say("*");
        group.throughput(Throughput::Elements(members as u64));
        group.bench_function(
            BenchmarkId::from_parameter(format!("members={members}")),
            |bencher| {
                bencher.iter(|| {
                    world.ask(0, &line);
                    world.carry();
                    assert_eq!(world.read_all(), members + 1);
                });
            },
        );
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = broadcast
}
criterion_main!(benches);
