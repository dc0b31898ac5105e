-- People of a realm and their logins.

-- fragment: person_columns
name, password, roles, state, created_at, created_by, changed_at

-- fragment: login_token_columns
id, digest, person, commands, roles, note, expires_at, created_at, created_by

-- name: person_insert
INSERT INTO person (realm_id, name, password, roles, state, created_at, created_by, changed_at)
VALUES (:realm_id, :name, :password, :roles, :state, :created_at, :created_by, :created_at);

-- name: person_get
SELECT {person_columns} FROM person WHERE realm_id = :realm_id AND name = :name;

-- name: person_page
SELECT {person_columns} FROM person WHERE realm_id = :realm_id AND name > :name ORDER BY name LIMIT :limit;

-- name: person_set_state
UPDATE person SET state = :state, changed_at = :at WHERE realm_id = :realm_id AND name = :name;

-- name: person_set_password
UPDATE person SET password = :password, changed_at = :at WHERE realm_id = :realm_id AND name = :name;

-- name: person_set_roles
UPDATE person SET roles = :roles, changed_at = :at WHERE realm_id = :realm_id AND name = :name;

-- name: person_delete
DELETE FROM person WHERE realm_id = :realm_id AND name = :name;

-- name: login_token_insert
INSERT INTO login_token (realm_id, id, digest, person, commands, roles, note, expires_at, created_at, created_by)
VALUES (:realm_id, :id, :digest, :person, :commands, :roles, :note, :expires_at, :created_at, :created_by);

-- name: login_token_get
SELECT {login_token_columns} FROM login_token WHERE realm_id = :realm_id AND id = :id;

-- name: login_token_page
SELECT {login_token_columns} FROM login_token WHERE realm_id = :realm_id AND id > :id ORDER BY id LIMIT :limit;

-- name: login_token_page_of_person
SELECT {login_token_columns} FROM login_token
WHERE realm_id = :realm_id AND person = :person AND id > :id ORDER BY id LIMIT :limit;

-- name: login_token_delete
DELETE FROM login_token WHERE realm_id = :realm_id AND id = :id;

-- name: login_token_delete_of_person
DELETE FROM login_token WHERE realm_id = :realm_id AND person = :person;

-- name: login_token_ended
SELECT id FROM login_token WHERE realm_id = :realm_id AND expires_at < :expired_before ORDER BY expires_at, id LIMIT :limit;

-- name: login_count_get
SELECT failures, pending, last_failed_at, pending_until FROM login_count WHERE realm_id = :realm_id AND who = :who;

-- name: login_count_put
INSERT INTO login_count (realm_id, who, failures, pending, last_failed_at, pending_until, touched_at)
VALUES (:realm_id, :who, :failures, :pending, :last_failed_at, :pending_until, :touched_at)
ON CONFLICT (realm_id, who) DO UPDATE SET failures = excluded.failures, pending = excluded.pending,
last_failed_at = excluded.last_failed_at, pending_until = excluded.pending_until, touched_at = excluded.touched_at;

-- name: login_count_delete
DELETE FROM login_count WHERE realm_id = :realm_id AND who = :who;

-- name: login_count_old
SELECT who FROM login_count WHERE realm_id = :realm_id AND touched_at < :before ORDER BY touched_at, who LIMIT :limit;

-- name: login_session_insert
INSERT INTO login_session (realm_id, person, id, seen_at, ends_at) VALUES (:realm_id, :person, :id, :at, :ends_at);

-- name: login_session_list
SELECT id, seen_at, ends_at FROM login_session WHERE realm_id = :realm_id AND person = :person LIMIT :limit;

-- name: login_session_seen
UPDATE login_session SET seen_at = :at WHERE realm_id = :realm_id AND person = :person AND id = :id;

-- name: login_session_delete
DELETE FROM login_session WHERE realm_id = :realm_id AND person = :person AND id = :id;

-- name: login_session_delete_of_person
DELETE FROM login_session WHERE realm_id = :realm_id AND person = :person;
