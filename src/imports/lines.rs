//! Lines of a file, none of which can fill the memory.

use std::fs;
use std::fs::File;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::path::Path;

use zeroize::Zeroizing;

use crate::crypto;

/// The longest line that is read; an account with everything has a few kilobytes.
pub(super) const MAX_LINE_BYTES: usize = 65_536;

/// What some programs write at the beginning of a file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A file being read.
pub(super) struct Lines {
    reader: BufReader<File>,
    /// Lines that were taken.
    pub(super) taken: u64,
    /// Their bytes.
    pub(super) bytes: u64,
    /// The bytes of the whole file.
    pub(super) total_bytes: u64,
    /// SHA-256 of the whole file.
    pub(super) digest: [u8; 32],
}

/// A line and its number.
pub(super) struct Line {
    pub(super) number: u64,
    /// `None` when it is longer than [`MAX_LINE_BYTES`].
    pub(super) text: Option<Zeroizing<Vec<u8>>>,
}

impl Lines {
    /// Opens a file at its beginning.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") || !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is read twice, so it must be a file, and no pipe"));
        }
        let mut file = File::open(path)?;
        let digest = crypto::sha256_of(&mut file)?;
        file.rewind()?;
        let total_bytes = file.metadata()?.len();
        Ok(Self { reader: BufReader::new(file), taken: 0, bytes: 0, total_bytes, digest })
    }

    /// Goes on behind what was taken before.
    pub(super) fn skip(&mut self, lines: u64, bytes: u64) -> io::Result<()> {
        self.reader.seek(SeekFrom::Start(bytes))?;
        (self.taken, self.bytes) = (lines, bytes);
        Ok(())
    }

    /// The next lines that hold anything, at most `count`.
    pub(super) fn batch(&mut self, count: usize) -> io::Result<Vec<Line>> {
        let mut batch = Vec::with_capacity(count);
        while batch.len() < count {
            match self.next()? {
                None => break,
                Some(line) if line.text.as_ref().is_some_and(|text| text.trim_ascii().is_empty()) => {}
                Some(line) => batch.push(line),
            }
        }
        Ok(batch)
    }

    fn next(&mut self) -> io::Result<Option<Line>> {
        let limit = MAX_LINE_BYTES as u64 + 1;
        let mut text = Zeroizing::new(Vec::with_capacity(1_024));
        let read = self.reader.by_ref().take(limit).read_until(b'\n', &mut text)?;
        if read == 0 {
            return Ok(None);
        }
        self.bytes += read as u64;
        let too_long = read as u64 == limit && !text.ends_with(b"\n");
        if too_long {
            self.bytes += self.skip_line()?;
        }
        if self.taken == 0 && text.starts_with(BYTE_ORDER_MARK) {
            text.drain(..BYTE_ORDER_MARK.len());
        }
        self.taken += 1;
        Ok(Some(Line { number: self.taken, text: (!too_long).then_some(text) }))
    }

    /// Passes the rest of a line without keeping it.
    fn skip_line(&mut self) -> io::Result<u64> {
        let mut passed = 0;
        loop {
            let buffer = self.reader.fill_buf()?;
            let (count, ended) = match buffer.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffer.len(), buffer.is_empty()),
            };
            self.reader.consume(count);
            passed += count as u64;
            if ended {
                return Ok(passed);
            }
        }
    }
}
