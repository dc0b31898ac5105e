-- Certificates: to store one, find one, change its state.

-- fragment: certificate_columns
c.ca, c.serial, c.state, c.profile, c.subject, c.cn, c.sans, c.not_before, c.not_after, c.issued_at, c.requester,
c.front_end, c.rule, c.evidence, c.acme_account, c.acme_order, c.revoked_at, c.reason, c.revoked_by

-- name: certificate_insert
INSERT INTO certificate (
  realm_id, ca, serial, state, profile, subject, cn, sans, not_before, not_after, issued_at, requester,
  front_end, rule, evidence, acme_account, acme_order, revoked_at, reason, revoked_by)
VALUES (
  :realm_id, :ca, :serial, :state, :profile, :subject, :cn, :sans, :not_before, :not_after, :issued_at, :requester,
  :front_end, :rule, :evidence, :acme_account, :acme_order, NULL, '', '')
ON CONFLICT (realm_id, ca, serial) DO NOTHING;

-- name: certificate_der_insert
INSERT INTO certificate_der (realm_id, ca, serial, der) VALUES (:realm_id, :ca, :serial, :der);

-- name: certificate_der
SELECT der FROM certificate_der WHERE realm_id = :realm_id AND ca = :ca AND serial = :serial;

-- name: certificate_san_insert
INSERT INTO certificate_san (realm_id, san, issued_at, serial, ca) VALUES (:realm_id, :san, :issued_at, :serial, :ca)
ON CONFLICT (realm_id, san, issued_at, serial, ca) DO NOTHING;

-- name: certificate_get
SELECT {certificate_columns} FROM certificate c WHERE c.realm_id = :realm_id AND c.ca = :ca AND c.serial = :serial;

-- name: certificate_by_serial
SELECT {certificate_columns} FROM certificate c WHERE c.realm_id = :realm_id AND c.serial = :serial LIMIT 2;

-- name: certificate_newest_by_cn
SELECT {certificate_columns} FROM certificate c WHERE c.realm_id = :realm_id AND c.cn = :cn
ORDER BY c.issued_at DESC, c.serial DESC LIMIT 1;

-- name: certificates_by_subject
SELECT {certificate_columns} FROM certificate c
WHERE c.realm_id = :realm_id AND LOWER(c.subject) = LOWER(:subject) AND c.subject = :subject
ORDER BY c.issued_at DESC, c.serial DESC LIMIT :limit;

-- name: certificates_of_name
SELECT {certificate_columns} FROM certificate c WHERE c.realm_id = :realm_id AND LOWER(c.subject) = LOWER(:subject)
ORDER BY c.issued_at DESC, c.serial DESC LIMIT :limit;

-- name: certificates_living_by_subject
SELECT c.serial FROM certificate c
WHERE c.realm_id = :realm_id AND LOWER(c.subject) = LOWER(:subject) AND c.issued_at >= :issued_after
AND c.state = :state AND c.not_after > :now LIMIT :limit;

-- name: certificates_living_by_requester
SELECT c.serial FROM certificate c WHERE c.realm_id = :realm_id AND c.requester = :requester AND c.issued_at >= :issued_after
AND c.state = :state AND c.not_after > :now LIMIT :limit;

-- name: certificate_change_state
UPDATE certificate SET state = :new_state, revoked_at = :revoked_at, reason = :reason, revoked_by = :revoked_by
WHERE realm_id = :realm_id AND ca = :ca AND serial = :serial AND state = :state;

-- name: idempotency_insert
INSERT INTO idempotency (realm_id, kind, key, ca, serial) VALUES (:realm_id, :kind, :key, :ca, :serial)
ON CONFLICT (realm_id, kind, key) DO NOTHING;

-- name: idempotency_get
SELECT ca, serial FROM idempotency WHERE realm_id = :realm_id AND kind = :kind AND key = :key;
