//! The host that a syslog header names; only for records that come through a declared relay.

/// The host name of an RFC 5424 header, or of an RFC 3164 header with a classical or an ISO time.
pub(super) fn name(raw: &[u8]) -> Option<&str> {
    let head = &raw[..raw.len().min(512)];
    let head = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
    };
    let rest = head.strip_prefix('<').and_then(|rest| rest.split_once('>')).map_or(head, |(_, rest)| rest);
    let mut words = rest.split_ascii_whitespace();
    let first = words.next()?;
    let host = if first == "1" {
        words.next()?; // the time
        words.next()?
    } else if is_month(first) {
        words.next()?; // the day
        words.next().filter(|time| time.len() >= 8 && time.as_bytes()[2] == b':')?;
        words.next()?
    } else if first.len() >= 19 && first.as_bytes()[4] == b'-' && first.as_bytes()[10] == b'T' {
        words.next()?
    } else {
        return None;
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    // A word that ends with a colon is the tag of a header without a host.
    (host.len() <= 255 && host != "-" && !host.ends_with(':') && host.chars().all(fits)).then_some(host)
}

fn is_month(word: &str) -> bool {
    matches!(word, "Jan" | "Feb" | "Mar" | "Apr" | "May" | "Jun" | "Jul" | "Aug" | "Sep" | "Oct" | "Nov" | "Dec")
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn host_of_the_header() {
        for (raw, host) in [
            ("<34>Oct 11 22:14:15 mymachine su: text", Some("mymachine")),
            ("<34>Oct  1 22:14:15 10.0.0.7 su: text", Some("10.0.0.7")),
            ("<165>1 2026-10-11T22:14:15.003Z host.example evntslog - ID47 - text", Some("host.example")),
            ("<165>1 2026-10-11T22:14:15.003Z - evntslog - ID47 - text", None),
            ("<13>2026-10-11T22:14:15.123456+02:00 web1 nginx[812]: text", Some("web1")),
            ("<134>Oct 11 22:14:15 filterlog[4112]: 5,,,1000000103", None),
            ("<134>Oct 11 22:14:15 filterlog: 5,,,1000000103", None),
            ("<13>Oct 11 22:14:15 relay Oct 11 22:14:14 origin app: text", Some("relay")),
            ("<166>%ASA-6-302013: Built", None),
            ("", None),
            ("<", None),
            ("<13>Oct", None),
            ("<13>Oct 11 x h", None),
        ] {
            assert_eq!(name(raw.as_bytes()), host, "{raw}");
        }
        assert_eq!(name(b"<34>Oct 11 22:14:15 h su: \xff\xfe"), Some("h"));
        assert_eq!(name("<34>Oct 11 ü2:14:15 h".as_bytes()), None);
    }
}
