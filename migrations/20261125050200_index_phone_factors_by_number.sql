-- A reminder asks whose factor a number is.
CREATE INDEX phone_factors_by_number ON phone_factors (number);
