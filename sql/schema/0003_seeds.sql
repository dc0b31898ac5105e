-- Registration seeds that an operator made: for so many registrations, until a time, of one profile or name if it says so.
CREATE TABLE IF NOT EXISTS seed (
  realm_id    TEXT   NOT NULL,
  id          TEXT   NOT NULL,  -- random; the seed begins with it
  digest      TEXT   NOT NULL,  -- SHA-256 of the whole seed, lower-case hex; the seed itself is nowhere
  profile     TEXT   NOT NULL,
  cn          TEXT   NOT NULL,  -- empty: any
  uses_left   BIGINT NOT NULL,
  used        BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL,
  created_at  BIGINT NOT NULL,
  created_by  TEXT   NOT NULL,
  PRIMARY KEY (realm_id, id)
) /* clustered */;
CREATE INDEX IF NOT EXISTS seed_by_expiry ON seed (realm_id, expires_at, id);
