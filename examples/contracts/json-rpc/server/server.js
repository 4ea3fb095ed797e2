// JSON-RPC 2.0 as rpc-websockets serves it: a few methods, and one event that clients may ask for.
import { Server } from "rpc-websockets";

const server = new Server({ host: "127.0.0.1", port: Number(process.env.PORT ?? 8080) });

server.register("subtract", (params) =>
  Array.isArray(params) ? params[0] - params[1] : params.minuend - params.subtrahend);
server.register("echo", (params) => params);
server.register("later", ({ seconds, value }) => new Promise((resolve) => setTimeout(resolve, seconds * 1000, value)));
server.register("fail", () => { throw new Error("on purpose"); });
server.event("feed");
server.register("publish", (params) => { server.emit("feed", params); return true; });

server.wss.on("listening", () => console.log(`listening on ws://127.0.0.1:${server.wss.address().port}/`));
process.on("SIGTERM", async () => { await server.close(); process.exit(0); });
