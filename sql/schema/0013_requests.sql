-- Requests that wait for approval.
CREATE TABLE IF NOT EXISTS request (
  realm_id    TEXT   NOT NULL,
  id          TEXT   NOT NULL,  -- random
  kind        TEXT   NOT NULL,
  state       TEXT   NOT NULL,
  requester   TEXT   NOT NULL,
  front_end   TEXT   NOT NULL,
  uid         BIGINT NOT NULL,  -- of the requester's process; -1: through a front end
  profile     TEXT   NOT NULL,
  content     TEXT   NOT NULL,  -- the text that approvals are given for
  digest      TEXT   NOT NULL,  -- SHA-256 of it, lower-case hex
  wish        TEXT   NOT NULL,  -- what was asked for, JSON
  created_at  BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL,
  serial      TEXT   NOT NULL,  -- empty: nothing was issued for it
  version     BIGINT NOT NULL,  -- number of the latest row of its history
  PRIMARY KEY (realm_id, id)
) /* clustered */;
CREATE INDEX IF NOT EXISTS request_by_age ON request (realm_id, created_at, id);
CREATE INDEX IF NOT EXISTS request_by_state ON request (realm_id, state, created_at, id);
CREATE INDEX IF NOT EXISTS request_by_requester ON request (realm_id, requester, created_at, id);
CREATE INDEX IF NOT EXISTS request_by_requester_and_state ON request (realm_id, requester, state, created_at, id);
CREATE INDEX IF NOT EXISTS request_by_end ON request (realm_id, state, expires_at, id);
-- What was done with a request: rows are added and never changed.
CREATE TABLE IF NOT EXISTS request_history (
  realm_id     TEXT   NOT NULL,
  request      TEXT   NOT NULL,
  number       BIGINT NOT NULL,
  at           BIGINT NOT NULL,
  what         TEXT   NOT NULL,
  state        TEXT   NOT NULL,  -- after it
  who          TEXT   NOT NULL,
  uid          BIGINT NOT NULL,
  roles        TEXT   NOT NULL,
  why          TEXT   NOT NULL,
  digest       TEXT   NOT NULL,  -- of the request then
  files        TEXT   NOT NULL,  -- SHA-256, type and name of what came with it, one a line
  certificate  BYTEA  NOT NULL,  -- that signed an approval; empty: none
  signature    BYTEA  NOT NULL,
  chain        TEXT   NOT NULL,  -- SHA-256 over this row and the chain of the row before
  PRIMARY KEY (realm_id, request, number)
) /* clustered */;
CREATE TABLE IF NOT EXISTS request_file (
  realm_id  TEXT   NOT NULL,
  request   TEXT   NOT NULL,
  number    BIGINT NOT NULL,
  name      TEXT   NOT NULL,
  type      TEXT   NOT NULL,
  sha256    TEXT   NOT NULL,
  size      BIGINT NOT NULL,
  octets    BYTEA  NOT NULL,
  PRIMARY KEY (realm_id, request, number)
) /* clustered */;
