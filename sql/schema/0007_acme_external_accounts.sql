-- Keys that bind ACME accounts to somebody who is known otherwise (RFC 8555 7.3.4). A MAC is checked with the key that made it, so
-- the key itself has to be here.
CREATE TABLE IF NOT EXISTS acme_eab (
  realm_id    TEXT   NOT NULL,
  kid         TEXT   NOT NULL,  -- random
  mac_key     TEXT   NOT NULL,  -- base64url
  label       TEXT   NOT NULL,
  policy      TEXT   NOT NULL,  -- of its accounts, by its name in ca.config.yml; empty: the realm's
  uses_left   BIGINT,           -- none: any number
  used        BIGINT NOT NULL,
  expires_at  BIGINT,           -- none: never
  created_at  BIGINT NOT NULL,
  created_by  TEXT   NOT NULL,
  PRIMARY KEY (realm_id, kid)
) /* clustered */;
CREATE INDEX IF NOT EXISTS acme_eab_by_expiry ON acme_eab (realm_id, expires_at, kid);
-- What the realm knows of an account beside RFC 8555's own: accounts without a row have none of it.
CREATE TABLE IF NOT EXISTS acme_binding (
  realm_id  TEXT NOT NULL,
  account   TEXT NOT NULL,
  eab       TEXT NOT NULL,  -- kid of the key that bound it; empty: none
  policy    TEXT NOT NULL,  -- empty: the realm's
  PRIMARY KEY (realm_id, account)
) /* clustered */;
CREATE INDEX IF NOT EXISTS acme_binding_by_eab ON acme_binding (realm_id, eab, account);
