//! The operator's list of breached passwords: a file of SHA-1 digests, searched where it lies.
//!
//! One upper-case hexadecimal digest a line, sorted, each with an optional `:count`, as the downloader of
//! Have I Been Pwned writes it. It may be tens of gigabytes; a search reads some thirty short pieces. SHA-1
//! is what such lists use, and protects nothing here.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::path::PathBuf;

use aws_lc_rs::digest;
use data_encoding::HEXUPPER;

use crate::internal::Internal;

/// Digest, colon, a count of 64 bits, carriage return, line feed.
const MAX_LINE_BYTES: usize = 40 + 1 + 20 + 2;
/// How many lines are looked at when the file is opened.
const PROBES: u64 = 64;

/// The breached list is not usable.
#[derive(Debug, thiserror::Error)]
#[error("the list of breached passwords {path} is not usable: {source}")]
pub struct BreachedFileError {
    path: PathBuf,
    source: io::Error,
}

pub(super) struct BreachedList {
    file: File,
    bytes: u64,
}

/// One line of the list: where it begins, where the next one does, and its digest.
struct Line {
    start: u64,
    end: u64,
    digest: [u8; 40],
}

impl BreachedList {
    /// Opens the file, and looks at some lines of it so that a wrong or unsorted file is found out at the start.
    pub(super) fn open(path: &Path) -> Result<Self, BreachedFileError> {
        Self::try_open(path).map_err(|source| BreachedFileError { path: path.to_owned(), source })
    }

    fn try_open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        if bytes == 0 {
            return Err(malformed("it is empty"));
        }
        let list = Self { file, bytes };
        let mut previous: Option<Line> = None;
        for probe in 0..PROBES {
            let line = list.line_around((bytes - 1) / (PROBES - 1) * probe)?;
            if previous.is_some_and(|previous| previous.start < line.start && previous.digest >= line.digest) {
                return Err(malformed("it is not sorted"));
            }
            previous = Some(line);
        }
        Ok(list)
    }

    pub(super) fn contains(&self, password: &str) -> Result<bool, Internal> {
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        self.search(HEXUPPER.encode(digest.as_ref()).as_bytes()).map_err(Internal::dependency)
    }

    fn search(&self, wanted: &[u8]) -> io::Result<bool> {
        let (mut low, mut high) = (0, self.bytes);
        while low < high {
            let line = self.line_around(low + (high - low) / 2)?;
            match line.digest.as_slice().cmp(wanted) {
                std::cmp::Ordering::Less => low = line.end,
                std::cmp::Ordering::Greater => high = line.start,
                std::cmp::Ordering::Equal => return Ok(true),
            }
        }
        Ok(false)
    }

    /// The line that the byte at this offset belongs to.
    fn line_around(&self, offset: u64) -> io::Result<Line> {
        let back = usize::try_from(offset).map_or(MAX_LINE_BYTES, |offset| offset.min(MAX_LINE_BYTES));
        let from = offset - back as u64;
        let mut buffer = [0; 2 * MAX_LINE_BYTES];
        let read = self.read(from, &mut buffer)?;
        let (before, after) = buffer[..read].split_at_checked(back).ok_or_else(|| malformed("it became shorter"))?;
        let start = match before.iter().rposition(|byte| *byte == b'\n') {
            Some(newline) => newline + 1,
            None if from == 0 => 0,
            None => return Err(malformed("a line is too long")),
        };
        let end = after.iter().position(|byte| *byte == b'\n').map_or(read, |newline| before.len() + newline + 1);
        let digest = read_digest(&buffer[start..end]).ok_or_else(|| malformed("a line is no SHA-1 digest"))?;
        Ok(Line { start: from + start as u64, end: from + end as u64, digest })
    }

    /// Reads until the buffer is full or the file ends.
    fn read(&self, from: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read_at(&mut buffer[filled..], from + filled as u64)? {
                0 => break,
                read => filled += read,
            }
        }
        Ok(filled)
    }
}

fn read_digest(line: &[u8]) -> Option<[u8; 40]> {
    let (digest, rest) = line.split_first_chunk::<40>()?;
    let is_hex = digest.iter().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte));
    let is_ended = matches!(rest.first(), None | Some(b':' | b'\r' | b'\n'));
    (is_hex && is_ended && rest.len() <= MAX_LINE_BYTES - 40).then_some(*digest)
}

fn malformed(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
