-- Identifiers that an account wants and has not proved yet. They count for nothing and keep nobody else from them.
CREATE TABLE pending_identifiers (
    id         uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    kind       text NOT NULL,
    value      text NOT NULL,
    lookup_key text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pending_identifiers_unique UNIQUE (account_id, lookup_key),
    CONSTRAINT pending_identifiers_kind CHECK (kind IN ('email', 'phone'))
);
CREATE INDEX pending_identifiers_by_expiry ON pending_identifiers (expires_at);
