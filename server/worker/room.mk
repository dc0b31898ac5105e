# server/worker
