-- What messages to phones have cost, a row a day for the whole, for each country and for each block of ten thousand
-- numbers; those to numbers that somebody has proved apart from those that nobody has.
CREATE TABLE phone_spend (
    day    date    NOT NULL,
    scope  text    NOT NULL,
    -- of a country its two letters, of a block the number without its last four digits
    key    text    NOT NULL,
    proved boolean NOT NULL,
    sent   bigint  NOT NULL,
    -- codes that came back
    back   bigint  NOT NULL DEFAULT 0,
    cost   bigint  NOT NULL,
    PRIMARY KEY (day, scope, key, proved),
    CONSTRAINT phone_spend_scope CHECK (scope IN ('all', 'country', 'block'))
);
