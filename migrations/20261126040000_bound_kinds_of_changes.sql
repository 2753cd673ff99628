-- As every other column of kinds is.
ALTER TABLE pending_changes
    ADD CONSTRAINT pending_changes_kind CHECK (kind IN ('identifier_removal', 'identifier_claim', 'account_merge'));
