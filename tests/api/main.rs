//! The service through its front door: a real server, its own database and Redis prefix, a clock that is moved, an
//! inbox that catches what it sends. One file a feature, named as in `src/`.

#![expect(unreachable_pub, reason = "one binary: its modules talk to each other alone")]

#[cfg(test)]
mod account_factors;
#[cfg(test)]
mod account_life;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod claims;
#[cfg(test)]
mod closure;
#[cfg(test)]
mod cookies;
#[cfg(test)]
mod deadlines;
#[cfg(test)]
mod development;
#[cfg(test)]
mod devices;
#[cfg(test)]
mod ended_sessions;
#[cfg(test)]
mod enumeration;
#[cfg(test)]
mod events;
#[cfg(test)]
mod export;
#[cfg(test)]
mod factors;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod help;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod http;
#[cfg(test)]
mod identifiers;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod many_sessions;
#[cfg(test)]
mod merges;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod passkeys;
#[cfg(test)]
mod password_policy;
#[cfg(test)]
mod passwords;
#[cfg(test)]
mod phones;
#[cfg(test)]
mod processes;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod refresh;
#[cfg(test)]
mod reminders;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod second_factor_first;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod sign_up;
#[cfg(test)]
mod spend;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod tries;
#[cfg(test)]
mod walks;
