//! Streams. The protocol has no acknowledgement: a slow sink is answered by not reading.

use super::{Cut, Framer, Names};
use crate::config::SyslogTcp;
use crate::counters::{Cause, Counters, Receiver, Source};
use crate::sink::{Sink, insist};
use crate::syslog::Frame;
use parking_lot::Mutex;
use rustix::net::sockopt;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tandem_base::Clock;
use tandem_model::{Record, RecordId, Transport};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Read from the socket at once; with the unfinished frame all that a connection holds.
const READ_BYTES: usize = 64 << 10;
/// What is still read at shutdown of what the peer had already sent.
const MAX_DRAIN: usize = 1 << 20;
/// How long bytes that have already arrived may take to show.
const DRAIN: Duration = Duration::from_millis(50);

pub(crate) struct Tcp {
    pub(crate) config: SyslogTcp,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) receiver: Arc<Receiver>,
    pub(crate) stop: CancellationToken,
    pub(crate) grace: Duration,
}

/// Accepts connections until it is stopped, then waits for them to hand over what they have.
pub(crate) async fn listen(listener: TcpListener, tcp: Tcp) {
    let tcp = Arc::new(tcp);
    let per_peer = Arc::new(Mutex::new(HashMap::<IpAddr, usize>::new()));
    let connections = TaskTracker::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors: others may close soon.
                    tcp.receiver.error(Cause::ConnectionLimit, &format!("connection not accepted: {error}"));
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = tcp.stop.cancelled() => break,
        };
        let peer = peer.ip().to_canonical();
        if !tcp.config.allow.permits(peer) {
            tcp.receiver.error(Cause::NotAllowed, &format!("{peer} is not on the list of senders"));
            continue;
        }
        let Some(place) = Place::take(&tcp, &per_peer, peer) else {
            tcp.receiver.error(Cause::ConnectionLimit, &format!("{peer} opened a connection beyond the limit"));
            continue;
        };
        connections.spawn(connection(stream, peer, Arc::clone(&tcp), place));
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// One of the connections that are allowed at once; given back when dropped.
struct Place {
    receiver: Arc<Receiver>,
    per_peer: Arc<Mutex<HashMap<IpAddr, usize>>>,
    peer: IpAddr,
}

impl Place {
    fn take(tcp: &Tcp, per_peer: &Arc<Mutex<HashMap<IpAddr, usize>>>, peer: IpAddr) -> Option<Self> {
        let mut peers = per_peer.lock();
        let count = peers.get(&peer).copied().unwrap_or(0);
        let open = tcp.receiver.connections.load(Relaxed);
        if open >= tcp.config.max_connections as u64 || count >= tcp.config.max_connections_per_peer {
            return None;
        }
        peers.insert(peer, count + 1);
        tcp.receiver.connections.fetch_add(1, Relaxed);
        Some(Self { receiver: Arc::clone(&tcp.receiver), per_peer: Arc::clone(per_peer), peer })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.receiver.connections.fetch_sub(1, Relaxed);
        let mut peers = self.per_peer.lock();
        match peers.get_mut(&self.peer) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                peers.remove(&self.peer);
            }
        }
    }
}

async fn connection(stream: TcpStream, peer: IpAddr, tcp: Arc<Tcp>, _place: Place) {
    // A peer that vanished without a word is noticed after two minutes or so.
    let _ = sockopt::set_socket_keepalive(&stream, true);
    let _ = sockopt::set_tcp_keepidle(&stream, Duration::from_mins(1));
    let _ = sockopt::set_tcp_keepintvl(&stream, Duration::from_secs(20));
    let _ = sockopt::set_tcp_keepcnt(&stream, 3);
    let Some(acceptor) = &tcp.tls else {
        return read(stream, peer, &tcp, Transport::SyslogTcp).await;
    };
    let patience = Duration::from_secs(tcp.config.first_frame_timeout_s);
    let accepted = tokio::select! {
        accepted = tokio::time::timeout(patience, acceptor.accept(stream)) => accepted,
        () = tcp.stop.cancelled() => return,
    };
    match accepted {
        Ok(Ok(mut stream)) => {
            read(&mut stream, peer, &tcp, Transport::SyslogTls).await;
            let _ = tokio::time::timeout(Duration::from_secs(1), stream.shutdown()).await;
        }
        Ok(Err(error)) => tcp.receiver.error(Cause::Tls, &format!("TLS handshake with {peer}: {error}")),
        Err(_) => tcp.receiver.error(Cause::Timeout, &format!("{peer} did not finish the TLS handshake")),
    }
}

