//! The mapping engine on small parsers of its own.

use serde_json::{Value as Json, json};
use tandem_base::Timestamp;
use tandem_model::{Catalogue, Event, Record, RecordId, Transport};
use tandem_parse::{Parsers, event_json};

const CATALOGUE: &str = "
version: 1
fields:
  - {name: source.ip, type: ip, layer: common, description: x, privacy: address}
  - {name: source.port, type: long, layer: common, description: x}
  - {name: user.name, type: string, layer: common, description: x, privacy: person}
  - {name: user.domain, type: string, layer: common, description: x, privacy: person}
  - {name: host.name, type: string, layer: common, description: x, privacy: host}
  - {name: process.name, type: string, layer: common, description: x}
  - {name: process.pid, type: long, layer: common, description: x}
  - {name: message, type: string, layer: common, description: x, privacy: text}
  - {name: event.action, type: string, layer: common, description: x}
  - {name: event.category, type: strings, layer: common, description: x}
  - {name: event.kind, type: string, layer: common, description: x}
  - {name: event.outcome, type: string, layer: common, description: x}
  - {name: event.severity_name, type: string, layer: common, description: x}
  - {name: rule.id, type: string, layer: common, description: x}
  - {name: rule.name, type: string, layer: common, description: x}
  - {name: url.domain, type: string, layer: common, description: x}
  - {name: url.path, type: string, layer: common, description: x}
  - {name: url.query, type: string, layer: common, description: x}
  - {name: EventID, type: long, layer: vendor, description: x}
";

pub(crate) fn record(raw: &str) -> Record {
    Record {
        id: RecordId { epoch: 0, offset: 0 },
        source: "test".to_owned(),
        peer: None,
        received: "2026-10-11T22:20:00Z".parse().unwrap(),
        transport: Transport::SyslogUdp,
        facts: Vec::new(),
        run: None,
        raw: raw.as_bytes().to_vec(),
    }
}

fn compile(yaml: &str) -> Parsers {
    let (parsers, problems) =
        Parsers::compile(vec![("p.yaml".to_owned(), yaml.to_owned())], &Catalogue::from_yaml(CATALOGUE).unwrap());
    assert!(problems.is_empty(), "{problems:?}");
    parsers
}

fn events(yaml: &str, raws: &[&str]) -> Vec<Event> {
    let mut state = compile(yaml).start();
    let mut out = Vec::new();
    for (offset, raw) in raws.iter().enumerate() {
        let mut record = record(raw);
        record.id.offset = offset as u64;
        state.parse(&record, &mut out);
    }
    state.flush(Timestamp::from_micros(i64::MAX), &mut out);
    out
}

/// A parser that takes everything with `x` in it, with this body.
fn body(text: &str) -> String {
    format!("parser: a.b\ndescription: test\nmatch: {{contains: x}}\n{text}")
}

fn one(text: &str, raw: &str) -> Json {
    let all = events(&body(text), &[raw]);
    assert_eq!(all.len(), 1);
    event_json(&all[0])
}

