ALTER TABLE closed_accounts
    -- the account of the same person that its identifiers and factors went to
    ADD COLUMN merged_into uuid;
-- Who else has this phone.
CREATE INDEX phone_factors_by_number ON phone_factors (number);
-- Which merge an account goes by.
CREATE INDEX pending_changes_by_subject ON pending_changes (subject_id) WHERE state = 'waiting';
