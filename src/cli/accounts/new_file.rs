//! A file that is there whole, or not at all.

use std::ffi::OsString;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use super::super::Failure;

/// A file being written under another name, which goes with it unless it is kept.
pub(super) struct NewFile {
    /// What is written goes here.
    pub(super) out: BufWriter<File>,
    path: PathBuf,
    unfinished: PathBuf,
}

impl NewFile {
    /// Begins a file where nothing is yet, for its owner's eyes alone. What a kill has left of an earlier one gives way.
    pub(super) fn begin(path: PathBuf) -> Result<Self, Failure> {
        let cannot = |why: &dyn std::fmt::Display| format!("cannot write {}: {why}", path.display());
        if path.symlink_metadata().is_ok() {
            return Err(cannot(&"there is a file of this name").into());
        }
        let unfinished = PathBuf::from([path.as_os_str(), ".unfinished".as_ref()].into_iter().collect::<OsString>());
        let _ = fs::remove_file(&unfinished);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished);
        let out = BufWriter::new(file.map_err(|error| cannot(&error))?);
        Ok(Self { out, path, unfinished })
    }

    /// Gives the file its name, with all that was written on the disk.
    pub(super) fn keep(mut self) -> io::Result<()> {
        self.out.flush()?;
        self.out.get_ref().sync_all()?;
        fs::rename(&self.unfinished, &self.path)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.unfinished);
    }
}
