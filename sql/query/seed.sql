-- Registration seeds that an operator made.

-- fragment: seed_columns
id, digest, profile, cn, uses_left, used, expires_at, created_at, created_by

-- name: seed_insert
INSERT INTO seed (realm_id, id, digest, profile, cn, uses_left, used, expires_at, created_at, created_by)
VALUES (:realm_id, :id, :digest, :profile, :cn, :uses_left, 0, :expires_at, :created_at, :created_by);

-- name: seed_get
SELECT {seed_columns} FROM seed WHERE realm_id = :realm_id AND id = :id;

-- name: seed_page
SELECT {seed_columns} FROM seed WHERE realm_id = :realm_id AND id > :id ORDER BY id LIMIT :limit;

-- name: seed_take
UPDATE seed SET uses_left = uses_left - 1, used = used + 1
WHERE realm_id = :realm_id AND id = :id AND uses_left > 0 AND expires_at > :at;

-- name: seed_give_back
UPDATE seed SET uses_left = uses_left + 1, used = used - 1 WHERE realm_id = :realm_id AND id = :id AND used > 0;

-- name: seed_delete
DELETE FROM seed WHERE realm_id = :realm_id AND id = :id;

-- name: seed_ended
SELECT id FROM seed WHERE realm_id = :realm_id AND expires_at < :expired_before ORDER BY expires_at, id LIMIT :limit;
