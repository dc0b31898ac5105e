-- The ways of search to the certificates (store/certificate_search.cc chooses). Those that page run newest first from the key
-- (:key_issued_at, :key_serial), exclusive, down to :issued_after; the others give a set that is small or given up.

-- name: certificate_search_all
SELECT {certificate_columns} FROM certificate c
WHERE c.realm_id = :realm_id
  AND c.issued_at >= :issued_after AND (c.issued_at, c.serial) < (:key_issued_at, :key_serial)
ORDER BY c.issued_at DESC, c.serial DESC LIMIT :limit;

-- name: certificate_search_san
SELECT {certificate_columns} FROM certificate_san s
JOIN certificate c ON c.realm_id = s.realm_id AND c.ca = s.ca AND c.serial = s.serial
WHERE s.realm_id = :realm_id AND s.san = :value
  AND s.issued_at >= :issued_after AND (s.issued_at, s.serial) < (:key_issued_at, :key_serial)
ORDER BY s.issued_at DESC, s.serial DESC LIMIT :limit;

-- name: certificate_search_profile
SELECT {certificate_columns} FROM certificate c
WHERE c.realm_id = :realm_id AND c.profile = :value
  AND c.issued_at >= :issued_after AND (c.issued_at, c.serial) < (:key_issued_at, :key_serial)
ORDER BY c.issued_at DESC, c.serial DESC LIMIT :limit;

-- name: certificate_search_requester
SELECT {certificate_columns} FROM certificate c
WHERE c.realm_id = :realm_id AND c.requester = :value
  AND c.issued_at >= :issued_after AND (c.issued_at, c.serial) < (:key_issued_at, :key_serial)
ORDER BY c.issued_at DESC, c.serial DESC LIMIT :limit;

-- name: certificate_search_state
SELECT {certificate_columns} FROM certificate c
WHERE c.realm_id = :realm_id AND c.state = :value AND c.revoked_at IS NOT NULL
  AND c.issued_at >= :issued_after AND (c.issued_at, c.serial) < (:key_issued_at, :key_serial)
ORDER BY c.issued_at DESC, c.serial DESC LIMIT :limit;

-- name: certificate_search_cn
SELECT {certificate_columns} FROM certificate c
WHERE c.realm_id = :realm_id AND c.cn >= :from AND c.cn < :to
ORDER BY c.cn, c.issued_at, c.serial LIMIT :limit;

-- name: certificate_search_end
SELECT {certificate_columns} FROM certificate c
WHERE c.realm_id = :realm_id AND c.not_after >= :from AND c.not_after < :to
ORDER BY c.not_after, c.serial LIMIT :limit;
