//! Files that are no logs: told by how they begin, so that nobody gets a thousand events of noise from a photograph.

use super::utf16;

/// How other kinds of files begin, what they are, and what to do with them.
const KINDS: &[(&[u8], &str, &str)] = &[
    (b"PK\x03\x04", "a ZIP archive", "unpack it first"),
    (b"BZh", "packed with bzip2", "unpack it first"),
    (b"\xfd7zXZ\0", "packed with xz", "unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"\x04\x22\x4d\x18", "packed with lz4", "unpack it first"),
    (b"Rar!\x1a", "a RAR archive", "unpack it first"),
    (b"PAR1", "a Parquet file", "export it as JSON, one object a line"),
    (b"SQLite format 3\0", "a SQLite database", "export the table as JSON, one object a line"),
    (b"LPKSHHRH", "a journal of systemd", "export it with `journalctl --file FILE -o json`"),
    (b"\xd4\xc3\xb2\xa1", "recorded network packets", "have Zeek or Suricata read it, and import their logs"),
    (b"\x0a\x0d\x0d\x0a", "recorded network packets", "have Zeek or Suricata read it, and import their logs"),
    (
        b"\x30\0\0\0LfLe",
        "an event log of Windows before Vista (.evt)",
        "convert it with `wevtutil epl OLD.evt NEW.evtx /lf:true`",
    ),
    (b"\x7fELF", "a program", "name a log file"),
    (b"%PDF-", "a PDF document", "name a log file"),
];

/// Bytes that are looked at for control characters.
const SAMPLE_BYTES: usize = 4096;
/// In fewer bytes nothing is told from their kinds.
const SAMPLE_BYTES_MIN: usize = 64;

/// Why a file that begins like this is no log, and what to do; `None` where it may be one.
pub(super) fn reason(head: &[u8]) -> Option<String> {
    for (start, what, next) in KINDS {
        if head.starts_with(start) {
            return Some(format!("it is {what}, which is not read here: {next}"));
        }
    }
    if head.len() >= SAMPLE_BYTES_MIN
        && utf16::order(head).is_none()
        && is_binary(&head[..head.len().min(SAMPLE_BYTES)])
    {
        return Some(
            "it holds binary data and no text, and it is no event log of Windows either: was it damaged, or is it encrypted or packed?"
                .to_owned(),
        );
    }
    None
}

/// Control characters that no text has, more than one in 25. Zeros are left out, since a log may hold many after a
/// power cut; so are those that separate fields in some formats.
fn is_binary(sample: &[u8]) -> bool {
    let counted = sample.iter().filter(|byte| **byte != 0).count();
    let wrong = sample.iter().filter(|byte| matches!(byte, 2..=8 | 14..=26 | 127)).count();
    counted > 0 && wrong * 25 > counted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_and_other_files_are_told_from_logs_in_any_script() {
        let noise: Vec<u8> = (0_u32..4096).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        assert!(reason(&noise).unwrap().contains("binary data"));
        assert!(reason(b"PK\x03\x04 and so on").unwrap().contains("unpack it first"));
        let latin1 = [b"Anmeldung fehlgeschlagen f\xfcr M\xfcller\n".as_slice(); 20].concat();
        let after_power_cut =
            [vec![0; 3000], b"Nov 25 17:19:34 web1 sshd[25884]: Received signal 15\n".to_vec()].concat();
        let fix = [b"8=FIX.4.2\x019=178\x0135=8\x0149=PHLX\x0156=PERS\n".as_slice(); 20].concat();
        let chinese = ["\u{767b}\u{5f55}\u{5931}\u{8d25} user=\u{738b}\n"; 30].concat().into_bytes();
        for text in [latin1, after_power_cut, fix, chinese, Vec::new()] {
            assert_eq!(reason(&text), None, "{}", String::from_utf8_lossy(&text[..text.len().min(80)]));
        }
    }
}
