-- ACME authorizations with their challenges (RFC 8555 7.1.4).

-- fragment: acme_authorization_columns
id, account, type, value, wildcard, status, expires, created_at, challenges, version

-- name: acme_authorization_insert
INSERT INTO acme_authorization (
  realm_id, id, account, type, value, wildcard, status, expires, created_at, challenges, version)
VALUES (:realm_id, :id, :account, :type, :value, :wildcard, :status, :expires, :created_at, :challenges, 0);

-- name: acme_authorization_get
SELECT {acme_authorization_columns} FROM acme_authorization WHERE realm_id = :realm_id AND id = :id;

-- name: acme_authorization_find
SELECT {acme_authorization_columns} FROM acme_authorization
WHERE realm_id = :realm_id AND account = :account AND type = :type AND value = :value AND wildcard = :wildcard
  AND status = :status AND expires > :lasts_beyond AND challenges <> :unproven AND SUBSTR(challenges, 1, 17) <> :granted
ORDER BY expires DESC LIMIT 1;

-- name: acme_authorization_update
UPDATE acme_authorization
SET status = :status, expires = :expires, challenges = :challenges, version = version + 1
WHERE realm_id = :realm_id AND id = :id AND version = :version;

-- name: acme_authorization_search_all
SELECT {acme_authorization_columns} FROM acme_authorization
WHERE realm_id = :realm_id AND id > :key_id ORDER BY id LIMIT :limit;

-- name: acme_authorization_search_account
SELECT {acme_authorization_columns} FROM acme_authorization
WHERE realm_id = :realm_id AND account = :account AND status = :status AND (created_at, id) < (:key_created_at, :key_id)
ORDER BY created_at DESC, id DESC LIMIT :limit;

-- name: acme_authorization_ended
SELECT id FROM acme_authorization WHERE realm_id = :realm_id AND expires < :expired_before
ORDER BY expires, id LIMIT :limit;

-- name: acme_authorization_delete
DELETE FROM acme_authorization WHERE realm_id = :realm_id AND id = :id;
