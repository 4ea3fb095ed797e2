// What the protocol says about messages and people, apart from any socket.

export const PRIVATE_CHANNEL = "channel-private";
export const MISSING_PREFIX = "missing-";

const CHANNEL_ID_LENGTH = 128;
const TEXT_LENGTH = 4096;

const USERS = new Map([
  ["alice-token", { id: "user-001", name: "Taro Yamada" }],
  ["bob-token", { id: "user-002", name: "Hanako Suzuki" }],
  ["carol-token", { id: "user-003", name: "Carol" }],
  ["expiring-token", { id: "user-expiring", name: "Short-lived", expiresAfter: 2000 }],
]);

/** The user a token stands for, or undefined; `expiresAfter` is in milliseconds from connecting. */
export function authenticate(token) {
  const load = /^load-([0-9]{1,9})$/.exec(token ?? "");
  if (load) return { id: `user-load-${load[1]}`, name: `Load ${load[1]}` };
  return USERS.get(token); // "expired-token" is as unknown as any other
}

export function mayEnter(user, channelId) {
  return channelId !== PRIVATE_CHANNEL || user.id === "user-003";
}

/** A client's mistake: becomes an `error` message, never the end of the connection. */
export class ProtocolError extends Error {
  constructor(code, message, originalEvent) {
    super(message);
    this.code = code;
    this.originalEvent = originalEvent;
  }
}

// A string's `length` counts UTF-16 units; its iterator walks code points, which is what the limits count.
function isText(value, longest) {
  return typeof value === "string" && value !== "" && [...value].length <= longest;
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkChannelId({ channelId }) {
  if (!isText(channelId, CHANNEL_ID_LENGTH)) {
    return `channelId must be a string of 1 to ${CHANNEL_ID_LENGTH} characters`;
  }
}

function checkText({ text }) {
  if (!isText(text, TEXT_LENGTH)) return `text must be a string of 1 to ${TEXT_LENGTH} characters`;
}

// A Map and not an object literal: "constructor" and "__proto__" are no events.
const CHECKS = new Map([
  ["pong", []],
  ["join_channel", [checkChannelId]],
  ["send_message", [checkChannelId, checkText]],
]);

/**
 * Checks in the order of the protocol: JSON, envelope, event name, payload. What is left to the
 * caller is whether the user may do it. Throws a ProtocolError.
 */
export function parseMessage(text) {
  let message;
  try {
    message = JSON.parse(text);
  } catch {
    throw new ProtocolError("INVALID_JSON", "the message is not JSON");
  }

  if (!isObject(message)) throw new ProtocolError("INVALID_MESSAGE", "a message must be an object");
  const { event, payload, sequence } = message;
  if (typeof event !== "string") throw new ProtocolError("INVALID_MESSAGE", "event must be a string");
  if (!isObject(payload)) throw new ProtocolError("INVALID_MESSAGE", "payload must be an object", event);
  // Not isSafeInteger: 2^53 itself is allowed.
  if ("sequence" in message && !Number.isInteger(sequence)) {
    throw new ProtocolError("INVALID_MESSAGE", "sequence must be an integer", event);
  }

  const checks = CHECKS.get(event);
  if (!checks) throw new ProtocolError("UNKNOWN_EVENT", "clients send no such event", event);
  for (const check of checks) {
    const problem = check(payload);
    if (problem) throw new ProtocolError("INVALID_PAYLOAD", problem, event);
  }
  return { event, payload };
}
