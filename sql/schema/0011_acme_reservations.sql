-- Room for certificates that are being signed, below the limit of how many a name may have (acme.policies.*.certificates_per_name).
-- It goes with the certificate's own row, or lapses.
CREATE TABLE IF NOT EXISTS acme_reservation (
  realm_id    TEXT   NOT NULL,
  name        TEXT   NOT NULL,  -- "DNS:a.example.com"
  at          BIGINT NOT NULL,
  acme_order  TEXT   NOT NULL,
  PRIMARY KEY (realm_id, name, at, acme_order)
) /* clustered */;
CREATE INDEX IF NOT EXISTS acme_reservation_by_order ON acme_reservation (realm_id, acme_order, name, at);
CREATE INDEX IF NOT EXISTS acme_reservation_by_time ON acme_reservation (realm_id, at, acme_order, name);
