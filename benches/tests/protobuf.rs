//! How much memory protobuf bodies take, which only benches can count.

use allocation_counter::measure;
use benches::on_chat;
use cluster::wire::protobuf::Schema;
use serde_json::json;

#[test]
fn a_push_is_encoded_with_one_allocation() {
    let (schema, body) = on_chat();
    let mut bytes = None;
    let counted = measure(|| bytes = schema.encode("onChat", &body).ok());
    assert!(bytes.is_some());
    assert_eq!(counted.count_total, 1);
}

#[test]
fn what_is_decoded_takes_memory_in_proportion_to_its_bytes() {
    let file = json!({
        "message G": {"optional G g": 1, "repeated uInt32 n": 2, "repeated G gs": 3},
        "r": {"repeated uInt32 n": 1, "repeated string s": 2, "repeated G g": 3, "repeated double d": 4},
    });
    let (schema, _) = Schema::from_text(&file.to_string()).expect("it is an object");
    // Each repeats what takes most for its bytes; the counts promise more than there is.
    let bodies = [
        (
            "numbers",
            [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F].to_vec(),
            vec![0x01],
        ),
        (
            "doubles",
            [0x21, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F].to_vec(),
            vec![0x01],
        ),
        ("texts", Vec::new(), vec![0x12, 0x00]),
        (
            "cut off",
            vec![0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F],
            vec![0xFF],
        ),
        ("empty messages", Vec::new(), vec![0x1A, 0x00]),
        ("messages", Vec::new(), vec![0x1A, 0x03, 0x10, 0x01, 0x05]),
        (
            "nested",
            Vec::new(),
            vec![0x1A, 0x04, 0x1A, 0x02, 0x0A, 0x00],
        ),
    ];
    for (what, head, repeated) in bodies {
        let mut body = head;
        body.extend(repeated.repeat(100_000 / repeated.len()));
        let counted = measure(|| drop(schema.decode("r", &body)));
        let per_byte = counted.bytes_max as f64 / body.len() as f64;
        println!("{what}: {per_byte:.0} bytes per byte");
        assert!(per_byte < 300.0, "{what}: {per_byte} bytes per byte");
    }
}
