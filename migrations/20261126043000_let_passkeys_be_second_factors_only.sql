-- A passkey that was new when the account was proved anew to be its owner's: somebody else may have added it. It answers
-- after the password, and opens nothing alone.
ALTER TABLE passkey_factors ADD COLUMN second_factor_only boolean NOT NULL DEFAULT false;
