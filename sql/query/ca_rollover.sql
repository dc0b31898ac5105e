-- Rollovers of the realm's CAs.

-- fragment: ca_rollover_columns
ca, generation, state, old_label, new_label, source, changed_by, changed_at, version

-- name: ca_rollovers
SELECT {ca_rollover_columns} FROM ca_rollover WHERE realm_id = :realm_id AND ca = :ca ORDER BY generation DESC LIMIT :limit;

-- name: ca_rollover_insert
INSERT INTO ca_rollover (realm_id, ca, generation, state, old_label, new_label, source, changed_by, changed_at, version)
VALUES (:realm_id, :ca, :generation, :state, :old_label, :new_label, :source, :changed_by, :changed_at, 1)
ON CONFLICT (realm_id, ca, generation) DO NOTHING;

-- name: ca_rollover_update
UPDATE ca_rollover SET state = :state, changed_by = :changed_by, changed_at = :changed_at, version = version + 1
WHERE realm_id = :realm_id AND ca = :ca AND generation = :generation AND version = :version;

-- name: certificate_ends_page
SELECT ca, serial, state, not_after, rule FROM certificate
WHERE realm_id = :realm_id AND (not_after, serial) > (:not_after, :serial)
ORDER BY not_after, serial LIMIT :limit;
