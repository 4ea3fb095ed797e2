"use strict";
// What the scenario in artillery.yml calls.

const SECONDS = Number(process.env.PEER_SECONDS);
const SIZE = Number(process.env.PEER_SIZE);
const IDLE = process.env.PEER_MODE === "idle";
let users = 0;

module.exports = {
  address(connection, context, done) {
    context.vars.number = users++;
    connection.target = `${process.env.PEER_URL}?access_token=load-${context.vars.number}`;
    done();
  },

  begin(context, events, done) {
    const channelId = `artillery-${String(context.vars.number).padStart(5, "0")}`;
    context.vars.join = JSON.stringify({ event: "join_channel", payload: { channelId } });
    context.vars.post = JSON.stringify({ event: "send_message", payload: { channelId, text: ".".repeat(SIZE) } });
    context.vars.end = Date.now() + 1000 * SECONDS;
    if (IDLE) setTimeout(done, 1000 * SECONDS);
    else done();
  },

  goingOn(context, done) {
    done(Date.now() < context.vars.end);
  },
};
