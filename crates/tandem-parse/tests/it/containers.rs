//! Files taken apart into records.

use std::io::{Cursor, Write};
use tandem_parse::container::{Format, Leftover, RawRecord, open};

fn all(bytes: &[u8]) -> (Format, Vec<Result<RawRecord, Leftover>>) {
    let records = open("file", Cursor::new(bytes.to_vec())).unwrap();
    let format = records.format();
    (format, records.collect())
}

/// Records as text, `!` before what is left over.
fn texts(bytes: &[u8]) -> Vec<String> {
    let (_, records) = all(bytes);
    records
        .into_iter()
        .map(|record| match record {
            Ok(record) => String::from_utf8_lossy(&record.raw).into_owned(),
            Err(leftover) => format!("!{leftover}"),
        })
        .collect()
}

#[test]
fn arrangements_of_json() {
    for (text, records) in [
        ("{\"a\":1}\n{\"b\":\"}{\\\"\"}\n", vec![r#"{"a":1}"#, r#"{"b":"}{\""}"#]),
        ("{\"a\":1}{\"b\":2} {\"c\":3}", vec![r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#]),
        ("\u{feff}[ {\"a\":1},\n {\"b\":[{}]} ]\n", vec![r#"{"a":1}"#, r#"{"b":[{}]}"#]),
        ("{ \"Records\" : [ {\"a\":1},{\"b\":2} ], \"x\": 1 }", vec![r#"{"a":1}"#, r#"{"b":2}"#]),
        ("{\n  \"a\": [\n{\n \"b\": 1 }\n ]\n}\n{\"c\":2}", vec!["{\n  \"a\": [\n{\n \"b\": 1 }\n ]\n}", r#"{"c":2}"#]),
        ("{\"a\":1\n{\"b\":2}\n", vec!["{\"a\":1\n", r#"{"b":2}"#]),
        ("{\"a\":\"broken off\n{\"b\":2}\n", vec!["{\"a\":\"broken off", r#"{"b":2}"#]),
        ("{\"a\":1}\nplain text\n{\"b\":2}", vec![r#"{"a":1}"#, "plain text", r#"{"b":2}"#]),
        ("{\"a\":1}\n{\"b\":", vec![r#"{"a":1}"#, "!record 1: the file ends inside a JSON document"]),
    ] {
        assert_eq!(all(text.as_bytes()).0, Format::Json, "{text}");
        let shown: Vec<_> = texts(text.as_bytes()).iter().map(|text| text.trim_end().to_owned()).collect();
        let records: Vec<_> = records.iter().map(|text| text.trim_end().to_owned()).collect();
        assert_eq!(shown, records, "{text}");
    }
}

#[test]
fn lines_in_any_encoding() {
    let text = "first\r\nzweite Zeile ü\n\n[third]\n";
    let expected = ["first", "zweite Zeile ü", "[third]"];
    assert_eq!(texts(text.as_bytes()), expected);
    assert_eq!(texts(&[b"\xef\xbb\xbf", text.as_bytes()].concat()), expected);
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(texts(&[&b"\xff\xfe"[..], &little].concat()), expected);
    assert_eq!(texts(&[&b"\xfe\xff"[..], &big].concat()), expected);
    assert_eq!(texts(&little), expected);
    assert_eq!(texts(b""), Vec::<String>::new());
}

#[test]
fn a_line_without_end_is_cut_and_the_rest_counted() {
    let long = [vec![b'x'; 3 << 20], b"\nnext\n".to_vec()].concat();
    let (_, records) = all(&long);
    assert_eq!(records.len(), 3);
    assert_eq!(records[0].as_ref().unwrap().raw.len(), 1 << 20);
    assert!(records[1].as_ref().unwrap_err().reason.contains("2097152 were cut off"));
    assert_eq!(records[2].as_ref().unwrap().raw, b"next");
}

#[test]
fn header_lines_become_facts_and_may_change() {
    let zeek = "#separator \\x09\n#fields\tts\tuid\n#path\tconn\n1\tC1\n#close\tx\n";
    let (_, records) = all(zeek.as_bytes());
    assert_eq!(records.len(), 1);
    let facts = &records[0].as_ref().unwrap().facts;
    for (name, value) in [("header.fields", "ts\tuid"), ("header.path", "conn"), ("file.format", "lines")] {
        assert!(facts.contains(&(name.to_owned(), value.to_owned())), "{facts:?}");
    }
    let iis = "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time\nd t\n#Fields: date cs-uri\nd u\n# no header\n";
    let (_, records) = all(iis.as_bytes());
    let fields: Vec<_> = records
        .iter()
        .map(|record| {
            record.as_ref().unwrap().facts.iter().find(|(name, _)| name == "header.fields").unwrap().1.clone()
        })
        .collect();
    assert_eq!(fields, ["date\ttime", "date\tcs-uri", "date\tcs-uri"]);
}

#[test]
fn exported_events() {
    let text =
        "<?xml version='1.0'?><Events>\n<Event xmlns='x'><a/></Event><EventX/><Event>b</Event>\n</Events><Event>open";
    assert_eq!(all(text.as_bytes()).0, Format::Xml);
    assert_eq!(
        texts(text.as_bytes()),
        ["<Event xmlns='x'><a/></Event>", "<Event>b</Event>", "!record 2: the file ends inside an event"]
    );
}

#[test]
fn packed_files_and_bombs() {
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let zstd = |bytes: &[u8]| zstd::stream::encode_all(bytes, 3).unwrap();
    for packed in [gzip(b"{\"a\":1}\n{\"b\":2}"), zstd(b"{\"a\":1}\n{\"b\":2}")] {
        assert_eq!(texts(&packed), [r#"{"a":1}"#, r#"{"b":2}"#]);
    }
    let twice = open("x", Cursor::new(gzip(&gzip(b"a"))));
    assert!(twice.is_err_and(|error| error.to_string().contains("packed twice")));
    let bomb = zstd(&vec![b'x'; 17 << 20]);
    let last = texts(&bomb).pop().unwrap();
    assert!(last.starts_with("!record 1: the file could not be read further: it unpacks to more than"), "{last}");
    let cut = gzip(&b"some text\n".repeat(1000));
    let last = texts(&cut[..cut.len() / 2]).pop().unwrap();
    assert!(last.contains("could not be read further"), "{last}");
}

#[test]
fn what_looks_like_an_event_log_and_is_none() {
    let error = open("x", Cursor::new(b"ElfFile\0 but then nothing of use".to_vec())).err().unwrap();
    assert!(error.to_string().starts_with("the event log cannot be opened"), "{error}");
}
