//! The priority of the hashing threads: below the HTTP workers, so that cheap requests stay fast meanwhile.

use std::io;

/// How much nicer than the HTTP workers the hashing threads are: about a quarter of a contended core.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 5;

/// Lowers the priority of the calling thread. On Linux a "process" of `setpriority` is a thread, and none but the calling one is meant.
#[cfg(target_os = "linux")]
pub(super) fn lower() -> io::Result<()> {
    Ok(rustix::process::setpriority_process(None, NICENESS)?)
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "the Linux form can fail")]
pub(super) fn lower() -> io::Result<()> {
    Ok(())
}
