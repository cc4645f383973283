"""A user of pypomelo over raw TCP: the same commands and events as those of talk.js.

    python pypomelo_client.py 127.0.0.1:3014 bob lobby
"""

import itertools
import json
import sys
import threading

from pypomelo.message import Message
from pypomelo.protocol import Protocol
from pypomelo.stream import Stream
from pypomelo.tornadoclient import TornadoClient
from tornado.ioloop import IOLoop

QUERY = "gate.gateHandler.queryEntry"
ENTER = "connector.entryHandler.enter"
SEND = "chat.chatHandler.send"


def emit(**event):
    print(json.dumps(event), flush=True)


class Watched(TornadoClient):
    """Says what is sent, and is otherwise the client as it is."""

    def send(self, data):
        if data[0] == Protocol.PROTO_TYPE_DATA:
            emit(event="sent", at=self.handler.at, route=route_of(data[4:]))
        super().send(data)


def route_of(message):
    """The route of a request or push, as the number or text that it is."""
    stream = Stream(message[1:])
    if message[0] >> 1 == Message.MSG_TYPE_REQUEST:
        Message.decode_id(stream)
    if message[0] & 1:
        return int.from_bytes(stream.read(2), "big")
    return Message.decode_route(stream, None, False)


class Handler:
    """What the client calls. Heartbeats are its user's business."""

    at = "gate"
    heartbeat = None

    def __init__(self, name, room):
        self.name, self.room = name, room
        self.waiting, self.leaving = 0, False

    def on_recv_data(self, client, kind, body):
        if kind == Protocol.PROTO_TYPE_SYC:
            system = json.loads(body)["sys"]
            self.heartbeat = system.get("heartbeat")
            flags = {name: bool(system.get(name)) for name in ("useDict", "useProto", "dict", "protos")}
            emit(event="handshake", at=self.at, heartbeat=self.heartbeat, **flags)
        elif kind == Protocol.PROTO_TYPE_FIN:
            emit(event="kick", at=self.at, reason=json.loads(body)["reason"])
        elif kind == Protocol.PROTO_TYPE_DATA and body[0] >> 1 == Message.MSG_TYPE_PUSH:
            text = body[2 + len(route_of(body)) :]
            form = "json" if text.startswith(b"{") else "protobuf"
            emit(event="got", at=self.at, route=route_of(body), format=form)
        return body

    def on_connected(self, client, user):
        client.send_request(QUERY, {"uid": self.name})

    def on_response(self, client, route, request, body):
        emit(event="gate", body=body)
        close(client)
        Watched(Entered(self.name, self.room)).connect(body["host"], body["port"])

    def on_disconnect(self, client):
        emit(event="closed", at=self.at)


class Entered(Handler):
    """The same at the connector."""

    at = "connector"

    def on_connected(self, client, user):
        self.ask(client, ENTER, {"username": self.name, "rid": self.room})
        threading.Thread(target=read_commands, args=(self, client), daemon=True).start()

    def on_heartbeat(self, client):
        emit(event="heartbeat", at=self.at)
        LOOP.call_later(self.heartbeat, self.beat, client)

    def beat(self, client):
        if not client.iostream.closed():
            client.send_heartbeat()

    def on_response(self, client, route, request, body):
        emit(event="response", route=route, body=body)
        self.waiting -= 1
        self.leave_once_answered(client)

    def on_push(self, client, route, body):
        emit(event="push", route=route, body=body)

    def on_disconnect(self, client):
        super().on_disconnect(client)
        LOOP.stop()

    def ask(self, client, route, body):
        self.waiting += 1
        client.send_request(route, body)

    def obey(self, client, command):
        if command.get("quit"):
            self.leaving = True
            self.leave_once_answered(client)
        else:
            body = {"rid": self.room, "content": command["say"], "from": self.name, "target": command["to"]}
            self.ask(client, SEND, body)

    def leave_once_answered(self, client):
        if self.leaving and self.waiting == 0:
            close(client)


def read_commands(handler, client):
    """Hands the lines of standard input to the loop. Runs in its own thread."""
    for line in itertools.chain(sys.stdin, ['{"quit": true}']):
        LOOP.add_callback(handler.obey, client, json.loads(line))


def close(client):
    """Not at once: after a callback it reads on, and asserts that it is open."""
    LOOP.add_callback(client.close)


def main():
    address, name, room = sys.argv[1:]
    host, _, port = address.partition(":")
    handler = Handler(name, room)
    Watched(handler).connect(host, int(port))
    LOOP.start()


LOOP = IOLoop.current()
main()
