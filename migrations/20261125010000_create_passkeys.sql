-- Passkeys (WebAuthn). What an authenticator learns of an account is a random handle, which says nothing about whose it is.
CREATE TABLE passkey_users (
    account_id uuid PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    -- `user.id` of every registration of the account, so that one authenticator keeps one passkey for it
    handle     uuid NOT NULL,
    CONSTRAINT passkey_users_handle_unique UNIQUE (handle)
);

CREATE TABLE passkey_factors (
    factor_id         uuid PRIMARY KEY REFERENCES factors ON DELETE CASCADE,
    -- chosen by the authenticator
    credential_id     bytea NOT NULL,
    -- the handle that the authenticator shows with it
    user_handle       uuid NOT NULL,
    -- public key and flags, sealed and bound to the factor: who can only write here cannot put a key of their own
    credential_sealed bytea NOT NULL,
    -- the signature count of the newest use; an authenticator that does not count says 0 for ever
    sign_count        bigint NOT NULL DEFAULT 0,
    CONSTRAINT passkey_factors_credential_unique UNIQUE (credential_id)
);
