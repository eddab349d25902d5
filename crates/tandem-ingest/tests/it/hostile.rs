//! Input that wants to do harm: bounded, counted, and the next sender is served.

use crate::http::{gzip, post, read};
use crate::support::{Site, TOKEN, http_config, tcp, tcp_config};
use std::io::Write;
use tandem_ingest::{Cause, Config, Http, Kind, SyslogTcp};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Peak of the resident memory of this process since it was last reset, in bytes.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

fn reset_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

async fn alive(site: &Site) {
    let before = site.sink.count();
    assert_eq!(post("/ingest", "{}").token().to(site).await.status, 200);
    assert_eq!(site.sink.count(), before + 1);
}

#[tokio::test]
async fn a_line_of_100_megabytes_is_cut() {
    let site = Site::start(tcp(tcp_config())).await;
    let mut stream = TcpStream::connect(site.address(Kind::SyslogTcp)).await.unwrap();
    reset_peak();
    let before = peak_bytes();
    let piece = vec![b'x'; 1 << 20];
    stream.write_all(b"<1>").await.unwrap();
    for _ in 0..100 {
        stream.write_all(&piece).await.unwrap();
    }
    stream.write_all(b"\n<1>next\n").await.unwrap();
    let records = site.sink.holds(2).await;
    assert_eq!((records[0].raw.len(), records[1].raw.as_slice()), (64 << 10, &b"<1>next"[..]));
    assert_eq!(site.errors(Cause::TooLong), 1);
    let grown = peak_bytes().saturating_sub(before);
    assert!(grown < 16 << 20, "memory grew by {grown} bytes");
}

#[tokio::test]
async fn a_body_line_of_100_megabytes_is_refused_without_being_held() {
    let http = Http { max_body_bytes: 1 << 30, ..http_config() };
    let site = Site::start(Config { http: vec![http], ..Config::default() }).await;
    let mut stream = TcpStream::connect(site.address(Kind::Http)).await.unwrap();
    reset_peak();
    let before = peak_bytes();
    let size = (100 << 20) + 6;
    let head = format!(
        "POST /ingest HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {size}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..100 {
        stream.write_all(&piece).await.unwrap();
    }
    stream.write_all(b"\n{}\n{}").await.unwrap();
    let answer = read(&mut stream).await;
    assert_eq!((answer.status, answer.json()["accepted"].as_u64()), (200, Some(2)), "{answer:?}");
    let grown = peak_bytes().saturating_sub(before);
    assert!(grown < 16 << 20, "memory grew by {grown} bytes");
}

