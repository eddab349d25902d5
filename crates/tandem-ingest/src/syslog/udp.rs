//! Datagrams: one is one record. What cannot be taken in time is lost in the kernel, and counted.

use super::Names;
use crate::config::SyslogUdp;
use crate::counters::{Cause, Counters, Receiver, Source};
use crate::sink::{NotTaken, Sink, insist};
use rustix::net::sockopt;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tandem_base::Clock;
use tandem_model::{Record, RecordId, Transport};
use tokio::net::UdpSocket;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

/// No datagram is longer.
const MAX_DATAGRAM: usize = 64 << 10;
/// Datagrams read before they are handed on.
const MAX_BATCH: usize = 1024;
/// What a record costs beside its bytes.
const OVERHEAD: usize = 256;
/// Batches under way from socket to sink, bounded by `queue_bytes` too; when full, the socket is not read.
const QUEUE: usize = 256;
/// Datagrams that are still read at shutdown, should they never stop coming.
const MAX_DRAIN: usize = 64 << 10;
/// Most bytes handed to the sink at once.
const MAX_APPEND: usize = 4 << 20;

struct Batch {
    records: Vec<Record>,
    sources: Vec<Arc<Source>>,
    /// Given back when the batch is dropped.
    room: OwnedSemaphorePermit,
}

pub(crate) struct Udp {
    pub(crate) config: SyslogUdp,
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) receiver: Arc<Receiver>,
    pub(crate) stop: CancellationToken,
    pub(crate) grace: Duration,
}

/// A socket with as large a buffer as the kernel gives.
pub(crate) async fn bind(config: &SyslogUdp) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(config.address).await?;
    // With the right to do so the limit of the machine is passed; without, the kernel takes what it allows.
    if sockopt::set_socket_recv_buffer_size_force(&socket, config.receive_buffer_bytes).is_err() {
        sockopt::set_socket_recv_buffer_size(&socket, config.receive_buffer_bytes)?;
    }
    Ok(socket)
}

/// Receives until it is stopped, then empties socket and queue.
pub(crate) async fn receive(socket: UdpSocket, udp: Udp) {
    let (sender, batches) = mpsc::channel(QUEUE);
    let room = Arc::new(Semaphore::new(room_bytes(&udp.config)));
    let udp = Arc::new(udp);
    let append = tokio::spawn(append(batches, Arc::clone(&udp)));
    let drops = tokio::spawn(watch_drops(inode(&socket), Arc::clone(&udp)));
    read(&socket, &udp, &sender, &room).await;
    drop(sender);
    for task in [append, drops] {
        if let Err(error) = task.await {
            tracing::error!(%error, "syslog udp task failed");
        }
    }
}

fn room_bytes(config: &SyslogUdp) -> usize {
    config.queue_bytes.clamp(2 * MAX_DATAGRAM, u32::MAX as usize)
}

