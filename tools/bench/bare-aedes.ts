import { createServer } from "node:net";
import { Aedes } from "aedes";

/** The measure: aedes alone, acknowledging the same load and keeping nothing. */
const broker = await Aedes.createBroker();
const server = createServer(broker.handle);
server.listen(0, "127.0.0.1", () => process.send!({ port: (server.address() as { port: number }).port }));
process.on("disconnect", () => process.exit(0));
