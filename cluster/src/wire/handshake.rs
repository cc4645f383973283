//! The first package each way: who the client is, and what the server expects of it.

mod response;

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::package::{self, BODY_LEN_LIMIT, PackageType};
use super::vocabulary::Vocabulary;

pub use response::{Response, Sys, VocabularyError};

/// The code of a handshake that succeeded.
pub const SUCCESS: u16 = 200;

/// The code of a handshake that failed; the server closes the connection after it.
pub const FAILURE: u16 = 500;

/// What a client's handshake says that matters: the versions that it knows already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Of the route dictionary.
    pub dict_version: Option<String>,
    /// Of the protobuf schemas.
    pub proto_version: Option<String>,
}

impl Request {
    /// Reads a client's handshake; `None` if it is bad. All that counts is that its `sys` is there
    /// and is true in JavaScript's sense; an empty object is.
    pub fn read(body: &[u8]) -> Option<Self> {
        let request: Value = serde_json::from_str(&String::from_utf8_lossy(body)).ok()?;
        let sys = request.get("sys")?;
        let is_true = match sys {
            Value::Null => false,
            Value::Bool(sys) => *sys,
            Value::Number(sys) => sys.as_f64() != Some(0.0),
            Value::String(sys) => !sys.is_empty(),
            Value::Array(_) | Value::Object(_) => true,
        };
        // What is no text equals no version, as in the original.
        let version = |name: &str| sys.get(name).and_then(Value::as_str).map(str::to_owned);
        is_true.then(|| Self {
            dict_version: version("dictVersion"),
            proto_version: version("protoVersion"),
        })
    }
}

/// The answers of one server to good handshakes. They differ only in what the client knows
/// already, so they are written once.
#[derive(Debug)]
pub struct Answers {
    vocabulary: Vocabulary,
    /// By whether the client knows the dictionary, then by whether it knows the schemas.
    packages: [[Bytes; 2]; 2],
}

impl Answers {
    /// Writes the answers: the interval of `heartbeat`, if there is one, and the vocabulary.
    ///
    /// # Errors
    ///
    /// The vocabulary does not fit a package.
    pub fn new(heartbeat: Option<Duration>, vocabulary: Vocabulary) -> Result<Self, TooLong> {
        let body = |knows_dictionary, knows_protos| {
            let sys = Sys::new(heartbeat, &vocabulary, knows_dictionary, knows_protos);
            body_of(&Response {
                code: SUCCESS,
                sys: Some(sys),
            })
        };
        // The longest, for a client that knows nothing.
        let len = body(false, false).len();
        if len > BODY_LEN_LIMIT {
            return Err(TooLong { len });
        }
        let packages = [false, true].map(|dictionary| {
            [false, true]
                .map(|protos| package::encode(PackageType::Handshake, &body(dictionary, protos)))
        });
        Ok(Self {
            vocabulary,
            packages,
        })
    }

    /// What a client is told.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The answer to `request` as a whole package.
    pub fn answer(&self, request: &Request) -> Bytes {
        let Vocabulary { dictionary, protos } = &self.vocabulary;
        let dictionary = dictionary.as_ref().map(|dictionary| dictionary.version());
        let protos = protos.as_ref().map(|protos| protos.version());
        let knows_dictionary = request.dict_version.as_deref() == dictionary;
        let knows_protos = request.proto_version.as_deref() == protos;
        self.packages[usize::from(knows_dictionary)][usize::from(knows_protos)].clone()
    }
}

/// A vocabulary is too long for a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a handshake of {len} bytes is longer than {BODY_LEN_LIMIT}")]
pub struct TooLong {
    /// The length of the handshake, in bytes.
    pub len: usize,
}

/// Writes the answer to a bad handshake as a whole package.
pub fn encode_failure() -> Bytes {
    let response = Response {
        code: FAILURE,
        sys: None,
    };
    package::encode(PackageType::Handshake, &body_of(&response))
}

/// Writes this client's handshake as a whole package; `known` is what it need not be sent.
pub fn encode_request(known: &Vocabulary) -> Bytes {
    let mut sys = json!({"type": "rust-client", "version": "0.1.0", "rsa": {}});
    if let Some(protos) = &known.protos {
        sys["protoVersion"] = protos.version().into();
    }
    if let Some(dictionary) = &known.dictionary {
        sys["dictVersion"] = dictionary.version().into();
    }
    let request = json!({"sys": sys, "user": {}});
    package::encode(PackageType::Handshake, request.to_string().as_bytes())
}

