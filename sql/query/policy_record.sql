-- Room below limits of the policy, and what the policy refused.

-- name: policy_reservation_insert
INSERT INTO policy_reservation (realm_id, what, at, id) VALUES (:realm_id, :what, :at, :id);

-- name: policy_reservation_latest
SELECT at FROM policy_reservation WHERE realm_id = :realm_id AND what = :what AND at > :since ORDER BY at DESC LIMIT :limit;

-- name: policy_reservation_delete
DELETE FROM policy_reservation WHERE realm_id = :realm_id AND id = :id;

-- name: policy_reservation_lapsed
SELECT id FROM policy_reservation WHERE realm_id = :realm_id AND at <= :before ORDER BY at LIMIT :limit;

-- name: refused_request_put
INSERT INTO refused_request (realm_id, id, last_at, first_at, times, content, why)
VALUES (:realm_id, :id, :at, :at, 1, :content, :why)
ON CONFLICT (realm_id, id) DO UPDATE SET last_at = excluded.last_at, times = refused_request.times + 1,
content = excluded.content, why = excluded.why;

-- name: refused_request_page
SELECT id, last_at, first_at, times, content, why FROM refused_request
WHERE realm_id = :realm_id AND last_at >= :since AND (last_at < :before OR (last_at = :before AND id < :before_id))
ORDER BY last_at DESC, id DESC LIMIT :limit;

-- name: refused_request_newest
SELECT last_at, id FROM refused_request WHERE realm_id = :realm_id ORDER BY last_at DESC, id DESC LIMIT :limit;

-- name: refused_request_older
SELECT id FROM refused_request WHERE realm_id = :realm_id AND last_at < :before ORDER BY last_at LIMIT :limit;

-- name: refused_request_delete
DELETE FROM refused_request WHERE realm_id = :realm_id AND id = :id;
