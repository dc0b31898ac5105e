-- The public keys whose certificates make their holders administrators: a name on the list is worth nothing without one.
CREATE TABLE IF NOT EXISTS admin_key (
  realm_id  TEXT   NOT NULL,
  dn        TEXT   NOT NULL,
  spki      TEXT   NOT NULL,  -- SHA-256 of the SubjectPublicKeyInfo, lower-case hex
  bound_at  BIGINT NOT NULL,
  bound_by  TEXT   NOT NULL,
  PRIMARY KEY (realm_id, dn, spki)
) /* clustered */;
