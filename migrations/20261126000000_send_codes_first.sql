-- Somebody waits for a code, nobody for a notice.
CREATE INDEX outbox_codes_first ON outbox (channel, (flow_id IS NULL), due_at) WHERE state = 'queued';
DROP INDEX outbox_due_by_channel;
