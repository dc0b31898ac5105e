-- Small facts about a realm by name.

-- name: meta_get
SELECT text FROM meta WHERE realm_id = :realm_id AND name = :name;

-- name: meta_put
INSERT INTO meta (realm_id, name, text) VALUES (:realm_id, :name, :text)
ON CONFLICT (realm_id, name) DO UPDATE SET text = excluded.text;
