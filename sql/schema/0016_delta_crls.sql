-- Delta CRLs: their numbers are of one sequence with those of the full ones, their DER is in crl_chunk (RFC 5280 5.2.4).
CREATE TABLE IF NOT EXISTS crl_delta (
  realm_id     TEXT   NOT NULL,
  ca           TEXT   NOT NULL,
  number       BIGINT NOT NULL,
  base         BIGINT NOT NULL,  -- number of the full CRL that it adds to
  this_update  BIGINT NOT NULL,
  next_update  BIGINT NOT NULL,
  entries      BIGINT NOT NULL,
  chunks       BIGINT NOT NULL,
  PRIMARY KEY (realm_id, ca, number)
) /* clustered */;
