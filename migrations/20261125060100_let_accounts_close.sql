ALTER TABLE accounts
    -- when a closing account is purged; its owner may take it back until then
    ADD COLUMN closes_at timestamptz,
    -- its owner was told once more, shortly before
    ADD COLUMN closing_reminded boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT accounts_status,
    ADD CONSTRAINT accounts_status CHECK (status IN ('active', 'suspended', 'closing', 'closed')),
    ADD CONSTRAINT accounts_closes_at CHECK ((status = 'closing') = (closes_at IS NOT NULL));
CREATE INDEX accounts_by_closing ON accounts (closes_at) WHERE closes_at IS NOT NULL;

-- What is left of accounts that are gone: their rows are deleted, and everything that belonged to them with them.
CREATE TABLE closed_accounts (
    id        uuid PRIMARY KEY,
    closed_at timestamptz NOT NULL,
    -- when the last of its audit rows had lost what names a person
    erased_at timestamptz
);
CREATE INDEX closed_accounts_to_erase ON closed_accounts (id) WHERE erased_at IS NULL;

-- Ended ones too: for the end of an account, and for its export.
CREATE INDEX sessions_of_account ON sessions (account_id);
