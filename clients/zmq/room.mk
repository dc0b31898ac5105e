# clients/zmq
