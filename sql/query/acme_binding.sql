-- What binds ACME accounts to somebody who is known otherwise (RFC 8555 7.3.4).

-- fragment: acme_eab_columns
kid, mac_key, label, policy, uses_left, used, expires_at, created_at, created_by

-- name: acme_eab_insert
INSERT INTO acme_eab (realm_id, kid, mac_key, label, policy, uses_left, used, expires_at, created_at, created_by)
VALUES (:realm_id, :kid, :mac_key, :label, :policy, :uses_left, 0, :expires_at, :created_at, :created_by);

-- name: acme_eab_get
SELECT {acme_eab_columns} FROM acme_eab WHERE realm_id = :realm_id AND kid = :kid;

-- name: acme_eab_page
SELECT {acme_eab_columns} FROM acme_eab WHERE realm_id = :realm_id AND kid > :kid ORDER BY kid LIMIT :limit;

-- name: acme_eab_take
UPDATE acme_eab SET uses_left = uses_left - 1, used = used + 1
WHERE realm_id = :realm_id AND kid = :kid AND (uses_left IS NULL OR uses_left > 0) AND (expires_at IS NULL OR expires_at > :at);

-- name: acme_eab_delete
DELETE FROM acme_eab WHERE realm_id = :realm_id AND kid = :kid;

-- name: acme_eab_ended
SELECT kid FROM acme_eab WHERE realm_id = :realm_id AND expires_at < :expired_before ORDER BY expires_at, kid LIMIT :limit;

-- name: acme_binding_insert
INSERT INTO acme_binding (realm_id, account, eab, policy) VALUES (:realm_id, :account, :eab, :policy);

-- name: acme_binding_delete
DELETE FROM acme_binding WHERE realm_id = :realm_id AND account = :account;

-- name: acme_binding_get
SELECT account, eab, policy FROM acme_binding WHERE realm_id = :realm_id AND account = :account;

-- name: acme_binding_of_eab
SELECT account, eab, policy FROM acme_binding
WHERE realm_id = :realm_id AND eab = :eab AND account > :account ORDER BY account LIMIT :limit;

-- name: acme_binding_set_policy
INSERT INTO acme_binding (realm_id, account, eab, policy) VALUES (:realm_id, :account, '', :policy)
ON CONFLICT (realm_id, account) DO UPDATE SET policy = :policy;
