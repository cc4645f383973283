//! Messages: the bodies of data packages, once a session works.

use std::sync::Arc;

use cluster::options::Options;
use cluster::process::Role;
use cluster::wire::protobuf::{Protos, Schema};

use crate::peer::State::Working;
use crate::peer::{Peer, REFUSED};
use crate::place::{AT_CONNECTOR, AT_GATE, EVERYWHERE, at, patient, with};
use crate::{Result, rows};

/// A message that an answer follows, with the id 1.
const ENTER: &[u8] = b"\x00\x01\x1Cconnector.entryHandler.enter";
const QUERY: &[u8] = b"\x00\x01\x1Bgate.gateHandler.queryEntry";

rows! {
    // Cut short.
    message_empty => closing(b"");
    message_cut_before_the_id => closing(b"\x00");
    message_cut_in_the_id => closing(b"\x00\x81");
    message_cut_before_the_route => closing(b"\x00\x01");
    message_cut_in_the_route => closing(b"\x00\x01\x04a.b");
    notify_cut_in_the_route => closing(b"\x02\x04a.b");
    message_cut_in_the_code => closing(b"\x01\x01\x00");
    response_cut_in_the_id => closing(b"\x04\xFF");

    // Ids.
    id_of_2_to_the_31 => closing(b"\x00\x80\x80\x80\x80\x08\x03a.b");
    id_of_2_to_the_32_and_5 => closing(b"\x00\x85\x80\x80\x80\x10\x03a.b");
    id_without_end => closing(&[&[0], [0x80; 1000].as_slice()].concat());
    id_of_2_to_the_31_less_1 => at(EVERYWHERE, Working, async |peer| {
        peer.message(b"\x00\xFF\xFF\xFF\xFF\x07\x03a.b").await?;
        peer.reads(4, b"\x04\xFF\xFF\xFF\xFF\x07{\"code\":500}").await?;
        peer.stays().await
    });
    id_not_minimal => refused(b"\x00\x81\x80\x80\x00\x03a.b");
    id_0 => silent(b"\x00\x00\x03a.b");
    id_twice => at(EVERYWHERE, Working, async |peer| {
        for _ in 0..2 {
            peer.message(b"\x00\x01\x03a.b").await?;
        }
        for _ in 0..2 {
            peer.reads_answer(1, REFUSED).await?;
        }
        peer.stays().await
    });

    // Kinds and flags.
    response_from_a_client => silent(b"\x04\x01{}");
    type_4 => silent(b"\x08");
    type_7_with_anything => silent(b"\x0E\xFF\xFF\xFF");
    push_from_a_client => silent(b"\x06\x03a.b{}");
    notify_of_no_route => silent(b"\x02\x03a.b{}");
    flag_gzip => refused(b"\x10\x01\x03a.b{}");
    flag_bits_without_meaning => refused(b"\xE0\x01\x03a.b{}");

    // Routes.
    route_unknown => refused(b"\x00\x01\x0Dno.such.route{}");
    route_of_two_parts => refused(b"\x00\x01\x03a.b{}");
    route_of_four_parts => refused(b"\x00\x01\x07a.b.c.d{}");
    route_without_a_dot => silent(b"\x00\x01\x03foo{}");
    route_empty => silent(b"\x00\x01\x00{}");
    route_without_a_first_part => silent(b"\x00\x01\x04.a.b{}");
    route_of_another_server => at(EVERYWHERE, Working, async |peer| {
        let other = if peer.place.server == Role::Gate { ENTER } else { QUERY };
        peer.message(&[other, br#"{"uid":"a","username":"a","rid":"r"}"#].concat()).await?;
        peer.reads_answer(1, REFUSED).await?;
        peer.stays().await
    });
    route_constructor => attacking(b"\x00\x01\x0Fa.b.constructor{}");
    notify_constructor => attacking(b"\x02\x0Fa.b.constructor{}");
    push_constructor => attacking(b"\x06\x0Fa.b.constructor{}");
    route_proto => silent(b"\x00\x01\x09__proto__{}");
    route_to_string => refused(b"\x00\x01\x17chat.chatHandler.toString{}");
    route_code => at(AT_CONNECTOR, Working, async |peer| {
        // 2 is `enter`.
        peer.message(b"\x01\x01\0\x02{\"username\":\"a\",\"rid\":\"r\"}").await?;
        peer.reads_answer(1, r#"{"users":["a"]}"#).await?;
        peer.stays().await
    });
    route_code_unknown => silent(b"\x01\x01\xFF\xFF{}");
    route_code_0 => silent(b"\x01\x01\0\0{}");
    route_code_at_a_gate => at(AT_GATE, Working, async |peer| {
        // 3 would be `queryEntry`.
        peer.message(b"\x01\x01\0\x03{\"uid\":\"a\"}").await?;
        peer.stays().await
    });
    route_bad_utf8 => refused(b"\x00\x01\x05a.\xFF.c{}");
    route_longest => at(EVERYWHERE, Working, async |peer| {
        let mut message = vec![0, 1, 255, b'a'];
        message.extend([b'.'; 254]);
        peer.message(&message).await?;
        peer.reads_answer(1, REFUSED).await?;
        peer.stays().await
    });

    // Bodies.
    body_empty => bodies(b"", false);
    body_no_json => bodies(b"{\"uid\":\"a\"", false);
    body_null => bodies(b"null", false);
    body_number => bodies(b"5", false);
    body_trailing_zeros => bodies(b"{\"uid\":\"a\",\"username\":\"a\",\"rid\":\"r\"}\0\0", false);
    body_bom => bodies(b"\xEF\xBB\xBF{\"uid\":\"a\",\"username\":\"a\",\"rid\":\"r\"}", false);
    body_in_an_array => bodies(b"[{\"uid\":\"a\",\"username\":\"a\",\"rid\":\"r\"}]", true);
    body_array_of_two => bodies(b"[{\"uid\":\"a\",\"username\":\"a\",\"rid\":\"r\"},1]", false);
    body_key_twice => bodies(
        br#"{"uid":"","uid":"a","username":"x","username":"a","rid":"r"}"#,
        true
    );
    body_bad_utf8 => bodies(
        b"{\"x\":\"\xFF\xED\xA0\x80\",\"uid\":\"a\",\"username\":\"a\",\"rid\":\"r\"}",
        true
    );
    body_lone_surrogate => bodies(br#"{"x":"\ud800","uid":"a","username":"a","rid":"r"}"#, true);
    body_nested_too_deep => at(EVERYWHERE, Working, async |peer| {
        let deep = [b"[".repeat(200), b"]".repeat(200)].concat();
        let body = [br#"{"uid":"a","username":"a","rid":"r","x":"#, &deep[..], b"}"].concat();
        peer.message(&[route_of(peer), &body].concat()).await?;
        peer.reads_answer(1, REFUSED).await?;
        peer.stays().await
    });
    protobuf_body => with(protobuf(), EVERYWHERE, Working, async |peer| {
        for body in [b"".as_slice(), b"\x0A\x02hi"] {
            peer.message(&[b"\x00\x01\x05a.b.c", body].concat()).await?;
            peer.reads_answer(1, REFUSED).await?;
        }
        peer.stays().await
    });
    protobuf_body_with_an_unknown_tag => bad_protobuf(b"\x12\x02hi");
    protobuf_body_cut_short => bad_protobuf(b"\x0A");
    protobuf_body_that_is_json => bad_protobuf(b"{\"s\":\"hi\"}");
    protobuf_body_cut_in_its_text => with(protobuf(), EVERYWHERE, Working, async |peer| {
        // As in the original a text ends with the body.
        peer.message(b"\x00\x01\x05a.b.c\x0A\x7Fhi").await?;
        peer.reads_answer(1, REFUSED).await?;
        peer.stays().await
    });
    name_bad_utf8 => at(AT_CONNECTOR, Working, async |peer| {
        peer.message(&[ENTER, b"{\"username\":\"\xFF\",\"rid\":\"r\"}"].concat()).await?;
        peer.reads_answer(1, "{\"users\":[\"\u{FFFD}\"]}").await?;
        peer.stays().await
    });
    name_that_is_a_number => at(AT_CONNECTOR, Working, async |peer| {
        let body = br#"{"username":4.444444777777777e-200,"rid":"r"}"#;
        peer.message(&[ENTER, body].concat()).await?;
        peer.reads_answer(1, r#"{"users":["4.444444777777777e-200"]}"#).await?;
        peer.stays().await
    });
    name_too_long => at(AT_CONNECTOR, Working, async |peer| {
        let body = format!(r#"{{"username":"{}","rid":"r"}}"#, "n".repeat(257));
        peer.message(&[ENTER, body.as_bytes()].concat()).await?;
        peer.reads_answer(1, REFUSED).await?;
        peer.stays().await
    });
    send_before_enter => at(AT_CONNECTOR, Working, async |peer| {
        let send = b"\x00\x01\x15chat.chatHandler.send{\"content\":\"hi\",\"target\":\"*\"}";
        peer.message(send).await?;
        peer.reads_answer(1, REFUSED).await?;
        peer.stays().await
    });
    bad_bytes_behind_requests => at(EVERYWHERE, Working, async |peer| {
        // Answers that were ready are not lost.
        peer.message(b"\x00\x01\x03a.b").await?;
        peer.message(b"\x00\x02\x03a.b").await?;
        peer.message(b"").await?;
        peer.message(b"\x00\x03\x03a.b").await?;
        peer.reads_answer(1, REFUSED).await?;
        peer.reads_answer(2, REFUSED).await?;
        peer.is_closed().await
    });
    uid_missing => at(AT_GATE, Working, async |peer| {
        peer.message(&[QUERY, b"{}"].concat()).await?;
        peer.reads_answer(1, REFUSED).await?;
        peer.stays().await
    });
}

/// The route that this server has.
fn route_of(peer: &Peer) -> &'static [u8] {
    match peer.place.server {
        Role::Gate => QUERY,
        _ => ENTER,
    }
}

/// A body of the route that this server has; either it is good, or as good as an empty one.
async fn bodies(body: &[u8], is_good: bool) -> Result {
    at(EVERYWHERE, Working, async |peer| {
        peer.message(&[route_of(peer), body].concat()).await?;
        let (kind, answer) = peer.next().await?;
        let answer = String::from_utf8(answer)?;
        let begins = match (is_good, peer.place.server) {
            (false, _) => "\x04\x01{\"code\":500}",
            (true, Role::Gate) => "\x04\x01{\"code\":200,\"host\":",
            (true, _) => "\x04\x01{\"users\":[\"a\"]}",
        };
        if kind != 4 || !answer.starts_with(begins) {
            return Err(format!("{kind} {answer}").into());
        }
        peer.stays().await
    })
    .await
}

/// Bodies of one route are protobuf.
fn protobuf() -> Options {
    let text = r#"{"a.b.c": {"optional string s": 1}}"#;
    let (client, _) = Schema::from_text(text).unwrap();
    let mut options = patient();
    let protos = Protos::new(Schema::default(), client);
    options.vocabulary.protos = Some(Arc::new(protos));
    options
}

/// A body of that route.
async fn bad_protobuf(body: &[u8]) -> Result {
    with(protobuf(), EVERYWHERE, Working, async |peer| {
        peer.message(&[b"\x00\x01\x05a.b.c", body].concat()).await?;
        peer.is_closed().await
    })
    .await
}

async fn closing(message: &[u8]) -> Result {
    at(EVERYWHERE, Working, async |peer| {
        peer.message(message).await?;
        peer.is_closed().await
    })
    .await
}

async fn silent(message: &[u8]) -> Result {
    at(EVERYWHERE, Working, async |peer| {
        peer.message(message).await?;
        peer.stays().await
    })
    .await
}

/// A request with the id 1.
async fn refused(message: &[u8]) -> Result {
    at(EVERYWHERE, Working, async |peer| {
        peer.message(message).await?;
        peer.reads_answer(1, REFUSED).await?;
        peer.stays().await
    })
    .await
}

async fn attacking(message: &[u8]) -> Result {
    at(EVERYWHERE, Working, async |peer| {
        peer.message(message).await?;
        peer.is_kicked("attack").await
    })
    .await
}
