//! How many records of 300 bytes a second become durable: `throughput [FOLDER] [SENDERS] [RECORDS PER APPEND]`.
//!
//! Each sender appends, waits until it is durable, and appends again, as a receiver that acknowledges does.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tandem_base::RealDisk;
use tandem_spool::{Limits, Spool};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let parent = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let senders: u64 = arguments.next().map_or(Ok(8), |text| text.parse())?;
    let batch: usize = arguments.next().map_or(Ok(100), |text| text.parse())?;
    let folder = tempfile::tempdir_in(parent)?;
    let spool = Arc::new(Spool::create(Arc::new(RealDisk), folder.path(), 1, Limits::default())?);
    let begin = Instant::now();
    let end = begin + Duration::from_secs(5);
    let threads: Vec<_> = (0..senders)
        .map(|sender| {
            let spool = spool.clone();
            std::thread::spawn(move || {
                let mut slowest = Duration::ZERO;
                let mut serial = sender << 32;
                while Instant::now() < end {
                    let records = (0..batch).map(|_| {
                        serial += 1;
                        line(serial)
                    });
                    let records: Vec<Vec<u8>> = records.collect();
                    let start = Instant::now();
                    spool.append(records).wait()?;
                    slowest = slowest.max(start.elapsed());
                }
                Ok::<_, tandem_spool::AppendError>(slowest)
            })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    for thread in threads {
        slowest = slowest.max(thread.join().map_err(|_| "a sender panicked")??);
    }
    let seconds = begin.elapsed().as_secs_f64();
    let status = spool.status();
    let rate = status.next as f64 / seconds;
    println!("{rate:.0} records/s durable, {senders} senders of {batch} records, {} syncs/s", status.groups / 5);
    println!("{:.1} MB on disk for {:.1} MB, slowest append {slowest:?}", mb(status.size_bytes), mb(status.next * 300));
    let begin = Instant::now();
    let (mut at, mut count) = (0, 0);
    while at < status.next {
        let read = spool.read_from(at, 1 << 20)?;
        at = read.next;
        count += read.records.len();
    }
    println!("{:.0} records/s read", count as f64 / begin.elapsed().as_secs_f64());
    Ok(())
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// 300 bytes that look like a line of a firewall's log.
fn line(serial: u64) -> Vec<u8> {
    let noise = serial.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut line = format!(
        "<134>Oct 11 22:14:15 gate1 date=2026-10-11 time=22:14:15 logid=\"{serial:010}\" type=\"traffic\" srcip=10.{}.{}.{} \
         srcport={} dstip=203.0.113.{} dstport=443 action=\"accept\" sentbyte={} rcvdbyte={} session={noise:016x} policyid=7",
        noise >> 56,
        noise >> 48 & 255,
        noise >> 40 & 255,
        noise & 0xffff,
        noise >> 16 & 255,
        noise >> 20 & 0xffff,
        noise >> 30 & 0xfffff,
    )
    .into_bytes();
    line.resize(300, b'.');
    line
}
