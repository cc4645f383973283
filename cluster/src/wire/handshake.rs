//! The first package each way: who the client is, and what the server expects of it.
//!
//! Neither route dictionary nor protobuf is announced, so every route is a name and every body
//! JSON. Their fields come into [`Sys`].

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use super::package::{self, PackageType};

/// The code of a handshake that succeeded.
pub const SUCCESS: u16 = 200;

/// The code of a handshake that failed; the server closes the connection after it.
pub const FAILURE: u16 = 500;

/// Longest interval of heartbeats that a client believes in. Times beyond what a clock can hold
/// would stop the client; a day is more than any network keeps a silent connection.
const HEARTBEAT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// What the server answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// [`SUCCESS`], or why not.
    pub code: u16,
    /// What holds on this connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sys: Option<Sys>,
}

/// What holds on a connection after its handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sys {
    /// Interval of heartbeats, in seconds on the wire; `None` if there are none (the gate).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "seconds_to_number",
        deserialize_with = "number_to_seconds"
    )]
    pub heartbeat: Option<Duration>,
}

/// Whether a client's handshake is good. All that counts is that its `sys` is there and is true
/// in JavaScript's sense; an empty object is.
pub fn is_valid_request(body: &[u8]) -> bool {
    let request: Value =
        serde_json::from_str(&String::from_utf8_lossy(body)).unwrap_or(Value::Null);
    match request.get("sys") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(sys)) => *sys,
        Some(Value::Number(sys)) => sys.as_f64() != Some(0.0),
        Some(Value::String(sys)) => !sys.is_empty(),
        Some(Value::Array(_) | Value::Object(_)) => true,
    }
}

/// Writes the answer to a good handshake as a whole package.
pub fn encode_success(heartbeat: Option<Duration>) -> Bytes {
    encode(&Response {
        code: SUCCESS,
        sys: Some(Sys { heartbeat }),
    })
}

/// Writes the answer to a bad handshake as a whole package.
pub fn encode_failure() -> Bytes {
    encode(&Response {
        code: FAILURE,
        sys: None,
    })
}

/// Writes this client's handshake as a whole package.
pub fn encode_request() -> Bytes {
    package::encode(
        PackageType::Handshake,
        br#"{"sys":{"type":"rust-client","version":"0.1.0","rsa":{}},"user":{}}"#,
    )
}

fn encode(response: &Response) -> Bytes {
    let body = serde_json::to_vec(response).expect("numbers can be written as JSON");
    package::encode(PackageType::Handshake, &body)
}

fn seconds_to_number<S: Serializer>(
    heartbeat: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match heartbeat {
        // Whole seconds look as the original's do; a client multiplies either by 1000.
        Some(interval) if interval.subsec_nanos() == 0 => {
            serializer.serialize_u64(interval.as_secs())
        }
        Some(interval) => serializer.serialize_f64(interval.as_secs_f64()),
        None => serializer.serialize_none(),
    }
}

fn number_to_seconds<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let seconds = Option::<f64>::deserialize(deserializer)?.unwrap_or(0.0);
    let interval = Duration::try_from_secs_f64(seconds).map_err(de::Error::custom)?;
    if interval > HEARTBEAT_MAX {
        return Err(de::Error::custom("a heartbeat interval is at most a day"));
    }
    Ok(Some(interval).filter(|interval| !interval.is_zero()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_is_good_if_its_sys_is_true_in_javascript() {
        for sys in [
            "{}",
            "1",
            "-0.5",
            "\"x\"",
            "[]",
            "true",
            r#"{"type":"js-websocket"}"#,
        ] {
            let body = format!(r#"{{"sys":{sys},"user":{{}}}}"#);
            assert!(is_valid_request(body.as_bytes()), "{sys}");
        }
        assert!(is_valid_request(&body_of(encode_request())));
    }

    #[test]
    fn a_handshake_without_sys_is_bad() {
        for sys in ["null", "false", "0", "-0.0", "\"\""] {
            let body = format!(r#"{{"sys":{sys}}}"#);
            assert!(!is_valid_request(body.as_bytes()), "{sys}");
        }
        for body in [
            "",
            "{}",
            "{",
            "[]",
            "null",
            "\"sys\"",
            r#"[{"sys":{}}]"#,
            r#"{"user":{}}"#,
        ] {
            assert!(!is_valid_request(body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn the_answers_are_written_as_by_the_original() {
        let second = Duration::from_secs(1);
        let connector = encode_success(Some(3 * second));
        assert_eq!(body_of(connector), r#"{"code":200,"sys":{"heartbeat":3}}"#);
        assert_eq!(body_of(encode_success(None)), r#"{"code":200,"sys":{}}"#);
        assert_eq!(body_of(encode_failure()), r#"{"code":500}"#);
        let quick = encode_success(Some(second / 4));
        assert_eq!(body_of(quick), r#"{"code":200,"sys":{"heartbeat":0.25}}"#);
    }

    #[test]
    fn an_answer_is_read_with_and_without_a_heartbeat() {
        let heartbeat = |text| {
            let response: Response = serde_json::from_str(text).unwrap();
            assert_eq!(response.code, SUCCESS);
            response.sys.unwrap_or_default().heartbeat
        };
        let original =
            r#"{"code":200,"sys":{"heartbeat":3,"dict":{"a":1},"useDict":true},"user":1}"#;
        assert_eq!(heartbeat(original), Some(Duration::from_secs(3)));
        assert_eq!(heartbeat(r#"{"code":200,"sys":{"heartbeat":0}}"#), None);
        assert_eq!(heartbeat(r#"{"code":200,"sys":{"useProto":true}}"#), None);
        assert_eq!(heartbeat(r#"{"code":200}"#), None);
        for heartbeat in ["-1", "1e9", "1e300", "\"3\""] {
            let bad = format!(r#"{{"code":200,"sys":{{"heartbeat":{heartbeat}}}}}"#);
            assert!(serde_json::from_str::<Response>(&bad).is_err(), "{bad}");
        }
    }

    fn body_of(package: Bytes) -> Bytes {
        let package = package::whole(package, 200).expect("a handshake is one package");
        assert_eq!(package.kind, PackageType::Handshake);
        package.body
    }
}
