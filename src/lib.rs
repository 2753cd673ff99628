//! Sekisho: an authentication service whose second factor cannot be skipped.
//!
//! The order of the modules below is the import rule: *a module imports only modules that stand above it*.
//! A feature (`accounts` … `help`) is a folder of `mod` (its prose and its door) and those that it needs of `model`
//! (pure types and errors), `store` (all its SQL and Redis), `service` (use cases and transactions) and `http`
//! (bodies, handlers, problems); inside it imports go http → service → store → model, and other features are
//! reached through their door alone. `tests/layers.rs` holds both rules.

#![cfg_attr(any(test, fuzzing), expect(clippy::missing_panics_doc, reason = "a property holds or panics"))]

pub mod clock;
pub mod ids;
pub mod internal;
pub mod metrics;

pub mod crypto;

pub mod config;
pub mod telemetry;

pub mod db;
pub mod redis;

pub mod text;

pub mod audit;
pub mod limits;

pub mod http;
pub mod messages;

pub mod password_policy;

pub mod app;

pub mod accounts;
pub mod flows;

pub mod factors;
pub mod tokens;

pub mod sessions;

pub mod changes;
pub mod devices;
pub mod passwords;

pub mod identifiers;
pub mod recovery;

pub mod claims;
pub mod reminders;

pub mod sign_in;
pub mod sign_up;

pub mod imports;

pub mod account_life;
pub mod help;

pub mod deliveries;
pub mod development;
pub mod provider_events;
pub mod vitals;

pub mod health;
pub mod janitor;
pub mod scrape;

pub mod openapi;

pub mod server;

pub mod embedded;

pub mod cli;

#[cfg(any(test, fuzzing))]
pub mod properties;
