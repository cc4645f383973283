//! Where this cluster tells a client something else than the original, on purpose. Everything else
//! must be the same, and each of these must be as it is written here.

use crate::script::Conn;

/// What one connection is told in one step.
pub struct Difference {
    pub step: &'static str,
    pub conn: Conn,
    pub original: &'static [&'static str],
    pub ours: &'static [&'static str],
    /// The promise that asks for it (README.md, G1 to G13), and how.
    pub because: &'static str,
}

const ANSWERED: &str = "G8: each request is answered, or its connection ends";
const HONEST: &str = "G4: success means that it arrives, so what cannot be told is refused";
const IN_ORDER: &str = "no promise, but simpler: answers come in the order of the requests";
const ONE_LOGIN: &str = "G6: a name is in a room once in the whole cluster";
const ONE_NAME: &str = "G6: a name is what it says, so what would share one is refused";
const ONE_ROOM: &str = "G1: whoever enters a second room has left the first";

/// All of them.
pub const DIFFERENCES: &[Difference] = &[
    Difference {
        step: "enter by code, and chat routes that are none",
        conn: "r",
        original: &[
            r#"chatHandler {} -> {"code":500}"#,
            r#"more {} -> {"code":500}"#,
            r#"#3 {"uid":"ann"} -> {"code":500}"#,
            r#"#2 {"username":"rita","rid":"routes"} -> {"users":["rita"]}"#,
            r#"none {} -> {"code":500}"#,
            r#"send {} -> {"code":500}"#,
            r#"add {} -> {"code":500}"#,
        ],
        ours: &[
            r#"#2 {"username":"rita","rid":"routes"} -> {"users":["rita"]}"#,
            r#"none {} -> {"code":500}"#,
            r#"send {} -> {"code":500}"#,
            r#"add {} -> {"code":500}"#,
            r#"chatHandler {} -> {"code":500}"#,
            r#"more {} -> {"code":500}"#,
            r#"#3 {"uid":"ann"} -> {"code":500}"#,
        ],
        because: IN_ORDER,
    },
    Difference {
        step: "a far question and a near one",
        conn: "q1",
        original: &[
            r#"route {} -> {"code":500}"#,
            r#"send {"content":"far","target":"nobody"} -> {"code":500}"#,
        ],
        ours: &[
            r#"send {"content":"far","target":"nobody"} -> {"code":500}"#,
            r#"route {} -> {"code":500}"#,
        ],
        because: IN_ORDER,
    },
    Difference {
        step: "names of what every object has",
        conn: "r",
        original: &["toString {} -> silence", "hasOwnProperty {} -> silence"],
        ours: &[
            r#"toString {} -> {"code":500}"#,
            r#"hasOwnProperty {} -> {"code":500}"#,
        ],
        because: ANSWERED,
    },
    Difference {
        step: "rooms that are none",
        conn: "y1",
        original: &[r#"enter {"username":"yan","rid":null} -> silence"#],
        ours: &[r#"enter {"username":"yan","rid":null} -> {"code":500}"#],
        because: ANSWERED,
    },
    Difference {
        step: "rooms that are none",
        conn: "y2",
        original: &[r#"enter {"username":"yan","rid":["a"]} -> silence"#],
        ours: &[r#"enter {"username":"yan","rid":["a"]} -> {"code":500}"#],
        because: ANSWERED,
    },
    Difference {
        step: "rooms that are none",
        conn: "y3",
        original: &[r#"enter {"username":"yan"} -> silence"#],
        ours: &[r#"enter {"username":"yan"} -> {"code":500}"#],
        because: ANSWERED,
    },
    Difference {
        step: "messages that are none",
        conn: "y4",
        original: &[],
        ours: &["the server ends the connection"],
        because: ANSWERED,
    },
    Difference {
        step: "messages that are none",
        conn: "y5",
        original: &[],
        ours: &["the server ends the connection"],
        because: ANSWERED,
    },
    Difference {
        step: "no content",
        conn: "ca",
        original: &[r#"send {"target":"*"} -> {}"#, "onChat {}"],
        ours: &[r#"send {"target":"*"} -> {"code":500}"#],
        because: HONEST,
    },
    Difference {
        step: "no content",
        conn: "cb",
        original: &["onChat {}"],
        ours: &[],
        because: HONEST,
    },
    Difference {
        step: "contents that are no text",
        conn: "ca",
        original: &[
            r#"send {"content":5,"target":"*"} -> {}"#,
            r#"send {"content":true,"target":"*"} -> {}"#,
            r#"send {"content":null,"target":"*"} -> {}"#,
            r#"send {"content":{"a":1},"target":"*"} -> {}"#,
            r#"send {"content":["a"],"target":"*"} -> {}"#,
        ],
        ours: &[
            r#"send {"content":5,"target":"*"} -> {"code":500}"#,
            r#"send {"content":true,"target":"*"} -> {"code":500}"#,
            r#"send {"content":null,"target":"*"} -> {"code":500}"#,
            r#"send {"content":{"a":1},"target":"*"} -> {"code":500}"#,
            r#"send {"content":["a"],"target":"*"} -> {"code":500}"#,
        ],
        because: HONEST,
    },
    Difference {
        step: "targets that are no text",
        conn: "ca",
        original: &[r#"send {"content":"x","target":["*"]} -> {}"#],
        ours: &[r#"send {"content":"x","target":["*"]} -> {"code":500}"#],
        because: HONEST,
    },
    Difference {
        step: "a twin comes by another connector",
        conn: "t1",
        original: &[r#"onAdd {"route":"onAdd","user":"tina"}"#],
        ours: &[],
        because: ONE_LOGIN,
    },
    Difference {
        step: "a twin comes by another connector",
        conn: "tw",
        original: &[r#"onAdd {"route":"onAdd","user":"tina"}"#],
        ours: &[],
        because: ONE_LOGIN,
    },
    Difference {
        step: "a twin comes by another connector",
        conn: "t2",
        original: &[
            r#"enter {"username":"tina","rid":"twins"} -> {"users":["witness","tina","tina"]}"#,
        ],
        ours: &[r#"enter {"username":"tina","rid":"twins"} -> {"code":500,"error":true}"#],
        because: ONE_LOGIN,
    },
    Difference {
        step: "words to twins",
        conn: "t1",
        original: &[r#"onChat {"from":"witness","msg":"to both","target":"*"}"#],
        ours: &[
            r#"onChat {"from":"witness","msg":"to both","target":"*"}"#,
            r#"onChat {"from":"witness","msg":"to whom?","target":"tina"}"#,
        ],
        because: ONE_LOGIN,
    },
    Difference {
        step: "words to twins",
        conn: "t2",
        original: &[
            r#"onChat {"from":"witness","msg":"to both","target":"*"}"#,
            r#"onChat {"from":"witness","msg":"to whom?","target":"tina"}"#,
        ],
        ours: &[],
        because: ONE_LOGIN,
    },
    Difference {
        step: "a twin goes",
        conn: "t1",
        original: &[r#"onLeave {"route":"onLeave","user":"tina"}"#],
        ours: &[r#"onChat {"from":"witness","msg":"still there?","target":"tina"}"#],
        because: ONE_LOGIN,
    },
    Difference {
        step: "a twin goes",
        conn: "tw",
        original: &[
            r#"send {"content":"still there?","target":"tina"} -> {"code":500}"#,
            r#"onLeave {"route":"onLeave","user":"tina"}"#,
        ],
        ours: &[r#"send {"content":"still there?","target":"tina"} -> {}"#],
        because: ONE_LOGIN,
    },
    Difference {
        step: "a second room",
        conn: "s1",
        original: &[],
        ours: &[r#"onLeave {"route":"onLeave","user":"sid"}"#],
        because: ONE_ROOM,
    },
    Difference {
        step: "words in both rooms",
        conn: "s",
        original: &[
            r#"send {"content":"where am I?","target":"*"} -> {}"#,
            r#"onChat {"from":"sue","msg":"in the first","target":"*"}"#,
        ],
        ours: &[
            r#"send {"content":"where am I?","target":"*"} -> {}"#,
            r#"onChat {"from":"sam","msg":"in the second","target":"*"}"#,
            r#"onChat {"from":"sid","msg":"where am I?","target":"*"}"#,
        ],
        because: ONE_ROOM,
    },
    Difference {
        step: "no name enters",
        conn: "o11",
        original: &[r#"enter {"rid":"no name"} -> {"users":["undefined"]}"#],
        ours: &[r#"enter {"rid":"no name"} -> {"code":500}"#],
        because: ONE_NAME,
    },
    Difference {
        step: "names that are none",
        conn: "o6",
        original: &[r#"enter {"username":null,"rid":"null"} -> {"users":["null"]}"#],
        ours: &[r#"enter {"username":null,"rid":"null"} -> {"code":500}"#],
        because: ONE_NAME,
    },
    Difference {
        step: "names that are none",
        conn: "o7",
        original: &[r#"enter {"username":{},"rid":"object"} -> {"users":["[object Object]"]}"#],
        ours: &[r#"enter {"username":{},"rid":"object"} -> {"code":500}"#],
        because: ONE_NAME,
    },
    Difference {
        step: "names that are none",
        conn: "o8",
        original: &[r#"enter {"username":["a","b"],"rid":"array"} -> {"users":["a,b"]}"#],
        ours: &[r#"enter {"username":["a","b"],"rid":"array"} -> {"code":500}"#],
        because: ONE_NAME,
    },
    Difference {
        step: "names that are none",
        conn: "o9",
        original: &[r#"enter {"username":"a*b","rid":"star"} -> {"users":["a"]}"#],
        ours: &[r#"enter {"username":"a*b","rid":"star"} -> {"code":500}"#],
        because: ONE_NAME,
    },
    Difference {
        step: "names that are none",
        conn: "o10",
        original: &[r#"enter {"username":"*","rid":"only star"} -> {"users":[""]}"#],
        ours: &[r#"enter {"username":"*","rid":"only star"} -> {"code":500}"#],
        because: ONE_NAME,
    },
    Difference {
        step: "rooms whose names are odd",
        conn: "p6",
        original: &[r#"enter {"username":"p6","rid":{}} -> {"users":["p6"]}"#],
        ours: &[r#"enter {"username":"p6","rid":{}} -> {"code":500}"#],
        because: ONE_NAME,
    },
    Difference {
        step: "rooms whose names are odd",
        conn: "p7",
        original: &[r#"enter {"username":"p7","rid":[]} -> {"users":["p3","p7"]}"#],
        ours: &[r#"enter {"username":"p7","rid":[]} -> {"code":500}"#],
        because: ONE_NAME,
    },
    Difference {
        step: "rooms whose names are odd",
        conn: "p3",
        original: &[
            r#"enter {"username":"p3","rid":""} -> {"users":["p3"]}"#,
            r#"onAdd {"route":"onAdd","user":"p7"}"#,
        ],
        ours: &[r#"enter {"username":"p3","rid":""} -> {"users":["p3"]}"#],
        because: ONE_NAME,
    },
];
