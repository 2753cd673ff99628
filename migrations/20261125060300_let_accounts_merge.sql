ALTER TABLE closed_accounts
    -- the account of the same person that its identifiers and factors went to
    ADD COLUMN merged_into uuid;
-- Which merge an account goes by.
CREATE INDEX pending_changes_by_subject ON pending_changes (subject_id) WHERE state = 'waiting';
