# server/config
