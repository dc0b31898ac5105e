-- Requests that wait for approval.

-- fragment: request_columns
id, kind, state, requester, front_end, uid, profile, content, digest, wish, created_at, expires_at, serial, version

-- name: request_insert
INSERT INTO request (
  realm_id, id, kind, state, requester, front_end, uid, profile, content, digest, wish, created_at, expires_at, serial, version)
VALUES (
  :realm_id, :id, :kind, :state, :requester, :front_end, :uid, :profile, :content, :digest, :wish, :created_at, :expires_at,
  :serial, :version);

-- name: request_get
SELECT {request_columns} FROM request WHERE realm_id = :realm_id AND id = :id;

-- name: request_advance
UPDATE request SET state = :state, content = :content, digest = :digest, serial = :serial, version = version + 1
WHERE realm_id = :realm_id AND id = :id AND version = :version;

-- name: request_open
SELECT id FROM request WHERE realm_id = :realm_id AND requester = :requester AND state = :state
ORDER BY created_at DESC LIMIT :limit;

-- name: request_page_all
SELECT {request_columns} FROM request
WHERE realm_id = :realm_id AND (created_at, id) < (:key_created_at, :key_id)
ORDER BY created_at DESC, id DESC LIMIT :limit;

-- name: request_page_state
SELECT {request_columns} FROM request
WHERE realm_id = :realm_id AND state = :state AND (created_at, id) < (:key_created_at, :key_id)
ORDER BY created_at DESC, id DESC LIMIT :limit;

-- name: request_page_requester
SELECT {request_columns} FROM request
WHERE realm_id = :realm_id AND requester = :requester AND (created_at, id) < (:key_created_at, :key_id)
ORDER BY created_at DESC, id DESC LIMIT :limit;

-- name: request_page_requester_and_state
SELECT {request_columns} FROM request
WHERE realm_id = :realm_id AND requester = :requester AND state = :state AND (created_at, id) < (:key_created_at, :key_id)
ORDER BY created_at DESC, id DESC LIMIT :limit;

-- name: request_ended
SELECT id FROM request WHERE realm_id = :realm_id AND state = :state AND expires_at <= :now ORDER BY expires_at, id LIMIT :limit;

-- name: request_page_age
SELECT {request_columns} FROM request
WHERE realm_id = :realm_id AND state = :state AND created_at <= :until AND (created_at, id) > (:key_created_at, :key_id)
ORDER BY created_at, id LIMIT :limit;

-- name: request_delete
DELETE FROM request WHERE realm_id = :realm_id AND id = :id AND version = :version;

-- name: request_history_delete
DELETE FROM request_history WHERE realm_id = :realm_id AND request = :request;

-- name: request_file_delete
DELETE FROM request_file WHERE realm_id = :realm_id AND request = :request;

-- name: request_history_insert
INSERT INTO request_history (
  realm_id, request, number, at, what, state, who, uid, roles, why, digest, files, certificate, signature, chain)
VALUES (
  :realm_id, :request, :number, :at, :what, :state, :who, :uid, :roles, :why, :digest, :files, :certificate, :signature, :chain);

-- name: request_history_get
SELECT number, at, what, state, who, uid, roles, why, digest, files, certificate, signature, chain FROM request_history
WHERE realm_id = :realm_id AND request = :request ORDER BY number LIMIT :limit;

-- name: request_file_insert
INSERT INTO request_file (realm_id, request, number, name, type, sha256, size, octets)
VALUES (:realm_id, :request, :number, :name, :type, :sha256, :size, :octets);

-- name: request_file_list
SELECT number, name, type, sha256, size FROM request_file WHERE realm_id = :realm_id AND request = :request
ORDER BY number LIMIT :limit;

-- name: request_file_get
SELECT number, name, type, sha256, size, octets FROM request_file
WHERE realm_id = :realm_id AND request = :request AND number = :number;
