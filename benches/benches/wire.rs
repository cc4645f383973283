//! Packages and messages, as bytes.

use std::hint::black_box;
use std::time::Duration;

use benches::{CONTENT, SEND, decode, on_chat, say};
use bytes::BytesMut;
use cluster::link::frame::{self, Header};
use cluster::options::Options;
use cluster::wire::body;
use cluster::wire::message::{self, RouteRef};
use cluster::wire::package::{self, BODY_LEN_LIMIT, PackageType};
use cluster::wire::vocabulary::Vocabulary;
use criterion::{Criterion, criterion_group, criterion_main};
use serde::Serialize;
use serde_json::json;

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("wire/encode");
    let body = json!({"msg": CONTENT, "from": "somebody", "target": "*"}).to_string();
    let body = body.as_bytes();
    group.bench_function("package", |bencher| {
        bencher.iter(|| package::encode(PackageType::Data, black_box(body)));
    });
    group.bench_function("request", |bencher| {
        bencher.iter(|| message::encode_request(7, RouteRef::Name(SEND), black_box(body)));
    });
    group.bench_function("push", |bencher| {
        bencher.iter(|| message::encode_push(RouteRef::Name("onChat"), black_box(body)));
    });
    group.bench_function("response", |bencher| {
        bencher.iter(|| message::encode_response(7, black_box(b"{}")));
    });
    let (schema, on_chat) = on_chat();
    group.bench_function("protobuf", |bencher| {
        bencher.iter(|| schema.encode("onChat", black_box(&on_chat)));
    });
    // What it is instead of.
    group.bench_function("json", |bencher| {
        bencher.iter(|| black_box(&on_chat).to_string())
    });
    let mut out = BytesMut::with_capacity(1024);
    group.bench_function("frame", |bencher| {
        bencher.iter(|| {
            out.clear();
            frame::put(
                &mut out,
                &Header::Data { seq: 300, ack: 299 },
                black_box(body),
            );
        });
    });
}

/// A line of chat as a connector encodes it, once for all its members.
fn push(criterion: &mut Criterion) {
    #[derive(Serialize)]
    struct OnChat {
        msg: &'static str,
        from: &'static str,
        target: &'static str,
    }
    let on_chat = OnChat {
        msg: CONTENT,
        from: "somebody",
        target: "*",
    };
    let mut group = criterion.benchmark_group("wire/push");
    let json = Vocabulary::default();
    let protobuf = Options::default().vocabulary;
    for (name, vocabulary) in [("json", json), ("protobuf", protobuf)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| vocabulary.push("onChat", black_box(&on_chat)));
        });
    }
}

fn decoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("wire/decode");
    let request = say("*");
    group.bench_function("package", |bencher| {
        bencher.iter(|| {
            let mut buffer = BytesMut::from(&request[..]);
            package::take(&mut buffer, BODY_LEN_LIMIT)
        });
    });
    group.bench_function("request", |bencher| {
        bencher.iter(|| decode(black_box(&request)));
    });
    let message = decode(&request);
    group.bench_function("body", |bencher| {
        bencher.iter(|| body::decode(black_box(&message.body)));
    });
    let (schema, on_chat) = on_chat();
    let bytes = schema.encode("onChat", &on_chat).expect("it is complete");
    group.bench_function("protobuf", |bencher| {
        bencher.iter(|| schema.decode("onChat", black_box(&bytes)));
    });
}

criterion_group! {
    name = wire;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(1));
    targets = encode, push, decoding
}
criterion_main!(wire);
