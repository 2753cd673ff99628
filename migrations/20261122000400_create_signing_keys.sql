-- The key ring. What is published is derived from the opened private key, so that nobody who can only write
-- here can publish a key of their own.
CREATE TABLE signing_keys (
    id             uuid PRIMARY KEY,
    algorithm      text NOT NULL,
    -- PKCS#8, sealed and bound to the row
    private_sealed bytea NOT NULL,
    created_at     timestamptz NOT NULL,
    -- signs from then on, until a younger key does
    active_from    timestamptz NOT NULL,
    CONSTRAINT signing_keys_algorithm CHECK (algorithm IN ('ES256'))
);
CREATE UNIQUE INDEX signing_keys_by_activation ON signing_keys (active_from);
