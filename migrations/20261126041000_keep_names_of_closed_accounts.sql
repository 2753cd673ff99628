ALTER TABLE closed_accounts
    -- keyed digest of what the other system called the account, or an export of this one: no later import brings it back.
    -- Null for accounts that went before there was one.
    ADD COLUMN external_mac bytea;
CREATE INDEX closed_accounts_by_external_mac ON closed_accounts (external_mac);
