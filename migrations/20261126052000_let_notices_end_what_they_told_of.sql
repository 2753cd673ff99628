-- When the contact was proved: a token ends what stood when it was sent. The end of the wait may move.
ALTER TABLE recoveries ADD COLUMN contact_proved_at timestamptz;
UPDATE recoveries SET contact_proved_at = opens_at - interval '72 hours' WHERE opens_at IS NOT NULL;
ALTER TABLE recoveries ADD CONSTRAINT recoveries_contact_proved
    CHECK (state NOT IN ('waiting', 'approved') OR contact_proved_at IS NOT NULL);

-- A row is a day on which the owner was told, or the token of one message.
ALTER TABLE recovery_notices DROP CONSTRAINT recovery_notices_pkey;
ALTER TABLE recovery_notices ALTER COLUMN cancel_digest DROP NOT NULL;
ALTER TABLE recovery_notices ADD CONSTRAINT recovery_notices_token_unique UNIQUE (cancel_digest);
ALTER TABLE recovery_notices
    -- the token ends recoveries whose wait, reckoned back from its end, began after this; null in older rows, which end all
    ADD COLUMN ends_from timestamptz;
