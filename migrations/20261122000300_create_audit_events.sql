-- What happened, written in the transaction of the act itself.
CREATE TABLE audit_events (
    id         uuid PRIMARY KEY,
    at         timestamptz NOT NULL,
    kind       text NOT NULL,
    -- null when the act had no account, such as a sign-up that is still pending
    account_id uuid,
    session_id uuid,
    client_id  text,
    request_id uuid NOT NULL,
    ip         inet NOT NULL,
    user_agent text NOT NULL,
    -- ids and kinds only
    detail     jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_events_by_account ON audit_events (account_id, id DESC);
