-- People of a realm, their personal tokens, who failed to log in, and who is in.
CREATE TABLE IF NOT EXISTS person (
  realm_id    TEXT   NOT NULL,
  name        TEXT   NOT NULL,
  password    TEXT   NOT NULL,  -- scrypt, its parameters and salt beside it; empty: none
  roles       TEXT   NOT NULL,  -- by name, one a line
  state       TEXT   NOT NULL,  -- enabled or disabled
  created_at  BIGINT NOT NULL,
  created_by  TEXT   NOT NULL,
  changed_at  BIGINT NOT NULL,
  PRIMARY KEY (realm_id, name)
) /* clustered */;
CREATE TABLE IF NOT EXISTS login_token (
  realm_id    TEXT   NOT NULL,
  id          TEXT   NOT NULL,  -- random; the token holds it
  digest      TEXT   NOT NULL,  -- SHA-256 of the whole token, lower-case hex; the token itself is nowhere
  person      TEXT   NOT NULL,
  commands    TEXT   NOT NULL,  -- globs, one a line; empty: all
  roles       TEXT   NOT NULL,  -- by name, one a line; empty: those of the person
  note        TEXT   NOT NULL,
  expires_at  BIGINT NOT NULL,
  created_at  BIGINT NOT NULL,
  created_by  TEXT   NOT NULL,
  PRIMARY KEY (realm_id, id)
) /* clustered */;
CREATE INDEX IF NOT EXISTS login_token_by_person ON login_token (realm_id, person, id);
CREATE INDEX IF NOT EXISTS login_token_by_expiry ON login_token (realm_id, expires_at, id);
CREATE TABLE IF NOT EXISTS login_count (
  realm_id        TEXT   NOT NULL,
  who             TEXT   NOT NULL,  -- a digest of a name, known or not, or of a Unix user
  failures        BIGINT NOT NULL,
  pending         BIGINT NOT NULL,
  last_failed_at  BIGINT NOT NULL,
  pending_until   BIGINT NOT NULL,
  touched_at      BIGINT NOT NULL,
  PRIMARY KEY (realm_id, who)
) /* clustered */;
CREATE INDEX IF NOT EXISTS login_count_by_age ON login_count (realm_id, touched_at, who);
CREATE TABLE IF NOT EXISTS login_session (
  realm_id  TEXT   NOT NULL,
  person    TEXT   NOT NULL,
  id        TEXT   NOT NULL,  -- random
  seen_at   BIGINT NOT NULL,
  ends_at   BIGINT NOT NULL,
  PRIMARY KEY (realm_id, person, id)
) /* clustered */;
