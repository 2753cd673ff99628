//! Sign-in: the flow from the right password to a session, and re-authentication inside a session.
//!
//! ```text
//!   password ──▶ has a confirmed factor? ──yes──▶ second_factor ──code or passkey──▶ session
//!                        │ no
//!                        ▼
//!               verify_identifier ──code──▶ enrol_second_factor ──first code or passkey──▶ session
//!                                                   ▲
//!   verified sign-up ───────────────────────────────┤
//!   completed recovery, nothing left ───────────────┘   (with a factor left: second_factor)
//!
//!   passkey ──▶ session
//! ```
//!
//! A flow is a sealed record in Redis under the digest of its `sit_` token. It lives ten minutes. Its token is
//! replaced when its authority rises (an identifier was proved) and kept by everything else. Losing Redis means to
//! start again; nothing is accepted twice, because every effect burns the flow's id, the code and the time step in
//! PostgreSQL, in the transaction that opens the session.
//!
//! Rules
//! * The token of a flow opens nothing but the next step; the step is judged anew at every call, from what the
//!   account has confirmed by then.
//! * A flow remembers the version of the password that it saw. After a change of the password, or once the account
//!   is not active, it opens nothing.
//! * Five wrong codes end a flow's tries; a new sign-in starts anew, but an account takes only so many codes an hour.
//!   A code for an identifier is void after a resend, which brings new tries, and after ten minutes.
//! * An account without a confirmed factor proves an identifier before it may enrol one; a sign-up has just
//!   done so. Enrolment inside a flow needs an account without any confirmed factor.
//! * The identifier that carried the reset of the password is not that proof while there is another one. Where there is none
//!   and recovery codes are left, one of those is asked for, as a second factor: a recovery that was completed and left before
//!   the enrolment is otherwise opened by a mailbox alone.
//! * Unknown identifier, wrong password, unverified sign-up, no password: one answer, at a multiple of half a
//!   second after arrival. Closed and suspended are told after the right password only.
//! * A code goes to a phone when it is asked for, and no oftener than every half minute for one flow; it counts for that
//!   phone in that flow.
//! * A passkey alone is a whole sign-in: it is asked without naming anybody, so its options are the same for everyone,
//!   and it has verified the person. Closed and suspended are told after a right answer only. No failure of strangers
//!   closes this way, nor does any number of codes, and no wrong answer of a passkey closes anything of the account; whoever
//!   comes by it opens the others again. A passkey that is a second factor and nothing more (`factors`) is refused here like
//!   an unknown one, and re-authenticates with the password alone.
//! * A re-authentication needs the password and a second factor, or a passkey, and gives an access token with a fresh
//!   `auth_time` that is not kept in the session. What was sent or asked for it is bound to its session, and so are the counts
//!   of its requests, of wrong passwords and of its messages: strangers at the door, and who stole another session, use up
//!   nothing of it, and it uses up nothing of a sign-in.

mod http;
mod model;
mod reauthentication;
mod service;

pub use http::SignInFlow;
pub use http::enrollable;
pub use http::routes;
pub use http::sign_in_flow;
pub use model::StartedFlow;
pub use service::start_after_sign_up;
