-- Keyed digest of the look-up key of the identifier, by which recoveries are counted whoever has it. Null in older rows,
-- which nobody counts; they are over within thirty days.
ALTER TABLE recoveries ADD COLUMN identifier_mac bytea;
CREATE INDEX recoveries_by_identifier ON recoveries (identifier_mac) WHERE state = 'waiting';
-- For the janitor.
CREATE INDEX recovery_notices_by_time ON recovery_notices (sent_at);
