-- A proof counts as long as what it was made of is there: the set of recovery codes, the factor, or the identifier. It is
-- looked up by the kind, so there is no foreign key. A password has its version.
ALTER TABLE recovery_proofs ADD COLUMN made_of uuid;
-- Of those before nobody knows; whoever gave them gives them again.
DELETE FROM recovery_proofs WHERE kind <> 'password';
ALTER TABLE recovery_proofs ADD CONSTRAINT recovery_proofs_made_of CHECK ((kind = 'password') = (made_of IS NULL));
