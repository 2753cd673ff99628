-- Wrong codes of authenticator apps so far, of the wrong proofs. They can be guessed, so a recovery has few.
ALTER TABLE recoveries ADD COLUMN app_tries integer NOT NULL DEFAULT 0;
