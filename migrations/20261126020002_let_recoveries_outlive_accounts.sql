-- A recovery whose account is gone goes on like one of nobody: that it ended would tell that there was an account.
ALTER TABLE recoveries DROP CONSTRAINT recoveries_account_id_fkey;
ALTER TABLE recoveries
    ADD CONSTRAINT recoveries_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts ON DELETE SET NULL;
