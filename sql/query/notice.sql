-- Notices that a certificate ends.

-- name: notice_certificates
SELECT {certificate_columns} FROM certificate c
WHERE c.realm_id = :realm_id AND c.not_after <= :until AND (c.not_after, c.serial) > (:key_not_after, :key_serial)
ORDER BY c.not_after, c.serial LIMIT :limit;

-- name: notice_insert
INSERT INTO notice (realm_id, id, ca, serial, ahead, channel, recipient, not_after, state, turn, token, attempts, problem)
VALUES (:realm_id, :id, :ca, :serial, :ahead, :channel, :recipient, :not_after, :state, :turn, '', 0, '')
ON CONFLICT (realm_id, id) DO NOTHING;

-- name: notice_due
SELECT id, ca, serial, ahead, channel, recipient, not_after, state, turn, token, attempts, problem FROM notice
WHERE realm_id = :realm_id AND state = :state AND turn <= :now ORDER BY turn, id LIMIT :limit;

-- name: notice_get
SELECT id, ca, serial, ahead, channel, recipient, not_after, state, turn, token, attempts, problem FROM notice
WHERE realm_id = :realm_id AND id = :id;

-- name: notice_page
SELECT id, ca, serial, ahead, channel, recipient, not_after, state, turn, token, attempts, problem FROM notice
WHERE realm_id = :realm_id AND (not_after, id) > (:key_not_after, :key_id) ORDER BY not_after, id LIMIT :limit;

-- name: notice_claim
UPDATE notice SET turn = :until, token = :token, attempts = attempts + 1
WHERE realm_id = :realm_id AND id = :id AND state = :state AND token = :old_token AND turn = :old_turn;

-- name: notice_finish
UPDATE notice SET state = :new_state, turn = :turn, problem = :problem, token = ''
WHERE realm_id = :realm_id AND id = :id AND state = :state AND token = :token;

-- name: notice_ended
SELECT id FROM notice WHERE realm_id = :realm_id AND not_after < :before ORDER BY not_after, id LIMIT :limit;

-- name: notice_delete
DELETE FROM notice WHERE realm_id = :realm_id AND id = :id;
