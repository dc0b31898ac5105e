-- Rollovers of the realm's CAs: how far each new generation is. Rows stay, as the history of what was done.
CREATE TABLE IF NOT EXISTS ca_rollover (
  realm_id    TEXT   NOT NULL,
  ca          TEXT   NOT NULL,  -- name of the CA
  generation  BIGINT NOT NULL,  -- number of the new generation
  state       TEXT   NOT NULL,
  old_label   TEXT   NOT NULL,  -- of the generation before it; empty: it is the first
  new_label   TEXT   NOT NULL,
  source      TEXT   NOT NULL,  -- who certifies it: self, root, request
  changed_by  TEXT   NOT NULL,
  changed_at  BIGINT NOT NULL,
  version     BIGINT NOT NULL,
  PRIMARY KEY (realm_id, ca, generation)
) /* clustered */;
