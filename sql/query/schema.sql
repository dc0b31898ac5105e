-- The version row: the one table that belongs to no realm (PROMISES Q1, Q14).

-- name: schema_make
CREATE TABLE IF NOT EXISTS schema_version (
  id       BIGINT NOT NULL PRIMARY KEY,
  version  BIGINT NOT NULL,
  step     BIGINT NOT NULL
);

-- name: schema_start
INSERT INTO schema_version (id, version, step) VALUES (0, 0, 0) ON CONFLICT (id) DO NOTHING;

-- name: schema_read
SELECT version, step FROM schema_version WHERE id = 0;

-- name: schema_advance
UPDATE schema_version SET version = :new_version, step = :new_step
WHERE id = 0 AND version = :version AND step = :step;
