//! Indicators against a slow and obvious list.

use std::net::IpAddr;

use proptest::prelude::*;
use tandem_sigma::{Indicator, IndicatorError, IndicatorKind, IndicatorSet, IndicatorSetBuilder, Network};

const NOW: i64 = 1_700_000_000_000;

fn set(indicators: &[(IndicatorKind, String, Option<i64>)]) -> IndicatorSet {
    let mut builder = IndicatorSetBuilder::new([7, 8]);
    for (number, (kind, value, expires_ms)) in indicators.iter().enumerate() {
        let source = format!("list {}", number % 3);
        builder.add(&Indicator { kind: *kind, value, source: &source, expires_ms: *expires_ms }).expect("a good one");
    }
    builder.build()
}

fn one(kind: IndicatorKind, value: &str) -> IndicatorSet {
    set(&[(kind, value.to_owned(), None)])
}

#[test]
fn what_an_indicator_covers() {
    use IndicatorKind::{Address, Domain, Hash, Mail, Url};
    let md5 = "d41d8cd98f00b204e9800998ecf8427e";
    for (kind, indicator, asked, value, found) in [
        (Address, "10.1.2.3", Address, "10.1.2.3", Some("10.1.2.3")),
        (Address, "10.1.2.3", Address, "::ffff:10.1.2.3", Some("10.1.2.3")),
        (Address, "10.1.2.3", Address, "10.1.2.4", None),
        (Address, "10.1.0.0/16", Address, " 10.1.255.9 ", Some("10.1.0.0/16")),
        (Address, "10.1.0.0/16", Address, "10.2.0.0", None),
        (Address, "2001:db8::/32", Address, "2001:db8:1::9%eth0", Some("2001:db8::/32")),
        (Address, "10[.]1[.]2[.]3", Address, "10.1.2.3", Some("10.1.2.3")),
        (Address, "10.1.2.3", Address, "no address", None),
        (Address, "10.1.2.3", Url, "http://10.1.2.3:8080/x", Some("10.1.2.3")),
        (Address, "2001:db8::1", Url, "http://[2001:db8::1]/x", Some("2001:db8::1")),
        (Domain, "evil.example", Domain, "EVIL.example.", Some("evil.example")),
        (Domain, "evil.example", Domain, "a.b.evil.example", Some("evil.example")),
        (Domain, "evil.example", Domain, "notevil.example", None),
        (Domain, "evil.example", Domain, "example", None),
        (Domain, "*.evil[.]example", Domain, "x.evil.example", Some("evil.example")),
        (Domain, "a.evil.example", Domain, "evil.example", None),
        (Domain, "evil.example", Url, "https://x.evil.example/path", Some("evil.example")),
        (Domain, "evil.example", Mail, "kim@mail.evil.example", Some("evil.example")),
        (Url, "hxxp://Evil.example/A?b#c", Url, "https://evil.example/A?b", Some("evil.example/A?b")),
        (Url, "http://evil.example/A", Url, "http://evil.example/a", None),
        (Url, "http://evil.example:80/", Url, "evil.example", Some("evil.example")),
        (Url, "http://evil.example:81/", Url, "http://evil.example/", None),
        (Url, "http://evil.example/a", Url, "http://kim:secret@evil.example/a", Some("evil.example/a")),
        (Url, "http://evil.example/a", Domain, "evil.example", None),
        (Hash, md5, Hash, "D41D8CD98F00B204E9800998ECF8427E", Some(md5)),
        (
            Hash,
            md5,
            Hash,
            "SHA1=da39a3ee5e6b4b0d3255bfef95601890afd80709,MD5=D41D8CD98F00B204E9800998ECF8427E",
            Some(md5),
        ),
        (Hash, md5, Hash, "d41d8cd98f00b204e9800998ecf8427f", None),
        (Mail, "Kim@Evil.example", Mail, "<kim@evil.example>", Some("kim@evil.example")),
        (Mail, "kim@evil.example", Mail, "mailto:kim@evil.example", Some("kim@evil.example")),
        (Mail, "kim@evil.example", Mail, "jo@evil.example", None),
    ] {
        let set = one(kind, indicator);
        let match_ = set.find(asked, value, NOW);
        assert_eq!(match_.as_ref().map(|found| found.indicator.as_str()), found, "{value} by {indicator}");
        assert!(match_.is_none_or(|found| found.kind == kind && found.source == "list 0"));
    }
}

