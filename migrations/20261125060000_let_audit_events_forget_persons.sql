-- Of an account that is gone, ids remain.
ALTER TABLE audit_events
    ALTER COLUMN ip DROP NOT NULL,
    ALTER COLUMN user_agent DROP NOT NULL;

-- Rows whose address is not cut to its network yet (never /32 or /128 afterwards), for the janitor.
CREATE INDEX audit_events_with_address ON audit_events (at) WHERE masklen(ip) IN (32, 128);
