// Prints what AsyncAPI's own parser says about a document: its version, its messages and all diagnostics, as JSON.
// NODE_PATH leads to the folder that holds the parser.
const { Parser, fromFile } = require("@asyncapi/parser");

async function main(path) {
  const { document, diagnostics } = await fromFile(new Parser(), path).parse();
  const messages = document ? document.messages().all() : [];
  const said = {
    version: document ? document.version() : null,
    messages: Object.fromEntries(messages.map((one) => [one.id(), one.payload().json()])),
    diagnostics: diagnostics.map(({ severity, code, message, path: where }) => {
      return { severity, code: String(code), message, path: where.join(".") };
    }),
  };
  process.stdout.write(JSON.stringify(said));
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
