-- Renewals that holders had by themselves.

-- name: own_renewal_insert
INSERT INTO own_renewal (realm_id, names, at, id) VALUES (:realm_id, :names, :at, :id);

-- name: own_renewal_latest
SELECT at FROM own_renewal WHERE realm_id = :realm_id AND names = :names AND at > :since ORDER BY at DESC LIMIT :limit;

-- name: own_renewal_delete
DELETE FROM own_renewal WHERE realm_id = :realm_id AND names = :names AND at = :at AND id = :id;

-- name: own_renewal_ended
SELECT names, at, id FROM own_renewal WHERE realm_id = :realm_id AND at <= :before ORDER BY at LIMIT :limit;
