-- Sign-ups that wait for their code. They are acknowledged work, so they live here and not in Redis.
CREATE TABLE sign_ups (
    id               uuid PRIMARY KEY,
    -- SHA-256 of the token; the token itself is shown once
    token_digest     bytea NOT NULL,
    kind             text NOT NULL,
    value            text NOT NULL,
    lookup_key       text NOT NULL,
    -- PHC string, sealed and bound to this row
    hash_sealed      bytea NOT NULL,
    display_name     text,
    locale           text NOT NULL,
    client_id        text NOT NULL,
    -- HMAC of the current code; a taken identifier has one too, which nobody is told
    code_mac         bytea NOT NULL,
    code_expires_at  timestamptz NOT NULL,
    -- wrong codes since the current one was made
    tries            integer NOT NULL DEFAULT 0,
    -- messages sent so far; bounds how many codes one pending sign-up may guess at
    sends            integer NOT NULL DEFAULT 1,
    resend_after     timestamptz NOT NULL,
    created_at       timestamptz NOT NULL,
    expires_at       timestamptz NOT NULL,
    -- set by the one verification that made an account
    consumed_at      timestamptz,
    CONSTRAINT sign_ups_token_unique UNIQUE (token_digest),
    CONSTRAINT sign_ups_kind CHECK (kind IN ('email', 'phone'))
);
CREATE INDEX sign_ups_by_expiry ON sign_ups (expires_at);
