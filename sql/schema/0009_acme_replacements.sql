-- Which order replaces which certificate (RFC 9773 5): each is replaced once.
CREATE TABLE IF NOT EXISTS acme_replacement (
  realm_id        TEXT NOT NULL,
  certificate_id  TEXT NOT NULL,  -- key identifier and serial number, as RFC 9773 4.1 writes them
  acme_order      TEXT NOT NULL,
  PRIMARY KEY (realm_id, certificate_id)
) /* clustered */;
CREATE INDEX IF NOT EXISTS acme_replacement_by_order ON acme_replacement (realm_id, acme_order);
