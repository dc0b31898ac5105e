-- Subjects as names compare (RFC 5280 7.1, as far as ASCII goes): letters of either case are the same. Whoever looks for one letter
-- by letter is served by the same index, so that an issuance writes no more pages than before.
CREATE INDEX IF NOT EXISTS certificate_by_folded_subject ON certificate (realm_id, LOWER(subject), issued_at, serial);
DROP INDEX IF EXISTS certificate_by_subject;
