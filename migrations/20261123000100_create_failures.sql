-- Failures in a row, counted before anything is judged, so that neither a rollback nor a lost Redis forgets them.
CREATE TABLE failures (
    -- keyed digest of an account, or of an identifier that has none
    key          bytea NOT NULL,
    -- what failed; each lane closes by itself
    lane         text NOT NULL,
    count        integer NOT NULL,
    last_at      timestamptz NOT NULL,
    -- nothing more is judged before
    closed_until timestamptz,
    CONSTRAINT failures_pkey PRIMARY KEY (key, lane)
);
-- for the purge
CREATE INDEX failures_by_last ON failures (last_at);
