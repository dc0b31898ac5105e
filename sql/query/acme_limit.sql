-- How much there was of something within a time, for the limits of ACME policies.

-- name: acme_failure_insert
INSERT INTO acme_failure (realm_id, account, name, at, id) VALUES (:realm_id, :account, :name, :at, :id);

-- name: acme_failure_latest
SELECT at FROM acme_failure WHERE realm_id = :realm_id AND account = :account AND name = :name AND at > :since
ORDER BY at DESC LIMIT :limit;

-- name: acme_failure_ended
SELECT account, name, at, id FROM acme_failure WHERE realm_id = :realm_id AND at <= :before ORDER BY at LIMIT :limit;

-- name: acme_failure_delete
DELETE FROM acme_failure WHERE realm_id = :realm_id AND account = :account AND name = :name AND at = :at AND id = :id;

-- name: acme_order_latest
SELECT created_at AS at FROM acme_order WHERE realm_id = :realm_id AND account = :account AND created_at > :since
ORDER BY created_at DESC, id DESC LIMIT :limit;

-- name: acme_authorization_latest
SELECT expires AS at FROM acme_authorization
WHERE realm_id = :realm_id AND account = :account AND status = :status AND created_at > :since
ORDER BY created_at DESC, id DESC LIMIT :limit;

-- name: certificate_latest_end
SELECT not_after AS at FROM certificate WHERE realm_id = :realm_id AND requester = :requester
ORDER BY issued_at DESC, serial DESC LIMIT :limit;

-- name: certificate_latest_of_san
SELECT issued_at AS at FROM certificate_san WHERE realm_id = :realm_id AND san = :san AND issued_at > :since
ORDER BY issued_at DESC LIMIT :limit;

-- name: acme_validation_insert
INSERT INTO acme_validation (realm_id, account, name, ends, claim) VALUES (:realm_id, :account, :name, :ends, :claim);

-- name: acme_validation_latest
SELECT ends AS at FROM acme_validation WHERE realm_id = :realm_id AND account = :account AND name = :name AND ends > :since
ORDER BY ends DESC LIMIT :limit;

-- name: acme_validation_lapsed
SELECT account, name, ends, claim FROM acme_validation WHERE realm_id = :realm_id AND ends <= :before ORDER BY ends LIMIT :limit;

-- name: acme_validation_delete
DELETE FROM acme_validation
WHERE realm_id = :realm_id AND account = :account AND name = :name AND ends = :ends AND claim = :claim;