#[tokio::test]
async fn decompression_bombs_are_refused() {
    let site = Site::http().await;
    // 64 MB of spaces between events, then an event: the ratio of gzip is about 1000, of zstd far more.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let spaces = vec![b' '; 1 << 20];
    for _ in 0..64 {
        encoder.write_all(&spaces).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    for _ in 0..64 {
        encoder.write_all(&spaces).unwrap();
    }
    let zstd_bomb = encoder.finish().unwrap();
    reset_peak();
    let before = peak_bytes();
    for path in ["/ingest", "/services/collector", "/services/collector/raw", "/_bulk"] {
        for (encoding, body) in [("gzip", &bomb), ("zstd", &zstd_bomb)] {
            let answer = post(path, body).token().header("Content-Encoding", encoding).to(&site).await;
            assert_eq!(answer.status, 413, "{path} {encoding}: {}", answer.body);
        }
    }
    let grown = peak_bytes().saturating_sub(before);
    assert!(grown < 32 << 20, "memory grew by {grown} bytes");
    assert_eq!((site.errors(Cause::BodyTooLarge), site.sink.count()), (8, 0));
    alive(&site).await;
}

#[tokio::test]
async fn bodies_have_a_largest_size() {
    let http = Http { max_body_bytes: 1000, max_decoded_bytes: 2000, max_ratio: 10_000, ..http_config() };
    let site = Site::start(Config { http: vec![http], ..Config::default() }).await;
    let large = "{\"a\":\"b\"}\n".repeat(200);
    assert_eq!(post("/ingest", &large).token().to(&site).await.status, 413);
    let larger = gzip("{\"a\":\"b\"}\n".repeat(2000).as_bytes());
    assert!(larger.len() < 1000);
    let answer = post("/ingest", larger).token().header("Content-Encoding", "gzip").to(&site).await;
    assert_eq!(answer.status, 413);
    // The size is not announced: it shows while the body is read.
    let mut stream = TcpStream::connect(site.address(Kind::Http)).await.unwrap();
    let head = format!(
        "POST /ingest HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len()).as_bytes()).await.unwrap();
    assert_eq!(read(&mut stream).await.status, 413);
    assert_eq!((site.errors(Cause::BodyTooLarge), site.sink.count()), (3, 0));
    alive(&site).await;
}

#[tokio::test]
async fn json_of_ten_thousand_levels_is_refused() {
    let site = Site::http().await;
    let deep = format!("{{\"event\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(post("/ingest", &deep).token().to(&site).await.status, 400);
    let answer = post("/ingest", format!("[{deep}]")).token().to(&site).await;
    assert!(answer.status == 400 && answer.body.contains("64 levels"), "{}", answer.body);
    assert_eq!(post("/services/collector", &deep).token().to(&site).await.json()["code"], 6);
    let answer = post("/_bulk", format!("{{\"index\":{{\"_index\":\"a\"}}}}\n{deep}\n")).token().to(&site).await;
    assert_eq!(answer.json()["items"][0]["index"]["status"], 400);
    assert_eq!(post("/_bulk", format!("{deep}\n{{}}\n")).token().to(&site).await.status, 400);
    assert_eq!(
        post("/services/collector/ack?channel=fe0ecfad-13d5-401b-847d-77833bd77131", &deep)
            .token()
            .to(&site)
            .await
            .status,
        400
    );
    assert_eq!(site.sink.count(), 0);
    alive(&site).await;
}

#[tokio::test]
async fn invalid_utf8_is_kept_where_text_is_allowed_and_refused_where_json_is() {
    let site = Site::http().await;
    assert_eq!(post("/services/collector/raw", b"a\xff\xfeb").token().to(&site).await.status, 200);
    assert_eq!(site.sink.records()[0].raw, b"a\xff\xfeb");
    assert_eq!(post("/services/collector", b"{\"event\":\"\xff\"}").token().to(&site).await.status, 400);
    assert_eq!(post("/_bulk", b"\xff\n\xff\n").token().to(&site).await.status, 400);
    assert_eq!(post("/%ff/_bulk", b"{\"index\":{}}\n{}\n").token().to(&site).await.status / 100, 4);
    alive(&site).await;
}

#[tokio::test]
async fn a_header_that_never_ends_is_not_waited_for() {
    let http = Http { header_timeout_s: 1, ..http_config() };
    let site = Site::start(Config { http: vec![http], ..Config::default() }).await;
    let mut stream = TcpStream::connect(site.address(Kind::Http)).await.unwrap();
    stream.write_all(b"POST /ingest HTTP/1.1\r\nHost: x\r\nX-A: ").await.unwrap();
    let answer = read(&mut stream).await;
    assert!(answer.status == 0 || answer.status == 408, "{answer:?}");
    site.errors_reach(Cause::Timeout, 1).await;
    alive(&site).await;
}

#[tokio::test]
async fn a_body_that_never_ends_is_not_waited_for() {
    let http = Http { body_timeout_s: 1, ..http_config() };
    let site = Site::start(Config { http: vec![http], ..Config::default() }).await;
    let mut stream = TcpStream::connect(site.address(Kind::Http)).await.unwrap();
    let head = format!(
        "POST /ingest HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 9\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(read(&mut stream).await.status, 408);
    assert_eq!((site.errors(Cause::Timeout), site.sink.count()), (1, 0));
    alive(&site).await;
}

#[tokio::test]
async fn a_client_that_hangs_up_in_its_body_leaves_nothing() {
    let site = Site::http().await;
    let mut stream = TcpStream::connect(site.address(Kind::Http)).await.unwrap();
    let head = format!(
        "POST /ingest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 99\r\n\r\n{{}}\n{{}}\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    drop(stream);
    site.errors_reach(Cause::CutOff, 1).await;
    assert_eq!(site.sink.count(), 0);
    alive(&site).await;
}

#[tokio::test]
async fn a_frame_that_never_ends_is_not_waited_for() {
    let site = Site::start(tcp(SyslogTcp { first_frame_timeout_s: 1, ..tcp_config() })).await;
    let mut stream = TcpStream::connect(site.address(Kind::SyslogTcp)).await.unwrap();
    stream.write_all(b"500 <1>begun").await.unwrap();
    let records = site.sink.holds(1).await;
    assert_eq!((records[0].raw.as_slice(), records[0].fact("syslog.cut")), (&b"<1>begun"[..], Some("ended")));
    assert_eq!(site.errors(Cause::Timeout), 1);
}

#[tokio::test]
async fn nonsense_on_the_http_port_does_no_harm() {
    let site = Site::http().await;
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"<34>Oct 11 22:14:15 h su: x\n\n\n",
        b"GET\r\n\r\n",
        &[0xff; 5000],
    ] {
        let mut stream = TcpStream::connect(site.address(Kind::Http)).await.unwrap();
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let answer = read(&mut stream).await;
        assert!(answer.status == 0 || answer.status == 400, "{answer:?}");
    }
    alive(&site).await;
}
