-- Accounts that come from another system, and the runs that brought them.

-- What the other system calls the account; a name is imported once.
ALTER TABLE accounts ADD COLUMN external_id text;
ALTER TABLE accounts ADD CONSTRAINT accounts_external_id_unique UNIQUE (external_id);

-- False for an imported one that its owner has not proved here: it signs in, but nothing is sent there except the code
-- that proves it. verified_at is then the time of the import.
ALTER TABLE identifiers ADD COLUMN is_proved boolean NOT NULL DEFAULT true;

-- Old user names. A row goes with the first sign-in that completes.
CREATE TABLE legacy_logins (
    account_id uuid PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    -- as the other system wrote it
    login      text NOT NULL,
    -- folded, in lower case
    lookup_key text NOT NULL,
    CONSTRAINT legacy_logins_lookup_key_unique UNIQUE (lookup_key)
);

CREATE TABLE import_runs (
    id          uuid PRIMARY KEY,
    -- SHA-256 of the file, so that a run goes on with the file that it began with
    file_digest bytea NOT NULL,
    -- lines and bytes that are dealt with; written in the transaction of their accounts
    lines       bigint NOT NULL DEFAULT 0,
    bytes       bigint NOT NULL DEFAULT 0,
    imported    bigint NOT NULL DEFAULT 0,
    skipped     bigint NOT NULL DEFAULT 0,
    parked      bigint NOT NULL DEFAULT 0,
    refused     bigint NOT NULL DEFAULT 0,
    started_at  timestamptz NOT NULL,
    -- null while it runs, or after it was interrupted
    finished_at timestamptz
);
CREATE INDEX import_runs_by_file ON import_runs (file_digest, started_at);

-- Lines that made no account.
CREATE TABLE import_findings (
    run_id      uuid NOT NULL REFERENCES import_runs ON DELETE CASCADE,
    line        bigint NOT NULL,
    -- null where the line could not be read
    external_id text,
    -- parked: somebody else has what the line claims; refused: it can never be imported as it is
    outcome     text NOT NULL,
    -- a pointer into the line and a code; never a value of the line
    reason      text NOT NULL,
    PRIMARY KEY (run_id, line),
    CONSTRAINT import_findings_outcome CHECK (outcome IN ('parked', 'refused'))
);
