-- Nodes: the newest certificate of each common name.

-- fragment: node_columns
n.cn, n.registered_at, c.ca, c.serial, c.state, c.subject, c.profile, c.not_after

-- name: node_put
INSERT INTO node (realm_id, cn, ca, serial, issued_at, registered_at)
VALUES (:realm_id, :cn, :ca, :serial, :issued_at, :issued_at)
ON CONFLICT (realm_id, cn) DO UPDATE SET ca = excluded.ca, serial = excluded.serial, issued_at = excluded.issued_at
WHERE node.issued_at <= excluded.issued_at;

-- name: node_renew
UPDATE node SET ca = :ca, serial = :serial, issued_at = :issued_at
WHERE realm_id = :realm_id AND cn = :cn AND issued_at <= :issued_at;

-- name: node_get
SELECT {node_columns} FROM node n
JOIN certificate c ON c.realm_id = n.realm_id AND c.ca = n.ca AND c.serial = n.serial
WHERE n.realm_id = :realm_id AND n.cn = :cn;

-- name: node_page
SELECT {node_columns} FROM node n
JOIN certificate c ON c.realm_id = n.realm_id AND c.ca = n.ca AND c.serial = n.serial
WHERE n.realm_id = :realm_id AND n.cn > :cn
ORDER BY n.cn LIMIT :limit;

-- name: node_delete
DELETE FROM node WHERE realm_id = :realm_id AND cn = :cn;
