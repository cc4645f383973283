//! What it costs to take down one message to all members of a room and its deliveries: kept as a
//! history, as a simulation does it, and folded into figures, as a load test does it.

use benches::talk::Talk;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn record(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("record");
    for members in [10, 100, 1000] {
        group.throughput(Throughput::Elements(members.into()));
        let name = |what| BenchmarkId::new(what, format!("members={members}"));
        let mut talk = Talk::with_members(members);
        group.bench_function(name("history"), |bencher| bencher.iter(|| talk.keep()));
        let mut talk = Talk::with_members(members);
        group.bench_function(name("fanout"), |bencher| bencher.iter(|| talk.fold()));
    }
    group.finish();
}

criterion_group!(benches, record);
criterion_main!(benches);