fn body_of(response: &Response) -> Vec<u8> {
    serde_json::to_vec(response).expect("all of it can be written as JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::wire::dictionary::{Dictionary, ROUTES_MAX};
    use crate::wire::message::Route;
    use crate::wire::protobuf::{Protos, Schema};

    #[test]
    fn a_handshake_is_good_if_its_sys_is_true_in_javascript() {
        for sys in [
            "{}",
            "1",
            "-0.5",
            "\"x\"",
            "[]",
            "true",
            r#"{"type":"js-websocket","protoVersion":0,"dictVersion":{}}"#,
        ] {
            let body = format!(r#"{{"sys":{sys},"user":{{}}}}"#);
            let request = Request::read(body.as_bytes());
            assert_eq!(request, Some(Request::default()), "{sys}");
        }
    }

    #[test]
    fn a_handshake_without_sys_is_bad() {
        for sys in ["null", "false", "0", "-0.0", "\"\""] {
            let body = format!(r#"{{"sys":{sys}}}"#);
            assert_eq!(Request::read(body.as_bytes()), None, "{sys}");
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
            assert_eq!(Request::read(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn a_server_without_a_vocabulary_says_so_by_saying_nothing() {
        let answer = |heartbeat| {
            let answers = Answers::new(heartbeat, Vocabulary::default()).expect("it is short");
            sent(answers.answer(&Request::default()))
        };
        let second = Duration::from_secs(1);
        let connector = answer(Some(3 * second));
        assert_eq!(connector, r#"{"code":200,"sys":{"heartbeat":3}}"#);
        assert_eq!(answer(None), r#"{"code":200,"sys":{}}"#);
        assert_eq!(sent(encode_failure()), r#"{"code":500}"#);
        let quick = answer(Some(second / 4));
        assert_eq!(quick, r#"{"code":200,"sys":{"heartbeat":0.25}}"#);
    }

    // The text of PROTOCOL 3, in the order of its table; the versions are those of vectors.json.
    #[test]
    fn a_client_is_sent_what_it_does_not_know() -> Result<(), Box<dyn std::error::Error>> {
        let vocabulary = chat_example();
        let answers = Answers::new(Some(Duration::from_secs(3)), vocabulary.clone())?;
        let codes = r#"{"chat.chatHandler.send":1,"connector.entryHandler.enter":2}"#;
        let dictionary = format!(
            r#""dict":{codes},"routeToCode":{codes},"codeToRoute":{{"1":"chat.chatHandler.send","2":"connector.entryHandler.enter"}},"dictVersion":"{}","#,
            vocabulary.dictionary.as_ref().ok_or("none")?.version(),
        );
        let protos = concat!(
            r#""protos":{"server":{"onChat":{"msg":{"option":"required","type":"string","tag":1},"#,
            r#""from":{"option":"required","type":"string","tag":2},"#,
            r#""target":{"option":"required","type":"string","tag":3},"__messages":{},"#,
            r#""__tags":{"1":"msg","2":"from","3":"target"}}},"client":{},"#,
            r#""version":"2zWPnSlRsRxjqgcU215Uxg=="},"#,
        );
        let known = |knows_dictionary: bool, knows_protos: bool| {
            let Vocabulary { dictionary, protos } = vocabulary.clone();
            Vocabulary {
                dictionary: dictionary.filter(|_| knows_dictionary),
                protos: protos.filter(|_| knows_protos),
            }
        };
        for (knows_dictionary, knows_protos) in
            [(false, false), (false, true), (true, false), (true, true)]
        {
            let known = known(knows_dictionary, knows_protos);
            let request = Request::read(&sent(encode_request(&known))).ok_or("refused")?;
            let answer = sent(answers.answer(&request));
            let dictionary = if knows_dictionary { "" } else { &dictionary };
            let protos = if knows_protos { "" } else { protos };
            let expected = format!(
                r#"{{"code":200,"sys":{{"heartbeat":3,{dictionary}"useDict":true,{protos}"useProto":true}}}}"#
            );
            assert_eq!(answer, expected);

            let response: Response = serde_json::from_slice(&answer)?;
            let sys = response.sys.ok_or("no sys")?;
            assert_eq!(sys.into_vocabulary(&known)?, vocabulary);
        }
        Ok(())
    }

    #[test]
    fn a_vocabulary_that_does_not_fit_a_package_is_refused() {
        let routes = vec!["r".repeat(255); ROUTES_MAX];
        let dictionary = Dictionary::new(&[], &routes).expect("as many as there are codes");
        let vocabulary = Vocabulary {
            dictionary: Some(Arc::new(dictionary)),
            protos: None,
        };
        // All of them in one direction, the one route in the other.
        let error = Answers::new(None, vocabulary).expect_err("too long");
        assert!(error.len > ROUTES_MAX * 255, "{error}");
    }

    #[test]
    fn what_a_server_does_not_use_a_client_does_not_either() -> Result<(), VocabularyError> {
        let sys = Sys::new(None, &Vocabulary::default(), false, false);
        let vocabulary = sys.into_vocabulary(&chat_example())?;
        assert_eq!(vocabulary, Vocabulary::default());
        Ok(())
    }

    #[test]
    fn a_dictionary_in_one_direction_is_one_in_both() -> Result<(), Box<dyn std::error::Error>> {
        let sys: Sys = serde_json::from_str(r#"{"useDict":true,"dict":{"onChat":7}}"#)?;
        let vocabulary = sys.into_vocabulary(&Vocabulary::default())?;
        assert_eq!(vocabulary.name(&Route::Code(7)), Ok("onChat"));
        Ok(())
    }

    fn chat_example() -> Vocabulary {
        let routes = ["connector.entryHandler.enter", "chat.chatHandler.send"];
        let dictionary = Dictionary::new(&routes, &[]).expect("few routes");
        let schema = |text| Schema::from_text(text).expect("it is an object").0;
        let server = schema(
            r#"{"onChat":{"required string msg":1,"required string from":2,"required string target":3}}"#,
        );
        Vocabulary {
            dictionary: Some(Arc::new(dictionary)),
            protos: Some(Arc::new(Protos::new(server, schema("{}")))),
        }
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

    fn sent(package: Bytes) -> Bytes {
        let package = package::whole(package, 2000).expect("a handshake is one package");
        assert_eq!(package.kind, PackageType::Handshake);
        package.body
    }
}
