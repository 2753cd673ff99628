-- Who carried a message, and what became of it there.
ALTER TABLE outbox
    -- the provider that took it
    ADD COLUMN provider text,
    -- that provider's own name for it
    ADD COLUMN provider_reference text,
    -- what the provider told later: it arrived, or it never will
    ADD COLUMN delivery text,
    ADD COLUMN delivery_at timestamptz,
    ADD CONSTRAINT outbox_delivery CHECK (delivery IN ('delivered', 'undelivered')),
    ADD CONSTRAINT outbox_delivery_at CHECK ((delivery IS NULL) = (delivery_at IS NULL)),
    -- a dead letter keeps its payload until it expires, so that an operator can have it tried again
    DROP CONSTRAINT outbox_wiped,
    ADD CONSTRAINT outbox_wiped CHECK (
        CASE state WHEN 'queued' THEN payload_sealed IS NOT NULL WHEN 'dead' THEN true ELSE payload_sealed IS NULL END
    );

-- a channel whose provider is broken must not be in the way of the others
CREATE INDEX outbox_due_by_channel ON outbox (channel, due_at) WHERE state = 'queued';
-- what is still to be wiped
CREATE INDEX outbox_sealed ON outbox (expires_at) WHERE payload_sealed IS NOT NULL;
