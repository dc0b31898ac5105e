-- ACME accounts (RFC 8555 7.1.2).

-- fragment: acme_account_columns
id, thumbprint, jwk, status, contact, terms_agreed, created_at, terms, version

-- name: acme_account_insert
INSERT INTO acme_account (realm_id, id, thumbprint, jwk, status, contact, terms_agreed, created_at, terms, version)
VALUES (:realm_id, :id, :thumbprint, :jwk, :status, :contact, :terms_agreed, :created_at, :terms, 0);

-- name: acme_account_get
SELECT {acme_account_columns} FROM acme_account WHERE realm_id = :realm_id AND id = :id;

-- name: acme_account_by_thumbprint
SELECT {acme_account_columns} FROM acme_account WHERE realm_id = :realm_id AND thumbprint = :thumbprint;

-- name: acme_account_update
UPDATE acme_account
SET thumbprint = :thumbprint, jwk = :jwk, status = :status, contact = :contact, terms_agreed = :terms_agreed,
  terms = :terms, version = version + 1
WHERE realm_id = :realm_id AND id = :id AND version = :version;

-- name: acme_account_delete
DELETE FROM acme_account WHERE realm_id = :realm_id AND id = :id AND version = :version;

-- name: acme_account_page
SELECT {acme_account_columns} FROM acme_account
WHERE realm_id = :realm_id AND (created_at, id) > (:key_created_at, :key_id)
ORDER BY created_at, id LIMIT :limit;
