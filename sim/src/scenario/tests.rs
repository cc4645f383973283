//! What is said about files that are wrong, and what the examples of the format are.

use super::*;

/// What is said of a file with this text, without the file's name.
fn problems(text: &str) -> Vec<String> {
    match Scenario::read(text, "mine.toml") {
        Ok(_) => Vec::new(),
        Err(error) => error.problems().iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_file_that_says_nothing_is_a_scenario_called_as_the_file() -> Result<(), FileError> {
    let scenario = Scenario::read("", "some/where/mine.toml")?;
    assert_eq!(scenario.name, "mine");
    assert_eq!(scenario.given_as, "some/where/mine.toml");
    assert_eq!(scenario.users.count, Span::just(20));
    let named = Scenario::read("name = 'rush hour'", "mine.toml")?;
    assert_eq!((&*named.name, &*named.given_as), ("rush hour", "mine.toml"));
    let spaced = Scenario::read("", "rush hour.toml")?;
    assert_eq!(
        (&*spaced.name, &*spaced.given_as),
        ("rush hour", "'rush hour.toml'")
    );
    let said = Scenario::read("", "rush\nhour.toml")
        .unwrap_err()
        .to_string();
    assert!(said.contains(":1:1: name: it must be one line "), "{said}");
    Ok(())
}

#[test]
fn everything_that_is_wrong_with_a_file_is_told_with_its_place() {
    let text = "\
abuot = 'x'

[network]
lateny = '2ms'

[users]
count = '5..2'
rooms = 2

[users.habits]
rejoyn = 3

[[fault]]
kind = 'crsh'
on = 'connector'
after = '1s'

[[fault]]
kind = 'hold'
on = 'connector'
after = '1s'
";
    let error = Scenario::read(text, "mine.toml").unwrap_err().to_string();
    let lines: Vec<_> = error.lines().collect();
    let expected = [
        "mine.toml:1:1: unknown key `abuot`; did you mean `about`?",
        "mine.toml:4:1: unknown key `lateny` in [network]; did you mean `latency`?",
        "mine.toml:7:9: users.count: invalid value: string \"5..2\", expected a number such as 3, \
         or a range such as \"2..5\" (both ends included)",
        "mine.toml:11:1: users.habits: there is no `rejoyn`; did you mean `rejoin`?",
        "mine.toml:14:8: fault.kind: there is no `crsh`; did you mean `crash`?",
        "mine.toml:18:1: fault: this kind happens to a link: write such as \
         on = [\"connector\", \"chat\"]",
    ];
    for line in expected {
        assert!(lines.contains(&line), "{line}\nis not in\n{error}");
    }
    assert_eq!(lines.len(), expected.len(), "{error}");
}

#[test]
fn a_fault_has_no_keys_but_those_of_its_kind() {
    let text = "\
[[planned]]
at = '3s'
lasts = '1s'
fault = { kind = 'pause', host = 'chat-server-1' }

[[planned]]
at = '3s'
fault = { kind = 'pause', host = 'chat-server-1', goodby = true }

[[anchored]]
when = { event = 'accepted' }
fault = { kind = 'crash', host = 'chat-server-1', goodby = true }
";
    let said = problems(text);
    let expected = [
        ("3:1: unknown key `lasts` in [[planned]]", "part_of"),
        ("8:9: unknown key `goodby` ", "known are host"),
        ("12:9: unknown key `goodby` ", "did you mean `goodbye`?"),
    ];
    assert_eq!(said.len(), expected.len(), "{said:?}");
    for (said, (begin, end)) in said.iter().zip(expected) {
        assert!(said.starts_with(begin) && said.ends_with(end), "{said}");
    }
}

#[test]
fn what_is_no_toml_is_told_with_its_place() {
    let said = problems("seeds = 3\nquiet = maybe\n");
    assert!(said[0].starts_with("2:9: "), "{said:?}");
    let said = problems("[users]\ncount = 3\n[users]\n");
    assert!(said[0].starts_with("3:2: duplicate key"), "{said:?}");
}

#[test]
fn what_is_missing_or_of_another_type_is_told() {
    for (text, said) in [
        (
            "[[fault]]\non = 'chat'\nafter = '1s'",
            "1:1: `kind` is missing in [[fault]]",
        ),
        (
            "seeds = 'all'",
            "1:9: seeds: invalid type: string \"all\", expected u64",
        ),
        (
            "[settings]\nlease = 'soon'",
            "2:9: settings.lease: `soon` is not a time such as 1s 500ms",
        ),
        (
            "[settings]\npolicy = ['kick-lots']",
            "2:11: settings.policy: there is no `kick-lots`; did you mean `kick-lost`?",
        ),
        (
            "[users]\nhabits = 'rejoin'",
            "2:10: users.habits: invalid type: string \"rejoin\", expected habits with how many \
             of a hundred users have them, such as rejoin = 20",
        ),
        (
            "[[fault]]\nkind = 'crash'\non = 'chats'\nafter = '1s'",
            "3:6: fault.on: invalid value: string \"chats\", expected \"gate\", \
             \"connector\", \"chat\", \"cluster\" or \"user\", or the two ends of a link: \
             [\"connector\", \"chat\"] or [\"connector\", \"clients\"]",
        ),
        (
            "expect = { outcome = 'violated', guarantee = 'G14' }",
            "1:46: expect.guarantee: there is no guarantee `G14`; known are G1, G2, G3, G4, G5, \
             G6, G7, G8, G9, G10, G11, G12, G13",
        ),
    ] {
        assert_eq!(problems(text), [said], "{text}");
    }
}

#[test]
fn what_does_not_go_together_is_told() {
    for (text, said) in [
        (
            "name = 'steady'",
            "1:1: name: a built-in scenario is called so",
        ),
        (
            "name = ''",
            "1:8: name: it is empty: say one, or leave it out, to call it as its file",
        ),
        (
            "about = \"two\\nlines\"",
            "1:1: about: it must be one line, without control characters",
        ),
        (
            "name = \"a\\u001b[2Jb\"",
            "1:1: name: it must be one line with something to see, without control characters",
        ),
        (
            "[cluster]\nchats = 0",
            "2:1: cluster.chats: it must be at least 1",
        ),
        (
            "[users]\ncount = '0..3'",
            "2:1: users.count: it must be at least 1",
        ),
        ("users.rooms = 0", "1:7: users.rooms: it must be at least 1"),
        (
            "[users]\nsend-every = '0s..1s'",
            "2:1: users.send-every: it must be at least 1ms",
        ),
        (
            "[users]\nsend-every = '1ms'\n[phases]\nwork = '5m'",
            "2:1: users.send-every: so many users would send up to 6280000 messages in 314s, and it \
             can be at most 1000000: raise it",
        ),
        (
            "users.hosts = 4000000000",
            "1:7: users.hosts: it can be at most 100",
        ),
        (
            "cluster.connectors = 4000000000",
            "1:9: cluster.connectors: it can be at most 100",
        ),
        (
            "users.look-alikes = 1001\nsettings.tcp-capacity = 3000",
            "1:7: users.look-alikes: it can be at most 1000",
        ),
        (
            "[users]\nprivate-percent = 60\nnobody-percent = 50",
            "3:1: users.nobody-percent: with private-percent these are more than a hundred of a \
             hundred sends",
        ),
        (
            "[users]\nroom-sizes = [3, 0]",
            "2:1: users.room-sizes: each room must get some users: at least 1",
        ),
        (
            "[users]\nrooms = '1..2'\nroom-sizes = [3, 2, 1]",
            "3:1: users.room-sizes: no run has so many rooms: users.rooms is at most 2",
        ),
        (
            "[users]\nrooms = '1..3'\noverlap-percent = 10",
            "3:1: users.overlap-percent: who belongs to two rooms needs two: rooms must be at least 2",
        ),
        (
            "[users]\noverlap-percent = 101",
            "2:1: users.overlap-percent: it can be at most 100",
        ),
        (
            "[users.habits]\nrejoin = 60\nswitch = 60",
            "1:8: users.habits: a user has one habit, and these are for 120 of a hundred users",
        ),
        (
            "[network]\nclient-latency = '0s..2ms'",
            "2:1: network.client-latency: it must be at least 1ms: what takes no time comes \
             before it was sent",
        ),
        (
            "[network]\nlatency = '1ms..200ms'",
            "1:1: settings.login-patience: a login takes 7 round trips, which are up to 2.8s in \
             this network: raise it above that",
        ),
        (
            "[network]\nlatency = '251ms'\nclient-latency = '5ms'\n[settings]\nlease = '2s'",
            "5:1: settings.lease: a server waits 500ms for another's answer, a quarter of it, which \
             takes up to 502ms in this network: raise it",
        ),
        (
            "[phases]\nsettle = '1s'",
            "2:1: phases.settle: a cluster with these settings can need 9s: raise it",
        ),
        (
            "[phases]\nprobe = '1s'",
            "2:1: phases.probe: it must be at least 2s",
        ),
        (
            "[settings]\ntcp-capacity = 63",
            "2:1: settings.tcp-capacity: it must be at least 64",
        ),
        (
            "[users]\ncount = '60..94'\nrooms = 2\ntwins = 2\n[settings]\ntcp-capacity = 99",
            "6:1: settings.tcp-capacity: 100 users can connect at once: it must be at least that",
        ),
        (
            "[settings]\nreconnect-base = '3s'",
            "2:1: settings.reconnect-base: it must not be above reconnect-max",
        ),
        (
            "[settings]\nheartbeat = '1500ms'",
            "2:1: settings.heartbeat: 1s 500ms is not a number of whole seconds, as which \
             clients are told it: write such as \"3s\"",
        ),
        (
            "[phases]\nwork = '3s'\n[[fault]]\nkind = 'crash'\non = 'chat'\nafter = '1s..3s'",
            "6:1: fault.0.after: everything is healed 3s after faults begin (phases.work)",
        ),
        (
            "[random-faults]\ncount = 1\ntrouble = '1s'\nafter = '0s'\nlasts = '1s'\nkinds = []",
            "6:1: random-faults.kinds: there must be one",
        ),
        (
            "[random-faults]\ncount = '1..2000'\ntrouble = '1s'\nafter = '0s'\nlasts = '1s'\n\
             kinds = [{ kind = 'crash', on = 'chat' }]",
            "2:1: random-faults.count: it can be at most 1000",
        ),
        (
            "[random-faults]\ncount = 1\ntrouble = '1s'\nafter = '0s'\nlasts = '1s'\n\
             kinds = [{ kind = 'crash', on = 'chat', weight = 4000000000 }]",
            "6:41: random-faults.kinds.0.weight: it can be at most 1000",
        ),
        (
            "[guarantees]\nonly = ['G1']\nexcept = ['G2']",
            "3:1: guarantees.except: say either this or `only`",
        ),
        (
            "guarantees.only = []",
            "1:12: guarantees.only: nothing would be checked",
        ),
        (
            "guarantees.except = ['G1', 'G2', 'G3', 'G4', 'G5', 'G6', 'G7', 'G8', 'G9', 'G10', \
             'G11', 'G12', 'G13']",
            "1:12: guarantees.except: nothing would be checked",
        ),
        (
            "[expect]\nguarantee = 'G5'",
            "2:1: expect.guarantee: this is for what is to be broken: add outcome = \"violated\"",
        ),
        (
            "guarantees.except = ['G5']\nexpect = { outcome = 'violated', guarantee = 'G5' }",
            "2:34: expect.guarantee: G5 is not checked, see [guarantees]",
        ),
        (
            "expect = { outcome = 'violated', guarantee = ['G4', 'G5'] }\nguarantees.only = ['G5']",
            "1:34: expect.guarantee: G4 is not checked, see [guarantees]",
        ),
    ] {
        assert_eq!(problems(text), [said], "{text}");
    }
}

#[test]
fn what_may_be_meant_is_warned_of() -> Result<(), FileError> {
    let warnings = |text| Scenario::read(text, "mine.toml").map(|it| it.warnings());
    assert_eq!(warnings("")?, [""; 0]);
    assert_eq!(
        warnings("[cluster]\nconnectors = '3..12'\nchats = 8")?,
        ["up to 23 hosts: the time that a run takes grows with their cube; above 16 it is long"]
    );
    let long = warnings("[settings]\nlease = '3s'")?;
    assert!(
        long[0].starts_with("a lease of 3s is not shorter than a request-deadline of 3s: "),
        "{long:?}"
    );
    Ok(())
}

#[test]
fn every_example_of_the_format_is_sound() {
    let page = include_str!("../../scenarios/README.md");
    let examples: Vec<_> = page
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(examples.len() >= 11, "{} examples", examples.len());
    for example in examples {
        assert_eq!(problems(example), [""; 0], "{example}");
    }
}

#[test]
fn every_key_is_described_in_the_section_of_its_table() {
    let page = include_str!("../../scenarios/README.md");
    // What a file can say is known from what is told about a key that nobody has.
    const TABLES: [(&str, &str); 16] = [
        ("## At the top", "unheardof = 1"),
        ("## [cluster]", "[cluster]\nunheardof = 1"),
        ("[network]", "[network]\nunheardof = 1"),
        ("## [users]", "[users]\nunheardof = 1"),
        ("## [users]", "[users.habits]\nunheardof = 1"),
        ("## [phases]", "[phases]\nunheardof = 1"),
        ("## [settings]", "[settings]\nunheardof = 1"),
        ("## [[fault]]", "[[fault]]\nunheardof = 1"),
        ("## [[fault]]", "[[fault]]\nkind = 'unheardof'"),
        ("## [[planned]]", "[[planned]]\nat = '3s'\nunheardof = 1"),
        ("## [[planned]]", "[[planned]]\nfault.kind = 'unheardof'"),
        ("[[anchored]]", "[[anchored]]\nunheardof = 1"),
        ("[[anchored]]", "[[anchored]]\nwhen.unheardof = 1"),
        ("## [random-faults]", "[random-faults]\nunheardof = 1"),
        ("## [guarantees]", "[guarantees]\nunheardof = 1"),
        ("## [expect]", "[expect]\nunheardof = 1"),
    ];
    let tables: String = page
        .lines()
        .filter(|line| line.starts_with("## "))
        .collect();
    for (section, text) in TABLES {
        let said = problems(text);
        let (_, known) = said[0].split_once("known are ").expect("all are told");
        let parts = page.split("\n## ").map(|part| format!("## {part}"));
        let mut parts = parts.filter(|part| part.lines().take(1).any(|it| it.contains(section)));
        let part = parts.next().expect("there is such a section");
        for key in known.split(", ") {
            let ways = ["\n_ = ", "{ _ = ", ", _ = ", "`_`", "._]"];
            let mut ways = ways.iter().map(|way| way.replace('_', key));
            // At the top also what has a section of its own.
            let is_table = section.ends_with("top") && tables.contains(&format!("[{key}]"));
            let is_described = is_table || ways.any(|way| part.contains(&way));
            assert!(is_described, "{key} of {section}");
        }
    }
}

#[test]
fn an_unknown_name_is_answered_with_one_that_is_near() {
    let said = |name| find(name).unwrap_err().to_string();
    assert_eq!(
        said("conector-crsh"),
        "no scenario is called `conector-crsh`; did you mean `connector-crash`?"
    );
    assert_eq!(
        said("nope"),
        "no scenario is called `nope`; `sim list` names all, and files end in .toml"
    );
    assert_eq!(said("no/where.toml"), "can't read no/where.toml");
}

#[test]
fn a_fault_at_a_place_that_not_every_run_has_is_told() {
    let text = "\
cluster.connectors = '2..3'

[[planned]]
at = '3s'
fault = { kind = 'pause', host = 'conector-server-2' }

[[planned]]
at = '3s'
fault = { kind = 'hold', a = 'connector-server-3', b = 'chat-server-1' }

[[planned]]
at = '1h'
fault = { kind = 'pause', host = 'clients-1' }

[[anchored]]
when = { event = 'accepted', nth = 0, connector = 'connector-server-1' }
fault = { kind = 'throttle', user = 20, bytes_per_s = 1 }

[[planned]]
at = '3s'
fault = { kind = 'reset', a = 'connector-server-1', b = 'connector-server-2' }

[[anchored]]
when = { event = 'accepted', user = 'nobody' }
fault = { kind = 'hold', a = 'clients-1', b = 'gate-server-1' }
";
    let expected = [
        "5:1: planned.0.fault: not every run has a host called `conector-server-2`; did you mean \
         `connector-server-2`?",
        "9:1: planned.1.fault: not every run has a host called `connector-server-3`; did you mean \
         `connector-server-1`?",
        "12:1: planned.2.at: everything is healed at 8s (phases)",
        "13:1: planned.2.fault: this happens to servers, and clients have habits",
        "21:1: planned.3.fault: connector-server-1 and connector-server-2 have no connection: \
         connectors have some with chat servers and clients, and the gate with clients",
        "16:30: anchored.0.when.nth: it is counted from 1",
        "17:30: anchored.0.fault.user: users are counted from 0, and there are 20 at least",
        "24:30: anchored.1.when.user: not every run has a user called `nobody`; they are called \
         user-0 to user-19",
    ];
    assert_eq!(problems(text), expected);
}

#[test]
fn times_that_no_run_can_have_are_told() {
    assert_eq!(
        problems("[settings]\nlease = '0s'\nheartbeat = '10000000000000000000s'\n"),
        [
            "3:1: settings.heartbeat: no run is that long: it can be at most 1h",
            "2:1: settings.lease: it must be at least 10ms",
        ]
    );
    // What such a time is no part of is checked at once.
    assert_eq!(
        problems("seeds = 0\nguarantees.only = []\nphases.work = '2h'\nusers.rooms = 0\n"),
        [
            "3:8: phases.work: no run is that long: it can be at most 1h",
            "1:1: seeds: it must be at least 1",
            "4:7: users.rooms: it must be at least 1",
            "2:12: guarantees.only: nothing would be checked",
        ]
    );
}

#[test]
fn what_is_planned_happens_as_it_is_written_and_an_anchor_is_resolved() -> Result<(), FileError> {
    let text = "\
users.count = 6

[[planned]]
at = '4s 200ms'
fault = { kind = 'pause', host = 'chat-server-2' }

[[anchored]]
when = { event = 'accepted', nth = 3, connector = 'connector-server-1' }
lasts = '300ms'
fault = { kind = 'hold', a = 'connector-server-1', b = 'chat-server-1' }

[[anchored]]
when = { event = 'kicked', user = 'user-1' }
after = '5ms'
lasts = '1s 500ms'
fault = { kind = 'stop', host = 'chat-server-1' }
";
    let scenario = Scenario::read(text, "mine.toml")?;
    let outcome = crate::run::run(&crate::case::Case::draw(&scenario, 1), false);
    let faults = outcome.record.faults.iter().map(ToString::to_string);
    let faults: Vec<String> = faults.collect();
    for part in [
        "00:04.200  pause      chat-server-2",
        "00:08.000  resume     chat-server-2",
    ] {
        assert!(faults.iter().any(|fault| fault == part), "{faults:?}");
    }
    let held = faults
        .iter()
        .filter(|fault| fault.contains("connector-server-1 | chat-server-1"));
    assert_eq!(held.count(), 2, "a hold and its release: {faults:?}");
    let told = crate::report::anchored(&outcome);
    let never = "never came: at kicked number 1 of user-1, 5ms later, for 1s 500ms  stop       chat-server-1";
    assert_eq!(told.last().map(String::as_str), Some(never));
    assert_eq!(
        told.len(),
        3,
        "the hold, its release, and what never came: {told:?}"
    );
    Ok(())
}

#[test]
fn a_variation_is_a_part_of_the_settings_and_must_go_with_all_others() {
    let said = problems(
        "[[variation]]\nlease = '1s'\n\n[[variation]]\nleese = '1s'\n\n[[variation]]\npolicy = []\n",
    );
    let expected = [
        "4:1: unknown key `leese` in [variation]; did you mean `lease`?",
        "7:1: variation: flaws are for all runs: see [settings]",
    ];
    assert_eq!(said, expected);
    let said = problems(
        "[settings]\nreconnect-base = '300ms'\n\n[[variation]]\nreconnect-max = '200ms'\n",
    );
    let expected = "4:3: variation: settings.reconnect-base: it must not be above \
                    reconnect-max";
    assert_eq!(said, [expected]);
}

#[test]
fn of_two_variations_that_set_the_same_the_later_counts() -> Result<(), FileError> {
    let text = "[settings]\nlease = '4s'\n[[variation]]\nlease = '3s'\noutbox-len = 9\n[[variation]]\n\
                lease = '1s'";
    let scenario = Scenario::read(text, "mine.toml")?;
    let all = scenario.all_settings();
    let all: Vec<_> = all.map(|it| (it.lease.as_secs(), it.outbox_len)).collect();
    let usual = Settings::default().outbox_len;
    assert_eq!(all, [(4, usual), (3, 9), (1, usual), (1, 9)]);
    Ok(())
}
