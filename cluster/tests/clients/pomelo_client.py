#!/usr/bin/env python3
"""A Pomelo chat client in plain Python, written from the protocol description alone.

It shares no code and no author's assumption with the cluster, so that a mistake made on both
sides of the Rust code is seen here. It asks the gate, enters a room, then takes commands from
standard input and prints everything that it sees, both as one JSON object per line:

    $ pomelo_client.py --gate 127.0.0.1:3014 --transport ws --name bob --room lobby
    {"event": "gate", "body": {"code": 200, "host": "127.0.0.1", "port": 3051}}
    {"event": "handshake", "heartbeat": 3, "dictionary": true}
    {"event": "response", "id": 1, "route": "connector.entryHandler.enter", "body": {"users": ["bob"]}}

Commands:

    {"say": "hello"}                          to the room
    {"say": "psst", "to": "alice"}            to one user
    {"enter": {"username": "b", "rid": "r"}}  another enter on the same session
    {"request": "a.b.c", "body": {}}          any request
    {"quit": true}                            answers are awaited, then the connection is closed

The end of standard input is a quit. Events: gate, handshake, response, push, heartbeat (with
--verbose), kick, closed. Exit status: 0 after a quit, 1 if the server ended it or misbehaved,
2 for wrong arguments.
"""

import argparse
import asyncio
import base64
import hashlib
import json
import os
import struct
import sys
import threading

HANDSHAKE, HANDSHAKE_ACK, HEARTBEAT, DATA, KICK = 1, 2, 3, 4, 5
REQUEST, NOTIFY, RESPONSE, PUSH = 0, 1, 2, 3
PATIENCE = 10.0  # seconds for a connection, a handshake, an answer
WEBSOCKET_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class ProtocolError(Exception):
    """The server sent what the protocol does not allow."""


# --- Transports: both send and receive whole packages, as (type, body) ---------------------


def encode_package(kind, body=b""):
    return struct.pack(">I", kind << 24 | len(body)) + body


