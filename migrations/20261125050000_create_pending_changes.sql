-- Changes of an account that wait for their time and can be cancelled until then.
CREATE TABLE pending_changes (
    id           uuid PRIMARY KEY,
    account_id   uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    kind         text NOT NULL,
    -- what will change, such as the identifier that leaves
    subject_id   uuid NOT NULL,
    created_at   timestamptz NOT NULL,
    -- may be carried out from then on, and cancelled before
    effective_at timestamptz NOT NULL,
    state        text NOT NULL DEFAULT 'waiting',
    ended_at     timestamptz,
    CONSTRAINT pending_changes_state CHECK (state IN ('waiting', 'applied', 'cancelled')),
    CONSTRAINT pending_changes_ended CHECK ((state = 'waiting') = (ended_at IS NULL))
);
CREATE UNIQUE INDEX pending_changes_one_waiting ON pending_changes (kind, subject_id) WHERE state = 'waiting';
CREATE INDEX pending_changes_by_account ON pending_changes (account_id);
CREATE INDEX pending_changes_due ON pending_changes (effective_at) WHERE state = 'waiting';

-- What cancels them: one token for each message that told of the change.
CREATE TABLE cancel_tokens (
    -- SHA-256 of the token
    token_digest bytea PRIMARY KEY,
    change_id    uuid NOT NULL REFERENCES pending_changes ON DELETE CASCADE,
    -- whose owner was told, and whose sessions end when the token is used
    account_id   uuid NOT NULL REFERENCES accounts ON DELETE CASCADE
);
CREATE INDEX cancel_tokens_by_change ON cancel_tokens (change_id);
CREATE INDEX cancel_tokens_by_account ON cancel_tokens (account_id);