async fn read(socket: &UdpSocket, udp: &Udp, sender: &mpsc::Sender<Batch>, room: &Arc<Semaphore>) {
    let mut names = Names::new(Arc::clone(&udp.counters), udp.config.relays.clone());
    let mut buffer = vec![0; MAX_DATAGRAM];
    let room_bytes = room_bytes(&udp.config);
    let mut stopping = false;
    let mut drained = 0;
    loop {
        if !stopping {
            tokio::select! {
                ready = socket.readable() => if let Err(error) = ready {
                    tracing::error!(%error, "syslog udp socket failed");
                    return;
                },
                () = udp.stop.cancelled() => stopping = true,
            }
        }
        let mut records = Vec::new();
        let mut sources = Vec::new();
        let mut cost = 0;
        let empty = loop {
            if records.len() >= MAX_BATCH || cost + MAX_DATAGRAM + OVERHEAD > room_bytes {
                break false;
            }
            match socket.try_recv_from(&mut buffer) {
                Ok((size, peer)) => {
                    if let Some((record, source)) = record(&buffer[..size], peer, udp, &mut names) {
                        cost += record.raw.len() + OVERHEAD;
                        records.push(record);
                        sources.push(source);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break true,
                // An ICMP answer to something that was sent; never for a socket that only receives.
                Err(error) => {
                    udp.receiver.error(Cause::Malformed, &format!("socket: {error}"));
                    break true;
                }
            }
        };
        if stopping {
            drained += records.len();
        }
        if !records.is_empty() {
            // Waiting here is the back-pressure: meanwhile the kernel's buffer fills and counts what it drops.
            let Ok(permit) = Arc::clone(room).acquire_many_owned(cost as u32).await else { return };
            if sender.send(Batch { records, sources, room: permit }).await.is_err() {
                return;
            }
        }
        if stopping && (empty || drained >= MAX_DRAIN) {
            return;
        }
    }
}

fn record(bytes: &[u8], peer: SocketAddr, udp: &Udp, names: &mut Names) -> Option<(Record, Arc<Source>)> {
    let peer = peer.ip().to_canonical();
    if !udp.config.allow.permits(peer) {
        udp.receiver.error(Cause::NotAllowed, &format!("{peer} is not on the list of senders"));
        return None;
    }
    let end = bytes.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r' | 0)).map_or(0, |last| last + 1);
    let raw = &bytes[..end];
    if raw.is_empty() {
        udp.receiver.error(Cause::Malformed, &format!("{peer} sent an empty datagram"));
        return None;
    }
    let source = names.source(peer, raw);
    let record = Record {
        id: RecordId::default(),
        source: source.name.clone(),
        peer: Some(peer),
        received: udp.clock.now(),
        transport: Transport::SyslogUdp,
        facts: Vec::new(),
        run: None,
        raw: raw.to_vec(),
    };
    Some((record, source))
}

async fn append(mut batches: mpsc::Receiver<Batch>, udp: Arc<Udp>) {
    while let Some(mut batch) = batches.recv().await {
        let mut rooms = Vec::new();
        let mut size: usize = batch.records.iter().map(|record| record.raw.len()).sum();
        while size < MAX_APPEND
            && let Ok(next) = batches.try_recv()
        {
            size += next.records.iter().map(|record| record.raw.len()).sum::<usize>();
            batch.records.extend(next.records);
            batch.sources.extend(next.sources);
            rooms.push(next.room);
        }
        match insist(&*udp.sink, &batch.records, &|cause, text| udp.receiver.error(cause, text), &udp.stop, udp.grace)
            .await
        {
            Ok(()) => count(&batch, &udp.receiver, size as u64),
            Err(NotTaken) => {
                udp.receiver.dropped.fetch_add(batch.records.len() as u64, Relaxed);
                tracing::warn!(records = batch.records.len(), "datagrams were lost: the spool did not take them");
            }
        }
    }
}

fn count(batch: &Batch, receiver: &Receiver, size_bytes: u64) {
    let peer = batch.records.last().and_then(|record| record.peer);
    receiver.took(batch.records.len() as u64, size_bytes, peer);
    let mut sums: HashMap<*const Source, Sum<'_>> = HashMap::new();
    for (record, source) in batch.records.iter().zip(&batch.sources) {
        let sum = sums.entry(Arc::as_ptr(source)).or_insert(Sum { source, records: 0, bytes: 0, peer: None });
        sum.records += 1;
        sum.bytes += record.raw.len() as u64;
        sum.peer = record.peer;
    }
    for sum in sums.into_values() {
        sum.source.took(sum.records, sum.bytes, sum.peer);
    }
}

struct Sum<'a> {
    source: &'a Source,
    records: u64,
    bytes: u64,
    peer: Option<IpAddr>,
}

/// Copies the kernel's count of datagrams that found no room in the socket's buffer.
async fn watch_drops(inode: Option<u64>, udp: Arc<Udp>) {
    let Some(inode) = inode else {
        tracing::warn!("datagrams dropped by the kernel cannot be counted on this machine");
        return;
    };
    let mut seen = 0;
    loop {
        if let Some(now) = kernel_drops(inode)
            && now > seen
        {
            udp.receiver.dropped.fetch_add(now - seen, Relaxed);
            tracing::warn!(dropped = now - seen, address = %udp.config.address, "the kernel dropped syslog datagrams");
            seen = now;
        }
        if udp.stop.is_cancelled() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = udp.stop.cancelled() => {}
        }
    }
}

/// The number by which `/proc/net/udp` knows the socket.
fn inode(socket: &UdpSocket) -> Option<u64> {
    let link = std::fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).ok()?;
    link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

fn kernel_drops(inode: u64) -> Option<u64> {
    ["/proc/net/udp", "/proc/net/udp6"]
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .find_map(|table| drops_in(&table, inode))
}

/// Columns of proc(5): the tenth is the inode, the last the drops.
fn drops_in(table: &str, inode: u64) -> Option<u64> {
    table.lines().skip(1).find_map(|line| {
        let columns: Vec<_> = line.split_ascii_whitespace().collect();
        (columns.get(9)?.parse() == Ok(inode)).then(|| columns.last()?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_are_read_by_inode() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n \
                     21: 0100007F:0202 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 17\n";
        assert_eq!(drops_in(table, 4711), Some(17));
        assert_eq!(drops_in(table, 4712), None);
    }

    #[tokio::test]
    async fn the_socket_is_found_in_the_kernels_table() {
        let socket =
            bind(&SyslogUdp { address: "127.0.0.1:0".parse().unwrap(), ..SyslogUdp::default() }).await.unwrap();
        assert_eq!(kernel_drops(inode(&socket).unwrap()), Some(0));
    }
}
