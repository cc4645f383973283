//! Where this cluster tells a client something else than the original, on purpose. Everything else
//! must be the same, and each of these must be as it is written here.

use crate::script::Conn;

/// What is told differently in one step.
pub struct Difference {
    pub step: &'static str,
    /// The promise that asks for it (README.md, G1 to G13), and how.
    pub because: &'static str,
    /// Each connection, what the original tells it, and what this cluster does.
    pub told: &'static [(Conn, Lines, Lines)],
}

type Lines = &'static [&'static str];

const ANSWERED: &str = "G8: each request is answered, or its connection ends";
const HONEST: &str = "G4: success means that it arrives, so what cannot be told is refused";
const ONE_LOGIN: &str = "G6: a name is in a room once in the whole cluster";
const ONE_NAME: &str = "G6: a name is what it says, so what would share one is refused";
const ONE_ROOM: &str = "G1: whoever enters a second room has left the first";

/// All of them.
pub const DIFFERENCES: &[Difference] = &[
    Difference {
        step: "names of what every object has",
        because: ANSWERED,
        told: &[(
            "r",
            &["toString {} -> silence", "hasOwnProperty {} -> silence"],
            &[
                r#"toString {} -> {"code":500}"#,
                r#"hasOwnProperty {} -> {"code":500}"#,
            ],
        )],
    },
    Difference {
        step: "rooms that are none",
        because: ANSWERED,
        told: &[
            (
                "y1",
                &[r#"enter {"username":"yan","rid":null} -> silence"#],
                &[r#"enter {"username":"yan","rid":null} -> {"code":500}"#],
            ),
            (
                "y2",
                &[r#"enter {"username":"yan","rid":["a"]} -> silence"#],
                &[r#"enter {"username":"yan","rid":["a"]} -> {"code":500}"#],
            ),
            (
                "y3",
                &[r#"enter {"username":"yan"} -> silence"#],
                &[r#"enter {"username":"yan"} -> {"code":500}"#],
            ),
        ],
    },
    Difference {
        step: "messages that are none",
        because: ANSWERED,
        told: &[
            ("y4", &[], &["the server ends the connection"]),
            ("y5", &[], &["the server ends the connection"]),
        ],
    },
    Difference {
        step: "no content",
        because: HONEST,
        told: &[
            (
                "ca",
                &[r#"send {"target":"*"} -> {}"#, "onChat {}"],
                &[r#"send {"target":"*"} -> {"code":500}"#],
            ),
            ("cb", &["onChat {}"], &[]),
        ],
    },
    Difference {
        step: "contents that are no text",
        because: HONEST,
        told: &[(
            "ca",
            &[
                r#"send {"content":5,"target":"*"} -> {}"#,
                r#"send {"content":true,"target":"*"} -> {}"#,
                r#"send {"content":null,"target":"*"} -> {}"#,
                r#"send {"content":{"a":1},"target":"*"} -> {}"#,
                r#"send {"content":["a"],"target":"*"} -> {}"#,
            ],
            &[
                r#"send {"content":5,"target":"*"} -> {"code":500}"#,
                r#"send {"content":true,"target":"*"} -> {"code":500}"#,
                r#"send {"content":null,"target":"*"} -> {"code":500}"#,
                r#"send {"content":{"a":1},"target":"*"} -> {"code":500}"#,
                r#"send {"content":["a"],"target":"*"} -> {"code":500}"#,
            ],
        )],
    },
    Difference {
        step: "targets that are no text",
        because: HONEST,
        told: &[(
            "ca",
            &[r#"send {"content":"x","target":["*"]} -> {}"#],
            &[r#"send {"content":"x","target":["*"]} -> {"code":500}"#],
        )],
    },
    Difference {
        step: "a twin comes by another connector",
        because: ONE_LOGIN,
        told: &[
            ("t1", &[r#"onAdd {"route":"onAdd","user":"tina"}"#], &[]),
            ("tw", &[r#"onAdd {"route":"onAdd","user":"tina"}"#], &[]),
            (
                "t2",
                &[
                    r#"enter {"username":"tina","rid":"twins"} -> {"users":["witness","tina","tina"]}"#,
                ],
                &[r#"enter {"username":"tina","rid":"twins"} -> {"code":500,"error":true}"#],
            ),
        ],
    },
    Difference {
        step: "words to twins",
        because: ONE_LOGIN,
        told: &[
            (
                "t1",
                &[r#"onChat {"from":"witness","msg":"to both","target":"*"}"#],
                &[
                    r#"onChat {"from":"witness","msg":"to both","target":"*"}"#,
                    r#"onChat {"from":"witness","msg":"to whom?","target":"tina"}"#,
                ],
            ),
            (
                "t2",
                &[
                    r#"onChat {"from":"witness","msg":"to both","target":"*"}"#,
                    r#"onChat {"from":"witness","msg":"to whom?","target":"tina"}"#,
                ],
                &[],
            ),
        ],
    },
    Difference {
        step: "a twin goes",
        because: ONE_LOGIN,
        told: &[
            (
                "t1",
                &[r#"onLeave {"route":"onLeave","user":"tina"}"#],
                &[r#"onChat {"from":"witness","msg":"still there?","target":"tina"}"#],
            ),
            (
                "tw",
                &[
                    r#"send {"content":"still there?","target":"tina"} -> {"code":500}"#,
                    r#"onLeave {"route":"onLeave","user":"tina"}"#,
                ],
                &[r#"send {"content":"still there?","target":"tina"} -> {}"#],
            ),
        ],
    },
    Difference {
        step: "a second room",
        because: ONE_ROOM,
        told: &[("s1", &[], &[r#"onLeave {"route":"onLeave","user":"sid"}"#])],
    },
    Difference {
        step: "words in both rooms",
        because: ONE_ROOM,
        told: &[(
            "s",
            &[
                r#"send {"content":"where am I?","target":"*"} -> {}"#,
                r#"onChat {"from":"sue","msg":"in the first","target":"*"}"#,
            ],
            &[
                r#"send {"content":"where am I?","target":"*"} -> {}"#,
                r#"onChat {"from":"sam","msg":"in the second","target":"*"}"#,
                r#"onChat {"from":"sid","msg":"where am I?","target":"*"}"#,
            ],
        )],
    },
    Difference {
        step: "no name enters",
        because: ONE_NAME,
        told: &[(
            "o11",
            &[r#"enter {"rid":"no name"} -> {"users":["undefined"]}"#],
            &[r#"enter {"rid":"no name"} -> {"code":500}"#],
        )],
    },
    Difference {
        step: "names that are none",
        because: ONE_NAME,
        told: &[
            (
                "o6",
                &[r#"enter {"username":null,"rid":"null"} -> {"users":["null"]}"#],
                &[r#"enter {"username":null,"rid":"null"} -> {"code":500}"#],
            ),
            (
                "o7",
                &[r#"enter {"username":{},"rid":"object"} -> {"users":["[object Object]"]}"#],
                &[r#"enter {"username":{},"rid":"object"} -> {"code":500}"#],
            ),
            (
                "o8",
                &[r#"enter {"username":["a","b"],"rid":"array"} -> {"users":["a,b"]}"#],
                &[r#"enter {"username":["a","b"],"rid":"array"} -> {"code":500}"#],
            ),
            (
                "o9",
                &[r#"enter {"username":"a*b","rid":"star"} -> {"users":["a"]}"#],
                &[r#"enter {"username":"a*b","rid":"star"} -> {"code":500}"#],
            ),
            (
                "o10",
                &[r#"enter {"username":"*","rid":"only star"} -> {"users":[""]}"#],
                &[r#"enter {"username":"*","rid":"only star"} -> {"code":500}"#],
            ),
        ],
    },
    Difference {
        step: "rooms whose names are odd",
        because: ONE_NAME,
        told: &[
            (
                "p6",
                &[r#"enter {"username":"p6","rid":{}} -> {"users":["p6"]}"#],
                &[r#"enter {"username":"p6","rid":{}} -> {"code":500}"#],
            ),
            (
                "p7",
                &[r#"enter {"username":"p7","rid":[]} -> {"users":["p3","p7"]}"#],
                &[r#"enter {"username":"p7","rid":[]} -> {"code":500}"#],
            ),
            (
                "p3",
                &[
                    r#"enter {"username":"p3","rid":""} -> {"users":["p3"]}"#,
                    r#"onAdd {"route":"onAdd","user":"p7"}"#,
                ],
                &[r#"enter {"username":"p3","rid":""} -> {"users":["p3"]}"#],
            ),
        ],
    },
];
