//! Syslog over UDP and TCP, by hand.

use crate::support::{Mood, Site, any_port, tcp, tcp_config, udp, udp_config, until};
use std::sync::atomic::Ordering::SeqCst;
use tandem_ingest::{Allow, Cause, Config, Kind, SyslogTcp, SyslogUdp};
use tandem_model::Transport;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

pub(crate) fn ranges(list: &[&str]) -> Allow {
    Allow(list.iter().map(|range| range.parse().unwrap()).collect())
}

#[tokio::test]
async fn a_datagram_is_a_record() {
    let site = Site::start(udp(udp_config())).await;
    let socket = UdpSocket::bind(any_port()).await.unwrap();
    for bytes in [&b"<34>Oct 11 22:14:15 h su: a\n"[..], b"two\nlines", b"\xff\xfe", b"", b"\0\n", b"end"] {
        socket.send_to(bytes, site.address(Kind::SyslogUdp)).await.unwrap();
    }
    let records = site.sink.holds(4).await;
    let raws: Vec<_> = records.iter().map(|record| record.raw.as_slice()).collect();
    assert_eq!(raws, [&b"<34>Oct 11 22:14:15 h su: a"[..], b"two\nlines", b"\xff\xfe", b"end"]);
    assert_eq!((records[0].source.as_str(), records[0].transport), ("syslog:127.0.0.1", Transport::SyslogUdp));
    until("counted", || site.receivers.receivers()[0].records == 4).await;
    assert_eq!(site.errors(Cause::Malformed), 2);
    assert_eq!(site.receivers.sources()[0].records, 4);
}

#[tokio::test]
async fn the_largest_datagram_is_whole() {
    let site = Site::start(udp(udp_config())).await;
    let socket = UdpSocket::bind(any_port()).await.unwrap();
    socket.send_to(&vec![b'x'; 65_507], site.address(Kind::SyslogUdp)).await.unwrap();
    assert_eq!(site.sink.holds(1).await[0].raw.len(), 65_507);
}

#[tokio::test]
async fn a_slow_sink_makes_the_kernel_drop_and_that_is_counted() {
    let config = SyslogUdp { receive_buffer_bytes: 64 << 10, queue_bytes: 128 << 10, ..udp_config() };
    let site = Site::start(udp(config)).await;
    site.sink.is(Mood::Holds);
    let socket = UdpSocket::bind(any_port()).await.unwrap();
    let sent = 4000;
    for _ in 0..sent {
        socket.send_to(&[b'x'; 1000], site.address(Kind::SyslogUdp)).await.unwrap();
    }
    until("drops are seen while the sink is slow", || site.receivers.receivers()[0].dropped > 0).await;
    site.sink.is(Mood::Takes);
    until("everything is accounted for", || {
        let receiver = &site.receivers.receivers()[0];
        receiver.records + receiver.dropped == sent
    })
    .await;
    assert_eq!(site.sink.count() as u64, site.receivers.receivers()[0].records);
}

#[tokio::test]
async fn streams_by_line_and_by_count() {
    let site = Site::start(tcp(tcp_config())).await;
    for (bytes, expected) in [
        (&b"<1>a\n<2>b\r\n<3>c\0<4>d"[..], &["<1>a", "<2>b", "<3>c", "<4>d"][..]),
        (b"8 <1>a\nb c5 <2>d\n", &["<1>a\nb c", "<2>d"]),
    ] {
        let before = site.sink.count();
        let mut stream = TcpStream::connect(site.address(Kind::SyslogTcp)).await.unwrap();
        for piece in bytes.chunks(3) {
            stream.write_all(piece).await.unwrap();
            stream.flush().await.unwrap();
        }
        stream.shutdown().await.unwrap();
        site.sink.holds(before + expected.len()).await;
        assert_eq!(&site.sink.texts()[before..], expected);
    }
    let record = &site.sink.records()[0];
    assert_eq!((record.source.as_str(), record.transport), ("syslog:127.0.0.1", Transport::SyslogTcp));
}

#[tokio::test]
async fn what_is_not_whole_says_so() {
    let site = Site::start(tcp(SyslogTcp { max_frame_bytes: 10, ..tcp_config() })).await;
    let mut stream = TcpStream::connect(site.address(Kind::SyslogTcp)).await.unwrap();
    stream.write_all(b"<1>34567890123\n<1>ok\n").await.unwrap();
    let mut counted = TcpStream::connect(site.address(Kind::SyslogTcp)).await.unwrap();
    counted.write_all(b"9 <1>a").await.unwrap();
    counted.shutdown().await.unwrap();
    site.sink.holds(3).await;
    let cuts: Vec<_> = site
        .sink
        .records()
        .iter()
        .map(|record| (String::from_utf8(record.raw.clone()).unwrap(), record.fact("syslog.cut").map(str::to_owned)))
        .collect();
    assert!(cuts.contains(&("<1>3456789".to_owned(), Some("too-long".to_owned()))));
    assert!(cuts.contains(&("<1>ok".to_owned(), None)));
    assert!(cuts.contains(&("<1>a".to_owned(), Some("ended".to_owned()))));
    assert_eq!((site.errors(Cause::TooLong), site.errors(Cause::CutOff)), (1, 1));
}

#[tokio::test]
async fn a_count_too_large_or_missing_closes_the_connection() {
    let site = Site::start(tcp(SyslogTcp { max_frame_bytes: 10, ..tcp_config() })).await;
    for (bytes, cause) in [(&b"4 <1>a99 <2>b"[..], Cause::TooLong), (b"4 <1>ax <2>", Cause::Malformed)] {
        let mut stream = TcpStream::connect(site.address(Kind::SyslogTcp)).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        site.errors_reach(cause, 1).await;
    }
    assert_eq!(site.sink.texts(), ["<1>a", "<1>a"], "the frames before are kept");
}

