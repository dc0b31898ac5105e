-- Public keys that nobody may have certified again in this realm: one of their certificates was revoked for keyCompromise.
CREATE TABLE IF NOT EXISTS compromised_key (
  realm_id     TEXT   NOT NULL,
  spki         TEXT   NOT NULL,  -- SHA-256 of the SubjectPublicKeyInfo, lower-case hex
  serial       TEXT   NOT NULL,  -- of the certificate that told first
  reported_at  BIGINT NOT NULL,
  PRIMARY KEY (realm_id, spki)
) /* clustered */;
