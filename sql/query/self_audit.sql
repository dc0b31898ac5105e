-- Looking at everything that is stored.

-- name: self_audit_certificates
SELECT {certificate_columns}, d.der FROM certificate c
LEFT JOIN certificate_der d ON d.realm_id = c.realm_id AND d.serial = c.serial AND d.ca = c.ca
WHERE c.realm_id = :realm_id AND (c.serial, c.ca) > (:serial, :ca)
ORDER BY c.serial, c.ca LIMIT :limit;

-- name: self_audit_insert
INSERT INTO meta (realm_id, name, text) VALUES (:realm_id, :name, :text)
ON CONFLICT (realm_id, name) DO NOTHING;

-- name: self_audit_replace
UPDATE meta SET text = :text WHERE realm_id = :realm_id AND name = :name AND text = :old_text;
