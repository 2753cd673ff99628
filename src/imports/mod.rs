//! Moving people over: accounts of another system, read from a file, made here.
//!
//! A file has one JSON object a line (`model/record.rs` says what may stand in it). Lines are taken in order, in batches of
//! one transaction each, and the run's row says in that transaction how far it has come:
//!
//! ```text
//!   read ≤ 500 lines ──▶ parse, bound the hashes ──▶ wrap the weak ones ──▶ one transaction: look up what is taken,
//!        ▲                   │                         (every hashing        insert the others, note findings, move
//!        │                   ▼                          thread)              the run forward
//!        │                refused                                                  │
//!        └──────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Every line ends as one of: *imported* · *skipped* (its `external_id` was imported before) · *parked* (somebody else
//! has what it claims, in the database or earlier in the file) · *refused* (it can never be imported as it is).
//!
//! Rules
//! * An `external_id` is imported once, also when its account is gone. The same file twice changes nothing the second time.
//! * Nothing is merged: a line that claims an identifier or an old user name of somebody else makes no account. It is
//!   noted, with who has it, and a later run tries it again. A line whose account has lost all its identifiers to others
//!   who proved them is noted alike: nobody can sign in to it.
//! * A run that was killed lost at most the batch it was at, whole. `resume` goes on behind the last one, with the same
//!   file; without it a new run skips what is there.
//! * A dry run judges alike, hashes nothing and writes nothing.
//! * No hash is stored that is out of the bounds of `crypto::ImportedHash`, and none that is quick to try.
//! * A factor that comes along counts as confirmed, so only an account all of whose identifiers were proved there may
//!   bring one. An identifier that was not is good for signing in and nothing else, until a code proves it; whatever is
//!   not proved at the first sign-in goes with it.
//! * A run and what it found are forgotten with the events of its time.
//! * No message is sent, and no value of a line but its `external_id` stands in a finding, none in the log.
//!
//! Export writes the same lines, secrets included, of every active account that an import could bring back: whoever reads that
//! file can sign in as anybody who has no second factor elsewhere.

mod lines;
mod model;
mod service;
mod store;

pub use model::Counts;
pub use model::Finding;
pub use model::ImportError;
pub use model::Outcome;
#[cfg(any(test, fuzzing))]
pub use model::import_line_property;
pub use service::Exported;
pub use service::Options;
pub use service::Progress;
pub use service::Report;
pub use service::export;
pub use service::import;
pub use service::purge;
