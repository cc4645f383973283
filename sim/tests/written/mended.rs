//! What was found:
//!
//! 00:18.300 G11 clean: gate-server-1 still has 1 connections

use sim::capsule::Capsule;
use sim::report;
use sim::run;

#[test]
fn seed_0_of_random_mix_holds_g11_clean() -> Result<(), Box<dyn std::error::Error>> {
    let capsule = Capsule::parse(CAPSULE)?;
    let outcome = run::run(&capsule.case, false);
    assert!(outcome.held(), "{}", report::broken(&outcome));
    Ok(())
}

const CAPSULE: &str = r#"{
  "format": 1,
  "versions": {
    "cluster": "0.1.0",
    "fastrand": "2.5.0",
    "loadgen": "0.1.0",
    "rand": "0.9.5",
    "sim": "0.1.0",
    "tokio": "1.54.1",
    "turmoil": "0.7.2"
  },
  "command": "cargo sim shrink sim/tests/capsules/connection-counter-leak.capsule.json",
  "verdict": {
    "violations": [
      {
        "guarantee": "clean",
        "at": "18s 300ms",
        "what": "gate-server-1 still has 1 connections"
      }
    ],
    "violations_total": 2,
    "broke_off": null
  },
  "faults": [],
  "users": {},
  "case": {
    "scenario": "random-mix",
    "given_as": "random-mix",
    "seed": 0,
    "topology": {
      "connectors": 1,
      "chats": 1
    },
    "client_hosts": [
      "clients-1"
    ],
    "latencies": [
      {
        "a": "gate-server-1",
        "b": "connector-server-1",
        "latency": "2ms"
      },
      {
        "a": "gate-server-1",
        "b": "chat-server-1",
        "latency": "2ms"
      },
      {
        "a": "gate-server-1",
        "b": "clients-1",
        "latency": "2ms"
      },
      {
        "a": "connector-server-1",
        "b": "chat-server-1",
        "latency": "2ms"
      },
      {
        "a": "connector-server-1",
        "b": "clients-1",
        "latency": "2ms"
      },
      {
        "a": "chat-server-1",
        "b": "clients-1",
        "latency": "2ms"
      }
    ],
    "scripts": [],
    "probes_from": 25,
    "vandals": 1,
    "kinds": [
      "stranger"
    ],
    "faults": [],
    "yield_percent": 0,
    "times": {
      "arrived_at": "300ms",
      "healed_at": "300ms",
      "settled_at": "9s 300ms",
      "leaving_at": "12s 300ms",
      "ended_at": "18s 300ms"
    },
    "settings": {
      "heartbeat": "1s",
      "request-deadline": "3s",
      "lease": "2s",
      "handshake-patience": "10s",
      "session-queue-len": 16384,
      "busy-round": 200,
      "busy-link": 20,
      "outbox-len": 65536,
      "duplicate-login": "refuse",
      "policy": [],
      "bodies": "chat-example",
      "login-patience": "2s",
      "answer-patience": "5s",
      "reconnect-base": "200ms",
      "reconnect-max": "1s",
      "tcp-capacity": 1024
    },
    "quiet": false,
    "unchecked": [],
    "expect": {
      "outcome": "held"
    }
  },
  "simulated": "18s 300ms",
  "chain": {
    "hash": "062da90f5e1c0649",
    "events": 316,
    "every": 32,
    "links": [
      "4e40fefeac5d34e3ee732bd08fbea64f643f571c40260fa1f9e28fbd0af681a687e04a43"
    ]
  }
}
"#;
