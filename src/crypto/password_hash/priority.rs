//! The priority of the hashing threads: below the HTTP workers, so that cheap requests stay fast meanwhile. What is done
//! beside a service stands below its hashing too.

use std::io;

/// How much nicer than the HTTP workers the hashing threads are: about a quarter of a contended core.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 5;
/// How much nicer than a service the work beside it is: about a tenth of a contended core.
#[cfg(target_os = "linux")]
const BESIDE_NICENESS: i32 = 10;

/// Lowers the priority of the calling thread.
#[cfg(target_os = "linux")]
pub(super) fn lower() -> io::Result<()> {
    lower_by(NICENESS)
}

/// Lowers the priority of the calling thread and of those that it starts from then on, for work beside a service that
/// must not slow it.
///
/// # Errors
/// The system did not take it.
#[cfg(target_os = "linux")]
pub fn stand_back() -> io::Result<()> {
    lower_by(BESIDE_NICENESS)
}

/// On Linux a "process" of `setpriority` is a thread, and none but the calling one is meant.
#[cfg(target_os = "linux")]
fn lower_by(niceness: i32) -> io::Result<()> {
    let before = rustix::process::getpriority_process(None)?;
    Ok(rustix::process::setpriority_process(None, before + niceness)?)
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "the Linux form can fail")]
pub(super) fn lower() -> io::Result<()> {
    Ok(())
}

/// Nothing, where priorities are not a thread's.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn stand_back() -> io::Result<()> {
    Ok(())
}
