-- Notices have a budget of their own: strangers bring about many of them, and codes must not be paid for by it.
ALTER TABLE phone_spend
    ALTER COLUMN proved TYPE text USING CASE WHEN proved THEN 'proved' ELSE 'unproved' END;
-- what paid for the messages
ALTER TABLE phone_spend RENAME COLUMN proved TO budget;
ALTER TABLE phone_spend
    ADD CONSTRAINT phone_spend_budget CHECK (budget IN ('unproved', 'proved', 'notices'));
