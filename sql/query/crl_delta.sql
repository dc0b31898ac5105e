-- Delta CRLs.

-- name: crl_delta_insert
INSERT INTO crl_delta (realm_id, ca, number, base, this_update, next_update, entries, chunks)
VALUES (:realm_id, :ca, :number, :base, :this_update, :next_update, :entries, :chunks)
ON CONFLICT (realm_id, ca, number) DO NOTHING;

-- name: crl_delta_latest
SELECT number, base, this_update, next_update, entries, chunks FROM crl_delta WHERE realm_id = :realm_id AND ca = :ca
ORDER BY number DESC LIMIT 1;

-- name: crl_delta_delete
DELETE FROM crl_delta WHERE realm_id = :realm_id AND ca = :ca AND number < :number;

-- name: crl_delta_chunks_delete
DELETE FROM crl_chunk WHERE realm_id = :realm_id AND ca = :ca AND number > :base AND number < :number;
