-- Validations that failed, so that there are no more of one name and account in an hour than its policy allows.
CREATE TABLE IF NOT EXISTS acme_failure (
  realm_id  TEXT   NOT NULL,
  account   TEXT   NOT NULL,
  name      TEXT   NOT NULL,  -- "DNS:a.example.com"
  at        BIGINT NOT NULL,
  id        TEXT   NOT NULL,  -- random
  PRIMARY KEY (realm_id, account, name, at, id)
) /* clustered */;
CREATE INDEX IF NOT EXISTS acme_failure_by_time ON acme_failure (realm_id, at, account, name, id);
-- For operators, who look for orders newest first, and for an account's authorizations by what became of them.
CREATE INDEX IF NOT EXISTS acme_order_by_age ON acme_order (realm_id, created_at, id);
CREATE INDEX IF NOT EXISTS acme_authorization_by_state ON acme_authorization (realm_id, account, status, created_at, id);
