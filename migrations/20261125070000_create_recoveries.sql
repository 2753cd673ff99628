-- Recoveries: the slow way back into an account. They are acknowledged work, so they live here and not in Redis.
CREATE TABLE recoveries (
    id              uuid PRIMARY KEY,
    -- SHA-256 of the token; the token itself is shown once
    token_digest    bytea NOT NULL,
    -- SHA-256 of a token that was sent to the contact later; it counts beside the first
    resumed_digest  bytea,
    -- looked up when the first code left; null for an identifier that nobody had, which nobody is told
    account_id      uuid REFERENCES accounts ON DELETE CASCADE,
    state           text NOT NULL DEFAULT 'awaiting_contact',
    -- what is lost counts for no proof
    lost            text[] NOT NULL,
    -- identifier, contact and words as they were typed, sealed and bound to the row
    typed_sealed    bytea NOT NULL,
    -- keyed digest of the contact's look-up key, by which a recovery is found again
    contact_mac     bytea NOT NULL,
    client_id       text NOT NULL,
    -- HMAC of the newest code; null once it was used
    code_mac        bytea,
    -- where that code went, sealed and bound to the row
    code_to_sealed  bytea NOT NULL,
    code_expires_at timestamptz NOT NULL,
    -- wrong codes since the newest was made
    code_tries      integer NOT NULL DEFAULT 0,
    -- codes so far
    sends           integer NOT NULL DEFAULT 1,
    resend_after    timestamptz NOT NULL,
    -- wrong proofs so far
    proof_tries     integer NOT NULL DEFAULT 0,
    -- when the wait is over; null until the contact is proved
    opens_at        timestamptz,
    -- when the owner of the account is told next; null when there is nothing more to tell
    notice_due_at   timestamptz,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    CONSTRAINT recoveries_token_unique UNIQUE (token_digest),
    CONSTRAINT recoveries_resumed_unique UNIQUE (resumed_digest),
    CONSTRAINT recoveries_state
        CHECK (state IN ('awaiting_contact', 'waiting', 'approved', 'cancelled', 'denied', 'completed')),
    CONSTRAINT recoveries_wait CHECK (state NOT IN ('waiting', 'approved', 'completed') OR opens_at IS NOT NULL),
    CONSTRAINT recoveries_ended CHECK ((state IN ('cancelled', 'denied', 'completed')) = (ended_at IS NOT NULL))
);
CREATE INDEX recoveries_by_account ON recoveries (account_id) WHERE ended_at IS NULL;
CREATE INDEX recoveries_by_contact ON recoveries (contact_mac) WHERE ended_at IS NULL;
CREATE INDEX recoveries_to_tell ON recoveries (notice_due_at) WHERE notice_due_at IS NOT NULL;
-- for the purge
CREATE INDEX recoveries_by_expiry ON recoveries (expires_at);

-- What was proved for a recovery; each kind counts once.
CREATE TABLE recovery_proofs (
    recovery_id      uuid NOT NULL REFERENCES recoveries ON DELETE CASCADE,
    kind             text NOT NULL,
    -- of a password: its version; when the password changes the proof is none any more
    password_version bigint,
    proved_at        timestamptz NOT NULL,
    CONSTRAINT recovery_proofs_pkey PRIMARY KEY (recovery_id, kind),
    CONSTRAINT recovery_proofs_kind CHECK (kind IN ('password', 'recovery_code', 'factor', 'identifier')),
    CONSTRAINT recovery_proofs_version CHECK ((kind = 'password') = (password_version IS NOT NULL))
);

-- The owner of an account is told once a day at most, however many recoveries there are.
CREATE TABLE recovery_notices (
    account_id    uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    -- in UTC
    on_day        date NOT NULL,
    -- SHA-256 of the token in the messages of that day, which ends every recovery of the account
    cancel_digest bytea NOT NULL,
    sent_at       timestamptz NOT NULL,
    used_at       timestamptz,
    CONSTRAINT recovery_notices_pkey PRIMARY KEY (account_id, on_day),
    CONSTRAINT recovery_notices_token_unique UNIQUE (cancel_digest)
);
