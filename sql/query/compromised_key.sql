-- Keys that were reported compromised.

-- name: compromised_key_insert
INSERT INTO compromised_key (realm_id, spki, serial, reported_at) VALUES (:realm_id, :spki, :serial, :reported_at)
ON CONFLICT (realm_id, spki) DO NOTHING;

-- name: compromised_key_get
SELECT serial, reported_at FROM compromised_key WHERE realm_id = :realm_id AND spki = :spki;

-- name: key_sweep_ask
INSERT INTO key_sweep (realm_id, spki, asked) VALUES (:realm_id, :spki, 1)
ON CONFLICT (realm_id, spki) DO UPDATE SET asked = key_sweep.asked + 1;

-- name: key_sweeps
SELECT spki, asked FROM key_sweep WHERE realm_id = :realm_id ORDER BY spki LIMIT :limit;

-- name: key_sweep_end
DELETE FROM key_sweep WHERE realm_id = :realm_id AND spki = :spki AND asked = :asked;

-- name: certificates_living
SELECT c.ca, c.serial, d.der FROM certificate c
JOIN certificate_der d ON d.realm_id = c.realm_id AND d.ca = c.ca AND d.serial = c.serial
WHERE c.realm_id = :realm_id AND (c.serial, c.ca) > (:serial, :ca) AND c.state <> :revoked AND c.not_after >= :now
ORDER BY c.serial, c.ca LIMIT :limit;
