-- Resets of the password, and passwords that must be changed. The tokens themselves are in Redis, which may come back to
-- an earlier state: what is below decides whether one of them still counts.
ALTER TABLE passwords
    -- raised by every reset that is sent, used or made void: a token counts for the number that it was bound to
    ADD COLUMN reset_seq        bigint NOT NULL DEFAULT 0,
    -- the newest request whose token was sent, or an id of the moment in which it was used or made void; no older
    -- request is bound any more
    ADD COLUMN newest_reset     uuid,
    -- look-up key of the identifier that the last reset went to, until another factor or a recovery code was used
    ADD COLUMN reset_carried_by text,
    -- a sign-in asks for a new password before anything else
    ADD COLUMN must_change      boolean NOT NULL DEFAULT false;
