-- Room for certificates that are being signed.

-- name: acme_reservation_insert
INSERT INTO acme_reservation (realm_id, name, at, acme_order) VALUES (:realm_id, :name, :at, :acme_order);

-- name: acme_reservation_latest_of_others
SELECT at FROM acme_reservation WHERE realm_id = :realm_id AND name = :name AND at > :since AND acme_order <> :acme_order
ORDER BY at DESC LIMIT :limit;

-- name: acme_reservation_delete
DELETE FROM acme_reservation WHERE realm_id = :realm_id AND acme_order = :acme_order;

-- name: acme_reservation_lapsed
SELECT acme_order FROM acme_reservation WHERE realm_id = :realm_id AND at <= :before ORDER BY at LIMIT :limit;
