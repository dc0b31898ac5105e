-- Notices that a certificate ends: one row for each certificate, time ahead, way and addressee, so that each is sent once.
CREATE TABLE IF NOT EXISTS notice (
  realm_id   TEXT   NOT NULL,
  id         TEXT   NOT NULL,  -- follows from the next five
  ca         TEXT   NOT NULL,
  serial     TEXT   NOT NULL,
  ahead      BIGINT NOT NULL,  -- seconds before the end
  channel    TEXT   NOT NULL,  -- mail, webhook, program
  recipient  TEXT   NOT NULL,  -- address or URL
  not_after  BIGINT NOT NULL,  -- the certificate's
  state      TEXT   NOT NULL,  -- waiting, sent, dropped
  turn       BIGINT NOT NULL,  -- of a waiting one: when it may be claimed, again after a claim; else when it was done
  token      TEXT   NOT NULL,  -- of the claim in force; empty: none was made
  attempts   BIGINT NOT NULL,
  problem    TEXT   NOT NULL,  -- of the latest attempt, or why it was dropped
  PRIMARY KEY (realm_id, id)
) /* clustered */;
CREATE INDEX IF NOT EXISTS notice_by_turn ON notice (realm_id, state, turn, id);
CREATE INDEX IF NOT EXISTS notice_by_end ON notice (realm_id, not_after, id);
