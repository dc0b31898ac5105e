-- The first schema. One text for SQLite and PostgreSQL (PROMISES Q).
--
-- Each statement changes the schema by one thing and can be said again, so that a step that was cut off goes on where it
-- stopped. A table marked /* clustered */ has short rows that are found by their key: where a driver can, it keeps them in the
-- key's own order, without a second copy of the key. realm_id leads every table, key and index (Q1), so a database of many
-- realms can be cut by realm. Times are UTC seconds, truth values 0 and 1, serials lower-case hex, lists one item per line. A
-- PostgreSQL database is made with LC_COLLATE "C": texts compare by their octets.

CREATE TABLE IF NOT EXISTS certificate (
  realm_id      TEXT   NOT NULL,
  ca            TEXT   NOT NULL,  -- name of the CA that signed it
  serial        TEXT   NOT NULL,
  state         TEXT   NOT NULL,  -- valid, revoked, held
  profile       TEXT   NOT NULL,
  subject       TEXT   NOT NULL,  -- DN, slash form
  cn            TEXT   NOT NULL,
  sans          TEXT   NOT NULL,
  not_before    BIGINT NOT NULL,
  not_after     BIGINT NOT NULL,
  issued_at     BIGINT NOT NULL,
  requester     TEXT   NOT NULL,
  front_end     TEXT   NOT NULL,
  rule          TEXT   NOT NULL,
  evidence      TEXT   NOT NULL,
  acme_account  TEXT   NOT NULL,
  acme_order    TEXT   NOT NULL,
  revoked_at    BIGINT,
  reason        TEXT   NOT NULL,  -- CRLReason name (RFC 5280 5.3.1)
  revoked_by    TEXT   NOT NULL,
  PRIMARY KEY (realm_id, serial, ca)
) /* clustered */;

-- One index for each way to look for certificates; those that page newest first end with (issued_at, serial). Each is a page
-- more that an issuance writes: what only concerns revoked certificates leaves the others out.
CREATE INDEX IF NOT EXISTS certificate_by_issued ON certificate (realm_id, issued_at, serial);
CREATE INDEX IF NOT EXISTS certificate_by_cn ON certificate (realm_id, cn, issued_at, serial);
CREATE INDEX IF NOT EXISTS certificate_by_subject ON certificate (realm_id, subject, issued_at, serial);
CREATE INDEX IF NOT EXISTS certificate_by_profile ON certificate (realm_id, profile, issued_at, serial);
CREATE INDEX IF NOT EXISTS certificate_by_requester ON certificate (realm_id, requester, issued_at, serial);
CREATE INDEX IF NOT EXISTS certificate_by_state ON certificate (realm_id, state, issued_at, serial)
  WHERE revoked_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS certificate_by_end ON certificate (realm_id, not_after, serial);
CREATE INDEX IF NOT EXISTS certificate_for_crl ON certificate (realm_id, ca, state, not_after, serial)
  WHERE revoked_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS certificate_der (
  realm_id  TEXT  NOT NULL,
  ca        TEXT  NOT NULL,
  serial    TEXT  NOT NULL,
  der       BYTEA NOT NULL,  -- below 64 kB (Q13)
  PRIMARY KEY (realm_id, serial, ca),
  FOREIGN KEY (realm_id, serial, ca) REFERENCES certificate (realm_id, serial, ca)
);

CREATE TABLE IF NOT EXISTS certificate_san (
  realm_id   TEXT   NOT NULL,
  san        TEXT   NOT NULL,  -- "DNS:a.example.com"
  issued_at  BIGINT NOT NULL,  -- the certificate's: the key is the order of pages
  serial     TEXT   NOT NULL,
  ca         TEXT   NOT NULL,
  PRIMARY KEY (realm_id, san, issued_at, serial, ca),
  FOREIGN KEY (realm_id, serial, ca) REFERENCES certificate (realm_id, serial, ca)
) /* clustered */;

CREATE TABLE IF NOT EXISTS idempotency (
  realm_id  TEXT NOT NULL,
  kind      TEXT NOT NULL,  -- what the key is for: certificate
  key       TEXT NOT NULL,
  ca        TEXT NOT NULL,
  serial    TEXT NOT NULL,
  PRIMARY KEY (realm_id, kind, key)
) /* clustered */;

-- Ordered numbers, as rows (Q4).
CREATE TABLE IF NOT EXISTS counter (
  realm_id  TEXT   NOT NULL,
  name      TEXT   NOT NULL,
  n         BIGINT NOT NULL,
  PRIMARY KEY (realm_id, name)
) /* clustered */;