#[test]
fn what_is_no_indicator_is_refused() {
    let mut builder = IndicatorSetBuilder::new([7, 8]);
    for (kind, value, error) in [
        (IndicatorKind::Address, "10.1.2", IndicatorError::Address),
        (IndicatorKind::Domain, "com", IndicatorError::Domain),
        (IndicatorKind::Domain, "a b.example", IndicatorError::Domain),
        (IndicatorKind::Url, "http://", IndicatorError::Url),
        (IndicatorKind::Hash, "abc", IndicatorError::Hash),
        (IndicatorKind::Mail, "kim", IndicatorError::Mail),
    ] {
        let indicator = Indicator { kind, value, source: "list", expires_ms: None };
        assert_eq!(builder.add(&indicator), Err(error), "{value}");
    }
    assert!(builder.build().is_empty());
}

#[test]
fn indicators_end() {
    let value = || "10.0.0.1".to_owned();
    let set = set(&[
        (IndicatorKind::Address, value(), Some(NOW - 60_000)),
        (IndicatorKind::Address, value(), Some(NOW + 60_000)),
        (IndicatorKind::Address, "10.0.0.0/8".to_owned(), None),
    ]);
    assert_eq!(set.len(), 2, "the one that ends last stays");
    let found = set.find(IndicatorKind::Address, "10.0.0.1", NOW).unwrap();
    assert_eq!((found.source, found.indicator.as_str()), ("list 1", "10.0.0.1"));
    let found = set.find(IndicatorKind::Address, "10.0.0.1", NOW + 180_000).unwrap();
    assert_eq!((found.source, found.expires_ms), ("list 2", None));
}

fn domain() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "ab", "c"]), 2..5).prop_map(|labels| labels.join("."))
}

fn address() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..4_u8, 0..4_u8, 0..4_u8).prop_map(|(b, c, d)| format!("10.{b}.{c}.{d}")),
        (0..4_u8, 0..4_u8).prop_map(|(a, b)| format!("2001:db8:{a}::{b}")),
    ]
}

proptest! {
    #![proptest_config(crate::correlations::config())]

    #[test]
    fn addresses_are_those_of_a_list(
        networks in prop::collection::vec((address(), 0..=128_u8), 0..30),
        asked in prop::collection::vec(address(), 1..30),
    ) {
        let networks: Vec<String> = networks
            .into_iter()
            .map(|(address, length)| {
                let most = if address.contains(':') { 128 } else { 32 };
                format!("{address}/{}", length.min(most))
            })
            .collect();
        let set = set(&networks.iter().map(|value| (IndicatorKind::Address, value.clone(), None)).collect::<Vec<_>>());
        let parsed: Vec<Network> = networks.iter().map(|text| Network::parse(text).unwrap()).collect();
        for value in asked {
            let address: IpAddr = value.parse().unwrap();
            let same = |network: &&Network| network.address().is_ipv4() == address.is_ipv4() && network.contains(address);
            let narrowest = parsed.iter().filter(same).map(Network::prefix_bits).max();
            let found = set.find(IndicatorKind::Address, &value, NOW).map(|found| {
                found.indicator.split_once('/').map_or(if address.is_ipv4() { 32 } else { 128 }, |(_, length)| length.parse().unwrap())
            });
            prop_assert_eq!(found, narrowest, "{} in {:?}", value, networks);
        }
    }

    #[test]
    fn domains_are_those_of_a_list(known in prop::collection::vec(domain(), 0..20), asked in prop::collection::vec(domain(), 1..20)) {
        let set = set(&known.iter().map(|value| (IndicatorKind::Domain, value.clone(), None)).collect::<Vec<_>>());
        for value in asked {
            let covers = |known: &&String| value == **known || value.ends_with(&format!(".{known}"));
            let longest = known.iter().filter(covers).max_by_key(|known| known.len());
            let found = set.find(IndicatorKind::Domain, &value, NOW).map(|found| found.indicator);
            prop_assert_eq!(found.as_ref(), longest);
        }
    }

    #[test]
    fn any_value_is_answered(value: String, number in 0..5_usize) {
        let (_, kind) = IndicatorKind::ALL[number];
        let _ = one(IndicatorKind::Domain, "evil.example").find(kind, &value, NOW);
        let _ = IndicatorSetBuilder::new([1, 2]).add(&Indicator { kind, value: &value, source: "", expires_ms: Some(i64::MAX) });
    }
}
