// The chat protocol on Node.js with ws: HTTP handshake, sessions, channels.

import { randomUUID } from "node:crypto";
import { createServer, STATUS_CODES } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import {
  MISSING_PREFIX, PRIVATE_CHANNEL, ProtocolError, authenticate, mayEnter, parseMessage,
} from "./protocol.js";

const HOST = "127.0.0.1";
const PATH = "/v1/socket";
const PORT = Number(process.env.PORT ?? 8765);
const HEARTBEAT_INTERVAL = Number(process.env.HEARTBEAT_INTERVAL ?? 30) * 1000;
const HEARTBEAT_TIMEOUT = Number(process.env.HEARTBEAT_TIMEOUT ?? 10) * 1000;

const MAX_MESSAGE_BYTES = 65_536;
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024; // a peer that reads this little is gone
const CLOSE_GRACE = 2000;

const CloseCode = {
  goingAway: 1001, unsupportedData: 1003, internalError: 1011, tokenExpired: 4401, heartbeatTimeout: 4408,
};

class Channels {
  #members = new Map(); // channel id -> sessions, in the order they joined
  #lastTime = 0;

  join(channelId, session) {
    if (!this.#members.has(channelId)) this.#members.set(channelId, new Set());
    this.#members.get(channelId).add(session);
  }

  has(channelId, session) {
    return this.#members.get(channelId)?.has(session) ?? false;
  }

  leaveAll(session) {
    for (const [channelId, members] of this.#members) {
      if (members.delete(session) && members.size === 0) this.#members.delete(channelId);
    }
  }

  /** One thread and one loop: every member sees the posts of a channel in the same order. */
  post(channelId, text, { id, name }) {
    this.#lastTime = Math.max(this.#lastTime, Date.now()); // the wall clock may be set back
    const message = {
      id: `msg-${randomUUID()}`,
      text,
      author: { id, name },
      timestamp: new Date(this.#lastTime).toISOString(),
    };
    for (const session of this.#members.get(channelId)) session.send("new_message", { channelId, message });
  }
}

class Session {
  #socket;
  #user;
  #channels;
  #sequence = 0;
  #timers = [];
  #pongDeadline = null;

  constructor(socket, user, channels) {
    this.#socket = socket;
    this.#user = user;
    this.#channels = channels;
    socket.on("message", (data, isBinary) => this.#receive(data, isBinary));
    socket.on("close", () => this.#end());
    socket.on("error", () => {}); // ws has already closed with the code that fits

    this.send("connection_ack", { sessionId: randomUUID() });
    this.#timers.push(setInterval(() => this.#ping(), HEARTBEAT_INTERVAL));
    if (user.expiresAfter) {
      const expire = () => this.close(CloseCode.tokenExpired, "the token has expired");
      this.#timers.push(setTimeout(expire, user.expiresAfter));
    }
  }

  send(event, payload) {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) return this.#socket.terminate();
    this.#sequence += 1;
    this.#socket.send(JSON.stringify({ event, payload, sequence: this.#sequence }));
  }

  close(code, reason) {
    this.#socket.close(code, reason);
  }

  #ping() {
    this.send("ping", {});
    // Counted from the oldest unanswered ping: a later one does not start it again.
    this.#pongDeadline ??= setTimeout(
      () => this.close(CloseCode.heartbeatTimeout, "no pong in time"), HEARTBEAT_TIMEOUT);
  }

  #pong() {
    clearTimeout(this.#pongDeadline);
    this.#pongDeadline = null;
  }

  #receive(data, isBinary) {
    if (this.#socket.readyState !== WebSocket.OPEN) return; // our close frame is already on its way
    if (isBinary) return this.close(CloseCode.unsupportedData, "text messages only");
    try {
      const { event, payload } = parseMessage(data.toString());
      if (event === "pong") this.#pong();
      if (event === "join_channel") this.#join(payload);
      if (event === "send_message") this.#post(payload);
    } catch (error) {
      this.#refuse(error);
    }
  }

  #refuse(error) {
    if (!(error instanceof ProtocolError)) {
      console.error(error);
      return this.close(CloseCode.internalError, "internal error");
    }
    const { code, message, originalEvent } = error; // JSON leaves an undefined member out
    this.send("error", { code, message, originalEvent });
  }

  #checkEntry(event, channelId) {
    if (!mayEnter(this.#user, channelId)) {
      throw new ProtocolError("PERMISSION_DENIED", `${PRIVATE_CHANNEL} is not for you`, event);
    }
    if (channelId.startsWith(MISSING_PREFIX)) {
      throw new ProtocolError("CHANNEL_NOT_FOUND", "there is no such channel", event);
    }
  }

  #join({ channelId }) {
    this.#checkEntry("join_channel", channelId);
    this.#channels.join(channelId, this);
  }

  #post({ channelId, text }) {
    this.#checkEntry("send_message", channelId);
    if (!this.#channels.has(channelId, this)) {
      throw new ProtocolError("NOT_JOINED", "join the channel before posting to it", "send_message");
    }
    this.#channels.post(channelId, text, this.#user);
  }

  #end() {
    this.#timers.forEach(clearTimeout); // clears intervals as well
    clearTimeout(this.#pongDeadline);
    this.#channels.leaveAll(this);
  }
}

// The URL is read by hand: `new URL` would normalise "/v1/../v1/socket" into the endpoint.
function splitTarget(target) {
  const question = target.indexOf("?");
  const path = question < 0 ? target : target.slice(0, question);
  const query = new URLSearchParams(question < 0 ? "" : target.slice(question + 1));
  return { path, token: query.get("access_token") };
}

function refuseUpgrade(socket, status) {
  const body = `${STATUS_CODES[status]}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n` +
    `Content-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
}

const channels = new Channels();
const sockets = new WebSocketServer({
  noServer: true,
  clientTracking: true,
  maxPayload: MAX_MESSAGE_BYTES,
  perMessageDeflate: { threshold: 1024 },
  closeTimeout: CLOSE_GRACE,
});

const server = createServer((request, response) => {
  const found = splitTarget(request.url).path === PATH;
  response.writeHead(found ? 426 : 404, found ? { Upgrade: "websocket", Connection: "Upgrade, close" } : {});
  response.end(found ? "This is a WebSocket endpoint.\n" : "Not found.\n");
});

server.on("upgrade", (request, socket, head) => {
  socket.on("error", () => socket.destroy());
  const { path, token } = splitTarget(request.url);
  if (path !== PATH) return refuseUpgrade(socket, 404);
  const user = authenticate(token);
  if (!user) return refuseUpgrade(socket, 401);
  sockets.handleUpgrade(request, socket, head, (websocket) => new Session(websocket, user, channels));
});

function stop() {
  server.close(); // the process ends by itself once the last connection has
  server.closeAllConnections(); // plain HTTP ones; those upgraded get a close frame
  for (const client of sockets.clients) client.close(CloseCode.goingAway, "the server is stopping");
}
process.once("SIGTERM", stop);
process.once("SIGINT", stop);

server.listen(PORT, HOST, () => {
  console.log(`listening on ws://${HOST}:${server.address().port}${PATH}`);
});
