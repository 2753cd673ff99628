-- Whether a message made the device known and nobody has signed in on it since: then its wrong passwords count for the
-- account, so that whoever reads the messages does not guess with one device after another.
ALTER TABLE devices ADD COLUMN by_message boolean NOT NULL DEFAULT false;
CREATE UNIQUE INDEX devices_one_by_message ON devices (account_id) WHERE by_message;
