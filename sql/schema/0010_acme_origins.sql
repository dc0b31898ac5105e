-- From which address an order was asked for.
CREATE TABLE IF NOT EXISTS acme_origin (
  realm_id    TEXT NOT NULL,
  acme_order  TEXT NOT NULL,
  asked_from  TEXT NOT NULL,
  PRIMARY KEY (realm_id, acme_order)
) /* clustered */;
-- The terms of service that an account agreed to; one without a row did not, or did before this was noted (terms_agreed).
CREATE TABLE IF NOT EXISTS acme_agreement (
  realm_id  TEXT NOT NULL,
  account   TEXT NOT NULL,
  terms     TEXT NOT NULL,  -- URL; or the word for that there were none
  PRIMARY KEY (realm_id, account)
) /* clustered */;
