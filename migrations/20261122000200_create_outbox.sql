-- Messages that leave after the transaction that wanted them.
CREATE TABLE outbox (
    id              uuid PRIMARY KEY,
    -- the flow whose code it carries; a code that was used or replaced is dropped, not sent
    flow_id         uuid,
    channel         text NOT NULL,
    -- name of the text
    kind            text NOT NULL,
    -- address and values, sealed and bound to the row; wiped once the message has left or is dropped
    payload_sealed  bytea,
    state           text NOT NULL DEFAULT 'queued',
    attempts        integer NOT NULL DEFAULT 0,
    -- when it is due; a claimed row is due again when its claim runs out
    due_at          timestamptz NOT NULL,
    -- a message is worthless after this
    expires_at      timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    -- what the provider said last, without addresses
    last_error      text,
    CONSTRAINT outbox_channel CHECK (channel IN ('email', 'sms', 'voice')),
    CONSTRAINT outbox_state CHECK (state IN ('queued', 'sent', 'dropped', 'dead')),
    CONSTRAINT outbox_wiped CHECK ((state = 'queued') = (payload_sealed IS NOT NULL))
);
CREATE INDEX outbox_due ON outbox (due_at) WHERE state = 'queued';
CREATE INDEX outbox_by_flow ON outbox (flow_id) WHERE state = 'queued';

-- The inbox of `sekisho dev`; empty in production.
CREATE TABLE development_inbox (
    id         uuid PRIMARY KEY,
    channel    text NOT NULL,
    recipient  text NOT NULL,
    lookup_key text NOT NULL,
    locale     text NOT NULL,
    subject    text NOT NULL,
    body       text NOT NULL,
    code       text,
    link       text,
    at         timestamptz NOT NULL
);
