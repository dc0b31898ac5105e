-- Renewals that holders had by themselves, so that there are no more of the same names in a day than the realm allows.
CREATE TABLE IF NOT EXISTS own_renewal (
  realm_id  TEXT   NOT NULL,
  names     TEXT   NOT NULL,  -- SHA-256 of the subject and the alternative names, lower-case hex
  at        BIGINT NOT NULL,
  id        TEXT   NOT NULL,  -- random
  PRIMARY KEY (realm_id, names, at, id)
) /* clustered */;
CREATE INDEX IF NOT EXISTS own_renewal_by_time ON own_renewal (realm_id, at, names, id);
