-- Room that was taken below a limit of the realm's policy, for a certificate that is not stored yet.
CREATE TABLE IF NOT EXISTS policy_reservation (
  realm_id  TEXT   NOT NULL,
  what      TEXT   NOT NULL,  -- "subject" or "requester", and whose
  at        BIGINT NOT NULL,
  id        TEXT   NOT NULL,  -- random, of the attempt
  PRIMARY KEY (realm_id, what, at, id)
) /* clustered */;
CREATE INDEX IF NOT EXISTS policy_reservation_by_id ON policy_reservation (realm_id, id, what, at);
CREATE INDEX IF NOT EXISTS policy_reservation_by_time ON policy_reservation (realm_id, at, id, what);

-- Requests that the realm's policy refused, so that another policy can be asked about them.
CREATE TABLE IF NOT EXISTS refused_request (
  realm_id  TEXT   NOT NULL,
  id        TEXT   NOT NULL,  -- SHA-256 of what makes it the same request, in lower-case hex
  last_at   BIGINT NOT NULL,
  first_at  BIGINT NOT NULL,
  times     BIGINT NOT NULL,
  content   TEXT   NOT NULL,  -- an object: what it asked for
  why       TEXT   NOT NULL,
  PRIMARY KEY (realm_id, id)
) /* clustered */;
CREATE INDEX IF NOT EXISTS refused_request_by_time ON refused_request (realm_id, last_at, id);