class TcpTransport:
    """A plain sequence of packages."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, host, port):
        return cls(*await asyncio.open_connection(host, port))

    def send(self, package):
        self.writer.write(package)

    async def receive(self):
        """The next package; None at the end of the stream."""
        try:
            head = await self.reader.readexactly(4)
        except asyncio.IncompleteReadError as cut:
            if cut.partial:
                raise ProtocolError("the stream ended inside a package head") from cut
            return None
        (word,) = struct.unpack(">I", head)
        return word >> 24, await self.reader.readexactly(word & 0xFFFFFF)

    async def close(self):
        self.writer.close()


class WebSocketTransport:
    """RFC 6455, client side; exactly one package per message."""

    CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.closing = False

    @classmethod
    async def connect(cls, host, port):
        reader, writer = await asyncio.open_connection(host, port)
        key = base64.b64encode(os.urandom(16))
        writer.write(
            b"GET / HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n" % (host.encode(), port, key)
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, *lines = head.split("\r\n")
        if status.split(" ")[1] != "101":
            raise ProtocolError(f"the upgrade was answered with {status!r}")
        fields = dict(line.lower().split(":", 1) for line in lines if ":" in line)
        accept = base64.b64encode(hashlib.sha1(key + WEBSOCKET_MAGIC).digest()).decode()
        if fields.get("sec-websocket-accept", "").strip() != accept.lower():
            raise ProtocolError("the upgrade was answered with a wrong Sec-WebSocket-Accept")
        return cls(reader, writer)

    def send(self, package):
        self._send_frame(self.BINARY, package)

    async def receive(self):
        """The package of the next message; None after a close frame or the end of the stream."""
        message, opcode_of_message = b"", None
        while True:
            try:
                fin, opcode, payload = await self._receive_frame()
            except asyncio.IncompleteReadError:
                return None
            if opcode == self.PING:
                self._send_frame(self.PONG, payload)
            elif opcode == self.CLOSE:
                if not self.closing:
                    self.closing = True
                    self._send_frame(self.CLOSE, payload)
                return None
            elif opcode in (self.BINARY, self.CONTINUATION):
                if (opcode == self.CONTINUATION) != (opcode_of_message is not None):
                    raise ProtocolError("fragments out of order")
                opcode_of_message = self.BINARY
                message += payload
                if fin:
                    return self._package(message)
            elif opcode != self.PONG:
                raise ProtocolError(f"unexpected frame with opcode {opcode}")

    @staticmethod
    def _package(message):
        if len(message) < 4:
            raise ProtocolError("a message shorter than a package head")
        (word,) = struct.unpack(">I", message[:4])
        if len(message) != 4 + (word & 0xFFFFFF):
            raise ProtocolError("a message that is not exactly one package")
        return word >> 24, message[4:]

    async def _receive_frame(self):
        first, second = await self.reader.readexactly(2)
        if first & 0x70:
            raise ProtocolError("reserved bits that were never agreed on")
        if second & 0x80:
            raise ProtocolError("a masked frame from a server")
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack(">H", await self.reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", await self.reader.readexactly(8))
        return bool(first & 0x80), first & 0x0F, await self.reader.readexactly(length)

    def _send_frame(self, opcode, payload):
        head = bytes([0x80 | opcode])
        if len(payload) < 126:
            head += bytes([0x80 | len(payload)])
        elif len(payload) < 1 << 16:
            head += struct.pack(">BH", 0x80 | 126, len(payload))
        else:
            head += struct.pack(">BQ", 0x80 | 127, len(payload))
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[index & 3] for index, byte in enumerate(payload))
        self.writer.write(head + mask + masked)

    async def close(self):
        if not self.closing:
            self.closing = True
            self._send_frame(self.CLOSE, struct.pack(">H", 1000))
            try:
                # The server echoes the close frame; what comes before it is of no interest now.
                await asyncio.wait_for(self._drain(), 1.0)
            except (asyncio.TimeoutError, ProtocolError, OSError):
                pass
        self.writer.close()

    async def _drain(self):
        while await self.receive() is not None:
            pass


TRANSPORTS = {"tcp": TcpTransport, "ws": WebSocketTransport}


# --- Messages ------------------------------------------------------------------------------


def encode_varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


class Cursor:
    """Reads a byte string from front to back."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def done(self):
        return self.at == len(self.data)

    def take(self, count):
        if self.at + count > len(self.data):
            raise ProtocolError("a message that ends too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def byte(self):
        return self.take(1)[0]

    def varint(self):
        number, shift = 0, 0
        while True:
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    def rest(self):
        return self.take(len(self.data) - self.at)


def decode_protobuf(schema, schemas, data):
    """Decodes `data` by a parsed schema: {"msg": {"option", "type", "tag"}, "__tags": ...}."""
    names = {field["tag"]: name for name, field in schema.items() if not name.startswith("__")}
    cursor, out = Cursor(data), {}
    while not cursor.done():
        tag = cursor.varint() >> 3
        if tag not in names:
            raise ProtocolError(f"protobuf tag {tag} is not in the schema")
        name = names[tag]
        field = schema[name]
        if field["option"] != "repeated":
            out[name] = decode_value(field["type"], schema, schemas, cursor)
        elif field["type"] in SCALARS:
            values = out.setdefault(name, [])
            for _ in range(cursor.varint()):
                values.append(SCALARS[field["type"]](cursor))
        else:
            out.setdefault(name, []).append(decode_value(field["type"], schema, schemas, cursor))
    for name, field in schema.items():
        if not name.startswith("__") and field["option"] == "required" and name not in out and data:
            raise ProtocolError(f"protobuf message without its required field {name}")
    return out


def zigzag(number):
    return number >> 1 if number & 1 == 0 else -((number + 1) >> 1)


SCALARS = {
    "uInt32": Cursor.varint,
    "sInt32": lambda cursor: zigzag(cursor.varint()),
    "int32": lambda cursor: zigzag(cursor.varint()),
    "float": lambda cursor: struct.unpack("<f", cursor.take(4))[0],
    "double": lambda cursor: struct.unpack("<d", cursor.take(8))[0],
}


def decode_value(kind, schema, schemas, cursor):
    if kind in SCALARS:
        return SCALARS[kind](cursor)
    data = cursor.take(cursor.varint())
    if kind == "string":
        return data.decode("utf-8", "replace")
    nested = schema.get("__messages", {}).get(kind) or schemas.get("message " + kind)
    if nested is None:
        raise ProtocolError(f"protobuf type {kind} is not in the schema")
    return decode_protobuf(nested, schemas, data)


# --- A connection to one frontend ----------------------------------------------------------


class Connection:
    """One session: handshake, heartbeats, requests and whatever comes back."""

    def __init__(self, transport, verbose):
        self.transport, self.verbose = transport, verbose
        self.codes, self.routes, self.server_protos, self.client_protos = {}, {}, {}, {}
        self.heartbeat = None
        self.heard_at = 0.0
        self.beat_due = asyncio.Event()
        self.last_id = 0
        self.waiting = {}  # id -> (route, future or None)

    @classmethod
    async def open(cls, kind, host, port, verbose):
        transport = await TRANSPORTS[kind].connect(host, port)
        self = cls(transport, verbose)
        hello = {"sys": {"type": "pomelo-client-py", "version": "1.0.0", "rsa": {}}, "user": {}}
        transport.send(encode_package(HANDSHAKE, json.dumps(hello).encode()))
        package = await transport.receive()
        if package is None or package[0] != HANDSHAKE:
            raise ProtocolError(f"the handshake was answered with {package!r}")
        answer = json.loads(package[1])
        if answer.get("code") != 200:
            raise ProtocolError(f"the handshake was refused: {answer}")
        system = answer["sys"]
        self.heartbeat = system.get("heartbeat")
        self.codes = system.get("dict", {})
        self.routes = {code: route for route, code in self.codes.items()}
        self.server_protos = system.get("protos", {}).get("server", {})
        self.client_protos = system.get("protos", {}).get("client", {})
        # Only now: an acknowledgement in the same write as the handshake is too early.
        transport.send(encode_package(HANDSHAKE_ACK))
        return self

    def request(self, route, body, answered=None):
        if route in self.client_protos:
            raise ProtocolError(f"{route} wants a protobuf body, which this application never does")
        self.last_id += 1
        self.waiting[self.last_id] = (route, answered)
        code = self.codes.get(route)
        if code is None:
            name = route.encode()
            head = bytes([REQUEST << 1]) + encode_varint(self.last_id) + bytes([len(name)]) + name
        else:
            head = bytes([REQUEST << 1 | 1]) + encode_varint(self.last_id) + struct.pack(">H", code)
        # Not escaped to ASCII: the server has to take UTF-8.
        text = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        self.transport.send(encode_package(DATA, head + text))
        return self.last_id

    async def run(self):
        """Prints what arrives until the connection ends; true if the server ended it."""
        beats = asyncio.ensure_future(self._beat())
        try:
            while (package := await self.transport.receive()) is not None:
                self.heard_at = asyncio.get_running_loop().time()
                if self._take(*package):
                    return True
            emit(event="closed")
            return True
        finally:
            beats.cancel()

    def _take(self, kind, body):
        if kind == DATA:
            self._take_message(body)
        elif kind == HEARTBEAT:
            if body:
                raise ProtocolError("a heartbeat with a body")
            self.beat_due.set()
            if self.verbose:
                emit(event="heartbeat")
        elif kind == KICK:
            emit(event="kick", reason=json.loads(body)["reason"])
            return True
        else:
            raise ProtocolError(f"unexpected package of type {kind}")
        return False

    def _take_message(self, data):
        cursor = Cursor(data)
        flag = cursor.byte()
        kind = flag >> 1 & 7
        if flag & 0x10:
            raise ProtocolError("a compressed body, which servers never send")
        if kind == RESPONSE:
            number = cursor.varint()
            if number not in self.waiting:
                raise ProtocolError(f"an answer to request {number}, which nobody asked")
            route, answered = self.waiting.pop(number)
            body = self._decode(route, cursor.rest())
            if answered is None:
                emit(event="response", id=number, route=route, body=body)
            else:
                answered.set_result(body)
        elif kind == PUSH:
            if flag & 1:
                (code,) = struct.unpack(">H", cursor.take(2))
                route = self.routes[code]
            else:
                route = cursor.take(cursor.byte()).decode()
            emit(event="push", route=route, body=self._decode(route, cursor.rest()))
        else:
            raise ProtocolError(f"a message of type {kind} from a server")

    def _decode(self, route, body):
        schema = self.server_protos.get(route)
        return json.loads(body) if schema is None else decode_protobuf(schema, self.server_protos, body)

    async def _beat(self):
        """Sends a heartbeat one interval after each received one; gives up after two more."""
        loop = asyncio.get_running_loop()
        while True:
            await self.beat_due.wait()
            self.beat_due.clear()
            if not self.heartbeat:
                continue
            await asyncio.sleep(self.heartbeat)
            sent_at = loop.time()
            self.transport.send(encode_package(HEARTBEAT))
            loop.call_later(2 * self.heartbeat, self._give_up_unless_heard_since, sent_at)

    def _give_up_unless_heard_since(self, sent_at):
        if self.heard_at < sent_at:
            emit(event="silent", seconds=2 * self.heartbeat)
            self.transport.writer.close()

    async def answers(self):
        """Waits until every request is answered."""
        while self.waiting:
            await asyncio.sleep(0.005)


def emit(**event):
    print(json.dumps(event, ensure_ascii=True), flush=True)


# --- The program ---------------------------------------------------------------------------


async def query_gate(arguments):
    """Asks the gate for a connector; its connection is closed then."""
    gate = await Connection.open(arguments.transport, *arguments.gate, arguments.verbose)
    answered = asyncio.get_running_loop().create_future()
    gate.request("gate.gateHandler.queryEntry", {"uid": arguments.uid or arguments.name}, answered)
    running = asyncio.ensure_future(gate.run())
    await asyncio.wait({answered, running}, return_when=asyncio.FIRST_COMPLETED)
    if not answered.done():
        raise ProtocolError("the gate closed the connection without an answer")
    running.cancel()
    await asyncio.wait({running})
    await gate.transport.close()
    body = answered.result()
    emit(event="gate", body=body)
    if body.get("code") != 200:
        raise ProtocolError(f"the gate answered {body}")
    return body["host"], body["port"]


def obey(connection, command):
    """Does what one command says; false after a quit."""
    if not isinstance(command, dict):
        raise ProtocolError(f"a command is an object, not {command}")
    if "say" in command:
        body = {"rid": "", "content": command["say"], "from": "", "target": command.get("to", "*")}
        connection.request("chat.chatHandler.send", body)
    elif "enter" in command:
        connection.request("connector.entryHandler.enter", command["enter"])
    elif "request" in command:
        connection.request(command["request"], command.get("body", {}))
    elif "quit" in command:
        return False
    else:
        raise ProtocolError(f"unknown command {command}")
    return True


def read_commands(loop, commands):
    """Hands the lines of standard input to the loop; None at its end. Runs in its own thread."""
    for line in sys.stdin:
        if line.strip():
            try:
                command = json.loads(line)
            except json.JSONDecodeError as error:
                command = {"no JSON": f"{line.strip()!r}: {error}"}
            loop.call_soon_threadsafe(commands.put_nowait, command)
    loop.call_soon_threadsafe(commands.put_nowait, None)


async def follow_commands(connection, arguments):
    loop = asyncio.get_running_loop()
    commands = asyncio.Queue()
    for text in arguments.say:
        commands.put_nowait({"say": text})
    for name, text in zip(arguments.to, arguments.private):
        commands.put_nowait({"say": text, "to": name})
    threading.Thread(target=read_commands, args=(loop, commands), daemon=True).start()
    while (command := await commands.get()) is not None:
        if not obey(connection, command):
            break
    await asyncio.wait_for(connection.answers(), PATIENCE)


async def chat(arguments):
    host, port = await asyncio.wait_for(query_gate(arguments), PATIENCE)
    opening = Connection.open(arguments.transport, host, port, arguments.verbose)
    connection = await asyncio.wait_for(opening, PATIENCE)
    emit(event="handshake", heartbeat=connection.heartbeat, dictionary=bool(connection.codes))
    enter = {"username": arguments.name, "rid": arguments.room}
    connection.request("connector.entryHandler.enter", enter)
    running = asyncio.ensure_future(connection.run())
    following = asyncio.ensure_future(follow_commands(connection, arguments))
    await asyncio.wait({running, following}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        following.cancel()
        running.result()  # raises what went wrong
        return 1
    running.cancel()
    await asyncio.wait({running})
    await connection.transport.close()
    following.result()
    return 0


def address(text):
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, int(port)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gate", type=address, required=True, metavar="HOST:PORT")
    parser.add_argument("--transport", choices=sorted(TRANSPORTS), default="ws")
    parser.add_argument("--name", required=True, help="the user name")
    parser.add_argument("--room", required=True)
    parser.add_argument("--uid", help="what the gate is asked with; default: the name")
    parser.add_argument("--say", action="append", default=[], metavar="TEXT", help="once entered")
    parser.add_argument("--to", action="append", default=[], metavar="NAME", help="of --private")
    parser.add_argument("--private", action="append", default=[], metavar="TEXT")
    parser.add_argument("--verbose", action="store_true", help="print heartbeats too")
    arguments = parser.parse_args()
    if len(arguments.to) != len(arguments.private):
        parser.error("each --private needs its --to")
    try:
        status = asyncio.run(chat(arguments))
    except (ProtocolError, OSError, asyncio.TimeoutError, asyncio.IncompleteReadError) as error:
        print(f"pomelo_client: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        status = 1
    except KeyboardInterrupt:
        status = 130
    # Not sys.exit: it would wait for the thread that reads standard input.
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