#[tokio::test]
async fn a_slow_sink_slows_the_sender_and_loses_nothing() {
    let site = Site::start(tcp(tcp_config())).await;
    site.sink.is(Mood::Full);
    let stream = TcpStream::connect(site.address(Kind::SyslogTcp)).await.unwrap();
    let line = format!("<1>{}\n", "x".repeat(996));
    let sent = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let total = 40_000;
    let writer = tokio::spawn({
        let (sent, line) = (sent.clone(), line.clone());
        async move {
            let mut stream = stream;
            for _ in 0..total {
                stream.write_all(line.as_bytes()).await.unwrap();
                sent.fetch_add(1, SeqCst);
            }
            stream.shutdown().await.unwrap();
        }
    });
    // The sender stands still when socket buffers are full: at most some megabytes of the 40.
    site.errors_reach(Cause::SinkFull, 5).await;
    let mut last = usize::MAX;
    while last != sent.load(SeqCst) {
        last = sent.load(SeqCst);
        site.errors_reach(Cause::SinkFull, site.errors(Cause::SinkFull) + 1).await;
    }
    assert!(last < total, "the sender was not slowed");
    site.sink.is(Mood::Takes);
    writer.await.unwrap();
    site.sink.holds(total).await;
    assert_eq!(site.sink.count(), total);
}

#[tokio::test]
async fn only_listed_peers_may_send() {
    let allow = ranges(&["10.0.0.0/8"]);
    let config = Config {
        syslog_udp: vec![SyslogUdp { allow: allow.clone(), ..udp_config() }],
        syslog_tcp: vec![SyslogTcp { allow, ..tcp_config() }],
        ..Config::default()
    };
    let site = Site::start(config).await;
    let socket = UdpSocket::bind(any_port()).await.unwrap();
    socket.send_to(b"<1>a", site.address(Kind::SyslogUdp)).await.unwrap();
    let mut stream = TcpStream::connect(site.address(Kind::SyslogTcp)).await.unwrap();
    let _ = stream.write_all(b"<1>a\n").await;
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    site.errors_reach(Cause::NotAllowed, 2).await;
    assert_eq!(site.sink.count(), 0);
}

#[tokio::test]
async fn behind_a_relay_the_host_is_the_source() {
    let relays = ranges(&["127.0.0.0/8"]);
    let site = Site::start(tcp(SyslogTcp { relays, ..tcp_config() })).await;
    let mut stream = TcpStream::connect(site.address(Kind::SyslogTcp)).await.unwrap();
    stream.write_all(b"<34>Oct 11 22:14:15 Web1 su: a\n<34>Oct 11 22:14:15 web2 su: b\n<34>who knows\n").await.unwrap();
    let records = site.sink.holds(3).await;
    let sources: Vec<_> = records.iter().map(|record| record.source.as_str()).collect();
    assert_eq!(sources, ["syslog:web1", "syslog:web2", "syslog:127.0.0.1"]);
}

#[tokio::test]
async fn forged_hosts_cannot_fill_memory() {
    let config = Config {
        max_sources: 3,
        syslog_tcp: vec![SyslogTcp { relays: ranges(&["127.0.0.1"]), ..tcp_config() }],
        ..Config::default()
    };
    let site = Site::start(config).await;
    let mut stream = TcpStream::connect(site.address(Kind::SyslogTcp)).await.unwrap();
    let lines: Vec<_> = (0..100).map(|n| format!("<34>Oct 11 22:14:15 h{n} su: a\n")).collect();
    stream.write_all(lines.concat().as_bytes()).await.unwrap();
    site.sink.holds(100).await;
    until("counted", || site.receivers.receivers()[0].records == 100).await;
    let sources = site.receivers.sources();
    assert_eq!(sources.len(), 4);
    assert_eq!(sources.iter().map(|source| source.records).sum::<u64>(), 100);
    assert_eq!(sources.iter().find(|source| source.name == "syslog:more").unwrap().records, 98);
}

#[tokio::test]
async fn connections_are_limited_and_given_back() {
    let site = Site::start(tcp(SyslogTcp { max_connections_per_peer: 1, ..tcp_config() })).await;
    let mut first = TcpStream::connect(site.address(Kind::SyslogTcp)).await.unwrap();
    first.write_all(b"<1>a\n").await.unwrap();
    site.sink.holds(1).await;
    let mut second = TcpStream::connect(site.address(Kind::SyslogTcp)).await.unwrap();
    let mut rest = Vec::new();
    let _ = second.read_to_end(&mut rest).await;
    assert_eq!(site.errors(Cause::ConnectionLimit), 1);
    drop(first);
    until("the place is free again", || site.receivers.receivers()[0].connections == 0).await;
    let mut third = TcpStream::connect(site.address(Kind::SyslogTcp)).await.unwrap();
    third.write_all(b"<1>b\n").await.unwrap();
    site.sink.holds(2).await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let site = Site::start(tcp(tcp_config())).await;
    let address = site.address(Kind::SyslogTcp);
    let clock = std::sync::Arc::new(tandem_base::SystemClock);
    let sink = std::sync::Arc::clone(&site.sink);
    let tokens = std::sync::Arc::new(crate::support::TestTokens);
    let config = tcp(SyslogTcp { address, ..tcp_config() });
    let error = tandem_ingest::Receivers::start(config, sink, tokens, clock).await.err().unwrap();
    assert_eq!(error.to_string(), format!("syslog-tcp receiver cannot listen on {address}"));
}
