-- The DNs of a realm's administrators.

-- name: admin_insert
INSERT INTO admin (realm_id, dn, added_at, added_by) VALUES (:realm_id, :dn, :added_at, :added_by)
ON CONFLICT (realm_id, dn) DO NOTHING;

-- name: admin_page
SELECT dn FROM admin WHERE realm_id = :realm_id AND dn > :dn ORDER BY dn LIMIT :limit;

-- name: admin_delete
DELETE FROM admin WHERE realm_id = :realm_id AND dn = :dn;
