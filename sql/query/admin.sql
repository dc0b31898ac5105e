-- The DNs of a realm's administrators, and the keys that are bound to them.

-- name: admin_insert
INSERT INTO admin (realm_id, dn, added_at, added_by) VALUES (:realm_id, :dn, :added_at, :added_by)
ON CONFLICT (realm_id, dn) DO NOTHING;

-- name: admin_get
SELECT dn FROM admin WHERE realm_id = :realm_id AND dn = :dn;

-- name: admin_page
SELECT dn FROM admin WHERE realm_id = :realm_id AND dn > :dn ORDER BY dn LIMIT :limit;

-- name: admin_delete
DELETE FROM admin WHERE realm_id = :realm_id AND dn = :dn;

-- name: admin_key_insert
INSERT INTO admin_key (realm_id, dn, spki, bound_at, bound_by) VALUES (:realm_id, :dn, :spki, :bound_at, :bound_by)
ON CONFLICT (realm_id, dn, spki) DO NOTHING;

-- name: admin_key_page
SELECT spki FROM admin_key WHERE realm_id = :realm_id AND dn = :dn ORDER BY spki LIMIT :limit;

-- name: admin_key_get
SELECT spki FROM admin_key WHERE realm_id = :realm_id AND dn = :dn AND spki = :spki;

-- name: admin_key_delete
DELETE FROM admin_key WHERE realm_id = :realm_id AND dn = :dn;
