-- Accounts, what they sign in with, and their sessions.
-- Lock order: accounts, then their children, then sessions; two accounts in the order of their ids.

CREATE TABLE accounts (
    id           uuid PRIMARY KEY,
    status       text NOT NULL DEFAULT 'active',
    display_name text,
    locale       text NOT NULL,
    -- IANA name; times in messages are shown in it
    time_zone    text NOT NULL DEFAULT 'Asia/Tokyo',
    roles        text[] NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL,
    CONSTRAINT accounts_status CHECK (status IN ('active', 'suspended', 'closed'))
);

-- One row per account, always; an account without a password has a null hash.
CREATE TABLE passwords (
    account_id  uuid PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    -- PHC string, sealed and bound to the account
    hash_sealed bytea,
    -- raised by every change; a flow that saw another version opens nothing
    version     bigint NOT NULL DEFAULT 1,
    changed_at  timestamptz NOT NULL
);

CREATE TABLE identifiers (
    id          uuid PRIMARY KEY,
    account_id  uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    kind        text NOT NULL,
    -- as the person wrote it, after folding
    value       text NOT NULL,
    -- canonical form; decides who is who
    lookup_key  text NOT NULL,
    verified_at timestamptz NOT NULL,
    is_primary  boolean NOT NULL,
    created_at  timestamptz NOT NULL,
    CONSTRAINT identifiers_lookup_key_unique UNIQUE (lookup_key),
    CONSTRAINT identifiers_kind CHECK (kind IN ('email', 'phone'))
);
CREATE INDEX identifiers_by_account ON identifiers (account_id);
CREATE UNIQUE INDEX identifiers_one_primary ON identifiers (account_id) WHERE is_primary;

CREATE TABLE factors (
    id           uuid PRIMARY KEY,
    account_id   uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    kind         text NOT NULL,
    label        text NOT NULL,
    created_at   timestamptz NOT NULL,
    -- null while the enrolment waits for its first code
    confirmed_at timestamptz,
    -- the flow that an enrolment belongs to; null when it was begun in the account
    flow_id      uuid,
    -- when an unconfirmed enrolment ends
    expires_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    CONSTRAINT factors_kind CHECK (kind IN ('totp', 'phone', 'passkey'))
);
CREATE INDEX factors_by_account ON factors (account_id);

CREATE TABLE totp_factors (
    factor_id     uuid PRIMARY KEY REFERENCES factors ON DELETE CASCADE,
    -- the shared secret, sealed and bound to the factor
    secret_sealed bytea NOT NULL,
    -- the newest time step that was used; no step up to it is accepted again
    last_step     bigint NOT NULL DEFAULT 0
);

-- The recovery codes of an account are one set: a new one replaces the old one whole.
CREATE TABLE recovery_code_sets (
    -- the id under which the set appears among the factors
    id         uuid PRIMARY KEY,
    account_id uuid NOT NULL UNIQUE REFERENCES accounts ON DELETE CASCADE,
    -- one salt for all codes of the set, so that a try costs one argon2 job
    salt       bytea NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE recovery_codes (
    set_id  uuid NOT NULL REFERENCES recovery_code_sets ON DELETE CASCADE,
    -- argon2id(code, salt of the set)
    digest  bytea NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (set_id, digest)
);

CREATE TABLE sessions (
    id              uuid PRIMARY KEY,
    account_id      uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    client_id       text NOT NULL,
    label           text,
    amr             text[] NOT NULL,
    -- SHA-256 of the secret that all refresh tokens of the session carry
    secret_hash     bytea NOT NULL,
    -- the newest generation that was handed out
    generation      bigint NOT NULL DEFAULT 0,
    -- the generation whose hand-out was last repeated after the silent grace; once each
    late_generation bigint NOT NULL DEFAULT 0,
    rotated_at      timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    auth_time       timestamptz NOT NULL,
    last_used_at    timestamptz NOT NULL,
    idle_expires_at timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    revoked_at      timestamptz,
    revoked_reason  text,
    ip              inet NOT NULL,
    user_agent      text NOT NULL,
    CONSTRAINT sessions_revoked CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
);
CREATE INDEX sessions_by_account ON sessions (account_id, created_at DESC) WHERE revoked_at IS NULL;

-- Flows that had their effect; an id stands here once, so an effect happens once.
CREATE TABLE consumed_flows (
    flow_id     uuid PRIMARY KEY,
    consumed_at timestamptz NOT NULL
);
