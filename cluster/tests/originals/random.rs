//! Random schemas, messages for them, and damage to bytes.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use serde_json::{Map, Value, json};

/// Names of fields. Some are array indices, which JavaScript puts first.
const NAMES: [&str; 12] = [
    "a",
    "b",
    "msg",
    "from",
    "target",
    "名字",
    "7",
    "10",
    "0",
    "x-y",
    "_",
    "snake_case",
];

const SCALARS: [&str; 6] = ["uInt32", "int32", "sInt32", "float", "double", "string"];

const TAGS: [u32; 14] = [
    0,
    1,
    2,
    3,
    4,
    5,
    15,
    16,
    127,
    128,
    2047,
    2048,
    99_999,
    268_435_455,
];

/// Messages within each other, beyond which only required ones are made.
const DEPTH: usize = 3;

/// A message `r`, and message types for all.
pub struct Schema {
    root: Message,
    global: Vec<(String, Message)>,
}

struct Message {
    fields: Vec<Field>,
    nested: Vec<(String, Message)>,
    /// Keys that say nothing, or of which JavaScript keeps nothing.
    odd: Vec<(String, Value)>,
}

struct Field {
    option: &'static str,
    kind: Kind,
    name: &'static str,
    tag: u32,
}

#[derive(Clone, Copy)]
enum Kind {
    Scalar(&'static str),
    Nested(usize),
    Global(usize),
}

impl Schema {
    pub fn new(rng: &mut StdRng) -> Self {
        let count = rng.random_range(0..3);
        let mut global = Vec::new();
        for index in 0..count {
            // They refer to all of them, themselves included.
            global.push((format!("G{index}"), Message::new(rng, 1, count)));
        }
        Self {
            root: Message::new(rng, 0, count),
            global,
        }
    }

    pub fn protos(&self) -> Value {
        let mut protos = Map::new();
        for (name, message) in &self.global {
            protos.insert(format!("message {name}"), message.protos(self));
        }
        protos.insert(String::from("r"), self.root.protos(self));
        protos.into()
    }

    pub fn message(&self, rng: &mut StdRng) -> Value {
        self.message_of(&self.root, rng, 0)
    }

    fn message_of(&self, message: &Message, rng: &mut StdRng, depth: usize) -> Value {
        let mut members = Vec::new();
        for field in &message.fields {
            let chance = match (field.option, field.kind) {
                ("required", _) => 0.99,
                (_, Kind::Scalar(_)) => 0.7,
                _ if depth < DEPTH => 0.7,
                _ => 0.0,
            };
            if rng.random_bool(chance) {
                let value = self.value(field, message, rng, depth);
                members.push((field.name.to_owned(), value));
            }
        }
        if rng.random_bool(0.1) {
            members.push((String::from("not in the schema"), json!([1, {"a": null}])));
        }
        members.shuffle(rng);
        members.into_iter().collect::<Map<_, _>>().into()
    }

    fn value(&self, field: &Field, message: &Message, rng: &mut StdRng, depth: usize) -> Value {
        if rng.random_bool(0.003) {
            return Value::Null;
        }
        if field.option != "repeated" {
            return self.single(field.kind, message, rng, depth);
        }
        let count = match rng.random_range(0..100) {
            0 => rng.random_range(100..300),
            _ => rng.random_range(0..4),
        };
        let count = match field.kind {
            Kind::Scalar(_) => count,
            _ => count.min(3),
        };
        let elements = (0..count).map(|_| self.single(field.kind, message, rng, depth));
        elements.collect()
    }

    fn single(&self, kind: Kind, message: &Message, rng: &mut StdRng, depth: usize) -> Value {
        match kind {
            Kind::Scalar("string") if rng.random_bool(0.002) => json!(5),
            Kind::Scalar("string") => text(rng).into(),
            Kind::Scalar("float" | "double") => real(rng),
            Kind::Scalar(kind) => integer(kind == "uInt32", rng),
            // A message that requires itself has no end.
            _ if depth > 2 * DEPTH => json!({}),
            Kind::Nested(index) => self.message_of(&message.nested[index].1, rng, depth + 1),
            Kind::Global(index) => self.message_of(&self.global[index].1, rng, depth + 1),
        }
    }
}

impl Message {
    fn new(rng: &mut StdRng, depth: usize, global: usize) -> Self {
        let nested: Vec<_> = (0..rng.random_range(0..3))
            .filter(|_| depth < DEPTH)
            .map(|index| (format!("N{index}"), Self::new(rng, depth + 1, global)))
            .collect();
        let count = rng.random_range(if depth == 0 { 1..8 } else { 0..5 });
        let names = NAMES.choose_multiple(rng, count);
        let mut tags = TAGS.choose_multiple(rng, count);
        let mut fields = Vec::new();
        for name in names {
            let kind = match rng.random_range(0..10) {
                0..3 if !nested.is_empty() => Kind::Nested(rng.random_range(0..nested.len())),
                3..5 if global > 0 => Kind::Global(rng.random_range(0..global)),
                _ => Kind::Scalar(SCALARS.choose(rng).expect("there are some")),
            };
            // A type for all that requires another may end up requiring itself.
            let options: &[_] = match kind {
                Kind::Global(_) if depth > 0 => &["optional", "repeated"],
                _ => &["required", "optional", "repeated"],
            };
            fields.push(Field {
                option: options.choose(rng).expect("there are some"),
                kind,
                name,
                tag: *tags.next().expect("there are more tags than names"),
            });
        }
        let odd = [
            ("bogus string q", json!(500)),
            ("required uInt32", json!(501)),
            ("required  uInt32 q", json!(502)),
            ("message", json!({})),
            (
                "optional uInt32 dropped",
                json!(fields.first().map(|field| field.tag)),
            ),
            ("message Empty", json!(null)),
            ("optional uInt32 text", json!("503")),
        ];
        let odd = odd
            .into_iter()
            .filter(|(key, value)| {
                rng.random_bool(0.05) && (*key != "optional uInt32 dropped" || !value.is_null())
            })
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        Self {
            fields,
            nested,
            odd,
        }
    }

