//! What the service says of itself: log lines.
//!
//! In production each line is one JSON object on the standard output, with the fields of the event beside `level`,
//! `timestamp` (RFC 3339, UTC) and `target`; JSON escapes what a caller might have smuggled into a field. In
//! development lines are made for reading and go to the standard error, so that the standard output keeps what
//! the command itself has to say.
//!
//! The HTTP library's own lines are never logged: they quote what a stranger sent, raw. What they tell of a request that
//! could not be read, nobody needs. Nor are those of the WebAuthn library, which calls it an error when a stranger's passkey is
//! wrong.
//!
//! Never logged: passwords, codes, tokens, addresses, query strings, bodies. Secret types cannot be printed, and
//! errors from stores are told by [`crate::internal::Internal`], which keeps the place and drops the value.

use std::any::Any;
use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::Registry;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::Config;
use crate::internal::Internal;

/// Starts logging. When it was started before in this process, that one goes on.
///
/// # Errors
/// `log.filter` cannot be read.
pub fn init(config: &Config) -> Result<(), Internal> {
    let filter =
        EnvFilter::try_new(&config.log_filter).map_err(|error| Internal::bug(format!("`log.filter`: {error}")))?;
    let lines = if config.log_json { json_lines() } else { readable_lines() };
    // They quote what they could not read, as it came.
    let silent = ["actix_http=off", "webauthn_rs_core=off"];
    let filter = silent.into_iter().try_fold(filter, |filter, directive| {
        Ok::<_, Internal>(filter.add_directive(directive.parse().map_err(Internal::bug)?))
    })?;
    // An error means that there is one already.
    let _ = Registry::default().with(lines).with(filter).try_init();
    Ok(())
}

fn json_lines() -> Box<dyn Layer<Registry> + Send + Sync> {
    fmt::layer().json().flatten_event(true).with_span_list(false).with_writer(std::io::stdout).boxed()
}

fn readable_lines() -> Box<dyn Layer<Registry> + Send + Sync> {
    fmt::layer().with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr).boxed()
}

/// Logs panics in the form of the other lines. For commands; a test keeps the harness's own hook.
///
/// A message is told only when it is a literal of the source: a composed one may quote the value that broke it.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic: &PanicHookInfo<'_>| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, message = literal(panic.payload()), "panic");
    }));
}

fn literal(payload: &(dyn Any + Send)) -> Option<&'static str> {
    payload.downcast_ref::<&'static str>().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_composed_message_is_not_told() {
        // security.md 81
        assert_eq!(literal(&"the ring is empty"), Some("the ring is empty"));
        assert_eq!(literal(&"hunter2 is wrong".to_owned()), None);
    }
}
