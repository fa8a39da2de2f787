import { createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Address, createAllowList, createHttpPost, isPublicAddress } from "../../../alerts/notify/http-post.ts";
import { answer, startScriptedHttp } from "../../helpers/scripted-http.ts";

/** Counts whoever knocks, from any address of this machine. */
let canary: Server;
let knocks = 0;
let port = 0;
beforeAll(async () => {
  canary = createServer((socket) => {
    knocks += 1;
    socket.destroy();
  });
  await new Promise<void>((done) => canary.listen(0, "127.0.0.1", done));
  port = (canary.address() as { port: number }).port;
});
afterAll(() => void canary.close());

const family = (address: string): Address => ({ address, family: address.includes(":") ? 6 : 4 });
const poster = (allow: string[] = [], resolve = async (_: string): Promise<Address[]> => []) =>
  createHttpPost({ allow: createAllowList(allow), resolve });
const ask = (post: ReturnType<typeof poster>, url: string) =>
  post({ url, headers: {}, body: "{}", signal: AbortSignal.timeout(20_000) });

describe("the guard of outgoing requests", () => {
  it("knows the addresses that are not public, in every spelling", () => {
    const inside =
      `127.0.0.1 127.9.9.9 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0
      192.0.0.1 198.18.0.1 224.0.0.1 255.255.255.255 ::1 :: ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:a9fe:a9fe fe80::1 fc00::1
      fd00:ec2::254 ff02::1 64:ff9b::7f00:1 2002:7f00:1:: 2001:0:1::1 2001:db8::1 ::127.0.0.1`.split(/\s+/);
    expect(inside.filter((address) => isPublicAddress(family(address)))).toEqual([]);
    const outside = "8.8.8.8 172.32.0.1 192.167.255.255 1.1.1.1 2606:4700::1111 ::ffff:8.8.8.8".split(" ");
    expect(outside.filter((address) => !isPublicAddress(family(address)))).toEqual([]);
  });

  it("sends not one byte to an address inside, however it is written", async () => {
    const hosts = ["127.0.0.1", "[::ffff:7f00:1]", "0x7f.1", "2130706433", "0177.0.0.1", "127.1", "[::1]", "0.0.0.0"];
    for (const host of hosts) {
      for (const scheme of ["http", "https"]) {
        await expect(ask(poster(), `${scheme}://${host}:${port}/`), host).rejects.toThrow("public internet");
      }
    }
    await expect(ask(poster(), "http://169.254.169.254/latest/meta-data")).rejects.toThrow("public internet");
    expect(knocks).toBe(0);
  });

  it("looks at every address of a name", async () => {
    const resolve = async () => [family("8.8.8.8"), family("127.0.0.1")];
    await expect(ask(poster([], resolve), `https://two.example:${port}/`)).rejects.toThrow("public internet");
    expect(knocks).toBe(0);
  });

  it("connects to the address it has checked: a name that points elsewhere at the next look gains nothing", async () => {
    const server = await startScriptedHttp(answer(204));
    let looks = 0;
    // First this server, whose address is allowed; from then on what is not.
    const resolve = async () => {
      looks += 1;
      return [family(looks === 1 ? "127.0.0.1" : "127.0.0.9")];
    };
    const post = poster(["127.0.0.1"], resolve);
    expect(await ask(post, `http://rebind.example:${server.port}/hook`)).toEqual({ status: 204 });
    expect(looks).toBe(1);
    expect(server.requests[0]!.headers.host).toBe(`rebind.example:${server.port}`);
    await expect(ask(post, `http://rebind.example:${server.port}/hook`)).rejects.toThrow("public internet");
    expect(server.requests).toHaveLength(1);
    await server.stop();
  });

  it("never asks the system's resolver again on the way", async () => {
    const server = await startScriptedHttp(answer(200));
    // Nobody but the stub knows this name.
    const post = poster(["127.0.0.0/8"], async () => [family("127.0.0.1")]);
    expect(await ask(post, `http://no-such-host.invalid:${server.port}/`)).toEqual({ status: 200 });
    await server.stop();
  });

  it("does not follow a redirect", async () => {
    const server = await startScriptedHttp(answer(302, "", { location: `http://127.0.0.1:${port}/` }));
    const post = poster(["127.0.0.1"]);
    expect(await ask(post, server.url)).toMatchObject({ status: 302 });
    expect(server.requests).toHaveLength(1);
    expect(knocks).toBe(0);
    await server.stop();
  });

  it("allows by host name, address and network, and clear text only there", async () => {
    const server = await startScriptedHttp(answer(200));
    const resolve = async () => [family("127.0.0.1")];
    const url = `http://hooks.internal:${server.port}/`;
    for (const allow of ["hooks.internal", "HOOKS.internal", "127.0.0.1", "127.0.0.0/8"])
      expect(await ask(poster([allow], resolve), url), allow).toEqual({ status: 200 });
    for (const allow of ["internal", "128.0.0.0/8"])
      await expect(ask(poster([allow], resolve), url), allow).rejects.toThrow("public internet");
    await expect(
      ask(
        poster([], async () => [family("8.8.8.8")]),
        "http://plain.example/",
      ),
    ).rejects.toThrow("https://");
    await expect(ask(poster(), "http://plain.example/")).rejects.toThrow("https://");
    await expect(ask(poster(["10.0.0.0/8"]), "http://8.8.8.8/")).rejects.toThrow("https://");
    await expect(
      ask(
        poster(["10.0.0.0/8"], async () => [family("8.8.8.8")]),
        "http://a.example/",
      ),
    ).rejects.toThrow("https://");
    await expect(ask(poster(), "https://mail.example:25/")).rejects.toThrow("port 25");
    await expect(ask(poster(), "file:///etc/passwd")).rejects.toThrow("only https");
    await server.stop();
  });

  it("takes the status for the answer: a body without end is not read, one that never begins is not waited for", async () => {
    let written = 0;
    const endless = await startScriptedHttp((_, response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(64 * 1024);
      const more = () => {
        if (response.destroyed || written > 100_000_000) return;
        written += chunk.length;
        response.write(chunk, more);
      };
      more();
    });
    expect(await ask(poster(["127.0.0.1"]), endless.url)).toEqual({ status: 200 });
    await endless.stop();
    expect(written).toBeLessThan(20_000_000);

    const hanging = await startScriptedHttp(() => {});
    const post = poster(["127.0.0.1"]);
    const signal = AbortSignal.timeout(50);
    await expect(post({ url: hanging.url, headers: {}, body: "{}", signal })).rejects.toThrow(/abort/i);
    await hanging.stop();
  });

  it("does not wait for a body that trickles, nor fail for one that breaks off", async () => {
    const trickling = await startScriptedHttp((_, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write("x");
    });
    const before = performance.now();
    expect(await ask(poster(["127.0.0.1"]), trickling.url)).toEqual({ status: 200 });
    expect(performance.now() - before).toBeLessThan(19_000); // the signal would end it after 20 s
    trickling.play((_, response) => {
      response.writeHead(503, { "content-length": "1000" });
      response.write("x", () => response.destroy());
    });
    expect(await ask(poster(["127.0.0.1"]), trickling.url)).toEqual({ status: 503 });
    await trickling.stop();
  });

  it("uses a connection for the next message of a burst, and makes a new one where it was closed meanwhile", async () => {
    const server = await startScriptedHttp(answer(200, "thanks"));
    const ports = new Set<number>();
    const note = (
      request: Parameters<ReturnType<typeof answer>>[0],
      response: Parameters<ReturnType<typeof answer>>[1],
    ) => {
      ports.add(response.socket!.remotePort!);
      answer(200, "thanks")(request, response);
    };
    server.play(note);
    const post = poster(["127.0.0.1"]);
    for (let n = 0; n < 5; n += 1) expect(await ask(post, server.url)).toEqual({ status: 200 });
    expect(ports.size).toBe(1);
    let isFirst = true;
    server.play((request, response) => {
      if (!isFirst) return note(request, response);
      isFirst = false;
      response.socket!.resetAndDestroy();
    });
    expect(await ask(post, server.url)).toEqual({ status: 200 });
    expect(ports.size).toBe(2);
    // A new connection that is reset is a failure.
    isFirst = true;
    await expect(ask(poster(["127.0.0.1"]), server.url)).rejects.toMatchObject({ code: "ECONNRESET" });
    await server.stop();
  });

  it("a resolver that hangs is not waited for", async () => {
    const post = poster([], () => new Promise(() => {}));
    const signal = AbortSignal.timeout(20);
    await expect(post({ url: "https://slow.example/", headers: {}, body: "", signal })).rejects.toThrow(/time/i);
  });
});
