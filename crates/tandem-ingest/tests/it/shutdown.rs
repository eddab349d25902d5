//! Stopping: what is acknowledged is durable, what is not is refused.

use crate::http::post;
use crate::support::{DEADLINE, Mood, Site, any_port, http_config, tcp_config, udp_config};
use std::sync::atomic::Ordering::SeqCst;
use tandem_ingest::{Config, Kind};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};

async fn all() -> Site {
    let config = Config {
        syslog_udp: vec![udp_config()],
        syslog_tcp: vec![tcp_config()],
        http: vec![http_config()],
        shutdown_grace_s: 1,
        ..Config::default()
    };
    Site::start(config).await
}

#[tokio::test]
async fn what_has_arrived_is_made_durable() {
    let site = all().await;
    site.sink.is(Mood::Holds);
    let socket = UdpSocket::bind(any_port()).await.unwrap();
    socket.send_to(b"<1>udp", site.address(Kind::SyslogUdp)).await.unwrap();
    let mut stream = TcpStream::connect(site.address(Kind::SyslogTcp)).await.unwrap();
    stream.write_all(b"<1>tcp one\n").await.unwrap();
    let request = tokio::spawn(post("/ingest", "{}").token().at(site.address(Kind::Http)));
    site.sink.until("three batches are under way", |sink| sink.asked.load(SeqCst) == 3).await;
    stream.write_all(b"<1>tcp two\n<1>tcp thr").await.unwrap();
    let sink = site.sink;
    let stopped = tokio::spawn(site.receivers.shutdown());
    sink.is(Mood::Takes);
    tokio::time::timeout(DEADLINE, stopped).await.unwrap().unwrap();
    assert_eq!(request.await.unwrap().status, 200);
    let mut texts = sink.texts();
    texts.sort();
    assert_eq!(texts, ["<1>tcp one", "<1>tcp thr", "<1>tcp two", "<1>udp", "{}"]);
}

#[tokio::test]
async fn a_sink_that_stays_full_does_not_hold_shutdown_for_ever() {
    let site = all().await;
    site.sink.is(Mood::Full);
    let socket = UdpSocket::bind(any_port()).await.unwrap();
    socket.send_to(b"<1>udp", site.address(Kind::SyslogUdp)).await.unwrap();
    let mut stream = TcpStream::connect(site.address(Kind::SyslogTcp)).await.unwrap();
    stream.write_all(b"<1>tcp\n").await.unwrap();
    site.sink.until("both are under way", |sink| sink.asked.load(SeqCst) >= 2).await;
    let counters = site.receivers.counters();
    tokio::time::timeout(DEADLINE, site.receivers.shutdown()).await.unwrap();
    let lost: u64 = counters.receivers().iter().map(|receiver| receiver.dropped).sum();
    assert_eq!((lost, site.sink.count()), (2, 0), "what is lost is counted");
}

#[tokio::test]
async fn a_closed_sink_ends_the_connection() {
    let site = all().await;
    site.sink.is(Mood::Closed);
    let mut stream = TcpStream::connect(site.address(Kind::SyslogTcp)).await.unwrap();
    stream.write_all(b"<1>tcp\n").await.unwrap();
    let mut rest = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
    crate::support::until("counted", || site.receivers.receivers()[1].dropped == 1).await;
}

#[tokio::test]
async fn idle_connections_do_not_hold_shutdown() {
    let site = all().await;
    let _stream = TcpStream::connect(site.address(Kind::SyslogTcp)).await.unwrap();
    let mut half = TcpStream::connect(site.address(Kind::Http)).await.unwrap();
    half.write_all(b"POST /ingest HTTP/1.1\r\n").await.unwrap();
    crate::support::until("both are open", || site.receivers.receivers()[1..].iter().all(|r| r.connections == 1)).await;
    tokio::time::timeout(DEADLINE, site.receivers.shutdown()).await.unwrap();
}
