-- Keys that were reported compromised, whose other certificates are still to be looked for and revoked.
CREATE TABLE IF NOT EXISTS key_sweep (
  realm_id  TEXT   NOT NULL,
  spki      TEXT   NOT NULL,  -- SHA-256 of the SubjectPublicKeyInfo, lower-case hex
  asked     BIGINT NOT NULL,  -- how often: who looked ends it only if nobody asked again meanwhile
  PRIMARY KEY (realm_id, spki)
) /* clustered */;
