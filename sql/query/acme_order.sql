-- ACME orders (RFC 8555 7.1.3).

-- fragment: acme_order_columns
id, account, status, identifiers, authorizations, profile, not_before, not_after, expires, created_at, error, serial, csr, version

-- name: acme_order_insert
INSERT INTO acme_order (
  realm_id, id, account, status, identifiers, authorizations, profile, not_before, not_after, expires, created_at, error,
  serial, csr, version)
VALUES (
  :realm_id, :id, :account, :status, :identifiers, :authorizations, :profile, :not_before, :not_after, :expires,
  :created_at, :error, :serial, :csr, 0);

-- name: acme_order_get
SELECT {acme_order_columns}, COALESCE(r.certificate_id, '' ) AS replaces, COALESCE(f.asked_from, '') AS asked_from
FROM acme_order o
LEFT JOIN acme_replacement r ON r.realm_id = o.realm_id AND r.acme_order = o.id
LEFT JOIN acme_origin f ON f.realm_id = o.realm_id AND f.acme_order = o.id
WHERE o.realm_id = :realm_id AND o.id = :id;

-- name: acme_order_update
UPDATE acme_order
SET status = :status, authorizations = :authorizations, profile = :profile, error = :error, serial = :serial, csr = :csr,
  version = version + 1
WHERE realm_id = :realm_id AND id = :id AND version = :version;

-- name: acme_order_complete
UPDATE acme_order SET status = :completed, serial = :serial, version = version + 1
WHERE realm_id = :realm_id AND id = :id AND status = :status;

-- name: acme_origin_insert
INSERT INTO acme_origin (realm_id, acme_order, asked_from) VALUES (:realm_id, :acme_order, :asked_from);

-- name: acme_origin_delete
DELETE FROM acme_origin WHERE realm_id = :realm_id AND acme_order = :acme_order;

-- name: acme_order_page
SELECT id, status, created_at FROM acme_order
WHERE realm_id = :realm_id AND account = :account AND (created_at, id) < (:key_created_at, :key_id)
ORDER BY created_at DESC, id DESC LIMIT :limit;

-- name: acme_order_search_all
SELECT {acme_order_columns} FROM acme_order
WHERE realm_id = :realm_id AND (created_at, id) < (:key_created_at, :key_id)
ORDER BY created_at DESC, id DESC LIMIT :limit;

-- name: acme_order_search_account
SELECT {acme_order_columns} FROM acme_order
WHERE realm_id = :realm_id AND account = :account AND (created_at, id) < (:key_created_at, :key_id)
ORDER BY created_at DESC, id DESC LIMIT :limit;

-- name: acme_order_ended
SELECT id FROM acme_order WHERE realm_id = :realm_id AND expires < :expired_before ORDER BY expires, id LIMIT :limit;

-- name: acme_order_delete
DELETE FROM acme_order WHERE realm_id = :realm_id AND id = :id;
