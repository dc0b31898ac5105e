-- Which order replaces which certificate (RFC 9773 5).

-- name: acme_replacement_insert
INSERT INTO acme_replacement (realm_id, certificate_id, acme_order) VALUES (:realm_id, :certificate_id, :acme_order);

-- name: acme_replacement_get
SELECT acme_order FROM acme_replacement WHERE realm_id = :realm_id AND certificate_id = :certificate_id;

-- name: acme_replacement_delete
DELETE FROM acme_replacement WHERE realm_id = :realm_id AND acme_order = :acme_order;
