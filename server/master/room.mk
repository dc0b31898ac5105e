# server/master
