-- What has ended and leaves the store.

-- name: retention_pending
SELECT since FROM crl_pending WHERE realm_id = :realm_id AND ca = :ca AND serial = :serial;

-- name: retention_san_delete
DELETE FROM certificate_san
WHERE realm_id = :realm_id AND san = :san AND issued_at = :issued_at AND serial = :serial AND ca = :ca;

-- name: retention_der_delete
DELETE FROM certificate_der WHERE realm_id = :realm_id AND serial = :serial AND ca = :ca;

-- name: retention_node_delete
DELETE FROM node WHERE realm_id = :realm_id AND cn = :cn AND serial = :serial AND ca = :ca;

-- name: retention_certificate_delete
DELETE FROM certificate
WHERE realm_id = :realm_id AND serial = :serial AND ca = :ca AND state = :state AND not_after = :not_after;
