-- ACME accounts (RFC 8555 7.1.2).

-- fragment: acme_account_columns
id, thumbprint, jwk, status, contact, terms_agreed, created_at, version

-- name: acme_account_insert
INSERT INTO acme_account (realm_id, id, thumbprint, jwk, status, contact, terms_agreed, created_at, version)
VALUES (:realm_id, :id, :thumbprint, :jwk, :status, :contact, :terms_agreed, :created_at, 0);

-- name: acme_account_get
SELECT {acme_account_columns}, COALESCE(g.terms, '') AS terms FROM acme_account a
LEFT JOIN acme_agreement g ON g.realm_id = a.realm_id AND g.account = a.id
WHERE a.realm_id = :realm_id AND a.id = :id;

-- name: acme_account_by_thumbprint
SELECT {acme_account_columns}, COALESCE(g.terms, '') AS terms FROM acme_account a
LEFT JOIN acme_agreement g ON g.realm_id = a.realm_id AND g.account = a.id
WHERE a.realm_id = :realm_id AND a.thumbprint = :thumbprint;

-- name: acme_account_update
UPDATE acme_account
SET thumbprint = :thumbprint, jwk = :jwk, status = :status, contact = :contact, terms_agreed = :terms_agreed,
  version = version + 1
WHERE realm_id = :realm_id AND id = :id AND version = :version;

-- name: acme_account_delete
DELETE FROM acme_account WHERE realm_id = :realm_id AND id = :id AND version = :version;

-- name: acme_agreement_set
INSERT INTO acme_agreement (realm_id, account, terms) VALUES (:realm_id, :account, :terms)
ON CONFLICT (realm_id, account) DO UPDATE SET terms = :terms;

-- name: acme_agreement_delete
DELETE FROM acme_agreement WHERE realm_id = :realm_id AND account = :account;

-- name: acme_account_page
SELECT {acme_account_columns} FROM acme_account
WHERE realm_id = :realm_id AND (created_at, id) > (:key_created_at, :key_id)
ORDER BY created_at, id LIMIT :limit;