    fn protos(&self, schema: &Schema) -> Value {
        let mut protos = Map::new();
        for field in &self.fields {
            let kind = match field.kind {
                Kind::Scalar(kind) => kind,
                Kind::Nested(index) => &self.nested[index].0,
                Kind::Global(index) => &schema.global[index].0,
            };
            let key = format!("{} {kind} {}", field.option, field.name);
            protos.insert(key, field.tag.into());
        }
        for (name, message) in &self.nested {
            protos.insert(format!("message {name}"), message.protos(schema));
        }
        for (key, value) in &self.odd {
            protos.insert(key.clone(), value.clone());
        }
        protos.into()
    }
}

/// `body` with something else in it, too little or too much.
pub fn damaged(mut body: Vec<u8>, rng: &mut StdRng) -> Vec<u8> {
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(0..=body.len());
        match rng.random_range(0..4) {
            0 => body.truncate(at),
            1 => body.insert(at, rng.random()),
            2 => body.insert(
                at,
                *[0x00, 0x01, 0x7F, 0x80, 0xFF].choose(rng).expect("some"),
            ),
            _ if at < body.len() => body[at] ^= 1 << rng.random_range(0..8),
            _ => body.extend_from_within(at / 2..),
        }
    }
    body
}

fn text(rng: &mut StdRng) -> String {
    let pieces = [
        "", "a", "*", "hello ", "é", "中文", "😀", "\0", "\n", "\u{FFFD}", "\u{FEFF}", "\"",
    ];
    let count = match rng.random_range(0..200) {
        0 => rng.random_range(100..400),
        _ => rng.random_range(0..6),
    };
    (0..count)
        .filter_map(|_| pieces.choose(rng).copied())
        .collect()
}

/// What an integer field is given. Left out is what this cluster refuses on purpose: numbers whose
/// text has an exponent, and arrays.
fn integer(is_unsigned: bool, rng: &mut StdRng) -> Value {
    let bits = *[7, 8, 14, 16, 21, 28, 31, 32, 33, 35, 42, 49, 53, 54, 63]
        .choose(rng)
        .expect("some");
    let near = 2_f64.powi(bits) + f64::from(rng.random_range(-2..=2));
    let number = match rng.random_range(0..10) {
        0..3 => f64::from(rng.random_range(0..300)),
        3..6 => near,
        6 => f64::from(rng.random::<u32>()),
        7 => f64::from(rng.random::<f32>()) * 1e4,
        8 => rng.random::<f64>() * 4.9e20,
        _ => f64::from(rng.random_range(0..100)) / 8.0,
    };
    let number = if number < 1e-6 { 0.0 } else { number };
    let is_negative = rng.random_bool(if is_unsigned { 0.001 } else { 0.5 });
    let number = if is_negative { -number } else { number };
    match rng.random_range(0..400) {
        0..8 => format!("{number}").into(),
        8..12 => format!(" \u{A0}{number}\t").into(),
        12..16 => {
            let texts = [
                "1e3",
                "12abc",
                "+5",
                "0x1F",
                "0xfg",
                "0777",
                "7.",
                "\u{FEFF}1",
                "0x10000000000000001",
            ];
            (*texts.choose(rng).expect("some")).into()
        }
        16 => (*["", "x", ".5", "0x", "Infinity", "-", "\u{85}1"]
            .choose(rng)
            .expect("some"))
        .into(),
        17 if rng.random() => json!(rng.random::<bool>()),
        _ if number.fract() == 0.0 && number.abs() < 1e15 => json!(number as i64),
        _ => json!(number),
    }
}

/// What a float or double is given. Left out is what is no number to JavaScript.
fn real(rng: &mut StdRng) -> Value {
    let number = match rng.random_range(0..6) {
        0 => f64::from(rng.random_range(-1000..1000)),
        1 => f64::from(f32::from_bits(rng.random())),
        2 => f64::from_bits(rng.random()),
        3 => 2_f64.powi(rng.random_range(-160..160)),
        4 => rng.random::<f64>() * 1e6,
        _ => rng.random::<f64>() - 0.5,
    };
    let number = if number.is_finite() { number } else { -0.0 };
    match rng.random_range(0..100) {
        0 => number.to_string().into(),
        1 => format!("\n{number:e} ").into(),
        2 => {
            let texts = [
                "",
                " ",
                "0x1F",
                "0b11",
                "0o17",
                "+.5",
                "5.",
                "-Infinity",
                "1e400",
                "0777",
                "0x20000000000001",
            ];
            (*texts.choose(rng).expect("some")).into()
        }
        3 => json!(rng.random::<bool>()),
        4 => Value::Null,
        _ => json!(number),
    }
}
