//! The metrics of a run while it goes on, read by the letter of the text format (version 0.0.4), and
//! fetched from the program.

#[path = "prometheus/format.rs"]
mod format;

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::Duration;

use cluster::signals::Signal;
use format::{Exposition, parse};
use loadgen::health::vitals::{Cpu, Vitals};
use loadgen::prometheus::endpoint::Endpoint;
use loadgen::prometheus::exposition;
use loadgen::status::{self, Live, Status, Users};
use reports::buckets::Buckets;
use rustix::process::{Pid, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type Outcome = Result<(), Box<dyn Error>>;

/// A process whose name would be taken for something else if it were not escaped.
const AWKWARD: &str = "worker \"1\" \\ {a=\"b\"}";

fn status() -> Status {
    let mut last = Buckets::default();
    for us in [400, 1000, 1001, 90_000, 20_000_000] {
        last.record(Duration::from_micros(us));
    }
    let vitals = Vitals {
        cpu: Some(Cpu {
            own_us: 1_500_000,
            ..Cpu::default()
        }),
        ..Vitals::default()
    };
    let counts = [("sends_total", 7), ("lost", 2), ("users_entered", 1000)];
    let counts = counts.map(|(name, count)| (name.to_owned(), count));
    Status {
        elapsed_us: 2_500_000,
        counts: counts.into(),
        users: Users {
            logging_in: 1,
            entering: 2,
            inside: 3,
        },
        sends_planned: 9,
        latencies: [("broadcast.last".to_owned(), last)].into(),
        processes: [(AWKWARD.to_owned(), vitals)].into(),
        ..Status::default()
    }
}

#[test]
fn a_status_is_told_by_the_letter_of_the_format() -> Outcome {
    let told = parse(&exposition(&status(), false))?;
    let value = |name: &str, labels: &[(&str, &str)]| told.value(name, labels);
    assert_eq!(value("loadgen_elapsed_seconds", &[]), Some(2.5));
    assert_eq!(value("loadgen_valid", &[]), Some(1.0));
    assert_eq!(value("loadgen_sends_total", &[]), Some(7.0));
    assert_eq!(value("loadgen_sends_planned_total", &[]), Some(9.0));
    assert_eq!(value("loadgen_users_entered_total", &[]), Some(1000.0));
    assert_eq!(
        value("loadgen_faults_total", &[("fault", "lost")]),
        Some(2.0)
    );
    assert_eq!(
        value("loadgen_faults_total", &[("fault", "doubled")]),
        Some(0.0)
    );
    assert_eq!(value("loadgen_users", &[("state", "entering")]), Some(2.0));
    let cpu = value("loadgen_process_cpu_seconds_total", &[("process", AWKWARD)]);
    assert_eq!(cpu, Some(1.5));
    Ok(())
}

#[test]
fn a_histogram_counts_what_is_at_most_so_large() -> Outcome {
    let told = parse(&exposition(&status(), false))?;
    let name = "loadgen_broadcast_last_seconds";
    let bucket = |bound| told.value(&format!("{name}_bucket"), &[("le", bound)]);
    let counts = ["0.0005", "0.001", "0.002", "0.1", "10", "+Inf"].map(bucket);
    assert_eq!(counts, [1.0, 2.0, 3.0, 4.0, 4.0, 5.0].map(Some));
    let sum = told.value(&format!("{name}_sum"), &[]).ok_or("no sum")?;
    // To a thousandth, as histograms are.
    assert!((sum - 20.092_401).abs() < 0.02, "{sum}");
    assert_eq!(told.value(&format!("{name}_count"), &[]), Some(5.0));
    Ok(())
}

#[test]
fn the_parser_of_this_test_refuses_what_is_not_by_the_letter() {
    for wrong in [
        "a 1",
        "a 1\n",
        "# HELP a b\na 1\n",
        "# TYPE a gauge\na 1\n",
        "# HELP a b\n# TYPE a gauge\n",
        "# HELP a b\n# TYPE a speed\na 1\n",
        "# HELP a b\n# TYPE a gauge\na x\n",
        "# HELP a b\n# TYPE a gauge\na 1\na 1\n",
        "# HELP a b\n# TYPE a gauge\nb 1\n",
        "# HELP a b\n# TYPE a counter\na 1\n",
        "# HELP a_total b\n# TYPE a_total counter\na_total -1\n",
        "# HELP a b\n# TYPE a gauge\na{b=\"c} 1\n",
        "# HELP a b\n# TYPE a gauge\na{b=\"\\x\"} 1\n",
        "# HELP a b\n# TYPE a gauge\na{2=\"c\"} 1\n",
        "# HELP a b\n# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\n",
        "# HELP a b\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n",
        "# HELP a b\n# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 2\n",
        "# HELP a b\n# TYPE a gauge\na 1\n# HELP a b\n# TYPE a gauge\na 2\n",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

/// An endpoint that serves as long as the future that it is given takes.
async fn served<T>(
    live: &Live,
    ask: impl AsyncFnOnce(String) -> Result<T, Box<dyn Error>>,
) -> Result<T, Box<dyn Error>> {
    let endpoint = Endpoint::bind("0".parse()?).await?;
    let url = endpoint.url();
    tokio::select! {
        asked = ask(url) => asked,
        () = endpoint.serve(live, false) => Err("it stopped".into()),
    }
}

#[tokio::test]
async fn whoever_asks_is_told_the_latest_status() -> Outcome {
    let (teller, live) = status::channel();
    served(&live, async |url| {
        let first = parse(&get(&url).await?)?;
        teller.send_replace(status());
        let second = parse(&get(&url).await?)?;
        let sends = |told: &Exposition| told.value("loadgen_sends_total", &[]);
        assert_eq!((sends(&first), sends(&second)), (Some(0.0), Some(7.0)));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn other_paths_and_other_methods_are_refused() -> Outcome {
    let (_teller, live) = status::channel();
    served(&live, async |url| {
        let other = ask(&url.replace("/metrics", "/"), "GET").await?;
        assert!(other.starts_with("HTTP/1.1 404 "), "{other}");
        let post = ask(&url, "POST").await?;
        assert!(post.starts_with("HTTP/1.1 405 "), "{post}");
        let head = ask(&url, "HEAD").await?;
        assert!(
            head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"),
            "{head}"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn those_who_only_hold_connections_are_closed_and_keep_nobody_out() -> Outcome {
    let (_teller, live) = status::channel();
    served(&live, async |url| {
        let address = address(&url)?;
        let mut silent = Vec::new();
        for _ in 0..8 {
            silent.push(TcpStream::connect(address).await?);
        }
        let mut ninth = TcpStream::connect(address).await?;
        assert_eq!(
            ninth.read(&mut [0; 1]).await.unwrap_or(0),
            0,
            "it is closed"
        );
        // As soon as one has gone there is room; until that is seen a connection is closed.
        silent.pop();
        loop {
            if let Ok(text) = get(&url).await {
                return parse(&text).map(|_| ()).map_err(Into::into);
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_tells_how_it_is_while_it_goes_on() -> Outcome {
    let out = tempfile::tempdir()?;
    let mut running = Command::new(env!("CARGO_BIN_EXE_loadgen"))
        .args(["--users", "10", "--rate", "20", "--metrics", "0", "--out"])
        .arg(out.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let stderr = running.stderr.take().ok_or("stderr is piped")?;
    let mut said = BufReader::new(stderr).lines();
    let url = loop {
        let line = said.next().ok_or("it ended early")??;
        if let Some(url) = line.strip_prefix("metrics: ") {
            break url.to_owned();
        }
    };
    loop {
        let told = parse(&get(&url).await?)?;
        let last = told.value("loadgen_broadcast_last_seconds_count", &[]);
        if last.is_some_and(|count| count > 0.0) {
            let beats = told.value(
                "loadgen_process_lateness_seconds_count",
                &[("process", "loadgen")],
            );
            assert!(beats.is_some_and(|beats| beats > 0.0), "{beats:?}");
            break;
        }
        tokio::task::yield_now().await;
    }
    kill_process(Pid::from_child(&running), rustix::process::Signal::TERM)?;
    let ended = Some(Signal::Terminate.exit_status().into());
    assert_eq!(running.wait()?.code(), ended);
    Ok(())
}

#[test]
fn a_port_that_is_taken_is_told_with_the_option() -> Outcome {
    let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = taken.local_addr()?.port().to_string();
    let out = tempfile::tempdir()?;
    let output = Command::new(env!("CARGO_BIN_EXE_loadgen"))
        .args(["--users", "2", "--metrics", &port, "--out"])
        .arg(out.path())
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let expected = format!("--metrics: 127.0.0.1:{port} cannot be bound: choose another");
    assert!(said.contains(&expected), "{said}");
    Ok(())
}

/// What is served at `url`.
async fn get(url: &str) -> Result<String, Box<dyn Error>> {
    let answer = ask(url, "GET").await?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no body")?;
    let head = head.to_lowercase();
    assert!(head.starts_with("http/1.1 200 ok"), "{head}");
    let kind = "content-type: text/plain; version=0.0.4; charset=utf-8";
    assert!(head.contains(kind), "{head}");
    Ok(body.to_owned())
}

async fn ask(url: &str, method: &str) -> Result<String, Box<dyn Error>> {
    let path = url.rsplit_once('/').ok_or("no path")?.1;
    let mut stream = TcpStream::connect(address(url)?).await?;
    let request = format!("{method} /{path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn address(url: &str) -> Result<SocketAddr, Box<dyn Error>> {
    let address = url.strip_prefix("http://").ok_or("no http")?;
    let (address, _path) = address.split_once('/').ok_or("no path")?;
    Ok(address.parse()?)
}