async fn read(mut stream: impl AsyncRead + Unpin, peer: IpAddr, tcp: &Tcp, transport: Transport) {
    let mut framer = Framer::new(tcp.config.max_frame_bytes);
    let mut buffer = vec![0; READ_BYTES];
    let mut frames = Vec::new();
    let mut hand =
        Hand { names: Names::new(Arc::clone(&tcp.counters), tcp.config.relays.clone()), tcp, peer, transport };
    let mut proven = false;
    loop {
        let idle =
            if proven || framer.is_between() { tcp.config.idle_timeout_s } else { tcp.config.first_frame_timeout_s };
        let count = tokio::select! {
            count = tokio::time::timeout(Duration::from_secs(idle), stream.read(&mut buffer)) => count,
            () = tcp.stop.cancelled() => break,
        };
        let count = match count {
            Ok(Ok(count)) => count,
            Ok(Err(error)) => {
                hand.error(Cause::CutOff, &format!("connection of {peer} broke: {error}"));
                break;
            }
            Err(_) => {
                hand.error(Cause::Timeout, &format!("{peer} sent nothing for {idle} s"));
                break;
            }
        };
        if count == 0 {
            break;
        }
        let pushed = framer.push(&buffer[..count], &mut frames);
        proven |= !frames.is_empty();
        if hand.over(&mut frames).await.is_err() {
            return;
        }
        if let Err(error) = pushed {
            let cause = match error {
                super::FrameError::TooLong { .. } => Cause::TooLong,
                super::FrameError::NoCount => Cause::Malformed,
            };
            hand.error(cause, &format!("{peer}: {error}"));
            return;
        }
    }
    // What has already arrived is taken along; the sender believes that it is delivered.
    let mut drained = 0;
    while drained < MAX_DRAIN
        && let Ok(Ok(count)) = tokio::time::timeout(DRAIN, stream.read(&mut buffer)).await
        && count > 0
    {
        drained += count;
        if framer.push(&buffer[..count], &mut frames).is_err() || hand.over(&mut frames).await.is_err() {
            return;
        }
    }
    framer.end(&mut frames);
    let _ = hand.over(&mut frames).await;
}

struct Hand<'a> {
    tcp: &'a Tcp,
    names: Names,
    peer: IpAddr,
    transport: Transport,
}

impl Hand<'_> {
    fn error(&mut self, cause: Cause, text: &str) {
        self.tcp.receiver.error(cause, text);
        self.names.source(self.peer, b"").error(cause, text);
    }

    /// Makes `frames` durable, as long as it takes.
    async fn over(&mut self, frames: &mut Vec<Frame>) -> Result<(), ()> {
        if frames.is_empty() {
            return Ok(());
        }
        let received = self.tcp.clock.now();
        let mut records = Vec::with_capacity(frames.len());
        let mut sums: Vec<(Arc<Source>, u64, u64)> = Vec::new();
        let mut total = 0;
        for frame in frames.drain(..) {
            let source = self.names.source(self.peer, &frame.bytes);
            let size = frame.bytes.len() as u64;
            let mut facts = Vec::new();
            let cut = match frame.cut {
                Cut::Whole => None,
                Cut::TooLong => {
                    Some((Cause::TooLong, "too-long", "a line was longer than max_frame_bytes and was cut"))
                }
                Cut::Ended => Some((Cause::CutOff, "ended", "the connection ended inside a frame")),
            };
            if let Some((cause, word, text)) = cut {
                facts.push(("syslog.cut".to_owned(), word.to_owned()));
                self.tcp.receiver.error(cause, &format!("{}: {text}", self.peer));
                source.error(cause, text);
            }
            records.push(Record {
                id: RecordId::default(),
                source: source.name.clone(),
                peer: Some(self.peer),
                received,
                transport: self.transport,
                facts,
                run: None,
                raw: frame.bytes,
            });
            total += size;
            match sums.iter_mut().find(|(other, ..)| Arc::ptr_eq(other, &source)) {
                Some((_, count, bytes)) => {
                    *count += 1;
                    *bytes += size;
                }
                None => sums.push((source, 1, size)),
            }
        }
        let tcp = self.tcp;
        if insist(&*tcp.sink, &records, &|cause, text| tcp.receiver.error(cause, text), &tcp.stop, tcp.grace)
            .await
            .is_err()
        {
            tcp.receiver.dropped.fetch_add(records.len() as u64, Relaxed);
            tracing::warn!(records = records.len(), "syslog frames were lost: the spool did not take them");
            return Err(());
        }
        tandem_base::fail::point("syslog.durable");
        tcp.receiver.took(records.len() as u64, total, Some(self.peer));
        for (source, count, bytes) in sums {
            source.took(count, bytes, Some(self.peer));
        }
        Ok(())
    }
}
