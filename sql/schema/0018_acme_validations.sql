-- Validations that go on, so that together with those that failed there are no more of one name and account than its policy allows
-- (acme.policies.*.failed_validations_per_hour). One goes with its verdict, or lapses.
CREATE TABLE IF NOT EXISTS acme_validation (
  realm_id  TEXT   NOT NULL,
  account   TEXT   NOT NULL,
  name      TEXT   NOT NULL,  -- "DNS:a.example.com"
  ends      BIGINT NOT NULL,
  claim     TEXT   NOT NULL,  -- random
  PRIMARY KEY (realm_id, account, name, ends, claim)
) /* clustered */;
CREATE INDEX IF NOT EXISTS acme_validation_by_end ON acme_validation (realm_id, ends, account, name, claim);