#[test]
fn a_record_that_no_parser_takes_is_generic() {
    let all = events(
        &body(""),
        &["<34>Oct 11 22:14:15 web1 su[7]: 'su root' failed", r#"{"user":{"name":"jane"},"n":5}"#, "\u{fffd}"],
    );
    assert!(all.iter().all(Event::is_generic));
    let first = event_json(&all[0]);
    assert_eq!(
        first["common"],
        json!({"host.name": "web1", "message": "'su root' failed", "process.name": "su", "process.pid": 7})
    );
    assert_eq!(first["time"], "2026-10-11T22:14:15Z");
    assert_eq!(first["private"], json!(["web1", "'su root' failed"]));
    assert_eq!(event_json(&all[1])["common"], json!({"user.name": "jane"}));
    assert_eq!(event_json(&all[1])["vendor"], json!({"n": 5}));
    assert_eq!(event_json(&all[2])["time"], "2026-10-11T22:20:00Z");
}

#[test]
fn a_step_that_does_not_fit_leaves_event_and_sentence() {
    let event = one("steps:\n  - json: {}\n", "x is no JSON");
    assert_eq!(
        event["error"],
        "step `json` did not fit: it is not readable as JSON (expected value at line 1 column 1)"
    );
    assert_eq!(event["types"], json!({"a/b": {}}));
    let event = one("steps:\n  - {json: {}, if_fails: continue}\ntypes: [{category: c}]\n", "x is no JSON");
    assert_eq!((event["error"].clone(), event["types"].clone()), (Json::Null, json!({"c": {}})));
    let event = one("steps:\n  - {json: {}, if_fails: pass}\n", "x is no JSON");
    assert_eq!(event["parser"], "generic");
}

#[test]
fn extract_steps() {
    for (steps, raw, vendor) in [
        (
            "json: {}",
            r#"{"x":{"a":1,"b":[1,2],"n":null},"l":[{"k":"v"},{"k":"w","m":true}]}"#,
            json!({"x.a": 1, "x.b": [1, 2], "l.k": ["v", "w"], "l.m": true}),
        ),
        (
            "json: {pairs: [{at: x, name: N, value: V}], keep: [l]}",
            r#"{"x":[{"N":"a","V":1},{"N":"b","V":{"c":2}}],"l":{"z":1}}"#,
            json!({"x.a": 1, "x.b.c": 2, "l": "{\"z\":1}", "l.z": 1}),
        ),
        ("json: {at: x.y, prefix: p_}", r#"{"x":{"y":{"a":1.5}},"other":1}"#, json!({"p_a": 1.5})),
        ("xml: {}", "<x a='1'><b>t</b><b>u</b></x>", json!({"x.a": "1", "x.b": ["t", "u"]})),
        (
            "kv: {}",
            r#"x=1 word name="a b" empty= e="" u=http://h/?a=b"#,
            json!({"x": "1", "name": "a b", "empty": "", "e": "", "u": "http://h/?a=b"}),
        ),
        (
            "kv: {pair: ', ', sep: ': '}",
            "x: 1, name: a b, url: http://h",
            json!({"x": "1", "name": "a b", "url": "http://h"}),
        ),
        (
            "kv: {loose: true}",
            "x=1 two msg=hello big world y=2",
            json!({"x": "1 two", "msg": "hello big world", "y": "2"}),
        ),
        ("kv: {escapes: true}", r#"x="a \"b\" \\" y=1"#, json!({"x": "a \"b\" \\", "y": "1"})),
        (
            "csv: {columns: [x, '', b, c], empty: ['-']}",
            "x,1,\"a, \"\"b\"\"\",-,rest",
            json!({"x": "x", "b": "a, \"b\""}),
        ),
        ("csv: {by: 1, layouts: {T: 'k _ a'}, default: [k]}", "x,T,9", json!({"k": "x", "a": "9"})),
        ("csv: {by: 1, layouts: {T: 'k _ a'}, default: [k]}", "x,U,9", json!({"k": "x"})),
        ("csv: {separator: \"\\t\", columns_from: {value: \"a\\tb\"}}", "x\ty", json!({"a": "x", "b": "y"})),
        (
            "cef: {}",
            r"CEF:0|Ven\|dor|Pro|1|id x|na\\me|5|src=10.0.0.1 msg=a\=b c cs1=v 1 cs1Label=My Rule path=C:\\x\ny",
            json!({"DeviceVendor": "Ven|dor", "DeviceProduct": "Pro", "DeviceVersion": "1", "DeviceEventClassID": "id x", "Name": "na\\me", "Severity": "5",
                "src": "10.0.0.1", "msg": "a=b c", "cs1": "v 1", "cs1Label": "My Rule", "My Rule": "v 1", "path": "C:\\x\ny"}),
        ),
        (
            "leef: {}",
            "LEEF:2.0|V|P|1|x|0x5E|a=1^b=two words",
            json!({"Vendor": "V", "Product": "P", "ProductVersion": "1", "EventID": "x", "a": "1", "b": "two words"}),
        ),
        (
            "leef: {}",
            "LEEF:1.0|V|P|1|7|a=x\tb=2",
            json!({"Vendor": "V", "Product": "P", "ProductVersion": "1", "EventID": 7, "a": "x", "b": "2"}),
        ),
        ("dissect: '%{a} [%{b->} ] %{c}'", "x [y   ] rest of it", json!({"a": "x", "b": "y  ", "c": "rest of it"})),
        (
            "pattern: ['no (?P<q>z)', '^(?P<a>x) %{IP:ip}']",
            "x ::ffff:10.0.0.1 z",
            json!({"a": "x", "ip": "::ffff:10.0.0.1"}),
        ),
    ] {
        let event = one(&format!("steps:\n  - {steps}\n"), raw);
        assert_eq!(event["error"], Json::Null, "{steps}");
        assert_eq!(event["vendor"], vendor, "{steps}");
    }
}

#[test]
fn shaping_steps_and_sources() {
    let event = one(
        r#"
steps:
  - kv: {}
  - rename: {old: new, absent: never}
  - set: {word: "plain", both: "{new}-{word}", list: [a, b], none: "{absent}", _work: w}
  - copy: {first: [absent, dash, new], kept: {from: new, lookup: {z: y}}, gone: {from: new, lookup: {z: y}, default: ~}}
  - convert: {hex: hex, low: [lower, basename]}
  - split: {parts: ";"}
  - remove: [r, "tmp*"]
  - call: {name: account, from: account, to: user}
  - call: {name: url, from: url}
common:
  source.ip: [absent, ip]
  source.port: {from: addr, part: ':(\d+)$'}
  event.outcome: {from: x, lookup: outcomes, default: unknown}
  event.action: {from: [absent], default: "did {new}"}
  event.category: {value: [network]}
tables:
  outcomes: {"1": Success}
"#,
        r"x=1 old=N dash=- hex=0x1F low=C:\A\B.EXE parts=a;b; r=1 tmp1=1 account=CORP\jane url=https://u@h.example:8443/p?q=1 ip=::ffff:10.0.0.1 addr=h:99",
    );
    assert_eq!(
        event["common"],
        json!({
            "event.action": "did N", "event.category": ["network"], "event.outcome": "Success", "source.ip": "10.0.0.1", "source.port": 99,
            "url.domain": "h.example", "url.path": "/p", "url.query": "q=1", "user.domain": "CORP", "user.name": "jane"
        })
    );
    let vendor = event["vendor"].as_object().unwrap();
    for (name, value) in [
        ("new", json!("N")),
        ("word", json!("plain")),
        ("both", json!("N-plain")),
        ("list", json!(["a", "b"])),
        ("first", json!("N")),
        ("kept", json!("N")),
        ("hex", json!(31)),
        ("low", json!("b.exe")),
        ("parts", json!(["a", "b"])),
        ("dash", json!("-")),
    ] {
        assert_eq!(vendor.get(name), Some(&value), "{name}");
    }
    for name in ["old", "absent", "never", "none", "_work", "gone", "r", "tmp1"] {
        assert!(!vendor.contains_key(name), "{name}");
    }
}

#[test]
fn variants_first_match_and_conditions() {
    let yaml = r"
steps: [{kv: {}}]
variants:
  - when: {kind: [a, B]}
    common: {event.action: {value: ab}}
    types: [{category: one, aliases: {Alias: kind, Empty: absent}}]
  - when: [{kind: c, n: {above: 5, below: 9}}, {ip: {cidr: 10.0.0.0/8}}]
    continue: true
    common: {event.action: {value: c_or_net}}
    types: [{product: p, service: {from: kind, lookup: {c: svc}, default: ~}}]
  - when: {kind: {not: {starts: q}}, x: {exists: true}}
    pattern: 'user %{USER:user.name}'
    common: {event.outcome: {value: success}}
  - common: {event.outcome: {value: none}}
types:
  - category: always
  - {category: never, when: {kind: {pattern: '^zzz'}}}
";
    for (raw, action, outcome, types) in [
        ("x=1 kind=b", "ab", "", json!({"always": {}, "one": {"Alias": "b"}})),
        ("x=1 kind=c n=7 user jane", "c_or_net", "success", json!({"always": {}, "p/svc": {}})),
        ("x=1 kind=c n=9", "", "none", json!({"always": {}})),
        ("x=1 ip=10.1.2.3", "c_or_net", "none", json!({"always": {}})),
        ("x=1 kind=qq user jane", "", "none", json!({"always": {}})),
    ] {
        let event = one(yaml, raw);
        let text = |name: &str| event["common"][name].as_str().unwrap_or("").to_owned();
        assert_eq!((text("event.action").as_str(), text("event.outcome").as_str()), (action, outcome), "{raw}");
        assert_eq!(event["types"], types, "{raw}");
    }
}

#[test]
fn many_variants_are_found_by_one_lookup_and_mean_the_same() {
    let mut yaml = "steps: [{kv: {}}]\ntypes:\n  - {category: rest, when: {EventID: {above: 100}}}\n".to_owned();
    for id in 0..50 {
        yaml.push_str(&format!("  - {{category: c{id}, when: {{EventID: {id}}}}}\n"));
    }
    yaml.push_str("  - {category: two, when: {EventID: [7, 8], x: 2}}\n");
    for (raw, types) in [
        ("x=2 EventID=7", json!({"c7": {}, "two": {}})),
        ("x=1 EventID=7", json!({"c7": {}})),
        ("x=1 EventID=101", json!({"rest": {}})),
        ("x=1", json!({"a/b": {}})),
    ] {
        assert_eq!(one(&yaml, raw)["types"], types, "{raw}");
    }
}

#[test]
fn vendor_alert_has_one_convention() {
    let yaml = r#"
steps: [{kv: {}}]
alert:
  when: {kind: alert}
  name: "{attack} found"
  id: aid
  severity: {from: sev, lookup: {"1": high}}
"#;
    assert_eq!(
        one(yaml, "x=1 kind=alert attack=Evil aid=7 sev=1")["common"],
        json!({"event.kind": "alert", "event.severity_name": "high", "rule.id": "7", "rule.name": "Evil found"})
    );
    assert_eq!(
        one(yaml, "x=1 kind=alert attack=Evil sev=9")["common"],
        json!({"event.kind": "alert", "event.severity_name": "medium", "rule.name": "Evil found"})
    );
    assert_eq!(one(yaml, "x=1 kind=log attack=Evil")["common"], json!({}));
}

#[test]
fn times_with_zone_field_and_fallback() {
    let yaml = r#"
steps: [{kv: {}}]
time:
  - {from: et, format: epoch}
  - {from: "{d} {t}", format: "%Y-%m-%d %H:%M:%S", zone: tz}
  - {from: local, zone: Europe/Berlin}
"#;
    for (raw, time) in [
        ("x=1 et=1791749655123456789", "2026-10-11T20:14:15.123456Z"),
        ("x=1 d=2026-10-11 t=22:14:15 tz=+0200", "2026-10-11T20:14:15Z"),
        ("x=1 local=2026-01-11T22:14:15", "2026-01-11T21:14:15Z"),
        ("<13>Oct 11 22:14:15 h app: x=1", "2026-10-11T22:14:15Z"),
        ("x=1", "2026-10-11T22:20:00Z"),
    ] {
        assert_eq!(one(yaml, raw)["time"], time, "{raw}");
    }
}

#[test]
fn a_line_inside_a_shippers_wrapper_is_what_parsers_see() {
    let yaml = "parser: a.b\ndescription: d\nmatch: {app: sshd}\nsteps: [{pattern: 'for %{USER:user.name}'}]\ncommon: {event.action: '@fact.file.path'}\n";
    for (raw, host, time) in [
        (
            r#"{"MESSAGE":"for jane","SYSLOG_IDENTIFIER":"sshd","_PID":"7","_HOSTNAME":"web1","__REALTIME_TIMESTAMP":"1791749655123456","PRIORITY":"6"}"#,
            "web1",
            "2026-10-11T20:14:15.123456Z",
        ),
        (
            r#"{"@timestamp":"2026-10-11T20:14:20Z","message":"Oct 11 20:14:15 web2 sshd[7]: for jane","log":{"file":{"path":"/var/log/auth.log"}},"agent":{"type":"filebeat"},"host":{"name":"x"}}"#,
            "web2",
            "2026-10-11T20:14:15Z",
        ),
        (
            r#"{"MESSAGE":[102,111,114,32,106,97,110,101,255],"SYSLOG_IDENTIFIER":"sshd","_HOSTNAME":"web1"}"#,
            "web1",
            "2026-10-11T22:20:00Z",
        ),
    ] {
        let all = events(yaml, &[raw]);
        let event = event_json(&all[0]);
        assert_eq!((event["parser"].as_str(), all.len()), (Some("a.b"), 1), "{raw}");
        assert_eq!((&event["common"]["host.name"], &event["time"]), (&json!(host), &json!(time)), "{raw}");
        assert_eq!(&*all[0].raw, raw);
        assert!(event["common"]["user.name"].as_str().unwrap().starts_with("jane"));
    }
    // An application's own JSON is not taken for a wrapper.
    assert!(events(yaml, &[r#"{"message":"Oct 11 20:14:15 web2 sshd[7]: for jane","level":"info"}"#])[0].is_generic());
}

#[test]
fn one_record_with_a_list_is_several_events() {
    let yaml = body("each: Records\nsteps: [{json: {}}]\n");
    let all = events(
        &yaml,
        &[r#"{"Records":[{"x":1}, {"x":2}]}"#, r#"{"x":3}"#, r#"[{"x":4},{"x":5}]"#, r#"{"Records":[],"x":0}"#],
    );
    let shown: Vec<_> =
        all.iter().map(|event| (event.id.record.offset, event.id.index, event.raw.to_string())).collect();
    assert_eq!(
        shown,
        [
            (0, 0, r#"{"x":1}"#.to_owned()),
            (0, 1, r#"{"x":2}"#.to_owned()),
            (1, 0, r#"{"x":3}"#.to_owned()),
            (2, 0, r#"{"x":4}"#.to_owned()),
            (2, 1, r#"{"x":5}"#.to_owned()),
            (3, 0, r#"{"Records":[],"x":0}"#.to_owned()),
        ]
    );
}

#[test]
fn gates() {
    for (gate, taken, left) in [
        ("{app: [sshd, 'postfix/*']}", "<1>Oct 11 22:14:15 h SSHD[1]: m", "<1>Oct 11 22:14:15 h sshdx[1]: m"),
        ("{app: 'postfix/*'}", "<1>Oct 11 22:14:15 h postfix/smtpd[1]: m", "postfix"),
        ("{contains: [a, b]}", "b a", "b"),
        ("{contains_any: [a, b]}", "b", "c"),
        ("{starts: ['%ASA', '%FTD']}", "<1>Oct 11 22:14:15 h : %FTD-1", "h %ASA"),
        ("{pattern: '^\\d+ %{IPV4}$'}", "5 10.0.0.1", "5 10.0.0"),
        ("{json: [a.b, c]}", r#"{"a":{"b":1},"c":null}"#, r#"{"a":{"b":1}}"#),
        ("{json: {k: [v, 'w*'], n: 5}}", r#"{"k":"wx","n":5}"#, r#"{"k":"x","n":5}"#),
        ("{xml: Event}", "<?xml version='1.0'?>\n<Event/>", "<Events/>"),
        ("{cef: 'Ven*|Pro'}", "<1>Oct 11 22:14:15 h CEF:0|vendor|pro|1|1|n|1|", "CEF:0|vendor|other|1|1|n|1|"),
        ("{leef: V}", "LEEF:1.0|V|P|1|1|", "CEF:0|V|P|1|1|n|1|"),
        ("{transport: [syslog-udp], facility: [4]}", "<34>x", "<1>x"),
        ("[{contains: a}, {contains: b}]", "b", "c"),
    ] {
        let yaml = format!("parser: a.b\ndescription: d\nmatch: {gate}\n");
        let all = events(&yaml, &[taken, left]);
        assert_eq!(all.iter().map(|event| &*event.parser).collect::<Vec<_>>(), ["a.b", "generic"], "{gate}");
    }
}

#[test]
fn a_source_may_name_its_parser() {
    let mut state = compile(&body("")).start();
    let mut named = record("nothing that the gate takes");
    named.facts.push(("parser".to_owned(), "a.b".to_owned()));
    let mut out = Vec::new();
    state.parse(&named, &mut out);
    assert_eq!(&*out[0].parser, "a.b");
}

#[test]
fn a_new_log_type_needs_only_a_file() {
    let line = "<14>Oct 11 22:14:15 door7 gatekeeper: badge=4711 holder=jane door=7 result=refused";
    let catalogue = Catalogue::from_yaml(CATALOGUE).unwrap();
    let parse = |files: Vec<(String, String)>| {
        let (parsers, problems) = Parsers::compile(files, &catalogue);
        assert!(problems.is_empty(), "{problems:?}");
        let mut out = Vec::new();
        parsers.start().parse(&record(line), &mut out);
        event_json(&out[0])
    };
    assert_eq!(parse(Vec::new())["types"], json!({"generic": {}}));
    let yaml = "
parser: example.door
description: Door controller, syslog
match: {app: gatekeeper}
steps: [{kv: {}}]
common:
  user.name: holder
  event.action: {value: door}
  event.outcome: {from: result, lookup: {granted: success, refused: failure}}
types: [{product: example, service: door}]
";
    let event = parse(vec![("door.yaml".to_owned(), yaml.to_owned())]);
    assert_eq!(event["types"], json!({"example/door": {}}));
    assert_eq!(event["common"]["user.name"], "jane");
    assert_eq!(event["common"]["event.outcome"], "failure");
    assert_eq!(event["common"]["host.name"], "door7");
}

#[test]
fn every_mistake_is_reported_with_its_line() {
    let yaml = "parser: a.b
description: d
match: {app: x, nonsense: y}
steps:
  - frobnicate: {}
  - {json: {}, if_fails: maybe}
  - pattern: '(unclosed'
  - pattern: '%{NOPE:x}'
  - convert: {a: shout}
  - call: nothing
common:
  not.a.column: a
  event.action: {from: a, lookup: missing}
time: {from: a, format: sometimes}
types:
  - {aliases: {a: b}}
surplus: 1
alert: {id: x}
variants:
  - when: {a: {resembles: b}}
    common: {source.ip: 5}
";
    let (parsers, problems) =
        Parsers::compile(vec![("p.yaml".to_owned(), yaml.to_owned())], &Catalogue::from_yaml(CATALOGUE).unwrap());
    assert_eq!(parsers.names().count(), 0);
    let lines: Vec<_> = problems.iter().map(|problem| problem.line).collect();
    for line in [3, 5, 6, 7, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20, 21] {
        assert!(lines.contains(&line), "line {line} is not named: {problems:#?}");
    }
}

#[test]
fn what_repeats_without_end_is_bounded() {
    let yaml = "parser: a.b\ndescription: d\nmatch: {pattern: '.'}\nsteps:\n  - {json: {}, if_fails: continue}\n  - {xml: {}, if_fails: continue}\n  - {kv: {}, if_fails: continue}\n";
    let mut state = compile(yaml).start();
    let fields = (0..5000).map(|number| format!("k{number}=v")).collect::<Vec<_>>().join(" ");
    for raw in [
        format!("<13>{}", "Oct 11 22:14:15 r ".repeat(50_000)),
        "[".repeat(100_000),
        format!("{{\"a\":{}}}", "{\"a\":".repeat(100_000)),
        "<a>".repeat(100_000),
        fields,
    ] {
        let mut out = Vec::new();
        state.parse(&record(&raw), &mut out);
        assert!(out.len() == 1 && out[0].vendor.len() <= 2_000, "{}", &raw[..40]);
    }
}

#[test]
fn foreign_bytes_do_not_panic() {
    let yaml = "parser: a.b
description: d
match: {pattern: '.'}
steps:
  - {json: {}, if_fails: continue}
  - {xml: {}, if_fails: continue}
  - {kv: {escapes: true}, if_fails: continue}
  - {kv: {loose: true}, if_fails: continue}
  - {kv: {pair: ', ', sep: ': '}, if_fails: continue}
  - {csv: {columns: [a, b, c]}, if_fails: continue}
  - {cef: {}, if_fails: continue}
  - {leef: {}, if_fails: continue}
  - {call: auditd, if_fails: continue}
  - {call: {name: url, from: '@message'}}
  - {dissect: '%{a}=%{b->} %{c}'}
join: auditd
";
    let mut state = compile(yaml).start();
    let seeds = [
        "<34>1 2026-10-11T22:14:15.003Z h a - - [x y=\"\\]\"][z] \u{feff}é=\"ü\\\" 'x'",
        "<34>Oct 11 22:14:15 é[é]: CEF:0|a|b|c|d|e|f|ключ=значение ключLabel=é=é",
        "type=EXECVE msg=audit(1.2:3): a0=\"x\" a1=41 msg='op=é \u{1d}AUID=é",
        "LEEF:2.0|a|b|c|d|é|é=1é",
        "{\"a\":[[[{\"b\":\"\\u0000\"}]]]}",
        "<é a='&#xD800;'>&#99999999;</é>",
        "https://[é]:80é@é?#",
    ];
    let mut out = Vec::new();
    for seed in seeds {
        let bytes = seed.as_bytes();
        for cut in 0..=bytes.len() {
            for raw in [bytes[..cut].to_vec(), bytes[cut..].to_vec()] {
                let mut record = record("");
                record.raw = raw;
                state.parse(&record, &mut out);
            }
        }
    }
    assert!(out.len() > 500);
    for event in out {
        for (start, end) in &event.raw_private {
            assert!(start < end && *end as usize <= event.raw.len());
        }
    }
}
