"""Python's own syslog handler, over UDP and over TCP, where it ends messages with NUL: syslog.py UDP TCP MARKER"""
import logging
import logging.handlers
import socket
import sys

udp, tcp, marker = sys.argv[1:]
for name, address, kind in (("udp", udp, socket.SOCK_DGRAM), ("tcp", tcp, socket.SOCK_STREAM)):
    host, port = address.rsplit(":", 1)
    handler = logging.handlers.SysLogHandler(address=(host, int(port)), socktype=kind)
    logger = logging.getLogger(name)
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    for n in range(20):
        logger.info(f"{marker} {name} {n}")
    handler.close()
