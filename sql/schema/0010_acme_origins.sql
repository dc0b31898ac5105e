-- From which address an order was asked for, and the request to finalize it came; empty: nobody said so.
ALTER TABLE acme_order ADD COLUMN asked_from TEXT NOT NULL DEFAULT '';
ALTER TABLE acme_order ADD COLUMN finalized_from TEXT NOT NULL DEFAULT '';
-- The terms of service that the account agreed to, by their URL, or "none" where the realm had none;
-- empty: it did not, or did before this was noted (terms_agreed).
ALTER TABLE acme_account ADD COLUMN terms TEXT NOT NULL DEFAULT '';
