CREATE TABLE phone_factors (
    factor_id uuid PRIMARY KEY REFERENCES factors ON DELETE CASCADE,
    -- E.164
    number    text NOT NULL
);
