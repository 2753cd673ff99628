-- For the janitor. What has an id of the time it was made in (outbox, audit_events) is found by its primary key.
CREATE INDEX consumed_flows_by_time ON consumed_flows (consumed_at);
CREATE INDEX device_requests_by_expiry ON device_requests (expires_at);
-- Enrolments that nobody finished.
CREATE INDEX factors_pending ON factors (expires_at) WHERE confirmed_at IS NULL;
