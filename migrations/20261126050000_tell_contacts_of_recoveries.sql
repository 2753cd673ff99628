-- Who waits in a recovery is told when there is something to do, or nothing to wait for.
ALTER TABLE recoveries
    -- when the contact is told next, if there is anything to tell
    ADD COLUMN contact_due_at timestamptz,
    -- what it was told: each once
    ADD COLUMN contact_told text[] NOT NULL DEFAULT '{}';
CREATE INDEX recoveries_to_tell_contact ON recoveries (contact_due_at) WHERE contact_due_at IS NOT NULL;
UPDATE recoveries SET contact_due_at = opens_at WHERE state = 'waiting';

-- The notice of an approval stands beside that of the day: it has no day.
ALTER TABLE recovery_notices DROP CONSTRAINT recovery_notices_pkey;
ALTER TABLE recovery_notices ALTER COLUMN on_day DROP NOT NULL;
ALTER TABLE recovery_notices ADD CONSTRAINT recovery_notices_day UNIQUE (account_id, on_day);
ALTER TABLE recovery_notices DROP CONSTRAINT recovery_notices_token_unique;
ALTER TABLE recovery_notices ADD CONSTRAINT recovery_notices_pkey PRIMARY KEY (cancel_digest);
