-- Keys that were reported compromised.

-- name: compromised_key_insert
INSERT INTO compromised_key (realm_id, spki, serial, reported_at) VALUES (:realm_id, :spki, :serial, :reported_at)
ON CONFLICT (realm_id, spki) DO NOTHING;

-- name: compromised_key_get
SELECT serial, reported_at FROM compromised_key WHERE realm_id = :realm_id AND spki = :spki;
