//! The answer to a handshake, field by field.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use crate::wire::dictionary::{Dictionary, DictionaryError};
use crate::wire::protobuf::{Protos, Schema, SchemaError};
use crate::wire::vocabulary::Vocabulary;

/// Longest interval of heartbeats that a client believes in. Times beyond what a clock can hold
/// would stop the client; a day is more than any network keeps a silent connection.
const HEARTBEAT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// What the server answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// [`SUCCESS`](super::SUCCESS), or why not.
    pub code: u16,
    /// What holds on this connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sys: Option<Sys>,
}

/// What holds on a connection after its handshake. Of the vocabulary it has what the client does
/// not know. The fields are in the original's order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sys {
    /// Interval of heartbeats, in seconds on the wire; `None` if there are none (the gate).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "seconds_to_number",
        deserialize_with = "number_to_seconds"
    )]
    pub heartbeat: Option<Duration>,
    /// The same as `route_to_code`, for older clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dict: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    route_to_code: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code_to_route: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dict_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    use_dict: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    protos: Option<Parsed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    use_proto: Option<bool>,
}

/// The schemas in their parsed form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Parsed {
    server: Value,
    client: Value,
    #[serde(default)]
    version: String,
}

/// Why the vocabulary of a handshake cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VocabularyError {
    /// The route dictionary is none.
    #[error("its route dictionary cannot be used")]
    Dictionary(#[from] DictionaryError),
    /// The schemas are none.
    #[error("its protobuf schemas cannot be used")]
    Protos(#[from] SchemaError),
}

impl Sys {
    pub(super) fn new(
        heartbeat: Option<Duration>,
        vocabulary: &Vocabulary,
        knows_dictionary: bool,
        knows_protos: bool,
    ) -> Self {
        let Vocabulary { dictionary, protos } = vocabulary;
        let new_dictionary = dictionary.as_ref().filter(|_| !knows_dictionary);
        let codes = new_dictionary.map(|dictionary| dictionary.route_to_code());
        let new_protos = protos.as_ref().filter(|_| !knows_protos);
        Self {
            heartbeat,
            dict: codes.clone(),
            route_to_code: codes,
            code_to_route: new_dictionary.map(|dictionary| dictionary.code_to_route()),
            dict_version: new_dictionary.map(|dictionary| dictionary.version().to_owned()),
            use_dict: dictionary.as_ref().map(|_| true),
            protos: new_protos.map(|protos| Parsed {
                server: protos.server().to_parsed().clone().into(),
                client: protos.client().to_parsed().clone().into(),
                version: protos.version().to_owned(),
            }),
            use_proto: protos.as_ref().map(|_| true),
        }
    }

    /// The vocabulary of the connection, for a client that knew `known` and said so.
    ///
    /// # Errors
    ///
    /// It is not one.
    pub fn into_vocabulary(self, known: &Vocabulary) -> Result<Vocabulary, VocabularyError> {
        let codes = self.route_to_code.or(self.dict);
        let dictionary = match (codes, self.code_to_route, self.use_dict) {
            (Some(codes), names, _) => {
                let names = names.unwrap_or_else(|| reversed(&codes));
                let version = self.dict_version.unwrap_or_default();
                Some(Arc::new(Dictionary::from_parts(&codes, &names, version)?))
            }
            (None, _, Some(true)) => known.dictionary.clone(),
            _ => None,
        };
        let protos = match (self.protos, self.use_proto) {
            (
                Some(Parsed {
                    server,
                    client,
                    version,
                }),
                _,
            ) => {
                let (server, client) = (Schema::from_parsed(server)?, Schema::from_parsed(client)?);
                Some(Arc::new(Protos::with_version(server, client, version)))
            }
            (None, Some(true)) => known.protos.clone(),
            _ => None,
        };
        Ok(Vocabulary { dictionary, protos })
    }
}

/// Routes by their codes, for a server that does not send them.
fn reversed(codes: &Map<String, Value>) -> Map<String, Value> {
    let codes = codes.iter();
    codes
        .map(|(route, code)| (code.to_string(), route.as_str().into()))
        .collect()
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
