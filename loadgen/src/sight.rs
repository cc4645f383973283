//! What a virtual user makes of the bodies it is sent: pure functions from JSON to the history's
//! terms.

use cluster::client::Body;
use cluster::dispatch::EVERYBODY;
use cluster::wire::vocabulary::BodyError;
use serde_json::Value;

use crate::address::Address;
use crate::history::Target;
use crate::message_text;
use crate::record::Push;

/// The connector that a gate's answer names; `None` if it names none.
pub(crate) fn connector(answer: &Value) -> Option<Address> {
    let host = answer.get("host")?.as_str()?.to_owned();
    let port = answer.get("port")?.as_u64()?.try_into().ok()?;
    is_success(answer).then_some(Address { host, port })
}

/// The members in the answer to a successful enter; `None` if it is a refusal. The original answers
/// `{"users":{}}` when no chat server could be asked. No client of it takes that for a refusal: it
/// believes that it is in a room, in which there is nobody.
pub(crate) fn users(answer: &Value) -> Option<Vec<String>> {
    let users = match answer.get("users")? {
        Value::Array(users) => users.as_slice(),
        Value::Object(_) => &[],
        _ => return None,
    };
    users
        .iter()
        .map(|name| Some(name.as_str()?.to_owned()))
        .collect()
}

/// Whether a refused enter was refused because the name is taken. Protobuf, which has no truth
/// values, makes a number of it.
pub(crate) fn is_duplicate(answer: &Value) -> bool {
    match answer.get("error") {
        Some(Value::Number(error)) => error.as_f64() == Some(1.0),
        error => error == Some(&Value::Bool(true)),
    }
}

/// Whether a send was accepted: the answer carries no other code than 200.
pub(crate) fn is_success(answer: &Value) -> bool {
    answer.is_object() && answer.get("code").is_none_or(|code| *code == 200)
}

/// What a push means; `None` if it is none of the chat's, or lacks what it must have.
///
/// # Errors
///
/// It should be one of the chat's, and cannot be read.
pub(crate) fn of_push<'a>(route: &str, body: &'a Body<'_>) -> Result<Option<Push<'a>>, BodyError> {
    Ok(match route {
        "onChat" => {
            let texts = body.texts(["msg", "from", "target"])?;
            let [Some(text), Some(from), Some(target)] = texts else {
                return Ok(None);
            };
            Some(Push::Heard {
                message: message_text::parse(&text).map(|(message, _due)| message),
                from,
                target,
            })
        }
        "onAdd" => {
            let [name] = body.texts(["user"])?;
            name.map(Push::Added)
        }
        "onLeave" => {
            let [name] = body.texts(["user"])?;
            name.map(Push::Left)
        }
        _ => None,
    })
}

/// How `target` is written in a request.
pub(crate) fn target_name(target: &Target) -> &str {
    match target {
        Target::Room => EVERYBODY,
        Target::User(name) => name,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::history::{MessageId, What};

    #[test]
    fn a_gate_names_a_connector_or_not() {
        let answer = json!({"code": 200, "host": "10.0.0.2", "port": 3050});
        assert_eq!(
            connector(&answer).map(|connector| connector.to_string()),
            Some("10.0.0.2:3050".to_owned())
        );
        for answer in [
            json!({"code": 500}),
            json!({"code": 500, "host": "a", "port": 1}),
            json!({"code": 200, "host": "a"}),
            json!({"code": 200, "host": "a", "port": 65_536}),
            json!(null),
        ] {
            assert_eq!(connector(&answer), None, "{answer}");
        }
    }

    #[test]
    fn an_enter_is_answered_with_the_members_or_refused() {
        assert_eq!(
            users(&json!({"users": ["b", "a"]})),
            Some(vec!["b".to_owned(), "a".to_owned()])
        );
        assert_eq!(users(&json!({"users": {}})), Some(Vec::new()));
        assert_eq!(users(&json!({"users": 3})), None);
        assert_eq!(users(&json!({"code": 500})), None);
        assert!(is_duplicate(&json!({"code": 500, "error": true})));
        assert!(is_duplicate(&json!({"code": 500, "error": 1})));
        assert!(!is_duplicate(&json!({"code": 500})));
    }

    #[test]
    fn a_send_is_answered_with_success_or_an_error() {
        assert!(is_success(&json!({})));
        assert!(is_success(&json!({"route": "x", "code": 200})));
        assert!(!is_success(&json!({"code": 500})));
        assert!(!is_success(&json!(null)));
    }

    #[test]
    fn a_push_is_recognised_by_its_route() {
        let message = MessageId {
            user: 3,
            login: 1,
            number: 2,
        };
        let text = message_text::compose(message, Duration::from_secs(1), 40);
        let seen = |route, json: Value| {
            let body = Body::json(json.to_string());
            let push = of_push(route, &body).expect("it is JSON");
            push.map(What::from)
        };
        let heard = |message, target| {
            Some(What::Heard {
                message,
                from: "a".to_owned(),
                target,
            })
        };
        assert_eq!(
            seen("onChat", json!({"msg": text, "from": "a", "target": "*"})),
            heard(Some(message), Target::Room)
        );
        assert_eq!(
            seen("onChat", json!({"msg": "hi", "from": "a", "target": "b"})),
            heard(None, Target::User("b".to_owned()))
        );
        assert_eq!(
            seen("onAdd", json!({"route": "onAdd", "user": "a"})),
            Some(What::Added {
                name: "a".to_owned()
            })
        );
        assert_eq!(
            seen("onLeave", json!({"route": "onLeave", "user": "a"})),
            Some(What::Left {
                name: "a".to_owned()
            })
        );
        assert_eq!(seen("onChat", json!({})), None);
        assert_eq!(seen("onOther", json!({"user": "a"})), None);
        assert!(of_push("onChat", &Body::json("{")).is_err());
    }
}
