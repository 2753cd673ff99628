-- Replicas that are running, by their heartbeat: when Redis is away each one admits its share of every limit.
CREATE TABLE replicas (
    id      uuid PRIMARY KEY,
    seen_at timestamptz NOT NULL
);
