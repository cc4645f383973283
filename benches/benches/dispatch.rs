//! One request of a client, from its package to the package with its answer.

use std::time::Duration;

use benches::{ENTER, World, request, say};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::json;

fn dispatch(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dispatch");

    let mut world = World::with_members(1, 1);
    let nowhere = request("chat.chatHandler", &json!({}));
    group.bench_function("nowhere", |bencher| {
        bencher.iter(|| {
            world.ask(0, &nowhere);
            assert_eq!(world.read_all(), 1);
        });
    });
    let unknown = request("chat.chatHandler.shout", &json!({}));
    group.bench_function("refused", |bencher| {
        bencher.iter(|| {
            world.ask(0, &unknown);
            world.carry();
            assert_eq!(world.read_all(), 1);
        });
    });

    // The answer waits for the acknowledgement of every connector but the asker's own.
    for connectors in [1, 3] {
        let mut world = World::with_members(connectors, 3);
        let line = say("*");
        group.bench_function(format!("send/connectors={connectors}"), |bencher| {
            bencher.iter(|| {
                world.ask(0, &line);
                world.carry();
                assert_eq!(world.read_all(), 3 + 1);
            });
        });
    }
    let mut world = World::with_members(3, 3);
    let line = say("user 1");
    group.bench_function("send/private", |bencher| {
        bencher.iter(|| {
            world.ask(0, &line);
            world.carry();
            assert_eq!(world.read_all(), 1 + 1);
        });
    });
    for members in [10, 1000] {
        let mut world = World::with_members(3, members);
        let enter = request(ENTER, &json!({"username": "guest", "rid": "lobby"}));
        group.bench_function(format!("enter_and_leave/members={members}"), |bencher| {
            bencher.iter(|| {
                let guest = world.open(0);
                world.ask(guest, &enter);
                world.carry();
                world.close_last();
                world.carry();
                world.read_all()
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = dispatch
}
criterion_main!(benches);
