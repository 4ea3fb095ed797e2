// GraphQL over WebSocket as graphql-ws serves it. Users are told by the token in connection_init.
import { buildSchema } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";

const TOKENS = { "alice-token": "alice", "bob-token": "bob" };
const INIT_TIMEOUT = Number(process.env.INIT_TIMEOUT ?? 3) * 1000; // the protocol leaves the time to the server

const schema = buildSchema(`
  type Query { hello: String!, slow(seconds: Float!): String! }
  type Mutation { post(room: String!, text: String!): String! }
  type Subscription { greetings: String!, posted(room: String!): String! }
`);

const rooms = new Map();

// What is posted to a room while the iteration lasts. The listener stands before the first value is asked for.
function posted({ room }) {
  const waiting = [];
  let wake = () => {};
  let over = false;
  const push = (text) => { waiting.push(text); wake(); };
  const listeners = rooms.get(room) ?? new Set();
  rooms.set(room, listeners.add(push));
  const leave = () => {
    over = true;
    listeners.delete(push);
    if (listeners.size === 0 && rooms.get(room) === listeners) rooms.delete(room);
    wake();
    return { done: true, value: undefined };
  };
  return {
    [Symbol.asyncIterator]() { return this; },
    async next() {
      while (waiting.length === 0 && !over) await new Promise((resolve) => { wake = resolve; });
      return over ? { done: true, value: undefined } : { done: false, value: { posted: waiting.shift() } };
    },
    async return() { return leave(); },
    async throw(error) { leave(); throw error; },
  };
}

const roots = {
  query: {
    hello: "world",
    slow: ({ seconds }) => new Promise((resolve) => setTimeout(resolve, seconds * 1000, "done")),
  },
  mutation: {
    post({ room, text }) {
      for (const push of rooms.get(room) ?? []) push(text);
      return text;
    },
  },
  subscription: {
    async *greetings() { for (const word of ["Hi", "Bonjour", "Hola"]) yield { greetings: word }; },
    posted,
  },
};

const wss = new WebSocketServer({ host: "127.0.0.1", port: Number(process.env.PORT ?? 8080), path: "/graphql" });
const server = useServer(
  {
    schema,
    roots,
    connectionInitWaitTimeout: INIT_TIMEOUT,
    onConnect({ connectionParams }) {
      const user = TOKENS[connectionParams?.token];
      return user === undefined ? false : { user };
    },
  },
  wss,
);
wss.on("listening", () => console.log(`listening on ws://127.0.0.1:${wss.address().port}/graphql`));
process.on("SIGTERM", async () => { await server.dispose(); process.exit(0); });
