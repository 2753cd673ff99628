-- Devices that completed a sign-in: their owner's tries are counted apart from those of strangers.
CREATE TABLE devices (
    id           uuid PRIMARY KEY,
    account_id   uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    -- SHA-256 of the token
    token_hash   bytea NOT NULL,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    CONSTRAINT devices_token_unique UNIQUE (token_hash)
);
CREATE INDEX devices_by_account ON devices (account_id, last_used_at);

-- Device tokens that were asked for by message; written for every identifier, known or not.
CREATE TABLE device_requests (
    id         uuid PRIMARY KEY,
    lookup_key text NOT NULL,
    -- SHA-256 of the token in the message
    token_hash bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    CONSTRAINT device_requests_token_unique UNIQUE (token_hash)
);
