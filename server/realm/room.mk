# server/realm
