-- Certificate revocation lists, and what the next one must say.

-- name: crl_next_number
INSERT INTO counter (realm_id, name, n) VALUES (:realm_id, :name, :above + 1)
ON CONFLICT (realm_id, name) DO UPDATE SET n = CASE WHEN counter.n < :above THEN :above + 1 ELSE counter.n + 1 END
RETURNING n;

-- name: crl_insert
INSERT INTO crl (realm_id, ca, number, this_update, next_update, entries, chunks)
VALUES (:realm_id, :ca, :number, :this_update, :next_update, :entries, :chunks)
ON CONFLICT (realm_id, ca, number) DO NOTHING;

-- name: crl_latest
SELECT number, this_update, next_update, entries, chunks FROM crl WHERE realm_id = :realm_id AND ca = :ca
ORDER BY number DESC LIMIT 1;

-- name: crl_chunk_insert
INSERT INTO crl_chunk (realm_id, ca, number, part, der) VALUES (:realm_id, :ca, :number, :part, :der)
ON CONFLICT (realm_id, ca, number, part) DO NOTHING;

-- name: crl_chunks
SELECT der FROM crl_chunk WHERE realm_id = :realm_id AND ca = :ca AND number = :number AND part >= :part
ORDER BY part LIMIT :limit;

-- name: crl_chunks_delete
DELETE FROM crl_chunk WHERE realm_id = :realm_id AND ca = :ca AND number < :number;

-- name: crl_revoked
SELECT serial, revoked_at, reason, not_after FROM certificate
WHERE realm_id = :realm_id AND ca = :ca AND state = :state AND revoked_at IS NOT NULL AND (not_after, serial) > (:not_after, :serial)
ORDER BY not_after, serial LIMIT :limit;

-- name: crl_pending_insert
INSERT INTO crl_pending (realm_id, ca, serial, since) VALUES (:realm_id, :ca, :serial, :since)
ON CONFLICT (realm_id, ca, serial) DO NOTHING;

-- name: crl_pending_oldest
SELECT since FROM crl_pending WHERE realm_id = :realm_id AND ca = :ca ORDER BY since LIMIT 1;

-- name: crl_pending_page
SELECT p.serial, c.state, c.revoked_at, c.reason FROM crl_pending p
JOIN certificate c ON c.realm_id = p.realm_id AND c.ca = p.ca AND c.serial = p.serial
WHERE p.realm_id = :realm_id AND p.ca = :ca AND p.serial > :serial
ORDER BY p.serial LIMIT :limit;

-- name: crl_pending_delete
DELETE FROM crl_pending WHERE realm_id = :realm_id AND ca = :ca AND serial = :serial;