CREATE TABLE IF NOT EXISTS crl (
  realm_id     TEXT   NOT NULL,
  ca           TEXT   NOT NULL,
  number       BIGINT NOT NULL,
  this_update  BIGINT NOT NULL,
  next_update  BIGINT NOT NULL,
  entries      BIGINT NOT NULL,
  chunks       BIGINT NOT NULL,
  PRIMARY KEY (realm_id, ca, number)
) /* clustered */;

-- The DER of a CRL in rows below 64 kB (Q13, I22). They are written before the crl row that makes them visible.
CREATE TABLE IF NOT EXISTS crl_chunk (
  realm_id  TEXT   NOT NULL,
  ca        TEXT   NOT NULL,
  number    BIGINT NOT NULL,
  part      BIGINT NOT NULL,
  der       BYTEA  NOT NULL,
  PRIMARY KEY (realm_id, ca, number, part)
);

-- Certificates whose state changed since a CRL last showed them.
CREATE TABLE IF NOT EXISTS crl_pending (
  realm_id  TEXT   NOT NULL,
  ca        TEXT   NOT NULL,
  serial    TEXT   NOT NULL,
  since     BIGINT NOT NULL,
  PRIMARY KEY (realm_id, ca, serial)
) /* clustered */;

CREATE INDEX IF NOT EXISTS crl_pending_by_since ON crl_pending (realm_id, ca, since);

CREATE TABLE IF NOT EXISTS node (
  realm_id       TEXT   NOT NULL,
  cn             TEXT   NOT NULL,
  ca             TEXT   NOT NULL,
  serial         TEXT   NOT NULL,
  issued_at      BIGINT NOT NULL,
  registered_at  BIGINT NOT NULL,
  PRIMARY KEY (realm_id, cn)
) /* clustered */;

CREATE TABLE IF NOT EXISTS admin (
  realm_id  TEXT   NOT NULL,
  dn        TEXT   NOT NULL,
  added_at  BIGINT NOT NULL,
  added_by  TEXT   NOT NULL,
  PRIMARY KEY (realm_id, dn)
) /* clustered */;

CREATE TABLE IF NOT EXISTS meta (
  realm_id  TEXT NOT NULL,
  name      TEXT NOT NULL,
  text      TEXT NOT NULL,
  PRIMARY KEY (realm_id, name)
) /* clustered */;

CREATE TABLE IF NOT EXISTS acme_account (
  realm_id      TEXT   NOT NULL,
  id            TEXT   NOT NULL,
  thumbprint    TEXT   NOT NULL,
  jwk           TEXT   NOT NULL,
  status        TEXT   NOT NULL,
  contact       TEXT   NOT NULL,
  terms_agreed  BIGINT NOT NULL,
  created_at    BIGINT NOT NULL,
  version       BIGINT NOT NULL,
  PRIMARY KEY (realm_id, id)
);

CREATE UNIQUE INDEX IF NOT EXISTS acme_account_by_thumbprint ON acme_account (realm_id, thumbprint);
CREATE INDEX IF NOT EXISTS acme_account_by_age ON acme_account (realm_id, created_at, id);

CREATE TABLE IF NOT EXISTS acme_order (
  realm_id        TEXT   NOT NULL,
  id              TEXT   NOT NULL,
  account         TEXT   NOT NULL,
  status          TEXT   NOT NULL,
  identifiers     TEXT   NOT NULL,
  authorizations  TEXT   NOT NULL,
  profile         TEXT   NOT NULL,
  not_before      BIGINT,
  not_after       BIGINT,
  expires         BIGINT NOT NULL,
  created_at      BIGINT NOT NULL,
  error           TEXT   NOT NULL,
  serial          TEXT   NOT NULL,
  csr             BYTEA  NOT NULL,
  version         BIGINT NOT NULL,
  PRIMARY KEY (realm_id, id)
);

CREATE INDEX IF NOT EXISTS acme_order_by_account ON acme_order (realm_id, account, created_at, id);
CREATE INDEX IF NOT EXISTS acme_order_by_end ON acme_order (realm_id, expires, id);

CREATE TABLE IF NOT EXISTS acme_authorization (
  realm_id    TEXT   NOT NULL,
  id          TEXT   NOT NULL,
  account     TEXT   NOT NULL,
  type        TEXT   NOT NULL,
  value       TEXT   NOT NULL,
  wildcard    BIGINT NOT NULL,
  status      TEXT   NOT NULL,
  expires     BIGINT NOT NULL,
  created_at  BIGINT NOT NULL,
  challenges  TEXT   NOT NULL,
  version     BIGINT NOT NULL,
  PRIMARY KEY (realm_id, id)
);

CREATE INDEX IF NOT EXISTS acme_authorization_by_name
  ON acme_authorization (realm_id, account, type, value, wildcard, status, expires);
CREATE INDEX IF NOT EXISTS acme_authorization_by_end ON acme_authorization (realm_id, expires, id);
